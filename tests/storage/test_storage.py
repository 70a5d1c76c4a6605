"""What the app relies on in Azure Table Storage, on a real Azurite."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import pytest
from azure.core.exceptions import ServiceRequestError

from domain.model import Invitee, Operation, Presence, Status
from storage import rows
from storage.calls import CallTable, Stored
from storage.rows import Row
from storage.table import AlreadyThere, Conflict, StorageTable, table_client
from tests.states import BUSY, CALL, call_state, entry, invitation, later, operation
from web.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.model import CallState, Invitation, RosterEntry
    from settings import Settings
    from tests.storage_fixtures import CountingTransport

HOSTILE_IDS = ["a/b", "a\\b", "a#b", "a?b", "a%2Fb", "a\x00b", "it's", "''", "ü🙂", " ", "x" * 1000, "' or 1 eq 1 or '"]


def _call_row(call: CallState, etag: str | None = None) -> Row:
    return Row(rows.call_entity(call), etag=etag, is_new=etag is None)


def _roster_rows(people: list[RosterEntry]) -> list[Row]:
    return [Row(rows.roster_entity(CALL, one)) for one in people]


def _found(table: CallTable, call_id: str = CALL) -> Stored[Invitation]:
    stored = table.invitation(call_id, invitation().id)
    assert stored is not None
    return stored


def test_reading_a_table_that_does_not_exist_finds_nothing(table: CallTable) -> None:
    """A new app answers before anything was ever written."""
    assert table.invitation(CALL, invitation().id) is None
    assert table.invitation_and_presence(CALL, invitation().id) == (None, {})
    assert table.invitations_and_presence(CALL) == ([], {})
    assert table.open_invitations(CALL) == []
    assert table.operation(CALL, "op") is None
    assert table.call(CALL) is None
    assert table.call_and_roster(CALL) == (None, {})
    assert list(table.partitions_kept_since_before(later(0))) == []
    assert table.last_change(CALL) is None
    assert table.is_reachable()


def test_the_table_is_made_with_the_first_row(table: CallTable, transport: CountingTransport) -> None:
    """Nobody has to make the table, and once it is there an insert is one request."""
    table.insert_invitation(invitation())
    assert len(transport.sent) == 3
    assert _found(table).value == invitation()
    transport.sent.clear()
    table.insert_invitation(invitation(id="B" * 26))
    assert [method for method, _ in transport.sent] == ["POST"]


@pytest.mark.parametrize("first", ["upsert", "transaction"])
def test_the_table_is_made_with_any_first_write(table: CallTable, first: str) -> None:
    """A callback or a note may come first as well."""
    if first == "upsert":
        table.remember(CALL, later(0))
        assert list(table.partitions_kept_since_before(later(86_400))) == [("~kept|2026-01-31", CALL)]
    else:
        table.write(_roster_rows([entry("p1"), entry("p2")]))
        assert set(table.call_and_roster(CALL)[1]) == {"p1", "p2"}


def test_many_processes_may_make_the_table_at_once(app_settings: Settings) -> None:
    """Whoever comes second to making the table goes on as if it had been there."""

    def insert(number: int) -> str:
        with table_client(app_settings) as client:
            return CallTable(StorageTable(client)).insert_invitation(invitation(id=f"{number:026}")).etag

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(insert, range(8)))
    with table_client(app_settings) as client:
        assert len(CallTable(StorageTable(client)).invitations_and_presence(CALL)[0]) == 8


def test_an_invitation_is_inserted_once(table: CallTable) -> None:
    """Of two inserts under one id the first wins, and the second is told so."""
    table.insert_invitation(invitation())
    with pytest.raises(AlreadyThere):
        table.insert_invitation(invitation(watch="other"))
    assert _found(table).value.watch == "watch"


def test_of_many_inserts_at_once_exactly_one_wins(table: CallTable) -> None:
    """However many duplicates arrive together, one row is made."""
    table.remember(CALL, later(0))

    def insert(number: int) -> bool:
        try:
            table.insert_invitation(invitation(watch=str(number)))
        except AlreadyThere:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(insert, range(24)))
    assert sum(won) == 1
    assert _found(table).value.watch == str(won.index(True))


def test_a_changed_invitation_is_not_overwritten(table: CallTable) -> None:
    """Of two who read the same row, the first to write wins, and the second is told so."""
    stored = table.insert_invitation(invitation())
    written = table.replace_invitation(stored, invitation(watch="first"))
    with pytest.raises(Conflict):
        table.replace_invitation(stored, invitation(watch="second"))
    assert _found(table) == written
    table.replace_invitation(written, invitation(watch="third"))
    assert _found(table).value.watch == "third"


def test_a_removed_invitation_is_not_brought_back(table: CallTable) -> None:
    """Replacing a row that was removed meanwhile is a conflict, alone and in a transaction."""
    stored = table.insert_invitation(invitation())
    table.forget(CALL)
    with pytest.raises(Conflict):
        table.replace_invitation(stored, invitation())
    with pytest.raises(Conflict):
        table.write([Row(rows.invitation_entity(invitation()), etag=stored.etag), *_roster_rows([entry("p")])])
    assert table.call_and_roster(CALL) == (None, {})


@pytest.mark.parametrize("call_id", HOSTILE_IDS)
def test_any_call_id_is_a_partition_of_its_own(table: CallTable, call_id: str) -> None:
    """Odd ids are kept apart and do no harm: no query can be written into them."""
    table.insert_invitation(invitation(call_id="other"))
    assert table.invitation_and_presence(call_id, invitation().id) == (None, {})
    table.insert_invitation(invitation(call_id=call_id))
    table.write([Row(rows.operation_entity(call_id, call_id, invitation="x", report=None), is_new=True)])
    table.write([Row(rows.roster_entity(call_id, entry(call_id)))])
    assert _found(table, call_id).value.call_id == call_id
    assert [one.value.call_id for one in table.invitations_and_presence(call_id)[0]] == [call_id]
    index = table.operation(call_id, call_id)
    assert index is not None
    assert (index.invitation_id, index.report) == ("x", None)
    assert set(table.call_and_roster(call_id)[1]) == {call_id}
    table.forget(rows.partition_key(call_id))
    assert table.invitation(call_id, invitation().id) is None
    assert _found(table, "other").value.call_id == "other"


def test_a_poll_is_one_request(table: CallTable, transport: CountingTransport) -> None:
    """An invitation and who is in its call are read together."""
    stored = table.insert_invitation(invitation())
    table.write([_call_row(call_state(presence={"hash": Presence.IN_LOBBY}))])
    table.insert_invitation(invitation(id="B" * 26))
    table.write(_roster_rows([entry("p1")]))
    transport.sent.clear()
    assert table.invitation_and_presence(CALL, invitation().id) == (stored, {"hash": Presence.IN_LOBBY})
    assert [method for method, _ in transport.sent] == ["GET"]


@pytest.mark.parametrize(
    "use",
    [
        lambda table, _: table.invitation(CALL, invitation().id),
        lambda table, _: table.invitations_and_presence(CALL),
        lambda table, _: table.open_invitations(CALL),
        lambda table, _: table.operation(CALL, "op"),
        lambda table, _: table.call(CALL),
        lambda table, _: table.call_and_roster(CALL),
        lambda table, _: table.is_reachable(),
        lambda table, _: table.last_change(CALL),
        lambda table, stored: table.replace_invitation(stored, invitation(watch="next")),
    ],
)
def test_everything_else_is_one_request_too(
    table: CallTable, transport: CountingTransport, use: Callable[[CallTable, Stored[Invitation]], object]
) -> None:
    """No read or replacement costs more than one round trip."""
    stored = table.insert_invitation(invitation())
    transport.sent.clear()
    use(table, stored)
    assert len(transport.sent) == 1


def test_open_invitations_are_told_from_the_others(table: CallTable) -> None:
    """A call's end finds exactly those whose outcome is still to come."""
    table.insert_invitation(invitation(id="A" * 26))
    table.insert_invitation(invitation(operation(status=Status.NOT_STARTED), id="B" * 26))
    table.insert_invitation(invitation(operation(status=Status.FAILED), id="C" * 26))
    table.insert_invitation(invitation(operation(status=Status.COMPLETED), id="D" * 26))
    assert [one.value.id[0] for one in table.open_invitations(CALL)] == ["A", "B"]


