"""Ends things: leaves a call, stops a start, cancels the calls to people of an invitation."""

from __future__ import annotations

import uuid
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from calls.staying import LegUse
from domain.call import CallState
from domain.contexts import invitation_id
from domain.ending import apply_call_state
from domain.escalation import EscalationStatus
from domain.record import CallRecord, Needs
from domain.start import CANCELLED_AGAIN, LEAVING, RETRY, InCall, Over, StartStatus, ended, leaving
from domain.transitions import cancelled, with_operations
from flows.queries import known_call
from flows.turn import utc_now
from graph.errors import GraphError, OutcomeUnknown, Refused
from invite.cancelling import Result
from invite.refusals import answer_for_refusals, unanswered
from invite.sending import Sent
from observability.events import Events
from web.errors import ApiError, GraphRefused, NotCancellable, NotFound
from web.identifiers import no_such_participant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from calls.legs import Legs
    from calls.progress import StartProgress
    from domain.invitation import Invitation
    from domain.start import Start
    from escalation.service import EscalationService
    from flows.progress import Progress
    from flows.turn import Turn
    from invite.cancelling import Canceller
    from storage.store import Store

_events = Events("calls")


class Graph(Protocol):
    """What ending needs of Graph; see ``graph.client.GraphClient``."""

    def hang_up(self, call_id: str, *, scenario_id: str) -> None:
        """Leave a call."""


