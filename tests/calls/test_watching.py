"""Watching a call over HTTP: its timeline, its page and the page's data."""

from __future__ import annotations

import csv
import io
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.calls.test_starting import id_of, start, until, user

if TYPE_CHECKING:
    import requests

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host


def token_of(page_url: str) -> str:
    """The token in a page's URL."""
    return parse_qs(urlsplit(page_url).fragment)["token"][0]


def live(host: Host, call_id: str, token: str, **headers: str) -> requests.Response:
    """Ask what the page shows."""
    return host.request("GET", host.api + f"/calls/{call_id}/live", headers={"x-page-token": token, **headers})


def events(host: Host, call_id: str) -> list[dict[str, Any]]:
    """Read the timeline."""
    value: list[dict[str, Any]] = host.get(f"/calls/{call_id}/timeline")["value"]
    return value


@pytest.fixture
def watched(host: Host, graph: Simulator) -> dict[str, Any]:
    """A meeting that was joined, with one person who came and one who declined."""
    meeting = graph.meeting()
    people = [user(), user()]
    people[0]["identity"]["user"]["displayName"] = "Alex Wilber"
    graph.person(id_of(people[1]), "declines")
    accepted = start(host, {"meeting": {"joinWebUrl": meeting.join_web_url}, "participants": people})
    body: dict[str, Any] = host.outcome(accepted).json()
    assert graph.wait_idle(10)  # the roster follows the outcome
    return body


def test_timeline(host: Host, watched: dict[str, Any]) -> None:
    """What happened, in order, each once and in words."""
    call_id = watched["callId"]
    deadline = time.monotonic() + 5
    while (
        "joined" not in (kinds := [event["event"] for event in events(host, call_id)]) and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    assert kinds[:2] == ["callStarting", "callEstablished"]
    for kind in ("invited", "answered", "notReached"):
        assert kinds.count(kind) == 1
    texts = {event["event"]: event["text"] for event in events(host, call_id)}
    assert texts["answered"].startswith("Alex Wilber answered after ")
    assert " was not reached. The person declined the call." in texts["notReached"]
    assert any("Alex Wilber" in event["text"] for event in events(host, call_id) if event["event"] == "joined")
    assert {event.get("invitationId") for event in events(host, call_id)} == {None, watched["invitationId"]}
    host.request("DELETE", f"/calls/{call_id}")
    assert events(host, call_id)[-1]["event"] == "callEnded"


def test_csv(host: Host, watched: dict[str, Any]) -> None:
    """The same events, one a row."""
    response = host.request("GET", f"/calls/{watched['callId']}/timeline", headers={"Accept": "text/csv"})
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["text"] for row in rows] == [event["text"] for event in events(host, watched["callId"])]
    assert "\r\n" in response.text


def test_timeline_of_an_unknown_call(host: Host) -> None:
    """Nothing has happened there."""
    assert events(host, str(uuid.uuid4())) == []


def test_live(host: Host, watched: dict[str, Any]) -> None:
    """Each part as its own GET shows it, without the page's URL, and 304 while nothing changes."""
    call_id, page_url = watched["callId"], watched["call"]["pageUrl"]
    call = until(host, f"/calls/{call_id}", "state", "established")
    assert call["pageUrl"] == page_url
    response = live(host, call_id, token_of(page_url))
    body = response.json()
    assert set(body) == {"call", "participants", "invitations", "escalations", "timeline"}
    assert body["call"] == {name: value for name, value in call.items() if name != "pageUrl"}
    assert body["participants"] == host.get(f"/calls/{call_id}/participants")["value"]
    assert body["invitations"] == host.get(f"/calls/{call_id}/invitations")["value"]
    assert body["timeline"] == events(host, call_id)
    again = live(host, call_id, token_of(page_url), **{"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    for other, token in ((call_id, "another"), (str(uuid.uuid4()), token_of(page_url))):
        assert live(host, other, token, **{"If-None-Match": response.headers["ETag"]}).status_code == 404


def test_tokens(host: Host, watched: dict[str, Any]) -> None:
    """A wrong or missing token is 404, also for a call of which there is none; a new one ends the old."""
    call_id, old = watched["callId"], token_of(watched["call"]["pageUrl"])
    for call, token in ((call_id, ""), (call_id, old[:-1]), (call_id, "é"), (str(uuid.uuid4()), old)):
        assert live(host, call, token.encode("utf-8").decode("latin-1")).status_code == 404
    renewed = host.request("POST", f"/calls/{call_id}/page-token")
    assert renewed.status_code == 200
    assert live(host, call_id, old).status_code == 404
    assert live(host, call_id, token_of(renewed.json()["pageUrl"])).status_code == 200
    assert host.request("POST", f"/calls/{uuid.uuid4()}/page-token").status_code == 404


def test_keys(host: Host, watched: dict[str, Any]) -> None:
    """The page is for anyone; the timeline and a new token need the key."""
    call_id = watched["callId"]
    page = host.request("GET", host.api + "/page")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert call_id not in page.text
    assert host.request("GET", host.api + f"/calls/{call_id}/timeline").status_code == 401
    assert host.request("POST", host.api + f"/calls/{call_id}/page-token").status_code == 401


def test_escalation(host: Host, watched: dict[str, Any]) -> None:
    """Its steps and its end are events, and it links to the page."""
    call_id = watched["callId"]
    body = {"steps": [{"participants": [user()], "waitSeconds": 15}]}
    accepted = host.request("POST", f"/calls/{call_id}/escalate", json=body)
    assert accepted.json()["pageUrl"] == watched["call"]["pageUrl"]
    escalation = host.outcome(accepted).json()
    texts = {event["event"]: event for event in events(host, call_id) if event.get("escalationId") == escalation["id"]}
    assert texts["stepStarted"]["text"].startswith("Step 1 started: calling ")
    assert texts["escalationEnded"]["text"] == "The escalation is complete: enough people joined."
