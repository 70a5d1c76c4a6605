"""Calls are kept alive until they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.calls.fake_graph import call_item
from tests.calls.faults import Crash
from tests.calls.values import ANNA, call_of, meeting
from tests.calls.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_every_ten_minutes() -> None:
    """Every ten minutes, plus or minus a tenth, also without polls."""
    world = World()
    world.start(meeting())
    world.establish(world.the_call())
    world.pass_time(539)
    assert "keep alive" not in world.graph.asked
    world.pass_time(122)
    assert world.graph.asked.count("keep alive") == 1
    world.pass_time(3600)
    assert 6 <= world.graph.asked.count("keep alive") <= 8


def test_404_is_the_end() -> None:
    """Without the call the open people fail, the flow is notified, and the call is no longer listed."""
    world = World()
    view = world.start(meeting(ANNA), waits=True)
    call = world.the_call()
    world.establish(call)
    assert world.listed() == [call.id]
    call.state = "terminated"
    world.pass_time(670)
    after = world.view(view["id"])
    assert (after["status"], after["call"]["state"]) == ("failed", "terminated")
    assert len(world.flows.posted) == 1
    assert world.listed() == []
    kept = world.graph.asked.count("keep alive")
    world.pass_time(3600)
    assert world.graph.asked.count("keep alive") == kept


@pytest.mark.parametrize("answer", ["throttled", "lost before", "error before", "refused"])
def test_tried_again_soon(answer: str) -> None:
    """429 and 5xx: again within two minutes."""
    world = World()
    world.start(meeting())
    call = world.the_call()
    world.establish(call)
    world.pass_time(530)
    world.graph.other_answers = [answer, answer]
    before = world.clock.now()
    while world.graph.asked.count("keep alive") < 1:
        world.pass_time(5)
    first = world.clock.now()
    while world.graph.asked.count("keep alive") < 3:
        world.pass_time(5)
    assert (world.clock.now() - first).total_seconds() <= 240
    assert call.is_alive
    assert (first - before).total_seconds() <= 140
    world.pass_time(670)
    assert world.graph.asked.count("keep alive") == 4


def test_killed_at_the_end() -> None:
    """Killed before the list lost a call that has ended: the call's last message takes it out."""
    world = World()
    world.start(meeting())
    call = world.the_call()
    world.establish(call)
    delete = world.memory.delete

    def killed(partition: str, row_keys: Sequence[str]) -> None:
        world.memory.delete = delete  # type: ignore[method-assign]
        raise Crash

    world.memory.delete = killed  # type: ignore[method-assign]
    assert not world.end(call)
    assert world.listed() == [call.id]
    world.pass_time(670)
    assert world.listed() == []


def test_nothing_after_the_end() -> None:
    """No keep-alive after the end."""
    world = World()
    world.start(call_of(ANNA))
    call = world.the_call()
    world.establish(call)
    world.end(call, code=200, subcode=4521)
    world.pass_time(3600)
    assert "keep alive" not in world.graph.asked


def test_second_message_cannot_be_sent() -> None:
    """The first message makes up for the one that keeps the call alive, before the start ends."""
    world = World()
    world.queue.refused_kinds = {"call"}
    view = world.start(meeting())
    call = world.the_call()
    assert view["callId"] == call.id
    stored = world.stored_call(call.id)
    assert stored is not None
    assert stored.alarm is None
    world.establish(call)
    world.pass_time(30)
    assert all(not start.is_final for start in world.starts())
    world.queue.refused_kinds = set()
    world.pass_time(130)
    stored = world.stored_call(call.id)
    assert stored is not None
    assert stored.alarm is not None
    assert all(start.is_final for start in world.starts())
    world.pass_time(670)
    assert world.graph.asked.count("keep alive") >= 1


def test_queue_fails_at_a_keep_alive() -> None:
    """The message comes back where its successor can't be sent: the call is never without one."""
    world = World(KEEP_ALIVE_SECONDS="60")
    world.start(meeting())
    world.establish(world.the_call())
    world.queue.refused_kinds = {"call"}
    world.pass_time(80)
    world.queue.refused_kinds = set()
    world.pass_time(600)
    assert world.graph.asked.count("keep alive") >= 8


def test_calls_of_others() -> None:
    """A call that another program made is not kept alive."""
    world = World()
    world.report("of-others", call_item("of-others", "established"))
    world.pass_time(3600)
    assert world.graph.asked == []
