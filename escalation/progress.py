"""Changes of an escalation with the invitations of its steps, its alarm and its waiting flows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from domain.contexts import call_hash
from domain.escalation import earliest, is_open
from domain.progress import OVERDUE, Due, alarm_needed, asking_places
from domain.record import CallRecord, Needs
from domain.step_results import may_still_join
from domain.steps import Rules, answered, decide, guarded
from domain.waiting import posted
from escalation.cancelling import with_outcome
from escalation.views import escalation_view
from flows.alarms import Message
from flows.delivery import is_same, log_delivery
from flows.links import new_token
from flows.publish import log_conclusions
from flows.turn import BEGINS_WITHIN, utc_now
from invite.sending import StepTime
from observability.events import Events
from storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.call import Call
    from domain.escalation import Escalation
    from domain.invitation import Invitation
    from domain.waiting import WaitingFlow
    from escalation.cancelling import StepCanceller
    from flows.alarms import Alarms
    from flows.delivery import Delivery
    from flows.links import Links
    from flows.publish import Publisher
    from flows.turn import Turn
    from invite.service import InvitationService
    from storage.reading import Held
    from storage.store import Store, Updated

    Change = Callable[[CallRecord, datetime], CallRecord]

_events = Events("escalation")
ESCALATION = "escalation"
_MOST_FOLLOWED = 10


class EscalationProgress:
    """The one way in which escalations change."""

    def __init__(
        self,
        store: Store,
        alarms: Alarms,
        delivery: Delivery,
        publisher: Publisher,
        *,
        invitations: InvitationService,
        canceller: StepCanceller,
        links: Links,
        check_after_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._alarms = alarms
        self._links = links
        self._delivery = delivery
        self._publisher = publisher
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
            record = change(replace(record, guarded=(), guards_call=False), now)
            return decide(record, name, turn.run(now), Rules(turn.me, now, self._check_after, new_token()))

        def with_alarm(before: CallRecord, after: CallRecord) -> CallRecord:
            escalation = after.escalations.get(name)
            if escalation is None:
                return after
            return guarded(before, _listed(self._alarmed(before, after, escalation, turn, sent), name), name)

        updated = self._store.update(call_id, _needs(name), changed, before_write=with_alarm, held=held)
        turn.learnt(updated.held)
        for message in sent.values():
            self._alarms.named(message)
        log_conclusions(updated, ESCALATION)
        _log(updated, name, turn.flow_run_id)
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
            key = ",".join(f"{one.invitation_id}/{one.person}/{one.claim}" for one in mine)
            turn.note(f"cancel {key}", partial(self._cancel, turn, record, escalation))
        for flow in escalation.flows:
            if flow.is_waiting and flow.claim is not None and flow.claim.owner == turn.me:
                duty = partial(self._post, turn, updated.held, escalation, flow)
                turn.note(f"post {flow.message_id} {flow.claim.until}", duty)
        if escalation.is_final and record.call is not None:
            self._note_what_waits(turn, record.call, escalation)

    def _note_what_waits(self, turn: Turn, call: Call, escalation: Escalation) -> None:
        """Note the start that waits for the escalation, and the leaving of a call on which nothing is left."""
        followers, start_id = self._publisher.followers, escalation.start_id
        if followers is None:
            return
        if start_id is not None and start_id in call.starts:
            name = f"start {start_id} {escalation.status}"
            turn.note(name, partial(followers.advance, turn, start_id))
        elif call.leave_afterwards and not call.has_ended and escalation.id not in call.escalations:
            turn.note(f"leave {call.call_id} {escalation.id}", partial(followers.nothing_left, turn, call.call_id))

    def _ask(self, turn: Turn, held: Held, invitation: Invitation, name: str) -> None:
        """Call the people of a step; no person is called after its end."""
        turn.taken.add(f"escalation {name}")  # what is learnt on the way, it acts on itself
        self._invitations.ask(turn, held, invitation, step=self._step_time(held.record, invitation, name))
        # Who writes down Graph's answers looks again: the step may have ended meanwhile.
        call_id = invitation.call_id
        self.save(turn, call_id, name, lambda record, now: answered(record, name, invitation.id, now))

    def _step_time(self, record: CallRecord, invitation: Invitation, name: str) -> StepTime:
        current = record.escalations[name].current
        ends, looked = current.ends if current is not None else self._now(), [self._now()]

        def is_running() -> bool:
            # One look is enough for what a request may begin; a message's run may wait for minutes.
            if self._now() < looked[-1] + BEGINS_WITHIN:
                return True
            looked.append(self._now())
            try:
                escalation = self.read(record.call_id, name).escalations.get(name)
            except StorageUnavailable:
                return False
            step = None if escalation is None or escalation.is_final else escalation.current
            return step is not None and step.invitation_id == invitation.id and self._now() < ends

        return StepTime(ends, is_running)

    def _cancel(self, turn: Turn, record: CallRecord, escalation: Escalation) -> None:
        mine = [one for one in escalation.cancelling if one.claim is not None and one.claim.owner == turn.me]
        outcome = self._canceller.cancel(turn, record, mine)
        call_id, name = escalation.call_id, escalation.id
        self.save(turn, call_id, name, lambda current, now: with_outcome(current, name, turn.me, outcome, now))

    def _post(self, turn: Turn, held: Held, escalation: Escalation, flow: WaitingFlow) -> None:
        result = self._delivery.send(
            turn, flow, lambda now: escalation_view(escalation, held.record, now, page_url=self._links.page)
        )

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


def _listed(record: CallRecord, name: str) -> CallRecord:
    """Keep in the call which escalations a report concerns, so that it need not search for them."""
    call, escalation = record.call, record.escalations[name]
    if call is None:
        return record
    opened = is_open(escalation, record)
    followed = not opened and not call.has_ended and may_still_join(escalation)
    listed = replace(
        call,
        escalations=_with(call.escalations, name, is_in=opened),
        escalated=_with(call.escalated, name, is_in=followed)[-_MOST_FOLLOWED:],
    )
    return record if listed == call else record.with_call(listed)


def _with(names: tuple[str, ...], name: str, *, is_in: bool) -> tuple[str, ...]:
    if is_in == (name in names):
        return names
    return (*names, name) if is_in else tuple(one for one in names if one != name)


def _log(updated: Updated, name: str, flow_run_id: str | None) -> None:
    before, after = updated.before.escalations.get(name), updated.after.escalations.get(name)
    if after is None:
        return
    known = {"escalation": name, "call": call_hash(after.call_id)}
    for begun in after.begun[len(before.begun) if before is not None else 0 :]:
        people = len(after.steps[begun.step - 1].people)
        _events.info("step begun", **known, round=begun.round, step=begun.step, people=people, flow_run_id=flow_run_id)
    if after.is_final and (before is None or not before.is_final):
        seconds = round((after.updated - after.created).total_seconds(), 1)
        _events.info("escalation ended", **known, status=after.status.value, seconds=seconds)
