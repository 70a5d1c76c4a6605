"""How long a request may take, and how long a connection is kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from graph.transport import nothing_was_sent
from tests.graph.requesting import LIMITS, failure
from tests.graph.servers import answer, drip, listening, read_request, tls

if TYPE_CHECKING:
    import socket

    from tests.graph.servers import Serve


def test_every_request_has_a_time_limit(trusting: requests.Session) -> None:
    """A request without a limit, as MSAL does, has one: nothing waits forever."""
    adapter = trusting.get_adapter("https://localhost")
    limits: list[object] = []

    class Spy(type(adapter)):  # type: ignore[misc]  # the adapter's class is private
        def get_connection_with_tls_context(self, *_: object, **__: object) -> object:
            return self

        def urlopen(self, **arguments: object) -> object:
            limits.append(arguments["timeout"])
            message = "seen"
            raise requests.ConnectionError(message)

    spy = Spy()
    trusting.mount("https://limits.invalid", spy)
    for timeout in (None, 7.0):
        with pytest.raises(requests.ConnectionError):
            trusting.get("https://limits.invalid/", timeout=timeout)
    without, with_own = limits
    assert (getattr(without, "connect_timeout", None), getattr(without, "_read", None)) == (3.0, 10.0)
    assert getattr(with_own, "_read", None) == 7.0


@pytest.mark.parametrize("headers_too", [False, True])
@pytest.mark.parametrize("secure", [False, True])
def test_a_dripping_response_has_a_time_limit(trusting: requests.Session, *, secure: bool, headers_too: bool) -> None:
    """The limit is for the whole response: a server that sends a byte now and then doesn't hold a request forever."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        drip(connection, b"x" * 200, every=0.05, headers_too=headers_too)

    with listening(tls(serve) if secure else serve) as port:
        started = time.monotonic()
        failed = failure(trusting, f"{'https' if secure else 'http'}://localhost:{port}/")
        assert time.monotonic() - started < 2
        trusting.close()
    assert not nothing_was_sent(failed)


@pytest.mark.parametrize("begin", [b"\x16\x03\x03\x3f\xff", b""], ids=["handshake", "proxy"])
def test_a_dripping_connection_has_a_time_limit(trusting: requests.Session, begin: bytes) -> None:
    """So has all that comes before the request: a handshake, or a proxy's response, each byte of which is in time."""

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(begin or b"HTTP/1.1 200 ")
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)

    with listening(serve) as port:
        if not begin:
            trusting.proxies["https"] = f"http://127.0.0.1:{port}"
        started = time.monotonic()
        failed = failure(trusting, f"https://localhost:{port}/")
        assert time.monotonic() - started < 2
        trusting.close()
    assert nothing_was_sent(failed)


def _counting(opened: list[int]) -> Serve:
    def serve(connection: socket.socket) -> None:
        opened.append(1)
        while read_request(connection):
            answer(connection, 200, {})

    return serve


def test_a_connection_is_kept_while_it_is_in_use(trusting: requests.Session) -> None:
    """Requests in a row share one connection, for a handshake costs more than a request."""
    opened: list[int] = []
    with listening(tls(_counting(opened))) as port:
        for _ in range(3):
            trusting.get(f"https://localhost:{port}/", timeout=LIMITS)
        trusting.close()
    assert len(opened) == 1


def test_a_connection_that_was_idle_for_long_is_not_used_again(trusting: requests.Session) -> None:
    """What a load balancer may have dropped without notice is not used for an invitation."""
    opened: list[int] = []
    with listening(tls(_counting(opened))) as port, listening(tls(_counting([]))) as other:
        url = f"https://localhost:{port}/"
        trusting.get(url, timeout=LIMITS)
        pools = trusting.get_adapter(url).poolmanager.pools  # type: ignore[attr-defined]
        (pool,) = [pools[key] for key in pools.keys()]  # noqa: SIM118 - it can't be iterated
        connection = pool._get_conn()
        pool._put_conn(connection)
        connection.used_at -= 61
        trusting.get(f"https://localhost:{other}/", timeout=LIMITS)
        trusting.get(url, timeout=LIMITS)
        trusting.close()
        pool.close()
    assert len(opened) == 2
