"""What a request learns it acts on itself: everything here runs while the queue function is disabled."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.conftest import run_host
from tests.end_to_end.waiting_flow import WaitingFlow, waiting_flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host

# A flow is not POSTed sooner than a second after its 201.
LISTENS = 1.1


@pytest.fixture(scope="module")
def flow() -> Iterator[WaitingFlow]:
    """The flows that wait."""
    with waiting_flow() as flow:
        yield flow


@pytest.fixture(scope="module")
def app(settings: dict[str, str], flow: WaitingFlow, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The app, whose queue function does not run."""
    own = {
        **settings,
        "AzureWebJobs.work.Disabled": "true",
        "STATE_TABLE": f"t{uuid.uuid4().hex}",
        "FLOW_CALLBACK_LOCAL_HOSTS": flow.local_host,
    }
    with run_host(own, tmp_path_factory.mktemp("host")) as running:
        yield running


def subscribe(app: Host, call_id: str, *urls: str, person: str | None = None) -> requests.Response:
    """Invite a person; a run of a flow waits at each URL. Return the last response."""
    body: dict[str, Any] = {
        "participants": [{"identity": {"user": {"id": person or str(uuid.uuid4())}}}],
        "clientContext": str(uuid.uuid4()),
    }
    made = None
    for number, url in enumerate(urls):
        headers = {"x-ms-workflow-run-id": f"0858400000000000000{number}CU1"}
        path = f"/calls/{call_id}/participants/invite-and-wait"
        made = app.request("POST", path, json={**body, "callbackUrl": url}, headers=headers)
        assert made.status_code == 201
    assert made is not None
    return made


def report(graph: Simulator, invitation: dict[str, Any]) -> float:
    """Report that an invitation's operation has completed; return the seconds until Graph had its response."""
    operation = invitation["operations"][0]
    resource = f"/app/calls/{invitation['callId']}/operations/{operation['id']}"
    data = {"@odata.type": "#microsoft.graph.inviteParticipantsOperation", "status": "completed", **operation}
    item = {"changeType": "deleted", "resourceUrl": resource, "resourceData": {**data, "status": "completed"}}
    started = time.monotonic()
    assert graph.post_notification(invitation["callId"], [item]) == 202
    return time.monotonic() - started


def test_one_flow(app: Host, graph: Simulator, flow: WaitingFlow) -> None:
    """The callback's own request notifies the flow."""
    url = flow.url_of("one")
    made = subscribe(app, graph.create_call(app.callback_uri, lost="all"), url).json()
    time.sleep(LISTENS)
    report(graph, made)
    (posted,) = flow.posts(name="one", seconds=1)
    assert posted.body["status"] == "completed"
    shown = app.get(f"/calls/{made['callId']}/invitations/{made['id']}")
    assert shown["callback"]["status"] == "delivered"


def test_report_before_the_flow_listens(app: Host, graph: Simulator, flow: WaitingFlow) -> None:
    """A report that comes at once waits in its request until the flow listens."""
    made = subscribe(app, graph.create_call(app.callback_uri, lost="all"), flow.url_of("early")).json()
    answered = time.monotonic()
    assert report(graph, made) < 2
    (posted,) = flow.posts(name="early", seconds=1)
    assert posted.at - answered > 0.9


def test_two_flows(app: Host, graph: Simulator, flow: WaitingFlow) -> None:
    """Both runs that wait for one invitation are notified, each with an id of its own."""
    call_id = graph.create_call(app.callback_uri, lost="all")
    made = subscribe(app, call_id, flow.url_of("first"), flow.url_of("second")).json()
    time.sleep(LISTENS)
    report(graph, made)
    (first,), (second,) = (flow.posts(name=name, seconds=1) for name in ("first", "second"))
    assert first.message_id != second.message_id


def test_failure(app: Host, graph: Simulator, flow: WaitingFlow) -> None:
    """A person who declines is a failure that the flow gets."""
    person = str(uuid.uuid4())
    graph.person(person, "declines")
    subscribe(app, graph.create_call(app.callback_uri), flow.url_of("declined"), person=person)
    (posted,) = flow.posts(name="declined", seconds=5)
    assert posted.body["status"] == "failed"
    assert posted.body["reason"]


def test_end_of_the_call(app: Host, graph: Simulator, flow: WaitingFlow) -> None:
    """With the call's end its open invitations have failed, and their flows are notified."""
    call_id = graph.create_call(app.callback_uri, lost="operation", behaviour={"outcome": "ringsOut", "after": 2000})
    subscribe(app, call_id, flow.url_of("ended"))
    time.sleep(LISTENS)
    graph.end_call(call_id)
    (posted,) = flow.posts(name="ended", seconds=5)
    assert posted.body["status"] == "failed"


@pytest.mark.parametrize("kind", ["hangs", "drips"])
def test_flow_that_hangs(app: Host, graph: Simulator, flow: WaitingFlow, kind: str) -> None:
    """A flow that hangs, or sends a byte now and then, holds no callback beyond 3 seconds, and no other flow."""
    call_id = graph.create_call(app.callback_uri, lost="all")
    name = f"beside-{kind}"
    made = subscribe(app, call_id, flow.url_of(f"{kind}-1"), flow.url_of(name), flow.url_of(f"{kind}-2")).json()
    time.sleep(LISTENS)
    started = time.monotonic()
    assert 2 < report(graph, made) < 3
    (posted,) = flow.posts(name=name, seconds=0)
    assert posted.at - started < 1.5


def test_callbacks_beside_one_that_hangs(app: Host, graph: Simulator, flow: WaitingFlow) -> None:
    """While four callbacks wait for flows that hang, others are answered as soon as when alone."""

    def waiting(name: str) -> dict[str, Any]:
        call_id = graph.create_call(app.callback_uri, lost="all")
        made: dict[str, Any] = subscribe(app, call_id, flow.url_of(name)).json()
        return made

    alone, beside = ([waiting(f"quick-{side}-{number}") for number in range(8)] for side in range(2))
    hanging = [waiting(f"hangs-beside-{number}") for number in range(4)]
    time.sleep(LISTENS)
    without = [report(graph, made) for made in alone]
    with ThreadPoolExecutor(4) as pool:
        held = [pool.submit(report, graph, made) for made in hanging]
        time.sleep(0.3)
        with_them = [report(graph, made) for made in beside]
        assert not any(one.done() for one in held), "none hung long enough to prove anything"
    # How much sooner exactly is for the benchmark ``hanging`` to measure.
    assert median(with_them) < 3 * median(without) + 0.05
    assert all(one.result() < 3 for one in held)
