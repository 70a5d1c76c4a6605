"""Telling log and metrics that an invitation got its outcome, once, by whoever wrote it down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import telemetry
from graph.client import short_hash
from operations import transitions
from operations.model import Verdict

if TYPE_CHECKING:
    from operations.model import Invitation

_events = telemetry.Events("outcomes")


def tell_conclusion(before: Invitation, after: Invitation) -> None:
    """Tell of the change from ``before`` to ``after`` if an outcome came with it; call it after the row is written.

    An outcome that the watchdog concluded may give way to another one that Graph reports later; that is told as
    *corrected* and not counted again.
    """
    status, earlier = transitions.status_of(after.operations), transitions.status_of(before.operations)
    if not status.is_final or status is earlier:
        return
    result = transitions.result_of(after.operations)
    decided_by = _decided_by(after)
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


def _decided_by(invitation: Invitation) -> str:
    """Name who decided; where parts differ, whoever is the least certain."""
    verdicts = {operation.verdict for operation in invitation.operations}
    least_certain_first = (Verdict.WATCHDOG, Verdict.REFUSAL, Verdict.GRAPH)
    return next((verdict.value for verdict in least_certain_first if verdict in verdicts), Verdict.GRAPH.value)
