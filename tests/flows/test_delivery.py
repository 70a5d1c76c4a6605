"""Telling a waiting flow: once where it listens, again where it does not, and in the end set aside."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.model import Delivery, FlowCallback, Invitation
from flows.delivery import RETRY_SECONDS
from flows.webhooks import AddressRefused
from tests.never_twice.world import World, operation_item

PERSON = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def world() -> World:
    """A flow waits for one person, who has just answered."""
    world = World()
    world.invite((PERSON,), "context", {}, waits=True)
    world.report(operation_item(world.graph.taken[0], "completed"))
    return world


def callback(world: World) -> FlowCallback:
    """How far telling the flow has come."""
    found = the_invitation(world).callback
    assert found is not None
    return found


def the_invitation(world: World) -> Invitation:
    """The one invitation there is."""
    (invitation,) = world.invitations()
    return invitation


def pass_time(world: World, seconds: float) -> None:
    """Let time pass, and the queues do their work."""
    world.clock.moment += timedelta(seconds=seconds)
    world.work_queues()


def test_an_outcome_is_delivered_once(world: World) -> None:
    """One message, one POST, and nothing more however long one waits."""
    assert callback(world).state is Delivery.DUE
    for _ in range(5):
        pass_time(world, 3600)
    assert len(world.flows.told) == 1
    assert (callback(world).state, callback(world).attempts) == (Delivery.DELIVERED, 1)


def test_a_flow_that_does_not_listen_is_tried_for_more_than_a_day_and_then_set_aside(world: World) -> None:
    """Each try comes later than the one before; after the last the message is in the poison queue, and it shows."""
    assert sum(RETRY_SECONDS) > 24 * 3600
    assert list(RETRY_SECONDS) == sorted(RETRY_SECONDS)
    world.flows.statuses = [500] * 100
    pass_time(world, 0)
    for number, seconds in enumerate(RETRY_SECONDS, start=1):
        assert callback(world).attempts == number
        pass_time(world, seconds - 1)
        assert callback(world).attempts == number, "not before its time"
        pass_time(world, 1)
    assert (callback(world).state, callback(world).attempts) == (Delivery.UNDELIVERABLE, len(RETRY_SECONDS) + 1)
    assert [waiting.message["invitationId"] for waiting in world.poison.waiting] == [the_invitation(world).id]
    assert world.flows.told == []


@pytest.mark.parametrize("status", [None, 408, 429, 401, 403, 500, 502, 503, 302])
def test_anything_but_success_and_gone_is_tried_again(world: World, status: int | None) -> None:
    """No answer, throttling, keys being rotated: the next try delivers it, under the same message id."""
    world.flows.statuses = [status]
    message_id = callback(world).message_id
    pass_time(world, 0)
    assert (callback(world).state, callback(world).last_status) == (Delivery.DUE, status)
    pass_time(world, RETRY_SECONDS[0])
    assert callback(world).state is Delivery.DELIVERED
    assert [told for _, told in world.flows.told] == [message_id]


@pytest.mark.parametrize("status", [404, 410])
def test_a_run_that_is_over_is_not_tried_again(world: World, status: int) -> None:
    """404 and 410 end it at once."""
    world.flows.statuses = [status]
    pass_time(world, 0)
    assert callback(world).state is Delivery.UNDELIVERABLE
    pass_time(world, 7200)
    assert callback(world).attempts == 1


def test_an_address_that_is_refused_at_sending_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that points into a private network by now is never asked again."""

    def refuse(*_: object) -> None:
        raise AddressRefused

    monkeypatch.setattr(world.flows, "post", refuse)
    pass_time(world, 0)
    assert callback(world).state is Delivery.UNDELIVERABLE


def test_a_message_that_comes_twice_is_acted_on_once(world: World) -> None:
    """A queue promises at least once: the second time finds the outcome delivered."""
    (waiting,) = world.outcomes_queue.waiting
    world.outcomes.deliver(waiting.message)
    world.outcomes.deliver(waiting.message)
    assert len(world.flows.told) == 1


def test_a_cancelled_wait_is_not_delivered(world: World) -> None:
    """What was due when the flow stopped waiting is not sent."""
    stored = world.table.invitation(the_invitation(world).call_id, the_invitation(world).id)
    assert stored is not None
    world.outcomes.cancel(stored)
    pass_time(world, 3600)
    assert world.flows.told == []
    assert callback(world).state is Delivery.CANCELLED


def test_a_message_that_can_not_be_read_is_dropped(world: World) -> None:
    """Nothing in the queue can keep it from the next message."""
    for message in ({}, {"callId": 1, "invitationId": []}, {"callId": "x", "invitationId": "y", "attempt": "z"}):
        world.outcomes.deliver(message)
    assert world.flows.told == []


def test_a_message_lost_between_write_and_queue_is_made_up_for_by_the_watchdog() -> None:
    """The outcome is written, the queue fails: the watchdog's next message finds it due and queues it."""
    world = World()
    world.invite((PERSON,), "context", {}, waits=True)
    world.report(operation_item(world.graph.taken[0], "completed"))
    world.outcomes_queue.waiting.clear()
    pass_time(world, 200)
    pass_time(world, 1)
    assert callback(world).state is Delivery.DELIVERED
