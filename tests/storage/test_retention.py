"""Removing old calls, on a real Azurite."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from domain.record import CallRecord, Needs, OperationEntry
from storage import rows
from storage.errors import StorageUnavailable
from storage.retention import Retention
from storage.store import TableStore
from tests.states import call, completed, entry, invitation, later, operation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.invitation import Invitation
    from storage.table import StorageTable
    from tests.storage_fixtures import CountingTransport

DAY = 86_400.0
NOW = later(0)
DONE = operation(state=completed())
ALL = Needs(invitations=frozenset({invitation().id}), roster=True, operations=frozenset({"op"}))


def _insert(store: TableStore, value: Invitation) -> None:
    nothing = store.nothing_yet(value.call_id)
    store.update(value.call_id, ALL, lambda record: record.with_invitation(value), held=nothing)


def _keep(store: TableStore, call_id: str, days_ago: float, *, changed_days_ago: float | None = None) -> None:
    """Keep a call with an invitation, an operation and people, noted some days ago."""
    changed: datetime = later(-DAY * (days_ago if changed_days_ago is None else changed_days_ago))
    people = {f"p{place}": entry(f"p{place}") for place in range(101)}

    def fill(record: CallRecord) -> CallRecord:
        record = record.with_invitation(invitation(DONE, call_id=call_id, updated=changed))
        state = call(call_id=call_id, updated=changed)
        return replace(record, call=state, roster=people, operations={"op": OperationEntry("x")})

    store.update(call_id, ALL, fill)
    store.keep(call_id, later(-DAY * days_ago))


def _is_kept(store: TableStore, call_id: str) -> bool:
    record = store.read(call_id, ALL).record
    parts = {bool(part) for part in (record.invitations, record.call, record.roster, record.operations)}
    (is_kept,) = parts
    return is_kept


def _notes(store: TableStore) -> set[tuple[str, str]]:
    return set(store.kept_since_before(later(DAY * 1000)))


def test_old_calls_are_removed(store: TableStore) -> None:
    """What has not changed for thirty days is gone with all its rows; what has is not touched."""
    _keep(store, "old", 31)
    _keep(store, "older/odd?id", 300)
    _keep(store, "young", 29)
    assert Retention(store, days=30, now=lambda: NOW).forget_old_calls() == 2
    assert [_is_kept(store, name) for name in ("old", "older/odd?id", "young")] == [False, False, True]
    assert _notes(store) == {(rows.retention_day(later(-DAY * 29)), "young")}


def test_old_call_in_use(store: TableStore) -> None:
    """A call that began long ago and changed lately stays, and is looked at again when its time may be over."""
    _keep(store, "long", 40, changed_days_ago=2)
    assert Retention(store, days=30, now=lambda: NOW).forget_old_calls() == 0
    assert _is_kept(store, "long")
    assert _notes(store) == {(rows.retention_day(later(-DAY * 2)), "long")}
    assert Retention(store, days=30, now=lambda: later(DAY * 40)).forget_old_calls() == 1
    assert not _is_kept(store, "long")
    assert _notes(store) == set()


def test_fresh_invitation(store: TableStore) -> None:
    """A call is as fresh as the freshest of its invitations."""
    _keep(store, "call", 40)
    _insert(store, invitation(DONE, id="B" * 26, call_id="call", updated=later(-DAY)))
    assert Retention(store, days=30, now=lambda: NOW).forget_old_calls() == 0
    assert _is_kept(store, "call")


class WithoutNotes:
    """A table that fails when a note is written."""

    def __init__(self, table: StorageTable) -> None:
        self._table: Any = table

    def write(self, group: Sequence[rows.Row]) -> Any:
        if group[0].entity["PartitionKey"].startswith(rows.KEPT):
            raise StorageUnavailable
        return self._table.write(group)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)


def test_call_that_cannot_be_noted(table: StorageTable, store: TableStore) -> None:
    """A call is not stored before its note, so that it is noted when its report is repeated."""
    failing: Any = WithoutNotes(table)
    for one, is_stored in ((TableStore(failing), False), (store, True)):
        with nullcontext() if is_stored else pytest.raises(StorageUnavailable):
            one.update("call", ALL, lambda record: record.with_call(call(call_id="call", updated=NOW)))
        assert (store.read("call", ALL).record.call is not None) is is_stored
        assert _notes(store) == ({(rows.retention_day(NOW), "call")} if is_stored else set())


def test_note_without_a_call(store: TableStore) -> None:
    """A note whose call is gone does no harm and does not stay."""
    store.keep("gone", later(-DAY * 50))
    Retention(store, days=30, now=lambda: NOW).forget_old_calls()
    assert _notes(store) == set()


def test_new_app(store: TableStore) -> None:
    """The first night finds no table, and no fault."""
    assert Retention(store, days=30, now=lambda: NOW).forget_old_calls() == 0


def test_young_calls_cost_nothing(store: TableStore, transport: CountingTransport) -> None:
    """The nightly run reads the notes of old days alone."""
    for number in range(3):
        store.keep(f"young {number}", later(-DAY * 3))
    transport.sent.clear()
    Retention(store, days=30, now=lambda: NOW).forget_old_calls()
    assert len(transport.sent) == 1


def test_long_run(store: TableStore) -> None:
    """However much there is to remove, one run keeps within the host's limit, and the rest is done the next night."""
    for number in range(4):
        _keep(store, f"old{number}", 50 + number)
    ticks = iter(range(0, 10_000, 100))
    retention = Retention(store, days=30, now=lambda: NOW, clock=lambda: float(next(ticks)))
    assert retention.forget_old_calls() == 2
    assert [_is_kept(store, f"old{number}") for number in range(4)] == [True, True, False, False]
    assert Retention(store, days=30, now=lambda: NOW).forget_old_calls() == 2
    assert not any(_is_kept(store, f"old{number}") for number in range(4))
