"""The page as the app serves it, in a real browser on the local host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dev.screenshots.browser import chromium
from tests.calls.test_starting import id_of, start, user
from tests.end_to_end.conftest import graph, host, settings, storage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host

__all__ = ["graph", "host", "settings", "storage"]
if chromium() is None:
    pytest.skip("no Chromium here (Debian: apt-get install chromium)", allow_module_level=True)


def test_a_call_that_is_watched(host: Host, graph: Simulator, browser: Browser) -> None:
    """Who came, who declined and the end of the call are shown, under the app's own policy."""
    people = [user(), user()]
    people[0]["identity"]["user"]["displayName"] = "Alex Wilber"
    graph.person(id_of(people[1]), "declines")
    body = {"meeting": {"joinWebUrl": graph.meeting().join_web_url}, "participants": people, "subject": "Incident 4711"}
    started = host.outcome(start(host, body)).json()
    fragment = started["call"]["pageUrl"].partition("#")[2]
    page, complaints = browser.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{host.api}/page#{fragment}")
    page.locator("h1", has_text="Incident 4711").wait_for(timeout=10_000)
    page.locator(".person", has_text="Alex Wilber").first.wait_for(timeout=10_000)
    page.locator("body", has_text="declined").first.wait_for(timeout=10_000)
    host.request("DELETE", f"/calls/{started['callId']}")
    page.locator("#state", has_text="Ended").wait_for(timeout=30_000)
    assert complaints == []
    page.close()
