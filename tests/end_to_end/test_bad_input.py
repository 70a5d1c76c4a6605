"""Bad requests over HTTP: each a clear 4xx that loses nothing, never a 5xx."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from tests.end_to_end.conftest import run_host

if TYPE_CHECKING:
    from pathlib import Path

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host

BODY = {"participants": [{"identity": {"user": {"id": "278405a3-f568-4b3e-b684-009193463064"}}}]}


@pytest.mark.parametrize(
    "call_id",
    [
        "x" * 257,
        "x" * 1000,
        "a%2Fb",
        "a%5Cb",
        "a%23b",
        "a%3Fb",
        "a%25b",
        "a%0Ab",
        "a%7Fb",
        "%20a",
        "a%E2%80%A8b",
    ],
    ids=range(11),
)
@pytest.mark.parametrize("path", ["", "/participants", "/invitations", "/invitations/AAAAAAAAAAAAAAAAAAAAAAAAAA"])
def test_impossible_ids(host: Host, call_id: str, path: str) -> None:
    """Characters that would make another request of it, control characters and great lengths do no harm."""
    answer = host.request("GET", f"/calls/{call_id}{path}")
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (400, "InvalidCallId")


@pytest.mark.parametrize("call_id", ["..", ".", "%2E%2E", "%2e", "..%2f..", "a/b"])
def test_dots_and_slashes(host: Host, call_id: str) -> None:
    """Whatever an HTTP client makes of them, no other call is read."""
    with requests.Session() as session:
        address = f"{host.api}/calls/{call_id}/participants"
        prepared = session.prepare_request(requests.Request("GET", address, headers={"x-functions-key": "test-key"}))
        prepared.url = address
        assert session.send(prepared, timeout=10).status_code in (400, 404)


@pytest.mark.parametrize("call_id", ["a b", "é", "19:meeting_x@thread.v2", "a'b", "a+b", "a&b=c", "日本", "x" * 256])
def test_odd_ids(host: Host, graph: Simulator, call_id: str) -> None:
    """An id with blanks, quotes or letters of any script is asked of Graph as it is, and its state is kept."""
    made = graph.create_call(host.callback_uri, call_id=f"{call_id[:250]}{uuid.uuid4().hex[:6]}")
    quoted = quote(made, safe="")
    outcome = host.outcome(host.invite(quoted, BODY))
    assert outcome.json()["status"] == "completed"
    assert outcome.json()["callId"] == made
    assert graph.wait_idle()
    assert host.get(f"/calls/{quoted}")["id"] == made


def test_unknown_call(host: Host) -> None:
    """Graph's 404 is a 404 with advice; so is a call that was never reported, and an unknown invitation."""
    answer = host.invite(str(uuid.uuid4()), BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "CallNotFound")
    assert answer.json()["error"]["innerError"]["code"] == "8522"
    assert host.request("GET", f"/calls/{uuid.uuid4()}").status_code == 404
    assert host.request("GET", f"/calls/{uuid.uuid4()}/invitations/AAAAAAAAAAAAAAAAAAAAAAAAAA").status_code == 404
    assert host.get(f"/calls/{uuid.uuid4()}/invitations") == {"value": []}
    assert host.get(f"/calls/{uuid.uuid4()}/participants") == {"value": []}


