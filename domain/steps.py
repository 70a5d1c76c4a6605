"""How an escalation advances: ``decide`` is its only transition.

It looks at what is stored (the escalation, the invitations of its steps, the call), so each reader of a step that is
won, lost or due acts on it, whichever run wrote that down. A step is begun by the one write that changes the
escalation and inserts the step's invitation; the write that begins or ends a step guards what it has read.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domain.call import Presence
from domain.contexts import invitation_id, part_context
from domain.escalation import (
    CANCEL_TRIES,
    THROTTLED_AGAIN,
    Begun,
    Cancelling,
    Escalation,
    EscalationStatus,
    StepStatus,
)
from domain.invitation import Alarm, Asked, Decider, Invitation, Invitee, KeyKind, Late, Operation, Refused, Status
from domain.results import ResultInfo
from domain.standing import presence_of
from domain.step_results import is_lost, is_won, joined_people, people_of
from domain.transitions import change_operations, concluded, taken_over, unanswered
from domain.waiting import CLAIM_MARGIN, Claim, claimed

if TYPE_CHECKING:
    from domain.progress import Run
    from domain.record import CallRecord

_NAMESPACE = uuid.UUID("6e0f7a51-6a0e-4a57-9f0f-3d1d5c1f6c77")

NOBODY_JOINED = ResultInfo(480, None, "No one joined in any step. Call other people, or raise Wait Seconds or Repeat.")
NOT_CALLED = ResultInfo(503, None, "This person was not called, because the step ended before.")
CALL_ENDED = ResultInfo(404, 8522, "The call ended before anybody joined. Start a new call, then call people again.")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a step's invitation needs besides its people."""

    me: str
    """The run that begins it."""
    now: datetime
    check_after: timedelta
    token: str
    """A fresh random token for an invitation."""


def decide(record: CallRecord, name: str, run: Run, rules: Rules) -> CallRecord:
    """Return the record with everything begun, ended, claimed or cancelled that is due for an escalation."""
    escalation = record.escalations.get(name)
    if escalation is None:
        return record
    if run.is_message:
        record = _asked_again(record, escalation, rules)
    escalation = _with_joined(escalation, record, rules.now)
    if not escalation.is_final:
        record, escalation = _advanced(record, escalation, rules)
    if record.call is not None and record.call.has_ended:
        escalation = replace(escalation, cancelling=())
    escalation = _claimed(escalation, run, rules.now)
    return _closed(record, escalation, rules.now).with_escalation(escalation)


def _advanced(record: CallRecord, escalation: Escalation, rules: Rules) -> tuple[CallRecord, Escalation]:
    """Return what the current step being won, lost or over makes of an open escalation."""
    now = rules.now
    if is_won(escalation):
        return record, _ended(escalation, record, EscalationStatus.COMPLETED, None, now)
    if record.call is not None and record.call.has_ended:
        return record, _ended(escalation, record, EscalationStatus.FAILED, CALL_ENDED, now)
    current = escalation.current
    if current is None:
        return _begin(record, escalation, (1, 1), rules)
    if not is_lost(escalation, record, now):
        return record, escalation
    escalation = _step_over(escalation, record, StepStatus.FAILED, now)
    if current.step < len(escalation.steps):
        return _begin(record, escalation, (current.round, current.step + 1), rules)
    if current.round <= escalation.repeat:
        return _begin(record, escalation, (current.round + 1, 1), rules)
    return record, _ended(escalation, record, EscalationStatus.FAILED, NOBODY_JOINED, now)


def stopped(record: CallRecord, name: str, now: datetime) -> CallRecord:
    """Return the record with an escalation stopped: no further person is called; one that is won or over stays so."""
    escalation = record.escalations.get(name)
    if escalation is None or escalation.is_final or is_won(_with_joined(escalation, record, now)):
        return record
    if record.call is not None and record.call.has_ended:
        return record
    return record.with_escalation(_ended(escalation, record, EscalationStatus.STOPPED, None, now))


def guarded(before: CallRecord, after: CallRecord, name: str) -> CallRecord:
    """Guard what the begin or the end of a step was decided by, so that a report in between makes it a conflict.

    What Graph itself has concluded can't change any more.
    """
    earlier, escalation = before.escalations.get(name), after.escalations.get(name)
    if escalation is None or (
        earlier is not None and (earlier.begun, earlier.status) == (escalation.begun, escalation.status)
    ):
        return after
    invitations = [before.invitations.get(begun.invitation_id or "") for begun in escalation.begun]
    ids = [one.id for one in invitations if one is not None and not all(map(_is_settled, one.operations))]
    return replace(after, guarded=tuple(ids), guards_call=True)


def _is_settled(operation: Operation) -> bool:
    return operation.decided_by is Decider.GRAPH


def answered(record: CallRecord, name: str, invitation: str, now: datetime) -> CallRecord:
    """Return the record after Graph's answers to a step's requests: if the step is over, its people are cancelled.

    Who has just been called isn't listed yet, so that the tries of the step's end don't count.
    """
    escalation = record.escalations.get(name)
    if escalation is None:
        return record
    over = [one for one in escalation.begun if one.invitation_id == invitation and one.ended is not None]
    busy = tuple(one for one in escalation.cancelling if one.invitation_id != invitation or one.claim is not None)
    anew = _to_cancel(replace(escalation, cancelling=busy), record, over, now)
    return record.with_escalation(replace(escalation, cancelling=(*busy, *anew))) if anew else record


def _with_joined(escalation: Escalation, record: CallRecord, now: datetime) -> Escalation:
    joined = joined_people(escalation, record)
    return escalation if joined == escalation.joined else replace(escalation, joined=joined, updated=now)


