"""What Graph answered to the requests of an invitation, as changes of its state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from domain.invitation import Refused
from domain.record import OperationEntry
from domain.transitions import apply_graph_state, not_begun, refused, unanswered, with_operations
from invite.refusals import result_of_refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.invitation import Invitation
    from domain.record import CallRecord
    from invite.sending import Sent


def apply_answers(
    invitation: Invitation, me: str, sent: Sequence[Sent], now: datetime, *, is_later: bool = False
) -> Invitation:
    """Return the invitation with what became of the Graph requests that a run has sent.

    Args:
        invitation: as it stands.
        me: the run.
        sent: what became of each request.
        now: the time.
        is_later: the request that asked for them has had its response already.
    """
    any_taken = is_later or not all(entry.was_refused for entry in sent) or was_taken(invitation, besides=sent)
    operations = list(invitation.operations)
    for entry in sent:
        operation = operations[entry.place]
        if entry.answer is not None:
            operation = apply_graph_state(operation, entry.answer, now)
        elif invitation.asked_by != me:
            continue  # another run has taken it over
        elif not entry.was_begun:
            operation = not_begun(operation)
        elif entry.was_refused and entry.error is not None:
            # Nothing sends a part again by itself once the flow got 202, so that part has failed; a step does.
            is_alone = not any_taken or invitation.escalation_id is not None
            final = not (is_alone and entry.may_be_repeated_soon)
            operation = refused(operation, result_of_refusal(entry.error), final=final)
        else:
            operation = unanswered(operation)
        operations[entry.place] = operation
    return with_operations(invitation, operations, now)


def early_reports(invitation: Invitation, record: CallRecord, sent: Sequence[Sent], now: datetime) -> Invitation:
    """Apply reports that came before Graph's answer and named only the operation's id."""
    operations = list(invitation.operations)
    for entry in sent:
        known = record.operations.get(entry.answer.id or "") if entry.answer is not None else None
        if known is not None and known.report is not None:
            operations[entry.place] = apply_graph_state(operations[entry.place], known.report, now, ended=True)
    return with_operations(invitation, operations, now)


def was_taken(invitation: Invitation, besides: Sequence[Sent] = ()) -> bool:
    """Return whether Graph took, or may have taken, any request of an invitation."""
    others = {entry.place for entry in besides}
    operations = enumerate(invitation.operations)
    return any(not isinstance(operation.state, Refused) for place, operation in operations if place not in others)


def entries(record: CallRecord, invitation_id: str, sent: Sequence[Sent]) -> dict[str, OperationEntry]:
    """Return the entries that lead from Graph's operation ids to the invitation."""
    ids = [entry.answer.id for entry in sent if entry.answer is not None and entry.answer.id is not None]
    return {one: replace(record.operations.get(one, OperationEntry()), invitation=invitation_id) for one in ids}
