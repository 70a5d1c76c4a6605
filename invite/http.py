"""HTTP edge of inviting.

What reads a body stands on pydantic, a fifth of what the app would take to start. It is imported with the first invite:
a callback of Graph's, which has seconds from the app's cold start to its answer, does without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from operations.http import answered

if TYPE_CHECKING:
    import azure.functions as func

    from bootstrap import App
    from operations.answers import Answer, Request


def invite_participants(request: func.HttpRequest) -> func.HttpResponse:
    """``POST /calls/{callId}/participants/invite``: invite, and answer where to poll."""
    return answered(request, _invite)


def invite_participants_and_wait(request: func.HttpRequest) -> func.HttpResponse:
    """``POST /calls/{callId}/participants/invite-and-wait``: invite, and send the outcome to the flow later."""
    return answered(request, _invite_and_wait)


def invite_phone(request: func.HttpRequest) -> func.HttpResponse:
    """``POST /calls/{callId}/participants/invite-phone``: the same for one telephone, with a flat body."""
    return answered(request, _invite_phone)


def move_person(request: func.HttpRequest) -> func.HttpResponse:
    """``POST /calls/{callId}/participants/move``: the same for one person in another meeting, with a flat body."""
    return answered(request, _move_person)


def _invite(app: App, request: Request) -> Answer:
    from invite import accepting  # noqa: PLC0415

    return accepting.invite(app, request)


def _invite_and_wait(app: App, request: Request) -> Answer:
    from invite import accepting  # noqa: PLC0415

    return accepting.invite_and_wait(app, request)


def _invite_phone(app: App, request: Request) -> Answer:
    from invite import accepting  # noqa: PLC0415

    return accepting.invite_phone(app, request)


def _move_person(app: App, request: Request) -> Answer:
    from invite import accepting  # noqa: PLC0415

    return accepting.move_person(app, request)
