"""What a flow can read: invitations, their results, a call and who is in it."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from domain import transitions
from domain.model import Status
from flows.links import token_matches
from flows.views import call_view, failure_message, invitation_view, roster_view
from observability import telemetry
from web.answers import Answer
from web.errors import InvitationFailed, NotFound, StorageUnavailable
from web.identifiers import call_id_in, invitation_id_in, no_such_invitation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.model import Invitation, Presence
    from flows.delivery import Outcomes
    from flows.links import Addresses
    from storage.calls import CallTable, Stored
    from watchdog.service import Watchdog
    from web.answers import Request

_events = telemetry.Events("reading")


class Reading:
    """Answers what is asked about calls and invitations, from the table alone."""

    def __init__(
        self,
        table: CallTable,
        watchdog: Watchdog,
        addresses: Addresses,
        outcomes: Outcomes,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._table = table
        self._watchdog = watchdog
        self._addresses = addresses
        self._outcomes = outcomes
        self._now = now

    def invitation(self, request: Request) -> Answer:
        """Answer the invitation as it stands: 200, whatever its status.

        Raises:
            BadRequest, NotFound, StorageUnavailable: see ``web.errors``.
        """
        invitation, presence = self._found(request)
        headers = {}
        if transitions.is_open(invitation):
            headers["Retry-After"] = str(self._addresses.retry_after(invitation, self._now()))
        return Answer(HTTPStatus.OK, invitation_view(invitation, presence), headers)

    def result(self, request: Request) -> Answer:
        """Answer a flow's poll: 202 while running, 200 when completed (also in part).

        Raises:
            InvitationFailed: 422, which no flow retries.
            BadRequest, NotFound, StorageUnavailable: see ``web.errors``.
        """
        invitation, presence = self._found(request, token=request.query.get("token", ""))
        status = transitions.status_of(invitation.operations)
        if not status.is_final:
            return self._addresses.accepted(invitation, presence, request.headers, self._now())
        if status is Status.FAILED:
            raise _failure(invitation)
        return Answer(HTTPStatus.OK, invitation_view(invitation, presence))

    def cancel_wait(self, request: Request) -> Answer:
        """Note that a flow no longer waits for its outcome; any number of times, with the same 204.

        Raises:
            BadRequest, NotFound, StorageUnavailable: see ``web.errors``.
        """
        call_id, invitation_id = call_id_in(request), invitation_id_in(request)
        stored = self._table.invitation(call_id, invitation_id)
        if stored is None or not token_matches(stored.value, request.query.get("token", "")):
            raise no_such_invitation()
        self._outcomes.cancel(stored)
        return Answer(HTTPStatus.NO_CONTENT)

    def invitations(self, request: Request) -> Answer:
        """Answer all invitations of a call, newest first."""
        invitations, presence = self._table.invitations_and_presence(call_id_in(request))
        invitations.sort(key=lambda entry: (entry.value.created, entry.value.id), reverse=True)
        return Answer(HTTPStatus.OK, {"value": [invitation_view(entry.value, presence) for entry in invitations]})

    def call(self, request: Request) -> Answer:
        """Answer a call as Graph last reported it.

        Raises:
            NotFound: Graph has not reported any such call.
        """
        stored = self._table.call(call_id_in(request))
        if stored is None:
            message = (
                "Microsoft Graph has reported nothing about this call. "
                "Check its id, and that its callbackUri is this app's /api/notifications."
            )
            raise NotFound("CallNotFound", message)
        return Answer(HTTPStatus.OK, call_view(stored.value))

    def participants(self, request: Request) -> Answer:
        """Answer who is in a call, by the roster that Graph last reported; ``includeLeft=true`` adds who left."""
        _, roster = self._table.call_and_roster(call_id_in(request))
        include_left = request.query.get("includeLeft", "").casefold() == "true"
        return Answer(HTTPStatus.OK, {"value": roster_view(roster.values(), include_left=include_left)})

    def _found(self, request: Request, *, token: str | None = None) -> tuple[Invitation, Mapping[str, Presence]]:
        call_id, invitation_id = call_id_in(request), invitation_id_in(request)
        stored, presence = self._table.invitation_and_presence(call_id, invitation_id)
        if stored is None or (token is not None and not token_matches(stored.value, token)):
            raise no_such_invitation()
        return self._looked_after(stored), presence

    def _looked_after(self, stored: Stored[Invitation]) -> Invitation:
        """Make up for a message that was lost, so that no poll goes on for ever and no flow waits in vain."""
        if self._outcomes.is_overdue(stored.value):
            self._outcomes.announce(stored.value)
        if not self._watchdog.is_overdue(stored.value):
            return stored.value
        try:
            return self._watchdog.check(stored)
        except StorageUnavailable:
            _events.warning("an overdue check failed and is left to the next poll", invitation=stored.value.id)
            return stored.value


def _failure(invitation: Invitation) -> InvitationFailed:
    result = transitions.result_of(invitation.operations)
    inner = {"status": "failed", "invitationId": invitation.id}
    if result is not None and result.code is not None:
        inner["code"] = str(result.code)
    if result is not None and result.subcode is not None:
        inner["subcode"] = str(result.subcode)
    return InvitationFailed("InvitationFailed", failure_message(invitation), inner=inner)
