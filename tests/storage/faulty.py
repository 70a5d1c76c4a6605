"""A proxy before Azurite that breaks the responses which a plan names, before or after the request was done."""

from __future__ import annotations

import http.client
import json
import re
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from storage.transport import StorageTransport
from tests.graph.servers import closed_port, listening, read_request

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    import pytest

STATUSES = ("408", "429", "500", "502", "503", "504")
ENDS = ("cut", "reset", "stall", "throttled", *STATUSES)
WAYS = ("refused", "no token", *(f"{when} {end}" for when in ("before", "after") for end in ENDS))
"""How a response can be broken: no connection, no token from the identity endpoint, or before or after it was done."""
_HEADER = "x-test-fault"


@dataclass
class Plan:
    """Which requests to storage fail, counted from 1, and how."""

    way: str = ""
    numbers: frozenset[int] = frozenset()
    spares: str | None = None
    """Requests whose URL holds this are neither counted nor broken."""
    sent: int = 0
    broken: list[int] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, way: str = "", *numbers: int, spares: str | None = None) -> None:
        """Count from here, and break these requests."""
        self.way, self.numbers, self.sent, self.broken, self.spares = way, frozenset(numbers), 0, [], spares

    def next(self, url: str) -> str | None:
        """Return how the next request is broken."""
        with self._lock:
            if self.spares is not None and self.spares in url:
                return None
            self.sent += 1
            if self.sent not in self.numbers:
                return None
            self.broken.append(self.sent)
            return self.way


@contextmanager
def faulty(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Plan]]:
    """Run the proxy before the tables and queues of an Azurite; give its connection string and the plan."""
    plan = Plan()
    unused = closed_port()
    send = StorageTransport.send

    def planned(transport: StorageTransport, request: Any, **options: Any) -> Any:
        way = plan.next(request.url)
        if way == "no token":
            raise json.JSONDecodeError("what an identity endpoint without a body leads to", "", 0)
        if way == "refused":
            request.url = re.sub(r":\d+/", f":{unused}/", request.url, count=1)
        elif way is not None:
            request.headers[_HEADER] = way
        return send(transport, request, **options)

    monkeypatch.setattr(StorageTransport, "send", planned)
    with ExitStack() as running:

        def through(match: re.Match[str]) -> str:
            port = running.enter_context(listening(partial(_serve, int(match[2]))))
            return f"{match[1]}Endpoint=http://127.0.0.1:{port}/"

        yield re.sub(r"(Table|Queue)Endpoint=http://127\.0\.0\.1:(\d+)/", through, azurite), plan


def _serve(upstream: int, connection: socket.socket) -> None:
    behind = http.client.HTTPConnection("127.0.0.1", upstream)
    try:
        while request := read_request(connection):
            head, _, body = request.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            method, path, _ = first.split(" ")
            headers = dict(line.split(": ", 1) for line in lines)
            when, _, end = headers.pop(_HEADER, "").partition(" ")
            if when == "before":
                response = _response(201, b'{"PartitionKey": "p", "RowKey": "r"}')
            else:
                behind.request(method, path, body=body, headers=headers)
                got = behind.getresponse()
                response = _response(got.status, got.read(), *got.getheaders())
            if not _send(connection, response, end):
                return
    finally:
        behind.close()


def _send(connection: socket.socket, response: bytes, end: str) -> bool:
    """Send a response in the planned way; return whether the connection stays open."""
    if end in ("cut", "stall"):
        connection.sendall(response[: len(response) - 10])
        if end == "stall":
            connection.recv(1)  # until the client gives up
        return False
    if end == "reset":
        return False
    if end == "throttled":
        connection.sendall(_response(503, b"", ("Retry-After", "20")))
    else:
        connection.sendall(_response(int(end), b"") if end else response)
    return True


def _response(status: int, body: bytes, *headers: tuple[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} x"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in _FRAMING]
    if status != http.client.NO_CONTENT:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


_FRAMING = ("transfer-encoding", "content-length", "connection", "keep-alive")
