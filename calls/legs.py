"""The call's own row, its place in the index, and the one leg per meeting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from random import uniform
from typing import TYPE_CHECKING

from domain.call import Call, CallKind, title
from domain.index import CallEntry
from domain.meeting import Leg, key_of
from domain.progress import Due
from domain.record import CallRecord, Needs
from domain.roster import identity_hash
from flows.links import new_token
from flows.turn import utc_now
from observability.events import Events
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.invitation import Alarm
    from domain.start import Start
    from flows.alarms import Alarms
    from flows.progress import Progress
    from flows.turn import Turn
    from storage.singles import SingleRows
    from storage.store import Store

_events = Events("calls")
CALL = "call"
_JITTER = 0.1


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

    def reserve(self, start: Start) -> str | None:
        """Take the leg of a start's meeting; return the start that has it, None for a start without a meeting."""
        if start.meeting is None:
            return None
        return self.take(key_of(start.meeting, self._tenant_id), start.id)

    def take(self, key: str, start_id: str, *, instead_of: str | None = None) -> str:
        """Take a leg that is free, or wait for the start that has it; return which start has it now."""

        def change(leg: Leg | None) -> Leg | None:
            if leg is None or leg.start_id in (None, start_id, instead_of):
                waiting = () if leg is None else tuple(one for one in leg.waiting if one != start_id)
                return Leg(key, start_id, waiting=waiting)
            return leg if start_id in leg.waiting else replace(leg, waiting=(*leg.waiting, start_id))

        after = self._rows.update_leg(key, change).after
        return start_id if after is None or after.start_id is None else after.start_id

    def free(self, keys: tuple[str, ...], start_id: str) -> tuple[str, ...]:
        """Give legs up; return the starts that waited for them."""
        waiting: list[str] = []
        for key in keys:

            def change(leg: Leg | None) -> Leg | None:
                return leg if leg is None or leg.start_id != start_id else replace(leg, start_id=None, call_id=None)

            after = self._rows.update_leg(key, change).after
            waiting += () if after is None else after.waiting
        return tuple(dict.fromkeys(waiting))

    def keys_of(self, start: Start) -> tuple[str, ...]:
        """Return the keys of a start's meeting, as far as the start knows them."""
        return () if start.meeting is None else (key_of(start.meeting, self._tenant_id),)

    def waiting_for(self, start: Start) -> tuple[str, ...]:
        """Return the starts that wait for a start's leg."""
        found: list[str] = []
        for key in self.keys_of(start):
            leg = self._rows.leg(key).value
            found += () if leg is None or leg.start_id != start.id else leg.waiting
        return tuple(found)

    def keep(self, turn: Turn, start: Start, facts: CallFacts) -> CallRecord:
        """Write down the call of a start that made it, with the alarm that keeps it alive; list it as open."""
        alarm = self.next_alarm(facts.call_id)

        def change(record: CallRecord, now: datetime) -> CallRecord:
            call = record.call_or_new(now)
            target = identity_hash(start.participants[0].id) if facts.kind is CallKind.ONE_TO_ONE else None
            call = replace(
                call,
                kind=facts.kind,
                direction="outgoing",
                subject=start.subject,
                start_id=start.id,
                starts=_with(call.starts, start.id),
                target=target,
                target_person=start.participants[0] if facts.kind is CallKind.ONE_TO_ONE else None,
                leave_afterwards=start.leave_afterwards,
                leg_keys=tuple(dict.fromkeys((*call.leg_keys, *facts.leg_keys))),
                my_participant_id=facts.my_participant_id or call.my_participant_id,
                alarm=call.alarm if call.has_ended or alarm is None else alarm,
                page_token=call.page_token or new_token(),
                updated=now,
            )
            return record.with_call(call)

        updated = self._progress.save(turn, facts.call_id, Needs(call=True), change)
        call = updated.after.call
        if call is not None and not call.has_ended:
            self.index(call)
        self._store.keep(facts.call_id, self._now())
        return updated.after

    def use(self, turn: Turn, start: Start, call_id: str) -> CallRecord:
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

        return self._progress.save(turn, call_id, Needs(call=True), change).after

    def release(self, turn: Turn, start_id: str, call_id: str) -> Call | None:
        """Note that a start no longer uses a call."""

        def change(record: CallRecord, _: datetime) -> CallRecord:
            call = record.call
            if call is None or start_id not in call.starts:
                return record
            return record.with_call(replace(call, starts=tuple(one for one in call.starts if one != start_id)))

        return self._progress.save(turn, call_id, Needs(call=True), change).after.call

    def next_alarm(self, call_id: str) -> Alarm | None:
        """Send the next message that keeps a call alive; None where it can't be sent, which its start makes up for."""
        seconds = self._keep_alive_seconds * uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads the requests
        due = Due(self._now() + timedelta(seconds=seconds))
        try:
            return self._alarms.set(CALL, call_id, call_id, due)[0]
        except StorageError:
            _events.warning("a keep-alive could not be planned and is left to the start's alarm")
            return None

    def index(self, call: Call) -> None:
        """List a call as open, or bring its entry up to date."""
        self._rows.index(
            CallEntry(
                call_id=call.call_id,
                title=title(call),
                state=call.state,
                created=call.created,
                updated=call.updated,
                direction=call.direction,
                subject=call.subject,
                start_id=call.start_id,
            )
        )

    def unindex(self, call_id: str) -> None:
        """List a call no longer."""
        self._rows.unindex(call_id)


def _with(starts: tuple[str, ...], start_id: str) -> tuple[str, ...]:
    return starts if start_id in starts else (*starts, start_id)
