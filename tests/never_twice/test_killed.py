"""The process is killed between any two steps, for real; then flow, Graph and watchdog go on."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
import requests

from dev.simulator import Delivery, Simulator
from tests.end_to_end.conftest import Host, run_host

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = [str(Path(__file__).with_name("dying_host.py"))]
QUEUE = "operations.queues:StorageQueue.send"
INSERT = "operations.calls:CallTable.insert_invitation"
ASK = "graph.client:GraphClient.invite"
WRITE = "operations.calls:CallTable.write"
REPLACE = "operations.calls:CallTable.replace_invitation"
APPLY = "notifications.applying:Applying._write"


@dataclass(frozen=True)
class Kill:
    """Where the process dies, and how the story must end."""

    step: str
    status: str
    rings: int = 1
    lost: Literal["none", "operation"] = "none"


KILLS = {
    "before anything is queued": Kill(f"before:{QUEUE}:1", "completed"),
    "watchdog's message queued, no row": Kill(f"after:{QUEUE}:1", "completed"),
    "row written, Graph not asked": Kill(f"after:{INSERT}:1", "failed", rings=0),
    "Graph has answered, not written down": Kill(f"after:{ASK}:1", "completed"),
    "before the answer is written down": Kill(f"before:{WRITE}:1", "completed"),
    "written down, flow not answered": Kill(f"after:{WRITE}:1", "completed"),
    "report read, not written down": Kill(f"before:{APPLY}:1", "completed"),
    "report written down, Graph not answered": Kill(f"after:{APPLY}:1", "completed"),
    "watchdog concluded, not written down": Kill(f"before:{REPLACE}:1", "completed", lost="operation"),
    "watchdog's conclusion written down": Kill(f"after:{REPLACE}:1", "completed", lost="operation"),
}

# One of each kind; the others differ from these by what is written on either side of the same request.
SHORT = {
    "watchdog's message queued, no row",
    "row written, Graph not asked",
    "Graph has answered, not written down",
    "report read, not written down",
    "watchdog concluded, not written down",
}


@pytest.fixture(scope="module")
def graph() -> Iterator[Simulator]:
    """A Graph that rings for a third of a second and repeats what is not acknowledged for a while."""
    with Simulator(time_scale=0.1, delivery=Delivery(retries=8, retry_after=2)) as simulator:
        yield simulator


@pytest.fixture
def settings(storage: str, graph: Simulator, storage_name: str) -> dict[str, str]:
    """Settings under which the watchdog does not let one wait."""
    return {
        **graph.settings(),
        "AzureWebJobsStorage": storage,
        "STATE_TABLE": storage_name[:40],
        "INVITATION_CHECK_AFTER_SECONDS": "2",
        "INVITATION_GIVE_UP_AFTER_SECONDS": "5",
    }


def free_port() -> int:
    """A port that both the killed process and its successor can have."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def as_a_flow(host: Host, call_id: str, body: dict[str, Any]) -> requests.Response | None:
    """One try of a flow; None where the connection broke."""
    try:
        return host.invite(call_id, body)
    except requests.ConnectionError:
        return None


def dead(host: Host, seconds: float = 15) -> bool:
    """Whether the process is killed within that time."""
    deadline = time.monotonic() + seconds
    while host.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return host.process.returncode == -signal.SIGKILL


def invite_body() -> dict[str, Any]:
    """Somebody new, with a key that the flow repeats."""
    return {
        "participants": [{"identity": {"user": {"id": str(uuid.uuid4())}}}],
        "clientContext": str(uuid.uuid4()),
    }


def ends_well(host: Host, graph: Simulator, call_id: str, body: dict[str, Any], kill: Kill) -> None:
    """The flow tries again, waits, and gets the truth; nobody was rung twice."""
    accepted = as_a_flow(host, call_id, body)
    assert accepted is not None
    outcome = host.outcome(accepted, seconds=30)
    assert outcome.status_code == (422 if kill.status == "failed" else 200)
    invitation = host.get(f"/calls/{call_id}/invitations/{accepted.json()['id']}")
    assert invitation["status"] == kill.status
    if kill.status == "failed":
        assert "never confirmed" in outcome.json()["error"]["message"]
    assert len([ring for ring in graph.log.rings if ring.call_id == call_id]) == kill.rings


@pytest.mark.parametrize(
    "kill",
    [pytest.param(kill, id=at, marks=[] if at in SHORT else pytest.mark.prove) for at, kill in KILLS.items()],
)
def test_whatever_it_was_doing_the_outcome_is_right(
    kill: Kill, graph: Simulator, settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at this step, the app still rings at most once and the flow gets the true outcome."""
    port = free_port()
    body = invite_body()
    monkeypatch.setenv("DIE_AT", kill.step)
    with run_host(settings, tmp_path, port=port, script=SCRIPT) as dying:
        call_id = graph.create_call(dying.callback_uri, announce=False, lost=kill.lost)
        as_a_flow(dying, call_id, body)
        assert dead(dying), "the process did not die where it should"
    with run_host(settings, tmp_path, port=port) as host:
        ends_well(host, graph, call_id, body, kill)


def test_killed_while_graph_has_not_answered_yet(graph: Simulator, settings: dict[str, str], tmp_path: Path) -> None:
    """Graph took the request and the process dies before the answer: one ring, and the report completes it."""
    port = free_port()
    body = invite_body()
    with run_host(settings, tmp_path, port=port) as dying:
        call_id = graph.create_call(dying.callback_uri, announce=False)
        graph.fault(call_id=call_id, delay_after=20)
        thread = threading.Thread(target=as_a_flow, args=(dying, call_id, body))
        thread.start()
        deadline = time.monotonic() + 10
        while not [ring for ring in graph.log.rings if ring.call_id == call_id]:
            assert time.monotonic() < deadline, "nobody was rung"
            time.sleep(0.01)
        os.kill(dying.process.pid, signal.SIGKILL)
        assert dead(dying)
        thread.join(10)
    with run_host(settings, tmp_path, port=port) as host:
        ends_well(host, graph, call_id, body, Kill("", "completed"))
