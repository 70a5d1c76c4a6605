"""A flow that waits at its own URL, on this machine, and responds by a script."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Posted:
    """One POST that reached the flow."""

    path: str
    headers: dict[str, str]
    body: Any
    at: float
    """By ``time.monotonic``."""

    @property
    def message_id(self) -> str:
        """The ``webhook-id``."""
        return self.headers["webhook-id"]


@dataclass
class WaitingFlow:
    """The URLs of flows, and what was POSTed to them."""

    server: ThreadingHTTPServer
    script: dict[str, list[int | float]] = field(default_factory=dict)
    """By flow the responses in turn: a status, or seconds (a float) after which 200 is sent; 200 at once by default."""
    posted: list[Posted] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def local_host(self) -> str:
        """The value of ``FLOW_CALLBACK_LOCAL_HOSTS``."""
        return f"127.0.0.1:{self.server.server_port}"

    @property
    def url(self) -> str:
        """The URL of the flow ``run``."""
        return self.url_of("run")

    def url_of(self, name: str) -> str:
        """Return a flow's URL; one named ``hangs…`` never responds, ``drips…`` sends a byte every tenth of a second."""
        return f"http://{self.local_host}/{name}?sig=secret"

    def posts(self, count: int = 1, *, seconds: float = 15, name: str | None = None) -> list[Posted]:
        """Wait until so many POSTs came to a flow, or to all, and a moment longer; return them."""

        def found() -> list[Posted]:
            return [one for one in self.posted if name is None or one.path == f"/{name}?sig=secret"]

        deadline = time.monotonic() + seconds
        while len(found()) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
        return found()


@contextmanager
def waiting_flow() -> Iterator[WaitingFlow]:
    """Listen while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            headers = {name.casefold(): value for name, value in self.headers.items()}
            flow.posted.append(Posted(self.path, headers, body, time.monotonic()))
            if self.path.startswith("/hangs"):
                flow.closing.wait(60)
                return
            if self.path.startswith("/drips"):
                with suppress(OSError):
                    while not flow.closing.wait(0.1):
                        self.wfile.write(b"H")
                return
            script = flow.script.get(self.path.partition("?")[0].removeprefix("/"))
            response = script.pop(0) if script else 200
            if isinstance(response, float):
                flow.closing.wait(response)
                response = 200
            with suppress(OSError):  # the app closed the connection
                self.send_response(response)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    flow = WaitingFlow(server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield flow
    finally:
        flow.closing.set()
        server.shutdown()
        server.server_close()
