"""Escalations as this app's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.escalation import Begun, Escalation, EscalationStatus, StepStatus
from domain.invitation import Status
from domain.standing import presence_of, standing
from flows.reasons import person_reason
from flows.views import iso_time

if TYPE_CHECKING:
    from datetime import datetime

    from domain.invitation import Invitee
    from domain.record import CallRecord

_ALREADY_IN = "Was in the call already, so this person was not called."
_STOPPED = "The escalation was stopped. Escalate again to call the people who have not joined."


def escalation_view(escalation: Escalation, record: CallRecord, now: datetime) -> dict[str, Any]:
    """Return an escalation as a flow sees it; its steps as they stand in the current round."""
    current = escalation.current
    return {
        "id": escalation.id,
        "callId": escalation.call_id,
        "clientContext": escalation.client_context,
        "status": escalation.status.value,
        "reason": reason_of(escalation),
        "stopWhen": escalation.stop_when.value,
        "round": 1 if current is None else current.round,
        "currentStep": 1 if current is None else current.step,
        "joined": [
            {
                "identity": _identity(escalation, one.step, one.person),
                "round": one.round,
                "step": one.step,
            }
            for one in escalation.joined
        ],
        "steps": [_step_view(escalation, step, record, now) for step in range(1, len(escalation.steps) + 1)],
        "createdDateTime": iso_time(escalation.created),
        "lastUpdatedDateTime": iso_time(escalation.updated),
    }


def reason_of(escalation: Escalation) -> str | None:
    """Return the sentence about an escalation; None where there is nothing to explain."""
    if escalation.status is EscalationStatus.STOPPED:
        return _STOPPED
    return escalation.result.message if escalation.result is not None else None


def _identity(escalation: Escalation, step: int, person: int) -> dict[str, Any]:
    invitee = escalation.steps[step - 1].people[person]
    return {invitee.kind: dict(invitee.identity)}


def _begun(escalation: Escalation, step: int) -> Begun | None:
    current = escalation.current
    if current is None:
        return None
    return next((one for one in escalation.begun if (one.round, one.step) == (current.round, step)), None)


def _step_view(escalation: Escalation, step: int, record: CallRecord, now: datetime) -> dict[str, Any]:
    begun = _begun(escalation, step)
    status = begun.status if begun is not None else StepStatus.NOT_STARTED
    if begun is None and escalation.is_final:
        status = StepStatus.SKIPPED
    return {
        "status": status.value,
        "waitSeconds": escalation.steps[step - 1].wait_seconds,
        "startedDateTime": iso_time(begun.started) if begun is not None else None,
        "endedDateTime": iso_time(begun.ended) if begun is not None and begun.ended is not None else None,
        "invitationId": begun.invitation_id if begun is not None else None,
        "participants": [
            _person_view(invitee, person, begun, record, now)
            for person, invitee in enumerate(escalation.steps[step - 1].people)
        ],
    }


def _person_view(
    invitee: Invitee, person: int, begun: Begun | None, record: CallRecord, now: datetime
) -> dict[str, Any]:
    view: dict[str, Any] = {
        "identity": {invitee.kind: dict(invitee.identity)},
        "operationId": None,
        "status": Status.NOT_STARTED.value,
        "reason": None,
        "resultInfo": None,
        "presence": presence_of(record.call, invitee.id).value,
    }
    if begun is None:
        return view
    if person in begun.already_in:
        return view | {"status": Status.COMPLETED.value, "reason": _ALREADY_IN}
    invitation = record.invitations.get(begun.invitation_id or "")
    if invitation is None:
        return view
    index = person - sum(one < person for one in begun.already_in)
    current = standing(invitation, record.call, now)
    return view | {
        "operationId": invitation.operations[index].id,
        "status": current.people[index].value,
        "reason": person_reason(current, index, record.call),
    }
