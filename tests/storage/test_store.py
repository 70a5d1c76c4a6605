"""What the app relies on in Azure Table Storage, on a real Azurite."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from domain.call import CallState, Presence
from domain.index import CallEntry
from domain.invitation import Invitee
from domain.record import CallRecord, Lookup, Needs, OperationEntry
from domain.results import ResultInfo
from storage.errors import StorageError, StorageUnavailable, TooLarge
from storage.rows import Row, partition_key
from storage.singles import SingleRows
from storage.store import TableStore
from storage.table import Conflict, StorageTable, WriteUnknown, table_client
from tests.fakes import MemoryTable
from tests.states import CALL, call, completed, entry, failed, invitation, later, operation, says

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from domain.invitation import Invitation
    from settings import Settings
    from storage.store import Updated
    from tests.storage_fixtures import CountingTransport

HOSTILE_IDS = ["a/b", "a\\b", "a#b", "a?b", "a%2Fb", "a\x00b", "it's", "''", "ü🙂", " ", "x" * 1000, "' or 1 eq 1 or '"]
ID = invitation().id
ALL = Needs(invitations=frozenset({ID}), call=True, roster=True, operations=frozenset({"op"}))


def _put(store: TableStore, *invitations: Invitation, call_id: str = CALL, **members: Any) -> Updated:
    """Write invitations, a call, a roster or operations of a call."""
    needs = Needs(
        invitations=frozenset(one.id for one in invitations),
        call=True,
        roster="roster" in members,
        operations=frozenset(members.get("operations", ())),
    )

    def change(record: CallRecord) -> CallRecord:
        record = replace(record, **members)
        for one in invitations:
            record = record.with_invitation(one)
        return record

    return store.update(call_id, needs, change)


def _found(store: TableStore, call_id: str = CALL) -> Invitation | None:
    return store.read(call_id, Needs(invitations=frozenset({ID}))).record.invitations.get(ID)


def _claim(owner: str) -> Callable[[CallRecord], CallRecord]:
    """Return a change that takes an invitation over where it is free."""

    def change(record: CallRecord) -> CallRecord:
        found = record.invitations.get(ID)
        if found is None:
            return record.with_invitation(invitation(asked_by=owner))
        return record if found.asked_by else record.with_invitation(replace(found, asked_by=owner))

    return change


def test_no_table(store: TableStore) -> None:
    """A new app responds before anything was ever written."""
    assert store.read(CALL, ALL).record == CallRecord(CALL)
    assert store.read(CALL, Needs(open_invitations=True)).record == CallRecord(CALL)
    assert store.all_invitations(CALL) == CallRecord(CALL)
    assert list(store.kept_since_before(later(0))) == []
    assert store.last_change(CALL) is None


def test_table_is_made_with_its_first_row(store: TableStore, transport: CountingTransport) -> None:
    """The table need not be made by hand, and once it is there an insert is one request."""
    nothing = store.nothing_yet(CALL)
    store.update(CALL, ALL, lambda record: record.with_invitation(invitation()), held=nothing)
    assert [method for method, _ in transport.sent] == ["POST"] * 3
    transport.sent.clear()
    other = invitation(id="B" * 26)
    store.update(CALL, ALL, lambda record: record.with_invitation(other), held=nothing)
    assert [method for method, _ in transport.sent] == ["POST"]


@pytest.mark.parametrize("first", ["note", "transaction"])
def test_any_first_write_makes_the_table(store: TableStore, first: str) -> None:
    """A callback or a note may come first as well."""
    if first == "note":
        store.keep(CALL, later(0))
        assert list(store.kept_since_before(later(86_400))) == [("~kept|2026-01-31", CALL)]
    else:
        _put(store, call=call(), roster={"p": entry("p")})
        assert set(store.read(CALL, Needs(roster=True)).record.roster) == {"p"}


def test_many_processes_make_the_table(app_settings: Settings) -> None:
    """A process that comes second to making the table goes on as if it had been there."""

    def insert(number: int) -> None:
        with table_client(app_settings) as client:
            _put(TableStore(StorageTable(client)), invitation(id=f"{number:026}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(insert, range(8)))
    with table_client(app_settings) as client:
        assert len(TableStore(StorageTable(client)).all_invitations(CALL).invitations) == 8


@pytest.mark.parametrize("is_there", [False, True])
def test_one_of_many_wins(store: TableStore, *, is_there: bool) -> None:
    """However many duplicates arrive together, one inserts or claims, and all others see that."""
    store.keep(CALL, later(0))
    if is_there:
        _put(store, invitation())
    nothing = store.nothing_yet(CALL)

    def claim(number: int) -> str:
        held = None if is_there else nothing
        return store.update(CALL, ALL, _claim(str(number)), held=held).after.invitations[ID].asked_by

    with ThreadPoolExecutor(8) as pool:
        owners = list(pool.map(claim, range(24)))
    assert len(set(owners)) == 1
    found = _found(store)
    assert found is not None
    assert found.asked_by == owners[0]


def test_lost_race(store: TableStore) -> None:
    """Where another writer was faster, the change is applied again to what that one wrote."""
    held = _put(store, invitation()).held
    _put(store, invitation(asked_by="other"))
    seen = []

    def change(record: CallRecord) -> CallRecord:
        found = record.invitations[ID]
        seen.append(found.asked_by)
        return record.with_invitation(replace(found, token="changed"))

    updated = store.update(CALL, ALL, change, held=held)
    assert seen == ["", "other"]
    assert (updated.before.invitations[ID].asked_by, updated.after.invitations[ID].token) == ("other", "changed")


def test_held_needs_no_read(store: TableStore, transport: CountingTransport) -> None:
    """What an update left serves the next one: one request each."""
    held = _put(store, invitation()).held
    transport.sent.clear()
    for token in ("a", "b"):
        change = lambda record, token=token: record.with_invitation(invitation(token=token))  # noqa: E731
        held = store.update(CALL, ALL, change, held=held).held
    assert [method for method, _ in transport.sent] == ["PUT", "PUT"]


def test_nothing_changed(store: TableStore, transport: CountingTransport) -> None:
    """A change that changes nothing writes nothing."""
    held = _put(store, invitation()).held
    transport.sent.clear()
    assert store.update(CALL, ALL, lambda record: record, held=held).held is held
    assert transport.sent == []


def test_removed_rows_stay_removed(store: TableStore) -> None:
    """A row that was removed meanwhile is not brought back, alone or in a transaction."""
    held = _put(store, invitation()).held
    store.forget(CALL)

    def change(record: CallRecord) -> CallRecord:
        found = record.invitations.get(ID)
        return record if found is None else record.with_invitation(replace(found, token="changed"))

    assert store.update(CALL, ALL, change, held=held).after.invitations == {}
    assert _found(store) is None


@pytest.mark.parametrize("call_id", HOSTILE_IDS)
def test_hostile_ids(store: TableStore, call_id: str) -> None:
    """Odd ids are kept apart and do no harm: no query can be written into them."""
    _put(store, invitation(call_id="other"), call_id="other")
    assert _found(store, call_id) is None
    _put(
        store,
        invitation(call_id=call_id),
        call_id=call_id,
        call=call(call_id=call_id),
        operations={call_id: OperationEntry("x")},
        roster={call_id: entry(call_id)},
    )
    needs = Needs(invitations=frozenset({ID}), operations=frozenset({call_id}), roster=True)
    record = store.read(call_id, needs).record
    assert record.invitations[ID].call_id == call_id
    assert record.operations == {call_id: OperationEntry("x")}
    assert set(record.roster) == {call_id}
    store.forget(partition_key(call_id))
    assert _found(store, call_id) is None
    assert _found(store, "other") is not None


@pytest.mark.parametrize(
    ("needs", "requests"),
    [
        (Needs(invitations=frozenset({ID})), 1),
        (Needs(invitations=frozenset({ID}), call=True), 1),
        (Needs(call=True), 1),
        (Needs(roster=True), 1),
        (Needs(roster=True, call=True, invitations=frozenset({ID})), 2),
        (Needs(open_invitations=True), 1),
        (Needs(lookups=(Lookup("context", "op"),), call=True), 1),
        (Needs(lookups=(Lookup(None, "op"),)), 2),
        (Needs(lookups=(Lookup("context", "op"), Lookup("context", "op"))), 1),
        (Needs(operations=frozenset({"op"})), 1),
    ],
)
def test_requests(store: TableStore, transport: CountingTransport, needs: Needs, requests: int) -> None:
    """Each read costs no more requests than it must."""
    _put(store, invitation(operation(id="op")), call=call(), operations={"op": OperationEntry(ID)})
    transport.sent.clear()
    store.read(CALL, needs)
    assert [method for method, _ in transport.sent] == ["GET"] * requests


def test_open_invitations(store: TableStore) -> None:
    """A call's end finds exactly those whose outcome is still to come."""
    _put(
        store,
        invitation(id="A" * 26),
        invitation(operation(0, 1, state=completed()), id="B" * 26),
        invitation(operation(state=failed()), id="C" * 26),
        invitation(operation(state=completed()), id="D" * 26),
    )
    found = store.read(CALL, Needs(open_invitations=True)).record.invitations
    assert sorted(one[0] for one in found) == ["A", "B"]


