"""Escalations as this app's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.escalation import Begun, Escalation, EscalationStatus, StepStatus
from domain.invitation import Status
from domain.roster import identity_hash
from domain.standing import presence_of, standing
from domain.step_results import joined_people
from flows.views import invitee_view, iso_time, person_view

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.call import Call
    from domain.invitation import Invitee
    from domain.record import CallRecord

    PageUrl = Callable[[Call | None], str | None]

ALREADY_IN = "Was in the call already, so this person was not called."
_NOT_CALLED = "This person was not called, because the escalation ended before."
_STOPPED = "The escalation was stopped. Escalate again to call the people who have not joined."


def escalation_view(escalation: Escalation, record: CallRecord, now: datetime, *, page_url: PageUrl) -> dict[str, Any]:
    """Return an escalation as a flow sees it; its steps as they stand in the current round.

    Args:
        escalation: as stored.
        record: its call with all invitations.
        now: the time for which it is computed.
        page_url: returns the URL of a call's page.
    """
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
            {"identity": _identity(escalation, one.step, one.person), "round": one.round, "step": one.step}
            for one in joined_people(escalation, record)
        ],
        "steps": [_step_view(escalation, step, record, now) for step in range(1, len(escalation.steps) + 1)],
        "pageUrl": page_url(record.call),
        "createdDateTime": iso_time(escalation.created),
        "lastUpdatedDateTime": iso_time(escalation.updated),
    }


def reason_of(escalation: Escalation) -> str | None:
    """Return the sentence about an escalation; None where there is nothing to explain."""
    if escalation.status is EscalationStatus.STOPPED:
        return _STOPPED
    return escalation.result.message if escalation.result is not None else None


def step_people(escalation: Escalation, begun: Begun, record: CallRecord, now: datetime) -> list[dict[str, Any]]:
    """Return the people of a step that was begun, each as an invitation's."""
    invitation = record.invitations.get(begun.invitation_id or "")
    current = None if invitation is None else standing(invitation, record.call, now)
    people, index = [], 0
    for person, invitee in enumerate(escalation.steps[begun.step - 1].people):
        if person in begun.already_in:
            view = _not_called(invitee, record, ALREADY_IN) | {"status": Status.COMPLETED.value}
        elif current is None:
            view = _not_called(invitee, record, _NOT_CALLED)
        else:
            view = person_view(invitee, index, current, record.call)
            index += 1
        people.append(view)
    return people


def people_of_all(escalation: Escalation, record: CallRecord, now: datetime) -> dict[tuple[str, str], dict[str, Any]]:
    """Return everybody who was called or counted, by kind and id: as they were reached, else as called last."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for begun in escalation.begun:
        views = step_people(escalation, begun, record, now)
        for invitee, view in zip(escalation.steps[begun.step - 1].people, views, strict=True):
            name = (invitee.kind, identity_hash(invitee.id))
            if name not in found or found[name]["status"] != Status.COMPLETED:
                found[name] = view
    return found


def _identity(escalation: Escalation, step: int, person: int) -> dict[str, Any]:
    invitee = escalation.steps[step - 1].people[person]
    return {invitee.kind: dict(invitee.identity)}


def _begun(escalation: Escalation, step: int) -> Begun | None:
    current = escalation.current
    if current is None:
        return None
    return next((one for one in escalation.begun if (one.round, one.step) == (current.round, step)), None)


def _step_view(escalation: Escalation, step: int, record: CallRecord, now: datetime) -> dict[str, Any]:
    begun, people = _begun(escalation, step), escalation.steps[step - 1].people
    view = {
        "status": (StepStatus.SKIPPED if escalation.is_final else StepStatus.NOT_STARTED).value,
        "waitSeconds": escalation.steps[step - 1].wait_seconds,
        "startedDateTime": None,
        "endedDateTime": None,
        "invitationId": None,
    }
    if begun is None:
        reason = _NOT_CALLED if escalation.is_final else None
        return view | {"participants": [_not_called(one, record, reason) for one in people]}
    return view | {
        "status": begun.status.value,
        "startedDateTime": iso_time(begun.started),
        "endedDateTime": iso_time(begun.ended) if begun.ended is not None else None,
        "invitationId": begun.invitation_id,
        "participants": step_people(escalation, begun, record, now),
    }


def _not_called(invitee: Invitee, record: CallRecord, reason: str | None) -> dict[str, Any]:
    return invitee_view(invitee) | {
        "operationId": None,
        "status": Status.NOT_STARTED.value,
        "reason": reason,
        "resultInfo": None,
        "presence": presence_of(record.call, invitee.id).value,
    }
