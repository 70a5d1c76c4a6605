"""Changes of an escalation with the invitations of its steps, its alarm and its waiting flows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from domain.escalation import earliest, is_open
from domain.progress import OVERDUE, Due, alarm_needed, asking_places
from domain.record import CallRecord, Needs
from domain.steps import Rules, decide
from domain.waiting import posted
from flows.alarms import Message
from flows.delivery import is_same, log_delivery
from flows.links import new_token
from flows.turn import utc_now
from observability.events import Events
from storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.escalation import Escalation
    from domain.invitation import Invitation
    from domain.waiting import WaitingFlow
    from escalation.cancelling import Canceller
    from flows.alarms import Alarms
    from flows.delivery import Delivery
    from flows.turn import Turn
    from invite.service import InvitationService
    from storage.reading import Held
    from storage.store import Store, Updated

    Change = Callable[[CallRecord, datetime], CallRecord]

from escalation.views import escalation_view

_events = Events("escalation")
ESCALATION = "escalation"


class EscalationProgress:
    """The one way in which escalations change."""

    def __init__(
        self,
        store: Store,
        alarms: Alarms,
        delivery: Delivery,
        *,
        invitations: InvitationService,
        canceller: Canceller,
        check_after_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._alarms = alarms
        self._delivery = delivery
        self._invitations = invitations
        self._canceller = canceller
        self._check_after = timedelta(seconds=check_after_seconds)
        self._now = now

    def save(self, turn: Turn, call_id: str, name: str, change: Change, *, held: Held | None = None) -> Updated:
        """Change an escalation, advance it by what is stored, and note what follows for the end of the turn.

        Raises:
            StorageUnavailable: it may be stored or not; due things stay due.
        """
        sent: dict[str, Message] = {}

        def changed(record: CallRecord) -> CallRecord:
            now = self._now()
            record = change(replace(record, guarded=()), now)
            return decide(record, name, turn.run(now), now, Rules(turn.me, now, self._check_after, new_token()))

        def with_alarm(before: CallRecord, after: CallRecord) -> CallRecord:
            escalation = after.escalations.get(name)
            if escalation is None:
                return after
            return _listed(self._alarmed(before, after, escalation, turn, sent), escalation)

        updated = self._store.update(call_id, _needs(name), changed, before_write=with_alarm, held=held)
        for message in sent.values():
            self._alarms.named(message)
        self._note_duties(turn, updated, name)
        return updated

    def read(self, call_id: str, name: str) -> CallRecord:
        """Read an escalation with its call and the invitations of its steps: one request."""
        return self._store.read(call_id, _needs(name)).record

    def hold(self, call_id: str, name: str) -> Held:
        """Read an escalation for a change that follows."""
        return self._store.read(call_id, _needs(name))

    def nudge(self, escalation: Escalation, record: CallRecord) -> None:
        """Send the alarm of an open escalation again where it is overdue, so that nothing waits forever."""
        now = self._now()
        if not is_open(escalation, record) or escalation.alarm.time + OVERDUE > now:
            return
        message = Message(ESCALATION, escalation.call_id, escalation.id, escalation.alarm.name, now, now)
        try:
            self._alarms.send(message, now)
        except StorageUnavailable:
            _events.warning("an overdue alarm could not be sent and is left to the next poll", escalation=escalation.id)

    def _alarmed(
        self,
        before: CallRecord,
        after: CallRecord,
        escalation: Escalation,
        turn: Turn,
        sent: dict[str, Message],
    ) -> CallRecord:
        now = self._now()
        run = turn.run(now)
        next_ = earliest(escalation, after, now, is_message=run.is_message)
        earlier = before.escalations.get(escalation.id)
        was_open = None if earlier is None else is_open(earlier, before)
        due = None if next_ is None else Due(*next_)
        begun = earlier is not None and len(earlier.begun) < len(escalation.begun)
        if due is None or (
            not begun and (due := alarm_needed(due, run, now, escalation.alarm, was_open=was_open)) is None
        ):
            return after
        message = sent.get(escalation.id)
        if message is not None and message.time == due.time:
            alarm = replace(escalation.alarm, name=message.alarm, time=message.time)
        else:
            alarm, sent[escalation.id] = self._alarms.set(ESCALATION, escalation.call_id, escalation.id, due)
        return after.with_escalation(replace(escalation, alarm=alarm))

    def _note_duties(self, turn: Turn, updated: Updated, name: str) -> None:
        record = updated.after
        escalation = record.escalations.get(name)
        if escalation is None:
            return
        current = escalation.current
        invitation = None if current is None else record.invitations.get(current.invitation_id or "")
        if invitation is not None and not escalation.is_final and asking_places(invitation, turn.me):
            turn.note(f"ask {invitation.id}", partial(self._ask, turn, updated.held, invitation, name))
        mine = [one for one in escalation.cancelling if one.claim is not None and one.claim.owner == turn.me]
        if mine:
            key = ",".join(f"{one.invitation_id}/{one.person}/{one.tries}" for one in mine)
            turn.note(f"cancel {key}", partial(self._cancel, turn, updated.held, escalation))
        for flow in escalation.flows:
            if flow.is_waiting and flow.claim is not None and flow.claim.owner == turn.me:
                duty = partial(self._post, turn, updated.held, escalation, flow)
                turn.note(f"post {flow.message_id} {flow.claim.until}", duty)

    def _ask(self, turn: Turn, held: Held, invitation: Invitation, name: str) -> None:
        """Call the people of a step; nobody is called after its end."""
        escalation = held.record.escalations[name]
        current = escalation.current
        ends = current.ends if current is not None else self._now()
        self._invitations.ask(turn, held, invitation, ends=ends)
        # Who writes down Graph's answers looks again: the escalation may have ended meanwhile.
        self.save(turn, invitation.call_id, name, lambda record, _: record)

    def _cancel(self, turn: Turn, held: Held, escalation: Escalation) -> None:
        mine = [one for one in escalation.cancelling if one.claim is not None and one.claim.owner == turn.me]
        done, again, gone = self._canceller.cancel(held.record, escalation.call_id, mine)
        self.save(
            turn,
            escalation.call_id,
            escalation.id,
            lambda record, now: self._canceller.marked(record, escalation.id, turn.me, (done, again, gone), now),
        )

    def _post(self, turn: Turn, held: Held, escalation: Escalation, flow: WaitingFlow) -> None:
        result = self._delivery.send(turn, flow, lambda now: escalation_view(escalation, held.record, now))

        def mark(record: CallRecord, now: datetime) -> CallRecord:
            current = record.escalations.get(escalation.id)
            if current is None:
                return record
            flows = tuple(posted(one, turn.me, result, now) if is_same(one, flow) else one for one in current.flows)
            return record if flows == current.flows else record.with_escalation(replace(current, flows=flows))

        updated = self.save(turn, escalation.call_id, escalation.id, mark, held=held)
        after = updated.after.escalations.get(escalation.id)
        flows = after.flows if after is not None else ()
        log_delivery(next((one for one in flows if is_same(one, flow)), flow), result, escalation=escalation.id)


def _needs(name: str) -> Needs:
    return Needs(call=True, escalations=frozenset({name}))


def _listed(record: CallRecord, escalation: Escalation) -> CallRecord:
    """Keep in the call which escalations are open, so that a report need not search for them."""
    call = record.call
    if call is None:
        return record
    known = record.escalations.get(escalation.id, escalation)
    others = tuple(one for one in call.escalations if one != known.id)
    listed = (*others, known.id) if is_open(known, record) else others
    if (known.id in call.escalations) == (known.id in listed):
        return record
    return record.with_call(replace(call, escalations=listed))
