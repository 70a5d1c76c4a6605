"""Name, version and links, without a key."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import azure.functions as func
import pytest

from app import edge
from connector import customizations, openapi, swagger
from connector.routes import ROOT, prefix, routes
from settings import SettingsError
from web.about import LINKS, NAME, about, version
from web.answers import Request
from web.http import HttpEdge

if TYPE_CHECKING:
    from pathlib import Path

_BROWSER = Request(headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})


@pytest.mark.parametrize("accept", [None, "*/*", "application/json"])
def test_json(accept: str | None) -> None:
    """A program gets JSON."""
    answer = about(Request(headers={} if accept is None else {"accept": accept}))
    assert (answer.status, answer.media_type, answer.headers["Vary"]) == (200, "application/json", "Accept")
    assert answer.body == {"name": NAME, "version": version(), "links": LINKS}


def test_page() -> None:
    """A browser gets a page with the same, which loads nothing and runs nothing."""
    answer = about(_BROWSER)
    assert answer.media_type == "text/html"
    assert answer.text is not None
    assert f"<h1>{NAME}</h1>" in answer.text
    assert f"Version {version()}." in answer.text
    assert re.findall(r'href="([^"]+)"', answer.text) == list(LINKS.values())
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<(?:script|style|img|link|iframe)", answer.text)


def test_links_lead_to_what_everyone_may_open() -> None:
    """Each link is a route of the app without a key."""
    open_routes = {prefix() + route.path for route in routes().values() if not route.needs_key}
    assert set(LINKS.values()) <= open_routes


def test_without_settings() -> None:
    """An app that isn't configured says what it is all the same, and so does one that can't be built."""

    def fails() -> str:
        raise SettingsError([])

    request = func.HttpRequest("GET", "/api/about", body=b"")
    for one in (HttpEdge(fails, {}), edge):
        response = one.about(request, None)
        assert (response.status_code, json.loads(response.get_body())["name"]) == (200, NAME)


def test_package_without_the_file(tmp_path: Path) -> None:
    """A package that was made without VERSION still works."""
    assert version(tmp_path / "VERSION") == "unknown"


def test_one_version() -> None:
    """VERSION, the newest entry of the changelog, the connector, its solutions and the API's description agree."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", version())
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == version()
    assert swagger.definition()["info"]["version"] == version()
    assert openapi.document()["info"]["version"] == version()
    assert f"{version()}.0" == customizations.VERSION
