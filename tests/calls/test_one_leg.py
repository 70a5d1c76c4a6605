"""One leg per meeting: further starts use the first one's call, or join themselves if that fails."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from domain.start import InCall, Waiting
from tests.calls.fake_graph import THREAD, call_item
from tests.calls.values import ANNA, BEN, BY_ID, CLEO, MEETING_ID, call_of, meeting
from tests.calls.world import World
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.rows import Row

SECOND = {"clientContext": "second"}
THIRD = {"clientContext": "third"}


def test_uses_the_call() -> None:
    """A second start for the same meeting invites into the first one's call; its subject is ignored."""
    world = World()
    first = world.start(meeting(ANNA, subject="First"))
    call = world.the_call()
    world.establish(call)
    second = world.start(meeting(BEN, subject="Second", **SECOND))
    assert (second["callId"], second["status"]) == (call.id, "running")
    assert second["call"]["title"] == "First"
    assert [operation["people"] for operation in world.graph.operations] == [[ANNA], [BEN]]
    assert world.graph.asked.count("create") == 1
    assert first["id"] != second["id"]


def test_waits_for_the_call() -> None:
    """While the first one's create is in doubt a second start waits; both go on with the first callback."""
    world = World()
    world.graph.answers = ["lost after"]
    first = world.start(meeting(ANNA))
    second = world.start(meeting(BEN, **SECOND))
    assert (second["status"], second["callId"]) == ("starting", None)
    world.establish(world.the_call())
    world.pass_time(15)
    assert {world.view(one["id"])["status"] for one in (first, second)} == {"running"}
    assert sorted(operation["people"] for operation in world.graph.operations) == [[ANNA], [BEN]]
    assert world.graph.asked.count("create") == 1


def test_second_leg_reported_first() -> None:
    """A start whose own leg was hung up, reported before Graph's response, still stands for its meeting ID."""
    world = World()
    world.graph.threads[MEETING_ID] = THREAD
    world.start(meeting(ANNA))
    world.establish(world.the_call())
    world.graph.reported_first = world.establish
    world.start({"meeting": BY_ID, **call_of(BEN), **SECOND})
    (later,) = [call for call in world.graph.calls.values() if not call.is_alive]
    world.end(later)
    world.start({"meeting": BY_ID, **call_of(CLEO), **THIRD})
    assert world.graph.asked.count("create") == 2
    assert len(world.live()) == 1


def test_second_leg_ends_before_the_response() -> None:
    """A start whose own leg had ended before Graph's response, and so gave the meeting ID up, takes it again."""
    world = World()
    world.graph.threads[MEETING_ID] = THREAD
    world.start(meeting(ANNA))
    world.establish(world.the_call())
    world.graph.reported_first = lambda call: world.establish(call) and world.end(call)
    second = world.start({"meeting": BY_ID, **call_of(BEN), **SECOND})
    world.graph.reported_first = None
    third = world.start({"meeting": BY_ID, **call_of(CLEO), **THIRD})
    assert world.graph.asked.count("create") == 2
    assert {world.view(one["id"])["callId"] for one in (second, third)} == {world.the_call().id}
    world.end(world.the_call())
    world.start({"meeting": BY_ID, **call_of(ANNA), "clientContext": "fourth"})
    world.pass_time(15)
    assert len(world.live()) == 1, "the meeting ID can be used again"


def test_third_start_while_the_thread_is_unknown() -> None:
    """A start uses no call that may turn out to be a second leg: it waits, and then uses the first as well."""
    world = World()
    world.graph.threads[MEETING_ID] = THREAD
    first = world.start(meeting(ANNA))
    world.establish(world.the_call())
    world.graph.answers = ["lost after"]
    starts = [world.start({"meeting": BY_ID, **call_of(BEN), **SECOND})]
    for call in world.live():
        world.establish(call)
    starts.append(world.start({"meeting": BY_ID, **call_of(CLEO), **THIRD}))
    world.pass_time(45)
    assert [call.id for call in world.live()] == [first["callId"]]
    assert {world.view(one["id"])["callId"] for one in starts} == {first["callId"]}
    assert len(world.graph.operations) == 3


