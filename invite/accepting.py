"""What is asked of the app over HTTP when people are invited: body in, invitation out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from invite.reading import invitees, read_body
from invite.request import InviteAndWaitBody, InviteBody, InvitePhoneBody, MovePersonBody
from operations.errors import BadRequest
from operations.identifiers import call_id_in
from operations.webhooks import AddressRefused, check_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootstrap import App
    from invite.request import InvitationParticipantInfo
    from operations.answers import Answer, Request


def invite(app: App, request: Request) -> Answer:
    """Invite people, and answer where to poll."""
    call_id = call_id_in(request)
    body = read_body(request, InviteBody, app.settings.cloud)
    return _accepted(app, request, call_id, body.participants, body.clientContext)


def invite_phone(app: App, request: Request) -> Answer:
    """Invite one telephone, and answer where to poll."""
    call_id = call_id_in(request)
    body = read_body(request, InvitePhoneBody, app.settings.cloud)
    return _accepted(app, request, call_id, [body.participant()], body.clientContext)


def move_person(app: App, request: Request) -> Answer:
    """Move one person from another meeting, and answer where to poll."""
    call_id = call_id_in(request)
    body = read_body(request, MovePersonBody, app.settings.cloud)
    return _accepted(app, request, call_id, [body.participant()], body.clientContext)


def invite_and_wait(app: App, request: Request) -> Answer:
    """Invite people, and note the flow's address for the outcome.

    Raises:
        BadRequest: besides all that inviting raises, the address can't be a flow's.
    """
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


def _accepted(
    app: App, request: Request, call_id: str, participants: Sequence[InvitationParticipantInfo], context: str | None
) -> Answer:
    invitation, presence = app.inviting.invite(call_id, invitees(participants), context, request.headers)
    return app.addresses.accepted(invitation, presence, request.headers, datetime.now(UTC))
