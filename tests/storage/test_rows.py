"""Keys, properties and sizes of rows, and the transactions in which they are written."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.call import Presence
from domain.invitation import Invitee, Late, Status
from domain.record import CallRecord, OperationEntry
from domain.results import ResultInfo
from storage import rows, writing
from storage.reading import Held
from tests.states import CALL, call, completed, entry, failed, invitation, later, operation

# What Table Storage refuses in a key, and how long a key may be:
# https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
REFUSED = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
ANY_TEXT = st.text(st.characters(codec=None))
HOSTILE = [
    "a/b",
    "a\\b",
    "a#b",
    "a?b",
    "a%2Fb",
    "a\x00b",
    "a\nb",
    "a\x7fb",
    "a\x9fb",
    " ",
    "'",
    "''",
    "ü",
    "🙂",
    "\ud800",
]


def _is_key(text: str) -> bool:
    return bool(text) and not REFUSED.search(text) and len(text.encode("utf-16-le")) <= 1024 and text.isascii()


def _changed(record: CallRecord, before: CallRecord | None = None, **etags: str) -> writing.Changed:
    return writing.rows_of(Held(before or CallRecord(record.call_id), etags), record)


def _keys(record: CallRecord) -> list[str]:
    return [row.key for group in _changed(record).groups() for row in group]


@pytest.mark.parametrize("value", [*HOSTILE, "", "x" * 257, "x" * 100_000, "~kept|2026-01-31", "call", "invitation|x"])
def test_any_string_becomes_a_key(value: str) -> None:
    """Ids that callers and Graph choose may hold anything and do no harm."""
    assert _is_key(rows.safe_key(value))
    assert _is_key(rows.partition_key(value))
    record = CallRecord(CALL, operations={value: OperationEntry("x")}, roster={value: entry(value)})
    assert all(map(_is_key, _keys(record)))


@settings(deadline=None, max_examples=300)
@given(ANY_TEXT, ANY_TEXT)
def test_different_strings_have_different_keys(one: str, other: str) -> None:
    """No two ids ever share a row."""
    assert _is_key(rows.safe_key(one))
    assert (rows.safe_key(one) == rows.safe_key(other)) == (one == other)


@pytest.mark.parametrize("value", ["57dab8b1-894c-409a-b240-bd8beae78896", "a", "A.b_c:d@e,f=g+h-i", "x" * 256])
def test_plain_ids_are_their_own_keys(value: str) -> None:
    """Plain ids can be read in the table as they are."""
    assert rows.safe_key(value) == rows.partition_key(value) == value


def test_hashes_are_not_ids() -> None:
    """Another id's row can't be reached by sending its hash."""
    hashed = rows.safe_key("a/b")
    assert rows.safe_key(hashed) != hashed


def test_letter_case_of_guids() -> None:
    """A call's id is found in capitals as well, while other ids are taken to the letter."""
    assert rows.partition_key(CALL.upper()) == rows.partition_key(CALL) == CALL
    assert rows.partition_key("Call") != rows.partition_key("call")


