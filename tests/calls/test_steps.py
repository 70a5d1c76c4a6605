"""A start with steps: people are called step by step once the call is established."""

from __future__ import annotations

import json
from typing import Any

import pytest

from storage.documents import read_escalation
from storage.rows import document_of
from tests.calls.world import World, link, user
from web.answers import Answer, Request

THREAD = "19:meeting_steps@thread.v2"
ANNA, BEN, CARL = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))


@pytest.fixture
def world() -> World:
    """A world without calls."""
    return World()


def body(*people: list[str], **more: Any) -> dict[str, Any]:
    """A start that calls people step by step."""
    steps = [{"participants": [user(one) for one in step], "waitSeconds": 60} for step in people]
    return {"meeting": {"joinWebUrl": link(THREAD)}, "steps": steps, **more}


def begun(world: World, *people: list[str], waits: bool = False, **more: Any) -> str:
    """Start, establish the call, and return the start's id."""
    view = world.start(body(*people, **more), waits=waits)
    assert isinstance(view, dict), view
    world.establish(world.the_call())
    return str(view["id"])


def called(world: World) -> list[str]:
    """Who was called, in order."""
    return [person for operation in world.graph.operations for person in operation["people"]]


def faults(world: World, given: dict[str, Any]) -> dict[str, str]:
    """The faults of a body: each path with its code."""
    error = world.start(given)
    assert getattr(error, "status", None) == 400, error
    return {fault.target: fault.code for fault in error.details}


def test_nobody_is_called_before_it_is_established(world: World) -> None:
    """Then the first step is begun by the request that learns it."""
    view = world.start(body([ANNA], [BEN]))
    assert (view["status"], view["escalationId"]) == ("starting", None)
    assert [one["status"] for one in view["participants"]] == ["notStarted", "notStarted"]
    assert not called(world)
    world.establish(world.the_call())
    assert called(world) == [ANNA]
    after = world.view(view["id"])
    assert (after["status"], len(after["escalationId"])) == ("running", 26)
    assert after["invitationId"] is None
    assert [one["status"] for one in after["participants"]] == ["running", "notStarted"]


def test_once_whatever_is_reported_again(world: World) -> None:
    """A repeated report and the alarms call no person again."""
    begun(world, [ANNA], [BEN])
    world.establish(world.the_call())
    world.pass_time(20)
    assert called(world) == [ANNA]


@pytest.mark.parametrize(("status", "expected"), [("completed", "completed"), ("failed", "failed")])
def test_its_status_is_the_escalations(world: World, status: str, expected: str) -> None:
    """Also for the flow that waits, and with people who were asked for in two steps once."""
    name = begun(world, [ANNA], [BEN], [ANNA], waits=True)
    world.pass_time(2)
    for _ in range(3):
        if world.view(name)["status"] == "running":
            world.answer(world.graph.operations[-1], "failed" if len(called(world)) == 1 else status)
    view = world.view(name)
    assert view["status"] == expected
    assert [one["identity"]["user"]["id"] for one in view["participants"]] == [ANNA, BEN]
    statuses = [one["status"] for one in view["participants"]]
    assert statuses == (["failed", "completed"] if status == "completed" else ["failed", "failed"])
    assert (view["reason"] is None) == (status == "completed")
    world.pass_time(60)
    assert [posted["status"] for _, posted in world.flows.posted] == [expected]


def test_who_is_there_is_not_called(world: World) -> None:
    """Read once before the first step."""
    view = world.start(body([ANNA], [BEN]))
    call = world.the_call()
    call.present[ANNA] = "participant"
    world.establish(call)
    after = world.view(view["id"])
    assert (after["status"], called(world)) == ("completed", [])
    assert after["participants"][0]["reason"].startswith("Was in the call already")
    assert after["participants"][1]["status"] == "notStarted"


def test_stopped(world: World) -> None:
    """The escalation is stopped, who rings is cancelled, and the call is left."""
    name = begun(world, [ANNA], [BEN])
    view = world.stop(name)
    assert view["status"] == "stopped"
    assert not world.live()
    world.pass_time(200)
    assert called(world) == [ANNA]
    assert world.view(name)["status"] == "stopped"


def test_a_stopped_escalation_stops_its_start(world: World) -> None:
    """Its status is the escalation's; the call stays."""
    name = begun(world, [ANNA], [BEN])
    view = world.view(name)
    request: Any = {"callId": view["callId"], "escalationId": view["escalationId"]}
    answer = world.escalations.stop(Request(route=request, arrived=world.clock.now()))
    assert isinstance(answer, Answer)
    assert world.view(name)["status"] == "stopped"
    assert len(world.live()) == 1