def test_an_early_report_is_found_under_its_operation_id(table: CallTable) -> None:
    """A report that came before Graph's answer is kept as it was."""
    table.write([Row(rows.operation_entity(CALL, "op", invitation=None, report='{"id": "op"}'), is_new=True)])
    index = table.operation(CALL, "op")
    assert index is not None
    assert (index.invitation_id, index.report) == (None, {"id": "op"})


def test_a_transaction_is_all_or_nothing(table: CallTable) -> None:
    """Where one row of several can't be written, none is."""
    stored = table.insert_invitation(invitation())
    index = Row(rows.operation_entity(CALL, "op", invitation=stored.value.id, report=None), is_new=True)
    table.write([index])
    changed = Row(rows.invitation_entity(invitation(watch="next")), etag=stored.etag)
    with pytest.raises(AlreadyThere):
        table.write([changed, index])
    assert _found(table).value.watch == "watch"
    other = Row(rows.operation_entity(CALL, "op2", invitation=stored.value.id, report=None), is_new=True)
    with pytest.raises(Conflict):
        table.write([replace(changed, etag="W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\""), other])
    assert table.operation(CALL, "op2") is None
    table.write([changed, other])
    assert _found(table).value.watch == "next"
    assert table.operation(CALL, "op2") is not None


def test_a_roster_of_a_thousand_is_written_in_eleven_transactions(
    table: CallTable, transport: CountingTransport
) -> None:
    """A thousand people cost a bounded number of requests, the call's row guarding each, and one read."""
    table.write([_call_row(call_state())])
    call = table.call(CALL)
    assert call is not None
    people = [
        entry(f"p{number}", identity={"id": f"person {number}", "displayName": "é" * 40}) for number in range(1000)
    ]
    everybody = call_state(presence={f"{number:024x}": Presence.IN_CALL for number in range(1000)})
    transport.sent.clear()
    table.write(_roster_rows(people), guard=_call_row(everybody, call.etag))
    assert [method for method, _ in transport.sent] == ["POST"] * 11
    transport.sent.clear()
    got, roster = table.call_and_roster(CALL)
    assert len(transport.sent) == 2  # a thousand rows, and the one that remains
    assert got is not None
    assert got.value == everybody
    assert roster == {one.key: one for one in people}


