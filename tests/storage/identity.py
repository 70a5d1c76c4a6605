"""A managed identity endpoint as App Service has it, which can fail in every way.

Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity, *REST endpoint reference*.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.graph.servers import answer, listening, read_request

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    import pytest

Way = Literal["token", "500", "503", "garbage", "html", "no token", "silent", "slow", "reset"]
FAILING: tuple[Way, ...] = ("500", "503", "garbage", "html", "no token", "silent", "reset")


@dataclass
class IdentityEndpoint:
    """Responds in one way, which tests change."""

    way: Way = "token"
    lifetime: float = 86_400.0
    asked: list[float] = field(default_factory=list)
    at_once: int = 0
    """How many requests were in progress at most at a time."""
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, connection: socket.socket) -> None:
        while read_request(connection):
            with self._lock:
                self._now += 1
                self.at_once = max(self.at_once, self._now)
                self.asked.append(time.monotonic())
            try:
                self._respond(connection)
            finally:
                with self._lock:
                    self._now -= 1

    def _respond(self, connection: socket.socket) -> None:
        match self.way:
            case "500" | "503":
                answer(connection, int(self.way), b"")
            case "garbage":
                answer(connection, 200, b"\\x00{[")
            case "html":
                answer(connection, 200, b"<html>Bad gateway</html>")
            case "no token":
                answer(connection, 200, {"error": "none"})
            case "silent":
                connection.settimeout(60)
                connection.recv(1)
            case "reset":
                connection.close()
            case _:
                if self.way == "slow":
                    time.sleep(0.3)
                expires = int(time.time() + self.lifetime)
                token = {"access_token": f"token{len(self.asked)}", "expires_on": str(expires), "token_type": "Bearer"}
                answer(connection, 200, json.dumps({**token, "resource": "https://storage.azure.com"}).encode())


@contextmanager
def identity_endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityEndpoint]:
    """Run an identity endpoint that this process's managed identities use."""
    endpoint = IdentityEndpoint()
    with listening(endpoint) as port:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{port}/MSI/token/")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        yield endpoint
