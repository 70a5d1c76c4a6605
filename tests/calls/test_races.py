"""Something else happens between any two steps of the callback that a call is established."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from calls.begun import Begun
from domain.record import CallRecord
from tests.calls.values import ANNA, BEN, call_of, meeting
from tests.calls.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.calls.fake_graph import FakeCall

STEPS = range(1, 13)
BODIES = {
    "people": meeting(ANNA),
    "steps": {**meeting(), "steps": [call_of(ANNA)]},
    "nobody": meeting(),
}


def established(world: World, call: FakeCall, step: int, happens: Callable[[], object]) -> None:
    """Report that a call is established; before this step something else happens."""
    original, left = world.plan.wrap, [step]

    def wrap(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            happens()
        return original(*arguments, **named)

    world.plan.wrap = wrap  # type: ignore[method-assign]
    world.establish(call)
    world.plan.wrap = original  # type: ignore[method-assign]
    if left[0] > 0:
        happens()  # it has fewer steps


@pytest.fixture(params=sorted(BODIES))
def started(request: pytest.FixtureRequest) -> tuple[World, str, FakeCall]:
    """A world in which a call is about to be established."""
    world = World()
    name = world.start(BODIES[request.param])["id"]
    return world, name, world.the_call()


@pytest.mark.parametrize("step", STEPS)
def test_reported_again(started: tuple[World, str, FakeCall], step: int) -> None:
    """Each person is called once, and the start gets its outcome."""
    world, name, call = started
    established(world, call, step, lambda: world.establish(call))
    for operation in list(world.graph.operations):
        world.answer(operation)
    assert [one["people"] for one in world.graph.operations] == [[ANNA]] * bool(world.view(name)["participants"])
    assert world.view(name)["status"] == "completed"
    assert world.listed() == [call.id]


@pytest.mark.parametrize("step", STEPS)
def test_stopped(started: tuple[World, str, FakeCall], step: int) -> None:
    """No further person is called, no device goes on ringing, and the call is left, unless the start was over."""
    world, name, call = started
    established(world, call, step, lambda: world.stop(name))
    world.pass_time(20)
    status = world.view(name)["status"]
    assert status == "stopped" or (status == "completed" and not world.graph.operations)
    assert call.is_alive == (status == "completed")
    assert not call.ringing


@pytest.mark.parametrize("step", STEPS)
def test_ended(started: tuple[World, str, FakeCall], step: int) -> None:
    """The start is over in the same request, or soon by its alarm, and its call is no longer listed."""
    world, name, call = started
    established(world, call, step, lambda: world.end(call))
    world.pass_time(330)
    view = world.view(name)
    assert view["status"] == "failed" or (view["status"] == "completed" and not view["participants"])
    assert world.listed() == []


@pytest.mark.parametrize("step", STEPS)
def test_another_start(started: tuple[World, str, FakeCall], step: int) -> None:
    """It uses the same call, and each person is called once."""
    world, name, call = started
    other = meeting(BEN, clientContext="second")
    views: list[Any] = []
    established(world, call, step, lambda: views.append(world.start(other)))
    world.pass_time(12)
    for operation in list(world.graph.operations):
        world.answer(operation)
    called = sorted(person for one in world.graph.operations for person in one["people"])
    assert called == sorted([BEN, *([ANNA] if world.view(name)["participants"] else [])])
    assert {world.view(one)["status"] for one in (name, views[0]["id"])} == {"completed"}
    assert world.graph.asked.count("create") == 1


def test_called_by_another_run() -> None:
    """A run that holds the call without the invitation that another run has sent reads it."""
    world = World()
    name = world.start(meeting(ANNA))["id"]
    world.establish(world.the_call())
    (start,) = world.starts()
    record = CallRecord(world.the_call().id, call=world.stored_call(world.the_call().id))
    world.parts.hooks._advancer.go_on(world.turn(), Begun(start, record))
    assert world.view(name)["status"] == "running"
