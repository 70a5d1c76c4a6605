"""Everything that can be wrong with a request to this app, each with its status in one place.

ApiError                      an answer other than success, in Graph's error form
├── BadRequest            400 the request itself; ``details`` names every fault at once
├── Unauthorized          401 a callback without a token of Graph's
├── SignInNeeded          401 a caller who has to be signed in, and is not
├── Forbidden             403 a caller who is signed in, and not among those who may ask
├── NotFound              404 no such call, invitation or token
├── KeyReused             409 the same key was used for something else
├── TooManyFlows          409 as many flows wait already as can
├── NotCancellable        409 Graph does not list the people yet whose calls are to be cancelled
├── TooLarge              413
├── GraphRefused          422 Graph refused the invitation before taking it
├── EscalationFailed      422 no person joined
├── StartFailed           422 the call could not be started, or no person came
├── InvitationFailed      422 Graph took the invitation and it failed
├── Busy                  429 Graph throttles
└── Unavailable           503 storage, Entra ID or Graph can't be reached, or the app is misconfigured
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request."""

    code: str
    message: str
    """What to do about it, never with the value itself: that may be somebody's number."""
    target: str | None = None
    """Where, as a path such as ``participants[0].identity.phone.id``."""


class ApiError(Exception):
    """An answer other than success."""

    status = HTTPStatus.BAD_REQUEST
    headers: ClassVar[dict[str, str]] = {}
    """Headers that the response carries in addition."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: tuple[Fault, ...] = (),
        inner: dict[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.target = target
        self.details = details
        self.inner = inner
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """Return the error in the form that Graph and Azure use."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        if self.details:
            error["details"] = [
                {"code": fault.code, "message": fault.message}
                | ({"target": fault.target} if fault.target is not None else {})
                for fault in self.details
            ]
        if self.inner:
            error["innerError"] = self.inner
        return {"error": error}


class BadRequest(ApiError):
    """The request itself is invalid."""

    @classmethod
    def of(cls, faults: list[Fault]) -> BadRequest:
        """Return one answer for all that is wrong with a request."""
        if len(faults) == 1:
            fault = faults[0]
            return cls(fault.code, fault.message, target=fault.target, details=(fault,))
        message = f"The request has {len(faults)} faults. See details for each of them and what to do."
        return cls("BadRequest", message, details=tuple(faults))


class Unauthorized(ApiError):
    """The callback carries no token that Graph would send."""

    status = HTTPStatus.UNAUTHORIZED
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class SignInNeeded(ApiError):
    """The caller is not signed in, and has to be."""

    status = HTTPStatus.UNAUTHORIZED
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(ApiError):
    """The caller is signed in, and not among those who may ask."""

    status = HTTPStatus.FORBIDDEN


class NotFound(ApiError):
    """There is no such call, invitation or token; which of them is not disclosed."""

    status = HTTPStatus.NOT_FOUND


class KeyReused(ApiError):
    """The same explicit key came with another body."""

    status = HTTPStatus.CONFLICT


class TooManyFlows(ApiError):
    """As many flows wait for the same outcome as can."""

    status = HTTPStatus.CONFLICT


class NotCancellable(ApiError):
    """Graph does not list the people yet whose calls are to be cancelled."""

    status = HTTPStatus.CONFLICT


class TooLarge(ApiError):
    """The body is larger than allowed."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class GraphRefused(ApiError):
    """Graph refused the invitation before taking it."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class EscalationFailed(ApiError):
    """No person joined."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class StartFailed(ApiError):
    """The call could not be started, or no person came."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class InvitationFailed(ApiError):
    """Graph took the invitation, and it failed."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Busy(ApiError):
    """Graph throttles the request; no person was called."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Unavailable(ApiError):
    """Something that the app needs can't be used for now; no person was called."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, code: str, message: str, *, retry_after: float = 5, **more: Any) -> None:
        super().__init__(code, message, retry_after=retry_after, **more)
