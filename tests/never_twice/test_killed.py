"""The process is killed between any two steps; then flow, Graph and the queue go on with another process."""

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
from tests.end_to_end.waiting_flow import waiting_flow

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = [str(Path(__file__).with_name("dying_host.py"))]
QUEUE = "storage.queue:StorageQueue.send"
INSERT = "invite.service:InvitationService._insert"
ASK = "graph.client:GraphClient.invite"
WRITE = "invite.service:InvitationService._record"
APPLY = "notifications.receiving:apply_reports"
RECORD = "notifications.receiving:NotificationReceiver.record"
LOOK = "watchdog.service:gather"
CONCLUDE = "watchdog.service:Watchdog._save"
POST = "flows.webhook:FlowClient.post"
DELIVER = "flows.delivery:Delivery.post"


@dataclass(frozen=True)
class Kill:
    """Where the process is killed, and how it must end."""

    step: str
    status: str = "completed"
    rings: int = 1
    lost: Literal["none", "operation"] = "none"


KILLS = {
    "before anything is queued": Kill(f"before:{QUEUE}:1"),
    "alarm queued, no row": Kill(f"after:{QUEUE}:1"),
    "row written, Graph not asked": Kill(f"after:{INSERT}:1", "failed", rings=0),
    "Graph has answered, not written": Kill(f"after:{ASK}:1"),
    "before the answer is written": Kill(f"before:{WRITE}:1"),
    "answer written, flow not answered": Kill(f"after:{WRITE}:1"),
    "report read, not written": Kill(f"after:{APPLY}:1"),
    "report written, Graph not answered": Kill(f"after:{RECORD}:1"),
    "watchdog has read Graph, not written": Kill(f"after:{LOOK}:1", lost="operation"),
    "watchdog's conclusion written": Kill(f"after:{CONCLUDE}:1", lost="operation"),
}
# One of each kind, except of a report, which is killed below; the others differ from these by what is written on either
# side of the same request.
SHORT = {
    "row written, Graph not asked",
    "Graph has answered, not written",
    "watchdog has read Graph, not written",
}
# Where a flow waits: whether it may have been notified before, so that it is notified again with the same id.
FLOW_KILLS = {
    "outcome written, not POSTed": (f"before:{DELIVER}:1", False),
    "before the POST": (f"before:{POST}:1", False),
    "POSTed, not marked": (f"after:{POST}:1", True),
    "marked, Graph not answered": (f"after:{DELIVER}:1", False),
}
SHORT_FLOW = {"POSTed, not marked"}


@pytest.fixture(scope="module")
def graph() -> Iterator[Simulator]:
    """A Graph that rings for a third of a second and repeats what is not acknowledged for a while."""
    with Simulator(time_scale=0.1, delivery=Delivery(retries=8, retry_after=2)) as simulator:
        yield simulator


@pytest.fixture
def settings(storage: str, graph: Simulator, storage_name: str) -> dict[str, str]:
    """Settings under which the watchdog asks soon, and a killed run hides its message for a short time."""
    return {
        **graph.settings(),
        "AzureWebJobsStorage": storage,
        "STATE_TABLE": storage_name[:40],
        "INVITATION_CHECK_AFTER_SECONDS": "2",
        "INVITATION_GIVE_UP_AFTER_SECONDS": "5",
        "DEV_HOST_HIDDEN_SECONDS": "4",
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


def is_killed(host: Host, seconds: float = 15) -> bool:
    """Whether the process is killed within that time."""
    deadline = time.monotonic() + seconds
    while host.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return host.process.returncode == -signal.SIGKILL


def invite_body() -> dict[str, Any]:
    """Return an invite of a new person, with a key that the flow repeats."""
    return {
        "participants": [{"identity": {"user": {"id": str(uuid.uuid4())}}}],
        "clientContext": str(uuid.uuid4()),
    }


def ends_well(host: Host, graph: Simulator, call_id: str, body: dict[str, Any], kill: Kill) -> None:
    """The flow tries again, waits, and gets the true outcome; the person was called once at most."""
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
def test_killed(
    kill: Kill, graph: Simulator, settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at this step, the app still calls the person at most once, and the flow gets the true outcome."""
    port = free_port()
    body = invite_body()
    monkeypatch.setenv("DIE_AT", kill.step)
    with run_host(settings, tmp_path, port=port, script=SCRIPT) as dying:
        call_id = graph.create_call(dying.callback_uri, announce=False, lost=kill.lost)
        as_a_flow(dying, call_id, body)
        assert is_killed(dying), "the process was not killed where it should be"
    with run_host(settings, tmp_path, port=port) as host:
        ends_well(host, graph, call_id, body, kill)


@pytest.mark.parametrize(
    ("step", "may_repeat"),
    [
        pytest.param(*kill, id=at, marks=[] if at in SHORT_FLOW else pytest.mark.prove)
        for at, kill in FLOW_KILLS.items()
    ],
)
def test_killed_while_a_flow_waits(
    step: str,
    graph: Simulator,
    settings: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    may_repeat: bool,
) -> None:
    """Killed between recording, POST and marking, the flow is notified without a poll; twice only with one id."""
    port = free_port()
    monkeypatch.setenv("DIE_AT", step)
    with waiting_flow() as flow:
        local = {**settings, "FLOW_CALLBACK_LOCAL_HOSTS": flow.local_host}
        body = {**invite_body(), "callbackUrl": flow.url}
        with run_host(local, tmp_path, port=port, script=SCRIPT) as dying:
            call_id = graph.create_call(dying.callback_uri, announce=False)
            made = dying.request("POST", f"/calls/{call_id}/participants/invite-and-wait", json=body)
            assert made.status_code == 201
            assert is_killed(dying), "the process was not killed where it should be"
        before = len(flow.posted)
        with run_host(local, tmp_path, port=port) as host:
            posted = flow.posts(2 if may_repeat else 1, seconds=20)
            shown = host.get(f"/calls/{call_id}/invitations/{made.json()['id']}")
    assert len(posted) == (2 if may_repeat else 1), before
    assert len({one.message_id for one in posted}) == 1
    assert posted[-1].body["status"] == "completed"
    assert shown["callback"]["status"] == "delivered"
    assert len([ring for ring in graph.log.rings if ring.call_id == call_id]) == 1


def test_killed_while_graph_has_not_answered_yet(graph: Simulator, settings: dict[str, str], tmp_path: Path) -> None:
    """Graph took the request and the process is killed before the answer: one call, and the report completes it."""
    port = free_port()
    body = invite_body()
    with run_host(settings, tmp_path, port=port) as dying:
        call_id = graph.create_call(dying.callback_uri, announce=False)
        graph.fault(call_id=call_id, delay_after=20)
        thread = threading.Thread(target=as_a_flow, args=(dying, call_id, body))
        thread.start()
        deadline = time.monotonic() + 10
        while not [ring for ring in graph.log.rings if ring.call_id == call_id]:
            assert time.monotonic() < deadline, "the person was not called"
            time.sleep(0.01)
        os.kill(dying.process.pid, signal.SIGKILL)
        assert is_killed(dying)
        thread.join(10)
    with run_host(settings, tmp_path, port=port) as host:
        ends_well(host, graph, call_id, body, Kill("", "completed"))