def _closed(record: CallRecord, escalation: Escalation, now: datetime) -> CallRecord:
    """End what was never sent in steps that are over."""

    def over(operation: Operation) -> Operation:
        state = operation.state
        is_unsent = isinstance(state, Late) or (isinstance(state, Refused) and not state.final)
        return concluded(operation, Status.FAILED, NOT_CALLED, now) if is_unsent else operation

    for begun in escalation.begun:
        invitation = record.invitations.get(begun.invitation_id or "")
        if begun.ended is not None and invitation is not None:
            record = record.with_invitation(change_operations(invitation, now, over))
    return record


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
    more = _to_cancel(escalation, record, list(escalation.begun), now)
    return replace(escalation, status=status, result=result, updated=now, cancelling=(*escalation.cancelling, *more))


def _to_cancel(escalation: Escalation, record: CallRecord, steps: list[Begun], now: datetime) -> tuple[Cancelling, ...]:
    """Return whose device may ring: Graph was asked, and the request has not ended."""
    known = {(one.invitation_id, one.person) for one in escalation.cancelling}
    found = []
    for begun in steps:
        invitation = record.invitations.get(begun.invitation_id or "")
        for operation in () if invitation is None else invitation.operations:
            for person in operation.people if isinstance(operation.state, Asked) else ():
                key = (begun.invitation_id or "", person)
                if key not in known:
                    known.add(key)
                    found.append(Cancelling(key[0], person, CANCEL_TRIES, now))
    return tuple(found)


def _begin(
    record: CallRecord, escalation: Escalation, place: tuple[int, int], rules: Rules
) -> tuple[CallRecord, Escalation]:
    """Begin a step, given as round and step: who is in the call already counts, and is not called."""
    (round_, step), now = place, rules.now
    ends = now + timedelta(seconds=escalation.steps[step - 1].wait_seconds)
    begun = Begun(round_, step, now, ends, None)
    people = people_of(escalation, begun)
    there = tuple(each for each, one in enumerate(people) if presence_of(record.call, one.id) is Presence.IN_CALL)
    begun = replace(begun, already_in=there)
    earlier = escalation.begun
    escalation = replace(escalation, begun=(*earlier, begun), updated=now)
    escalation = _with_joined(escalation, record, now)
    if is_won(escalation):
        return record, _ended(escalation, record, EscalationStatus.COMPLETED, None, now)
    called = tuple(one for each, one in enumerate(people) if each not in there)
    invitation = _invitation(escalation, called, place, rules)
    begun = replace(begun, invitation_id=invitation.id)
    return record.with_invitation(invitation), replace(escalation, begun=(*earlier, begun))


def _invitation(
    escalation: Escalation, people: tuple[Invitee, ...], place: tuple[int, int], rules: Rules
) -> Invitation:
    context, count = step_context(escalation.id, place), len(people)
    contexts = [part_context(context, number, count) for number in range(1, count + 1)] if count > 1 else [context]
    return Invitation(
        id=invitation_id(context),
        call_id=escalation.call_id,
        client_context=context,
        key_kind=KeyKind.FRESH,
        fingerprint="",
        participants=people,
        operations=tuple(Operation(one, (person,)) for person, one in enumerate(contexts)),
        created=rules.now,
        updated=rules.now,
        asked=rules.now,
        asked_by=rules.me,
        token=rules.token,
        alarm=Alarm("", rules.now + rules.check_after),
        watch_at=rules.now + rules.check_after,
        escalation_id=escalation.id,
    )


def step_context(escalation_id: str, place: tuple[int, int]) -> str:
    """Return the ``clientContext`` of a step, given as round and step: the same whatever is repeated."""
    return str(uuid.uuid5(_NAMESPACE, f"{escalation_id}/{place[0]}/{place[1]}"))


def _asked_again(record: CallRecord, escalation: Escalation, rules: Rules) -> CallRecord:
    """Take over what was not begun, and ask again whom Graph had no time for, while the step runs."""
    current, now = escalation.current, rules.now
    invitation = None if current is None else record.invitations.get(current.invitation_id or "")
    if current is None or invitation is None or escalation.is_final or now >= current.ends:
        return record
    is_throttled = any(isinstance(one.state, Refused) and not one.state.final for one in invitation.operations)
    if is_throttled and now >= invitation.updated + THROTTLED_AGAIN:
        operations = map(_anew, invitation.operations)
        watch_at = now + rules.check_after
        return record.with_invitation(
            replace(invitation, operations=tuple(operations), asked_by=rules.me, updated=now, watch_at=watch_at)
        )
    return record.with_invitation(taken_over(invitation, rules.me, now))


def _anew(operation: Operation) -> Operation:
    """Return a request that is about to be sent; another run's without an answer counts as asked."""
    match operation.state:
        case Late() | Refused(final=False):
            return Operation(operation.client_context, operation.people)
        case _:
            return unanswered(operation)


def _claimed(escalation: Escalation, run: Run, now: datetime) -> Escalation:
    """Claim what is due for this run: cancelling, and the POSTs of an outcome."""
    if now < run.post_begins_before:
        claim = Claim(run.me, run.post_limit + CLAIM_MARGIN)
        cancelling = tuple(replace(one, claim=claim) if one.is_due(now) else one for one in escalation.cancelling)
        escalation = escalation if cancelling == escalation.cancelling else replace(escalation, cancelling=cancelling)
    if not escalation.is_final:
        return escalation
    until = min(run.post_begins_before, now + timedelta(seconds=2))
    flows = tuple(
        claimed(flow, run.me, run.post_limit) if now < until and flow.may_be_claimed(now, until=until) else flow
        for flow in escalation.flows
    )
    return escalation if flows == escalation.flows else replace(escalation, flows=flows)
