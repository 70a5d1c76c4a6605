"""How the operations of an invitation change: pure functions from state and event to state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from domain.inference import CANCELLED
from domain.invitation import Asked, Decider, Ended, Invitation, Late, Operation, Refused, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from domain.results import OperationState, ResultInfo

_FINAL = {"completed": Status.COMPLETED, "failed": Status.FAILED}
_SUCCESS_CODES = range(200, 300)


def apply_graph_state(operation: Operation, state: OperationState, now: datetime, *, ended: bool = False) -> Operation:
    """Apply what Graph states about an operation, in a response, a report or a read.

    The first final state counts; a later one changes nothing, and neither does a late ``running``.

    Args:
        operation: as it stands.
        state: what Graph states.
        now: when it was received.
        ended: Graph reported the operation as deleted, which is how it reports an end.
    """
    if operation.decided_by is Decider.GRAPH:
        return operation
    operation = replace(operation, id=operation.id or state.id)
    status = _FINAL.get(state.status or "")
    if status is None and ended and state.status is None:
        status = _implied(state.result)
    if status is not None:
        return replace(operation, state=Ended(status, state.result, Decider.GRAPH, now))
    match operation.state:
        case Ended():
            return operation
        case Refused(result=result, final=True):
            # Graph took it after all, so that nothing may send it again.
            return replace(operation, state=Ended(Status.FAILED, result, Decider.WATCHDOG, now))
        case _:
            return replace(operation, state=Asked())


def _implied(result: ResultInfo | None) -> Status | None:
    """Read an end from a result that came without a status; no result implies nothing."""
    if result is None or result.code is None:
        return None
    return Status.COMPLETED if result.code in _SUCCESS_CODES else Status.FAILED


def unanswered(operation: Operation) -> Operation:
    """Note that it is not known whether Graph took the request: it is never sent again."""
    is_asked = operation.state == Asked(answered=False)
    return replace(operation, state=Asked()) if is_asked else operation


def refused(operation: Operation, result: ResultInfo, *, final: bool) -> Operation:
    """Note that Graph refused the request; unchanged where Graph has reported it meanwhile, so that it was taken."""
    if isinstance(operation.state, Ended) or operation.id is not None:
        return operation
    return replace(operation, state=Refused(result, final))


def not_begun(operation: Operation) -> Operation:
    """Note that there was no time to send the request; unchanged where an answer is there already."""
    is_asked = operation.state == Asked(answered=False)
    return replace(operation, state=Late()) if is_asked and operation.id is None else operation


def concluded(
    operation: Operation, status: Status, result: ResultInfo, now: datetime, *, seen: tuple[int, ...] = ()
) -> Operation:
    """End an operation that is not over by inference; Graph's later report still replaces it."""
    if operation.status.is_final:
        return operation
    return replace(operation, state=Ended(status, result, Decider.WATCHDOG, now, seen))


def cancelled(operation: Operation, people: Iterable[int], now: datetime) -> Operation:
    """Note whose call was cancelled; the operation ends when all its people have, until Graph reports otherwise."""
    if operation.status.is_final:
        return operation
    gone = tuple(sorted({*operation.cancelled, *people} & set(operation.people)))
    operation = replace(operation, cancelled=gone)
    return concluded(operation, Status.FAILED, CANCELLED, now) if len(gone) == len(operation.people) else operation


def asked_again(invitation: Invitation, now: datetime, by: str) -> Invitation:
    """Return the invitation with its refused requests about to be sent again by a run."""
    operations = tuple(
        # Another run's request without an answer counts as asked: the run that is named now never sends it.
        Operation(operation.client_context, operation.people, asked=now)
        if isinstance(operation.state, Refused)
        else unanswered(operation)
        for operation in invitation.operations
    )
    return replace(invitation, operations=operations, asked=now, asked_by=by, updated=now)


def taken_over(invitation: Invitation, by: str, now: datetime) -> Invitation:
    """Return the invitation with the requests that were not begun about to be sent by a run."""
    if not any(isinstance(operation.state, Late) for operation in invitation.operations):
        return invitation

    def taken(operation: Operation) -> Operation:
        if isinstance(operation.state, Late):
            return replace(operation, state=Asked(answered=False))
        # Another run's request without an answer counts as asked, as above.
        return operation if invitation.asked_by == by else unanswered(operation)

    operations = tuple(map(taken, invitation.operations))
    return replace(invitation, operations=operations, asked_by=by, updated=now)


def with_operations(invitation: Invitation, operations: Iterable[Operation], now: datetime) -> Invitation:
    """Return the invitation with its operations as they are now; the same one where nothing changed."""
    operations = tuple(operations)
    return (
        invitation if operations == invitation.operations else replace(invitation, operations=operations, updated=now)
    )


def change_operations(invitation: Invitation, now: datetime, change: Callable[[Operation], Operation]) -> Invitation:
    """Apply a change to every operation; the same invitation where nothing changed."""
    return with_operations(invitation, map(change, invitation.operations), now)
