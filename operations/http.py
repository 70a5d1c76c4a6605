"""The thin edge between the Functions library and the app: requests in, answers out, and nothing ever a 500."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

import bootstrap
import telemetry
from operations.answers import Answer, Request, error_answer
from operations.errors import ApiError, Unavailable
from operations.health import unconfigured
from settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap import App

_events = telemetry.Events("http")


def answered(request: func.HttpRequest, use_case: Callable[[App, Request], Answer]) -> func.HttpResponse:
    """Answer an HTTP request by a use case; every error becomes an answer in the one error form."""
    try:
        answer = use_case(bootstrap.app(), _request(request))
    except ApiError as error:
        answer = error_answer(error)
    except SettingsError:
        message = "The app is not configured. Ask its administrator to open /api/health, which names what is missing."
        answer = error_answer(Unavailable("AppNotConfigured", message, retry_after=60))
    except Exception:  # noqa: BLE001 - promised for whatever anybody may send
        # Nothing that a caller sends may cause this; if it does, it is said as "try later" and found in the log.
        _events.exception("unforeseen")
        message = "Something went wrong in the app. Try again; if it stays, ask its administrator to look at the log."
        answer = error_answer(Unavailable("Unforeseen", message, retry_after=30))
    return _response(answer)


def _request(request: func.HttpRequest) -> Request:
    return Request(
        route=dict(request.route_params),
        query=dict(request.params),
        headers={name.casefold(): value for name, value in request.headers.items()},
        body=request.get_body(),
    )


def _response(answer: Answer) -> func.HttpResponse:
    headers = {"Cache-Control": "no-store", **answer.headers}
    if answer.body is None:
        return func.HttpResponse(status_code=int(answer.status), headers=headers)
    return func.HttpResponse(
        answer.content(),
        status_code=int(answer.status),
        headers=headers,
        mimetype="application/json",
        charset="utf-8",
    )


def get_invitation(request: func.HttpRequest) -> func.HttpResponse:
    """``GET /calls/{callId}/invitations/{invitationId}``."""
    return answered(request, lambda app, asked: app.reading.invitation(asked))


def await_invitation(request: func.HttpRequest) -> func.HttpResponse:
    """``GET /calls/{callId}/invitations/{invitationId}/result?token=``."""
    return answered(request, lambda app, asked: app.reading.result(asked))


def cancel_wait(request: func.HttpRequest) -> func.HttpResponse:
    """``DELETE /calls/{callId}/invitations/{invitationId}/callback?token=``."""
    return answered(request, lambda app, asked: app.reading.cancel_wait(asked))


def list_invitations(request: func.HttpRequest) -> func.HttpResponse:
    """``GET /calls/{callId}/invitations``."""
    return answered(request, lambda app, asked: app.reading.invitations(asked))


def get_call(request: func.HttpRequest) -> func.HttpResponse:
    """``GET /calls/{callId}``."""
    return answered(request, lambda app, asked: app.reading.call(asked))


def list_participants(request: func.HttpRequest) -> func.HttpResponse:
    """``GET /calls/{callId}/participants``."""
    return answered(request, lambda app, asked: app.reading.participants(asked))


def health(_: func.HttpRequest) -> func.HttpResponse:
    """``GET /health``: the one answer that an app with wrong settings can give in full."""
    try:
        answer = bootstrap.app().health.answer()
    except SettingsError as error:
        answer = unconfigured(error.faults)
    return _response(answer)
