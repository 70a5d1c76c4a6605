"""What follows once a call is established, or does not become so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.calls.fake_graph import call_item, entry
from tests.calls.values import ANNA, BEN, BY_ID, CLEO, FLOW_HEADERS, call_of, meeting
from tests.calls.world import World


def test_invited_once_established() -> None:
    """People are called at once by the request that reports it, one Graph request each, whatever is repeated."""
    world = World()
    view = world.start(meeting(ANNA, BEN))
    assert view["status"] == "starting"
    assert [person["status"] for person in view["participants"]] == ["notStarted", "notStarted"]
    call = world.the_call()
    world.establish(call)
    world.establish(call)
    world.pass_time(30)
    assert [operation["people"] for operation in world.graph.operations] == [[ANNA], [BEN]]
    view = world.view(view["id"])
    assert (view["status"], view["invitationId"] is not None) == ("running", True)


def test_together() -> None:
    """With separately false people go together, and are settled with the roster or five seconds later."""
    world = World()
    view = world.start(meeting(ANNA, BEN, separately=False), waits=True)
    call = world.the_call()
    world.establish(call)
    (operation,) = world.graph.operations
    assert operation["people"] == [ANNA, BEN]
    world.answer(operation)
    assert world.view(view["id"])["status"] == "running"
    world.pass_time(6)
    assert world.view(view["id"])["status"] == "completed"
    assert [body["status"] for _, body in world.flows.posted] == ["completed"]
    assert [person["status"] for person in world.view(view["id"])["participants"]] == ["unconfirmed"] * 2


def test_outcome_is_posted_at_once() -> None:
    """The request that learns the outcome POSTs it; with the same body that is polled."""
    world = World()
    view = world.start(meeting(ANNA, BEN), waits=True)
    call = world.the_call()
    world.pass_time(2)
    world.establish(call)
    world.answer(world.graph.operations[0])
    world.answer(world.graph.operations[1], "failed")
    ((_, posted),) = world.flows.posted
    assert posted["status"] == "partiallyCompleted"
    assert posted == world.view(view["id"])


def test_already_in_the_call() -> None:
    """Graph's participants are read once before anybody is called; who is in the call is not called."""
    world = World()
    view = world.start(meeting(ANNA, BEN))
    call = world.the_call()
    call.present = {ANNA: "p-anna"}
    world.establish(call)
    assert [operation["people"] for operation in world.graph.operations] == [[BEN]]
    assert world.graph.asked.count("roster") == 1
    anna, ben = world.view(view["id"])["participants"]
    assert (anna["status"], anna["presence"]) == ("completed", "inCall")
    assert "not called" in anna["reason"]
    assert ben["status"] == "running"
    world.answer(world.graph.operations[0])
    after = world.view(view["id"])
    assert (after["status"], after["joinedCount"]) == ("completed", 1)


def test_everybody_is_there() -> None:
    """Without anybody to call the start completes without an invitation."""
    world = World()
    view = world.start(meeting(ANNA))
    call = world.the_call()
    call.present = {ANNA: "p-anna"}
    world.establish(call)
    after = world.view(view["id"])
    assert (after["status"], after["invitationId"], world.graph.operations) == ("completed", None, [])


def test_lobby_is_called() -> None:
    """Who waits in the lobby is called."""
    world = World()
    world.start(meeting(ANNA))
    call = world.the_call()
    lobby = entry(ANNA, "p-anna", lobby=True)
    world.report(
        call.id,
        {
            "changeType": "updated",
            "resourceUrl": f"/communications/calls/{call.id}/participants",
            "resourceData": [lobby],
        },
    )
    world.graph.other_answers = ["unavailable"]  # the read fails, which changes nothing
    world.establish(call)
    assert [operation["people"] for operation in world.graph.operations] == [[ANNA]]


def test_nobody_to_invite() -> None:
    """A start without people completes when the app is in the meeting."""
    world = World()
    view = world.start(meeting(), waits=True)
    world.pass_time(2)
    world.establish(world.the_call())
    after = world.view(view["id"])
    assert (after["status"], after["reason"], after["participants"]) == ("completed", None, [])
    assert len(world.flows.posted) == 1


