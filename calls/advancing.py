"""What follows from a start's call: done at once by the run that learns that it can, else by the alarm.

``advance`` looks at the rows alone, so it may be called any number of times by any run: the invitation that follows has
an id derived from the start, and every change of the start is decided anew on what is stored.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from calls.begun import Begun, in_hand
from calls.following import needs_of
from calls.outcomes import escalation_of, invitation_of, people_of, status_of
from calls.results import NEVER_BEGUN, NOT_ESTABLISHED, never_confirmed
from calls.settling import lacks_alarm
from calls.sharing import has_leg, is_usable
from domain.inference import call_ended
from domain.invitation import Status
from domain.start import (
    NOT_ESTABLISHED as ESTABLISHES_WITHIN,
)
from domain.start import (
    RESPONSE_WITHIN,
    RETRY,
    THROTTLED,
    Accepted,
    Creating,
    InCall,
    Over,
    Waiting,
    is_asking,
)
from flows.turn import utc_now
from graph.calls import CallRead
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from calls.asking import CallReader
    from calls.creating import Creator
    from calls.ending import Endings
    from calls.following import Follower
    from calls.legs import Legs
    from calls.progress import StartProgress
    from calls.settling import Settler
    from calls.sharing import SharedCalls
    from domain.record import CallRecord
    from domain.start import Start
    from flows.turn import Turn
    from storage.store import Store


class Advancer:
    """Takes each start as far as it can go."""

    def __init__(
        self,
        store: Store,
        starts: StartProgress,
        creator: Creator,
        legs: Legs,
        shared: SharedCalls,
        *,
        follower: Follower,
        settler: Settler,
        endings: Endings,
        reader: CallReader,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._starts = starts
        self._creator = creator
        self._legs = legs
        self._shared = shared
        self._follower = follower
        self._settler = settler
        self._endings = endings
        self._reader = reader
        self._now = now

    def advance(self, turn: Turn, start_id: str) -> None:
        """Do what can be done for a start by what is stored.

        Raises:
            StorageUnavailable: what is due stays due.
        """
        held = self._starts.hold(start_id)
        if held.value is not None:
            self.go_on(turn, Begun(held.value, held=held))

    def conclude(self, turn: Turn, start_id: str) -> None:
        """Write down an outcome that a poll returns already, so that nothing else becomes of the start.

        Raises:
            StorageUnavailable: it may not be written.
        """
        held = self._starts.hold(start_id)
        start = held.value
        if start is None or not isinstance(start.stage, InCall):
            return
        record = self._record(turn, start, start.stage)
        if status_of(start, record, self._now()).is_final:
            self._settler.settle(turn, Begun(start, held=held), record, begins=start.stage.invited is None)

    def go_on(self, turn: Turn, begun: Begun) -> Begun:
        """Do what can be done for a start that was just read or written; see ``advance``.

        Returns:
            The start as it was left, with its row where that is in hand.
        """
        start = begun.start
        if start.to_leave and (start.leave_at is None or self._now() >= start.leave_at):
            self._endings.leave_strays(turn, start)
        match start.stage:
            case Accepted():
                if self._now() >= start.look_at:
                    self._settler.fail(turn, start, NEVER_BEGUN, may_repeat=True)
            case Waiting(on=leader):
                return self._wait(turn, start, leader)
            case Creating(code=code):
                if self._now() >= start.look_at:
                    self._settler.fail(turn, start, never_confirmed(code))
            case InCall():
                return self._in_call(turn, begun, start.stage)
            case Over():
                # A POST that is due is claimed by the run that reads it.
                self._starts.save(turn, start.id, lambda current, _: current)
                self._endings.cancel_again(turn, start)
                self._settler.let_go(turn, start)
        return Begun(start)

    def _wait(self, turn: Turn, start: Start, leader: str) -> Begun:
        """Use the leg of the start that has the meeting, or take it over where that has failed."""
        other, held = self._shared.find(leader, start)
        begun = self._shared.use(turn, start, held) if held is not None and is_usable(other, held) else None
        if begun is not None:
            stage = begun.start.stage
            return self._in_call(turn, begun, stage) if isinstance(stage, InCall) else begun
        # A crash after the leg was taken over may leave two starts that wait for each other.
        waits_for_this = other is not None and other.stage == Waiting(start.id)
        if has_leg(other, held) and not waits_for_this:
            self._settler.look_again(turn, start.id, RETRY)  # its call is still to come
        elif turn.seconds_left(self._now()) <= 0:
            self._settler.look_again(turn, start.id, timedelta(0))
        else:
            self._take_over(turn, start, leader)
        return Begun(start)

    def _take_over(self, turn: Turn, start: Start, leader: str) -> None:
        (key,) = self._legs.keys_of(start)
        first = self._legs.take(key, start.id, instead_of=leader)

        def take(current: Start | None, now: datetime) -> Start | None:
            if current is None or not isinstance(current.stage, Waiting):
                return current
            if first != start.id:
                return replace(current, stage=Waiting(first), updated=now, look_at=now + RETRY)
            # A start that gave way has asked Graph before: each create has an attempt of its own.
            return replace(
                current,
                attempt=current.attempt + 1,
                stage=Creating(turn.me, now),
                updated=now,
                look_at=now + self._creator.give_up,
            )

        updated = self._starts.save(turn, start.id, take)
        mine = updated.after
        if mine is not None and is_asking(mine, turn.me):
            try:
                begun = self._creator.create(turn, updated.held, mine)
            except ApiError:
                return  # the start has failed, and its flows get the reason
            if isinstance(begun.start.stage, Waiting):
                self._settler.look_again(turn, start.id, RETRY)  # it gave way: another start has the meeting's leg
            else:
                self.go_on(turn, Begun(begun.start, held=begun.held))

    def _in_call(self, turn: Turn, begun: Begun, stage: InCall) -> Begun:
        start = begun.start
        if not stage.is_sole:
            self._find_thread(turn, start, stage)
            return Begun(start)
        # Where another run has called the people, the call in hand lacks their invitation.
        known = begun.record if stage.invited is None else None
        record = known or self._in_hand(turn, start, stage) or self._record(turn, start, stage)
        call = record.call
        if call is None:
            return Begun(start)
        if call.established_at is None and not call.has_ended and self._now() >= start.look_at:
            record = self._check(turn, start, stage)
            call = record.call or call
        is_followed = stage.invited is not None or invitation_of(start, record) or escalation_of(start, record)
        # A roster that shows people of a group call proves it, though the report that it was established is lost.
        has_come = start.calls_targets and Status.COMPLETED in people_of(start, record, self._now())
        never_came = (call.established_at is None and not has_come) or (
            not is_followed and bool(start.participants) and not start.calls_targets
        )
        if call.has_ended and never_came:
            self._settler.fail(turn, start, call.result or call_ended(None))
            return Begun(start)
        if call.established_at is None and not call.has_ended:
            return Begun(start)
        begins = stage.invited is None
        if begins:
            followed = self._follower.follow(turn, start, record)
            for waiting in self._legs.waiting(call.leg_keys) if stage.owns else ():
                turn.note(f"start {waiting}", partial(self.advance, turn, waiting))
            if not followed:
                return Begun(start)
            if start.participants:
                record = in_hand(turn, start, stage.call_id) or self._read(start, stage.call_id)
        return self._settler.settle(turn, begun, record, begins=begins)

    def _find_thread(self, turn: Turn, start: Start, stage: InCall) -> None:
        """Read which meeting was joined, where Graph's response to the create does not come."""
        if self._now() < stage.since + RESPONSE_WITHIN:
            return
        read = self._reader.look(stage.call_id)
        if read is None and self._now() < stage.since + RESPONSE_WITHIN + THROTTLED:
            return  # it is read again
        found = read or CallRead(None, None)
        begun = self._creator.link(turn, start.id, start.attempt, stage.call_id, found, known=start)
        if begun is not None and not (isinstance(begun.start.stage, InCall) and not begun.start.stage.is_sole):
            self.go_on(turn, Begun(begun.start, held=begun.held))

    def _in_hand(self, turn: Turn, start: Start, stage: InCall) -> CallRecord | None:
        """Return a start's call, where this turn has read or written all that is needed and nothing is to be made up.

        What follows isn't there yet where the start got its call, or that was established, in this turn. Another run
        that was faster is found when it is inserted.
        """
        held = turn.in_hand(stage.call_id)
        call = None if held is None else held.record.call
        if held is None or call is None or call.start_id is None or start.id not in call.starts:
            return None
        if lacks_alarm(start, held.record):
            return None
        can_begin = call.established_at is not None and max(call.established_at, stage.since) >= turn.started
        return held.record if can_begin and stage.invited is None else in_hand(turn, start, stage.call_id)

    def _record(self, turn: Turn, start: Start, stage: InCall) -> CallRecord:
        """Read a start's call, and make up for what an earlier run could not write of it."""
        record = self._read(start, stage.call_id)
        if stage.owns and (record.call is None or record.call.start_id is None):
            self._creator.link(turn, start.id, start.attempt, stage.call_id, None)
            record = self._read(start, stage.call_id)
        call = record.call
        if call is not None and not call.has_ended and start.id not in call.starts:
            self._legs.use(turn, start, stage.call_id)
            record = self._read(start, stage.call_id)
        if lacks_alarm(start, record):
            kept = self._legs.keep_alive(turn, stage.call_id)
            record = record if kept is None else replace(record, call=kept.call)
        return record

    def _check(self, turn: Turn, start: Start, stage: InCall) -> CallRecord:
        """Ask Graph about a call that was not reported as established, and leave one that stays so."""
        record = self._reader.read_call(turn, stage.call_id, needs_of(start)) or self._read(start, stage.call_id)
        call = record.call
        if call is None or call.established_at is not None or call.has_ended:
            return record
        left = call.created + ESTABLISHES_WITHIN - self._now()
        if left > timedelta(0):
            self._settler.look_again(turn, start.id, left)
            return record
        # All of its starts, the one that made it last: the call is left by the last one.
        for name in sorted({start.id, *call.starts}, key=lambda one: one == call.start_id):
            other = start if name == start.id else self._starts.read(name)
            if other is not None and isinstance(other.stage, InCall) and other.call_id == stage.call_id:
                self._settler.fail(turn, other, NOT_ESTABLISHED, leaves=stage.call_id)
        return record

    def _read(self, start: Start, call_id: str) -> CallRecord:
        return self._store.read(call_id, needs_of(start)).record
