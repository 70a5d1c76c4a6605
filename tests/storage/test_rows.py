from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.model import Invitee, ResultInfo, Status
from storage import rows
from tests.states import CALL, call_state, entry, invitation, later, operation

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


@pytest.mark.parametrize("value", [*HOSTILE, "", "x" * 257, "x" * 100_000, "~kept|2026-01-31", "call", "invitation|x"])
def test_any_string_becomes_a_key_that_storage_takes(value: str) -> None:
    """Ids that callers and Graph choose may hold anything and do no harm."""
    assert _is_key(rows.safe_key(value))
    assert _is_key(rows.partition_key(value))
    assert _is_key(rows.operation_entity(CALL, value, invitation="x", report=None)["RowKey"])
    assert _is_key(rows.roster_entity(CALL, entry(value))["RowKey"])


@settings(deadline=None, max_examples=300)
@given(ANY_TEXT, ANY_TEXT)
def test_different_strings_have_different_keys(one: str, other: str) -> None:
    """No two ids ever share a row."""
    assert _is_key(rows.safe_key(one))
    assert (rows.safe_key(one) == rows.safe_key(other)) == (one == other)


@pytest.mark.parametrize("value", ["57dab8b1-894c-409a-b240-bd8beae78896", "a", "A.b_c:d@e,f=g+h-i", "x" * 256])
def test_a_plain_id_is_its_own_key(value: str) -> None:
    """Whoever looks into the table finds plain ids as they are."""
    assert rows.safe_key(value) == rows.partition_key(value) == value


def test_a_hash_can_not_be_chosen_as_an_id() -> None:
    """Nobody reaches another id's row by sending its hash."""
    hashed = rows.safe_key("a/b")
    assert rows.safe_key(hashed) != hashed


def test_letter_case_of_a_guid_makes_no_difference_to_its_call() -> None:
    """A call's id is found in capitals as well, while other ids are taken to the letter."""
    assert rows.partition_key(CALL.upper()) == rows.partition_key(CALL) == CALL
    assert rows.partition_key("Call") != rows.partition_key("call")


def test_a_call_never_gets_into_the_notes_of_days() -> None:
    """The partitions of the nightly run can't be reached by any call's id."""
    day = rows.retention_day(datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    assert day == "~kept|2026-01-31"
    assert rows.partition_key(day) != day
    assert not rows.partition_key("a/b").startswith(rows.RETENTION)


def test_invitation_ids_are_fixed_and_recognized() -> None:
    """An id is 26 letters and digits of the context's hash, on every instance and after every restart."""
    assert rows.invitation_id("context") == "5J3ZFITPIBPCV2OG6SOKSO56MB"
    assert rows.is_invitation_id("5J3ZFITPIBPCV2OG6SOKSO56MB")
    assert rows.invitation_id("context") != rows.invitation_id("Context")


@pytest.mark.parametrize(
    "value", ["", "A" * 25, "A" * 27, "a" * 26, "1" * 26, "A" * 25 + "\n", "../" + "A" * 23, "Ä" * 26]
)
def test_what_is_no_invitation_id_is_none(value: str) -> None:
    """Nothing but 26 such characters reaches storage as an invitation's id."""
    assert not rows.is_invitation_id(value)


def test_prefixes_do_not_run_into_each_other() -> None:
    """The spans that are read hold the rows of one kind and no others."""
    keys = {
        "call": rows.call_entity(call_state())["RowKey"],
        "invitation": rows.invitation_entity(invitation())["RowKey"],
        "operation": rows.operation_entity(CALL, "zzz", invitation="x", report=None)["RowKey"],
        "participant": rows.roster_entity(CALL, entry("zzz"))["RowKey"],
    }
    within = {name for name, key in keys.items() if rows.INVITATIONS <= key < rows.AFTER_INVITATIONS}
    assert within == {"invitation"}
    assert {name for name, key in keys.items() if rows.PARTICIPANTS <= key < rows.AFTER_PARTICIPANTS} == {"participant"}
    assert {name for name, key in keys.items() if rows.CALL <= key < rows.AFTER_INVITATIONS} == {"call", "invitation"}
    assert {name for name, key in keys.items() if rows.CALL <= key < rows.AFTER_PARTICIPANTS} == set(keys)


@pytest.mark.parametrize(
    ("status", "is_open"), [(Status.RUNNING, True), (Status.NOT_STARTED, True), (Status.FAILED, False)]
)
def test_what_is_filtered_by_stands_beside_the_document(status: Status, *, is_open: bool) -> None:
    """Open invitations are found without reading the others' documents."""
    entity = rows.invitation_entity(invitation(operation(status=status), updated=later(5)))
    assert (entity["status"], entity["open"], entity["updated"]) == (status.value, is_open, later(5))


@pytest.mark.parametrize("letter", ["x", "ü", "日", "🙂", '"', "\x00"])
@pytest.mark.parametrize("count", [1, 15_000, 29_900, 30_100, 100_000])
def test_a_long_document_is_cut_into_properties_that_storage_takes(letter: str, count: int) -> None:
    """However long and in whatever script, each property stays within 64 KiB of UTF-16, and all comes back."""
    call = call_state(state=letter * count)
    entity = rows.call_entity(call)
    texts = [value for name, value in entity.items() if name.startswith("document")]
    assert max(len(text.encode("utf-16-le")) for text in texts) <= 64 * 1024
    assert rows.document_of(entity)["state"] == letter * count


def test_the_largest_invitation_is_well_below_what_a_row_may_weigh() -> None:
    """Fifty people whose every member is as long as allowed, and what became of each, weigh less than 1 MiB."""
    longest = {"id": 1024, "displayName": 256, "identityProvider": 256, "email": 320, "tenantId": 36}
    longest |= {"azureCommunicationServicesResourceId": 256, "@odata.type": 64}
    people = tuple(
        Invitee("guest", {name: "🙂" * length for name, length in longest.items()}, "🙂" * 256, "🙂" * 256)
        for _ in range(50)
    )
    said = ResultInfo(500, 560500, "🙂" * 100_000)
    ended = [operation(place, client_context="x" * 256, id="x" * 256, result=said) for place in range(50)]
    entity = rows.invitation_entity(invitation(*ended, participants=people, client_context="x" * 256))
    assert sum(len(str(value).encode("utf-16-le")) for value in entity.values()) < 1024 * 1024
