"""The call's own row, its place in the index, and the one leg per meeting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from random import uniform
from typing import TYPE_CHECKING

from domain.call import Call, CallKind, CallState, title, with_target_present
from domain.index import CallEntry
from domain.meeting import Leg, key_of
from domain.progress import Due
from domain.record import CallRecord, Needs
from domain.roster import identity_hash
from flows.links import new_token
from flows.turn import utc_now
from observability.events import Events
from storage.errors import StorageError
from storage.singles import HeldOne

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.invitation import Alarm
    from domain.start import Start
    from flows.alarms import Alarms
    from flows.progress import Progress
    from flows.turn import Turn
    from storage.reading import Held
    from storage.singles import SingleRows
    from storage.store import Store

_events = Events("calls")
CALL = "call"
_JITTER = 0.1
# Those that waited longest have begun or ended long ago; a meeting of years must not grow its row forever.
_MOST_WAITING = 99


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the app knows of a call that it has created."""

    call_id: str
    kind: CallKind
    my_participant_id: str | None = None
    leg_keys: tuple[str, ...] = ()


class Legs:
    """Keeps calls that the app has created, and who uses which."""

    def __init__(
        self,
        rows: SingleRows,
        store: Store,
        progress: Progress,
        alarms: Alarms,
        *,
        tenant_id: str,
        keep_alive_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._rows = rows
        self._store = store
        self._progress = progress
        self._alarms = alarms
        self._tenant_id = tenant_id
        self._keep_alive_seconds = keep_alive_seconds
        self._now = now

    def reserve(self, start: Start, *, waits: bool = True) -> str | None:
        """Take the leg of a start's meeting; return the start that has it, None for a start without a meeting."""
        if start.meeting is None:
            return None
        return self.take(key_of(start.meeting, self._tenant_id), start.id, waits=waits)

    def take(self, key: str, start_id: str, *, instead_of: str | None = None, waits: bool = True) -> str:
        """Take a leg that is free, else wait for the start that has it; return which start has it now."""

        def change(leg: Leg | None) -> Leg | None:
            now = self._now()
            if leg is None or leg.start_id in (None, start_id, instead_of):
                if leg is not None and leg.start_id == start_id and start_id not in leg.waiting:
                    return leg
                waiting = () if leg is None else tuple(one for one in leg.waiting if one != start_id)
                return Leg(key, start_id, waiting=waiting, updated=now)
            if start_id in leg.waiting or not waits:
                return leg
            return replace(leg, waiting=(*leg.waiting[-_MOST_WAITING:], start_id), updated=now)

        # A meeting is mostly joined for the first time, and an insertion needs no read.
        held: HeldOne[Leg] | None = HeldOne(None) if instead_of is None else None
        after = self._rows.update_leg(key, change, held=held).after
        return start_id if after is None or after.start_id is None else after.start_id

    def free(self, keys: tuple[str, ...], start_id: str) -> tuple[str, ...]:
        """Give legs up; return the starts that waited for them."""
        waiting: list[str] = []
        for key in keys:

            def change(leg: Leg | None) -> Leg | None:
                if leg is None or leg.start_id != start_id:
                    return leg
                return replace(leg, start_id=None, waiting=(), updated=self._now())

            before = self._rows.update_leg(key, change).before
            waiting += () if before is None else before.waiting
        return tuple(dict.fromkeys(waiting))

    def holder(self, key: str) -> str | None:
        """Return the start that has a leg."""
        leg = self._rows.leg(key).value
        return None if leg is None else leg.start_id

    def waiting(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the starts that have waited for legs."""
        legs = (self._rows.leg(key).value for key in keys)
        return tuple(dict.fromkeys(one for leg in legs if leg is not None for one in leg.waiting))

    def keys_of(self, start: Start) -> tuple[str, ...]:
        """Return the keys of a start's meeting, as far as the start knows them."""
        return () if start.meeting is None else (key_of(start.meeting, self._tenant_id),)

    def note(self, start: Start, *, call_id: str | None = None, keys: tuple[str, ...] = ()) -> None:
        """Note that a start is kept, with its call and its meeting's legs, so that they are forgotten in time."""
        self._rows.keep(self._now(), start.id, tuple(dict.fromkeys((*self.keys_of(start), *keys))), call_id)

    def keep(self, turn: Turn, start: Start, facts: CallFacts) -> CallRecord | None:
        """Write down the call of a start that made it, with the alarm that keeps it alive; list it as open.

        Returns:
            The call, where it is new; None where something was reported of it already.
        """
        alarm = self.first_alarm(facts.call_id)
        target = start.participants[0] if facts.kind is CallKind.ONE_TO_ONE else None

        def kept(call: Call, now: datetime) -> Call:
            call = replace(
                call,
                kind=facts.kind,
                direction="outgoing",
                subject=start.subject,
                start_id=start.id,
                starts=_with(call.starts, start.id),
                target=None if target is None else identity_hash(target.id),
                target_person=target,
                called=start.participants if facts.kind is CallKind.GROUP else (),
                leave_afterwards=start.leave_afterwards,
                leg_keys=tuple(dict.fromkeys((*call.leg_keys, *facts.leg_keys))),
                my_participant_id=facts.my_participant_id or call.my_participant_id,
                alarm=call.alarm if call.has_ended or alarm is None else alarm,
                page_token=call.page_token or new_token(),
                updated=now,
            )
            return with_target_present(call, now)

        def change(record: CallRecord, now: datetime) -> CallRecord:
            return record.with_call(kept(record.call_or_new(now), now))

        now = self._now()
        # Before the call's row, so that a run that ends the call finds it listed.
        self.index(kept(Call(facts.call_id, now, now), now))
        self.note(start, call_id=facts.call_id, keys=facts.leg_keys)
        # The run that links a call goes on with its start.
        turn.taken |= {f"call {facts.call_id} {CallState.UNKNOWN}", f"start {start.id}"}
        nothing = self._store.nothing_yet(facts.call_id)  # mostly the call was not reported yet
        updated = self._progress.save(turn, facts.call_id, Needs(call=True), change, held=nothing)
        call = updated.after.call
        if call is not None and call.has_ended:
            self.unindex(facts.call_id)
        return updated.after if updated.before.call is None else None

    def keep_alive(self, turn: Turn, call_id: str) -> CallRecord | None:
        """Plan the keep-alive of a call for which that failed; None where it fails again."""
        alarm = self.first_alarm(call_id)
        if alarm is None:
            return None

        def change(record: CallRecord, _: datetime) -> CallRecord:
            call = record.call
            if call is None or call.has_ended or call.alarm is not None:
                return record
            return record.with_call(replace(call, alarm=alarm))

        return self._progress.save(turn, call_id, Needs(call=True), change).after

    def use(self, turn: Turn, start: Start, call_id: str, *, held: Held | None = None) -> CallRecord:
        """Note that a further start uses a call."""

        def change(record: CallRecord, now: datetime) -> CallRecord:
            if record.call is None or record.call.has_ended:
                return record
            call = replace(
                record.call,
                starts=_with(record.call.starts, start.id),
                leave_afterwards=start.leave_afterwards,
                page_token=record.call.page_token or new_token(),
                updated=now,
            )
            return record.with_call(call)

        return self._progress.save(turn, call_id, Needs(call=True), change, held=held).after

    def release(self, turn: Turn, start_id: str, call_id: str) -> Call | None:
        """Note that a start no longer uses a call."""
        held = turn.in_hand(call_id)
        if held is not None and not _is_used(held, start_id):
            held = None  # it may have been noted since

        def change(record: CallRecord, _: datetime) -> CallRecord:
            call = record.call
            if call is None or start_id not in call.starts:
                return record
            return record.with_call(replace(call, starts=tuple(one for one in call.starts if one != start_id)))

        return self._progress.save(turn, call_id, Needs(call=True), change, held=held).after.call

    def next_alarm(self, call_id: str, *, after: timedelta | None = None) -> Alarm:
        """Send the next message that keeps a call alive.

        Raises:
            StorageUnavailable: it may not have been sent.
        """
        seconds = self._keep_alive_seconds * uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads the requests
        due = Due(self._now() + (timedelta(seconds=seconds) if after is None else after))
        return self._alarms.set(CALL, call_id, call_id, due)[0]

    def first_alarm(self, call_id: str) -> Alarm | None:
        """Send the first message that keeps a call alive; None where it can't be sent, which its start makes up for."""
        try:
            return self.next_alarm(call_id)
        except StorageError:
            _events.warning("a keep-alive could not be planned and is left to the start's alarm")
            return None

    def index(self, call: Call) -> None:
        """List a call as open, or bring its entry up to date."""
        self._rows.index(_entry(call))

    def is_reindexed(self, call: Call) -> bool:
        """Bring the entry of a call up to date where it has one; return whether that was done."""
        return self._rows.replace_entry(_entry(call))

    def unindex(self, call_id: str) -> None:
        """List a call no longer."""
        self._rows.unindex(call_id)


def _is_used(held: Held, start_id: str) -> bool:
    return held.record.call is not None and start_id in held.record.call.starts


def _entry(call: Call) -> CallEntry:
    return CallEntry(
        call_id=call.call_id,
        title=title(call),
        state=call.state,
        created=call.created,
        updated=call.updated,
        direction=call.direction,
        subject=call.subject,
        start_id=call.start_id,
    )


def _with(starts: tuple[str, ...], start_id: str) -> tuple[str, ...]:
    return starts if start_id in starts else (*starts, start_id)
