"""Changes of a call that lead further: what is due is claimed in the same write, and what is open has its alarm.

Every use case writes through ``save``. It applies the caller's pure change, then the domain's ``decide``; sends an
alarm where one is needed, before the row names it; writes; and publishes what became known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from domain.progress import OVERDUE, alarm_needed, decide, earliest, is_open
from flows.alarms import Message
from flows.turn import utc_now
from observability.events import Events
from storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.invitation import Invitation
    from domain.progress import Run
    from domain.record import CallRecord, Needs
    from flows.alarms import Alarms
    from flows.turn import Turn
    from storage.reading import Held
    from storage.store import Store, Updated

    Change = Callable[[CallRecord, datetime], CallRecord]

_events = Events("flows")
INVITATION = "invitation"


class Publish(Protocol):
    """Notes what follows from an update; see ``flows.publish.Publisher``."""

    def __call__(self, turn: Turn, updated: Updated, decided_by: str) -> None:
        """Log each outcome that became known, and note the duties of the turn."""


class Progress:
    """The one way in which calls and invitations change."""

    def __init__(
        self, store: Store, alarms: Alarms, publish: Publish, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._store = store
        self._alarms = alarms
        self._publish = publish
        self._now = now

    def save(
        self,
        turn: Turn,
        call_id: str,
        needs: Needs,
        change: Change,
        *,
        decided_by: str = "graph",
        held: Held | None = None,
    ) -> Updated:
        """Change what is known of a call.

        Args:
            turn: who acts; gets the duties that follow.
            call_id: the call.
            needs: what the change reads.
            change: pure, given the record and the time.
            decided_by: who learnt what the change writes, for the log: ``graph``, ``refusal`` or ``watchdog``.
            held: what is in hand already, which is then not read again.

        Raises:
            StorageUnavailable: it may be stored or not; due things stay due.
        """
        sent: dict[str, Message] = {}

        def changed(record: CallRecord) -> CallRecord:
            now = self._now()
            record = change(record, now)
            for invitation in list(record.invitations.values()):
                record = record.with_invitation(decide(invitation, record.call, turn.run(now), now))
            return record

        def with_alarms(before: CallRecord, after: CallRecord) -> CallRecord:
            now = self._now()
            # The alarm of an escalation serves its steps' invitations.
            for invitation in [one for one in after.invitations.values() if one.escalation_id is None]:
                earlier = before.invitations.get(invitation.id)
                after = after.with_invitation(self._alarmed(earlier, invitation, turn.run(now), now, sent))
            return after

        updated = self._store.update(call_id, needs, changed, before_write=with_alarms, held=held)
        for message in sent.values():
            self._alarms.named(message)
        self._publish(turn, updated, decided_by)
        return updated

    def nudge(self, invitation: Invitation) -> None:
        """Send the alarm of an open invitation again where it is overdue, so that nothing waits forever."""
        now = self._now()
        if not is_open(invitation, now) or invitation.alarm.time + OVERDUE > now:
            return
        _events.warning("an alarm is overdue and is sent again", invitation=invitation.id)
        message = Message(INVITATION, invitation.call_id, invitation.id, invitation.alarm.name, now, now)
        try:
            self._alarms.send(message, now)
        except StorageUnavailable:
            _events.warning("an overdue alarm could not be sent and is left to the next poll", invitation=invitation.id)

    def _alarmed(
        self, before: Invitation | None, after: Invitation, run: Run, now: datetime, sent: dict[str, Message]
    ) -> Invitation:
        due = earliest(after, now, is_message=run.is_message)
        was_open = None if before is None else is_open(before, now)
        due = alarm_needed(due, run, now, after.alarm, was_open=was_open)
        if due is None:
            return after
        message = sent.get(after.id)
        if message is not None and message.time == due.time:
            return replace(after, alarm=replace(after.alarm, name=message.alarm, time=message.time))
        alarm, sent[after.id] = self._alarms.set(INVITATION, after.call_id, after.id, due)
        return replace(after, alarm=alarm)