def test_early_report(store: TableStore) -> None:
    """A report that came before Graph's response is kept under its operation's id."""
    early = says("failed", ResultInfo(1, 2, "x"), id="op")
    _put(store, operations={"op": OperationEntry(None, early)})
    assert store.read(CALL, Needs(operations=frozenset({"op"}))).record.operations["op"].report == early


def test_all_or_nothing(store: TableStore, table: StorageTable) -> None:
    """Where one row of several can't be written, none is."""
    one, two = ({"PartitionKey": "p", "RowKey": key} for key in ("one", "two"))
    (etag,) = table.write([Row(one, is_new=True)])
    with pytest.raises(Conflict):
        table.write([Row({**one, "a": 1}, etag), Row(one | {"RowKey": "three"}, is_new=True), Row(two, "W/\"x'y'\"")])
    assert table.get("p", "three") is None
    with pytest.raises(Conflict):
        table.write([Row({**one, "a": 1}, is_new=True), Row(two, is_new=True)])
    assert table.get("p", "two") is None
    etags = table.write([Row({**one, "a": 1}, etag), Row(two, is_new=True)])
    assert [table.get("p", key)["etag"] for key in ("one", "two")] == etags  # type: ignore[index]


def test_roster_of_a_thousand(store: TableStore, transport: CountingTransport) -> None:
    """A thousand people cost a bounded number of requests, the call's row guarding each."""
    _put(store, call=call())
    people = {
        f"p{number}": entry(f"p{number}", identity={"id": f"person {number}", "displayName": "🙂" * 256})
        for number in range(1000)
    }
    everybody = call(presence={f"{number:024x}": Presence.IN_CALL for number in range(1000)})
    transport.sent.clear()
    _put(store, call=everybody, roster=people)
    assert [method for method, _ in transport.sent] == ["GET"] + ["POST"] * 11
    transport.sent.clear()
    record = store.read(CALL, Needs(roster=True)).record
    assert len(transport.sent) == 2  # a thousand rows, and the one that remains
    assert record.call == replace(everybody, details=5)  # as many of these names as a row holds
    assert record.roster == people


