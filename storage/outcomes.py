"""What an exception of a storage library means: the request was not done, was refused, or may have been done.

The libraries raise more than their own errors: a response that is cut or stalls in its body raises errors of
``requests``, a cut response to ``create_entity`` an ``AttributeError``, an identity endpoint that answers 500 without a
body a ``JSONDecodeError`` (azure-data-tables 12.7.0, azure-core 1.41.0, azure-identity 1.27.0). So every exception is
one of three things here, and what is neither done nor refused may have been done.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = logging.getLogger("call_invites.storage")
NOTHING_SENT = "nothing was sent: this happened before the request"
_LONGEST_WAIT = 1.0
_MOST_CAUSES = 40
_CONFLICT_CODES = frozenset({"EntityAlreadyExists", "UpdateConditionNotSatisfied", "ConditionNotMet"})


class Outcome(Enum):
    """What is known about a request that raised."""

    NOT_DONE = auto()
    """Storage did not do it, and may do it in a moment."""
    UNKNOWN = auto()
    """Storage may have done it."""
    CONFLICT = auto()
    """Another writer was faster: a row is there already, was changed, or is gone."""
    MISSING = auto()
    """The row, the table or the queue does not exist."""
    TOO_LARGE = auto()
    """It is larger than storage allows."""
    REFUSED = auto()
    """Storage refuses it: credential, role, name or form."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One exception of a storage library, understood."""

    outcome: Outcome
    kind: str
    """The exception's class."""
    status: int | None
    code: str
    """Storage's own error code, empty where it gave none."""
    retry_after: float | None
    """Seconds, where storage named them, at most one."""

    def log(self, what: str) -> None:
        """Log that a request failed; nothing of its content is named."""
        _log.warning(
            f"{what} failed kind=%(kind)s status=%(status)s code=%(code)s",
            {"kind": self.kind, "status": self.status or "-", "code": self.code or "-"},
        )


def failure_of(error: BaseException) -> Failure:
    """Return what an exception of a storage library means."""
    status = getattr(error, "status_code", None)
    status = status if isinstance(status, int) else None
    code = error_code(error)
    return Failure(_outcome(error, status, code), type(error).__name__, status, code, _retry_after(error))


def _outcome(error: BaseException, status: int | None, code: str) -> Outcome:
    if isinstance(error, StorageUnavailable):
        return Outcome.NOT_DONE  # there was no token, so nothing was sent
    if code in _CONFLICT_CODES or status in (409, 412):
        return Outcome.CONFLICT
    if status == 404:  # noqa: PLR2004 - HTTP
        return Outcome.MISSING
    if status == 413 or code in ("RequestBodyTooLarge", "EntityTooLarge", "PropertyValueTooLarge"):  # noqa: PLR2004
        return Outcome.TOO_LARGE
    if status == 429:  # noqa: PLR2004
        return Outcome.NOT_DONE
    if status is not None and 400 <= status < 500 and status != 408:  # noqa: PLR2004
        return Outcome.REFUSED  # an error with a good status comes of a response that was cut
    return Outcome.NOT_DONE if _was_never_sent(error) else Outcome.UNKNOWN


def _was_never_sent(error: BaseException) -> bool:
    """Return whether no connection came about, which ``storage.transport`` marks where it happens."""
    pending: list[object] = [error]
    for _ in range(_MOST_CAUSES):
        cause = pending.pop() if pending else None
        if not isinstance(cause, BaseException):
            continue
        if NOTHING_SENT in getattr(cause, "__notes__", ()):
            return True
        wrapped = getattr(cause, "inner_exception", None), getattr(cause, "reason", None), cause.__cause__
        pending += [*cause.args, *wrapped]
    return False


def error_code(error: BaseException) -> str:
    """Return storage's own error code; the library decodes it for some requests and leaves it raw for others."""
    code = getattr(error, "error_code", None)
    response: Any = getattr(error, "response", None)
    if code is None and response is not None:
        try:
            code = response.json()["odata.error"]["code"]
        except Exception:  # noqa: BLE001 - the body may be anything
            code = _headers(response).get("x-ms-error-code")
    return str(getattr(code, "value", code) or "")


def _retry_after(error: BaseException) -> float | None:
    value = _headers(getattr(error, "response", None)).get("Retry-After")
    try:
        return None if value is None else min(max(float(value), 0.0), _LONGEST_WAIT)
    except ValueError:
        return None


def _headers(response: Any) -> Mapping[str, str]:
    return getattr(response, "headers", None) or {}
