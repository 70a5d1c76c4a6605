"""A start as a run has left it, with what the run knows of its call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calls.outcomes import escalation_of, invitation_of

if TYPE_CHECKING:
    from domain.record import CallRecord
    from domain.start import Start
    from flows.turn import Turn
    from storage.singles import HeldOne


@dataclass(frozen=True, slots=True)
class Begun:
    """A start as it was left."""

    start: Start
    record: CallRecord | None = None
    """Its call, where that is known: of a new one nothing was reported yet."""
    held: HeldOne[Start] | None = None
    """Its row, where that is in hand for the next change."""

    @property
    def is_new(self) -> bool:
        """Whether nothing follows yet, since nothing was reported of the call."""
        call = self.record.call if self.record is not None else None
        return call is not None and call.established_at is None and not call.has_ended


def in_hand(turn: Turn, start: Start, call_id: str) -> CallRecord | None:
    """Return the call of a start with what followed, where this turn has read or written all of it."""
    held = turn.in_hand(call_id)
    if held is None or held.record.call is None:
        return None
    record = held.record
    followed = invitation_of(start, record) is not None or escalation_of(start, record) is not None
    return record if followed or start.calls_targets or not start.participants else None
