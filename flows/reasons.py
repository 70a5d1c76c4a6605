"""The sentence for a maker: what happened to a person or an invitation, and what to do. The same one everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.inference import CANCELLED
from domain.invitation import Decider, Late, Refused, Status
from flows.advice import advice_for_outcome

if TYPE_CHECKING:
    from domain.call import Call
    from domain.invitation import Invitation, Operation
    from domain.standing import Standing

JOINED = "Joined the call."
_IN_LOBBY = "Waits in the lobby of the call. Ask someone in the call to admit them."
_UNCONFIRMED = (
    "Microsoft Graph completed the request for several people at once and has not shown this person in the call. "
    "Check who is in the call, or invite people one by one with separately."
)
_HIDDEN = (
    "Microsoft Graph completed the request, and the call hides who is in it. "
    "Check who is in the call, or invite people one by one with separately."
)
_LATE = "The app has not sent this request to Microsoft Graph yet and does so in a moment. Wait for the outcome."
_FAILED = (
    "The invitation failed, and Microsoft Graph gave no reason. Try again, or try another way to reach the person."
)
_NEVER_CONFIRMED = "Microsoft Graph never confirmed this person. Check who is in the call before you invite them again."


def person_reason(current: Standing, person: int, call: Call | None) -> str | None:
    """Return the sentence about one person; None where there is nothing to explain."""
    status, operation = current.people[person], current.operations[person]
    if status is Status.UNCONFIRMED:
        return _HIDDEN if call is not None and call.hides_identities else _UNCONFIRMED
    if status is Status.FAILED:
        return CANCELLED.message if person_was_cancelled(operation, person) else _failure(operation)
    if status is Status.NOT_STARTED:
        return _LATE if isinstance(operation.state, Late) else _own_words(operation) or _LATE
    return None


def person_message(current: Standing, person: int, call: Call | None) -> str:
    """Return the sentence about one person also where all is well, for the details of a failed invitation."""
    reason = person_reason(current, person, call)
    return reason or (JOINED if current.presence[person].value != "inLobby" else _IN_LOBBY)


def invitation_reason(invitation: Invitation, current: Standing, call: Call | None) -> str | None:
    """Return the sentence about an invitation; None where there is nothing to explain."""
    reasons = [person_reason(current, person, call) for person in range(len(invitation.participants))]
    first = next((reason for reason in reasons if reason is not None), None)
    if current.status is Status.PARTIALLY_COMPLETED:
        came = sum(status is Status.COMPLETED for status in current.people)
        return (
            f"{came} of {len(current.people)} people came. "
            "Look at the status and the reason of each participant for the others."
        )
    if current.status is Status.COMPLETED and Status.UNCONFIRMED not in current.people:
        return None
    if current.status is Status.RUNNING:
        return None
    return first


def person_was_cancelled(operation: Operation, person: int) -> bool:
    """Return whether the call to a person was cancelled, and Graph has reported nothing else since."""
    return person in operation.cancelled and operation.decided_by is not Decider.GRAPH


def _failure(operation: Operation) -> str:
    if operation.decided_by is not Decider.GRAPH:
        partly = operation.status is Status.COMPLETED
        return _NEVER_CONFIRMED if partly else (_own_words(operation) or _FAILED)
    return advice_for_outcome(operation.result)


def _own_words(operation: Operation) -> str | None:
    """Return the sentence that this app has stored with a refusal or with what it inferred."""
    is_own = isinstance(operation.state, Refused) or operation.decided_by is Decider.WATCHDOG
    return operation.result.message if is_own and operation.result is not None else None
