"""The process is killed on the path of a start; then flow, Graph and alarm go on."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from dev.simulator import Delivery, Simulator
from tests.calls.test_starting import start, user
from tests.end_to_end.conftest import run_host
from tests.never_twice.test_killed import free_port, is_killed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.end_to_end.conftest import Host

SCRIPT = [str(Path(__file__).parents[1] / "never_twice" / "dying_host.py")]
KILLS = {
    "accepted, Graph not asked": ("before:graph.client:GraphClient.create:1", 0),
    "Graph has answered, not written down": ("after:graph.client:GraphClient.create:1", 1),
    "call's row not written": ("before:calls.legs:Legs.keep:1", 1),
    "established reported, no person called": ("before:calls.following:Follower.follow:1", 1),
    "people called, not noted": ("after:invite.service:InvitationService.ensure:1", 1),
}
SHORT = {"Graph has answered, not written down", "established reported, no person called"}


@pytest.fixture(scope="module")
def graph() -> Iterator[Simulator]:
    """A Graph that repeats what is not acknowledged for a while."""
    with Simulator(time_scale=0.1, delivery=Delivery(retries=8, retry_after=2)) as simulator:
        yield simulator


@pytest.fixture
def settings(storage: str, graph: Simulator, storage_name: str) -> dict[str, str]:
    """Settings under which a start is soon given up."""
    return {
        **graph.settings(),
        "AzureWebJobsStorage": storage,
        "STATE_TABLE": storage_name[:40],
        "START_GIVE_UP_AFTER_SECONDS": "8",
    }


def tried(host: Host, body: dict[str, Any]) -> requests.Response | None:
    """One try of a flow; None where the connection broke."""
    try:
        return start(host, body)
    except requests.ConnectionError:
        return None


@pytest.mark.parametrize(
    "kill",
    [pytest.param(kill, id=at, marks=[] if at in SHORT else pytest.mark.prove) for at, kill in KILLS.items()],
)
def test_killed(
    kill: tuple[str, int],
    graph: Simulator,
    settings: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed at this step, the app creates and calls at most once, and the flow gets the true outcome."""
    step, creates = kill
    port, person = free_port(), user()
    meeting = graph.meeting()
    body = {
        "meeting": {"joinWebUrl": meeting.join_web_url},
        "participants": [person],
        "clientContext": str(uuid.uuid4()),
    }
    monkeypatch.setenv("DIE_AT", step)
    with run_host(settings, tmp_path, port=port, script=SCRIPT) as dying:
        tried(dying, body)
        assert is_killed(dying), "the process was not killed where it should be"
    with run_host(settings, tmp_path, port=port) as host:
        accepted = tried(host, body)
        assert accepted is not None
        outcome = host.outcome(accepted, seconds=60)
        assert outcome.status_code == (200 if creates else 422), outcome.text
        mine = [one for one in graph.log.creates if meeting.thread_id in str(one.body)]
        assert len(mine) == creates
        rings = [ring for ring in graph.log.rings if ring.person == person["identity"]["user"]["id"]]
        assert len(rings) == creates
        if creates:
            host.request("DELETE", f"/calls/{outcome.json()['callId']}")
