"""Open calls, from an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.calls.fake_graph import FakeCall, call_item
from tests.calls.values import ANNA, call_of, meeting
from tests.calls.world import World
from web.answers import Answer
from web.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.rows import Row

DAY = 86_400


def listed(world: World) -> list[dict[str, Any]]:
    """List the open calls."""
    answer = world.request("calls")
    assert isinstance(answer, Answer), answer
    found: list[dict[str, Any]] = (answer.body or {})["value"]
    return found


def got(world: World, call_id: str) -> dict[str, Any]:
    """Read a call."""
    answer = world.request("call", wide=True, route={"callId": call_id})
    assert isinstance(answer, Answer), answer
    return dict(answer.body or {})


def test_newest_first() -> None:
    """Calls of the app and of others, the newest first; a list has the same properties as a call, without its page."""
    world = World()
    first = world.start(meeting(subject="First"))["callId"]
    world.pass_time(1)
    world.report("of-others", call_item("of-others", "established"))
    world.pass_time(1)
    last = world.start(call_of(ANNA))["callId"]
    calls = listed(world)
    assert [call["id"] for call in calls] == [last, "of-others", first]
    assert [call["title"] for call in calls][2] == "First"
    for call in calls:
        one = got(world, call["id"])
        one.pop("pageUrl", None)
        assert call == one
        assert "endedDateTime" not in call
    assert "startId" not in calls[1]
    assert calls[0]["direction"] == "outgoing"


def test_state_follows() -> None:
    """The index changes with state, title and end only."""
    world = World()
    world.start(meeting())
    call = world.the_call()
    assert [one["state"] for one in listed(world)] == ["unknown"]
    world.pass_time(1)
    world.establish(call)
    ((state, updated),) = ((one["state"], one["lastUpdatedDateTime"]) for one in listed(world))
    assert state == "established"
    world.pass_time(1)
    world.roster(call)
    assert [one["lastUpdatedDateTime"] for one in listed(world)] == [updated]
    world.end(call)
    assert listed(world) == []
    assert got(world, call.id)["endedDateTime"]


def test_known_from_its_first_row() -> None:
    """A call into which people were invited is known before Graph has reported anything."""
    world = World()
    world.graph.calls["other"] = FakeCall("other", "", 0, None, (), state="established")
    assert isinstance(world.request("call", wide=True, route={"callId": "other"}), NotFound)
    world.invite("other", ANNA, "key")
    assert got(world, "other")["state"] == "unknown"


def test_at_most_two_hundred() -> None:
    """At most 200."""
    world = World()
    for number in range(205):
        world.report(f"call-{number}", call_item(f"call-{number}", "establishing"))
    assert len(listed(world)) == 200


def test_silent_for_a_day() -> None:
    """A call of others without news for a day is read once, by the queue: the list itself asks Graph nothing."""
    world = World()
    world.graph.calls["alive"] = FakeCall("alive", "", 0, None, (), state="established")
    for name in ("alive", "gone"):
        world.report(name, call_item(name, "established"))
    world.pass_time(DAY - 60)
    assert len(listed(world)) == 2
    assert world.messages.asked == []
    world.pass_time(120)
    assert len(listed(world)) == 2
    assert world.graph.asked == []
    world.work_queue()
    assert world.graph.asked == ["read call", "read call"]
    assert [call["id"] for call in listed(world)] == ["alive"]
    assert got(world, "gone")["state"] == "terminated"
    world.pass_time(3 * DAY)
    assert [call["id"] for call in listed(world)] == ["alive"]
    world.work_queue()
    assert len(world.graph.asked) == 2


def test_queued_once() -> None:
    """However often the list is read, each call has one message; a list queues a few, so that it stays fast."""
    world = World()
    for number in range(6):
        world.report(f"call-{number}", call_item(f"call-{number}", "established"))
    world.pass_time(DAY + 60)
    costs = []
    for _ in range(3):
        world.table.asked.clear()
        world.messages.asked.clear()
        assert len(listed(world)) == 6
        costs.append((len(world.table.asked), len(world.messages.asked)))
    assert costs == [(5, 4), (3, 2), (1, 0)]
    world.work_queue()
    assert listed(world) == []
    assert len(world.graph.asked) == 6


def test_queue_fails() -> None:
    """Where the queue fails the list is answered, and the next one tries again."""
    world = World()
    world.report("gone", call_item("gone", "established"))
    world.pass_time(DAY + 60)
    world.queue.refused_kinds = {"listed"}
    assert [call["id"] for call in listed(world)] == ["gone"]
    world.queue.refused_kinds = set()
    listed(world)
    world.work_queue()
    assert listed(world) == []


def test_unreadable() -> None:
    """Where Graph can't be read the call stays in the list, and is read the next time."""
    world = World()
    world.report("gone", call_item("gone", "established"))
    world.pass_time(DAY + 60)
    world.graph.other_answers = ["unavailable"]
    for _ in range(2):
        assert [call["id"] for call in listed(world)] == ["gone"]
        world.work_queue()
    assert listed(world) == []


def test_direction_of_others() -> None:
    """A call of others has the direction that Graph reported at some time."""
    world = World()
    for name, direction in {"in": "Incoming", "odd": "sideways"}.items():
        item = call_item(name, "established")
        item["resourceData"]["direction"] = direction
        world.report(name, item)
        world.report(name, call_item(name, "established"))
    assert {call["id"]: call["direction"] for call in listed(world)} == {"in": "incoming", "odd": None}
    assert got(world, "in")["direction"] == "incoming"


def test_end_before_the_index_was_written() -> None:
    """A call that ends just before its entry is brought up to date isn't listed again."""
    world = World()
    world.start(meeting())
    call = world.the_call()
    original = world.memory.write

    def write(group: Sequence[Row]) -> list[str]:
        if group[0].entity["PartitionKey"] == "~open" and call.is_alive:
            world.end(call)
        return original(group)

    world.memory.write = write  # type: ignore[method-assign]
    world.establish(call)
    assert not call.is_alive
    assert world.listed() == []


def test_end_that_the_index_missed() -> None:
    """An entry of a call that has ended is removed where storage failed at its end."""
    world = World()
    view = world.start(meeting())
    call = world.the_call()
    world.establish(call)
    original = world.memory.delete
    world.memory.delete = lambda *_: None  # type: ignore[method-assign]
    world.end(call)
    world.memory.delete = original  # type: ignore[method-assign]
    assert world.listed() == [view["callId"]]
    world.pass_time(DAY + 60)
    listed(world)
    world.work_queue()
    assert world.listed() == []
