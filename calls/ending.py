"""Ends things: leaves a call, stops a start, removes a person, cancels the call to a person whose device rings."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from domain.call import CallState, Presence
from domain.contexts import invitation_id
from domain.ending import apply_call_state
from domain.record import CallRecord, Needs
from domain.roster import identity_hash
from domain.start import InCall, StartStatus, ended
from domain.transitions import cancelled, with_operations
from flows.turn import utc_now
from graph.errors import GraphError, OutcomeUnknown, Refused, Throttled
from invite.refusals import answer_for_refusals
from invite.sending import Sent
from observability.events import Events
from web.errors import GraphRefused, NotCancellable, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from calls.legs import Legs
    from calls.progress import StartProgress
    from domain.invitation import Invitation
    from domain.sightings import Roster
    from domain.start import Start
    from flows.progress import Progress
    from flows.turn import Turn
    from storage.store import Store

_events = Events("calls")
_NOT_ALLOWED = (
    "Microsoft Teams does not let this app remove people from calls. Ask the administrator to run "
    'Set-CsApplicationMeetingConfiguration -AllowRemoveParticipantAppIds @{{Add="{client_id}"}} in Teams PowerShell.'
)


class Graph(Protocol):
    """What ending needs of Graph; see ``graph.client.GraphClient``."""

    def hang_up(self, call_id: str, *, scenario_id: str) -> None:
        """Leave a call."""

    def remove_participant(self, call_id: str, participant_id: str, *, scenario_id: str) -> None:
        """Remove a person, or cancel the call to one who has not answered."""

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        """Read who is in a call."""


class Endings:
    """What ends a call, a start, or the calling of a person."""

    def __init__(
        self,
        store: Store,
        progress: Progress,
        starts: StartProgress,
        legs: Legs,
        graph: Graph,
        *,
        client_id: str,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._progress = progress
        self._starts = starts
        self._legs = legs
        self._graph = graph
        self._client_id = client_id
        self._now = now

    def hang_up(self, turn: Turn, call_id: str) -> None:
        """Leave a call that the app knows; one that is over already is no error.

        Raises:
            NotFound: there is no such call.
            ApiError: Graph refuses it, or can't be reached.
        """
        if self._store.read(call_id, Needs(call=True)).record.call is None:
            message = "There is no such call. Use the ID of a call that List calls returns."
            raise NotFound("CallNotFound", message)
        self._leave(call_id)
        self._end(turn, call_id)

    def leave(self, turn: Turn, call_id: str) -> None:
        """Leave a call; what Graph refuses is logged."""
        try:
            self._leave(call_id)
        except (GraphRefused, Unavailable) as error:
            _events.warning("a call could not be left", code=error.code)
            return
        self._end(turn, call_id)

    def leave_if_done(self, turn: Turn, call_id: str) -> None:
        """Leave a call on which nothing is open any more, if its latest start asked for that."""
        record = self._store.read(call_id, Needs(call=True, open_invitations=True)).record
        call = record.call
        if call is None or call.has_ended or not call.leave_afterwards or record.invitations:
            return
        others = (self._starts.read(start_id) for start_id in call.starts)
        if all(start is None or start.is_final for start in others):
            self.leave(turn, call_id)

    def stop(self, turn: Turn, start_id: str) -> Start | None:
        """End an open start: nobody further is called, whose device rings is cancelled, its call is left.

        Returns:
            The start as it stands; None where there is none.
        """
        before = self._starts.read(start_id)
        if before is None or before.is_final:
            return before
        updated = self._starts.save(
            turn,
            start_id,
            lambda start, now: None if start is None else ended(start, StartStatus.STOPPED, None, now),
        )
        start, stage = updated.after, updated.before.stage if updated.before is not None else None
        if isinstance(stage, InCall):
            self._cancel_quietly(turn, stage.call_id, invitation_id(before.invitation_context))
            self._legs.release(turn, start_id, stage.call_id)
            if stage.owns and self._is_unused(stage.call_id):
                self.leave(turn, stage.call_id)
        else:
            self._legs.free(self._legs.keys_of(before), start_id)
        return start

    def remove(self, call_id: str, participant_id: str) -> None:
        """Remove one person from a call.

        Raises:
            NotFound: there is no such call or person.
            ApiError: Graph refuses it, or can't be reached.
        """
        call = self._store.read(call_id, Needs(call=True)).record.call
        if call is None or not self._remove(call_id, participant_id):
            message = "There is no such call or person. Use the ID of a person that List participants returns."
            raise NotFound("ParticipantNotFound", message)

    def cancel(self, turn: Turn, call_id: str, name: str) -> Invitation | None:
        """Stop calling the people of an invitation whose devices ring; who has answered stays.

        Returns:
            The invitation; None where there is none.

        Raises:
            NotCancellable: Graph lists none of the people yet.
            ApiError: Graph refuses it, or can't be reached.
        """
        needs = Needs(invitations=frozenset({name}), call=True)
        record = self._store.read(call_id, needs).record
        invitation = record.invitations.get(name)
        if invitation is None:
            return None
        waiting = [
            person
            for operation in invitation.operations
            if not operation.status.is_final
            for person in operation.people
            if person not in operation.cancelled
        ]
        if not waiting:
            return invitation
        gone, answered = self._cancel_people(call_id, invitation, waiting)
        if not gone and len(answered) < len(waiting):
            message = (
                "Microsoft Graph doesn't list these people yet, so their calls can't be cancelled. "
                "The ringing stops by itself after about a minute."
            )
            raise NotCancellable("NotCancellable", message)

        def change(current: CallRecord, now: datetime) -> CallRecord:
            known = current.invitations.get(name)
            if known is None:
                return current
            operations = (cancelled(operation, gone, now) for operation in known.operations)
            return current.with_invitation(with_operations(known, operations, now))

        return self._progress.save(turn, call_id, needs, change, decided_by="cancellation").after.invitations.get(name)

    def _cancel_quietly(self, turn: Turn, call_id: str, name: str) -> None:
        try:
            self.cancel(turn, call_id, name)
        except (NotCancellable, GraphRefused, Unavailable) as error:
            _events.info("an invitation could not be cancelled", invitation=name, code=error.code)

    def _cancel_people(self, call_id: str, invitation: Invitation, waiting: list[int]) -> tuple[list[int], list[int]]:
        """Remove those whose devices ring; return who was cancelled, and who has answered."""
        try:
            roster = self._graph.roster(call_id, scenario_id=str(uuid.uuid4()))
        except GraphError:
            return [], []
        listed = {identity_hash(seen.identity["id"]): seen for seen in roster.people if "id" in seen.identity}
        gone, answered = [], []
        for person in waiting:
            seen = listed.get(identity_hash(invitation.participants[person].id))
            if seen is None:
                continue
            if seen.presence is not Presence.UNKNOWN:
                answered.append(person)
            elif seen.id is not None and self._remove(call_id, seen.id):
                gone.append(person)
        return gone, answered

    def _remove(self, call_id: str, participant_id: str) -> bool:
        """Remove a participant, twice where the first response is lost; return False where Graph has none."""
        for attempt in (1, 2):
            try:
                self._graph.remove_participant(call_id, participant_id, scenario_id=str(uuid.uuid4()))
            except OutcomeUnknown:
                continue
            except Refused as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    return attempt > 1
                if error.status == HTTPStatus.FORBIDDEN:
                    message = _NOT_ALLOWED.format(client_id=self._client_id)
                    raise GraphRefused("RemoveNotAllowed", message) from None
                raise answer_for_refusals([Sent(0, error=error)]) from None
            except GraphError as error:
                raise answer_for_refusals([Sent(0, error=error)]) from None
            else:
                return True
        raise _unanswered()

    def _leave(self, call_id: str) -> None:
        for _ in (1, 2):
            try:
                self._graph.hang_up(call_id, scenario_id=str(uuid.uuid4()))
            except OutcomeUnknown:
                continue
            except Refused as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise answer_for_refusals([Sent(0, error=error)]) from None
            except (Throttled, GraphError) as error:
                raise answer_for_refusals([Sent(0, error=error)]) from None
            return
        raise _unanswered()

    def _end(self, turn: Turn, call_id: str) -> None:
        needs = Needs(call=True, roster=True, open_invitations=True)
        self._progress.save(
            turn, call_id, needs, lambda record, now: apply_call_state(record, CallState.TERMINATED, None, now)
        )

    def _is_unused(self, call_id: str) -> bool:
        """Return whether no open start and no open invitation is on a leg."""
        record = self._store.read(call_id, Needs(call=True, open_invitations=True)).record
        if record.call is None or record.call.has_ended or record.invitations:
            return False
        others = (self._starts.read(start_id) for start_id in record.call.starts)
        return all(start is None or start.is_final for start in others)


def _unanswered() -> Unavailable:
    message = "Microsoft Graph did not answer, so it is not known whether it was done. Try again in a moment."
    return Unavailable("GraphUnavailable", message, retry_after=10)
