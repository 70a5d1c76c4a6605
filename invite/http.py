"""HTTP edge of inviting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from invite.reading import invitees, read_body
from invite.request import InviteAndWaitBody, InviteBody, InvitePhoneBody, MovePersonBody
from operations.errors import BadRequest
from operations.http import answered
from operations.identifiers import call_id_in
from operations.webhooks import AddressRefused, check_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    import azure.functions as func

    from bootstrap import App
    from invite.request import InvitationParticipantInfo
    from operations.answers import Answer, Request


def invite_participants(request: func.HttpRequest) -> func.HttpResponse:
    """``POST /calls/{callId}/participants/invite``: invite, and answer where to poll."""
    return answered(request, _invite)


def invite_phone(request: func.HttpRequest) -> func.HttpResponse:
    """``POST /calls/{callId}/participants/invite-phone``: the same for one telephone, with a flat body."""
    return answered(request, _invite_phone)


def move_person(request: func.HttpRequest) -> func.HttpResponse:
    """``POST /calls/{callId}/participants/move``: the same for one person in another meeting, with a flat body."""
    return answered(request, _move_person)


def _invite(app: App, request: Request) -> Answer:
    call_id = call_id_in(request)
    body = read_body(request, InviteBody, app.settings.cloud)
    return _accepted(app, request, call_id, body.participants, body.clientContext)


def _invite_phone(app: App, request: Request) -> Answer:
    call_id = call_id_in(request)
    body = read_body(request, InvitePhoneBody, app.settings.cloud)
    return _accepted(app, request, call_id, [body.participant()], body.clientContext)


def _move_person(app: App, request: Request) -> Answer:
    call_id = call_id_in(request)
    body = read_body(request, MovePersonBody, app.settings.cloud)
    return _accepted(app, request, call_id, [body.participant()], body.clientContext)


def _accepted(
    app: App, request: Request, call_id: str, participants: Sequence[InvitationParticipantInfo], context: str | None
) -> Answer:
    invitation, presence = app.inviting.invite(call_id, invitees(participants), context, request.headers)
    return app.addresses.accepted(invitation, presence, request.headers, datetime.now(UTC))


def invite_participants_and_wait(request: func.HttpRequest) -> func.HttpResponse:
    """``POST /calls/{callId}/participants/invite-and-wait``: invite, and send the outcome to the flow later."""
    return answered(request, _invite_and_wait)


def _invite_and_wait(app: App, request: Request) -> Answer:
    call_id = call_id_in(request)
    body = read_body(request, InviteAndWaitBody, app.settings.cloud)
    try:
        check_url(body.callbackUrl, app.settings.flow_callback_hosts, app.settings.flow_callback_local_hosts)
    except AddressRefused as error:
        message = f"This can't be the address of a waiting flow: {error}. Give what listCallbackUrl() returns."
        raise BadRequest("InvalidCallbackUrl", message, target="callbackUrl") from None
    invitation, presence = app.inviting.invite(
        call_id, invitees(body.participants), body.clientContext, request.headers, callback_url=body.callbackUrl
    )
    return app.addresses.subscribed(invitation, presence, request.headers)