def test_nobody_comes_between_the_groups_of_one_write(table: CallTable) -> None:
    """A guard that was changed meanwhile stops a long write, whatever group it has come to."""
    table.write([_call_row(call_state())])
    call = table.call(CALL)
    assert call is not None
    newer = Row(rows.call_entity(call_state(state="established")), etag=call.etag)
    table.write([newer])
    with pytest.raises(Conflict):
        table.write(
            _roster_rows([entry(f"p{place}") for place in range(150)]), guard=_call_row(call_state(), call.etag)
        )
    got, roster = table.call_and_roster(CALL)
    assert roster == {}
    assert got is not None
    assert got.value.state == "established"


def test_a_new_guard_guards_all_groups(table: CallTable) -> None:
    """Of two who write a call's first roster at once, one wins and the other is told so."""
    people = _roster_rows([entry(f"p{place}") for place in range(150)])
    table.write(people, guard=_call_row(call_state()))
    with pytest.raises(AlreadyThere):
        table.write(people, guard=_call_row(call_state()))
    assert len(table.call_and_roster(CALL)[1]) == 150


# Azurite weighs the JSON on the wire, where an emoji is twelve bytes; Azure weighs what is kept, where it is four.
@pytest.mark.parametrize(("letter", "count"), [("x", 50), ("é", 50), ("日", 50), ("\x01", 50), ('"', 50), ("🙂", 30)])
def test_the_largest_invitation_fits_into_one_row(table: CallTable, letter: str, count: int) -> None:
    """Fifty people with every member as long as allowed, in any script, are kept; so is what became of each."""
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
    operations = tuple(
        Operation("x" * 249 + f"~{place}of50", (place,), Status.FAILED, "9" * 36, BUSY) for place in range(count)
    )
    stored = table.insert_invitation(invitation(participants=people, operations=operations))
    assert _found(table).value == stored.value
    table.replace_invitation(stored, replace(stored.value, watch="next"))


