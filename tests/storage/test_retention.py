"""Forgetting old calls, on a real Azurite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.model import Status
from storage import rows
from storage.retention import Retention
from tests.states import call_state, entry, invitation, later, operation

if TYPE_CHECKING:
    from storage.calls import CallTable
    from tests.storage_fixtures import CountingTransport

DAY = 86_400.0
NOW = later(0)
DONE = operation(status=Status.COMPLETED)


def _keep(table: CallTable, call_id: str, days_ago: float, *, changed_days_ago: float | None = None) -> None:
    """Keep a call with an invitation, an operation and people, noted some days ago."""
    changed = later(-DAY * (days_ago if changed_days_ago is None else changed_days_ago))
    table.insert_invitation(invitation(DONE, call_id=call_id, updated=changed))
    table.write(
        [
            rows.Row(rows.call_entity(call_state(call_id=call_id, updated=changed))),
            rows.Row(rows.operation_entity(call_id, "op", invitation="x", report=None)),
            *(rows.Row(rows.roster_entity(call_id, entry(f"p{place}"))) for place in range(101)),
        ]
    )
    table.remember(rows.partition_key(call_id), later(-DAY * days_ago))


def _is_kept(table: CallTable, call_id: str) -> bool:
    found = table.invitation(call_id, invitation().id) is not None
    call, roster = table.call_and_roster(call_id)
    assert found == (call is not None) == bool(roster) == (table.operation(call_id, "op") is not None)
    return found


def _notes(table: CallTable) -> set[tuple[str, str]]:
    return set(table.partitions_kept_since_before(later(DAY * 1000)))


def test_old_calls_are_removed_whole_and_others_stay(table: CallTable) -> None:
    """What has not changed for thirty days is gone with all its rows; what has is not touched."""
    _keep(table, "old", 31)
    _keep(table, "older/odd?id", 300)
    _keep(table, "young", 29)
    assert Retention(table, days=30, now=lambda: NOW).forget_old_calls() == 2
    assert [_is_kept(table, name) for name in ("old", "older/odd?id", "young")] == [False, False, True]
    assert _notes(table) == {(rows.retention_day(later(-DAY * 29)), "young")}


def test_an_old_call_that_is_still_used_is_kept_and_noted_anew(table: CallTable) -> None:
    """A call that began long ago and changed lately stays, and is looked at again when its time may be over."""
    _keep(table, "long", 40, changed_days_ago=2)
    assert Retention(table, days=30, now=lambda: NOW).forget_old_calls() == 0
    assert _is_kept(table, "long")
    assert _notes(table) == {(rows.retention_day(later(-DAY * 2)), "long")}
    assert Retention(table, days=30, now=lambda: later(DAY * 40)).forget_old_calls() == 1
    assert not _is_kept(table, "long")
    assert _notes(table) == set()


def test_an_invitation_that_changed_lately_keeps_its_call(table: CallTable) -> None:
    """A call is as fresh as the freshest of its invitations."""
    _keep(table, "call", 40)
    table.insert_invitation(invitation(DONE, id="B" * 26, call_id="call", updated=later(-DAY)))
    assert Retention(table, days=30, now=lambda: NOW).forget_old_calls() == 0
    assert _is_kept(table, "call")


def test_a_note_of_a_call_that_is_gone_is_cleared_away(table: CallTable) -> None:
    """A note that leads nowhere does no harm and does not stay."""
    table.remember("gone", later(-DAY * 50))
    Retention(table, days=30, now=lambda: NOW).forget_old_calls()
    assert _notes(table) == set()


def test_a_new_app_has_nothing_to_forget(table: CallTable) -> None:
    """The first night finds no table, and no fault."""
    assert Retention(table, days=30, now=lambda: NOW).forget_old_calls() == 0


def test_what_is_not_old_is_not_read(table: CallTable, transport: CountingTransport) -> None:
    """The nightly run reads the notes of old days alone: young calls cost it nothing."""
    for number in range(5):
        _keep(table, f"young {number}", 3)
    transport.sent.clear()
    Retention(table, days=30, now=lambda: NOW).forget_old_calls()
    assert len(transport.sent) == 1


def test_a_run_ends_in_time_and_the_rest_is_done_the_next_night(table: CallTable) -> None:
    """However much there is to forget, one run keeps within the host's limit, and nothing is lost."""
    for number in range(4):
        _keep(table, f"old{number}", 50 + number)
    ticks = iter(range(0, 10_000, 100))
    retention = Retention(table, days=30, now=lambda: NOW, clock=lambda: float(next(ticks)))
    assert retention.forget_old_calls() == 2
    assert [_is_kept(table, f"old{number}") for number in range(4)] == [True, True, False, False]
    assert Retention(table, days=30, now=lambda: NOW).forget_old_calls() == 2
    assert not any(_is_kept(table, f"old{number}") for number in range(4))
