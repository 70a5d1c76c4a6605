"""Which URLs may be a flow's, how they are reached, and what is sent to them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from flows.urls import UrlRefused, check_url
from flows.webhook import FlowClient, PostResponse, signed_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUFFIXES = (".logic.azure.com", ".environment.api.powerplatform.com")
GOOD = "https://prod-01.westeurope.logic.azure.com"

ALLOWED = [
    f"{GOOD}:443/workflows/1/runs/2/actions/Wait/run?api-version=2016-06-01&sp=%2Fruns%2F2&sv=1.0&sig=abc_-",
    f"{GOOD}/workflows/1/runs/2/actions/Wait/run?sig=x",
    "https://default0123456789abcdef.f9.environment.api.powerplatform.com:443/powerautomate/automations/direct/x?sig=y",
    "https://PROD-01.WESTEUROPE.LOGIC.AZURE.COM/x",
    f"{GOOD}/" + "x" * (2000 - len(GOOD) - 1),
]
REFUSED = [
    "http://prod-01.westeurope.logic.azure.com/x",
    "ftp://prod-01.westeurope.logic.azure.com/x",
    "file:///etc/passwd",
    "gopher://prod-01.westeurope.logic.azure.com/x",
    "javascript:alert(1)",
    "data:text/plain,x",
    "//prod-01.westeurope.logic.azure.com/x",
    "prod-01.westeurope.logic.azure.com/x",
    "https:/prod-01.westeurope.logic.azure.com/x",
    "https:prod-01.westeurope.logic.azure.com/x",
    "https://",
    "https:///x",
    "https://.logic.azure.com/x",
    "https://..logic.azure.com/x",
    "https://logic.azure.com/x",
    "https://evil.example/x",
    "https://evil.example/.logic.azure.com",
    "https://evil.example?.logic.azure.com",
    "https://evil.example#.logic.azure.com",
    "https://evil.example\\.logic.azure.com/x",
    "https://evil-logic.azure.com/x",
    "https://evillogic.azure.com/x",
    "https://prod.logic.azure.com.evil.example/x",
    "https://prod.logic.azure.com./x",
    "https://prod.logic.azure.com%2eevil.example/x",
    "https://prod%2elogic.azure.com/x",
    "https://user@prod.logic.azure.com/x",
    "https://user:password@prod.logic.azure.com/x",
    "https://prod.logic.azure.com@evil.example/x",
    "https://evil.example@prod.logic.azure.com/x",
    "https://:@prod.logic.azure.com/x",
    "https://prod.logic.azure.com:80/x",
    "https://prod.logic.azure.com:8443/x",
    "https://prod.logic.azure.com:0/x",
    "https://prod.logic.azure.com:99999/x",
    "https://prod.logic.azure.com:443x/x",
    "https://prod.logic.azure.com:-1/x",
    "https://prod.logic.azure.com/x#fragment",
    "https://127.0.0.1/x",
    "https://127.0.0.1:443/x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0177.0.0.1/x",
    "https://0/x",
    "https://localhost/x",
    "https://localhost.logic.azure.com@127.0.0.1/x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[fe80::1%25eth0]/x",
    "https://[::1].logic.azure.com/x",
    "https://10.0.0.1/x",
    "https://169.254.169.254/metadata/identity",
    "https://168.63.129.16/x",
    "https://192.168.1.1/x",
    "https://metadata.google.internal/x",
    "https://a b.logic.azure.com/x",
    "https://a\tb.logic.azure.com/x",
    "https://a\nb.logic.azure.com/x",
    "https://a\r\nHost: evil.example\r\n.logic.azure.com/x",
    "https://a\x00.logic.azure.com/x",
    "https://prod.logic.azure.com/\nx",
    "https://prod.logic.azure.com/x y",
    "https://prod.logic.azure.com/<x>",
    "https://prod.logic.azure.com/\u00e9",
    "https://pr\u00f6d.logic.azure.com/x",
    "https://prod.logic\u3002azure.com/x",
    "https://prod\u2024logic.azure.com/x",
    "https://-prod.logic.azure.com/x",
    "https://*.logic.azure.com/x",
    "https://a/b.logic.azure.com/x",
    "https://" + "a" * 64 + ".logic.azure.com/x",
    f"{GOOD}/" + "x" * (2001 - len(GOOD) - 1),
    "https://prod.logic.azure.com:443@evil.example/x",
    "https://[prod.logic.azure.com/x",
    " https://prod.logic.azure.com/x",
    "",
]


@pytest.mark.parametrize("url", ALLOWED)
def test_urls_of_the_flow_engine(url: str) -> None:
    """The forms that flows and logic apps hand out are allowed, up to 2,000 characters."""
    check_url(url, SUFFIXES, frozenset())


@pytest.mark.parametrize("url", REFUSED)
def test_other_urls(url: str) -> None:
    """Any other URL is refused, and the reason holds nothing of it."""
    with pytest.raises(UrlRefused) as refused:
        check_url(url, SUFFIXES, frozenset())
    assert "evil" not in str(refused.value)
    assert len(str(refused.value)) < 100


def _post(
    client: FlowClient, url: str, body: bytes = b"{}", *, seconds: float = 5.0, message_id: str = "m"
) -> PostResponse:
    return client.post(url, body, {"webhook-id": message_id}, seconds=seconds)


def _local(port: int) -> FlowClient:
    return FlowClient(SUFFIXES, frozenset({f"127.0.0.1:{port}"}))


def test_name_of_a_private_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves to this machine, among others, is refused before a byte is sent."""
    with listener() as (port, seen):
        found = [(2, 1, 6, "", ("20.50.2.10", port)), (2, 1, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr("flows.webhook.socket.getaddrinfo", lambda *_, **__: found)
        with pytest.raises(UrlRefused, match="public internet"):
            _post(FlowClient(SUFFIXES, frozenset()), f"{GOOD}/x")
        assert not seen


def test_connects_to_what_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is resolved once, so a second, different answer of the name server has no effect."""
    resolved: list[str] = []
    connected: list[Any] = []

    def resolve(host: str, *_: Any, **__: Any) -> Any:
        resolved.append(host)
        return [(2, 1, 6, "", ("20.50.2.10", 443))]

    def connect(address: Any, *_: Any, **__: Any) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("flows.webhook.socket.getaddrinfo", resolve)
    monkeypatch.setattr("flows.webhook.urllib3.util.connection.create_connection", connect)
    assert _post(FlowClient(SUFFIXES, frozenset()), f"{GOOD}/x") == PostResponse(None)
    assert resolved == ["prod-01.westeurope.logic.azure.com"]
    assert connected == [("20.50.2.10", 443)]


def test_name_that_resolves_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that can't be resolved now is no response; a later try may have one."""

    def resolve(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr("flows.webhook.socket.getaddrinfo", resolve)
    assert _post(FlowClient(SUFFIXES, frozenset()), f"{GOOD}/x") == PostResponse(None)


def test_look_up_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that does not respond holds a POST no longer than its time limit."""
    over = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: over.wait(5) and [])
    started = time.monotonic()
    response = FlowClient(SUFFIXES, frozenset()).post(f"{GOOD}/x", b"{}", {}, seconds=0.3)
    over.set()
    assert time.monotonic() - started < 2
    assert response == PostResponse(None)


def test_redirect_is_not_followed() -> None:
    """307 to another URL is the response, and nothing else is requested."""
    with listener(status=307, location="http://127.0.0.1:1/elsewhere") as (port, seen):
        assert _post(_local(port), f"http://127.0.0.1:{port}/x").status == 307
        assert [path for path, _, _ in seen] == ["/x"]


def test_local_hosts() -> None:
    """A trial's listener is reached by its host and port; the same host at another port is not."""
    with listener() as (port, seen):
        url = f"http://127.0.0.1:{port}/x?sig=1"
        assert _post(_local(port), url, b'{"a":1}') == PostResponse(200)
        with pytest.raises(UrlRefused):
            _post(_local(port), f"http://127.0.0.1:{port + 1}/x")
    (path, headers, body), *others = seen
    assert (path, headers["webhook-id"], body, others) == ("/x?sig=1", "m", b'{"a":1}', [])


def test_two_posts() -> None:
    """Two POSTs to one host, one after the other, each have their own response."""
    with listener() as (port, seen):
        client = _local(port)
        assert [_post(client, f"http://127.0.0.1:{port}/{place}").status for place in range(2)] == [200, 200]
        assert [path for path, _, _ in seen] == ["/0", "/1"]


def test_no_listener() -> None:
    """Where no connection comes about there is no status, and nothing was cut."""
    with listener() as (port, _):
        pass
    assert _post(_local(port), f"http://127.0.0.1:{port}/") == PostResponse(None)


def _nothing(connection: socket.socket, stop: threading.Event) -> None:
    stop.wait(10)


def _drip(connection: socket.socket, stop: threading.Event) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 10:
        if stop.wait(0.1):
            return
        connection.sendall(bytes([byte]))


def _drip_the_body(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n")
    while not stop.wait(0.1):
        connection.sendall(b"x")


def _reset(connection: socket.socket, _: threading.Event) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("behaviour", "response"),
    [
        (_nothing, PostResponse(None, was_cut=True)),
        (_drip, PostResponse(None, was_cut=True)),
        (_drip_the_body, PostResponse(202)),
        (_reset, PostResponse(None)),
    ],
)
def test_time_limit_of_a_post(behaviour: Callable[[socket.socket, threading.Event], None], response: object) -> None:
    """A server that hangs or drips is cut at the limit for the whole POST; its status line is all that is needed."""
    with raw_server(behaviour) as port:
        started = time.monotonic()
        assert _post(_local(port), f"http://127.0.0.1:{port}/", seconds=0.6) == response
        assert time.monotonic() - started < 1.6


def _drip_the_head(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not stop.wait(0.1):
        connection.sendall(b"x")


def _drip_a_handshake(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"\x16\x03\x03\x3f\xff")
    while not stop.wait(0.1):
        connection.sendall(b"x")


@pytest.mark.parametrize("behaviour", [_nothing, _drip_a_handshake])
def test_limit_of_a_handshake(behaviour: Callable[[socket.socket, threading.Event], None]) -> None:
    """The limit holds for TLS as well, however slowly it drips; nothing of the request was sent then."""
    with raw_server(behaviour) as port:
        started = time.monotonic()
        assert _post(_local(port), f"https://127.0.0.1:{port}/", seconds=0.6) == PostResponse(None)
        assert time.monotonic() - started < 1.6


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_limit_of_a_late_connection(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that comes about only when the time is over is not used, however the other side drips then."""
    connect = urllib3.util.connection.create_connection

    def late(*arguments: Any, **named: Any) -> socket.socket:
        time.sleep(0.7)
        return connect(*arguments, **named)

    monkeypatch.setattr("urllib3.util.connection.create_connection", late)
    with raw_server(_drip_the_head if scheme == "http" else _drip_a_handshake) as port:
        started = time.monotonic()
        assert _post(_local(port), f"{scheme}://127.0.0.1:{port}/", seconds=0.6) == PostResponse(None)
        assert time.monotonic() - started < 1.6


def test_one_that_hangs_does_not_hold_another() -> None:
    """Each POST has its own limit: a flow that hangs leaves the others' alone."""
    with raw_server(_nothing) as slow, listener() as (fast, seen):
        client = FlowClient(SUFFIXES, frozenset({f"127.0.0.1:{slow}", f"127.0.0.1:{fast}"}))
        hung = threading.Thread(target=_post, args=(client, f"http://127.0.0.1:{slow}/"), kwargs={"seconds": 1.0})
        hung.start()
        time.sleep(0.1)
        assert _post(client, f"http://127.0.0.1:{fast}/", seconds=1.0) == PostResponse(200)
        assert hung.is_alive()
        hung.join(5)
        assert len(seen) == 1


def test_signature() -> None:
    """With a secret, a receiver can check id, time and body together; each of several signs."""
    body, now = b'{"status":"completed"}', datetime(2026, 1, 31, 12, tzinfo=UTC)
    keys = (b"k" * 24, b"\xff" * 64)
    secrets = ["whsec_" + base64.b64encode(key).decode() for key in keys]
    headers = signed_headers("msg_1", now, body, secrets)
    signed = f"msg_1.{int(now.timestamp())}.".encode() + body
    expected = [base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys]
    assert headers["webhook-signature"] == f"v1,{expected[0]} v1,{expected[1]}"
    assert headers["webhook-timestamp"] == "1769860800"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert "webhook-signature" not in signed_headers("msg_1", now, body, ())


@contextmanager
def raw_server(behaviour: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """Accept one connection, read its request, and behave; gives the port."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    behaviour(connection, stop)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        stop.set()
        thread.join(5)


class listener:  # noqa: N801 - used as a context manager only
    """A web server on a free port, and what was sent to it."""

    def __init__(self, *, status: int = 200, location: str | None = None) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                seen.append((self.path, dict(self.headers), body))
                self.send_response(status)
                if location is not None:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> tuple[int, list[tuple[str, dict[str, str], bytes]]]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self._server.server_port, self.seen

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