def test_a_result_of_any_length_can_be_kept(table: CallTable) -> None:
    """However much Graph has to say about a failure, the failure is kept."""
    ended = operation(status=Status.FAILED, result=replace(BUSY, message="DiagCode: " + "🙂" * 1_000_000))
    table.insert_invitation(invitation(ended))
    (kept,) = _found(table).value.operations
    assert kept.status is Status.FAILED
    assert kept.result is not None
    assert (kept.result.code, kept.result.subcode) == (BUSY.code, BUSY.subcode)
    assert kept.result.message is not None
    assert kept.result.message.startswith("DiagCode: 🙂")


def test_removing_takes_everything_of_a_call_and_nothing_else(table: CallTable) -> None:
    """A forgotten call leaves no row behind, however many it had, and its neighbours stay."""
    table.insert_invitation(invitation())
    table.insert_invitation(invitation(call_id="other"))
    table.write([_call_row(call_state())])
    table.write([Row(rows.operation_entity(CALL, "op", invitation="x", report=None))])
    table.write(_roster_rows([entry(f"p{place}") for place in range(250)]))
    table.forget(CALL)
    assert table.call_and_roster(CALL) == (None, {})
    assert table.invitations_and_presence(CALL) == ([], {})
    assert table.operation(CALL, "op") is None
    assert table.last_change(CALL) is None
    assert _found(table, "other").value.call_id == "other"
    table.forget(CALL)


def test_notes_of_days_are_found_oldest_first_and_only_before_a_day(table: CallTable) -> None:
    """The nightly run sees what was noted before its limit, in order, and can take a note away twice."""
    table.remember("c", later(0))
    table.remember("b", later(-86_400))
    table.remember("a", later(-86_400))
    table.remember("a", later(-86_400))
    notes = list(table.partitions_kept_since_before(later(0)))
    assert notes == [("~kept|2026-01-30", "a"), ("~kept|2026-01-30", "b")]
    table.forget_note(notes[0])
    table.forget_note(notes[0])
    assert list(table.partitions_kept_since_before(later(0))) == notes[1:]


def test_the_last_change_of_a_call_is_its_own_or_any_invitations(table: CallTable) -> None:
    """A call is as fresh as the freshest thing in it; its roster's rows are not read for that."""
    table.write([_call_row(call_state(updated=later(10)))])
    assert table.last_change(CALL) == later(10)
    table.insert_invitation(invitation(updated=later(30)))
    table.insert_invitation(invitation(id="B" * 26, updated=later(20)))
    table.write(_roster_rows([entry("p")]))
    assert table.last_change(CALL) == later(30)


class BrokenTransport:
    """A network on which nothing arrives."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def send(self, request: object, **_: object) -> None:
        raise ServiceRequestError("no network")

    def sleep(self, seconds: float) -> None:
        pass


def test_storage_that_can_not_be_reached_is_told_as_such(app_settings: Settings) -> None:
    """Whatever the storage library raises, the app sees one error, which becomes a 503."""
    with table_client(app_settings, transport=BrokenTransport()) as client:
        table = CallTable(StorageTable(client))
        stored = Stored(invitation(), "etag")
        for use in (
            lambda: table.invitation(CALL, "A" * 26),
            lambda: table.invitation_and_presence(CALL, "A" * 26),
            lambda: table.call_and_roster(CALL),
            lambda: table.insert_invitation(invitation()),
            lambda: table.replace_invitation(stored, invitation()),
            lambda: table.write(_roster_rows([entry("a"), entry("b")])),
            lambda: table.remember(CALL, later(0)),
            lambda: table.last_change(CALL),
            lambda: table.forget(CALL),
            lambda: list(table.partitions_kept_since_before(later(0))),
        ):
            with pytest.raises(StorageUnavailable):
                use()
        assert table.is_reachable() is False
