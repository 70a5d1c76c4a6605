"""Who asked for what is in the timeline: as a hash, and only what the caller's own request did."""

from __future__ import annotations

from hashlib import sha256

from domain.asking import asked_by
from tests.calls.test_steps import ANNA, BEN, body
from tests.calls.world import World

CALLER = "278405a3-f568-4b3e-b684-009193463064"
BY = sha256(CALLER.encode()).hexdigest()[:12]


def askers(world: World, call_id: str) -> dict[str, str | None]:
    """Who asked for each kind of event."""
    return {event.kind.value: event.by for event in world.store.timeline(call_id).events}


def test_a_start() -> None:
    """Its caller asked for the call; the steps begin by themselves once it is established."""
    world = World()
    with asked_by(CALLER):
        world.start(body([ANNA], [BEN]))
    call = world.the_call()
    world.establish(call)
    found = askers(world, call.id)
    assert found == {"callStarting": BY, "callEstablished": None, "invited": None, "stepStarted": None}


def test_an_invitation() -> None:
    """What becomes of it has no caller."""
    world = World()
    world.start(body([ANNA]))
    call = world.the_call()
    with asked_by(CALLER):
        world.invite(call.id, BEN, "their own")
    world.answer(world.graph.operations[-1], "failed")
    assert askers(world, call.id) == {"callStarting": None, "invited": BY, "notReached": None}


def test_ended_by_a_caller() -> None:
    """Who hangs up ends the call; what the same request has to finish for others is not theirs."""
    world = World()
    world.start(body([ANNA]))
    call = world.the_call()
    world.establish(call)
    with asked_by(CALLER):
        world.request("hang_up", route={"callId": call.id})
    found = askers(world, call.id)
    assert (found["callEnded"], found["escalationEnded"]) == (BY, None)


def test_without_sign_in() -> None:
    """Nothing is written about a caller."""
    world = World()
    with asked_by(None):
        world.start(body([ANNA]))
    assert set(askers(world, world.the_call().id).values()) == {None}
