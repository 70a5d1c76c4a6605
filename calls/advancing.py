"""What follows from a start's call: done at once by whoever learns that it can, and by the start's alarm else.

``advance`` looks at the rows alone, so it may be called any number of times by any run: the invitation that follows has
an id derived from the start, and every change of the start is decided anew on what is stored.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

from calls.outcomes import invitation_of, is_in_call, outcome_of
from calls.results import NOT_ESTABLISHED, STILL_THROTTLED, never_confirmed
from domain.contexts import invitation_id
from domain.inference import call_ended
from domain.record import CallRecord, Needs
from domain.results import ResultInfo
from domain.standing import result_of
from domain.start import (
    GROUP_SETTLES,
    RETRY,
    THROTTLED,
    Creating,
    InCall,
    Over,
    StartStatus,
    Waiting,
    ended,
    in_call,
    invited,
)
from domain.start import (
    NOT_ESTABLISHED as ESTABLISHES_WITHIN,
)
from flows.advice import advice_for_call_end
from flows.turn import utc_now
from observability.events import Events
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from calls.asking import CallReader
    from calls.creating import Creator
    from calls.legs import Legs
    from calls.progress import StartProgress
    from domain.invitation import Invitee
    from domain.start import Start
    from flows.turn import Turn
    from invite.service import InvitationService
    from storage.store import Store

_events = Events("calls")
_LOOK_AGAIN = timedelta(minutes=5)
_NOT_FOUND = 404


class Leaver(Protocol):
    """How a call is left; see ``calls.ending.Endings``."""

    def leave_if_done(self, turn: Turn, call_id: str) -> None:
        """Leave a call on which nothing is open any more, if its latest start asked for that."""

    def leave(self, turn: Turn, call_id: str) -> None:
        """Leave a call."""


class Advancer:
    """Takes each start as far as it can go."""

    def __init__(
        self,
        store: Store,
        starts: StartProgress,
        creator: Creator,
        legs: Legs,
        *,
        invitations: InvitationService,
        reader: CallReader,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._starts = starts
        self._creator = creator
        self._legs = legs
        self._invitations = invitations
        self._reader = reader
        self._now = now
        self.leaver: Leaver | None = None
        """Set by the composition root, since leaving a call advances the starts on it."""

    def advance(self, turn: Turn, start_id: str) -> None:
        """Do what can be done for a start by what is stored.

        Raises:
            StorageUnavailable: what is due stays due.
        """
        start = self._starts.read(start_id)
        if start is None:
            return
        match start.stage:
            case Waiting(on=first):
                self._wait(turn, start, first)
            case Creating(asked=asked):
                if self._now() >= start.look_at and self._now() > asked:
                    self._fail(turn, start, never_confirmed(start.stage.code))
            case InCall():
                self._in_call(turn, start, start.stage)
            case Over():
                self._starts.save(turn, start_id, lambda current, _: current)
                self._let_go(turn, start)

    def _wait(self, turn: Turn, start: Start, first: str) -> None:
        """Use the leg of the start that has the meeting, or take it over where that has failed."""
        other = self._starts.read(first)
        call_id = other.call_id if other is not None else None
        call = None if call_id is None else self._store.read(call_id, Needs(call=True)).record.call
        if call is not None and not call.has_ended and call_id is not None:
            self._legs.use(turn, start, call_id)
            after = self._starts.save(
                turn,
                start.id,
                lambda current, now: None if current is None else in_call(current, call_id, now, owns=False),
            ).after
            if after is not None and isinstance(after.stage, InCall):
                self._in_call(turn, after, after.stage)
            return
        if other is not None and not other.is_final and (call is None or not call.has_ended):
            return  # its call is still to come
        for key in self._legs.keys_of(start):
            if self._legs.take(key, start.id, instead_of=first) != start.id:
                self._look_again(turn, start.id, RETRY)
                return

        def take(current: Start | None, now: datetime) -> Start | None:
            if current is None or not isinstance(current.stage, Waiting):
                return current
            give_up = now + (current.look_at - now if current.look_at > now else _LOOK_AGAIN)
            return replace(current, stage=Creating(turn.me, now), updated=now, look_at=give_up)

        updated = self._starts.save(turn, start.id, take)
        mine = updated.after
        if mine is not None and isinstance(mine.stage, Creating) and mine.stage.by == turn.me:
            try:
                self._creator.create(turn, updated.held, mine)
            except ApiError:
                return  # the start has failed, and its flows get the reason
            self.advance(turn, start.id)

    def _in_call(self, turn: Turn, start: Start, stage: InCall) -> None:
        if not stage.is_sole:
            if self._now() < start.look_at:
                return  # Graph's response is still to come
            self._starts.save(
                turn, start.id, lambda one, now: None if one is None else in_call(one, stage.call_id, now)
            )
        record = self._read(start, stage.call_id)
        if record.call is None and stage.owns:
            # The process ended between the start's row and the call's.
            self._creator.link(turn, start.id, start.attempt, stage.call_id, None)
            record = self._read(start, stage.call_id)
        call = record.call
        if call is None:
            return
        if call.established_at is None and not call.has_ended and self._now() >= start.look_at:
            record = self._check(turn, start, stage)
            call = record.call or call
        if call.established_at is None:
            if call.has_ended:
                self._fail(turn, start, _end_of(call.result))
            return
        if stage.invited is None:
            if call.has_ended and start.participants and not start.calls_targets:
                self._fail(turn, start, _end_of(call.result))
                return
            record = self._follow(turn, start, record)
        self._settle(turn, start.id, record)

    def _follow(self, turn: Turn, start: Start, record: CallRecord) -> CallRecord:
        """Begin what follows ``established``: call the people who are not in the call already."""
        if not start.calls_targets and start.participants:
            if turn.seconds_left(self._now()) <= 0:
                self._look_again(turn, start.id, timedelta(0))
                return record
            if invitation_of(start, record) is None:
                record = self._reader.read_roster(turn, record)
            people = [one for one in start.participants if not is_in_call(record.call, one.id)]
            if (people or invitation_of(start, record) is not None) and not self._invite(turn, start, record, people):
                return record
            record = self._read(start, record.call_id)

        def mark(current: Start | None, now: datetime) -> Start | None:
            if current is None:
                return None
            settles = GROUP_SETTLES if current.calls_targets else _LOOK_AGAIN
            return replace(invited(current, now), look_at=now + settles)

        self._starts.save(turn, start.id, mark)
        return record

    def _invite(self, turn: Turn, start: Start, record: CallRecord, people: list[Invitee]) -> bool:
        """Call people into the call; return whether it was begun, or has failed for good."""
        stage = start.stage
        try:
            self._invitations.ensure(
                turn,
                record.call_id,
                people,
                start.invitation_context,
                start_id=start.id,
                separately=start.separately,
            )
        except ApiError as error:
            if error.retry_after is None:
                return True  # refused for good: the invitation's row says why
            if isinstance(stage, InCall) and self._now() - stage.since > THROTTLED + RETRY:
                self._fail(turn, start, STILL_THROTTLED)
            else:
                self._look_again(turn, start.id, RETRY)
            return False
        return True

    def _settle(self, turn: Turn, start_id: str, record: CallRecord) -> None:
        """Write down the outcome of a start whose people have all ended."""

        def change(start: Start | None, now: datetime) -> Start | None:
            if start is None or not isinstance(start.stage, InCall) or start.stage.invited is None:
                return start
            status = outcome_of(start, record, now)
            if status is None:
                return start if start.look_at > now else replace(start, look_at=now + _LOOK_AGAIN)
            invitation = invitation_of(start, record)
            result = None if invitation is None else result_of(invitation.operations)
            return ended(start, status, result, now)

        after = self._starts.save(turn, start_id, change).after
        if after is not None and after.is_final:
            self._let_go(turn, after)

    def _check(self, turn: Turn, start: Start, stage: InCall) -> CallRecord:
        """Ask Graph about a call that was not reported as established, and leave one that stays so."""
        record = self._reader.read_call(turn, stage.call_id, _needs(start))
        call = record.call
        if call is None or call.established_at is not None or call.has_ended:
            return record
        left = stage.since + ESTABLISHES_WITHIN - self._now()
        if left > timedelta(0) or not stage.owns:
            self._look_again(turn, start.id, max(min(_LOOK_AGAIN, left), RETRY))
            return record
        self._fail(turn, start, NOT_ESTABLISHED)
        if self.leaver is not None:
            self.leaver.leave(turn, stage.call_id)
        return record

    def _fail(self, turn: Turn, start: Start, result: ResultInfo) -> None:
        self._starts.save(
            turn,
            start.id,
            lambda current, now: None if current is None else ended(current, StartStatus.FAILED, result, now),
        )
        for waiting in self._legs.free(self._legs.keys_of(start), start.id):
            turn.note(f"start {waiting}", partial(self.advance, turn, waiting))

    def _let_go(self, turn: Turn, start: Start) -> None:
        """Note that a final start no longer uses its call, and leave the call if nothing else does."""
        if start.call_id is None:
            return
        call = self._legs.release(turn, start.id, start.call_id)
        if call is not None and call.leave_afterwards and not call.has_ended and self.leaver is not None:
            self.leaver.leave_if_done(turn, start.call_id)

    def _look_again(self, turn: Turn, start_id: str, after: timedelta) -> None:
        self._starts.save(
            turn, start_id, lambda start, now: None if start is None else replace(start, look_at=now + after)
        )

    def _read(self, start: Start, call_id: str) -> CallRecord:
        return self._store.read(call_id, _needs(start)).record


def _needs(start: Start) -> Needs:
    return Needs(invitations=frozenset({invitation_id(start.invitation_context)}), call=True)


def _end_of(result: ResultInfo | None) -> ResultInfo:
    """Return the result of a start whose call ended before it was established; code 200 is not success."""
    if result is None:
        return call_ended(None)
    return ResultInfo(result.code, result.subcode, advice_for_call_end(result))
