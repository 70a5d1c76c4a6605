"""How an escalation advances: ``decide`` is its only transition.

It looks at what is stored (the escalation, the invitations of its steps, the call), so whoever reads that a step is
won, lost or due acts on it, whoever wrote that down. A step is begun by the one write that changes the escalation and
inserts the step's invitation; the write that ends a step guards the rows it read.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domain.call import Presence
from domain.contexts import invitation_id, part_context
from domain.escalation import (
    CANCEL_LIMIT,
    CANCEL_TRIES,
    THROTTLED_AGAIN,
    Begun,
    Cancelling,
    Escalation,
    EscalationStatus,
    Joined,
    StepStatus,
    StopWhen,
)
from domain.invitation import Alarm, Invitation, Invitee, KeyKind, Late, Operation, Refused, Status
from domain.results import ResultInfo
from domain.standing import presence_of
from domain.transitions import asked_again, change_operations, concluded, taken_over
from domain.waiting import Claim, claimed

if TYPE_CHECKING:
    from domain.progress import Run
    from domain.record import CallRecord

_NAMESPACE = uuid.UUID("6e0f7a51-6a0e-4a57-9f0f-3d1d5c1f6c77")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a step's invitation needs besides its people."""

    me: str
    """The run that begins it."""
    now: datetime

    check_after: timedelta
    token: str
    """A fresh random token for an invitation."""


def decide(record: CallRecord, name: str, run: Run, now: datetime, rules: Rules) -> CallRecord:
    """Return the record with everything begun, ended, claimed or cancelled that is due for an escalation."""
    escalation = record.escalations.get(name)
    if escalation is None:
        return record
    if run.is_message:
        record = _asked_again(record, escalation, run, now)
    escalation = replace(escalation, joined=_joined(escalation, record))
    if not escalation.is_final:
        record, escalation = _advanced(record, escalation, rules)
    escalation = _claimed(escalation, run, now)
    return _closed(record, escalation, now).with_escalation(escalation)


def _advanced(record: CallRecord, escalation: Escalation, rules: Rules) -> tuple[CallRecord, Escalation]:
    """Return what the current step being won, lost or over makes of an open escalation."""
    now = rules.now
    if _is_won(escalation):
        return _guarded(record, escalation), _ended(escalation, record, EscalationStatus.COMPLETED, None, now)
    if record.call is not None and record.call.has_ended:
        return record, _ended(escalation, record, EscalationStatus.FAILED, CALL_ENDED, now)
    current = escalation.current
    if current is None:
        return _begin(record, escalation, (1, 1), rules)
    if not is_lost(escalation, record, now):
        return record, escalation
    record = _guarded(record, escalation)
    escalation = _step_over(escalation, record, StepStatus.FAILED, now)
    if current.step < len(escalation.steps):
        return _begin(record, escalation, (current.round, current.step + 1), rules)
    if current.round <= escalation.repeat:
        return _begin(record, escalation, (current.round + 1, 1), rules)
    return record, _ended(escalation, record, EscalationStatus.FAILED, NOBODY_JOINED, now)


NOBODY_JOINED = ResultInfo(
    480, None, "Nobody joined in any step. Call other people, or set more rounds or a longer wait."
)
NOT_CALLED = ResultInfo(503, None, "This person was not called, because the step ended before.")
CALL_ENDED = ResultInfo(404, 8522, "The call ended before anybody joined. Start a new call, then escalate again.")


def _closed(record: CallRecord, escalation: Escalation, now: datetime) -> CallRecord:
    """End what was never sent in steps that are over."""

    def over(operation: Operation) -> Operation:
        is_unsent = isinstance(operation.state, Late) or (
            isinstance(operation.state, Refused) and not operation.state.final
        )
        return concluded(operation, Status.FAILED, NOT_CALLED, now) if is_unsent else operation

    for begun in escalation.begun:
        invitation = record.invitations.get(begun.invitation_id or "")
        if begun.ended is not None and invitation is not None:
            record = record.with_invitation(change_operations(invitation, now, over))
    return record


def stopped(record: CallRecord, name: str, now: datetime) -> CallRecord:
    """Return the record with an escalation stopped: nobody further is called; a final one stays as it is."""
    escalation = record.escalations.get(name)
    if escalation is None or escalation.is_final:
        return record
    return record.with_escalation(_ended(escalation, record, EscalationStatus.STOPPED, None, now))


