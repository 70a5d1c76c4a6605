"""Removes calls that are older than they are kept, found by the notes of their days and not by reading everything."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.store import TableStore

_log = logging.getLogger("call_invites.retention")
# Well within the host's limit for one run; what is left over waits for the next night.
_LONGEST_RUN_SECONDS = 240.0


class Retention:
    """Removes all that is kept of calls in which nothing has changed for a while."""

    def __init__(
        self,
        store: TableStore,
        *,
        days: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
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
        for note in self._store.kept_since_before(limit):
            if self._clock() - started > _LONGEST_RUN_SECONDS:
                _log.info("forgot old calls, and the rest waits for the next run calls=%(calls)s", {"calls": forgotten})
                return forgotten
            _, partition = note
            changed = self._store.last_change(partition)
            if changed is not None and changed >= limit:
                self._store.keep_partition(partition, changed)
            else:
                self._store.forget(partition)
                forgotten += 1
            self._store.forget_note(note)
        _log.info("forgot old calls calls=%(calls)s", {"calls": forgotten})
        return forgotten
