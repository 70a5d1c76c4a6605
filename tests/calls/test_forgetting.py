"""Starts and their meetings' legs are forgotten like calls."""

from __future__ import annotations

from storage.retention import Retention
from storage.store import TableStore
from tests.calls.values import ANNA, BY_ID, MEETING_ID, call_of, meeting
from tests.calls.world import World

DAY = 86_400.0


def forget(world: World) -> int:
    """Run the nightly removal, thirty days being the time for which calls are kept."""
    store = TableStore(world.memory)
    return Retention(store, days=30, now=world.clock.now, clock=world.clock.monotonic).forget_old_calls()


def partitions(world: World) -> set[str]:
    """Return the kinds of partitions that have rows."""
    return {partition.partition("|")[0] for partition, _ in world.memory.rows if not partition.startswith("~open")}


def test_all_of_a_start() -> None:
    """The start, its call and both names of its meeting are gone after thirty days, and not before."""
    world = World()
    world.graph.threads[MEETING_ID] = "19:meeting_X@thread.v2"
    world.start({"meeting": BY_ID, **call_of(ANNA)})
    call = world.the_call()
    world.establish(call)
    world.answer(world.graph.operations[0])
    world.end(call)
    world.clock.sleep(29 * DAY)
    forget(world)
    assert {"~start", "~meeting", call.id} <= partitions(world)
    world.clock.sleep(3 * DAY)
    assert forget(world) >= 4
    assert world.memory.rows == {}


def test_without_a_call() -> None:
    """A start that Graph refused, and one of which nothing was heard, are forgotten as well."""
    world = World()
    world.graph.answers = ["refused", "lost before"]
    world.start(meeting())
    world.start(call_of(ANNA))
    world.pass_time(150)
    assert "~start" in partitions(world)
    world.clock.sleep(31 * DAY)
    forget(world)
    assert world.memory.rows == {}


def test_one_that_used_the_call_of_another() -> None:
    """A start that joined nothing is forgotten; the call that it used is kept as long as it changes."""
    world = World()
    world.start(meeting(ANNA))
    call = world.the_call()
    world.establish(call)
    world.clock.sleep(20 * DAY)
    world.start(meeting(ANNA, clientContext="second"))
    world.clock.sleep(15 * DAY)
    forget(world)
    assert len(world.starts()) == 1
    assert call.id in partitions(world)


def test_notes_are_one_transaction() -> None:
    """Start, call and legs are noted together."""
    world = World()
    world.graph.threads[MEETING_ID] = "19:meeting_X@thread.v2"
    world.start({"meeting": BY_ID})
    notes = [key for partition, key in world.memory.rows if partition.startswith("~kept|")]
    assert len(notes) == 4
    assert world.table.asked.count("write") <= 8