def is_lost(escalation: Escalation, record: CallRecord, now: datetime) -> bool:
    """Return whether the current step can no longer be won, or its time is over."""
    current = escalation.current
    if current is None or now >= current.ends:
        return True
    statuses = statuses_of(escalation, current, record)
    failed = [status is Status.FAILED for status in statuses]
    return any(failed) if escalation.stop_when is StopWhen.WHOLE_STEP_JOINS else all(failed)


def statuses_of(escalation: Escalation, begun: Begun, record: CallRecord) -> list[Status]:
    """Return where each person of a step stands; each has a Graph request of their own."""
    invitation = record.invitations.get(begun.invitation_id or "")
    people = escalation.steps[begun.step - 1].people
    found, index = [], 0
    for person in range(len(people)):
        if person in begun.already_in:
            found.append(Status.COMPLETED)
            continue
        found.append(Status.RUNNING if invitation is None else invitation.operations[index].status)
        index += 1
    return found


def _joined(escalation: Escalation, record: CallRecord) -> tuple[Joined, ...]:
    """Return who has joined, in the order in which it became known: completed, in the call, or in it before."""
    joined = list(escalation.joined)
    known = {(one.step, one.person) for one in joined}
    for begun in escalation.begun:
        statuses = statuses_of(escalation, begun, record)
        for person, invitee in enumerate(escalation.steps[begun.step - 1].people):
            is_in = presence_of(record.call, invitee.id) is Presence.IN_CALL
            has_joined = person in begun.already_in or is_in or _has_completed(record, begun, statuses, person, invitee)
            if has_joined and (begun.step, person) not in known:
                known.add((begun.step, person))
                joined.append(Joined(begun.round, begun.step, person))
    return tuple(joined)


def _has_completed(record: CallRecord, begun: Begun, statuses: list[Status], person: int, invitee: Invitee) -> bool:
    """Return whether a person's operation has completed; the lobby alone is not the call."""
    if statuses[person] is not Status.COMPLETED or begun.invitation_id is None:
        return False
    return presence_of(record.call, invitee.id) is not Presence.IN_LOBBY


def _is_won(escalation: Escalation) -> bool:
    joined = {(one.step, one.person) for one in escalation.joined}
    if escalation.stop_when is StopWhen.ANYONE_JOINS:
        return bool(joined)
    steps = {begun.step for begun in escalation.begun}
    return any(
        all((step, person) in joined for person in range(len(escalation.steps[step - 1].people))) for step in steps
    )


def _guarded(record: CallRecord, escalation: Escalation) -> CallRecord:
    """Guard the rows of the current step, so that a report that comes between makes the write a conflict."""
    current = escalation.current
    ids = () if current is None or current.invitation_id is None else (current.invitation_id,)
    return replace(record, guarded=(*record.guarded, *ids))


def _step_over(escalation: Escalation, record: CallRecord, status: StepStatus, now: datetime) -> Escalation:
    """End the current step; who has not ended in it is to be cancelled if their device rings."""
    current = escalation.current
    if current is None or current.ended is not None:
        return escalation
    over = replace(current, ended=now, status=status)
    return replace(
        escalation,
        begun=(*escalation.begun[:-1], over),
        cancelling=(*escalation.cancelling, *_to_cancel(escalation, record, [current], now)),
        updated=now,
    )


def _ended(
    escalation: Escalation, record: CallRecord, status: EscalationStatus, result: ResultInfo | None, now: datetime
) -> Escalation:
    won = status is EscalationStatus.COMPLETED
    escalation = _step_over(escalation, record, StepStatus.COMPLETED if won else StepStatus.FAILED, now)
    late = [] if record.call is not None and record.call.has_ended else list(escalation.begun)
    more = _to_cancel(escalation, record, late, now)
    return replace(escalation, status=status, result=result, updated=now, cancelling=(*escalation.cancelling, *more))


