"""One credential for all clients, whatever the identity endpoint does, and connections that are used again."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.data.tables import TableClient

from domain.configuration.storage import StorageLocation
from storage import budget, probe
from storage.connections import CLIENT_OPTIONS, SharedCredential, credential_for
from storage.errors import StorageUnavailable
from storage.queue import StorageQueue
from storage.store import TableStore
from storage.table import StorageTable, table_client
from storage.transport import StorageTransport, _Connection, _Pool
from tests.graph.servers import answer, drip, listening, read_request
from tests.storage.identity import FAILING, IdentityEndpoint, Way, identity_endpoint

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from settings import Settings

SCOPE = "https://storage.azure.com/.default"
AT_ONCE = 30


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityEndpoint]:
    """A managed identity endpoint that responds well at first."""
    with identity_endpoint(monkeypatch) as running:
        yield running


def _has_token(credential: SharedCredential, seconds: float = 8.0) -> bool:
    try:
        with budget.budget(seconds, whole=True):
            return credential.get_token(SCOPE).token.startswith("token")
    except StorageUnavailable:
        return False


def test_one_request_for_all_threads(endpoint: IdentityEndpoint) -> None:
    """However many threads need the first token, the endpoint is asked once."""
    endpoint.way = "slow"
    credential = SharedCredential(None)
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: _has_token(credential), range(16)))
    assert len(endpoint.asked) == 1


def test_renewed_ahead(endpoint: IdentityEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """At half of its lifetime a token is renewed by one thread, while the others use the one in hand."""
    credential = SharedCredential(None)
    assert _has_token(credential)
    later = time.time() + endpoint.lifetime * 0.6
    monkeypatch.setattr(time, "time", lambda: later)
    endpoint.way = "slow"
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: credential.get_token(SCOPE).token, range(8)))
    assert time.monotonic() - started < 2
    assert endpoint.at_once == 1
    assert set(tokens) <= {"token1", "token2"}


@pytest.mark.parametrize("way", FAILING)
def test_renewal_that_fails(endpoint: IdentityEndpoint, monkeypatch: pytest.MonkeyPatch, way: Way) -> None:
    """While a token in hand is good an endpoint that fails costs one second at most, and not each time."""
    credential = SharedCredential(None)
    assert _has_token(credential)
    later = time.time() + endpoint.lifetime * 0.6
    monkeypatch.setattr(time, "time", lambda: later)
    endpoint.way = way
    started = time.monotonic()
    for _ in range(5):
        assert credential.get_token(SCOPE).token == "token1"
    assert time.monotonic() - started < 1.5
    assert len(endpoint.asked) <= 1 + 2


@pytest.mark.parametrize("way", FAILING)
@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_no_token(endpoint: IdentityEndpoint, way: Way, seconds: float) -> None:
    """Without a token a request ends within its budget, in storage's own error."""
    endpoint.way = way
    credential = SharedCredential(None)
    started = time.monotonic()
    assert not _has_token(credential, seconds)
    assert time.monotonic() - started < seconds + 0.5
    endpoint.way = "token"
    assert _has_token(credential)


def test_silent_endpoint_and_many_threads(endpoint: IdentityEndpoint) -> None:
    """No thread waits for the others' time limits one after the other."""
    endpoint.way = "silent"
    credential = SharedCredential(None)
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(lambda _: _has_token(credential, 2.0), range(8)))
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("way", ["500", "garbage", "silent", "reset"])
def test_health(endpoint: IdentityEndpoint, app_settings: Settings, monkeypatch: pytest.MonkeyPatch, way: Way) -> None:
    """Health names the identity within the time of its checks, whatever the identity endpoint does."""
    monkeypatch.setattr(probe, "_SECONDS", 0.8)
    endpoint.way = way
    location = StorageLocation(table_endpoint="https://127.0.0.1:1", queue_endpoint="https://127.0.0.1:1")
    there = replace(app_settings, storage=location)
    credential = credential_for(there)
    started = time.monotonic()
    for faults in (probe.table_faults(there, credential), probe.queue_faults(there, "any", credential)):
        assert faults == ["the managed identity gives no token: check that it is assigned to the app"]
    assert time.monotonic() - started < 2.5


