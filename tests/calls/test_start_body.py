"""A start's body, and the answer to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.calls.fake_graph import THREAD
from tests.calls.values import ANNA, BEN, BY_ID, LINK, call_of, meeting
from tests.calls.world import FLOW, World, user
from web.answers import Answer
from web.errors import ApiError, BadRequest


def faults(body: Any, *, waits: bool = False) -> list[str]:
    """Return the paths of all faults of a body."""
    world = World()
    error = world.request("start_and_wait" if waits else "start", body)
    assert isinstance(error, BadRequest), error
    assert world.starts() == []
    assert THREAD not in json.dumps(error.body())
    return sorted(str(fault.target) for fault in error.details)


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, ["meeting"]),
        ({"participants": []}, ["meeting"]),
        ({"meeting": None, "participants": None}, ["meeting"]),
        ({"participants": [{"identity": {"phone": {"id": "+12065550100"}}}]}, ["meeting"]),
        (call_of(*(f"00000000-0000-4000-8000-00000000001{number}" for number in range(6))), ["meeting"]),
        (call_of(ANNA, leaveAfterwards=True), ["leaveAfterwards"]),
        ({"meeting": LINK, "leaveAfterwards": True}, ["leaveAfterwards"]),
        (call_of(ANNA, stopWhen="anyoneJoins", repeat=1), ["repeat", "stopWhen"]),
        ({"meeting": LINK, "subject": "x" * 251}, ["subject"]),
        ({"meeting": LINK, "subject": "a\nb"}, ["subject"]),
        (
            {"participants": [{**user(ANNA), "replacesCallId": "call"}, {**user(BEN), "participantId": "p"}]},
            ["participants[0].replacesCallId", "participants[1].participantId"],
        ),
    ],
)
def test_faults(body: Any, paths: list[str]) -> None:
    """Each fault with its path."""
    assert faults(body) == paths


def test_all_faults_at_once() -> None:
    """Faults of the form, of the meeting, of the flow's URL and across properties come together."""
    body = {
        "meeting": {"joinWebUrl": "https://example.com/meeting", "more": 1},
        "participants": [{"identity": {"user": {"id": "no guid"}}}, user(ANNA), user(ANNA)],
        "separately": "yes",
        "leaveAfterwards": True,
        "clientContext": "x" * 300,
        "callbackUrl": "https://example.com/flow",
        "unknown": True,
    }
    assert faults(body, waits=True) == [
        "callbackUrl",
        "clientContext",
        "meeting.joinWebUrl",
        "meeting.more",
        "participants[0].identity.user.id",
        "participants[2].identity.user.id",
        "separately",
        "unknown",
    ]


@pytest.mark.parametrize("body", [[], "text", 5, None])
def test_no_object(body: Any) -> None:
    """A body that is no object is 400."""
    error = World().request("start", body)
    assert isinstance(error, ApiError)
    assert error.status == 400


def test_empty_counts_as_absent() -> None:
    """Empty strings and nulls in optional properties count as absent."""
    view = World().start(
        {"meeting": {**LINK, "joinMeetingId": "", "passcode": None}, "subject": "", "participants": None}
    )
    assert view["status"] == "starting"


def test_bodies_to_graph() -> None:
    """A meeting by coordinates, by ID and passcode; one user; several users."""
    world = World()
    world.start(meeting())
    world.start({"meeting": {"joinMeetingId": "271 813 000 000"}})
    world.start(call_of(ANNA, subject="Title"))
    world.start(call_of(ANNA, BEN))
    link, number, one, several = world.graph.bodies
    assert link["chatInfo"]["threadId"] == THREAD
    assert link["meetingInfo"]["allowConversationWithoutHost"] is True
    assert (number["meetingInfo"]["joinMeetingId"], number["meetingInfo"]["passcode"]) == ("271813000000", None)
    assert [entry["identity"]["user"]["id"] for entry in one["targets"]] == [ANNA]
    assert one["subject"] == "Title"
    assert len(several["targets"]) == 2
    for body in world.graph.bodies:
        assert body["tenantId"] == world.settings.tenant_id
        assert body["requestedModalities"] == ["audio"]
        assert set(body["mediaConfig"]) == {"@odata.type"}


