"""A simulated Graph that the tests of ``graph`` share, and what an app needs to talk to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dev.simulator.simulator import Simulator
from graph.client import GraphClient
from graph.credentials import TokenSource
from graph.transport import new_session
from settings import load
from tests.graph.servers import AUTHORITY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

    from settings import Settings


@pytest.fixture(scope="module")
def running_simulator() -> Iterator[Simulator]:
    """A Graph that serves as long as the module's tests run."""
    with Simulator(time_scale=0.01) as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: Simulator) -> Simulator:
    """The same Graph with an empty memory."""
    running_simulator.reset()
    return running_simulator


@pytest.fixture
def settings(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that point at the simulator, whose authority the process trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", simulator.ca_file)
    return load(
        {
            **simulator.settings(),
            "PUBLIC_BASE_URL": "https://app.example",
            "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        }
    )


@pytest.fixture
def session(settings: Settings) -> Iterator[requests.Session]:
    """The app's own HTTP session."""
    with new_session((settings.graph_endpoint, settings.authority)) as session:
        yield session


@pytest.fixture
def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[requests.Session]:
    """A session that trusts the servers of the tests."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with new_session(()) as session:
        yield session


@pytest.fixture
def client(settings: Settings, session: requests.Session) -> GraphClient:
    """The app's client of the simulated Graph."""
    return GraphClient(settings.graph_endpoint, TokenSource(settings, session), session)


@pytest.fixture
def call_id(simulator: Simulator) -> str:
    """A call that goes on, whose people ring forever: nothing is reported."""
    simulator.everyone("ringsOut", after=1e6)
    return simulator.create_call("https://localhost:9/unread", announce=False)


@pytest.fixture
def authority_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The authority of the servers here, trusted by the process."""
    path = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    return path
