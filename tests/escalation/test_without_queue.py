"""With the queue function disabled: what a callback learns, it acts on itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.calls.test_starting import id_of, start, until, user
from tests.end_to_end.conftest import run_host
from tests.escalation.test_escalating import escalate, rings, steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host


@pytest.fixture(scope="module")
def host(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The app on a host whose queue function sleeps."""
    folder: Path = tmp_path_factory.mktemp("host")
    with run_host({**settings, "AzureWebJobs.work.Disabled": "true"}, folder) as running:
        yield running


def outcome(host: Host, graph: Simulator, path: str) -> dict[str, Any]:
    """Wait for the end of an escalation, and read it."""
    body = until(host, path, "status", "completed", seconds=15)
    assert graph.wait_idle(10)
    return body


def test_each_who_declines_leads_to_the_next(host: Host, graph: Simulator) -> None:
    """Three people one after the other, within the callbacks."""
    people = [user(), user(), user()]
    for person in people[:2]:
        graph.person(id_of(person), "declines")
    meeting = graph.meeting()
    call_id = host.outcome(start(host, {"meeting": {"joinWebUrl": meeting.join_web_url}})).json()["callId"]
    accepted = escalate(host, call_id, {"steps": steps(*[[one] for one in people], wait=300)})
    body = outcome(host, graph, f"/calls/{call_id}/escalations/{accepted.json()['id']}")
    assert [step["status"] for step in body["steps"]] == ["failed", "failed", "completed"]
    assert [rings(graph, one) for one in people] == [1, 1, 1]


def test_join_and_call_until_a_person_joins(host: Host, graph: Simulator) -> None:
    """One action: the callback that reports the call as established begins the first step."""
    first, second = user(), user()
    graph.person(id_of(first), "declines")
    meeting = graph.meeting()
    body = {"meeting": {"joinWebUrl": meeting.join_web_url}, "steps": steps([first], [second], wait=300)}
    accepted = start(host, body)
    assert accepted.status_code == 202, accepted.text
    view = outcome(host, graph, f"/starts/{accepted.json()['id']}")
    assert [one["status"] for one in view["participants"]] == ["failed", "completed"]
    escalation = host.get(f"/calls/{view['callId']}/escalations/{view['escalationId']}")
    assert [one["step"] for one in escalation["joined"]] == [2]
    assert (rings(graph, first), rings(graph, second)) == (1, 1)