def test_health_is_within_its_budget() -> None:
    """Both checks of health together have the time of one request."""
    assert 2 * probe._SECONDS <= budget.REQUEST_SECONDS


def test_connection_string_needs_no_credential(app_settings: Settings) -> None:
    """A connection string holds the key."""
    assert credential_for(app_settings) is None


def test_kept_connections(azurite: str, storage_name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Thirty requests at once leave thirty connections to be used again; none is closed, with a warning each."""
    caplog.set_level(logging.WARNING, "urllib3")
    together = Barrier(AT_ONCE)
    with TableClient.from_connection_string(azurite, storage_name, transport=StorageTransport()) as client:
        client.create_table()

        def ask(_: int) -> None:
            together.wait(30)
            assert list(client.list_entities()) == []

        with ThreadPoolExecutor(AT_ONCE) as threads:
            for _ in range(3):
                list(threads.map(ask, range(AT_ONCE)))
    assert not caplog.records


def _silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def _dripping(connection: socket.socket) -> None:
    while read_request(connection):
        drip(connection, b"{" + b" " * 10_000, every=0.05)


@pytest.mark.parametrize("serve", [_silent, _dripping])
def test_storage_without_an_end(app_settings: Settings, serve: object) -> None:
    """A storage that does not respond, or byte by byte, is given up within the budget."""
    with listening(serve) as port:  # type: ignore[arg-type]
        account = f"AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:{port}/a"
        account += f";QueueEndpoint=http://127.0.0.1:{port}/a"
        there = replace(app_settings, storage=StorageLocation(connection_string=account))
        started = time.monotonic()
        with table_client(there) as client, budget.budget(1.5):
            for use in (
                lambda: TableStore(StorageTable(client)).all_invitations("call"),
                lambda: StorageQueue(there, "any").send({}, delay_seconds=0),
            ):
                with pytest.raises(StorageUnavailable):
                    use()
    assert time.monotonic() - started < 2


def test_idle_connection(azurite: str, storage_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was not used for a minute is opened anew: Azure may have dropped it without notice."""
    opened = 0

    class Counted(_Connection):
        def connect(self) -> None:
            nonlocal opened
            opened += 1
            super().connect()

    monkeypatch.setattr(_Pool, "ConnectionCls", Counted)
    with TableClient.from_connection_string(azurite, storage_name, transport=StorageTransport()) as client:
        client.create_table()
        list(client.list_entities())
        assert opened == 1
        monkeypatch.setattr("storage.transport._IDLE_SECONDS", 0.0)
        list(client.list_entities())
        assert opened == 2


def test_a_netrc_never_replaces_the_key(
    azurite: str, storage_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password file on the machine does not take the place of the app's own authorization."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n", encoding="ascii")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with TableClient.from_connection_string(azurite, storage_name, transport=StorageTransport()) as client:
        client.create_table()
        assert list(client.list_entities()) == []


def test_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy is asked, unless ``NO_PROXY`` names the host."""
    asked: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        asked.append(read_request(connection))
        answer(connection, 200, {"value": []}, "Connection: close\r\n")

    with listening(serve) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        for names in ("other.invalid", "storage.invalid"):
            monkeypatch.setenv("NO_PROXY", names)
            monkeypatch.setenv("no_proxy", names)
            account = "AccountName=a;AccountKey=a2V5;TableEndpoint=http://storage.invalid/a"
            options = {**CLIENT_OPTIONS, "transport": StorageTransport()}
            with TableClient.from_connection_string(account, "any", **options) as client:
                if names == "other.invalid":
                    assert list(client.list_entities()) == []
                else:
                    with pytest.raises(ServiceRequestError):
                        list(client.list_entities())
    (request,) = asked
    assert request.startswith(b"GET http://storage.invalid/a/any()")
