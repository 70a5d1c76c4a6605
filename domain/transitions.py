"""How an invitation changes: pure functions from state and event to state.

    notStarted ──▶ running ──▶ completed
        │             └──────▶ failed
        └──────────────────▶ failed

``notStarted`` means that Graph surely has not taken the request; ``running`` that it took it, or may have.
What Graph itself called final stays. What was refused may be asked again under its key; what the watchdog
concluded gives way to Graph's own later word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from domain.model import Delivery, Invitation, Operation, ResultInfo, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from graph.wire import OperationState

_FINAL_WORDS = {"completed": Status.COMPLETED, "failed": Status.FAILED}
_SUCCESS_CODES = range(200, 300)


def status_of(operations: Iterable[Operation]) -> Status:
    """Return an invitation's status from its operations'."""
    seen = {operation.status for operation in operations}
    if len(seen) == 1:
        return seen.pop()
    if not all(status.is_final for status in seen):
        return Status.RUNNING
    return Status.PARTIALLY_COMPLETED


def result_of(operations: Iterable[Operation]) -> ResultInfo | None:
    """Return the result that speaks for an invitation: the first failure's, else the first there is."""
    ordered = sorted(operations, key=lambda operation: operation.status is not Status.FAILED)
    return next((operation.result for operation in ordered if operation.result is not None), None)


def is_open(invitation: Invitation) -> bool:
    """Tell whether an outcome is still to come."""
    return not status_of(invitation.operations).is_final


def hears(operation: Operation, state: OperationState, *, ended: bool = False) -> Operation:
    """Apply Graph's own word about an operation: an answer, a report, or a read.

    Args:
        operation: as it stands.
        state: what Graph says.
        ended: Graph reported the operation as deleted, which is how it says that it is over.
    """
    if operation.verdict is Verdict.GRAPH:
        return operation
    status = _FINAL_WORDS.get(state.status or "")
    if status is None and ended and state.status is None:
        status = _implied(state.result)
    if status is not None:
        return replace(
            operation,
            id=operation.id or state.id,
            status=status,
            result=state.result,
            verdict=Verdict.GRAPH,
            refused=False,
        )
    if operation.status.is_final:
        # A late Running changes nothing, but it proves that Graph took the request.
        return replace(operation, id=operation.id or state.id, refused=False)
    return replace(operation, id=operation.id or state.id, status=Status.RUNNING, result=None, refused=False)


def _implied(result: ResultInfo | None) -> Status | None:
    """Read an outcome from a result that came without a status; no result implies nothing."""
    if result is None or result.code is None:
        return None
    return Status.COMPLETED if result.code in _SUCCESS_CODES else Status.FAILED


def refused(operation: Operation, result: ResultInfo, *, final: bool) -> Operation:
    """Note that Graph surely did not take the request; ``final`` where nobody will send it again by itself."""
    if operation.status.is_final or operation.id is not None:
        return operation  # Graph has spoken of it meanwhile, so it was taken after all
    status = Status.FAILED if final else Status.NOT_STARTED
    return replace(operation, status=status, result=result, verdict=Verdict.REFUSAL if final else None, refused=True)


def asked_again(invitation: Invitation, now: datetime, *, watch: str, check_due: datetime) -> Invitation:
    """Claim the refused requests of an invitation for another try, under a new watchdog message."""
    operations = tuple(
        Operation(operation.client_context, operation.people) if operation.refused else operation
        for operation in invitation.operations
    )
    return replace(invitation, operations=operations, asked=now, updated=now, watch=watch, check_due=check_due)


def concluded(operation: Operation, status: Status, result: ResultInfo) -> Operation:
    """Settle an open operation by circumstances; Graph's later word will still win."""
    if operation.status.is_final:
        return operation
    return replace(operation, status=status, result=result, verdict=Verdict.WATCHDOG)


def with_operations(invitation: Invitation, operations: Iterable[Operation], now: datetime) -> Invitation:
    """Return the invitation with its operations as they are now; the same one comes back where nothing changed.

    With the last outcome a waiting flow becomes due to be told, in the same write: whoever dies before telling it
    leaves that on record.
    """
    operations = tuple(operations)
    if operations == invitation.operations:
        return invitation
    return told_if_final(replace(invitation, operations=operations, updated=now))


def told_if_final(invitation: Invitation) -> Invitation:
    """Return the invitation with its waiting flow due to be told, if there is an outcome."""
    callback = invitation.callback
    if callback is None or callback.state is not Delivery.WAITING or is_open(invitation):
        return invitation
    return replace(invitation, callback=replace(callback, state=Delivery.DUE))


def became_due(before: Invitation, after: Invitation) -> bool:
    """Tell whether it is this change after which a waiting flow is to be told; only who made it queues the message."""
    return is_due(after) and not (is_due(before) and before.callback == after.callback)


def is_due(invitation: Invitation) -> bool:
    """Tell whether there is an outcome of which a waiting flow has not been told."""
    return invitation.callback is not None and invitation.callback.state is Delivery.DUE


def change_operations(invitation: Invitation, now: datetime, change: Callable[[Operation], Operation]) -> Invitation:
    """Apply a change to every operation; the same invitation comes back where nothing changed."""
    return with_operations(invitation, map(change, invitation.operations), now)