def test_the_call_ends(world: World) -> None:
    """The start has failed, with a reason."""
    name = begun(world, [ANNA], [BEN])
    world.end(world.the_call())
    view = world.view(name)
    assert (view["status"], called(world)) == ("failed", [ANNA])
    assert view["reason"]


def test_the_call_ends_before_it_is_established(world: World) -> None:
    """No person was called."""
    view = world.start(body([ANNA]))
    world.end(world.the_call())
    after = world.view(view["id"])
    assert (after["status"], after["participants"][0]["status"]) == ("failed", "notStarted")
    assert after["participants"][0]["reason"]


def test_leave_afterwards(world: World) -> None:
    """The app leaves when the escalation is over and no device rings any more."""
    begun(world, [ANNA], [BEN], leaveAfterwards=True)
    world.answer(world.graph.operations[0], "failed")
    assert len(world.live()) == 1
    world.answer(world.graph.operations[1])
    world.pass_time(10)
    assert not world.live()


def test_the_same_key(world: World) -> None:
    """With other steps it is a conflict."""
    given = body([ANNA], clientContext="incident")
    first = world.start(given)
    assert world.start(given)["id"] == first["id"]
    for other in (body([BEN]), {**given, "repeat": 1}, {**given, "stopWhen": "wholeStepJoins"}):
        assert world.start({**other, "clientContext": "incident"}).status == 409


def test_faults(world: World) -> None:
    """What steps need, and what needs steps."""
    steps = body([ANNA])["steps"]
    meeting = body([ANNA])["meeting"]
    assert faults(world, {"steps": steps}) == {"meeting": "MeetingNeeded"}
    assert faults(world, {"meeting": meeting, "repeat": 1, "stopWhen": "anyoneJoins"}) == {
        "repeat": "StepsNeeded",
        "stopWhen": "StepsNeeded",
    }
    both = {"meeting": meeting, "steps": steps, "participants": [user(BEN)]}
    assert faults(world, both) == {"participants": "ParticipantsAndSteps"}
    assert faults(world, {"meeting": meeting, "steps": []}) == {"steps": "Empty"}
    twice = {"meeting": meeting, "steps": [{"participants": [user(ANNA), user(ANNA)], "waitSeconds": 4}], "repeat": 6}
    assert faults(world, twice) == {
        "steps[0].participants[1].identity.user.id": "SamePersonTwice",
        "steps[0].waitSeconds": "OutOfRange",
        "repeat": "OutOfRange",
    }


@pytest.mark.parametrize("crash_at", range(1, 25))
def test_a_crash_while_it_begins(world: World, crash_at: int) -> None:
    """The start's alarm goes on, and no person is called twice."""
    view = world.start(body([ANNA], [BEN]))
    world.plan.countdown, world.plan.kind = crash_at, "crash"
    world.establish(world.the_call())
    world.pass_time(400)
    assert sorted(called(world)) in ([ANNA, BEN], [BEN])
    for operation in list(world.graph.operations):
        world.answer(operation, "failed")
    world.pass_time(1500)
    assert world.view(view["id"])["status"] == "failed"
    assert len(called(world)) == len(set(called(world)))


def test_killed_before_the_start_has_its_outcome() -> None:
    """Killed anywhere in the report that ends the escalation, the start has ended by the alarm of the last step."""
    kills = 0
    for step in range(1, 30):
        world = World()
        begun(world, [ANNA], waits=True)
        world.pass_time(2)
        world.plan.countdown = step
        was_killed = not world.answer(world.graph.operations[0], "failed")
        ended = [read_escalation(document_of(row)) for (_, key), row in world.memory.rows.items() if "~esc" in key]
        if not (was_killed and ended[0].is_final):
            continue
        kills += 1
        world.pass_time(90)
        assert world.starts()[0].is_final, step
        world.pass_time(60)  # the alarm of the start repeats a POST that was claimed
        assert {posted["status"] for _, posted in world.flows.posted} == {"failed"}, step
    assert kills


def test_killed_before_the_call_is_left() -> None:
    """Killed anywhere in the last report of another escalation on the leg, it is left by the call's alarm."""
    kills = 0
    for step in range(1, 20):
        world = World()
        begun(world, [ANNA], leaveAfterwards=True)
        call = world.the_call()
        escalate = {"steps": body([BEN])["steps"], "clientContext": "another"}
        request = Request({"callId": call.id}, {}, {}, json.dumps(escalate).encode(), world.clock.now())
        world.escalations.escalate(request)
        anna, ben = world.graph.operations
        world.answer(anna)
        world.pass_time(2)
        call.present[BEN] = call.ringing.pop(BEN)
        world.roster(call)
        assert len(world.live()) == 1
        world.pass_time(2)
        world.plan.countdown = step
        kills += not world.answer(ben)
        world.pass_time(700)
        assert not world.live(), step
    assert kills
