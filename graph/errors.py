"""What can go wrong with Microsoft Graph and Entra ID, by what is known about the request.

GraphError
├── NothingSent            no byte of the request left: it may be sent again
│   ├── TokenUnavailable   Entra ID can't be reached or is busy
│   └── CredentialRefused  Entra ID refuses the app's credential: the deployer must act
├── GraphAnswered          Graph refused the request before it took it
│   ├── Throttled          429 or 503: try later
│   └── Refused            any other 4xx except 408
├── OutcomeUnknown         the request was sent and may have been taken: never repeat it
└── KeysUnavailable        the keys that sign callbacks can't be read, so no token can be validated
"""

from __future__ import annotations


class GraphError(Exception):
    """Anything that keeps Graph from doing what was requested; its text holds no personal data."""


class NothingSent(GraphError):
    """No byte of the request reached Graph."""


class TokenUnavailable(NothingSent):
    """Entra ID issued no token for now; trying later may help."""


class CredentialRefused(NothingSent):
    """Entra ID refused the app's own credential; ``code`` is its AADSTS code where there is one."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class GraphAnswered(GraphError):
    """Graph responded with an error; ``code`` is Graph's own, often a number written as a string."""

    def __init__(
        self,
        status: int,
        *,
        code: str | None = None,
        message: str | None = None,
        request_id: str | None = None,
        client_request_id: str | None = None,
        retry_after: float | None = None,
        lacks: str | None = None,
    ) -> None:
        super().__init__(f"Graph responded {status} with code {code}")
        self.status = status
        self.code = code
        self.message = message
        """Graph's own text: it may name people, so redact it before showing it."""
        self.request_id = request_id
        self.client_request_id = client_request_id
        self.retry_after = retry_after
        """Seconds, where Graph gave them."""
        self.lacks = lacks
        """The permission that the app's token lacks for the request."""


class Throttled(GraphAnswered):
    """Graph is busy (429 or 503) and did not take the request."""


class Refused(GraphAnswered):
    """Graph definitely refused the request (4xx) and did not take it."""


class OutcomeUnknown(GraphError):
    """The request was sent, but whether Graph took it is not known: time-out, reset, or a 5xx.

    ``status`` and ``code`` are those of the response, None where there was none.
    """

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class KeysUnavailable(GraphError):
    """The keys of one kind of callback token can't be read, or are too old to be trusted."""
