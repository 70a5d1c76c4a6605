"""What starts cost in requests to storage, queue and Graph."""

from __future__ import annotations

import pytest

from tests.calls.values import ANNA, BEN, BY_ID, MEETING_ID, call_of, meeting
from tests.calls.world import World

BODIES = {
    "link": meeting(ANNA),
    "id": {"meeting": BY_ID, **call_of(ANNA)},
    "one-to-one": call_of(ANNA),
    "group": call_of(ANNA, BEN),
}


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("kind", sorted(BODIES))
def test_start(kind: str, *, waits: bool) -> None:
    """A start: at most 8 to the table, 2 to the queue and 1 to Graph."""
    world = World()
    world.graph.threads[MEETING_ID] = "19:meeting_X@thread.v2"
    world.start(BODIES[kind], waits=waits)
    assert len(world.table.asked) <= 8, world.table.asked
    assert len(world.messages.asked) <= 2
    assert world.graph.asked == ["create"]


@pytest.mark.parametrize("waits", [False, True])
def test_second_start(*, waits: bool) -> None:
    """A start that uses a call that is there costs no more than another, and asks Graph nothing."""
    world = World()
    world.start(meeting(ANNA))
    _forget(world)
    world.start(meeting(BEN, clientContext="second"), waits=waits)
    assert len(world.table.asked) <= 8, world.table.asked
    assert len(world.messages.asked) <= 2
    assert world.graph.asked == []


def test_second_start_that_calls() -> None:
    """Where the call is established its people are called in the same request: the reading, 1 to Graph a person."""
    world = World()
    world.start(meeting(ANNA))
    world.establish(world.the_call())
    _forget(world)
    world.start(meeting(BEN, clientContext="second"))
    assert world.graph.asked == ["roster", "invite"]
    assert len(world.table.asked) <= 21, world.table.asked
    assert len(world.messages.asked) == 2


def _forget(world: World) -> None:
    for one in (world.table, world.messages, world.graph):
        one.asked.clear()


def test_poll() -> None:
    """A poll: at most 2, before and after the call is there."""
    world = World()
    view = world.start(meeting(ANNA))
    for _ in range(2):
        world.table.asked.clear()
        world.view(view["id"])
        assert len(world.table.asked) <= 2
        world.establish(world.the_call())


def test_keep_alive() -> None:
    """A keep-alive: 3 to the table, 1 to the queue, 1 to Graph."""
    world = World()
    world.start(meeting())
    world.establish(world.the_call())
    world.pass_time(300)
    world.table.asked.clear()
    world.messages.asked.clear()
    world.graph.asked.clear()
    world.pass_time(370)
    assert (len(world.table.asked), len(world.messages.asked)) == (3, 1)
    assert world.graph.asked == ["keep alive"]


def test_hang_up() -> None:
    """A hang-up: 1 to Graph, and at most 8 to the table with all that settles."""
    world = World()
    view = world.start(meeting())
    world.establish(world.the_call())
    world.table.asked.clear()
    world.graph.asked.clear()
    world.request("hang_up", route={"callId": view["callId"]})
    assert world.graph.asked == ["hang up"]
    assert len(world.table.asked) <= 8, world.table.asked
