"""Short stories of the small world, each of which asserts what was promised."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import product
from typing import Any

from domain.invitation import Late
from domain.waiting import Delivery
from storage.table import WriteUnknown
from tests.never_twice.world import CHECK_AFTER, GIVE_UP_AFTER, World, call_item, operation_item

PERSON, OTHER = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


def ends(world: World) -> None:
    """Let everything come to its end without a poll, and judge it."""
    world.plan.countdown = 0
    for seconds in (1, 5, 15, 120, 300, 600, 1200, *[GIVE_UP_AFTER] * 4, *[8 * 3600.0] * 8):
        assert world.without_alarm() == [], "an open invitation is without alarm"
        world.clock.moment += timedelta(seconds=seconds)
        world.work_queue()
    assert world.flows.broken == []
    assert all(count == 1 for count in world.graph.rings.values()), "a person was called twice"
    for invitation in world.invitations():
        assert all(one.status.is_final for one in invitation.operations), "an invitation is still open"
        for flow in invitation.flows:
            assert not flow.is_waiting
            assert flow.state is Delivery.CANCELLED or flow.message_id in world.flows.taken, "a flow was not notified"


def invited(world: World, *people: str, waits: bool = True) -> Any:
    """Invite people."""
    return world.invite(people or (PERSON,), "context", {}, waits=waits)


def done(world: World, seconds: float = 10) -> bool:
    """Report the end of the first operation some seconds later."""
    world.clock.moment += timedelta(seconds=seconds)
    return world.report(operation_item(world.graph.taken[0], "completed"))


def a_report_just_after_the_201(world: World) -> None:
    """The flow's 201 has just been sent."""
    invited(world)
    done(world, 0)
    ends(world)


def a_report_before_the_answer(world: World) -> None:
    """Graph reports before it answers, and before the flow's 201."""
    world.graph.reported_first = world.report_before_the_answer
    world.graph.next_answers = ["reported first"]
    invited(world)
    ends(world)


def a_flow_that_is_late_to_listen(world: World) -> None:
    """The first POST is answered 404, since the flow's 201 is on its way."""
    invited(world)
    world.flows.statuses = [404]
    done(world)
    ends(world)


def two_reports_overlap(world: World) -> None:
    """The same report three times, whose steps alternate in every order of the first four."""
    for order in product(range(3), repeat=4):
        one = World()
        invited(one)
        one.clock.moment += timedelta(seconds=10)
        item = operation_item(one.graph.taken[0], "completed")
        one.at_once([lambda one=one, item=item: one.report(item)] * 3, order)  # type: ignore[misc]
        assert one.flows.broken == []
        assert len(one.flows.posted) == 1


def subscribed_again_during_the_post(world: World) -> None:
    """The flow repeats its request while its POST is in progress, and the report comes again."""
    invited(world)

    def meanwhile() -> None:
        world.flows.listens.clear()  # it had listened all the time
        invited(world)
        world.flows.listens.clear()
        world.clock.moment += timedelta(seconds=1.1)
        world.flows.taken.update(message_id for _, message_id in world.flows.posted)
        world.report(operation_item(world.graph.taken[0], "completed"))
        world.flows.taken.clear()

    world.flows.meanwhile = meanwhile
    done(world)
    assert world.flows.broken == []
    ends(world)


def subscribed_to_a_known_outcome(world: World) -> None:
    """A flow subscribes once all is over and no message is left."""
    invited(world, waits=False)
    done(world)
    for _ in range(3):
        world.clock.moment += timedelta(hours=1)
        world.work_queue()
    assert world.queue.waiting == []
    invited(world)
    ends(world)


def a_response_of_storage_is_lost(world: World) -> None:
    """The row is written and the response is lost: the request goes on with its own row."""
    world.plan.kind, world.plan.countdown, world.plan.after = "storage", 2, True
    invited(world, waits=False)
    assert len(world.graph.taken) == 1, "no person was called"
    ends(world)


def a_row_is_written_late(world: World) -> None:
    """Forty seconds pass between sending a message, which is delivered, and the write that names it."""
    invited(world, PERSON, OTHER)
    write, left = world.memory.write, [1]

    def slow(group: Any) -> list[str]:
        left[0] -= 1
        if left[0] == 0:  # the end, which names an alarm for its settling
            world.clock.moment += timedelta(seconds=40)
            world.work_queue()
        return write(group)

    world.memory.write = slow  # type: ignore[method-assign]
    done(world)
    ends(world)


