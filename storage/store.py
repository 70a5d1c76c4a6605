"""Calls with their invitations and rosters, read and changed as the domain means them.

A use case calls ``update`` with a pure ``change``: the store reads what the change needs, applies it, and writes all
that differs in one transaction under ETags. Where another writer was faster, it reads again and applies the change
again. This is the only compare-and-swap loop of the app.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from domain.record import CallRecord, Needs
from storage import reading, rows, writing
from storage.errors import StorageUnavailable
from storage.table import Conflict, WriteUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from storage.reading import Held
    from storage.table import Table

    Change = Callable[[CallRecord], CallRecord]
    BeforeWrite = Callable[[CallRecord, CallRecord], CallRecord]

_MOST_TRIES = 20
_MOST_LOOKS = 2


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

    def is_reachable(self) -> bool:
        """Return whether state can be read."""

    def keep(self, call_id: str, day: datetime) -> None:
        """Note that something of a call is kept since a day, so that it is found when its time is over."""


class TableStore:
    """The store on Azure Table Storage; see ``Store``."""

    def __init__(self, table: Table) -> None:
        self._table = table

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
        for _ in range(_MOST_TRIES):
            held = held or reading.read(self._table, call_id, needs)
            before = held.record
            after = change(before)
            if before_write is not None:
                after = before_write(before, after)
            changed = writing.rows_of(held, after)
            if not changed:
                return Updated(before, after, held)
            try:
                etags = self._write(call_id, changed)
            except Conflict:
                held = None
            else:
                return Updated(before, after, held.now(after, etags))
        raise StorageUnavailable

    def all_invitations(self, call_id: str) -> CallRecord:
        """Read the call and all its invitations; see ``Store``."""
        return reading.read_all(self._table, call_id).record

    def is_reachable(self) -> bool:
        """Return whether state can be read; see ``Store``."""
        try:
            self._table.get("health", "health")
        except StorageUnavailable:
            return False
        return True

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
        """Return when an invitation or the call of a partition last changed; None where nothing is left of it."""
        found = self._table.query(partition, (rows.CALL, rows.AFTER_INVITATIONS), select=["updated"])
        return max((entity["updated"] for entity in found if entity.get("updated")), default=None)

    def forget(self, partition: str) -> None:
        """Remove all rows of a partition, a hundred at a time."""
        found = self._table.query(partition, (rows.CALL, rows.AFTER_PARTICIPANTS), select=["RowKey"])
        for start in range(0, len(found), writing.MOST_ROWS):
            keys = [entity["RowKey"] for entity in found[start : start + writing.MOST_ROWS]]
            self._table.delete(partition, keys)

    def forget_note(self, note: tuple[str, str]) -> None:
        """Remove the note that something of a partition is kept."""
        day, partition = note
        self._table.delete(day, [partition])

    def _write(self, call_id: str, changed: writing.Changed) -> dict[str, str]:
        """Write rows in transactions, each once; return their ETags.

        A write whose response was lost is looked for by its mark: it is done, or another writer was faster, or it is
        sent again.
        """
        partition = rows.partition_key(call_id)
        etags: dict[str, str] = {}
        for group in changed.groups():
            guarded = [row if row.key not in etags else rows.Row(row.entity, etags[row.key]) for row in group]
            etags |= self._write_group(partition, guarded)
        return etags

    def _write_group(self, partition: str, group: list[rows.Row]) -> dict[str, str]:
        mark = secrets.token_hex(8)
        marked = [row.marked(mark) for row in group]
        is_resent = False
        for _ in range(_MOST_TRIES):
            try:
                return dict(zip((row.key for row in marked), self._table.write(marked), strict=True))
            except Conflict:
                # A write that was given up can still arrive, and makes the one that repeats it a conflict.
                if not is_resent or (found := self._look(partition, marked, mark)) is None:
                    raise
                return found
            except WriteUnknown:
                found = self._look(partition, marked, mark)
                if found is not None:
                    return found
                if self._was_changed(partition, marked):
                    raise Conflict from None
                is_resent = True
        raise StorageUnavailable

    def _look(self, partition: str, group: list[rows.Row], mark: str) -> dict[str, str] | None:
        """Return the ETags of a group's rows where this write stored them, else None."""
        found = self._current(partition, group)
        mine = [entity is not None and entity.get(rows.MARK) == mark for entity in found]
        if not mine[0]:
            return None
        # The rows of one transaction are stored together; one that another writer has changed since is not held.
        return {
            row.key: str(entity["etag"])
            for row, entity, is_mine in zip(group, found, mine, strict=True)
            if entity is not None and is_mine
        }

    def _was_changed(self, partition: str, group: list[rows.Row]) -> bool:
        (first,) = self._current(partition, group[:1])
        before = group[0].etag
        return first is not None if group[0].is_new else before is not None and (first or {}).get("etag") != before

    def _current(self, partition: str, group: list[rows.Row]) -> list[dict[str, Any] | None]:
        for look in range(_MOST_LOOKS):
            try:
                return [self._table.get(partition, row.key) for row in group]
            except StorageUnavailable:
                if look + 1 == _MOST_LOOKS:
                    raise
        raise StorageUnavailable