def test_throttled() -> None:
    """Throttled after established, it is tried again for two minutes."""
    world = World()
    view = world.start(meeting(ANNA))
    world.graph.invite_answers = ["throttled"] * 4
    world.establish(world.the_call())
    world.pass_time(60)
    assert len(world.graph.operations) == 1
    assert world.view(view["id"])["status"] == "running"


def test_throttled_in_part() -> None:
    """Of several people those are tried again for whom Graph was too busy."""
    world = World()
    view = world.start(meeting(ANNA, BEN))
    world.graph.invite_answers = ["made", "throttled", "throttled", "throttled", "throttled"]
    world.establish(world.the_call())
    world.pass_time(60)
    assert [operation["people"] for operation in world.graph.operations] == [[ANNA], [BEN]]
    for operation in world.graph.operations:
        world.answer(operation)
    assert world.view(view["id"])["status"] == "completed"


@pytest.mark.parametrize("taken", [0, 1])
def test_throttled_for_too_long(taken: int) -> None:
    """After two minutes the start ends, and who was not called is notStarted."""
    world = World()
    view = world.start(meeting(ANNA, BEN), waits=True)
    world.graph.invite_answers = ["made"] * taken + ["throttled"] * 1_000
    world.establish(world.the_call())
    world.pass_time(200)
    for operation in world.graph.operations:
        world.answer(operation)
    after = world.view(view["id"])
    assert after["status"] == ("partiallyCompleted" if taken else "failed")
    assert after["participants"][1]["status"] == "notStarted"
    assert "busy" in after["participants"][1]["reason"]
    assert len(world.flows.posted) == 1


def test_refused_for_good() -> None:
    """A refusal of the invitation is the outcome of the start."""
    world = World()
    view = world.start(meeting(ANNA))
    world.graph.invite_answers = ["refused"]
    world.establish(world.the_call())
    after = world.view(view["id"])
    assert (after["status"], after["participants"][0]["status"]) == ("failed", "failed")
    assert after["reason"] == after["participants"][0]["reason"]


def test_call_ends_first() -> None:
    """A call that ends before it is established: failed, with the reason of its end code; 200 is not success."""
    world = World()
    view = world.start(meeting(ANNA), waits=True)
    world.pass_time(2)
    world.end(world.the_call(), code=603, subcode=0, message="DiagCode: 603#0.@")
    after = world.view(view["id"])
    assert (after["status"], after["resultInfo"]["code"], after["resultInfo"]["subcode"]) == ("failed", 603, 0)
    assert "declined" in after["reason"].casefold()
    assert after["participants"][0]["status"] == "notStarted"
    assert len(world.flows.posted) == 1


def test_established_is_read() -> None:
    """A report that is lost is made up for by a read at the give-up time, then at each keep-alive."""
    world = World(KEEP_ALIVE_SECONDS="200")
    view = world.start(meeting(ANNA))
    call = world.the_call()
    world.pass_time(119)
    assert "read call" not in world.graph.asked
    world.pass_time(2)
    assert world.graph.asked.count("read call") == 1
    call.state = "established"
    world.pass_time(110)
    assert world.graph.asked.count("read call") == 2
    assert world.view(view["id"])["status"] == "running"
    assert len(world.graph.operations) == 1


def test_not_established_for_ten_minutes() -> None:
    """Ten minutes after the create the call is left, and the reason names the lobby and the policy for bots."""
    world = World()
    view = world.start(meeting(ANNA), waits=True)
    call = world.the_call()
    world.pass_time(590)
    assert world.view(view["id"])["status"] == "starting"
    world.pass_time(15)
    after = world.view(view["id"])
    assert (after["status"], after["resultInfo"]["code"]) == ("failed", 408)
    assert "lobby" in after["reason"]
    assert "policy" in after["reason"]
    assert not call.is_alive
    assert len(world.flows.posted) == 1
    world.report(call.id, call_item(call.id, "terminated", code=200, subcode=7000))
    assert world.view(view["id"])["reason"] == after["reason"]


