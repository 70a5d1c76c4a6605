"""HTTP edge of Graph's callbacks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from notifications.receiving import Unauthorized
from operations.answers import error_answer
from operations.http import answered

if TYPE_CHECKING:
    import azure.functions as func

    from bootstrap import App
    from operations.answers import Answer, Request


def receive_notifications(request: func.HttpRequest) -> func.HttpResponse:
    """``POST /notifications``: record what Graph reports."""
    return answered(request, _receive)


def _receive(app: App, request: Request) -> Answer:
    try:
        return app.receiving.receive(request)
    except Unauthorized as error:
        answer = error_answer(error)
        return replace(answer, headers={**answer.headers, "WWW-Authenticate": "Bearer"})
