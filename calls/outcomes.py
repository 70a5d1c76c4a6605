"""Where the people of a start stand, and what that makes of the start: pure functions of what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.call import CallKind, Presence
from domain.contexts import invitation_id
from domain.invitation import Decider, Late, Status
from domain.roster import identity_hash
from domain.standing import presence_of, result_of, standing
from domain.start import GROUP_SETTLES, InCall, Over, Start, StartStatus
from escalation.views import people_of_all

if TYPE_CHECKING:
    from datetime import datetime

    from domain.call import Call
    from domain.escalation import Escalation
    from domain.invitation import Invitation, Operation
    from domain.record import CallRecord
    from domain.results import ResultInfo
    from domain.standing import Standing

_BUSY = (429, 503)


def invitation_of(start: Start, record: CallRecord | None) -> Invitation | None:
    """Return the invitation that followed from a start, if it was read."""
    return None if record is None else record.invitations.get(invitation_id(start.invitation_context))


def escalation_of(start: Start, record: CallRecord | None) -> Escalation | None:
    """Return the escalation that followed from a start, if it was read."""
    return None if record is None else record.escalations.get(start.escalation_id or "")


def people_in_steps(start: Start, record: CallRecord | None, now: datetime) -> list[dict[str, Any] | None]:
    """Return each person of a start with steps as their steps show them; None for who was not called."""
    escalation = escalation_of(start, record)
    found = {} if escalation is None or record is None else people_of_all(escalation, record, now)
    return [found.get(_name(invitee.kind, invitee.id)) for invitee in start.participants]


def people_of(start: Start, record: CallRecord | None, now: datetime) -> list[Status]:
    """Return where each of a start's people stands."""
    call = record.call if record is not None else None
    if start.steps:
        views = people_in_steps(start, record, now)
        return [Status.NOT_STARTED if one is None else Status(one["status"]) for one in views]
    if start.calls_targets:
        return [_target_status(start, call, person, now) for person in range(len(start.participants))]
    invitation = invitation_of(start, record)
    if invitation is None:
        was_begun = isinstance(start.stage, InCall) and start.stage.invited is not None
        is_done = isinstance(start.stage, Over) and start.stage.status is StartStatus.COMPLETED
        # Without an invitation everybody was in the call already, or nothing has been begun.
        return [Status.COMPLETED if was_begun or is_done else Status.NOT_STARTED] * len(start.participants)
    current = standing(invitation, call, now)
    place = {_name(invitee.kind, invitee.id): index for index, invitee in enumerate(invitation.participants)}
    people = []
    for invitee in start.participants:
        person = place.get(_name(invitee.kind, invitee.id))
        status = Status.COMPLETED if person is None else current.people[person]
        was_called = person is None or not was_too_busy(current.operations[person])
        people.append(status if was_called else Status.NOT_STARTED)
    return people


def was_too_busy(operation: Operation) -> bool:
    """Return whether Graph was too busy to take an operation, so that no person was called."""
    result = operation.result
    return operation.id is None and operation.decided_by is not Decider.GRAPH and _is_busy(result)


def _is_busy(result: ResultInfo | None) -> bool:
    return result is not None and result.code in _BUSY


def standing_of(start: Start, record: CallRecord | None, now: datetime) -> tuple[Standing, list[int | None]] | None:
    """Return the invitation's standing, and which of its people each of the start's people is."""
    invitation = invitation_of(start, record)
    if invitation is None or record is None:
        return None
    place = {_name(invitee.kind, invitee.id): index for index, invitee in enumerate(invitation.participants)}
    indexes = [place.get(_name(invitee.kind, invitee.id)) for invitee in start.participants]
    return standing(invitation, record.call, now), indexes


def outcome_of(start: Start, record: CallRecord, now: datetime) -> StartStatus | None:
    """Return the status of a start whose people have all ended; None while one has not."""
    if start.steps:
        escalation = escalation_of(start, record)
        return None if escalation is None or not escalation.is_final else StartStatus(escalation.status.value)
    kinds = set(people_of(start, record, now))
    invitation = invitation_of(start, record)
    is_late = invitation is not None and any(isinstance(one.state, Late) for one in invitation.operations)
    if Status.RUNNING in kinds or is_late or (invitation is None and Status.NOT_STARTED in kinds):
        return None
    if not kinds or kinds in ({Status.COMPLETED}, {Status.UNCONFIRMED}):
        return StartStatus.COMPLETED
    # Graph was too busy to call who is not started, for as long as that is tried again.
    return StartStatus.FAILED if kinds <= {Status.FAILED, Status.NOT_STARTED} else StartStatus.PARTIALLY_COMPLETED


def result_of_outcome(start: Start, record: CallRecord | None, status: StartStatus) -> ResultInfo | None:
    """Return the result of a start that ends with the outcome of its people."""
    invitation, escalation = invitation_of(start, record), escalation_of(start, record)
    if escalation is not None:
        return escalation.result
    if invitation is not None:
        return result_of(invitation.operations)
    return record.call.result if status is StartStatus.FAILED and record is not None and record.call else None


def status_of(start: Start, record: CallRecord | None, now: datetime) -> StartStatus:
    """Return the status of a start, computed from the same stored times by every reader."""
    call = record.call if record is not None else None
    match start.stage:
        case Over(status=status):
            return status
        case InCall() as stage if record is not None and call is not None and call.established_at is not None:
            was_begun = stage.invited is not None or not start.participants
            return (outcome_of(start, record, now) if was_begun else None) or StartStatus.RUNNING
        case _:
            return StartStatus.STARTING


def _target_status(start: Start, call: Call | None, person: int, now: datetime) -> Status:
    """Return where a person stands whom the create itself has called: they have no operation of their own."""
    if call is None:
        # The create may have called them from the moment on that Graph was asked.
        return Status.FAILED if start.is_final else Status.RUNNING
    if call.kind is CallKind.ONE_TO_ONE:
        if call.established_at is not None:
            return Status.COMPLETED
        return Status.FAILED if call.has_ended else Status.RUNNING
    presence = presence_of(call, start.participants[person].id)
    if presence.has_answered:
        return Status.COMPLETED
    # What is unconfirmed stays so at the call's end.
    until = now if call.ended_at is None else min(now, call.ended_at)
    if call.established_at is not None and until >= call.established_at + GROUP_SETTLES:
        return Status.UNCONFIRMED
    return Status.FAILED if call.has_ended else Status.RUNNING


def is_in_call(call: Call | None, identity_id: str) -> bool:
    """Return whether a person is in the call, not only in its lobby."""
    return presence_of(call, identity_id) is Presence.IN_CALL


def _name(kind: str, identity_id: str) -> tuple[str, str]:
    return kind, identity_hash(identity_id)