def a_message_before_its_row(world: World) -> None:
    """A message for at once is delivered before the row that names it is written."""
    world.graph.next_answers = ["slow", "slow", "slow"]
    write, left = world.memory.write, [2]

    def slow(group: Any) -> list[str]:
        left[0] -= 1
        if left[0] == 0:
            world.work_queue()
        return write(group)

    world.memory.write = slow  # type: ignore[method-assign]
    people = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(5))
    world.invite(people, "context", {}, separately=True)
    world.clock.moment += timedelta(seconds=40)
    world.work_queue()
    assert len(world.graph.taken) == 5, "what there was no time for was not sent"


def a_message_takes_over(world: World) -> None:
    """What was not begun is written, that response is lost, and a message sends it before the request reads again."""
    world.graph.next_answers = ["slow", "slow", "slow"]
    write, left = world.memory.write, [2]

    def lost(group: Any) -> list[str]:
        left[0] -= 1
        etags = write(group)
        if left[0] == 0:
            world.work_queue()
            raise WriteUnknown
        return etags

    world.memory.write = lost  # type: ignore[method-assign]
    people = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(5))
    world.invite(people, "context", {}, separately=True)
    (invitation,) = world.invitations()
    assert not any(isinstance(one.state, Late) for one in invitation.operations), "an answer was written over"
    ends(world)


def a_report_after_the_call_ended(world: World) -> None:
    """The end of a request for several people is reported once the alarm's time is over: one message waits for it."""
    invited(world, PERSON, OTHER, waits=False)
    world.clock.moment += timedelta(seconds=130)
    world.report(call_item("terminated"))
    done(world, 3)
    for seconds in (0, 1, 1, 1):
        world.clock.moment += timedelta(seconds=seconds)
        world.work_queue()
        assert [one.due for one in world.queue.waiting] == [world.invitations()[0].alarm.time]
        assert world.queue.waiting[0].due > world.clock.now(), "a message comes back at once, again and again"
    ends(world)


def killed_while_it_asks_again(world: World) -> None:
    """A repeat that sends what was refused is killed at each step, while a message is to send what is late."""
    people = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(5))
    for step, after in product(range(1, 9), (False, True)):
        one = World()
        one.graph.next_answers = ["refused", "slow", "slow", "slow"]
        one.invite(people, "context", {}, separately=True)
        one.plan.kind, one.plan.countdown, one.plan.after = "crash", step, after
        one.invite(people, "context", {}, separately=True)
        ends(one)


def killed_at_each_step(world: World) -> None:
    """A request, its report, and the messages are each killed at every step, before and after it."""
    for kind, step, after in product(("invite", "report", "message"), range(1, 9), (False, True)):
        one = World()
        plan = one.plan

        def arm(plan: Any = plan, step: int = step, *, after: bool = after) -> None:
            plan.kind, plan.countdown, plan.after = "crash", step, after

        if kind == "invite":
            arm()
        invited(one)
        invited(one)
        if kind == "message":
            one.clock.moment += timedelta(seconds=CHECK_AFTER)
            arm()
            one.work_queue()
        if one.graph.taken:
            if kind == "report":
                one.clock.moment += timedelta(seconds=10)
                arm()
            done(one, 0)
            assert one.without_alarm() == []
        ends(one)


def clocks_that_differ(world: World) -> None:
    """The callback comes to an instance whose clock is eight seconds off, and is killed at each step, or not at all."""
    for seconds, step in product((-8, 8), range(9)):
        one, off = World(), timedelta(seconds=seconds)
        invited(one)
        one.clock.moment += off
        one.plan.kind, one.plan.countdown, one.plan.after = "crash", step, True
        done(one)
        one.clock.moment -= off
        assert one.without_alarm() == []
        ends(one)


def two_writers(world: World) -> None:
    """Two parts end at the same moment, and both ends are written."""
    people = (PERSON, OTHER)
    world.invite(people, "context", {}, separately=True)
    world.clock.moment += timedelta(seconds=10)
    items = [operation_item(one, "completed") for one in world.graph.taken]
    world.at_once([partial(world.report, item) for item in items], (0, 1, 0, 1))
    (invitation,) = world.invitations()
    assert all(one.status.is_final for one in invitation.operations), "an end was lost"
