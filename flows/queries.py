"""What a flow can read: invitations, their results, a call and its roster; from the store alone."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from domain.call import Call
from domain.invitation import Status
from domain.record import CallRecord, Needs
from domain.roster import is_self, target_entries
from domain.standing import concluded_at, result_of, standing
from domain.waiting import cancelled
from flows.duties import run_duties
from flows.links import token_in, token_matches
from flows.reasons import invitation_reason, person_message
from flows.turn import Turn, utc_now
from flows.views import invitation_view, roster_view
from web.answers import Answer
from web.errors import Fault, InvitationFailed
from web.identifiers import call_id_in, invitation_id_in, no_such_invitation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.invitation import Invitation
    from domain.roster import RosterEntry
    from flows.links import Links
    from flows.progress import Progress
    from storage.store import Store
    from web.answers import Request


class Queries:
    """Answers what is asked about calls and invitations; it asks nothing of Graph."""

    def __init__(
        self,
        store: Store,
        progress: Progress,
        links: Links,
        *,
        client_id: str = "",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._progress = progress
        self._links = links
        self._client_id = client_id
        self._now = now

    def invitation(self, request: Request) -> Answer:
        """Answer the invitation as it stands: 200, whatever its status.

        Raises:
            BadRequest, NotFound: see ``web.errors``.
        """
        invitation, call = self._found(request)
        now = self._now()
        headers = {}
        if not standing(invitation, call, now).status.is_final:
            headers["Retry-After"] = str(self._links.retry_after(invitation, now))
        return Answer(HTTPStatus.OK, invitation_view(invitation, call, now), headers)

    def result(self, request: Request) -> Answer:
        """Answer a flow's poll: 202 while running, 200 when completed, also in part.

        Raises:
            InvitationFailed: 422, which no flow retries.
            BadRequest, NotFound: see ``web.errors``.
        """
        invitation, call = self._found(request, is_keyed=False)
        now = self._now()
        status = standing(invitation, call, now).status
        if not status.is_final:
            return self._links.accepted(invitation, call, request.headers, now)
        if status is Status.FAILED:
            raise _failure(invitation, call, now)
        return Answer(HTTPStatus.OK, invitation_view(invitation, call, now))

    def cancel_wait(self, request: Request) -> Answer:
        """Note that a flow no longer waits for its outcome; any number of times, with the same 204.

        Raises:
            BadRequest, NotFound: see ``web.errors``.
        """
        call_id, invitation_id = call_id_in(request), invitation_id_in(request)
        token = token_in(request, no_such_invitation)
        needs = Needs(invitations=frozenset({invitation_id}), call=True)
        held = self._store.read(call_id, needs)
        found = held.record.invitations.get(invitation_id)
        if found is None or not _opens(found, token):
            raise no_such_invitation()
        self._links.check_age(concluded_at(found), self._now())

        def cancel(record: CallRecord, _: datetime) -> CallRecord:
            invitation = record.invitations.get(invitation_id)
            if invitation is None:
                return record
            flows = tuple(
                cancelled(flow) if token_matches(flow.token or invitation.token, token) else flow
                for flow in invitation.flows
            )
            return record if flows == invitation.flows else record.with_invitation(replace(invitation, flows=flows))

        turn = Turn(request.arrived)
        self._progress.save(turn, call_id, needs, cancel, held=held)
        run_duties(turn)  # other flows may be due
        return Answer(HTTPStatus.NO_CONTENT)

    def invitations(self, request: Request) -> Answer:
        """Answer all invitations of a call, newest first."""
        record = self._store.all_invitations(call_id_in(request))
        now = self._now()
        ordered = sorted(record.invitations.values(), key=lambda one: (one.created, one.id), reverse=True)
        return Answer(HTTPStatus.OK, {"value": [invitation_view(one, record.call, now) for one in ordered]})

    def participants(self, request: Request) -> Answer:
        """Answer who is in a call, by the roster that Graph last reported; ``includeLeft=true`` adds who left."""
        record = self._store.read(call_id_in(request), Needs(roster=True)).record
        include_left = request.query.get("includeLeft", "").casefold() == "true"
        mine = record.call.my_participant_id if record.call is not None else None

        def is_app(entry: RosterEntry) -> bool:
            return is_self(entry, mine, self._client_id)

        roster = record.roster.values() or target_entries(record.call)
        return Answer(HTTPStatus.OK, {"value": roster_view(roster, is_app, include_left=include_left)})

    def _found(self, request: Request, *, is_keyed: bool = True) -> tuple[Invitation, Call | None]:
        call_id, invitation_id = call_id_in(request), invitation_id_in(request)
        token = None if is_keyed else token_in(request, no_such_invitation)
        needs = Needs(invitations=frozenset({invitation_id}), call=True)
        record = self._store.read(call_id, needs).record
        invitation = record.invitations.get(invitation_id)
        if invitation is None or (token is not None and not token_matches(invitation.token, token)):
            raise no_such_invitation()
        if token is not None:
            self._links.check_age(concluded_at(invitation), self._now())
        self._progress.nudge(invitation)
        return invitation, record.call


def known_call(store: Store, call_id: str) -> Call | None:
    """Return a call of which anything is stored; one of which Graph reported nothing yet is in an unknown state."""
    call = store.read(call_id, Needs(call=True)).record.call
    if call is not None:
        return call
    invitations = store.all_invitations(call_id).invitations.values()
    if not invitations:
        return None
    return Call(call_id, min(one.created for one in invitations), max(one.created for one in invitations))


def _opens(invitation: Invitation, token: str) -> bool:
    """Return whether a token ends a waiting: the flow's own, or in a row of the previous release the invitation's."""
    tokens = [flow.token or invitation.token for flow in invitation.flows]
    return any([token_matches(one, token) for one in tokens])  # noqa: C419 - every token is compared


def _failure(invitation: Invitation, call: Call | None, now: datetime) -> InvitationFailed:
    result = result_of(invitation.operations)
    inner = {"status": "failed", "invitationId": invitation.id}
    if result is not None and result.code is not None:
        inner["code"] = str(result.code)
    if result is not None and result.subcode is not None:
        inner["subcode"] = str(result.subcode)
    current = standing(invitation, call, now)
    details = tuple(
        Fault(status.value, person_message(current, person, call), f"participants[{person}]")
        for person, status in enumerate(current.people)
    )
    message = invitation_reason(invitation, current, call) or "The invitation failed."
    return InvitationFailed("InvitationFailed", message, details=details, inner=inner)
