"""Rows that stand in partitions of their own: starts, legs in meetings, and the index of open calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from domain.index import CallEntry
from domain.meeting import Leg
from storage import rows
from storage.codec import VERSION, decode, encode_fields
from storage.documents import read_start, start_document
from storage.errors import StorageUnavailable
from storage.swapping import compare_and_swap
from storage.table import Conflict, WriteUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from domain.start import Start
    from storage.table import Table

T = TypeVar("T")
_STARTS, _LEGS, _OPEN = "~start|", "~meeting|", "~open"


@dataclass(frozen=True, slots=True)
class HeldOne(Generic[T]):
    """A value as it was read or written, None where there is none, with the ETag that guards its replacement."""

    value: T | None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class UpdatedOne(Generic[T]):
    """What an update read and what it left."""

    before: T | None
    after: T | None
    held: HeldOne[T]


@dataclass(frozen=True, slots=True)
class _Form(Generic[T]):
    """How a kind of value is stored."""

    partition: Callable[[str], str]
    key: Callable[[str], str]
    document: Callable[[T], dict[str, Any]]
    read: Callable[[Mapping[str, Any]], T]


_START: _Form[Start] = _Form(lambda name: _STARTS + name, lambda _: rows.START, start_document, read_start)
_LEG: _Form[Leg] = _Form(
    lambda name: _LEGS + name,
    lambda _: rows.MEETING,
    lambda leg: {"v": VERSION, **encode_fields(leg)},
    lambda document: decode(Leg, document),
)
_ENTRY: _Form[CallEntry] = _Form(
    lambda _: _OPEN,
    rows.partition_key,
    lambda entry: {"v": VERSION, **encode_fields(entry)},
    lambda document: decode(CallEntry, document),
)


class SingleRows:
    """Reads and changes values that stand alone, by the same rule as ``storage.store``."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def start(self, start_id: str) -> HeldOne[Start]:
        """Read a start."""
        return self._read(_START, start_id)

    def update_start(
        self,
        start_id: str,
        change: Callable[[Start | None], Start | None],
        *,
        before_write: Callable[[Start | None, Start], Start] | None = None,
        held: HeldOne[Start] | None = None,
    ) -> UpdatedOne[Start]:
        """Change a start; see ``storage.store.Store.update``."""
        return self._update(_START, start_id, change, before_write, held)

    def leg(self, key: str) -> HeldOne[Leg]:
        """Read a leg."""
        return self._read(_LEG, key)

    def update_leg(
        self, key: str, change: Callable[[Leg | None], Leg | None], *, held: HeldOne[Leg] | None = None
    ) -> UpdatedOne[Leg]:
        """Change a leg."""
        return self._update(_LEG, key, change, None, held)

    def index(self, entry: CallEntry) -> None:
        """List a call as open, or replace its entry."""
        self._update(_ENTRY, entry.call_id, lambda _: entry, None, HeldOne(None, rows.ANY_ETAG))

    def replace_entry(self, entry: CallEntry) -> bool:
        """Replace the entry of a call where it is listed; return whether that was done."""
        try:
            self._table.write([rows.Row(_entity(_ENTRY, entry.call_id, entry), rows.ANY_ETAG)])
        except (Conflict, WriteUnknown):
            return False
        return True

    def update_entry(
        self,
        call_id: str,
        change: Callable[[CallEntry | None], CallEntry | None],
        *,
        held: HeldOne[CallEntry] | None = None,
    ) -> UpdatedOne[CallEntry]:
        """Change the entry of a call that is listed."""
        return self._update(_ENTRY, call_id, change, None, held)

    def entry(self, call_id: str) -> HeldOne[CallEntry]:
        """Read the entry of a call."""
        return self._read(_ENTRY, call_id)

    def unindex(self, call_id: str) -> None:
        """List a call no longer."""
        self._table.delete(_OPEN, [rows.partition_key(call_id)])

    def keep(self, day: datetime, start_id: str, legs: Sequence[str] = (), call_id: str | None = None) -> None:
        """Note that a start, its meeting's legs and its call are kept since a day; see ``storage.retention``."""
        partitions = [_STARTS + start_id, *(_LEGS + key for key in legs)]
        partitions += [] if call_id is None else [rows.partition_key(call_id)]
        try:
            notes = [{"PartitionKey": rows.retention_day(day), "RowKey": one} for one in partitions]
            self._table.write([rows.Row(note) for note in notes])
        except (Conflict, WriteUnknown):
            raise StorageUnavailable from None

    def open_calls(self) -> list[HeldOne[CallEntry]]:
        """Return the entries of open calls, newest first: one request for each thousand."""
        found = self._table.query(_OPEN, (rows.FIRST, rows.LAST))
        entries = [(_ENTRY.read(rows.document_of(entity)), entity["etag"]) for entity in found]
        entries.sort(key=lambda one: (one[0].created, one[0].call_id), reverse=True)
        return [HeldOne(entry, etag) for entry, etag in entries]

    def _read(self, form: _Form[T], name: str) -> HeldOne[T]:
        entity = self._table.get(form.partition(name), form.key(name))
        return HeldOne(None) if entity is None else HeldOne(form.read(rows.document_of(entity)), entity["etag"])

    def _update(
        self,
        form: _Form[T],
        name: str,
        change: Callable[[T | None], T | None],
        before_write: Callable[[T | None, T], T] | None,
        held: HeldOne[T] | None,
    ) -> UpdatedOne[T]:

        def decide(current: HeldOne[T]) -> T | None:
            after = change(current.value)
            if after is not None and before_write is not None:
                after = before_write(current.value, after)
            return None if after == current.value else after

        def write(current: HeldOne[T], after: T) -> HeldOne[T]:
            etag = None if current.etag == rows.ANY_ETAG else current.etag
            row = rows.Row(_entity(form, name, after), etag, is_new=current.etag is None)
            (written,) = self._table.write([row])
            return HeldOne(after, written)

        before, now = compare_and_swap(held, lambda: self._read(form, name), decide, write)
        return UpdatedOne(before.value, now.value, now)


def _entity(form: _Form[T], name: str, value: T) -> dict[str, Any]:
    changed = {"updated": time} if (time := getattr(value, "updated", None)) is not None else {}
    return rows.entity(form.partition(name), form.key(name), form.document(value), **changed)
