from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.results import OperationState, ResultInfo
from graph import wire

_NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
_DAY = 86_400.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("2", 2.0),
        ("120", 120.0),
        ("2.128", 2.128),
        (" 3 ", 3.0),
        ("1e1", 10.0),
        ("-5", 0.0),
        ("-0.5", 0.0),
        ("86401", _DAY),
        ("99999999999999999999", _DAY),
        ("1e400", _DAY),
        ("inf", _DAY),
        ("-inf", 0.0),
        ("Sat, 31 Jan 2026 12:00:07 GMT", 7.0),
        ("Sat, 31 Jan 2026 14:00:07 +0200", 7.0),
        ("Sat, 31 Jan 2026 12:00:07 -0000", 7.0),
        ("Sat, 31 Jan 2026 12:00:07", 7.0),
        ("Saturday, 31-Jan-26 12:00:07 GMT", 7.0),
        ("Sat, 31 Jan 2026 11:59:53 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", _DAY),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float) -> None:
    """Whole and fractional seconds and HTTP dates are read; never less than none, never more than a day."""
    assert wire.retry_after(value, now=_NOW) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "nan",
        "-nan",
        "soon",
        "5 minutes",
        "2026-01-31T12:00:07Z",
        "Sat, 99 Foo 2026 12:00:07 GMT",
        "Sat, 31 Jan 2026 99:99:99 GMT",
        "Mon, 20 Nov 1995 19:12:08 -999999999999999999",
        "Mon, 20 Nov 1995 19:12:08 +9999",
        "\ud800",
        "9" * 5000 + "x",
        ",",
        "0x10",
    ],
)
def test_a_retry_after_that_cannot_be_read_is_none(value: str | None) -> None:
    """Garbage in the header is as if it were not there: the caller backs off in its own way."""
    assert wire.retry_after(value, now=_NOW) is None


def test_retry_after_counts_from_now() -> None:
    """Without a given moment, a date is compared with the clock."""
    assert wire.retry_after("Fri, 31 Dec 9999 23:59:59 GMT") == _DAY


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0),
        (7505, 7505),
        (-1, -1),
        ("7505", 7505),
        (" 5001 ", 5001),
        ("-1", -1),
        (200.0, 200),
        (1 << 52, 1 << 52),
        # Sequence numbers are Int64, which OData may write as text.
        (638_000_000_000_000_000, 638_000_000_000_000_000),
        ("638000000000000000", 638_000_000_000_000_000),
        ((1 << 63) - 1, (1 << 63) - 1),
        (str((1 << 63) - 1), (1 << 63) - 1),
    ],
)
def test_numbers_come_as_numbers_or_text(value: object, number: int) -> None:
    """A code is a code, whether Graph wrote it with or without quotes."""
    assert wire.number(value) == number


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        "",
        " ",
        "x",
        "1.5",
        "0x10",
        "1_000",
        1.5,
        float("nan"),
        float("inf"),
        1e300,
        10**400,
        "9" * 400,
        1 << 63,
        str(1 << 63),
        [],
        {},
        b"1",
    ],
)
def test_what_is_no_number_is_none(value: object) -> None:
    """Neither booleans nor fractions nor numbers that no Int64 holds are taken for a code."""
    assert wire.number(value) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        ("é€😀", "é€😀"),
        ("", None),
        (None, None),
        (5, None),
        ([], None),
        ("\ud800", "\ufffd"),
        ("a\udc00b", "a\ufffdb"),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_text_is_fit_to_be_stored(value: object, text: str | None) -> None:
    """Half a character, which JSON can carry and no storage takes, is replaced; the rest stays."""
    read = wire.text(value)
    assert read == text
    if read is not None:
        assert read.encode("utf-8").decode("utf-8") == text


def test_text_has_a_bounded_length() -> None:
    """A string of megabytes is cut, so that what is made of it always fits into a row."""
    read = wire.text("x" * 3_000_000)
    assert read is not None
    assert 1_000 < len(read) < 30_000


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (None, None),
        ("failed", None),
        ([], None),
        (200, None),
        ({}, ResultInfo()),
        ({"code": 200, "subcode": 0, "message": "ok"}, ResultInfo(200, 0, "ok")),
        ({"code": "200", "subcode": "5001"}, ResultInfo(200, 5001)),
        ({"code": None, "subcode": None, "message": None}, ResultInfo()),
        ({"code": {"x": 1}, "subcode": [], "message": 5}, ResultInfo()),
        ({"code": 487, "subcode": "x", "message": "\ud800"}, ResultInfo(487, None, "\ufffd")),
    ],
)
def test_a_result_is_read_as_far_as_it_can_be(value: object, result: ResultInfo | None) -> None:
    """``resultInfo`` may be missing, null, half filled or carry its codes as text."""
    assert wire.result_info(value) == result


