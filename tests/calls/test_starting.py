"""Starting calls, from a flow's request to its outcome, through every real part."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host


def user(identity_id: str | None = None) -> dict[str, Any]:
    """A person who can be called."""
    return {"identity": {"user": {"id": identity_id or str(uuid.uuid4())}}}


def id_of(person: dict[str, Any]) -> str:
    """The id of a user."""
    found: str = person["identity"]["user"]["id"]
    return found


def start(host: Host, body: dict[str, Any], **headers: str) -> requests.Response:
    """Start a call, to be polled."""
    return host.request("POST", "/calls/start", json=body, headers=headers)


def until(host: Host, path: str, name: str, value: Any, seconds: float = 10) -> dict[str, Any]:
    """Read something until one of its properties has a value."""
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = host.get(path)
        if found[name] == value:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_a_meeting_is_joined_by_its_link_and_people_are_called(host: Host, graph: Simulator) -> None:
    """One action: the app joins, three people are called, one declines."""
    meeting = graph.meeting()
    people = [user(), user(), user()]
    graph.person(id_of(people[1]), "declines")
    accepted = start(host, {"meeting": {"joinWebUrl": meeting.join_web_url}, "participants": people})
    assert accepted.status_code == 202, accepted.text
    assert accepted.json()["status"] in ("starting", "running")
    outcome = host.outcome(accepted)
    assert outcome.status_code == 200, outcome.text
    body = outcome.json()
    assert body["status"] == "partiallyCompleted"
    assert [person["status"] for person in body["participants"]] == ["completed", "failed", "completed"]
    assert body["call"]["state"] == "established"
    assert body["callId"] in [call["id"] for call in host.get("/calls")["value"]]
    assert meeting.join_web_url not in outcome.text
    assert host.request("DELETE", f"/calls/{body['callId']}").status_code == 204
    assert host.get(f"/calls/{body['callId']}")["state"] == "terminated"
    assert body["callId"] not in [call["id"] for call in host.get("/calls")["value"]]


def test_a_meeting_is_joined_by_its_id(host: Host, graph: Simulator) -> None:
    """A start without people completes when the app is in the call."""
    meeting = graph.meeting()
    body = {"meeting": {"joinMeetingId": meeting.join_meeting_id, "passcode": meeting.passcode}}
    outcome = host.outcome(start(host, body))
    assert (outcome.status_code, outcome.json()["status"]) == (200, "completed"), outcome.text
    host.request("DELETE", f"/calls/{outcome.json()['callId']}")


def test_a_one_to_one_call(host: Host, graph: Simulator) -> None:
    """Who answers has completed; who declines has failed, with a reason."""
    anna, ben = user(), user()
    graph.person(id_of(ben), "declines")
    outcome = host.outcome(start(host, {"participants": [anna]}))
    assert (outcome.status_code, outcome.json()["status"]) == (200, "completed"), outcome.text
    assert outcome.json()["participants"][0]["status"] == "completed"
    host.request("DELETE", f"/calls/{outcome.json()['callId']}")
    outcome = host.outcome(start(host, {"participants": [ben]}))
    assert outcome.status_code == 422, outcome.text
    assert outcome.json()["error"]["details"][0]["code"] == "failed"


def test_a_group_call(host: Host, graph: Simulator) -> None:
    """Two users become the call's targets; both come."""
    outcome = host.outcome(start(host, {"participants": [user(), user()]}))
    assert (outcome.status_code, outcome.json()["status"]) == (200, "completed"), outcome.text
    host.request("DELETE", f"/calls/{outcome.json()['callId']}")


def test_one_leg_per_meeting(host: Host, graph: Simulator) -> None:
    """A second start for the same meeting uses the first one's call."""
    meeting = graph.meeting()
    link = {"joinWebUrl": meeting.join_web_url}
    first = host.outcome(start(host, {"meeting": link, "participants": [user()]})).json()
    second = host.outcome(start(host, {"meeting": link, "participants": [user()]})).json()
    assert second["callId"] == first["callId"]
    by_id = {"joinMeetingId": meeting.join_meeting_id, "passcode": meeting.passcode}
    third = host.outcome(start(host, {"meeting": by_id, "participants": [user()]})).json()
    assert third["callId"] == first["callId"]
    host.request("DELETE", f"/calls/{first['callId']}")


def test_the_same_key_starts_once(host: Host, graph: Simulator) -> None:
    """A repeat returns the state of the first request."""
    person = user()
    body = {"participants": [person], "clientContext": str(uuid.uuid4())}
    answers = [start(host, body) for _ in range(3)]
    assert len({answer.json()["id"] for answer in answers}) == 1
    mine = [one for one in graph.log.creates if id_of(person) in str(one.body)]
    assert len(mine) == 1
    host.request("DELETE", f"/starts/{answers[0].json()['id']}")


def test_a_lost_response_is_found_by_its_callback(host: Host, graph: Simulator) -> None:
    """Graph took the create and its response was an error: the first callback brings the call."""
    graph.fault(route="create", status=504, taken=True)
    outcome = host.outcome(start(host, {"participants": [user()]}))
    assert (outcome.status_code, outcome.json()["status"]) == (200, "completed"), outcome.text
    host.request("DELETE", f"/calls/{outcome.json()['callId']}")


def test_what_graph_refuses(host: Host, graph: Simulator) -> None:
    """A refusal is the response to the start; the same key may start again."""
    graph.fault(route="create", status=403, code="7504")
    body = {"participants": [user()], "clientContext": str(uuid.uuid4())}
    refused = start(host, body)
    assert refused.status_code == 422, refused.text
    outcome = host.outcome(start(host, body))
    assert (outcome.status_code, outcome.json()["status"]) == (200, "completed"), outcome.text
    host.request("DELETE", f"/calls/{outcome.json()['callId']}")


def test_a_start_is_stopped(host: Host, graph: Simulator) -> None:
    """No further person is called, who rings is cancelled, and the call is left."""
    meeting = graph.meeting()
    silent = user()
    graph.person(id_of(silent), "ringsOut", after=600)
    accepted = start(host, {"meeting": {"joinWebUrl": meeting.join_web_url}, "participants": [silent]})
    path = f"/starts/{accepted.json()['id']}"
    until(host, path, "status", "running")
    stopped = host.request("DELETE", path)
    assert (stopped.status_code, stopped.json()["status"]) == (200, "stopped"), stopped.text
    assert host.request("GET", accepted.headers["Location"]).status_code == 200


def test_leave_afterwards(host: Host, graph: Simulator) -> None:
    """When nothing on the leg is open any more, the app leaves."""
    meeting = graph.meeting()
    body = {"meeting": {"joinWebUrl": meeting.join_web_url}, "participants": [user()], "leaveAfterwards": True}
    outcome = host.outcome(start(host, body)).json()
    assert outcome["status"] == "completed"
    until(host, f"/calls/{outcome['callId']}", "state", "terminated")
