"""Writes down where a start stands: that it was begun, is looked at again, or is over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from calls.begun import Begun
from calls.outcomes import outcome_of, result_of_outcome
from domain.start import RETRY, InCall, StartStatus, ended, invited, leaving, settles_after

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from calls.creating import Creator
    from calls.ending import Endings
    from calls.legs import Legs
    from calls.progress import StartProgress
    from domain.record import CallRecord
    from domain.results import ResultInfo
    from domain.start import Start
    from flows.turn import Turn


class Settler:
    """Settles starts, and lets go of the calls that they no longer use."""

    def __init__(self, starts: StartProgress, creator: Creator, legs: Legs, endings: Endings) -> None:
        self._starts = starts
        self._creator = creator
        self._legs = legs
        self._endings = endings

    def settle(self, turn: Turn, begun: Begun, record: CallRecord, *, begins: bool) -> Begun:
        """Write down the outcome of a start whose people have all ended, and before that what ``begins`` to follow.

        Args:
            turn: who acts.
            begun: the start.
            record: its call, with what followed.
            begins: whether that was begun just now.
        """

        def change(start: Start | None, now: datetime) -> Start | None:
            start = start if start is None or not begins else invited(start, now)
            if start is None or not isinstance(start.stage, InCall) or start.stage.invited is None:
                return start
            status = outcome_of(start, record, now)
            if lacks_alarm(start, record):
                return replace(start, look_at=max(start.look_at, now + RETRY))  # it makes up for the other message
            if status is None:
                return start if start.look_at > now else replace(start, look_at=now + settles_after(start))
            return ended(start, status, result_of_outcome(start, record, status), now)

        updated = self._starts.save(turn, begun.start.id, change, held=begun.held)
        after = updated.after
        if after is None:
            return Begun(begun.start)
        if begins and after.is_stopped:
            self._endings.cancel_people(turn, after)  # it was stopped while they were called
        elif after.is_final:
            self.let_go(turn, after)
        return Begun(after, record, updated.held)

    def fail(
        self, turn: Turn, start: Start, result: ResultInfo, *, leaves: str | None = None, may_repeat: bool = False
    ) -> None:
        """End a start that can't go on as failed, unless it went on meanwhile."""

        def change(current: Start | None, now: datetime) -> Start | None:
            if current is None or current.is_final or type(current.stage) is not type(start.stage):
                return current
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
        self.let_go(turn, after)

    def let_go(self, turn: Turn, start: Start) -> None:
        """Note that a final start no longer uses its call, and leave the call if nothing else does."""
        if start.call_id is None:
            return
        call = self._legs.release(turn, start.id, start.call_id)
        if call is not None and call.leave_afterwards and not call.has_ended:
            self._endings.leave_if_done(turn, start.call_id)

    def look_again(self, turn: Turn, start_id: str, after: timedelta) -> None:
        """Have the start's alarm come after a time."""
        self._starts.save(
            turn, start_id, lambda start, now: None if start is None else replace(start, look_at=now + after)
        )


def lacks_alarm(start: Start, record: CallRecord) -> bool:
    """Return whether the message that keeps the start's call alive could not be sent."""
    call = record.call
    return call is not None and call.start_id == start.id and not call.has_ended and call.alarm is None