def test_partitions_beside_the_calls() -> None:
    """The partitions of the nightly run can't be reached by any call's id."""
    day = rows.retention_day(datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    assert day == "~kept|2026-01-31"
    assert rows.partition_key(day) != day
    assert not rows.partition_key("a/b").startswith(rows.KEPT)


def test_spans() -> None:
    """The spans that are read hold the rows of one kind and no others."""
    record = CallRecord(
        CALL,
        call=call(),
        invitations={"zzz": invitation()},
        operations={"zzz": OperationEntry("x")},
        roster={"zzz": entry("zzz")},
    )
    keys = _keys(record)
    assert len(keys) == 4
    assert [key for key in keys if rows.INVITATIONS <= key < rows.AFTER_INVITATIONS] == [keys[1]]
    assert [key for key in keys if rows.PARTICIPANTS <= key < rows.AFTER_PARTICIPANTS] == ["participant|zzz"]
    assert {key for key in keys if rows.CALL <= key < rows.AFTER_INVITATIONS} == {"call", keys[1]}
    assert {key for key in keys if rows.CALL <= key < rows.AFTER_PARTICIPANTS} == set(keys)


@pytest.mark.parametrize(
    ("state", "status", "is_open"),
    [
        (None, Status.RUNNING, True),
        (Late(), Status.NOT_STARTED, True),
        (failed(), Status.FAILED, False),
        (completed(), Status.COMPLETED, False),
    ],
)
def test_properties_for_queries(state: Any, status: Status, *, is_open: bool) -> None:
    """Open invitations are found without reading the others' documents."""
    record = CallRecord(CALL, invitations={"x": invitation(operation(state=state), updated=later(5))})
    ((row,),) = _changed(record).groups()
    assert (row.entity["status"], row.entity["open"], row.entity["updated"]) == (status.value, is_open, later(5))


@pytest.mark.parametrize("letter", ["x", "ü", "日", "🙂", '"', "\x00"])
@pytest.mark.parametrize("count", [1, 15_000, 29_900, 30_100, 100_000])
def test_long_documents(letter: str, count: int) -> None:
    """However long and in whatever script, each property stays within 64 KiB of UTF-16, and all comes back."""
    entity = rows.entity("p", "r", {"text": letter * count})
    texts = [value for name, value in entity.items() if name.startswith("document")]
    assert max(len(text.encode("utf-16-le")) for text in texts) <= 64 * 1024
    assert rows.document_of(entity)["text"] == letter * count


def test_largest_invitation() -> None:
    """Fifty people whose every property is as long as allowed, and what became of each, are less than 1 MiB."""
    longest = {"id": 1024, "displayName": 256, "identityProvider": 256, "email": 320, "tenantId": 36}
    longest |= {"azureCommunicationServicesResourceId": 256, "@odata.type": 64}
    people = tuple(
        Invitee("guest", {name: "🙂" * length for name, length in longest.items()}, "🙂" * 256, "🙂" * 256)
        for _ in range(50)
    )
    state = failed(ResultInfo(500, 560500, "🙂" * 100_000))
    ended = [operation(place, client_context="x" * 256, id="x" * 256, state=state) for place in range(50)]
    value = invitation(*ended, participants=people, client_context="x" * 256)
    ((row,),) = _changed(CallRecord(CALL, invitations={value.id: value})).groups()
    assert sum(len(str(one).encode("utf-16-le")) for one in row.entity.values()) < 1024 * 1024


@pytest.mark.parametrize(("letter", "at_least"), [("x", 1), ("é", 6), ("日", 6), ("🙂", 12), ('"', 2), ("\x01", 6)])
def test_size_on_the_wire(letter: str, at_least: int) -> None:
    """A row is counted as it is sent: six bytes for a character outside ASCII, twelve outside the basic plane."""
    row = rows.Row({"PartitionKey": "p", "RowKey": "r", "text": letter * 1000})
    assert at_least * 1000 <= len(json.dumps(row.entity)) <= row.size()


def test_transactions() -> None:
    """What does not fit into one transaction is written in several, each with the call's row as its guard."""
    people = {str(number): entry(str(number)) for number in range(250)}
    groups = list(_changed(CallRecord(CALL, call=call(), roster=people)).groups())
    assert [len(group) for group in groups] == [100, 100, 53]
    assert all(group[0].key == rows.CALL for group in groups)
    wide = {key: replace(one, identity={"id": key, "displayName": "🙂" * 5_000}) for key, one in people.items()}
    groups = list(_changed(CallRecord(CALL, call=call(), roster=wide)).groups())
    assert all(len(json.dumps([row.entity for row in group], default=str)) < 4 * 1024 * 1024 for group in groups)
    assert sum(len(group) - 1 for group in groups) == 250


def test_only_what_differs_is_written() -> None:
    """An update writes the rows that changed, under their ETags, and inserts those that are new."""
    before = CallRecord(CALL, call=call(), invitations={"A": invitation(id="A"), "B": invitation(id="B")})
    after = before.with_invitation(invitation(id="B", asked_by="me")).with_invitation(invitation(id="C"))
    ((changed, new),) = _changed(after, before, **{"invitation|B": "etag"}).groups()
    assert (changed.key, changed.etag, changed.is_new) == ("invitation|B", "etag", False)
    assert (new.key, new.etag, new.is_new) == ("invitation|C", None, True)
    assert not _changed(before, before)
    guarded = before.with_call(replace(call(), presence={"a": Presence.IN_CALL}))
    ((guard,),) = _changed(guarded, before, call="etag").groups()
    assert (guard.key, guard.etag) == ("call", "etag")
