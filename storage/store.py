"""Calls with their invitations and rosters, read and changed as the domain means them.

A use case calls ``update`` with a pure ``change``: the store reads what the change needs, applies it, and writes all
that differs in one transaction under ETags; see ``storage.swapping``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from domain.asking import asker
from domain.record import CallRecord, Needs
from domain.timeline import noted
from storage import reading, rows, writing
from storage.errors import StorageUnavailable
from storage.swapping import compare_and_swap
from storage.table import WriteUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.reading import Held, Rows
    from storage.table import Table

    Change = Callable[[CallRecord], CallRecord]
    BeforeWrite = Callable[[CallRecord, CallRecord], CallRecord]


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update read and what it left."""

    before: CallRecord
    after: CallRecord
    held: Held
    """For a further update that need not read again."""


class Store(Protocol):
    """State, in the domain's words. Every method raises ``storage.errors.StorageUnavailable`` where storage fails."""

    def read(self, call_id: str, needs: Needs) -> Held:
        """Read what is known of a call."""

    def nothing_yet(self, call_id: str) -> Held:
        """Return a record of which nothing was read, for the insertion of something new."""

    def update(
        self,
        call_id: str,
        needs: Needs,
        change: Change,
        *,
        before_write: BeforeWrite | None = None,
        held: Held | None = None,
    ) -> Updated:
        """Change what is known of a call.

        Args:
            call_id: the call.
            needs: what the change has to read.
            change: pure; called again where another writer was faster.
            before_write: called with the record before and after each time that it is about to be written; returns
                the record to write. What it does must stand being done again.
            held: what an earlier update left; it is not read again unless another writer was faster.

        Raises:
            StorageUnavailable: it may be stored or not.
        """

    def all_invitations(self, call_id: str) -> CallRecord:
        """Read the call and all its invitations."""

    def live(self, call_id: str) -> Rows:
        """Read the call, its invitations, roster, escalations and events, undecoded."""

    def timeline(self, call_id: str) -> CallRecord:
        """Read the events of the call, and its roster."""

    def keep(self, call_id: str, day: datetime) -> None:
        """Note that something of a call is kept since a day, so that it is found when its time is over."""


class TableStore:
    """The store on Azure Table Storage; see ``Store``."""

    def __init__(self, table: Table, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._table = table
        self._now = now

    def read(self, call_id: str, needs: Needs) -> Held:
        """Read what is known of a call; see ``Store``."""
        return reading.read(self._table, call_id, needs)

    def nothing_yet(self, call_id: str) -> Held:
        """Return a record of which nothing was read; see ``Store``."""
        return reading.Held(CallRecord(call_id))

    def update(
        self,
        call_id: str,
        needs: Needs,
        change: Change,
        *,
        before_write: BeforeWrite | None = None,
        held: Held | None = None,
    ) -> Updated:
        """Change what is known of a call; see ``Store``."""

        def decide(current: Held) -> tuple[CallRecord, writing.Changed] | None:
            after = change(current.record)
            if before_write is not None:
                after = before_write(current.record, after)
            after = noted(current.record, after, self._now(), asker())
            changed = writing.rows_of(current, after)
            return (after, changed) if changed else None

        def write(current: Held, planned: tuple[CallRecord, writing.Changed]) -> Held:
            after, changed = planned
            is_new = changed.guard is not None and changed.guard.is_new
            if is_new and after.call is not None and after.call.start_id is None:
                # First: a note without a call does no harm, and a call without a note would never be removed. The
                # call of a start is noted with the start.
                self.keep(call_id, after.call.updated)
            return current.now(replace(after, events=()), self._write(changed))

        before, now = compare_and_swap(held, lambda: reading.read(self._table, call_id, needs), decide, write)
        return Updated(before.record, now.record, now)

    def all_invitations(self, call_id: str) -> CallRecord:
        """Read the call and all its invitations; see ``Store``."""
        return reading.read_all(self._table, call_id).record

    def live(self, call_id: str) -> Rows:
        """Read the call with all that belongs to it; see ``Store``."""
        return reading.read_live(self._table, call_id)

    def timeline(self, call_id: str) -> CallRecord:
        """Read the events of the call; see ``Store``."""
        return reading.read_timeline(self._table, call_id)

    def keep(self, call_id: str, day: datetime) -> None:
        """Note that something of a call is kept since a day; see ``Store``."""
        self.keep_partition(rows.partition_key(call_id), day)

    def keep_partition(self, partition: str, day: datetime) -> None:
        """Note that something of a partition is kept since a day; see ``storage.retention``."""
        note = rows.Row({"PartitionKey": rows.retention_day(day), "RowKey": partition})
        try:
            self._table.write([note])
        except WriteUnknown:
            raise StorageUnavailable from None

    def kept_since_before(self, time: datetime) -> Iterator[tuple[str, str]]:
        """Return the partitions that were noted before a day, oldest first: the note's day and the partition."""
        return self._table.keys_in(rows.KEPT, rows.retention_day(time))

    def last_change(self, partition: str) -> datetime | None:
        """Return when what a partition is about last changed; None where nothing is left of it."""
        spans = ((rows.CALL, rows.AFTER_INVITATIONS), (rows.MEETING, None), (rows.START, None))
        found = self._table.query(partition, *spans, select=["updated"])
        return max((entity["updated"] for entity in found if entity.get("updated")), default=None)

    def forget(self, partition: str) -> None:
        """Remove all rows of a partition, a hundred at a time."""
        found = self._table.query(partition, (rows.FIRST, rows.LAST), select=["RowKey"])
        for start in range(0, len(found), writing.MOST_ROWS):
            keys = [entity["RowKey"] for entity in found[start : start + writing.MOST_ROWS]]
            self._table.delete(partition, keys)

    def forget_note(self, note: tuple[str, str]) -> None:
        """Remove the note that something of a partition is kept."""
        day, partition = note
        self._table.delete(day, [partition])

    def _write(self, changed: writing.Changed) -> dict[str, str]:
        """Write rows in as few transactions as they need; return their ETags."""
        etags: dict[str, str] = {}
        for group in changed.groups():
            guarded = [row if row.key not in etags else rows.Row(row.entity, etags[row.key]) for row in group]
            written = self._table.write(guarded)
            etags |= dict(zip((row.key for row in guarded), written, strict=True))
        return etags
