from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import requests
import trustme

from graph.transport import new_session, nothing_was_sent
from tests.graph.requesting import LIMITS, failure
from tests.graph.servers import answer, closed_port, drip, listening, read_request, reset, tls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.graph.servers import Serve


@pytest.fixture
def session(authority_file: Path) -> Iterator[requests.Session]:
    """The app's own session, which trusts the servers here."""
    with new_session(()) as session:
        yield session


def test_a_refused_connection_sent_nothing(session: requests.Session) -> None:
    """Where no server listens, the request never left."""
    assert nothing_was_sent(failure(session, f"https://localhost:{closed_port()}/"))


def test_an_unknown_host_sent_nothing(session: requests.Session) -> None:
    """A name that does not resolve has no server."""
    assert nothing_was_sent(failure(session, "https://graph.invalid/"))


def test_a_foreign_certificate_sent_nothing(session: requests.Session) -> None:
    """Only Graph receives a request: a stranger's certificate ends it before its first byte."""
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        received.append(connection.recv(65536))

    with listening(tls(serve, authority=trustme.CA())) as port:
        assert nothing_was_sent(failure(session, f"https://localhost:{port}/"))
    assert received == []


def test_a_certificate_for_another_name_sent_nothing(session: requests.Session) -> None:
    """The name is checked too: 127.0.0.1 is not the localhost of the certificate."""
    with listening(tls(lambda connection: answer(connection, 200, {}))) as port:
        assert nothing_was_sent(failure(session, f"https://127.0.0.1:{port}/"))


def test_a_server_without_tls_sent_nothing(session: requests.Session) -> None:
    """A handshake that fails for any other reason comes before the request too."""
    with listening(lambda connection: connection.sendall(b"SSH-2.0-hello\r\n")) as port:
        assert nothing_was_sent(failure(session, f"https://localhost:{port}/"))


def test_a_reset_in_the_handshake_sent_nothing(session: requests.Session) -> None:
    """A load balancer that drops the connection at once has not let anything through."""

    def serve(connection: socket.socket) -> None:
        connection.recv(16)
        reset(connection)

    with listening(serve) as port:
        assert nothing_was_sent(failure(session, f"https://localhost:{port}/"))


def test_a_handshake_that_never_ends_sent_nothing(session: requests.Session) -> None:
    """The time limit of connecting ends a handshake that hangs, before the request."""
    over = threading.Event()

    def serve(_: socket.socket) -> None:
        over.wait(10)

    with listening(serve) as port:
        failed = failure(session, f"https://localhost:{port}/")
        over.set()
    assert nothing_was_sent(failed)


def _reads_then_resets(connection: socket.socket) -> None:
    read_request(connection)
    reset(connection)


def _reads_then_closes(connection: socket.socket) -> None:
    read_request(connection)


def _reads_then_hangs(connection: socket.socket) -> None:
    read_request(connection)
    time.sleep(1)


def _breaks_off_its_answer(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


def _speaks_nonsense(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"nonsense\r\n\r\n")


_AFTER_THE_REQUEST = [
    _reads_then_resets,
    _reads_then_closes,
    _reads_then_hangs,
    _breaks_off_its_answer,
    _speaks_nonsense,
]


@pytest.mark.parametrize("serve", _AFTER_THE_REQUEST)
def test_what_fails_after_the_request_may_have_been_taken(serve: Serve, session: requests.Session) -> None:
    """Once the server has the request, no failure is taken for a refusal, or a person would be called twice."""
    with listening(tls(serve)) as port:
        assert not nothing_was_sent(failure(session, f"https://localhost:{port}/"))


def test_a_tls_failure_after_the_request_may_have_been_taken(session: requests.Session) -> None:
    """TLS can also break when the request is long with the server: that is no failed handshake."""

    def serve(connection: socket.socket) -> None:
        raw = socket.socket(fileno=connection.fileno())
        try:
            read_request(connection)
            raw.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
            time.sleep(0.2)
        finally:
            raw.detach()

    with listening(tls(serve)) as port:
        failed = failure(session, f"https://localhost:{port}/")
    assert isinstance(failed, requests.exceptions.SSLError)
    assert not nothing_was_sent(failed)


def test_a_kept_connection_that_the_server_dropped_may_have_sent_something(session: requests.Session) -> None:
    """On a connection that was used before, a reset proves nothing about the request in flight."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        answer(connection, 200, {})
        read_request(connection)
        reset(connection)

    with listening(tls(serve)) as port:
        assert session.post(f"https://localhost:{port}/", json={}, timeout=LIMITS).ok
        assert not nothing_was_sent(failure(session, f"https://localhost:{port}/"))


def _tunnel(port: int) -> Serve:
    """Return a proxy that connects everybody to ``port``."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        with socket.create_connection(("127.0.0.1", port)) as target:
            connection.sendall(b"HTTP/1.1 200 connected\r\n\r\n")
            back = threading.Thread(target=pump, args=(target, connection), daemon=True)
            back.start()
            pump(connection, target)
            back.join(5)

    return serve


@pytest.fixture
def behind_proxy(authority_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[requests.Session]]:
    """A place for the sessions that a test opens, closed at its end."""
    sessions: list[requests.Session] = []
    yield sessions
    for session in sessions:
        session.close()


def _proxied(port: int, monkeypatch: pytest.MonkeyPatch, sessions: list[requests.Session]) -> requests.Session:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "nothing.example")
    sessions.append(new_session(["https://localhost"]))
    return sessions[-1]