@pytest.mark.parametrize(("letter", "count"), [("x", 256), ("日", 256), ("🙂", 256)])
def test_roster_beyond_a_transaction(store: TableStore, letter: str, count: int) -> None:
    """A roster of long names in any script is stored, though one transaction takes 4 MiB."""
    people = {
        str(number): entry(
            str(number),
            Presence.UNKNOWN,
            identity={"id": str(number), "displayName": letter * count, "x": letter * 4000},
        )
        for number in range(150)
    }
    _put(store, call=call(), roster=people)
    assert store.read(CALL, Needs(roster=True)).record.roster == people


def test_guard(store: TableStore) -> None:
    """Another writer stops a long write, whatever group it has come to, and then it is decided again."""
    held = _put(store, call=call()).held
    _put(store, call=call(state=CallState.TERMINATED))
    people = {f"p{place}": entry(f"p{place}") for place in range(150)}
    seen: list[CallState] = []

    def change(record: CallRecord) -> CallRecord:
        assert record.call is not None
        seen.append(record.call.state)
        if record.call.has_ended:
            return record
        return replace(record, call=call(state=CallState.ESTABLISHED), roster=people)

    store.update(CALL, Needs(roster=True), change, held=held)
    assert seen == [CallState.UNKNOWN, CallState.TERMINATED]
    assert store.read(CALL, Needs(roster=True)).record.roster == {}