def test_first_leg_can_not_be_left() -> None:
    """A stopped start's call that Graph keeps for a while is no leg to wait for: one call is made in its place."""
    world = World()
    world.graph.threads[MEETING_ID] = THREAD
    first = world.start(meeting(ANNA))
    world.graph.other_answers = ["throttled"] * 3
    world.stop(first["id"])
    stopped = world.the_call()
    second = world.start({"meeting": BY_ID, **call_of(BEN), **SECOND})
    world.pass_time(60)
    assert world.graph.asked.count("create") == 2
    assert not stopped.is_alive
    assert world.view(second["id"])["callId"] == world.the_call().id


def test_waiting_costs_little() -> None:
    """A start that waits looks again every ten seconds, not all the time."""
    world = World()
    world.graph.answers = ["lost before"]
    world.start(meeting(ANNA))
    world.start(meeting(BEN, **SECOND))
    before = len(world.table.asked)
    world.pass_time(100)
    assert len(world.table.asked) - before < 100


def test_leader_never_confirmed() -> None:
    """The first start is given up: of those that wait one joins, and the others use its call."""
    world = World()
    world.graph.answers = ["lost before"]
    first = world.start(meeting(ANNA))
    second = world.start(meeting(BEN, **SECOND), waits=True)
    third = world.start(meeting(CLEO, **THIRD))
    world.pass_time(125)
    assert world.view(first["id"])["status"] == "failed"
    world.establish(world.the_call())
    world.pass_time(25)
    assert {world.view(one["id"])["status"] for one in (second, third)} == {"running"}
    assert sorted(operation["people"] for operation in world.graph.operations) == [[BEN], [CLEO]]
    assert world.graph.asked.count("create") == 2
    for operation in world.graph.operations:
        world.answer(operation)
    assert [body["status"] for _, body in world.flows.posted] == ["completed"]


def test_leader_refused() -> None:
    """The first start is refused while a second one waits: that joins in the same request."""
    world = World()
    second: dict[str, Any] = {}

    def meanwhile(*_: object) -> None:
        world.graph.reported_first = None
        second.update(world.start(meeting(BEN, **SECOND)))

    original = world.graph.create

    def create(body: Any, **more: Any) -> Any:
        if not second:
            meanwhile()
        return original(body, **more)

    world.graph.create = create  # type: ignore[method-assign]
    world.graph.answers = ["refused"]
    assert isinstance(world.start(meeting(ANNA)), ApiError)
    assert world.view(second["id"])["callId"] == world.the_call().id


@pytest.mark.parametrize("step", range(1, 25))
def test_killed_when_taking_over(step: int) -> None:
    """Killed while one that waited takes the leg over, and the first starts again: neither waits for the other."""
    world = World()
    waiting: dict[str, Any] = {}
    original = world.graph.create

    def create(body: Any, **more: Any) -> Any:
        if not waiting:
            waiting.update(world.start(meeting(BEN, **SECOND)))
            world.plan.countdown, world.plan.kind = step, "crash"
        return original(body, **more)

    world.graph.create = create  # type: ignore[method-assign]
    world.graph.answers = ["refused"]
    world.start(meeting(ANNA, clientContext="first"))
    world.start(meeting(ANNA, clientContext="first"))
    world.pass_time(150)
    for call in world.live():
        world.establish(call)
    world.pass_time(60)
    assert len(world.live()) <= 1
    assert [start.id for start in world.starts() if isinstance(start.stage, Waiting)] == []


