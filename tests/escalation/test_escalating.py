"""Calling people step by step, from a flow's request to its outcome, through every real part."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.calls.test_starting import id_of, start, until, user

if TYPE_CHECKING:
    import requests

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host


@pytest.fixture
def call_id(host: Host, graph: Simulator) -> str:
    """A meeting that the app is in."""
    meeting = graph.meeting()
    outcome = host.outcome(start(host, {"meeting": {"joinWebUrl": meeting.join_web_url}}))
    found: str = outcome.json()["callId"]
    return found


def escalate(host: Host, call_id: str, body: dict[str, Any], **headers: str) -> requests.Response:
    """Call people step by step, to be polled."""
    return host.request("POST", f"/calls/{call_id}/escalate", json=body, headers=headers)


def steps(*people: list[dict[str, Any]], wait: int = 5) -> list[dict[str, Any]]:
    """Steps of people."""
    return [{"participants": one, "waitSeconds": wait} for one in people]


def rings(graph: Simulator, person: dict[str, Any]) -> int:
    """How often a person was called."""
    return len([ring for ring in graph.log.rings if ring.person == id_of(person)])


def test_the_first_person_joins(host: Host, graph: Simulator, call_id: str) -> None:
    """No other person is called."""
    first, second = user(), user()
    outcome = host.outcome(escalate(host, call_id, {"steps": steps([first], [second])}))
    assert (outcome.status_code, outcome.json()["status"]) == (200, "completed"), outcome.text
    body = outcome.json()
    assert [one["step"] for one in body["joined"]] == [1]
    assert [one["status"] for one in body["steps"]] == ["completed", "skipped"]
    assert rings(graph, second) == 0


def test_the_second_person_joins(host: Host, graph: Simulator, call_id: str) -> None:
    """The first declines, and the second is called at once."""
    first, second, third = user(), user(), user()
    graph.person(id_of(first), "declines")
    began = time.monotonic()
    outcome = host.outcome(escalate(host, call_id, {"steps": steps([first], [second], [third], wait=60)}))
    assert outcome.json()["status"] == "completed", outcome.text
    assert [(one["round"], one["step"]) for one in outcome.json()["joined"]] == [(1, 2)]
    assert time.monotonic() - began < 10
    assert (rings(graph, first), rings(graph, second), rings(graph, third)) == (1, 1, 0)


def test_nobody_joins(host: Host, graph: Simulator, call_id: str) -> None:
    """After the last step the escalation has failed: 422 with each person."""
    people = [user(), user()]
    for person in people:
        graph.person(id_of(person), "declines")
    outcome = host.outcome(escalate(host, call_id, {"steps": steps(*[[one] for one in people])}))
    assert outcome.status_code == 422, outcome.text
    assert [one["code"] for one in outcome.json()["error"]["details"]] == ["failed", "failed"]


def test_a_step_ends_by_its_time(host: Host, graph: Simulator, call_id: str) -> None:
    """Who still rings is cancelled, and the next step begins."""
    silent, second = user(), user()
    graph.person(id_of(silent), "ringsOut", after=6000)
    outcome = host.outcome(escalate(host, call_id, {"steps": steps([silent], [second])}), seconds=30)
    assert outcome.json()["status"] == "completed", outcome.text
    assert [one["step"] for one in outcome.json()["joined"]] == [2]


def test_a_further_round(host: Host, graph: Simulator, call_id: str) -> None:
    """Everybody is called again, until the rounds are over."""
    person = user()
    graph.person(id_of(person), "declines")
    outcome = host.outcome(escalate(host, call_id, {"steps": steps([person]), "repeat": 2}))
    assert outcome.status_code == 422, outcome.text
    assert rings(graph, person) == 3


def test_stopped(host: Host, graph: Simulator, call_id: str) -> None:
    """No further person is called; stopping again changes nothing."""
    silent, second = user(), user()
    graph.person(id_of(silent), "ringsOut", after=6000)
    accepted = escalate(host, call_id, {"steps": steps([silent], [second], wait=60)})
    path = f"/calls/{call_id}/escalations/{accepted.json()['id']}"
    for _ in range(2):
        stopped = host.request("DELETE", path)
        assert (stopped.status_code, stopped.json()["status"]) == (200, "stopped"), stopped.text
    assert host.request("GET", accepted.headers["Location"]).status_code == 200
    assert rings(graph, second) == 0


def test_the_whole_step_joins(host: Host, graph: Simulator, call_id: str) -> None:
    """One of both declines, so the step is lost."""
    first, second, third = user(), user(), user()
    graph.person(id_of(second), "declines")
    body = {"steps": steps([first, second], [third], wait=30), "stopWhen": "wholeStepJoins"}
    outcome = host.outcome(escalate(host, call_id, body))
    assert outcome.json()["status"] == "completed", outcome.text
    assert [one["status"] for one in outcome.json()["steps"]] == ["failed", "completed"]


def test_the_same_key(host: Host, graph: Simulator, call_id: str) -> None:
    """A repeat returns the first one's state and calls no person."""
    person = user()
    body = {"steps": steps([person]), "clientContext": f"incident {id_of(person)}"}
    answers = [escalate(host, call_id, body) for _ in range(3)]
    assert len({answer.json()["id"] for answer in answers}) == 1
    host.outcome(answers[0])
    assert rings(graph, person) == 1


def test_the_call_ends(host: Host, graph: Simulator, call_id: str) -> None:
    """An escalation in a call that ends has failed."""
    silent = user()
    graph.person(id_of(silent), "ringsOut", after=6000)
    accepted = escalate(host, call_id, {"steps": steps([silent], wait=60)})
    until(host, f"/calls/{call_id}/escalations/{accepted.json()['id']}", "status", "running")
    host.request("DELETE", f"/calls/{call_id}")
    outcome = host.outcome(accepted)
    assert outcome.status_code == 422, outcome.text
    assert escalate(host, call_id, {"steps": steps([user()])}).status_code == 404
