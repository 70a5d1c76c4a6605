"""Callbacks of calls: incoming ones, and those that another bot forwards."""

from __future__ import annotations

import http.server
import threading
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.end_to_end.conftest import run_host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host


@contextmanager
def forwarding(to: str) -> Iterator[tuple[str, list[int]]]:
    """Run a bot of its own that passes each callback on unchanged, body and Authorization header."""
    statuses: list[int] = []

    class Bot(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {"Authorization": self.headers["Authorization"], "Content-Type": "application/json"}
            statuses.append(requests.post(to, data=body, headers=headers, timeout=10).status_code)
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bot)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/callback", statuses
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("kind", ["connector", "entra"])
def test_forwarded(host: Host, graph: Simulator, kind: str) -> None:
    """A callback that is forwarded unchanged validates, and an invitation into that call gets its outcome."""
    with forwarding(host.callback_uri) as (uri, statuses):
        options = {"callback_tokens": "entra"} if kind == "entra" else {}
        call_id = graph.create_call(uri, **options)
        assert graph.wait_idle(10)
        assert host.get(f"/calls/{call_id}")["state"] == "established"
        accepted = host.invite(call_id, {"participants": [{"identity": {"user": {"id": str(uuid.uuid4())}}}]})
        assert host.outcome(accepted).status_code == 200
        assert graph.wait_idle(10)
    assert set(statuses) == {202}


def test_incoming_is_left_alone(host: Host, graph: Simulator) -> None:
    """By default an incoming call is acknowledged, has no row, and is not rejected."""
    call_id = graph.incoming_call(host.callback_uri, str(uuid.uuid4()))
    graph.wait_idle(10)
    assert next(entry.status for entry in graph.log.callbacks if entry.call_id == call_id) == 202
    assert host.request("GET", f"/calls/{call_id}").status_code == 404
    assert not [entry for entry in graph.log.requests if entry.route == "reject"]


def test_incoming_is_rejected(settings: dict[str, str], graph: Simulator, tmp_path: Path) -> None:
    """With INCOMING_CALLS=reject it is rejected as busy inside the request: 202 whatever Graph answers."""
    with run_host({**settings, "INCOMING_CALLS": "reject"}, tmp_path) as host:
        for refused in (False, True):
            if refused:
                graph.fault(route="reject", status=503)
            before = len([entry for entry in graph.log.requests if entry.route == "reject"])
            call_id = graph.incoming_call(host.callback_uri, str(uuid.uuid4()))
            deadline = time.monotonic() + 10
            while not (seen := [one for one in graph.log.callbacks if one.call_id == call_id]):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert seen[0].status == 202
            rejects = [entry for entry in graph.log.requests if entry.route == "reject"]
            assert len(rejects) == before + 1
            assert "busy" in str(rejects[-1].body)


def test_old_form(host: Host, graph: Simulator) -> None:
    """An incoming call in the Bot Framework's form: 204 with a good token, 401 without."""
    body = {"id": "1", "callState": "incoming", "links": {"call": "https://bot.contoso.com/call"}}
    headers = {"Authorization": f"Bearer {graph.token()}"}
    response = host.request("POST", host.callback_uri, json=body, headers=headers)
    assert (response.status_code, response.content) == (204, b"")
    assert host.request("POST", host.callback_uri, json=body).status_code == 401