def _to_cancel(escalation: Escalation, record: CallRecord, steps: list[Begun], now: datetime) -> tuple[Cancelling, ...]:
    known = {(one.invitation_id, one.person) for one in escalation.cancelling}
    found = []
    for begun in steps:
        invitation = record.invitations.get(begun.invitation_id or "")
        for operation in () if invitation is None else invitation.operations:
            for person in operation.people:
                key = (begun.invitation_id or "", person)
                if not operation.status.is_final and not isinstance(operation.state, Late) and key not in known:
                    known.add(key)
                    found.append(Cancelling(key[0], person, CANCEL_TRIES, now))
    return tuple(found)


def _begin(
    record: CallRecord, escalation: Escalation, place: tuple[int, int], rules: Rules
) -> tuple[CallRecord, Escalation]:
    """Begin a step, given as round and step: who is in the call already counts, and is not called."""
    (round_, step), now = place, rules.now
    people = escalation.steps[step - 1].people
    there = tuple(each for each, one in enumerate(people) if presence_of(record.call, one.id) is Presence.IN_CALL)
    called = tuple(one for each, one in enumerate(people) if each not in there)
    ends = now + timedelta(seconds=escalation.steps[step - 1].wait_seconds)
    invitation = _invitation(escalation, called, place, rules) if called else None
    begun = Begun(round_, step, now, ends, None if invitation is None else invitation.id, there)
    escalation = replace(escalation, begun=(*escalation.begun, begun), updated=now)
    if invitation is not None:
        record = record.with_invitation(invitation)
    escalation = replace(escalation, joined=_joined(escalation, record))
    if _is_won(escalation):
        return record, _ended(escalation, record, EscalationStatus.COMPLETED, None, now)
    return record, escalation


def _invitation(
    escalation: Escalation, people: tuple[Invitee, ...], place: tuple[int, int], rules: Rules
) -> Invitation:
    context = str(uuid.uuid5(_NAMESPACE, f"{escalation.id}/{place[0]}/{place[1]}"))
    contexts = (
        (context,)
        if len(people) == 1
        else tuple(part_context(context, number, len(people)) for number in range(1, len(people) + 1))
    )
    return Invitation(
        id=invitation_id(context),
        call_id=escalation.call_id,
        client_context=context,
        key_kind=KeyKind.FRESH,
        fingerprint="",
        participants=people,
        operations=tuple(Operation(one, (place,)) for place, one in enumerate(contexts)),
        created=rules.now,
        updated=rules.now,
        asked=rules.now,
        asked_by=rules.me,
        token=rules.token,
        alarm=Alarm("", rules.now + rules.check_after),
        watch_at=rules.now + rules.check_after,
        escalation_id=escalation.id,
    )


def _asked_again(record: CallRecord, escalation: Escalation, run: Run, now: datetime) -> CallRecord:
    """Take over what was not begun, and ask again whom Graph had no time for, while the step runs."""
    current = escalation.current
    invitation = None if current is None else record.invitations.get(current.invitation_id or "")
    if invitation is None or escalation.is_final or (current is not None and now >= current.ends):
        return record
    invitation = taken_over(invitation, run.me, now)
    throttled = any(isinstance(one.state, Refused) and not one.state.final for one in invitation.operations)
    if throttled and now >= invitation.asked + THROTTLED_AGAIN:
        invitation = asked_again(invitation, now, run.me)
    return record.with_invitation(invitation)


def _claimed(escalation: Escalation, run: Run, now: datetime) -> Escalation:
    """Claim what is due for this run: cancelling, and the POSTs of an outcome."""
    if now < run.post_begins_before:
        cancelling = tuple(
            replace(one, claim=Claim(run.me, now + CANCEL_LIMIT)) if _is_due(one, now) else one
            for one in escalation.cancelling
        )
        if cancelling != escalation.cancelling:
            escalation = replace(escalation, cancelling=cancelling)
    if not escalation.is_final:
        return escalation
    until = min(run.post_begins_before, now + timedelta(seconds=2))
    flows = tuple(
        claimed(flow, run.me, run.post_limit) if now < until and flow.may_be_claimed(now, until=until) else flow
        for flow in escalation.flows
    )
    return escalation if flows == escalation.flows else replace(escalation, flows=flows)


def _is_due(one: Cancelling, now: datetime) -> bool:
    return one.not_before <= now and (one.claim is None or one.claim.until <= now)