def test_waiting_start_is_refused() -> None:
    """A start that joins for itself after waiting and is refused has failed, and its flow is notified."""
    world = World()
    world.graph.answers = ["lost before", "refused"]
    world.start(meeting(ANNA))
    second = world.start(meeting(BEN, **SECOND), waits=True)
    world.pass_time(140)
    after = world.view(second["id"])
    assert (after["status"], after["resultInfo"]["subcode"]) == ("failed", 7504)
    assert after["reason"]
    assert [body["reason"] for _, body in world.flows.posted] == [after["reason"]]


def test_leader_stopped() -> None:
    """The first start is stopped before its call is there: the one that waits joins at once."""
    world = World()
    world.graph.answers = ["lost before"]
    first = world.start(meeting(ANNA))
    second = world.start(meeting(BEN, **SECOND))
    world.stop(first["id"])
    assert world.view(second["id"])["callId"] == world.the_call().id
    assert len(world.live()) == 1


def test_leader_stopped_in_the_call() -> None:
    """The first start is stopped in the call: the call stays for the second one."""
    world = World()
    first = world.start(meeting(ANNA))
    call = world.the_call()
    world.establish(call)
    second = world.start(meeting(BEN, **SECOND))
    assert world.stop(first["id"])["status"] == "stopped"
    assert call.is_alive
    third = world.start(meeting(CLEO, **THIRD))
    assert third["callId"] == second["callId"] == call.id


def test_killed_while_the_leader_is_stopped() -> None:
    """A third start uses the call that a second one keeps, wherever the stop of the first was cut short."""
    for step in range(1, 30):
        world = World()
        first = world.start(meeting(ANNA))
        world.start(meeting(BEN, **SECOND))
        world.plan.countdown = step
        was_stopped = world.stop(first["id"]) is not None
        world.clock.sleep(1)
        world.start(meeting(CLEO, **THIRD))
        world.pass_time(60)
        (call,) = world.live()
        assert [start.call_id for start in world.starts()] == [call.id] * 3, step
        if was_stopped:
            break


def test_killed_before_people_are_cancelled() -> None:
    """Wherever a stop was cut short: who rings is cancelled, though another start keeps the call."""
    for step in range(1, 30):
        world = World()
        first = world.start(meeting(ANNA))
        call = world.the_call()
        world.establish(call)
        world.start(meeting(BEN, **SECOND))
        world.plan.countdown = step
        if world.stop(first["id"]) is not None:
            break
        world.pass_time(20)  # a message that was killed would come back after ten minutes
        is_stopped = world.view(first["id"])["status"] == "stopped"
        assert sorted(call.ringing) == ([BEN] if is_stopped else [ANNA, BEN]), step


@pytest.mark.parametrize("lists_ringing", [True, False])
def test_all_stopped(*, lists_ringing: bool) -> None:
    """The call stays while a second start needs it, and is left when that is stopped too, though people ring."""
    world = World()
    world.graph.lists_ringing = lists_ringing
    first = world.start(meeting(ANNA))
    call = world.the_call()
    world.establish(call)
    second, third = (world.start(meeting(person, clientContext=person)) for person in (BEN, CLEO))
    world.stop(third["id"])
    world.stop(first["id"])
    assert call.is_alive
    world.stop(second["id"])
    assert not call.is_alive


def test_second_stopped() -> None:
    """A start that is stopped leaves no call that another start has made, also one that is final."""
    world = World()
    world.start(meeting())
    call = world.the_call()
    world.establish(call)
    second = world.start(meeting(BEN, **SECOND))
    assert world.stop(second["id"])["status"] == "stopped"
    world.pass_time(60)
    assert call.is_alive


def test_after_the_call() -> None:
    """When the call has ended the meeting is joined anew."""
    world = World()
    first = world.start(meeting())
    call = world.the_call()
    world.establish(call)
    world.end(call)
    second = world.start(meeting(**SECOND))
    assert second["callId"] not in (None, first["callId"])


