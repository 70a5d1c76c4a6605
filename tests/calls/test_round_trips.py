"""What starts cost in requests to storage, queue and Graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.calls.values import ANNA, BEN, BY_ID, MEETING_ID, call_of, meeting
from tests.calls.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

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
    # A start 8, the roster that was read 1, the invitation 2, what it leads to 1.
    assert len(world.table.asked) == 12, world.table.asked
    assert len(world.messages.asked) == 2


def _forget(world: World) -> None:
    for one in (world.table, world.messages, world.graph):
        one.asked.clear()


def _noted(world: World) -> list[str]:
    """Return a list to which every further request is added, in order; ``index`` is written side by side."""
    asked: list[str] = []

    def noting(name: str, request: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any, **named: Any) -> Any:
            is_index = name == "write" and arguments[0][0].entity["PartitionKey"] == "~open"
            asked.append("index" if is_index else name)
            return request(*arguments, **named)

        return noted

    for part in (world.memory, world.queue, world.graph):
        for name in ("get", "query", "write", "send", "roster", "invite"):
            if hasattr(part, name):
                setattr(part, name, noting(name, getattr(part, name)))
    return asked


def _established(world: World) -> list[str]:
    """Return the requests of the callback that establishes the call, without the one to the index."""
    asked = _noted(world)
    world.establish(world.the_call())
    asked.remove("index")
    return asked


def _steps(*people: str) -> dict[str, Any]:
    """Return a start that calls people one after the other."""
    return {**meeting(), "steps": [call_of(one) for one in people]}


def test_established() -> None:
    """Without people to call: the report 2, the start 2, who waits for the leg 1, the call let go 1."""
    world = World()
    world.start(meeting())
    assert _established(world) == ["query", "write", "get", "get", "write", "write"]


def test_established_calls() -> None:
    """The people of a start are called after 4 requests to the table, and 3 follow."""
    world = World()
    world.start(meeting(ANNA))
    assert _established(world) == [
        "query",
        "write",
        "get",
        "roster",
        "send",
        "write",
        "invite",
        "write",
        "get",
        "write",
    ]


def test_established_calls_a_step() -> None:
    """With steps: the two messages of a step, and the escalation is read again after Graph's answer."""
    world = World()
    world.start(_steps(ANNA, BEN))
    before, after = ["query", "write", "get", "roster", "send", "send", "write"], ["write", "query", "get", "write"]
    assert _established(world) == [*before, "invite", *after]


def test_person_declines() -> None:
    """The report 2, the escalation 2, the next step 2; nothing for the start that waits for the escalation."""
    world = World()
    world.start(_steps(ANNA, BEN))
    world.establish(world.the_call())
    asked = _noted(world)
    world.answer(world.graph.operations[0], "failed")
    assert asked == ["query", "write", "query", "send", "send", "write", "invite", "write", "query"]


def test_person_joins() -> None:
    """The report 2, the escalation that is won 2, the start 2, and that it uses the call no longer 1."""
    world = World()
    world.start(_steps(ANNA, BEN))
    world.establish(world.the_call())
    asked = _noted(world)
    world.answer(world.graph.operations[0])
    assert asked == ["query", "write", "query", "write", "get", "write", "write"]


def test_person_of_a_start_answers() -> None:
    """The report 2, the start 2, and that it uses the call no longer 1; nothing for another start on this leg."""
    world = World()
    world.start(meeting(ANNA))
    world.establish(world.the_call())
    world.start(meeting(BEN, clientContext="second"))
    asked = _noted(world)
    world.answer(world.graph.operations[0])
    assert asked == ["query", "write", "get", "write", "write"]


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
