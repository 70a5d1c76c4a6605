"""Throw-away apps on the local host, called over real sockets."""

from __future__ import annotations

import http.client
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from dev.host.host_json import HostOptions
from dev.host.http_server import HttpServer
from dev.host.runtime import Host

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from azure.functions import FunctionApp

KEY = "the-key"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: list[str]


@dataclass
class Client:
    """One kept-alive connection to a host."""

    port: int
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(
        self,
        method: str,
        target: str,
        *,
        body: bytes | Iterable[bytes] | None = None,
        headers: Iterable[tuple[str, str]] = (),
        key: str | None = KEY,
    ) -> Reply:
        """Send a request whose target and headers are exactly these, and return the response."""
        connection = self.connection
        connection.putrequest(method, target)
        for name, value in headers:
            connection.putheader(name, value)
        if key is not None:
            connection.putheader("x-functions-key", key)
        chunked = body is not None and not isinstance(body, bytes)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif isinstance(body, bytes):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body, encode_chunked=chunked)
        response = connection.getresponse()
        content = response.read()
        received = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, received, content, response.headers.get_all("Set-Cookie") or [])


class Serve(Protocol):
    """Runs an app until the test ends, with these ``extensions`` of host.json."""

    def __call__(self, app: FunctionApp, **extensions: dict[str, Any]) -> Client: ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Give a function that runs an app on a free port and returns a client for it."""
    with ExitStack() as stack:

        def run(app: FunctionApp, **extensions: dict[str, Any]) -> Client:
            options = HostOptions.model_validate({"extensions": extensions})
            server = HttpServer(0)
            stack.callback(server.stop)
            stack.enter_context(Host(app, options, server, key=KEY))
            client = Client(server.port)
            stack.callback(client.connection.close)
            return client

        yield run