def test_call_ends_under_those_that_wait() -> None:
    """A call that ends before it is established: those that waited for it join themselves."""
    world = World()
    world.graph.answers = ["lost after"]
    world.start(meeting(ANNA))
    call = world.the_call()
    second = world.start(meeting(BEN, **SECOND))
    world.end(call, code=500, subcode=9999)
    world.pass_time(30)
    assert world.view(second["id"])["callId"] == world.the_call().id


@pytest.mark.parametrize("by_link_first", [True, False])
def test_id_and_link_are_the_same_meeting(*, by_link_first: bool) -> None:
    """The thread in Graph's response makes them meet: the later leg is hung up, and its start uses the first."""
    world = World()
    world.graph.threads[MEETING_ID] = THREAD
    bodies = [meeting(ANNA), {"meeting": BY_ID, **call_of(BEN), **SECOND}]
    one, other = bodies if by_link_first else reversed(bodies)
    first = world.start(one)
    call = world.the_call()
    world.establish(call)
    second = world.start(other)
    assert second["callId"] == first["callId"] == call.id
    assert world.live() == [call]
    assert len(world.graph.operations) == 2
    third = world.start({"meeting": BY_ID, **call_of(CLEO), **THIRD})
    assert third["callId"] == call.id
    assert [one.id for one in world.live()] == [call.id]


def test_two_ids_of_one_meeting_at_once() -> None:
    """Two legs turn out to be in one meeting before either is established."""
    world = World()
    world.graph.threads[MEETING_ID] = THREAD
    first = world.start(meeting(ANNA))
    second = world.start({"meeting": BY_ID, **call_of(BEN), **SECOND})
    assert [call.id for call in world.live()] == [first["callId"]]
    world.establish(world.the_call())
    world.pass_time(15)
    assert world.view(second["id"])["callId"] == first["callId"]
    assert len(world.graph.operations) == 2


