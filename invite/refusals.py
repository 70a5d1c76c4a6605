"""What a flow gets when Graph took no part of an invitation."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from domain.results import ResultInfo
from flows.advice import advice_for_refusal
from graph.errors import (
    CredentialRefused,
    GraphAnswered,
    GraphError,
    NothingSent,
    Throttled,
    TokenUnavailable,
)
from observability.redaction import redact
from web.errors import ApiError, Busy, GraphRefused, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from invite.sending import Sent

_DEFAULT_RETRY_AFTER = 10.0


def result_of_refusal(error: GraphError, explain: Callable[[GraphAnswered], str] = advice_for_refusal) -> ResultInfo:
    """Return what is kept with the invitation: the HTTP status, Graph's code, and advice for the maker."""
    text = _message(error, explain)
    if isinstance(error, GraphAnswered):
        code = error.code or ""
        return ResultInfo(error.status, int(code) if code.isdecimal() and len(code) < 10 else None, text)  # noqa: PLR2004
    return ResultInfo(HTTPStatus.SERVICE_UNAVAILABLE, None, text)


def answer_for_refusals(
    sent: Sequence[Sent],
    explain: Callable[[GraphAnswered], str] = advice_for_refusal,
    *,
    undone: str = "the person was not called",
) -> ApiError:
    """Return the one answer for requests of which none was taken.

    What may pass by itself comes first: the flow then tries again, and everything refused is sent again.
    ``explain`` has the sentence for what Graph refused, ``undone`` what was not done otherwise.
    """
    errors = [entry.error for entry in sent if entry.error is not None]
    passing = [entry.error for entry in sent if entry.error is not None and entry.may_be_repeated_soon]
    error = (passing or errors)[0]
    message = _message(error, explain, undone)
    inner = _inner(error)
    if isinstance(error, Throttled):
        longest = max((entry.retry_after or 0.0 for entry in passing if isinstance(entry, Throttled)), default=0.0)
        retry_after = longest or _DEFAULT_RETRY_AFTER
        if error.status == HTTPStatus.TOO_MANY_REQUESTS:
            return Busy("GraphBusy", message, inner=inner, retry_after=retry_after)
        return Unavailable("GraphUnavailable", message, inner=inner, retry_after=retry_after)
    if isinstance(error, CredentialRefused):
        return Unavailable("AppNotAuthorized", message, inner=inner, retry_after=60)
    if isinstance(error, TokenUnavailable):
        return Unavailable("EntraUnavailable", message, retry_after=_DEFAULT_RETRY_AFTER)
    if isinstance(error, NothingSent):
        return Unavailable("GraphUnavailable", message, retry_after=_DEFAULT_RETRY_AFTER)
    if isinstance(error, GraphAnswered) and error.status == HTTPStatus.NOT_FOUND:
        return NotFound("CallNotFound", message, inner=inner)
    return GraphRefused("GraphRefused", message, inner=inner)


def _message(
    error: GraphError, explain: Callable[[GraphAnswered], str], undone: str = "the person was not called"
) -> str:
    if isinstance(error, Throttled):
        return f"Microsoft Graph is busy, so {undone}. Try again in a minute."
    if isinstance(error, GraphAnswered):
        return explain(error)
    if isinstance(error, CredentialRefused):
        return (
            f"{error}, so {undone}. Ask your administrator to check the app registration; "
            "its secret or certificate may have expired."
        )
    return f"{error}, so {undone}. Try again in a minute."


def _inner(error: GraphError) -> dict[str, str]:
    if isinstance(error, CredentialRefused):
        return {"code": error.code} if error.code else {}
    if not isinstance(error, GraphAnswered):
        return {}
    inner = {
        "code": error.code or str(error.status),
        "message": redact(error.message) if error.message else None,
        "request-id": error.request_id,
        "client-request-id": error.client_request_id,
    }
    return {name: value for name, value in inner.items() if value}


def unanswered() -> Unavailable:
    """Return the error for a request to Graph that was repeated once without a response."""
    message = "Microsoft Graph did not answer, so it is not known whether it was done. Try again in a moment."
    return Unavailable("GraphUnavailable", message, retry_after=10)
