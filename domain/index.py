"""The index of open calls: what a person picks a call by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from domain.call import CallState


@dataclass(frozen=True, slots=True)
class CallEntry:
    """An open call in the index; it changes with state, title and end only."""

    call_id: str
    title: str
    state: CallState
    created: datetime
    updated: datetime
    direction: str | None = None
    subject: str | None = None
    start_id: str | None = None
    read_at: datetime | None = None
    """When a call of which nothing was reported for a day was last looked at."""
    queued_at: datetime | None = None
    """When a message was sent so that it is looked at."""
