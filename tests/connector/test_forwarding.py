"""A bot of one's own keeps its ``callbackUri`` and passes each callback on, body and ``Authorization`` unchanged."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import requests

from tests.connector.running import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.connector.conftest import Running

ANNA = "11111111-1111-4111-8111-111111111111"


@contextmanager
def _bot(app: str, passed_on: list[int], *, with_header: bool) -> Iterator[str]:
    class Bot(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {"Content-Type": self.headers["Content-Type"]}
            if with_header:
                headers["Authorization"] = self.headers["Authorization"]
            answer = requests.post(f"{app}/api/notifications", data=body, headers=headers, timeout=30)
            passed_on.append(answer.status_code)
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Bot) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/callbacks"
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize(("with_header", "status"), [(True, 202), (False, 401)])
def test_forwarded_callbacks(running: Running, status: int, *, with_header: bool) -> None:
    """The app accepts what the bot passes on, and an invitation into the bot's call gets its outcome."""
    passed_on: list[int] = []
    with _bot(running.app, passed_on, with_header=with_header) as callback_uri:
        call = f"{running.app}/api/calls/{running.graph.create_call(callback_uri)}"
        body = {"participants": [{"identity": {"user": {"id": ANNA}}}]}
        key = {"x-functions-key": KEY}
        answer = requests.post(f"{call}/participants/invite", json=body, headers=key, timeout=30)
        assert answer.status_code == 202
        running.graph.wait_idle()
        invitation = f"{call}/invitations/{answer.json()['id']}"
        deadline = time.monotonic() + 3
        while requests.get(invitation, headers=key, timeout=30).json()["status"] == "running":
            if not with_header or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        found = requests.get(invitation, headers=key, timeout=30).json()["status"]
    assert set(passed_on) == {status}
    assert found == ("completed" if with_header else "running")