@pytest.mark.parametrize("is_first_stopped", [False, True])
@pytest.mark.parametrize("later", [0, 100, 500])
def test_several_not_established(later: int, *, is_first_stopped: bool) -> None:
    """Every start of a call that is not established fails ten minutes after the create, and the call is left."""
    world = World()
    views = [world.start(meeting(ANNA), waits=True)]
    call = world.the_call()
    world.pass_time(later)
    views += [world.start(meeting(BEN, clientContext=name), waits=True) for name in ("second", "third")]
    if is_first_stopped:
        world.stop(views[0]["id"])
    world.pass_time(590 - later)
    assert call.is_alive
    assert [world.view(view["id"])["status"] for view in views[1:]] == ["starting"] * 2
    world.pass_time(35)
    after = [world.view(view["id"]) for view in views]
    assert [view["status"] for view in after] == ["stopped" if is_first_stopped else "failed", "failed", "failed"]
    assert all("lobby" in view["reason"] for view in after[1:])
    assert (world.live(), len(world.flows.posted), world.graph.asked.count("hang up")) == ([], 3, 1)


def test_leave_afterwards() -> None:
    """The app leaves when nothing on the leg is open any more; a plain invitation counts, and so does a later start."""
    world = World()
    world.start(meeting(ANNA, leaveAfterwards=True))
    call = world.the_call()
    world.establish(call)
    world.invite(call.id, CLEO, "plain")
    world.answer(world.graph.operations[0])
    world.pass_time(10)
    assert call.is_alive
    second = world.start(meeting(BEN, clientContext="second", leaveAfterwards=True))
    assert second["callId"] == call.id
    world.answer(world.graph.operations[1], "failed")
    world.pass_time(10)
    assert call.is_alive
    world.answer(world.graph.operations[2])
    assert world.live() == []
    assert world.view(second["id"])["status"] == "completed"


@pytest.mark.parametrize("kind", ["crash", "storage"])
def test_cut_short_when_leaving(kind: str) -> None:
    """Where the run that should have left was cut short, no flow waits and Graph is silent, a keep-alive leaves."""
    for step in range(1, 20):
        world = World()
        view = world.start(meeting(ANNA, leaveAfterwards=True))
        call = world.the_call()
        world.establish(call)
        world.plan.countdown, world.plan.kind, world.plan.in_a_row = step, kind, 2
        world.answer(world.graph.operations[0])
        if not world.plan.faults:
            break
        world.pass_time(1_300)
        assert (world.live(), world.view(view["id"])["status"]) == ([], "completed"), step
        assert world.listed() == [], step


def test_two_leave_at_once() -> None:
    """Two runs hang up at once: Graph's 404 to the second is no failure, and nothing is tried again."""
    world = World()
    view = world.start(meeting(ANNA, leaveAfterwards=True))
    call = world.the_call()
    world.establish(call)
    hang_up = world.graph.hang_up

    def twice(call_id: str, **named: Any) -> None:
        world.graph.hang_up = hang_up  # type: ignore[method-assign]
        world.parts.hooks.nothing_left(world.turn(), call_id)
        hang_up(call_id, **named)

    world.graph.hang_up = twice  # type: ignore[method-assign]
    assert world.answer(world.graph.operations[0])
    assert world.graph.asked.count("hang up") == 2
    assert world.view(view["id"])["status"] == "completed"
    world.pass_time(1_300)
    assert (world.graph.asked.count("hang up"), world.listed()) == (2, [])


def test_latest_start_decides_about_leaving() -> None:
    """A later start that does not ask for it keeps the app in the call."""
    world = World()
    world.start(meeting(ANNA, leaveAfterwards=True))
    call = world.the_call()
    world.establish(call)
    world.start(meeting(BEN, clientContext="second"))
    for operation in world.graph.operations:
        world.answer(operation)
    world.pass_time(30)
    assert call.is_alive


def test_failed_start_of_a_loop() -> None:
    """A flow's action that runs again starts anew after a failure, and gets the same start otherwise."""
    world = World()
    first = world.start(call_of(ANNA), headers=FLOW_HEADERS)
    world.end(world.the_call(), code=603, subcode=0)
    second = world.start(call_of(ANNA), headers=FLOW_HEADERS)
    assert second["id"] != first["id"]
    world.establish(world.the_call())
    assert world.start(call_of(ANNA), headers=FLOW_HEADERS)["id"] == second["id"]


def test_thread_of_a_lost_response() -> None:
    """Joined by ID with a lost response: the thread is read, and what follows waits for that."""
    world = World()
    world.graph.answers = ["lost after"]
    view = world.start({"meeting": BY_ID, **call_of(ANNA)})
    world.establish(world.the_call())
    assert world.graph.operations == []
    world.pass_time(25)
    assert len(world.graph.operations) == 1
    assert world.view(view["id"])["status"] == "running"


