"""The list of open calls, from the index; a call of others without news for a day is read once, by the queue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.record import Needs
from flows.alarms import Message
from flows.turn import utc_now
from observability.events import Events
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from calls.asking import CallReader
    from domain.index import CallEntry
    from flows.alarms import Alarms
    from flows.turn import Turn
    from storage.singles import HeldOne, SingleRows
    from storage.store import Store

_events = Events("calls")
LISTED = "listed"
_MOST_LISTED = 200
# Of one request: each costs a message and a write.
_MOST_QUEUED = 4
_SILENCE = timedelta(days=1)


class CallList:
    """Lists open calls."""

    def __init__(self, rows: SingleRows, alarms: Alarms, *, now: Callable[[], datetime] = utc_now) -> None:
        self._rows = rows
        self._alarms = alarms
        self._now = now

    def open_calls(self) -> list[CallEntry]:
        """Return open calls, newest first.

        Raises:
            StorageUnavailable: they can't be read.
        """
        listed = self._rows.open_calls()
        silent = [one for one in listed if one.value is not None and self._is_silent(one.value)]
        try:
            for one in silent[:_MOST_QUEUED]:
                self._queue(one)
        except StorageError:
            _events.warning("calls without news could not be queued and are left to the next list")
        return [one.value for one in listed[:_MOST_LISTED] if one.value is not None]

    def _is_silent(self, entry: CallEntry) -> bool:
        """Return whether nothing was reported of a call for a day, and no one has looked since."""
        times = (entry.updated, entry.read_at, entry.queued_at)
        return self._now() - max(time for time in times if time is not None) >= _SILENCE

    def _queue(self, held: HeldOne[CallEntry]) -> None:
        """Have a call looked at: a GET itself asks Graph nothing."""
        entry, now = held.value, self._now()
        if entry is None:
            return
        # The message goes first: where the write is lost, the next list sends another.
        self._alarms.send(Message(LISTED, entry.call_id, entry.call_id, LISTED, now, now), now)

        def mark(current: CallEntry | None) -> CallEntry | None:
            return None if current is None else replace(current, queued_at=now)

        self._rows.update_entry(entry.call_id, mark, held=held)


@dataclass(frozen=True, slots=True)
class ListedCall:
    """An entry as it was read for a message; see ``flows.work.Thing``."""

    entry: CallEntry
    alarm_name: str = LISTED
    is_open: bool = True


class SilentCalls:
    """Looks at calls of which nothing was reported for a day; see ``flows.work.Kind``."""

    def __init__(
        self, rows: SingleRows, store: Store, reader: CallReader, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._rows = rows
        self._store = store
        self._reader = reader
        self._now = now

    def find(self, message: Message) -> ListedCall | None:
        """Read the entry of a message; None where the call is no longer listed."""
        entry = self._rows.entry(message.call_id).value
        return None if entry is None else ListedCall(entry)

    def advance(self, turn: Turn, message: Message, thing: ListedCall) -> None:
        """Read a call of others once, and list no longer what is over.

        Raises:
            StorageUnavailable: the message comes back.
        """
        call = self._store.read(message.call_id, Needs(call=True)).record.call
        if call is None or call.has_ended:
            self._rows.unindex(message.call_id)  # its end could not be written to the index
            return
        read_at = thing.entry.read_at
        was_read = read_at is not None and read_at >= call.updated
        if call.start_id is None and self._now() - call.updated >= _SILENCE and not was_read:
            record = self._reader.read_call(turn, message.call_id, Needs())
            if record is not None and record.call is not None and record.call.has_ended:
                return  # what follows its end takes it out of the index
            if record is None:
                self._mark(message.call_id, None)  # the next list has it read again
                return
        self._mark(message.call_id, self._now())

    def _mark(self, call_id: str, read_at: datetime | None) -> None:
        def mark(entry: CallEntry | None) -> CallEntry | None:
            return None if entry is None else replace(entry, read_at=read_at or entry.read_at, queued_at=read_at)

        self._rows.update_entry(call_id, mark)