@pytest.mark.parametrize(
    "value", [None, "", "null", "NULL", "participants", "Participants", "operations", "undefined", 5, [], {}]
)
def test_what_stands_in_an_ids_place_is_no_id(value: object) -> None:
    """The word at the end of ``/operations/participants`` leads to no operation."""
    assert wire.operation_id(value) is None


@pytest.mark.parametrize(
    ("location", "operation_id"),
    [
        ("https://graph.microsoft.com/v1.0/communications/calls/c/operations/o-1", "o-1"),
        ("/communications/calls/c/operations/o-1", "o-1"),
        ("/app/calls/c/operations/o-1/", "o-1"),
        ("/app/calls/c/Operations/o-1?x=/operations/no", "o-1"),
        ("/communications/calls('c')/operations('o-1')", "o-1"),
        ("/communications/calls/operations/operations/o-1", None),
        ("/communications/calls/c/operations/participants", None),
        ("/communications/calls/c/operations/null", None),
        ("/communications/calls/c/operations/", None),
        ("/communications/calls/c/operations", None),
        ("/communications/calls/c", None),
        ("https://graph.microsoft.com/?next=/operations/o-1", None),
        ("", None),
        (None, None),
        ("https://[", None),
        ("https://[::1/operations/o-1", None),
    ],
)
def test_the_id_of_an_operation_is_found_in_its_address(location: str | None, operation_id: str | None) -> None:
    """``Location`` and ``resource`` tell the id where the body does not; nothing in them is an error."""
    assert wire.operation_id_in(location) == operation_id


@pytest.mark.parametrize("body", [None, [], "x", 5, {}, {"status": None}, {"id": None, "status": 7}])
def test_an_answer_without_an_operation_says_nothing(body: object) -> None:
    """An empty or odd answer to an invite means that updates come by callback."""
    assert wire.operation_state(body) == OperationState(None, None, None, None)


@pytest.mark.parametrize("status", ["Running", "running", "RUNNING"])
def test_a_status_is_read_without_case(status: str) -> None:
    """Graph's pages disagree about letter case, and the app does not care."""
    state = wire.operation_state({"id": "o", "status": status, "clientContext": "c"}, location="/operations/other")
    assert state == OperationState("o", "c", "running", None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("#microsoft.graph.call", "call"),
        ("microsoft.graph.call", "call"),
        ("#Microsoft.Graph.Call", "call"),
        ("#call", "call"),
        ("", ""),
        (None, ""),
        (5, ""),
    ],
)
def test_a_type_is_its_last_name(name: object, expected: str) -> None:
    """With or without the sign and the namespace, in any case."""
    assert wire.type_name({"@odata.type": name}) == expected


_IDS = {"request-id": "r-1", "client-request-id": "c-1", "date": "2026-01-31"}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": "7504", "message": "no", "innerError": _IDS}, ("7504", "no", "r-1", "c-1")),
        ({"code": "7504", "message": "no", "innererror": _IDS}, ("7504", "no", "r-1", "c-1")),
        ({"code": "8522", "innerError": {"code": "x", "innerError": _IDS}}, ("8522", None, "r-1", "c-1")),
        ({"code": "8522", "innererror": {"innererror": {"innererror": _IDS}}}, ("8522", None, "r-1", "c-1")),
        ({"code": 8522, "message": "gone"}, ("8522", "gone", None, None)),
        ({"code": None, "message": None, "innerError": None}, (None, None, None, None)),
        ({"code": {}, "message": [], "innerError": "text"}, (None, None, None, None)),
        ({"innerError": [_IDS]}, (None, None, None, None)),
        ({}, (None, None, None, None)),
    ],
)
def test_an_error_is_read_in_all_its_forms(error: dict[str, Any], expected: tuple[str | None, ...]) -> None:
    """Codes are text or numbers; the ids that Microsoft's support asks for are found however deep they nest."""
    assert wire.error_body({"error": error}) == expected


@pytest.mark.parametrize("body", [None, "x", 5, [], {}, {"error": None}, {"error": "x"}, {"error": []}])
def test_a_body_that_is_no_error_says_nothing(body: object) -> None:
    """A gateway's HTML, or nothing at all, is no reason to fail."""
    assert wire.error_body(body) == (None, None, None, None)


def test_an_error_that_nests_for_ever_is_given_up() -> None:
    """Depth costs nothing."""
    inner: dict[str, Any] = {}
    for _ in range(500):
        inner = {"innerError": inner}
    assert wire.error_body(json.loads(json.dumps({"error": {"code": "1", **inner}}))) == ("1", None, None, None)
