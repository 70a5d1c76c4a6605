"""What each step costs in requests: every method of a table is one (tests/storage/test_storage.py counts that)."""

from __future__ import annotations

from typing import Any

from storage.calls import CallTable
from tests.never_twice.world import CALL, World, call_item, operation_item
from web.answers import Request

PERSON = "00000000-0000-4000-8000-000000000001"


class Counting:
    """Passes calls on and keeps their names."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._target, name)


def counted() -> tuple[World, Counting]:
    """A world in which every request to the table is counted."""
    world = World()
    world.report(call_item("established"))
    counting = Counting(world.memory)
    for part in (world.inviting, world.applying, world.reading, world.watchdog):
        vars(part)["_table"] = CallTable(counting)
    return world, counting


def test_an_invite_costs_two_requests_and_one_message() -> None:
    """The row before Graph is asked, and what Graph said; the watchdog's message besides."""
    world, counting = counted()
    world.invite((PERSON,), "context", {})
    assert counting.asked == ["write", "write"]
    assert len(world.checks.waiting) == 1


def test_a_finished_operation_costs_two_requests_and_three_without_its_context() -> None:
    """Read the invitation and replace it; without clientContext the operation's index comes first."""
    world, counting = counted()
    world.invite((PERSON,), "context", {})
    counting.asked.clear()
    world.report(operation_item(world.graph.taken[0], "completed"))
    assert counting.asked == ["get", "write"]
    world.invite((PERSON,), "other", {})
    counting.asked.clear()
    world.report(operation_item(world.graph.taken[1], "completed", with_context=False))
    assert counting.asked == ["get", "get", "write"]


def test_a_poll_costs_one_request() -> None:
    """The invitation and its call's presence come together."""
    world, counting = counted()
    invitation = world.invite((PERSON,), "context", {})
    counting.asked.clear()
    token = getattr(invitation, "token", "")
    route = {"callId": CALL, "invitationId": getattr(invitation, "id", "")}
    assert world.reading.result(Request(route=route, query={"token": token})).status == 202
    assert counting.asked == ["query"]
