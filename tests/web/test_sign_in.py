"""Routes with a function key, where callers have to sign in as well."""

from __future__ import annotations

import inspect
import json
from hashlib import sha256
from http import HTTPStatus

import azure.functions as func
import pytest

import function_app
from domain.asking import asker
from domain.configuration.callers import SignIn
from web.answers import Answer, Request
from web.http import HttpEdge

ME, OTHER = "278405a3-f568-4b3e-b684-009193463064", "550fae72-d251-43ec-868c-373732c2704f"


@pytest.mark.parametrize(
    ("rule", "principal", "status", "code"),
    [
        (SignIn(), None, 200, None),
        (SignIn(is_required=True), None, 401, "SignInNeeded"),
        (SignIn(is_required=True), " ", 401, "SignInNeeded"),
        (SignIn(is_required=True), OTHER, 200, None),
        (SignIn(is_required=True, allowed_principals=frozenset({ME})), None, 401, "SignInNeeded"),
        (SignIn(is_required=True, allowed_principals=frozenset({ME})), OTHER, 403, "CallerNotAllowed"),
        (SignIn(is_required=True, allowed_principals=frozenset({ME})), ME.upper(), 200, None),
    ],
)
def test_keyed(rule: SignIn, principal: str | None, status: int, code: str | None) -> None:
    """The header that App Service authentication sets decides."""
    edge = HttpEdge(lambda: "the app", {}, sign_in=lambda _: rule)
    headers = {} if principal is None else {"X-MS-CLIENT-PRINCIPAL-ID": principal}
    request = func.HttpRequest("GET", "https://app.example/api/calls", headers=headers, body=b"")
    response = edge.keyed(request, None, lambda _, __: Answer(HTTPStatus.OK, {}))
    assert response.status_code == status
    assert json.loads(response.get_body()).get("error", {}).get("code") == code


@pytest.mark.parametrize("is_required", [True, False])
def test_the_caller_is_known_by_a_hash(*, is_required: bool) -> None:
    """While their request is handled, however the id is written; without sign-in the header is not looked at."""
    edge = HttpEdge(lambda: "the app", {}, sign_in=lambda _: SignIn(is_required=is_required))
    seen: list[str | None] = []

    def use_case(_: str, __: Request) -> Answer:
        seen.append(asker())
        return Answer(HTTPStatus.OK, {})

    for principal in (ME, ME.upper()):
        headers = {"X-MS-CLIENT-PRINCIPAL-ID": principal}
        edge.keyed(func.HttpRequest("GET", "https://app.example/api/calls", headers=headers, body=b""), None, use_case)
    assert seen == [sha256(ME.encode()).hexdigest()[:12] if is_required else None] * 2
    assert asker() is None


def test_a_refused_caller_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """By the code alone; the id is not in the log."""
    rule = SignIn(is_required=True, allowed_principals=frozenset({ME}))
    edge = HttpEdge(lambda: "the app", {}, sign_in=lambda _: rule)
    for headers in ({}, {"X-MS-CLIENT-PRINCIPAL-ID": OTHER}, {"X-MS-CLIENT-PRINCIPAL-ID": ME}):
        request = func.HttpRequest("GET", "https://app.example/api/calls", headers=headers, body=b"")
        edge.keyed(request, None, lambda _, __: Answer(HTTPStatus.OK, {}))
    codes = ("SignInNeeded", "CallerNotAllowed")
    assert [record.getMessage() for record in caplog.records] == [f"a caller was refused code={code}" for code in codes]


def test_every_route_with_a_key() -> None:
    """Each route with a function key asks, and no other does."""
    found = inspect.getsource(function_app).split("@app.route(")[1:]
    assert [("auth_level=KEY" in route, "edge.keyed(" in route) for route in found] == [
        ("auth_level=KEY" in route, "auth_level=KEY" in route) for route in found
    ]
