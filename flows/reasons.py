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
IN_LOBBY = "The person waits in the lobby. Ask someone in the call to admit them."
_UNCONFIRMED = (
    "Microsoft Graph reported success for several people together, and this person hasn't been seen in the call. "
    "Check List people in a call, or invite people separately."
)
_ALL_UNCONFIRMED = (
    "Microsoft Graph reported success for several people together, and hasn't shown in the call who of them joined. "
    "Check List people in a call, or invite people separately."
)
_HIDDEN = (
    "Microsoft Graph reported success, but the call hides who is in it. "
    "Ask someone in the call, or invite people separately."
)
_EACH = "Check the reason of each person."
_LATE = "The app has not sent this request to Microsoft Graph yet. It does so in a moment: wait for the outcome."
_NEVER_CONFIRMED = (
    "Microsoft Graph never confirmed this person, who may have been called. "
    "Check List people in a call before you invite them again."
)


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
    return reason or (JOINED if current.presence[person].value != "inLobby" else IN_LOBBY)


def invitation_reason(invitation: Invitation, current: Standing, call: Call | None) -> str | None:
    """Return the sentence about an invitation; None where there is nothing to explain."""
    if current.status is Status.RUNNING:
        return None
    reasons = [person_reason(current, person, call) for person in range(len(invitation.participants))]
    different = dict.fromkeys(reason for reason in reasons if reason is not None)
    if current.status is Status.PARTIALLY_COMPLETED:
        accepted = sum(status is Status.COMPLETED for status in current.people)
        return f"{accepted} of {len(reasons)} people accepted the call. {_EACH}"
    if current.status is Status.COMPLETED and len(reasons) > 1 and different:
        return _HIDDEN if _HIDDEN in different else _ALL_UNCONFIRMED
    if current.status is Status.FAILED and len(different) > 1:
        return f"None of the {len(reasons)} people accepted the call. {_EACH}"
    return next(iter(different), None)


def person_was_cancelled(operation: Operation, person: int) -> bool:
    """Return whether the call to a person was cancelled, and Graph has reported nothing else since."""
    return person in operation.cancelled and operation.decided_by is not Decider.GRAPH


def _failure(operation: Operation) -> str:
    if operation.decided_by is not Decider.GRAPH:
        partly = operation.status is Status.COMPLETED
        return _NEVER_CONFIRMED if partly else (_own_words(operation) or advice_for_outcome(None))
    return advice_for_outcome(operation.result)


def _own_words(operation: Operation) -> str | None:
    """Return the sentence that this app has stored with a refusal or with what it inferred."""
    is_own = isinstance(operation.state, Refused) or operation.decided_by is Decider.WATCHDOG
    return operation.result.message if is_own and operation.result is not None else None
