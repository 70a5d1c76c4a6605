"""The list of open calls, from the index; a call of others without news for a day is read once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.record import Needs
from flows.turn import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from calls.asking import CallReader
    from domain.index import CallEntry
    from flows.turn import Turn
    from storage.singles import SingleRows
    from storage.store import Store

_MOST_LISTED = 200
_SILENCE = timedelta(days=1)


class CallList:
    """Lists open calls."""

    def __init__(
        self,
        rows: SingleRows,
        store: Store,
        reader: CallReader,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._rows = rows
        self._store = store
        self._reader = reader
        self._now = now

    def open_calls(self, turn: Turn) -> list[CallEntry]:
        """Return open calls, newest first.

        Raises:
            StorageUnavailable: they can't be read.
        """
        entries = self._rows.open_calls()
        return [entry for entry in entries if not self._is_over(turn, entry)][:_MOST_LISTED]

    def _is_over(self, turn: Turn, entry: CallEntry) -> bool:
        """Return whether a call of which nothing was reported for a day is over; Graph is asked once about each."""
        news = max(entry.updated, entry.read_at or entry.updated)
        if self._now() - news < _SILENCE or turn.seconds_left(self._now()) <= 0:
            return False
        record = self._store.read(entry.call_id, Needs(call=True)).record
        if record.call is None or record.call.has_ended:
            self._rows.unindex(entry.call_id)  # its end could not be written to the index
            return True
        is_known = record.call.start_id is not None or self._now() - record.call.updated < _SILENCE
        has_asked = entry.read_at is not None and entry.read_at >= record.call.updated
        if not is_known and not has_asked:
            read = self._reader.read_call(turn, entry.call_id, Needs())
            if read is None:
                return False  # it is asked about again
            if read.call is not None and read.call.has_ended:
                return True
        self._rows.index(replace(entry, read_at=self._now()))
        return False
