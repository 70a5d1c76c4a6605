"""What the app does over HTTP when people are invited: body in, invitation out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.turn import Turn, utc_now
from flows.urls import UrlRefused, check_url
from invite.reading import invitees, read_body
from invite.request import InviteAndWaitBody, InviteBody, InvitePhoneBody, MovePersonBody
from invite.subscription import flow_of
from settings import Settings, SettingsError
from web.errors import BadRequest
from web.identifiers import call_id_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.links import Links
    from invite.request import InvitationParticipantInfo
    from invite.service import InvitationService
    from web.answers import Answer, Request


class InviteRoutes:
    """The routes that invite people."""

    def __init__(self, invitations: InvitationService, links: Links, settings: Settings) -> None:
        self._invitations = invitations
        self._links = links
        self._settings = settings

    def invite(self, request: Request) -> Answer:
        """Invite people, and answer where to poll."""
        self._check_settings()
        call_id = call_id_in(request)
        body = read_body(request, InviteBody, self._settings.cloud, self._settings.phone_prefixes)
        return self._accepted(request, call_id, body.participants, body.clientContext, separately=body.separately)

    def invite_phone(self, request: Request) -> Answer:
        """Invite one phone, and answer where to poll."""
        self._check_settings()
        call_id = call_id_in(request)
        body = read_body(request, InvitePhoneBody, self._settings.cloud, self._settings.phone_prefixes)
        return self._accepted(request, call_id, [body.participant()], body.clientContext)

    def move_person(self, request: Request) -> Answer:
        """Move one person from another meeting, and answer where to poll."""
        self._check_settings()
        call_id = call_id_in(request)
        body = read_body(request, MovePersonBody, self._settings.cloud, self._settings.phone_prefixes)
        return self._accepted(request, call_id, [body.participant()], body.clientContext)

    def invite_and_wait(self, request: Request) -> Answer:
        """Invite people, and store the flow's URL for the outcome.

        Raises:
            BadRequest: in addition to all that inviting raises, the URL can't be a flow's.
        """
        self._check_settings()
        call_id = call_id_in(request)
        body = read_body(request, InviteAndWaitBody, self._settings.cloud, self._settings.phone_prefixes)
        try:
            check_url(body.callbackUrl, self._settings.flow_callback_hosts, self._settings.flow_callback_local_hosts)
        except UrlRefused as error:
            hint = "For a flow in Logic Apps Standard, add its host, from the first dot on, to FLOW_CALLBACK_HOSTS."
            message = f"This can't be the URL of a waiting flow: {error}. Give what listCallbackUrl() returns. {hint}"
            raise BadRequest("InvalidCallbackUrl", message, target="callbackUrl") from None
        invitation, call = self._invitations.invite(
            Turn(request.arrived),
            call_id,
            invitees(body.participants),
            body.clientContext,
            request.headers,
            callback_url=body.callbackUrl,
            separately=body.separately,
        )
        return self._links.subscribed(
            invitation, flow_of(invitation, request.headers), call, request.headers, utc_now()
        )

    def _check_settings(self) -> None:
        """Refuse to call people whose outcome could not be sent to flows as the settings want it.

        Raises:
            SettingsError: see ``settings.Settings.faults``.
        """
        if self._settings.faults:
            raise SettingsError(self._settings.faults, self._settings.warnings)

    def _accepted(
        self,
        request: Request,
        call_id: str,
        participants: Sequence[InvitationParticipantInfo],
        context: str | None,
        *,
        separately: bool = False,
    ) -> Answer:
        invitation, call = self._invitations.invite(
            Turn(request.arrived), call_id, invitees(participants), context, request.headers, separately=separately
        )
        return self._links.accepted(invitation, call, request.headers, utc_now())