# Azurite counts the JSON on the wire, where an emoji is twelve bytes; Azure counts what is kept, where it is four.
@pytest.mark.parametrize(("letter", "count"), [("x", 50), ("é", 50), ("日", 50), ("\x01", 50), ('"', 50), ("🙂", 30)])
def test_largest_invitation(store: TableStore, letter: str, count: int) -> None:
    """Fifty people with every property as long as allowed, in any script, fit into one row with their outcomes."""
    people = tuple(
        Invitee(
            "guest",
            {
                "id": f"{place:02}" + letter * 1022,
                "displayName": letter * 256,
                "identityProvider": letter * 256,
                "email": letter * 320,
                "azureCommunicationServicesResourceId": letter * 256,
                "@odata.type": "#microsoft.graph.communicationsGuestIdentity",
            },
            replaces_call_id=letter * 256,
            participant_id=letter * 256,
        )
        for place in range(count)
    )
    ended = [
        operation(place, client_context="x" * 249 + f"~{place}of50", id="9" * 36, state=failed())
        for place in range(count)
    ]
    value = invitation(*ended, participants=people)
    _put(store, value)
    assert _found(store) == value


def test_too_large(store: TableStore) -> None:
    """What no row holds is an error of its own, since trying again would not help."""
    value = invitation(people=1, participants=(Invitee("user", {"id": "x" * 5_000_000}),))
    with pytest.raises(TooLarge):
        _put(store, value)


def test_forget(store: TableStore) -> None:
    """A removed call leaves no row behind, however many it had, and its neighbours stay."""
    _put(store, invitation(call_id="other"), call_id="other")
    people = {f"p{place}": entry(f"p{place}") for place in range(250)}
    _put(store, invitation(), call=call(), roster=people, operations={"op": OperationEntry(ID)})
    store.forget(CALL)
    assert store.read(CALL, ALL).record == CallRecord(CALL)
    assert store.last_change(CALL) is None
    assert _found(store, "other") is not None
    store.forget(CALL)


def test_notes_of_days(store: TableStore) -> None:
    """The nightly run sees what was noted before its limit, in order, and can remove a note twice."""
    store.keep("c", later(0))
    store.keep("b", later(-86_400))
    store.keep("a", later(-86_400))
    store.keep("a", later(-86_400))
    notes = list(store.kept_since_before(later(0)))
    assert notes == [("~kept|2026-01-30", "a"), ("~kept|2026-01-30", "b")]
    store.forget_note(notes[0])
    store.forget_note(notes[0])
    assert list(store.kept_since_before(later(0))) == notes[1:]


def test_last_change(store: TableStore) -> None:
    """A call is as fresh as the freshest thing in it; its roster's rows are not read for that."""
    _put(store, call=call(updated=later(10)))
    assert store.last_change(CALL) == later(10)
    _put(store, invitation(updated=later(30)), invitation(id="B" * 26, updated=later(20)))
    assert store.last_change(CALL) == later(30)


