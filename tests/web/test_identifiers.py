"""Ids in URLs, paths and headers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.states import CALL
from web.answers import Request
from web.errors import BadRequest, NotFound
from web.identifiers import call_id_from_path, call_id_in, invitation_id_in, is_call_id

GOOD = [
    CALL,
    CALL.upper(),
    "a",
    "1",
    "ü",
    "日本",
    "19:meeting_x@thread.v2",
    "a b",
    "a'b",
    "x" * 256,
    "...",
    ".a",
    "~1",
    "🙂",
]
BAD = [
    "",
    " ",
    " a",
    "a ",
    ".",
    "..",
    "a/b",
    "a\\b",
    "a#b",
    "a?b",
    "a%2Fb",
    "%2e%2e",
    "../x",
    "a\nb",
    "a\x00b",
    "a\x7f",
    "a\x9f",
    "a\u2028b",
    "a\u200eb",
    "\ud800",
    "x" * 257,
    "x" * 1000,
    "x" * 1_000_000,
]


@pytest.mark.parametrize("value", GOOD)
def test_call_ids(value: str) -> None:
    """GUIDs and everything else that is one plain segment of a URL."""
    assert is_call_id(value)
    assert call_id_in(Request(route={"callId": value})) == value


@pytest.mark.parametrize("value", BAD)
def test_what_would_change_the_url(value: str) -> None:
    """Nothing that an HTTP client or server would read as more than one step gets near Graph or storage."""
    assert not is_call_id(value)
    with pytest.raises(BadRequest) as caught:
        call_id_in(Request(route={"callId": value}))
    assert (caught.value.status, caught.value.code, caught.value.target) == (400, "InvalidCallId", "callId")
    if len(value) > 3:
        assert value not in caught.value.message


def test_missing_call_id() -> None:
    """A route without the parameter is a bad request and no failure."""
    with pytest.raises(BadRequest):
        call_id_in(Request())


@pytest.mark.parametrize("value", ["ABCDEFGHIJKLMNOPQRSTUVWX23", "abcdefghijklmnopqrstuvwx23"])
def test_invitation_id_in_any_case(value: str) -> None:
    """Makers may copy an id in lower case."""
    assert invitation_id_in(Request(route={"invitationId": value})) == value.upper()


@pytest.mark.parametrize("value", ["", "x", "../../x", "A" * 25, "A" * 27, "A" * 25 + "0", "A" * 25 + "ß", "é" * 26])
def test_impossible_invitation_id(value: str) -> None:
    """404, without what is wrong with it."""
    with pytest.raises(NotFound) as caught:
        invitation_id_in(Request(route={"invitationId": value}))
    assert (caught.value.status, caught.value.code) == (404, "InvitationNotFound")


@pytest.mark.parametrize(
    "path",
    [
        f"/app/calls/{CALL}",
        f"/app/calls/{CALL}/",
        f"/app/calls/{CALL}/operations/participants",
        f"/communications/calls/{CALL}/participants",
        f"/Communications/Calls/{CALL}/operations/0c9e5f8e",
        f"/communications/calls/{CALL}?x=1",
        f"https://graph.microsoft.com/v1.0/communications/calls/{CALL}/operations/x",
        f"https://graph.microsoft.com/beta/app/calls/{CALL}",
        f"https://STRASSE.example/app/calls/{CALL}",
        f"https://straße.example/app/calls/{CALL}",
        f"https://İstanbul.example/app/calls/{CALL}",
    ],
)
def test_call_id_in_a_path(path: str) -> None:
    """Short paths and whole URLs, both prefixes, in any letter case."""
    assert call_id_from_path(path) == CALL


def test_quoted_id() -> None:
    """An id that had to be quoted in a path is the same call."""
    assert call_id_from_path("/app/calls/19%3Ameeting%40thread.v2/operations/x") == "19:meeting@thread.v2"


@pytest.mark.parametrize(
    "path",
    [
        None,
        5,
        [],
        {},
        "",
        "/",
        "/app/calls",
        "/app/calls/",
        "/app/calls//operations/x",
        "/app/calls/../x",
        "/app/calls/%2e%2e/x",
        "/app/calls/a%2Fb",
        "/app/calls/a%00b",
        "/app/calls/" + "x" * 257,
        f"/v1.0/communications/calls/{CALL}",
        f"app/calls/{CALL}",
        f"x/app/calls/{CALL}",
        f"/users/{CALL}",
    ],
)
def test_other_paths(path: object) -> None:
    """What names no call, or one that can't be, names none."""
    assert call_id_from_path(path) is None


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(codec=None)), st.sampled_from(["", "/app/calls/", "https://x/communications/calls/"]))
def test_any_path(text: str, prefix: str) -> None:
    """Whatever a notification calls its resource, what is read from it is an id that does no harm."""
    found = call_id_from_path(prefix + text)
    assert found is None or is_call_id(found)
