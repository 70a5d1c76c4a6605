"""What can go wrong with Microsoft Graph, told apart by what is known about the request.

GraphError
├── NothingSent            no byte of the request left: it may be sent again
│   ├── TokenUnavailable   Entra ID could not be reached or is busy
│   └── CredentialRefused  Entra ID refuses the app's credential: the deployer must act
├── Throttled              429 or 503: refused before it was taken, try later
├── Refused                a definite 4xx: refused before it was taken
└── OutcomeUnknown         the request went out and may have been taken: never repeat it
"""

from __future__ import annotations


class GraphError(Exception):
    """Anything that keeps Graph from answering what was asked; its text holds no personal data."""


class NothingSent(GraphError):
    """No byte of the request reached Graph."""


class TokenUnavailable(NothingSent):
    """Entra ID gave no token for now; trying later may help."""


class CredentialRefused(NothingSent):
    """Entra ID refused the app's own credential; ``code`` is its AADSTS code where it gave one."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class GraphAnswered(GraphError):
    """Graph answered with an error; ``code`` is Graph's own, often a number written as a string."""

    def __init__(
        self,
        status: int,
        *,
        code: str | None = None,
        message: str | None = None,
        request_id: str | None = None,
        client_request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"Graph answered {status} with code {code}")
        self.status = status
        self.code = code
        self.message = message
        """Graph's own words: they may name people, so redact before showing."""
        self.request_id = request_id
        self.client_request_id = client_request_id
        self.retry_after = retry_after
        """Seconds, where Graph said them."""


class Throttled(GraphAnswered):
    """Graph is busy (429 or 503) and did not take the request."""


class Refused(GraphAnswered):
    """Graph definitely refused the request (4xx) and did not take it."""


class OutcomeUnknown(GraphError):
    """The request went out, but whether Graph took it is not known: time-out, reset, or a 5xx."""
