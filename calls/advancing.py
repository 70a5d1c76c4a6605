"""What follows from a start's call: done at once by the run that learns that it can, else by the alarm.

``advance`` looks at the rows alone, so it may be called any number of times by any run: the invitation that follows has
an id derived from the start, and every change of the start is decided anew on what is stored.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from calls.following import needs_of
from calls.outcomes import escalation_of, invitation_of, outcome_of
from calls.results import NEVER_BEGUN, NOT_ESTABLISHED, never_confirmed
from calls.sharing import is_usable
from domain.inference import call_ended
from domain.standing import result_of
from domain.start import (
    GROUP_SETTLES,
    RESPONSE_WITHIN,
    RETRY,
    THROTTLED,
    Accepted,
    Creating,
    InCall,
    Over,
    StartStatus,
    Waiting,
    ended,
    is_asking,
    leaving,
)
from domain.start import (
    NOT_ESTABLISHED as ESTABLISHES_WITHIN,
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
    from calls.sharing import SharedCalls
    from domain.record import CallRecord
    from domain.results import ResultInfo
    from domain.start import Start
    from flows.turn import Turn
    from storage.store import Store

_LOOK_AGAIN = timedelta(minutes=5)


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
        self._endings = endings
        self._reader = reader
        self._now = now

    def advance(self, turn: Turn, start_id: str) -> None:
        """Do what can be done for a start by what is stored.

        Raises:
            StorageUnavailable: what is due stays due.
        """
        start = self._starts.read(start_id)
        if start is not None:
            self.go_on(turn, start)

    def go_on(self, turn: Turn, start: Start, record: CallRecord | None = None) -> None:
        """Do what can be done for a start that was just read or written; see ``advance``.

        ``record`` is its call, where that was just read or written.
        """
        if start.to_leave and (start.leave_at is None or self._now() >= start.leave_at):
            self._endings.leave_strays(turn, start)
        match start.stage:
            case Accepted():
                if self._now() >= start.look_at:
                    self._fail(turn, start, NEVER_BEGUN, may_repeat=True)
            case Waiting(on=leader):
                self._wait(turn, start, leader)
            case Creating(code=code):
                if self._now() >= start.look_at:
                    self._fail(turn, start, never_confirmed(code))
            case InCall():
                self._in_call(turn, start, start.stage, record)
            case Over():
                # A POST that is due is claimed by the run that reads it.
                self._starts.save(turn, start.id, lambda current, _: current)
                self._endings.cancel_again(turn, start)
                self._let_go(turn, start)

    def _wait(self, turn: Turn, start: Start, leader: str) -> None:
        """Use the leg of the start that has the meeting, or take it over where that has failed."""
        other, held = self._shared.find(leader)
        if held is not None and is_usable(other, held):
            after, record = self._shared.use(turn, start, held)
            if isinstance(after.stage, InCall):
                self._in_call(turn, after, after.stage, record)
            return
        has_ended = held is not None and held.record.call is not None and held.record.call.has_ended
        # A crash after the leg was taken over may leave two starts that wait for each other.
        waits_for_this = other is not None and other.stage == Waiting(start.id)
        if other is not None and not other.is_final and not has_ended and not waits_for_this:
            self._look_again(turn, start.id, RETRY)  # its call is still to come
            return
        if turn.seconds_left(self._now()) <= 0:
            self._look_again(turn, start.id, timedelta(0))
            return
        self._take_over(turn, start, leader)

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
                mine = self._creator.create(turn, updated.held, mine).start
            except ApiError:
                return  # the start has failed, and its flows get the reason
            if isinstance(mine.stage, Waiting):
                self._look_again(turn, start.id, RETRY)  # it gave way: another start has the meeting's leg
            else:
                self.go_on(turn, mine)

    def _in_call(self, turn: Turn, start: Start, stage: InCall, record: CallRecord | None = None) -> None:
        if not stage.is_sole:
            self._find_thread(turn, start, stage)
            return
        record = record or self._record(turn, start, stage)
        call = record.call
        if call is None:
            return
        if call.established_at is None and not call.has_ended and self._now() >= start.look_at:
            record = self._check(turn, start, stage)
            call = record.call or call
        never_came = call.established_at is None or (
            stage.invited is None and bool(start.participants) and not start.calls_targets
        )
        if call.has_ended and never_came:
            self._fail(turn, start, call.result or call_ended(None))
        elif call.established_at is not None:
            if stage.invited is None:
                for waiting in self._legs.waiting(call.leg_keys) if stage.owns else ():
                    turn.note(f"start {waiting}", partial(self.advance, turn, waiting))
                if not self._follower.follow(turn, start, record):
                    return
                record = self._read(start, stage.call_id) if start.participants else record
            self._settle(turn, start.id, record)

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
            self.go_on(turn, begun.start)

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
        if _lacks_alarm(start, record):
            kept = self._legs.keep_alive(turn, stage.call_id)
            record = record if kept is None else replace(record, call=kept.call)
        return record

    def _settle(self, turn: Turn, start_id: str, record: CallRecord) -> None:
        """Write down the outcome of a start whose people have all ended."""

        def change(start: Start | None, now: datetime) -> Start | None:
            if start is None or not isinstance(start.stage, InCall) or start.stage.invited is None:
                return start
            status = outcome_of(start, record, now)
            if _lacks_alarm(start, record):
                return replace(start, look_at=max(start.look_at, now + RETRY))  # it makes up for the other message
            if status is None:
                again = GROUP_SETTLES if start.calls_targets else _LOOK_AGAIN
                return start if start.look_at > now else replace(start, look_at=now + again)
            invitation, escalation = invitation_of(start, record), escalation_of(start, record)
            if escalation is not None:
                return ended(start, status, escalation.result, now)
            result = None if invitation is None else result_of(invitation.operations)
            if invitation is None and status is StartStatus.FAILED and record.call is not None:
                result = record.call.result
            return ended(start, status, result, now)

        after = self._starts.save(turn, start_id, change).after
        if after is not None and after.is_final:
            self._let_go(turn, after)

    def _check(self, turn: Turn, start: Start, stage: InCall) -> CallRecord:
        """Ask Graph about a call that was not reported as established, and leave one that stays so."""
        record = self._reader.read_call(turn, stage.call_id, needs_of(start)) or self._read(start, stage.call_id)
        call = record.call
        if call is None or call.established_at is not None or call.has_ended:
            return record
        left = stage.since + ESTABLISHES_WITHIN - self._now()
        if left > timedelta(0) or not stage.owns:
            self._look_again(turn, start.id, left if left > timedelta(0) else _LOOK_AGAIN)
        else:
            self._fail(turn, start, NOT_ESTABLISHED, leaves=stage.call_id)
        return record

    def _fail(
        self, turn: Turn, start: Start, result: ResultInfo, *, leaves: str | None = None, may_repeat: bool = False
    ) -> None:
        def change(current: Start | None, now: datetime) -> Start | None:
            if current is None or current.is_final or type(current.stage) is not type(start.stage):
                return current  # it went on meanwhile
            current = ended(current, StartStatus.FAILED, result, now, may_repeat=may_repeat)
            return current if leaves is None else leaving(current, [leaves], now)

        after = self._starts.save(turn, start.id, change).after
        if after is None or not after.is_final:
            return
        if after.call_id is None:
            self._creator.free(turn, start)
            self._legs.note(start)
        if after.to_leave:
            self._endings.leave_strays(turn, after)
        self._let_go(turn, after)

    def _let_go(self, turn: Turn, start: Start) -> None:
        """Note that a final start no longer uses its call, and leave the call if nothing else does."""
        if start.call_id is None:
            return
        call = self._legs.release(turn, start.id, start.call_id)
        if call is not None and call.leave_afterwards and not call.has_ended:
            self._endings.leave_if_done(turn, start.call_id)

    def _look_again(self, turn: Turn, start_id: str, after: timedelta) -> None:
        self._starts.save(
            turn, start_id, lambda start, now: None if start is None else replace(start, look_at=now + after)
        )

    def _read(self, start: Start, call_id: str) -> CallRecord:
        return self._store.read(call_id, needs_of(start)).record


def _lacks_alarm(start: Start, record: CallRecord) -> bool:
    """Return whether the message that keeps the start's call alive could not be sent."""
    call = record.call
    return call is not None and call.start_id == start.id and not call.has_ended and call.alarm is None
