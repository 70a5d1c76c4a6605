"""HTTP edge of inviting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from invite.reading import invitees, read_body
from invite.request import InviteAndWaitBody, InviteBody
from operations.errors import BadRequest
from operations.http import answered
from operations.identifiers import call_id_in
from operations.webhooks import AddressRefused, check_url

if TYPE_CHECKING:
    import azure.functions as func

    from bootstrap import App
    from operations.answers import Answer, Request


def invite_participants(request: func.HttpRequest) -> func.HttpResponse:
    """``POST /calls/{callId}/participants/invite``: invite, and answer where to poll."""
    return answered(request, _invite)


def _invite(app: App, request: Request) -> Answer:
    call_id = call_id_in(request)
    body = read_body(request, InviteBody, app.settings.cloud)
    invitation, presence = app.inviting.invite(call_id, invitees(body), body.clientContext, request.headers)
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
        call_id, invitees(body), body.clientContext, request.headers, callback_url=body.callbackUrl
    )
    return app.addresses.subscribed(invitation, presence, request.headers)