class Endings:
    """What ends a call, a start, or the calling of a person."""

    def __init__(
        self,
        store: Store,
        progress: Progress,
        starts: StartProgress,
        legs: Legs,
        *,
        canceller: Canceller,
        escalations: EscalationService,
        graph: Graph,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._progress = progress
        self._starts = starts
        self._legs = legs
        self._canceller = canceller
        self._escalations = escalations
        self._graph = graph
        self._use = LegUse(store, starts)
        self._now = now
        self.free: Callable[[Turn, Start], None] | None = None
        """Gives up the leg of a start without a call; set by the composition root, since others then begin."""

    def hang_up(self, turn: Turn, call_id: str) -> None:
        """Leave a call that the app knows; one that is over already is no error.

        Raises:
            NotFound: there is no such call.
            ApiError: Graph refuses it, or can't be reached.
        """
        call = known_call(self._store, call_id)
        if call is None:
            message = "There is no such call. Use the ID of a call that List calls returns."
            raise NotFound("CallNotFound", message)
        if not call.has_ended:
            self._leave(call_id)
            self._end(turn, call_id)

    def leave_if_done(self, turn: Turn, call_id: str) -> None:
        """Leave a call on which nothing is open any more, if its latest start asked for that."""
        record = self._store.read(call_id, Needs(call=True, open_invitations=True)).record
        call = record.call
        if call is None or call.has_ended or not call.leave_afterwards or self._use.is_used(record, call):
            return
        self._leave_quietly(turn, call_id)

    def leave_strays(self, turn: Turn, start: Start) -> None:
        """Leave the calls that a start no longer wants, unless something else is open on them."""
        done = tuple(one for one in start.to_leave if self._leave_stray(turn, start, one))

        def change(current: Start | None, now: datetime) -> Start | None:
            if current is None:
                return None
            left = tuple(one for one in current.to_leave if one not in done)
            if isinstance(current.stage, Over) and now - current.stage.at > LEAVING:
                left = ()
            return replace(current, to_leave=left, leave_at=now + RETRY if left else None)

        self._starts.save(turn, start.id, change)

    def stop(self, turn: Turn, start_id: str) -> Start | None:
        """End an open start: call no further person, cancel the calls to people who ring, leave its call.

        Returns:
            The start as it stands; None where there is none.
        """

        def stop(start: Start | None, now: datetime) -> Start | None:
            if start is None or start.is_final:
                return start
            used = (start.stage.call_id,) if isinstance(start.stage, InCall) else ()
            over = leaving(ended(start, StartStatus.STOPPED, None, now), used, now)
            # People who are called at the same time, or whom this run does not come to cancel, are left to the alarm.
            again = now + CANCELLED_AGAIN if used and not start.calls_targets and start.participants else None
            return replace(over, cancel_at=again)

        updated = self._starts.save(turn, start_id, stop)
        before, start = updated.before, updated.after
        if start is None or before is None or before.is_final:
            return start
        call = None
        if start.call_id is None:
            if self.free is not None:
                self.free(turn, before)
            self._legs.note(start)
        else:
            # This run leaves the call itself, and cancels first: in a call that was left, nothing can be cancelled.
            turn.taken |= {f"start {start_id}", f"start {start_id} {EscalationStatus.STOPPED}"}
            self.cancel_people(turn, start)
            call = self._legs.release(turn, start_id, start.call_id)
        if start.to_leave:
            self.leave_strays(turn, start)
        if call is not None and call.leave_afterwards:
            self.leave_if_done(turn, call.call_id)
        return start

    def cancel_people(self, turn: Turn, start: Start) -> None:
        """Cancel the calls to people of a stopped start; who is not listed yet is tried once more."""
        if start.call_id is None:
            return
        if start.escalation_id is not None:
            self._escalations.stop(turn, start.call_id, start.escalation_id)
            return
        try:
            name = invitation_id(start.invitation_context)
            record = self.cancel(turn, start.call_id, name)
            is_done = record is None or not _ringing(record.invitations[name])
        except ApiError as error:
            _events.info("an invitation could not be cancelled", start=start.id, code=error.code)
            is_done = isinstance(error, GraphRefused)
        if not is_done and start.cancel_at is None:
            self._starts.save(
                turn,
                start.id,
                lambda one, now: None if one is None else replace(one, cancel_at=now + CANCELLED_AGAIN),
            )

    def cancel_again(self, turn: Turn, start: Start) -> None:
        """Cancel once more the calls to people whom Graph did not list when their start was stopped."""
        if start.cancel_at is None or self._now() < start.cancel_at:
            return
        self.cancel_people(turn, start)
        self._starts.save(turn, start.id, lambda one, _: None if one is None else replace(one, cancel_at=None))

    def remove(self, call_id: str, participant_id: str) -> None:
        """Remove one person from a call.

        Raises:
            NotFound: there is no such call or person.
            ApiError: Graph refuses it, or can't be reached.
        """
        if known_call(self._store, call_id) is None or not self._canceller.remove(call_id, participant_id):
            raise no_such_participant()

    def cancel(self, turn: Turn, call_id: str, name: str) -> CallRecord | None:
        """Stop calling the people of an invitation whose devices ring; who has answered stays.

        Returns:
            The call with the invitation; None where there is none.

        Raises:
            NotCancellable: Graph lists none of the people yet.
            ApiError: Graph refuses it, or can't be reached.
        """
        needs = Needs(invitations=frozenset({name}), call=True, roster=True)
        record = self._store.read(call_id, needs).record
        invitation = record.invitations.get(name)
        if invitation is None:
            return None
        waiting = _ringing(invitation)
        if not waiting:
            return record
        roster = self._canceller.read(call_id)
        people = [invitation.participants[person].id for person in waiting]
        tried = self._canceller.cancel(call_id, roster, record.call, people)
        gone = [person for person, one in zip(waiting, tried, strict=True) if one.result is Result.CANCELLED]
        if not gone and any(one.result is not Result.ANSWERED for one in tried):
            for error in filter(None, (one.error for one in tried)):
                raise error
            message = (
                "Microsoft Graph doesn't list these people yet, so their calls can't be cancelled. "
                "The ringing stops by itself after about a minute."
            )
            raise NotCancellable("NotCancellable", message)

        def change(current: CallRecord, now: datetime) -> CallRecord:
            if roster is not None:
                current = current.with_roster_read(roster, now)
            known = current.invitations.get(name)
            if known is None:
                return current
            operations = (cancelled(operation, gone, now) for operation in known.operations)
            return current.with_invitation(with_operations(known, operations, now))

        return self._progress.save(turn, call_id, needs, change, decided_by="cancellation").after

    def _leave_stray(self, turn: Turn, start: Start, call_id: str) -> bool:
        """Leave a call; return whether nothing more is to be done for it."""
        record = self._store.read(call_id, Needs(call=True, open_invitations=True)).record
        call = record.call
        if call is not None and (call.has_ended or self._use.is_used(record, call, besides=start)):
            return True
        if call is not None and call.start_id not in (None, start.id):
            maker = self._starts.read(call.start_id or "")
            if maker is None or not maker.is_stopped:
                return True  # only a stopped start's call is left, by the last start that is stopped
        return self._leave_quietly(turn, call_id, is_kept=call is not None)

    def _leave_quietly(self, turn: Turn, call_id: str, *, is_kept: bool = True) -> bool:
        """Leave a call; return False where it is to be tried again, or where another part of this turn leaves it."""
        if not turn.begins("hang up", call_id):
            return False
        try:
            self._leave(call_id)
        except ApiError as error:
            _events.warning("a call could not be left", code=error.code)
            return error.retry_after is None
        if is_kept:
            self._end(turn, call_id)
        return True

    def _leave(self, call_id: str) -> None:
        for _ in (1, 2):
            try:
                self._graph.hang_up(call_id, scenario_id=str(uuid.uuid4()))
            except OutcomeUnknown:
                continue
            except Refused as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise answer_for_refusals([Sent(0, error=error)], undone="the call was not left") from None
            except GraphError as error:
                raise answer_for_refusals([Sent(0, error=error)], undone="the call was not left") from None
            return
        raise unanswered()

    def _end(self, turn: Turn, call_id: str) -> None:
        needs = Needs(call=True, roster=True, open_invitations=True)
        self._progress.save(
            turn, call_id, needs, lambda record, now: apply_call_state(record, CallState.TERMINATED, None, now)
        )


def _ringing(invitation: Invitation) -> list[int]:
    """Return the people of an invitation whose devices may ring."""
    return [
        person
        for operation in invitation.operations
        if not operation.status.is_final
        for person in operation.people
        if person not in operation.cancelled
    ]
