"""Telling log and metrics that an invitation got its outcome, by whoever wrote it down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain import transitions
from graph.client import short_hash
from observability import telemetry

if TYPE_CHECKING:
    from domain.model import Invitation

_events = telemetry.Events("outcomes")


def tell_conclusion(before: Invitation, after: Invitation, *, decided_by: str) -> None:
    """Tell of the change from ``before`` to ``after`` if an outcome came with it; call it after the row is written.

    Args:
        before: as it was.
        after: as it was written.
        decided_by: ``graph``, which reported or answered it; ``refusal``, it was never taken; ``watchdog``, which had
            to ask. What Graph tells the watchdog is the watchdog's finding: the report did not come.

    An outcome that the watchdog concluded may give way to another one that Graph reports later; that is told as
    *corrected* and not counted again.
    """
    status, earlier = transitions.status_of(after.operations), transitions.status_of(before.operations)
    if not status.is_final or status is earlier:
        return
    result = transitions.result_of(after.operations)
    seconds = max((after.updated - after.asked).total_seconds(), 0.0)
    _events.info(
        "corrected" if earlier.is_final else "concluded",
        invitation=after.id,
        call=short_hash(after.call_id),
        status=status.value,
        decided_by=decided_by,
        code=result and result.code,
        subcode=result and result.subcode,
        seconds=round(seconds, 1),
    )
    if not earlier.is_final:
        telemetry.count("invitations", status=status.value, decided_by=decided_by)
        telemetry.record("time_to_outcome", seconds, status=status.value)