class DoubtfulTable(MemoryTable):
    """Loses the response to some writes: ``plan`` has what happens to each, then all is well."""

    def __init__(self, *plan: str) -> None:
        super().__init__()
        self.plan = list(plan)
        self.reads_that_fail = 0

    def write(self, group: Sequence[Row]) -> list[str]:
        what = self.plan.pop(0) if self.plan else "done"
        etags = [] if what == "lost before" else super().write(group)
        if what != "done":
            raise WriteUnknown
        return etags

    def query(self, *arguments: Any, **named: Any) -> list[dict[str, Any]]:
        if self.reads_that_fail:
            self.reads_that_fail -= 1
            raise StorageUnavailable
        return super().query(*arguments, **named)


@pytest.mark.parametrize("what", ["lost before", "lost after"])
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("is_there", [False, True])
def test_own_write_is_recognised(what: str, times: int, *, is_there: bool) -> None:
    """A write with an unknown outcome is done in the end, once, and what was read before it stays known."""
    table = DoubtfulTable()
    store = TableStore(table)
    held = _put(store, invitation()).held if is_there else store.nothing_yet(CALL)
    table.plan = [what] * times
    updated = store.update(CALL, ALL, _claim("me"), held=held)
    assert updated.after.invitations[ID].asked_by == "me"
    assert ID not in updated.before.invitations or updated.before.invitations[ID].asked_by == ""
    found = _found(store)
    assert found is not None
    assert found.asked_by == "me"


def test_lost_response_and_lost_race() -> None:
    """A write whose response was lost, and which another writer then overtook, is decided again."""
    table = DoubtfulTable()
    store = TableStore(table)
    held = _put(store, invitation()).held
    table.plan = ["lost before"]

    def overtaken(before: CallRecord, after: CallRecord) -> CallRecord:
        if not table.plan:
            return after
        _put(TableStore(_as_is(table)), invitation(asked_by="other"))
        return after

    updated = store.update(CALL, ALL, _claim("me"), before_write=overtaken, held=held)
    assert updated.after.invitations[ID].asked_by == "other"


def _as_is(table: DoubtfulTable) -> MemoryTable:
    """Return the same rows without the faults."""
    plain = MemoryTable()
    plain.rows, plain._etags, plain._lock = table.rows, table._etags, table._lock
    return plain


@pytest.mark.parametrize(("failing", "is_done"), [(1, True), (2, False)])
def test_looks_once_more(failing: int, *, is_done: bool) -> None:
    """After a write with an unknown outcome a read that fails is tried once more."""
    table = DoubtfulTable("lost after")
    table.reads_that_fail = failing
    store = TableStore(table)
    needs = Needs(invitations=frozenset({ID}), call=True)
    try:
        updated = store.update(CALL, needs, _claim("me"), held=store.nothing_yet(CALL))
    except StorageUnavailable:
        assert not is_done
    else:
        assert is_done
        assert updated.after.invitations[ID].asked_by == "me"


def test_endless_conflict() -> None:
    """Where other writers are always faster, it ends."""

    class Busy(MemoryTable):
        def write(self, group: Sequence[Row]) -> list[str]:
            raise Conflict

    with pytest.raises(StorageUnavailable):
        TableStore(Busy()).update(CALL, ALL, _claim("me"))


def test_errors() -> None:
    """The room's errors are the two that its tree shows."""
    assert {error.__name__ for error in StorageError.__subclasses__()} == {"StorageUnavailable", "TooLarge"}


def test_entry_of_a_listed_call(table: StorageTable) -> None:
    """An entry is replaced only where it is: a call that was taken out of the index stays out."""
    rows = SingleRows(table)
    entry = CallEntry("call", "Before", CallState.UNKNOWN, later(0), later(0))
    assert not rows.replace_entry(entry)
    rows.index(entry)
    assert rows.replace_entry(replace(entry, title="After"))
    assert [one.value.title for one in rows.open_calls() if one.value] == ["After"]
    rows.unindex("call")
    assert not rows.replace_entry(entry)
    assert rows.open_calls() == []
