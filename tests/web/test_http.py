"""The edge: requests in, responses out, and an error of any room in the one form."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

import azure.functions as func
import pytest

from app import ERRORS
from domain.configuration.faults import Fault, Kind
from settings import SettingsError
from storage import errors
from storage.errors import StorageUnavailable, TooLarge
from web.answers import Answer, Request
from web.errors import KeyReused
from web.http import HttpEdge

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_SET = Fault("GRAPH_TENANT_ID", Kind.MISSING, "GRAPH_TENANT_ID is not set")
EDGE = HttpEdge(lambda: "the app", ERRORS)


def _request(**headers: str) -> func.HttpRequest:
    return func.HttpRequest(
        "POST",
        "https://app.example/api/x",
        headers=headers,
        params={"q": "1"},
        route_params={"callId": "c"},
        body=b"{}",
    )


def _raising(error: Exception) -> Callable[[str, Request], Answer]:
    def use_case(app: str, request: Request) -> Answer:
        raise error

    return use_case


def test_request_and_response() -> None:
    """A use case gets route, query, headers by lower-case name and body; its response is not cached."""
    seen: list[Request] = []

    def use_case(app: str, request: Request) -> Answer:
        assert app == "the app"
        seen.append(request)
        return Answer(HTTPStatus.ACCEPTED, {"a": "é"}, {"Location": "x"})

    response = EDGE.answer(_request(Accept="json", AUTHORIZATION="t"), None, use_case)
    assert (response.status_code, json.loads(response.get_body())) == (202, {"a": "é"})
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Location"] == "x"
    assert response.mimetype == "application/json"
    (request,) = seen
    assert (request.route, request.query, request.body) == ({"callId": "c"}, {"q": "1"}, b"{}")
    assert request.headers == {"accept": "json", "authorization": "t"}


def test_no_body() -> None:
    """An empty response has no content type."""
    response = EDGE.answer(_request(), None, lambda _, __: Answer(HTTPStatus.NO_CONTENT))
    assert (response.status_code, response.get_body()) == (204, b"")


@pytest.mark.swallows
@pytest.mark.parametrize(
    ("error", "status", "code", "retries"),
    [
        (KeyReused("KeyReused", "m"), 409, "KeyReused", False),
        (StorageUnavailable(), 503, "StorageUnavailable", True),
        (TooLarge("x"), 413, "TooLargeToStore", False),
        (SettingsError([NOT_SET]), 503, "AppNotConfigured", True),
        (RuntimeError("+12345678901"), 503, "Unforeseen", True),
        (RecursionError(), 503, "Unforeseen", True),
    ],
)
def test_errors(error: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture, *, retries: bool) -> None:
    """Every error has the one form and no 500; only an unforeseen one is in the log with its trace."""
    with caplog.at_level(logging.ERROR):
        response = EDGE.answer(_request(), None, _raising(error))
    body = json.loads(response.get_body())["error"]
    assert (response.status_code, body["code"], response.headers["x-ms-error-code"]) == (status, code, code)
    assert ("Retry-After" in response.headers) is retries
    assert "12345678901" not in response.get_body().decode()
    assert ("unforeseen" in caplog.text) is (code == "Unforeseen")


def test_every_error_of_storage_has_a_response() -> None:
    """No room's error is left to the unforeseen."""
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.StorageError)}
    assert set(ERRORS) == kinds - {errors.StorageError}


def test_health_without_settings() -> None:
    """An app that is not configured names every fault."""

    def fails() -> str:
        raise SettingsError([NOT_SET, Fault("GRAPH_CLIENT_ID", Kind.MISSING, "GRAPH_CLIENT_ID is not set")])

    response = HttpEdge(fails, ERRORS).health(None, lambda _: Answer(HTTPStatus.OK))
    assert response.status_code == 503
    (check,) = json.loads(response.get_body())["checks"]
    assert len(check["faults"]) == 2
    assert EDGE.health(None, lambda _: Answer(HTTPStatus.OK)).status_code == 200