def test_answer() -> None:
    """All properties of a start, in any case; secrets of the meeting in none of them."""
    view = World().start({"meeting": BY_ID, **call_of(ANNA), "clientContext": "own"})
    assert set(view) == {
        "id",
        "callId",
        "clientContext",
        "status",
        "reason",
        "resultInfo",
        "call",
        "participants",
        "joinedCount",
        "invitationId",
        "escalationId",
        "createdDateTime",
        "lastUpdatedDateTime",
    }
    assert (len(view["id"]), view["clientContext"]) == (26, "own")
    assert set(view["participants"][0]) == {"identity", "status", "reason", "presence"}
    assert BY_ID["passcode"] not in json.dumps(view)
    assert BY_ID["joinMeetingId"] not in json.dumps(view)


def test_headers() -> None:
    """202: where to poll, when, and get_start; 201: where the flow says that it no longer waits."""
    world = World()
    answer = world.request("start", meeting())
    assert isinstance(answer, Answer)
    start = (answer.body or {})["id"]
    root = f"https://app.azurewebsites.net/api/starts/{start}"
    root = answer.headers["Operation-Location"] if not answer.headers["Operation-Location"].startswith(root) else root
    assert answer.headers["Location"].startswith(f"{root}/result?token=")
    assert (answer.status, answer.headers["Retry-After"]) == (202, "2")
    answer = world.request("start_and_wait", {**meeting(clientContext="b"), "callbackUrl": FLOW})
    assert isinstance(answer, Answer)
    assert answer.status == 201
    assert "/callback?token=" in answer.headers["Location"]
    assert "Retry-After" not in answer.headers


def test_flow_no_longer_waits() -> None:
    """204, any number of times, and nothing is sent to it; a wrong token is 404."""
    world = World()
    view = world.start(meeting(), waits=True)
    token = world.starts()[0].flows[0].token or ""
    for given, status in ((token, 204), (token, 204), ("wrong", 404), ("", 404), (world.starts()[0].token, 404)):
        answer = world.request("cancel_wait", route={"startId": view["id"]}, query={"token": given})
        assert isinstance(answer, Answer | ApiError)
        assert answer.status == status
    world.establish(world.the_call())
    world.pass_time(60)
    assert world.flows.posted == []


def test_result() -> None:
    """202 until the outcome, then 200; 422 lists the people of a failed start."""
    world = World()
    view = world.start(call_of(ANNA, BEN))
    (start,) = world.starts()

    def poll(token: str = start.token) -> Any:
        return world.request("result", route={"startId": view["id"]}, query={"token": token})

    assert poll().status == 202
    assert poll("wrong").status == 404
    world.end(world.the_call(), code=480, subcode=10037)
    error = poll()
    assert isinstance(error, ApiError)
    assert error.status == 422
    assert [(fault.code, fault.target) for fault in error.details] == [
        ("failed", "participants[0]"),
        ("failed", "participants[1]"),
    ]
    assert error.inner == {"status": "failed", "startId": view["id"], "code": "480", "subcode": "10037"}
    world.pass_time(24 * 3600 + 60)
    assert poll().status == 404


def test_several_flows() -> None:
    """Flows of several runs wait for one start; the sixth gets 409."""
    world = World()
    body = meeting(clientContext="key")
    for number in range(5):
        assert world.start(body, waits=True, headers={"x-ms-workflow-run-id": f"run {number}"})["status"] == "starting"
    error = world.start(body, waits=True, headers={"x-ms-workflow-run-id": "run 5"})
    assert isinstance(error, ApiError)
    assert error.status == 409
    world.pass_time(2)
    world.establish(world.the_call())
    world.pass_time(10)
    assert len(world.flows.taken) == 5
    assert len(world.flows.posted) == 5


def test_subscribed_after_the_end() -> None:
    """A flow that subscribes to a final start is notified a second later."""
    world = World()
    body = meeting(clientContext="key")
    world.start(body)
    world.establish(world.the_call())
    world.pass_time(60)
    assert world.start(body, waits=True)["status"] == "completed"
    assert world.flows.posted == []
    world.pass_time(3)
    assert len(world.flows.posted) == 1


def test_nudge() -> None:
    """A poll sends an alarm again that is a minute overdue."""
    world = World()
    world.graph.answers = ["lost before"]
    view = world.start(meeting())
    world.queue.waiting.clear()
    world.clock.sleep(120 + 50)
    world.view(view["id"])
    assert world.queue.waiting == []
    world.clock.sleep(20)
    world.view(view["id"])
    world.pass_time(1)
    assert world.view(view["id"])["status"] == "failed"
