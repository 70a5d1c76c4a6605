"""A request whose token can't be one is refused before storage is asked, on each route that a token opens."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import function_app
from app import build
from flows.links import new_token
from tests.configured import loaded
from web.answers import Request
from web.errors import NotFound

IDS = {
    "callId": "2f1a5c7e-3b9d-4c21-8f60-9a4d2e7b1c03",
    **dict.fromkeys(("invitationId", "startId", "escalationId"), "A" * 26),
}
OPEN = re.findall(
    r'@app\.route\("[^"]*\{[^"]*", methods=\["\w+"\], auth_level=ANYONE\)'
    r".*?lambda app, request: app\.(\w+\.\w+)\(request\)",
    inspect.getsource(function_app),
    re.DOTALL,
)


class Untouched:
    """A table that is never asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def ask(route: str, token: str) -> None:
    """Send a request with a token to a route."""
    part, method = route.split(".")
    table: Any = Untouched()
    use_case = getattr(getattr(build(loaded(), table=table), part), method)
    use_case(Request(route=IDS, query={"token": token}, headers={"x-page-token": token}))


def test_the_routes() -> None:
    """There are seven, and each asks storage where the token can be one."""
    assert len(OPEN) == 7
    for route in OPEN:
        with pytest.raises(AssertionError):
            ask(route, new_token())


@pytest.mark.parametrize("token", ["", "x", "a" * 42, "a" * 44, "a" * 42 + "é", "a" * 42 + "\n", "a" * 1_000_000])
@pytest.mark.parametrize("route", OPEN)
def test_refused(route: str, token: str) -> None:
    """Not one request of storage."""
    with pytest.raises(NotFound):
        ask(route, token)
