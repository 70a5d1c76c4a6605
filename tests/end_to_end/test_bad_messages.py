"""Messages on the queue that mean nothing, and URLs at which no flow listens, through the real host."""

from __future__ import annotations

import base64
import json
import socket
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.storage.queue import QueueClient

from tests.end_to_end.conftest import run_host
from tests.end_to_end.test_at_once import report, subscribe
from tests.end_to_end.waiting_flow import WaitingFlow, waiting_flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host

INVITATION = "A" * 26


def alarm(**more: Any) -> dict[str, Any]:
    """Return a message about an invitation that does not exist, sent long ago."""
    ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    names = {"v": 1, "kind": "invitation", "callId": str(uuid.uuid4()), "id": INVITATION, "alarm": "a"}
    return {**names, "time": ago, "sent": ago, **more}


def in_base64(content: str | bytes) -> str:
    """Return what is stored of a message with this content."""
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


UNREADABLE = [
    "no base64!",
    in_base64(b"\xff\xfe"),
    *map(in_base64, ["", "no json", "[]", "null", "1", '"text"', "{}", '{"kind": 1}', "[" * 20_000]),
]
READABLE: list[dict[str, Any]] = [
    alarm(),
    alarm(v=2, surplus={"a": [1]}),
    alarm(time="tomorrow", sent=None),
    alarm(callId="a/b#c\u0000", id="no id"),
    alarm(callId="x" * 2_000),
    {"callId": "gone", "invitationId": INVITATION, "watch": "w"},
    alarm(kind="later"),
]


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """A host and port that refuse connections."""
    with socket.socket() as bound:  # bound, and not listening
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture(scope="module")
def flow() -> Iterator[WaitingFlow]:
    """The flows that wait."""
    with waiting_flow() as flow:
        yield flow


@pytest.fixture(scope="module")
def app(
    settings: dict[str, str], flow: WaitingFlow, refusing: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    """The app, which may POST to both."""
    own = {**settings, "FLOW_CALLBACK_LOCAL_HOSTS": f"{flow.local_host},{refusing}"}
    with run_host(own, tmp_path_factory.mktemp("host")) as running:
        yield running


def wait_until(condition: Any, seconds: float = 15) -> bool:
    """Return whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return bool(condition())


def test_bad_messages(app: Host, graph: Simulator, flow: WaitingFlow, storage: str) -> None:
    """What can't be read or means nothing is dropped, a newer kind is kept, and the app's own messages are handled."""
    flow.script["repeated"] = [503]
    made = subscribe(app, graph.create_call(app.callback_uri), flow.url_of("repeated")).json()
    with (
        QueueClient.from_connection_string(storage, "work") as work,
        QueueClient.from_connection_string(storage, "work-poison") as poison,
    ):
        for text in [*UNREADABLE, *(in_base64(json.dumps(one)) for one in READABLE)]:
            work.send_message(text)
        # The repeated POST is due by a message, which comes behind all of these.
        assert len(flow.posts(2, name="repeated")) == 2
        assert wait_until(lambda: not work.peek_messages(32))
        kept = work.get_queue_properties().approximate_message_count or 0
        dropped = poison.peek_messages(32)
    assert [one.content for one in dropped] == ["no base64!"]
    assert kept >= 1, "the message of a newer kind is gone"
    log = "".join(app.lines)
    assert "a message of an unknown kind is kept for a newer release" in log
    assert "later" in log
    assert "Traceback" not in log
    assert app.get(f"/calls/{made['callId']}/invitations/{made['id']}")["callback"]["status"] == "delivered"


def test_alarm_that_comes_again(app: Host, graph: Simulator, flow: WaitingFlow, storage: str) -> None:
    """Copies of an invitation's message, late and before the outcome, call no person and notify no flow again."""
    call_id = graph.create_call(app.callback_uri, lost="all")
    made = subscribe(app, call_id, flow.url_of("copies")).json()
    time.sleep(1.1)
    copies = [alarm(callId=call_id, id=made["id"]), alarm(callId=call_id, id=made["id"], alarm="")]
    with QueueClient.from_connection_string(storage, "work") as work:
        for one in copies * 3:
            work.send_message(in_base64(json.dumps(one)))
        assert wait_until(lambda: not work.peek_messages(32))
        report(graph, made)
        for one in copies * 3:
            work.send_message(in_base64(json.dumps(one)))
        assert wait_until(lambda: not work.peek_messages(32))
    assert len(flow.posts(2, name="copies", seconds=1)) == 1
    assert len([ring for ring in graph.log.rings if ring.call_id == call_id]) == 1


def test_refused_connection(app: Host, graph: Simulator, refusing: str) -> None:
    """A flow's host that refuses connections holds no callback, and its POST is repeated later."""
    made = subscribe(app, graph.create_call(app.callback_uri, lost="all"), f"http://{refusing}/x").json()
    time.sleep(1.1)
    assert report(graph, made) < 1
    shown = app.get(f"/calls/{made['callId']}/invitations/{made['id']}")["callback"]
    assert (shown["status"], shown["attempts"], shown["lastStatusCode"]) == ("due", 1, None)