def test_keys(host: Host) -> None:
    """401 without or with a wrong key, on every route that needs one."""
    for method, path in (
        ("POST", "/calls/x/participants/invite"),
        ("GET", "/calls/x"),
        ("GET", "/calls/x/invitations"),
    ):
        assert requests.request(method, host.api + path, timeout=10).status_code == 401
        assert (
            requests.request(method, host.api + path, headers={"x-functions-key": "no"}, timeout=10).status_code == 401
        )
    assert requests.get(f"{host.api}/calls/x/invitations?code=test-key", timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("sent", "headers", "status", "code"),
    [
        (b"", {}, 400, "EmptyBody"),
        (b"not json", {}, 400, "NotJson"),
        (b"[]", {}, 400, "NotAnObject"),
        (b"\xff\xfe", {}, 400, "NotJson"),
        (b"[" * 100_000, {}, 400, "NotJson"),
        (json.dumps(BODY).encode(), {"Content-Type": "text/plain"}, 400, "WrongContentType"),
        (json.dumps(BODY).encode(), {"Content-Type": "application/x-www-form-urlencoded"}, 400, "WrongContentType"),
        (json.dumps(BODY).encode() + b" " * 1024 * 1024, {}, 413, "BodyTooLarge"),
    ],
)
def test_unreadable_bodies(host: Host, sent: bytes, headers: dict[str, str], status: int, code: str) -> None:
    """Empty, not JSON, not an object, too deep, of another type, too large: each says what to do."""
    headers = {"Content-Type": "application/json", **headers}
    answer = host.request("POST", "/calls/x/participants/invite", data=sent, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["x-ms-error-code"] == code


def test_every_fault_at_once(host: Host, graph: Simulator) -> None:
    """All faults of a body are in one response, each with its path."""
    body: dict[str, Any] = {
        "participants": [
            {"identity": {"phone": {"id": "12345"}}},
            {"identity": {}, "replacesCallId": ""},
            {"identity": {"user": {"id": "no GUID"}, "guest": {"id": "x"}}, "hiden": True},
        ],
        "clientContext": "é",
        "client_context": "x",
    }
    answer = host.invite(graph.create_call(host.callback_uri), body)
    targets = {fault["target"] for fault in answer.json()["error"]["details"]}
    assert answer.status_code == 400
    assert targets == {
        "participants[0].identity.phone.id",
        "participants[1].identity",
        "participants[1].replacesCallId",
        "participants[2].identity",
        "participants[2].identity.user.id",
        "participants[2].hiden",
        "clientContext",
        "client_context",
    }


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", 400), (b"{}", 400), (b"[]", 400), (b'{"value": {}}', 400), (b"not json", 400), (b"\xff", 400),
        (b'{"value": []}', 202), (b'{"value": [null, 1, "x", {}, []]}', 202),
        (b'{"value": []}' + b" " * 4 * 1024 * 1024, 413),
    ],
    ids=range(9),
)  # fmt: skip
def test_callbacks(host: Host, graph: Simulator, sent: bytes, status: int) -> None:
    """202 also where nothing in it concerns the app, 400 unreadable, 413 too large; never 204."""
    call_id = graph.create_call(host.callback_uri, announce=False)
    assert graph.post_notification(call_id, sent) == status


def test_not_configured(tmp_path: Path) -> None:
    """Every route answers 503 with Retry-After, and health names every fault at once."""
    with run_host({"GRAPH_CLOUD": "china", "AzureWebJobsStorage": "nonsense"}, tmp_path) as host:
        health = host.request("GET", "/health")
        assert health.status_code == 503
        faults = " ".join(health.json()["checks"][0]["faults"])
        assert all(
            name in faults for name in ("GRAPH_CLOUD", "GRAPH_TENANT_ID", "GRAPH_CLIENT_ID", "GRAPH_CLIENT_SECRET")
        )
        for answer in (host.invite("x", BODY), host.request("POST", "/notifications", data=b"{}")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "AppNotConfigured")
            assert int(answer.headers["Retry-After"]) > 0


def test_without_storage(settings: dict[str, str], graph: Simulator, tmp_path: Path) -> None:
    """A storage that can't be reached is 503 with Retry-After on every route; Graph is not asked."""
    unreachable = ";".join(
        f"{part.partition('=')[0]}=http://127.0.0.1:9/devstoreaccount1" if "Endpoint=" in part else part
        for part in settings["AzureWebJobsStorage"].split(";")
    )
    with run_host({**settings, "AzureWebJobsStorage": unreachable}, tmp_path) as host:
        call_id = graph.create_call(host.callback_uri, announce=False)
        report = {
            "changeType": "updated",
            "resourceUrl": f"/communications/calls/{call_id}/participants",
            "resourceData": [],
        }
        with ThreadPoolExecutor() as at_once:  # each tries for some seconds
            reported = at_once.submit(graph.post_notification, call_id, [report])
            invited = at_once.submit(host.invite, call_id, BODY)
            read = at_once.submit(host.request, "GET", f"/calls/{call_id}")
            health = at_once.submit(host.request, "GET", "/health")
            answers = [invited.result(), read.result(), health.result()]
        assert reported.result() == 503
        assert [answer.status_code for answer in answers] == [503, 503, 503]
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
        assert not [entry for entry in graph.log.invites if entry.call_id == call_id]