def test_the_way_out_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, behind_proxy: list[requests.Session]
) -> None:
    """``HTTPS_PROXY`` is used for the addresses of the session."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        answer(connection, 200, {})

    with listening(tls(serve)) as port, listening(_tunnel(port)) as proxy:
        session = _proxied(proxy, monkeypatch, behind_proxy)
        assert session.get(f"https://localhost:{port}/", timeout=LIMITS).status_code == 200
        assert session.proxies == {"https://localhost": f"http://127.0.0.1:{proxy}"}


def test_a_proxy_that_is_not_there_sent_nothing(
    monkeypatch: pytest.MonkeyPatch, behind_proxy: list[requests.Session]
) -> None:
    """Without its proxy the app can't connect."""
    session = _proxied(closed_port(), monkeypatch, behind_proxy)
    assert nothing_was_sent(failure(session, "https://localhost:1/"))


def test_a_proxy_that_refuses_sent_nothing(
    monkeypatch: pytest.MonkeyPatch, behind_proxy: list[requests.Session]
) -> None:
    """A tunnel that was not opened let nothing through."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 407 who are you\r\nContent-Length: 0\r\n\r\n")

    with listening(serve) as proxy:
        session = _proxied(proxy, monkeypatch, behind_proxy)
        assert nothing_was_sent(failure(session, "https://localhost:1/"))


@pytest.mark.parametrize("serve", _AFTER_THE_REQUEST)
def test_behind_a_proxy_too_what_was_sent_may_have_been_taken(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, behind_proxy: list[requests.Session]
) -> None:
    """A connection that breaks after the request is not mistaken for a proxy that could not be reached."""
    with listening(tls(serve)) as port, listening(_tunnel(port)) as proxy:
        session = _proxied(proxy, monkeypatch, behind_proxy)
        assert not nothing_was_sent(failure(session, f"https://localhost:{port}/"))


def test_the_way_out_holds_for_addresses_with_port_and_path(
    monkeypatch: pytest.MonkeyPatch, behind_proxy: list[requests.Session]
) -> None:
    """Entra ID's address has the tenant in it, and is reached through the proxy like Graph's."""
    used: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        used.append(read_request(connection).partition(b" HTTP")[0])

    with listening(serve) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy}")
        monkeypatch.setenv("NO_PROXY", "keys.invalid")
        addresses = ["https://login.invalid:8443/tenant", "https://graph.invalid", "https://keys.invalid/v1/keys"]
        session = new_session(addresses)
        behind_proxy.append(session)
        for address in addresses:
            assert nothing_was_sent(failure(session, address))
    assert used == [b"CONNECT login.invalid:8443", b"CONNECT graph.invalid:443"]


def test_a_dripping_proxy_has_a_time_limit(
    monkeypatch: pytest.MonkeyPatch, behind_proxy: list[requests.Session]
) -> None:
    """Before the tunnel is open, too: there it is the limit of connecting."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        drip(connection, b"x" * 200, every=0.05, headers_too=True)

    with listening(serve) as proxy:
        session = _proxied(proxy, monkeypatch, behind_proxy)
        started = time.monotonic()
        assert nothing_was_sent(failure(session, "https://localhost:1/"))
        assert time.monotonic() - started < 2


def test_a_netrc_never_replaces_the_token(
    session: requests.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password file on the machine does not take the place of the app's own token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login someone password else\n", encoding="ascii")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        received.append(read_request(connection))
        answer(connection, 200, {}, "Connection: close\r\n")

    with listening(tls(serve)) as port:
        url = f"https://localhost:{port}/"
        session.get(url, headers={"Authorization": "Bearer own"}, timeout=LIMITS)
        session.get(url, timeout=LIMITS)
        with requests.Session() as careless:
            careless.get(url, timeout=LIMITS)
    own, none, replaced = received
    assert b"Authorization: Bearer own\r\n" in own
    assert b"Authorization" not in none
    assert b"Authorization: Basic" in replaced  # so the file would have been used


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_authorities_to_trust_are_read_from_the_environment(
    name: str, authority_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the usual names works, and without any the public CAs count."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        answer(connection, 200, {}, "Connection: close\r\n")

    with listening(tls(serve)) as port:
        with new_session(()) as public:
            assert nothing_was_sent(failure(public, f"https://localhost:{port}/"))
        monkeypatch.setenv(name, str(authority_file))
        with new_session(()) as session:
            assert session.get(f"https://localhost:{port}/", timeout=LIMITS).ok
