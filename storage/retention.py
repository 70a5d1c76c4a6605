"""Forgetting calls whose time is over, found by the notes of their days and not by reading everything."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from observability import telemetry

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.calls import CallTable

_events = telemetry.Events("retention")
# Well within the host's limit for one run; what is left over waits for the next night.
_LONGEST_RUN_SECONDS = 240.0


class Retention:
    """Removes all that is kept of calls in which nothing has changed for a while."""

    def __init__(
        self,
        table: CallTable,
        *,
        days: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._kept_for = timedelta(days=days)
        self._now = now
        self._clock = clock

    def forget_old_calls(self) -> int:
        """Remove old calls and return how many; a call that is still in use is noted again for a later night.

        Raises:
            StorageUnavailable: the rest waits for the next run.
        """
        started = self._clock()
        limit = self._now() - self._kept_for
        forgotten = 0
        for note in self._table.partitions_kept_since_before(limit):
            if self._clock() - started > _LONGEST_RUN_SECONDS:
                _events.info("forgot old calls, and the rest waits for the next run", calls=forgotten)
                return forgotten
            _, partition = note
            changed = self._table.last_change(partition)
            if changed is not None and changed >= limit:
                self._table.remember(partition, changed)
            else:
                self._table.forget(partition)
                forgotten += 1
            self._table.forget_note(note)
        _events.info("forgot old calls", calls=forgotten)
        return forgotten