def test_twenty_at_once() -> None:
    """Twenty duplicates at once create one call; twenty starts of one meeting as well."""
    world = World()
    views: list[Any] = []

    def ask(context: str) -> None:
        views.append(world.start(meeting(ANNA, clientContext=context)))

    threads = [threading.Thread(target=ask, args=("same" if number % 2 else f"own {number}",)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [view for view in views if isinstance(view, Exception)]
    assert len(views) == 20
    assert world.graph.asked.count("create") == 1
    assert len({view["id"] for view in views}) == 11
    world.establish(world.the_call())
    world.pass_time(30)
    assert all(isinstance(start.stage, InCall) for start in world.starts())
    assert len(world.graph.operations) == 11


def test_stage_of_one_that_waits() -> None:
    """The row names the start that is waited for."""
    world = World()
    world.graph.answers = ["lost before"]
    first = world.start(meeting())
    second = world.start(meeting(**SECOND))
    stages = {start.id: start.stage for start in world.starts()}
    assert stages[second["id"]] == Waiting(first["id"])


def test_killed_before_the_call_names_it() -> None:
    """A start that was killed while it took the call over is noted by its alarm, and calls its people once."""
    for lines in range(1, 12):
        world = World()
        world.start(meeting(ANNA))
        call = world.the_call()
        world.establish(call)
        world.plan.countdown = lines
        world.start(meeting(BEN, **SECOND))
        world.pass_time(130)
        second = world.start(meeting(BEN, **SECOND))
        world.pass_time(15)
        assert [operation["people"] for operation in world.graph.operations].count([BEN]) == 1, lines
        stored = world.stored_call(call.id)
        assert stored is not None
        assert second["id"] in stored.starts, lines


def test_thread_in_the_callback() -> None:
    """Where Graph's response is lost, its first callback names the thread: the later leg is hung up at once."""
    world = World()
    first = world.start(meeting(ANNA))
    world.establish(world.the_call())
    world.graph.answers = ["lost after"]
    second = world.start({"meeting": BY_ID, **call_of(BEN), **SECOND})
    later = next(call for call in world.live() if call.id != first["callId"])
    item = call_item(later.id, "establishing")
    item["resourceData"]["chatInfo"] = {"threadId": THREAD, "messageId": "0"}
    world.report(later.id, item)
    assert [call.id for call in world.live()] == [first["callId"]]
    world.pass_time(12)
    assert world.view(second["id"])["callId"] == first["callId"]
    assert len(world.graph.operations) == 2


def test_who_waits_goes_on_with_the_call() -> None:
    """A start that waits for a call whose response was lost calls its people in the callback that establishes it."""
    world = World()
    world.graph.answers = ["lost after"]
    world.start(meeting(ANNA))
    second = world.start(meeting(BEN, **SECOND))
    assert second["callId"] is None
    call = world.the_call()
    world.establish(call)
    assert [one["people"] for one in world.graph.operations] == [[ANNA], [BEN]]
    assert world.view(second["id"])["callId"] == call.id


@pytest.mark.parametrize("ends", ["repeated", "never begun", "stopped"])
def test_killed_before_it_is_in_the_call(ends: str) -> None:
    """Killed when it takes the call of another start: the app stays while it is open, and leaves afterwards."""
    kills = 0
    for step in range(1, 14):
        world = World()
        world.start(meeting(ANNA, leaveAfterwards=True))
        call = world.the_call()
        world.establish(call)
        second = meeting(BEN, clientContext="second", leaveAfterwards=True)
        world.plan.countdown = step
        if world.start(second) is not None:
            break
        world.clock.sleep(1)
        world.answer(world.graph.operations[0])
        found = [one.id for one in world.starts() if one.client_context == "second"]
        if world.live() != [call]:  # it had not come so far, and joins the meeting itself
            assert all(world.view(name)["callId"] is None for name in found), step
            continue
        kills += 1
        if ends == "repeated":
            world.start(second)
        elif ends == "stopped":
            world.stop(found[0])
        world.pass_time(130)
        if [operation for operation in world.graph.operations if operation["people"] == [BEN]]:
            world.answer(world.graph.operations[-1])
        world.pass_time(700)
        assert world.live() == [], step
        assert world.view(found[0])["status"] in ("completed", "stopped" if ends == "stopped" else "failed"), step
    assert kills


def test_killed_as_one_that_waits_takes_the_call() -> None:
    """A start that waited under the meeting's other name, and is stopped after that, keeps no call from being left."""
    for step in range(1, 40):
        world = World()
        world.graph.threads[MEETING_ID] = THREAD
        world.start(meeting(ANNA, leaveAfterwards=True))
        call = world.the_call()
        world.establish(call)
        by_id = {"meeting": BY_ID, **call_of(BEN, leaveAfterwards=True, **SECOND)}
        world.plan.countdown = step
        if world.start(by_id) is not None:
            break
        for other in world.live():
            if other is not call:
                world.establish(other)
        world.answer(world.graph.operations[0], "failed")
        for start in [one.id for one in world.starts() if one.client_context == SECOND["clientContext"]]:
            world.stop(start)
        world.pass_time(1_300)  # who may have been called is given up in the end
        assert world.live() == [], step


def test_left_as_another_start_takes_it() -> None:
    """A call that is left between a further start's reading and its writing: that start joins the meeting itself."""
    for step in range(1, 20):
        world = World()
        world.start(meeting(ANNA, leaveAfterwards=True))
        call = world.the_call()
        world.establish(call)
        write, steps = world.memory.write, 0

        def raced(group: Sequence[Row], write: Any = write, world: World = world, step: int = step) -> list[str]:
            nonlocal steps
            steps += 1
            if steps == step:
                world.answer(world.graph.operations[0])
            return write(group)  # type: ignore[no-any-return]

        world.memory.write = raced  # type: ignore[method-assign]
        view = world.start(meeting(BEN, clientContext="second"))
        world.pass_time(30)
        if steps < step:
            break
        (live,) = world.live()
        world.establish(live)
        world.pass_time(30)
        world.answer(world.graph.operations[-1])
        assert world.view(view["id"])["status"] == "completed", step
