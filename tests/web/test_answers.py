"""Responses, and errors in the one error form."""

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
    EscalationFailed,
    Fault,
    GraphRefused,
    InvitationFailed,
    KeyReused,
    NotCancellable,
    NotFound,
    StartFailed,
    TooLarge,
    TooManyFlows,
    Unauthorized,
    Unavailable,
)

ONE = Fault("NotE164", "Write the number in E.164.", "participants[0].identity.phone.id")
OTHER = Fault("Empty", "It is empty.")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadRequest("X", "m"), 400),
        (Unauthorized("X", "m"), 401),
        (NotFound("X", "m"), 404),
        (KeyReused("X", "m"), 409),
        (TooManyFlows("X", "m"), 409),
        (NotCancellable("X", "m"), 409),
        (TooLarge("X", "m"), 413),
        (GraphRefused("X", "m"), 422),
        (InvitationFailed("X", "m"), 422),
        (StartFailed("X", "m"), 422),
        (EscalationFailed("X", "m"), 422),
        (Busy("X", "m"), 429),
        (Unavailable("X", "m"), 503),
    ],
)
def test_form_of_an_error(error: ApiError, status: int) -> None:
    """Status, code in body and header, message: all errors have one form."""
    answer = error_answer(error)
    assert answer.status == status
    assert answer.body == {"error": {"code": "X", "message": "m"}}
    assert answer.headers["x-ms-error-code"] == "X"


def test_no_status_that_flows_repeat_wrongly() -> None:
    """No error of the app is a 408, 500, 502 or 504, which a flow takes for *again*."""
    tree = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ApiError)]
    assert len(tree) == 16
    assert {int(kind.status) for kind in tree} == {400, 401, 403, 404, 409, 413, 422, 429, 503}


def test_unauthorized_names_the_scheme() -> None:
    """Graph is shown how to authenticate."""
    assert error_answer(Unauthorized("X", "m")).headers["WWW-Authenticate"] == "Bearer"


def test_one_fault() -> None:
    """A single fault is the error itself, and in ``details`` as well."""
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


def test_several_faults() -> None:
    """With more than one fault ``details`` has each, in order, and the message their number."""
    error = BadRequest.of([ONE, OTHER]).body()["error"]
    assert error["code"] == "BadRequest"
    assert "2 faults" in error["message"]
    assert [detail["code"] for detail in error["details"]] == ["NotE164", "Empty"]
    assert "target" not in error
    assert "target" not in error["details"][1]


def test_graphs_own_codes() -> None:
    """Support finds Graph's code and request ids in ``innerError``; where there are none, there is none."""
    inner = {"code": "7504", "request-id": "r"}
    assert GraphRefused("GraphRefused", "m", inner=inner).body()["error"]["innerError"] == inner
    assert "innerError" not in GraphRefused("GraphRefused", "m", inner={}).body()["error"]


@pytest.mark.parametrize(
    ("seconds", "header"),
    [(0.0, "1"), (0.001, "1"), (1.0, "1"), (1.001, "2"), (2.128, "3"), (5, "5"), (59.999, "60"), (86_400.0, "86400")],
)
def test_retry_after(seconds: float, header: str) -> None:
    """Whole seconds, rounded up: a flow reads nothing else, and never comes back too early."""
    assert error_answer(Busy("X", "m", retry_after=seconds)).headers["Retry-After"] == header


def test_no_retry_after() -> None:
    """A 4xx does not ask to come back."""
    assert "Retry-After" not in error_answer(BadRequest("X", "m")).headers


def test_retry_after_of_what_is_unavailable() -> None:
    """Every 503 has a time, also where none was given."""
    assert error_answer(Unavailable("X", "m")).headers == {
        "x-ms-error-code": "X",
        "Retry-After": "5",
    }


def test_no_body() -> None:
    """202 and 204 can be empty."""
    assert Answer(HTTPStatus.ACCEPTED).content() is None


@pytest.mark.parametrize("text", ["plain", "ü日本🙂", 'quote " and \\', "\x00"])
def test_body(text: str) -> None:
    """Any text comes through as it is, unescaped where it can be."""
    content = Answer(HTTPStatus.OK, {"text": text}).content()
    assert content is not None
    assert json.loads(content.decode("utf-8")) == {"text": text}


def test_lone_surrogate() -> None:
    """Half a character that got in somewhere comes out as a question mark, not as a failure."""
    assert Answer(HTTPStatus.OK, {"text": "a\ud800"}).content() == b'{"text": "a?"}'
