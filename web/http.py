"""The edge between the Functions library and the use cases: requests in, responses out, never a 500."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Generic, TypeVar

import azure.functions as func

from domain.asking import asked_by
from domain.configuration.callers import SignIn
from settings import SettingsError
from web.about import about
from web.answers import Answer, Request, error_answer
from web.errors import ApiError, Forbidden, SignInNeeded, Unavailable
from web.health import broken, unconfigured
from web.sign_in import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

A = TypeVar("A")
_log = logging.getLogger("call_invites.http")
_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class HttpEdge(Generic[A]):
    """Answers HTTP requests with the use cases of a lazily built app.

    Args:
        build: returns the process's app; raises ``SettingsError`` where the settings can't be used.
        errors: the responses for errors of other rooms.
        sign_in: returns who may use the routes with a function key.
        within: what each invocation of a function is handled in: its trace, the time that storage may take.
    """

    def __init__(
        self,
        build: Callable[[], A],
        errors: Mapping[type[Exception], Callable[[], ApiError]],
        *,
        sign_in: Callable[[A], SignIn] = lambda _: SignIn(),
        within: Callable[[func.Context | None], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._build = build
        self._errors = errors
        self._sign_in = sign_in
        self._within = within

    def answer(
        self, request: func.HttpRequest, context: func.Context | None, use_case: Callable[[A, Request], Answer]
    ) -> func.HttpResponse:
        """Answer a request by a use case; every error becomes a response in the one error form."""
        try:
            with self._within(context):
                answer = use_case(self._build(), _request(request))
        except ApiError as error:
            if isinstance(error, SignInNeeded | Forbidden):
                _log.warning("a caller was refused code=%(code)s", {"code": error.code})
            answer = error_answer(error)
        except SettingsError:
            message = (
                "The app is not configured. Ask its administrator to open /api/health, which names what is missing."
            )
            answer = error_answer(Unavailable("AppNotConfigured", message, retry_after=60))
        except Exception as error:  # noqa: BLE001 - nothing from outside may cause a 500
            answer = error_answer(self._error_of(error))
        return _response(answer)

    def keyed(
        self, request: func.HttpRequest, context: func.Context | None, use_case: Callable[[A, Request], Answer]
    ) -> func.HttpResponse:
        """Answer a request to a route with a function key, whose caller may have to be signed in as well."""

        def checked(app: A, asked: Request) -> Answer:
            with asked_by(signed_in(self._sign_in(app), asked)):
                return use_case(app, asked)

        return self.answer(request, context, checked)

    def health(self, context: func.Context | None, check: Callable[[A], Answer]) -> func.HttpResponse:
        """Answer ``GET /health``, whatever is broken."""
        try:
            with self._within(context):
                answer = check(self._build())
        except SettingsError as error:
            answer = unconfigured([str(fault) for fault in error.faults])
        except Exception as error:  # noqa: BLE001 - the host would make it a 500 without a body
            _log.exception("unforeseen")
            answer = broken(error)
        return _response(answer)

    def about(self, request: func.HttpRequest, context: func.Context | None) -> func.HttpResponse:
        """Answer ``GET /about``, which needs no settings."""
        with self._within(context):
            return _response(about(_request(request)))

    def _error_of(self, error: Exception) -> ApiError:
        """Return the response for an error of another room, or for one that no room foresaw."""
        known = next((known for kind, known in self._errors.items() if isinstance(error, kind)), None)
        if known is not None:
            return known()
        _log.exception("unforeseen")
        message = "Something went wrong in the app. Try again; if it stays, ask its administrator to look at the log."
        return Unavailable("Unforeseen", message, retry_after=30)


def _request(request: func.HttpRequest) -> Request:
    return Request(
        route=dict(request.route_params),
        query=dict(request.params),
        headers={name.casefold(): value for name, value in request.headers.items()},
        body=request.get_body(),
    )


def _response(answer: Answer) -> func.HttpResponse:
    headers = {**_ALWAYS, **answer.headers}
    content = answer.content()
    if content is None:
        return func.HttpResponse(status_code=int(answer.status), headers=headers)
    return func.HttpResponse(
        content,
        status_code=int(answer.status),
        headers=headers,
        mimetype=answer.media_type,
        charset="utf-8",
    )