@pytest.mark.parametrize("lines", range(1, 30))
def test_no_time_then_killed(lines: int) -> None:
    """A request that had no time to call people is killed; whichever message takes them over calls them once."""
    world = World()
    view = world.start(meeting(ANNA))
    call = world.the_call()
    roster = world.graph.roster

    def slow(*arguments: Any, **named: Any) -> Any:
        world.clock.sleep(3)
        return roster(*arguments, **named)

    world.graph.roster = slow  # type: ignore[method-assign]
    world.plan.countdown = lines
    world.establish(call)
    world.graph.roster = roster  # type: ignore[method-assign]
    for waiting in world.queue.waiting:
        if waiting.message["kind"] == "invitation":  # the start's own alarm finds them first
            waiting.due += timedelta(seconds=200)
    world.pass_time(400)
    # Who was asked for when the process was killed may have been called.
    assert [operation["people"] for operation in world.graph.operations] in ([], [[ANNA]])
    assert world.view(view["id"])["status"] == "running" if world.graph.operations else lines > 2


def killed_while_it_calls(step: int) -> tuple[World, str, bool]:
    """A start whose established call is reported, and whose process is killed at a step; whether it was."""
    world = World()
    view = world.start(meeting(ANNA), waits=True)
    world.pass_time(2)
    world.plan.countdown = step
    was_killed = not world.establish(world.the_call())
    world.pass_time(1)
    return world, view["id"], was_killed


def test_killed_and_everybody_came() -> None:
    """Killed anywhere once people were called, the start ends with them, though by then nobody is left to call."""
    kills = 0
    for step in range(1, 20):
        world, start_id, was_killed = killed_while_it_calls(step)
        call, called = world.the_call(), [operation["people"] for operation in world.graph.operations]
        if called != [[ANNA]]:
            continue
        call.present[ANNA] = call.ringing.pop(ANNA)
        world.roster(call)  # before the operation's report, which would show the person as well
        world.answer(world.graph.operations[0])
        assert world.view(start_id)["status"] == "completed", step
        assert [body["status"] for _, body in world.flows.posted] == ["completed"], step
        assert len(world.graph.operations) == len(called), step
        kills += was_killed
    assert kills


def test_killed_twice_and_the_call_ended() -> None:
    """Killed once people were called, and again when they came: the call's end makes nothing of that a failure."""
    ends = set()
    for step in range(1, 20):
        for later in range(1, 10):
            world, start_id, was_killed = killed_while_it_calls(step)
            call = world.the_call()
            if not (was_killed and world.graph.operations):
                break
            world.plan.countdown = later
            if world.answer(world.graph.operations[0]):
                break
            world.pass_time(1)
            world.end(call)
            after = world.view(start_id)
            (anna,) = after["participants"]
            assert after["status"] == anna["status"], (step, later)
            world.pass_time(200)  # the killed run may have claimed the POST
            assert {body["status"] for _, body in world.flows.posted} == {after["status"]}, (step, later)
            ends.add(after["status"])
    assert ends == {"completed", "failed"}


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_killed_before_the_outcome_is_written(status: str) -> None:
    """What a poll returned once stays as it is: its result is written later, and a stop changes nothing."""
    polled = 0
    for step in range(1, 12):
        world = World()
        view = world.start(meeting(ANNA), waits=True)
        world.establish(world.the_call())
        world.pass_time(2)
        world.plan.countdown = step
        world.answer(world.graph.operations[0], status)
        before = world.view(view["id"])
        if before["status"] != status:
            continue
        after = world.stop(view["id"])
        assert after | {"lastUpdatedDateTime": None} == before | {"lastUpdatedDateTime": None}, step
        assert world.the_call().is_alive, step
        world.pass_time(200)
        assert {body["status"] for _, body in world.flows.posted} == {status}, step
        polled += world.starts()[0].updated > world.clock.now() - timedelta(seconds=201)
    assert polled


def test_stopped_after_ninety_seconds() -> None:
    """A group call's people are unconfirmed by time alone: a stop that comes before the alarm is too late as well."""
    world = World()
    view = world.start(call_of(ANNA, BEN))
    call = world.the_call()
    world.establish(call)
    world.clock.sleep(95)
    assert world.view(view["id"])["status"] == "completed"
    assert world.stop(view["id"])["status"] == "completed"
    assert call.is_alive
