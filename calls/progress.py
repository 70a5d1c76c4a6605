"""Changes of a start, with its alarm and its waiting flows; the same rules as ``flows.progress``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from domain.contexts import call_hash
from domain.progress import OVERDUE, WAITED_FOR, Due, alarm_needed
from domain.start import Over
from domain.start_progress import decide, earliest, is_open
from domain.waiting import posted
from flows.alarms import Message
from flows.delivery import is_same, log_delivery
from flows.turn import utc_now
from observability.events import Events
from storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

    from domain.start import Start
    from domain.waiting import WaitingFlow
    from flows.alarms import Alarms
    from flows.delivery import Delivery
    from flows.turn import Turn
    from storage.singles import HeldOne, SingleRows, UpdatedOne

    Change = Callable[[Start | None, datetime], Start | None]
    View = Callable[[Start, datetime], Mapping[str, Any]]

_events = Events("calls")
START = "start"


class StartProgress:
    """The one way in which starts change."""

    def __init__(
        self,
        rows: SingleRows,
        alarms: Alarms,
        delivery: Delivery,
        view: View,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._rows = rows
        self._alarms = alarms
        self._delivery = delivery
        self._view = view
        self._now = now

    def save(
        self, turn: Turn, start_id: str, change: Change, *, held: HeldOne[Start] | None = None
    ) -> UpdatedOne[Start]:
        """Change a start, claim what is due, and see that it has its alarm.

        Raises:
            StorageUnavailable: it may be stored or not; due things stay due.
        """
        sent: dict[str, Message] = {}

        def changed(start: Start | None) -> Start | None:
            now = self._now()
            after = change(start, now)
            return None if after is None else decide(after, turn.run(now), now, WAITED_FOR)

        updated = self._rows.update_start(
            start_id, changed, before_write=lambda before, after: self._alarmed(turn, before, after, sent), held=held
        )
        for message in sent.values():
            self._alarms.named(message)
        self._note_duties(turn, updated)
        _log_end(updated)
        return updated

    def read(self, start_id: str) -> Start | None:
        """Read a start."""
        return self.hold(start_id).value

    def hold(self, start_id: str) -> HeldOne[Start]:
        """Read a start for a change that follows."""
        return self._rows.start(start_id)

    def nudge(self, start: Start) -> None:
        """Send the alarm of an open start again where it is overdue, so that nothing waits forever."""
        now = self._now()
        if not is_open(start) or start.alarm.time + OVERDUE > now:
            return
        try:
            self._alarms.send(Message(START, "", start.id, start.alarm.name, now, now), now)
        except StorageUnavailable:
            _events.warning("an overdue alarm could not be sent and is left to the next poll", start=start.id)

    def _alarmed(self, turn: Turn, before: Start | None, after: Start, sent: dict[str, Message]) -> Start:
        now = self._now()
        run = turn.run(now)
        time = earliest(after, now, is_message=run.is_message)
        due = None if time is None else Due(time)
        was_open = None if before is None else is_open(before)
        due = alarm_needed(due, run, now, after.alarm, was_open=was_open)
        if due is None:
            return after
        message = sent.get(after.id)
        if message is not None and message.time == due.time:
            return replace(after, alarm=replace(after.alarm, name=message.alarm, time=message.time))
        alarm, sent[after.id] = self._alarms.set(START, "", after.id, due)
        return replace(after, alarm=alarm)

    def _note_duties(self, turn: Turn, updated: UpdatedOne[Start]) -> None:
        start = updated.after
        if start is None:
            return
        for flow in start.flows:
            if flow.is_waiting and flow.claim is not None and flow.claim.owner == turn.me:
                duty = partial(self._post, turn, updated.held, start, flow)
                turn.note(f"post {flow.message_id} {flow.claim.until}", duty)

    def _post(self, turn: Turn, held: HeldOne[Start], start: Start, flow: WaitingFlow) -> None:
        result = self._delivery.send(turn, flow, lambda now: self._view(start, now))

        def mark(current: Start | None, now: datetime) -> Start | None:
            if current is None:
                return None
            flows = tuple(posted(one, turn.me, result, now) if is_same(one, flow) else one for one in current.flows)
            return current if flows == current.flows else replace(current, flows=flows)

        updated = self.save(turn, start.id, mark, held=held)
        flows = updated.after.flows if updated.after is not None else ()
        log_delivery(next((one for one in flows if is_same(one, flow)), flow), result, start=start.id)


def _log_end(updated: UpdatedOne[Start]) -> None:
    start = updated.after
    if start is None or not isinstance(start.stage, Over) or (updated.before is not None and updated.before.is_final):
        return
    over = start.stage
    _events.info(
        "start ended",
        start=start.id,
        call=None if over.call_id is None else call_hash(over.call_id),
        status=over.status.value,
        code=None if over.result is None else over.result.code,
        subcode=None if over.result is None else over.result.subcode,
        seconds=round((over.at - start.created).total_seconds(), 1),
    )
