from __future__ import annotations

import inspect
import json
from http import HTTPStatus

import pytest

from web import errors
from web.answers import Answer, error_answer
from web.errors import (
    ApiError,
    BadRequest,
    Busy,
    Fault,
    GraphRefused,
    InvitationFailed,
    KeyReused,
    NotFound,
    StorageUnavailable,
    TooLarge,
    Unavailable,
)

ONE = Fault("NotE164", "Write the number in E.164.", "participants[0].identity.phone.id")
OTHER = Fault("Empty", "It is empty.")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadRequest("X", "m"), 400),
        (NotFound("X", "m"), 404),
        (KeyReused("X", "m"), 409),
        (TooLarge("X", "m"), 413),
        (GraphRefused("X", "m"), 422),
        (InvitationFailed("X", "m"), 422),
        (Busy("X", "m"), 429),
        (Unavailable("X", "m"), 503),
        (ApiError("X", "m", status=HTTPStatus.GONE), 410),
    ],
)
def test_every_error_has_the_one_form(error: ApiError, status: int) -> None:
    """Status, code in body and header, message: the same form for everything that goes wrong."""
    answer = error_answer(error)
    assert answer.status == status
    assert answer.body == {"error": {"code": "X", "message": "m"}}
    assert answer.headers["x-ms-error-code"] == "X"


def test_no_error_is_one_that_a_flow_would_misread() -> None:
    """No error of the app is a 408, 500, 502 or 504, which a flow takes for *again*."""
    tree = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ApiError)]
    assert len(tree) == 10
    assert {int(kind.status) for kind in tree} == {400, 404, 409, 413, 422, 429, 503}


def test_one_fault_is_the_error_itself() -> None:
    """A single fault is told on top, and in ``details`` as well."""
    assert BadRequest.of([ONE]).body() == {
        "error": {
            "code": "NotE164",
            "message": "Write the number in E.164.",
            "target": "participants[0].identity.phone.id",
            "details": [
                {
                    "code": "NotE164",
                    "message": "Write the number in E.164.",
                    "target": "participants[0].identity.phone.id",
                }
            ],
        }
    }


def test_several_faults_are_all_told() -> None:
    """With more than one fault ``details`` has each, in order, and the message their number."""
    error = BadRequest.of([ONE, OTHER]).body()["error"]
    assert error["code"] == "BadRequest"
    assert "2 faults" in error["message"]
    assert [detail["code"] for detail in error["details"]] == ["NotE164", "Empty"]
    assert "target" not in error
    assert "target" not in error["details"][1]


def test_graphs_own_codes_are_told_beside_the_apps() -> None:
    """Support finds Graph's code and request ids in ``innerError``; where there are none, there is none."""
    inner = {"code": "7504", "request-id": "r"}
    assert GraphRefused("GraphRefused", "m", inner=inner).body()["error"]["innerError"] == inner
    assert "innerError" not in GraphRefused("GraphRefused", "m", inner={}).body()["error"]


@pytest.mark.parametrize(
    ("seconds", "header"),
    [(0.0, "1"), (0.001, "1"), (1.0, "1"), (1.001, "2"), (2.128, "3"), (5, "5"), (59.999, "60"), (86_400.0, "86400")],
)
def test_retry_after_is_whole_seconds_rounded_up(seconds: float, header: str) -> None:
    """A flow reads whole seconds only, and is never asked to come back at once or too early."""
    assert error_answer(Busy("X", "m", retry_after=seconds)).headers["Retry-After"] == header


def test_what_waiting_does_not_mend_has_no_retry_after() -> None:
    """A 4xx tells nobody to come back."""
    assert "Retry-After" not in error_answer(BadRequest("X", "m")).headers


def test_what_is_unavailable_always_says_when_to_come_back() -> None:
    """Every 503 has a time, also where nobody gave one."""
    assert error_answer(StorageUnavailable()).headers == {
        "x-ms-error-code": "StorageUnavailable",
        "Retry-After": "5",
    }


def test_an_answer_without_a_body_is_empty() -> None:
    """202 and 204 can be bare."""
    assert Answer(HTTPStatus.ACCEPTED).content() is None


@pytest.mark.parametrize("text", ["plain", "ü日本🙂", 'quote " and \\', "\x00"])
def test_a_body_is_json_in_utf8(text: str) -> None:
    """Any text comes through as it is, unescaped where it can be."""
    content = Answer(HTTPStatus.OK, {"text": text}).content()
    assert content is not None
    assert json.loads(content.decode("utf-8")) == {"text": text}


def test_a_lone_surrogate_does_not_break_an_answer() -> None:
    """Half a character that got in somewhere comes out as a question mark, not as a failure."""
    assert Answer(HTTPStatus.OK, {"text": "a\ud800"}).content() == b'{"text": "a?"}'
