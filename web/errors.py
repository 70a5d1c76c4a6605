"""Everything that can be wrong with a request to this app, each with its status, code and advice in one place.

ApiError                      an answer other than success, in Graph's error form
├── BadRequest            400 the request itself; ``details`` names every fault at once
├── NotFound              404 no such call, invitation or token
├── KeyReused             409 the same key was used for something else
├── TooLarge              413
├── GraphRefused          422 Graph refused the invitation before taking it
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
        status: HTTPStatus | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.target = target
        self.details = details
        self.inner = inner
        self.retry_after = retry_after
        if status is not None:
            self.status = status

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
    """The request itself is at fault."""

    @classmethod
    def of(cls, faults: list[Fault]) -> BadRequest:
        """Return one answer for all that is wrong with a request."""
        if len(faults) == 1:
            fault = faults[0]
            return cls(fault.code, fault.message, target=fault.target, details=(fault,))
        message = f"The request has {len(faults)} faults; details lists each with its place and what to do."
        return cls("BadRequest", message, details=tuple(faults))


class NotFound(ApiError):
    """There is no such call, invitation or token; which of them is not told."""

    status = HTTPStatus.NOT_FOUND


class KeyReused(ApiError):
    """The same explicit key came with another body."""

    status = HTTPStatus.CONFLICT


class TooLarge(ApiError):
    """The body is larger than allowed."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class GraphRefused(ApiError):
    """Graph refused the invitation before taking it."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class InvitationFailed(ApiError):
    """Graph took the invitation, and it failed."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Busy(ApiError):
    """Graph throttles; nobody was rung."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Unavailable(ApiError):
    """Something that the app needs can't be used for now; nobody was rung."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, code: str, message: str, *, retry_after: float = 5, **more: Any) -> None:
        super().__init__(code, message, retry_after=retry_after, **more)


class StorageUnavailable(Unavailable):
    """State can't be read or written for now."""

    def __init__(self) -> None:
        super().__init__("StorageUnavailable", "The app's storage can't be reached. Try again in a moment.")
