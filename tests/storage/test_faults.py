"""Storage as it really fails: each response of each use broken in each way, before or after it was done."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from domain.invitation import Status
from domain.waiting import Delivery
from storage import budget
from tests.calls.values import ANNA, BEN, CLEO
from tests.storage import call_uses
from tests.storage.call_uses import CallStory
from tests.storage.faulty import WAYS, Plan
from tests.storage.use_cases import PEOPLE, Story, call_item, roster_item

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class UseCase:
    """One use: what happens before, what the faults meet, and how it must have ended."""

    use: Callable[[Any], object]
    ended: Callable[[Any], object]
    before: Callable[[Any], object] = lambda _: None
    within: float = 0.0
    """Seconds after which it has ended by itself, without a fault."""
    kind: type[Any] = Story


def _invited(story: Story) -> None:
    assert story.invite(waits=True) == "ok"


def _together(story: Story) -> None:
    assert story.invite(*PEOPLE, waits=True) == "ok"
    story.clock.sleep(2)
    assert story.ends() == "ok"


def _reported(story: Story) -> None:
    """The person answers after the faults are over."""
    assert story.ends() == "ok"
    story.settle(200)
    assert story.status() is Status.COMPLETED
    assert set(story.graph.calls.values()) == {1}


def _notified(story: Story) -> None:
    _reported(story)
    _was_notified(story)


def _was_notified(story: Story) -> None:
    assert story.delivery() is Delivery.DELIVERED
    assert story.flow.notified


def _concluded(story: Story) -> None:
    assert story.status() is Status.FAILED
    _was_notified(story)


def _completed(story: Story) -> None:
    assert story.status() is Status.COMPLETED
    _was_notified(story)


def _cancelled(story: Story) -> None:
    assert story.delivery() is Delivery.CANCELLED


def _lost_report(story: Story) -> None:
    _invited(story)
    story.graph.has_ended = True
    story.clock.sleep(121)


def _refused_post(story: Story) -> None:
    _invited(story)
    story.clock.sleep(2)
    story.flow.statuses = [500]
    assert story.ends() == "ok"
    story.clock.sleep(6)


def _ends(story: Story) -> object:
    story.clock.sleep(2)
    return story.ends()


USES = {
    "invite": UseCase(lambda story: story.invite(), _reported),
    "invite-and-wait": UseCase(lambda story: story.invite(waits=True), _notified),
    "callback, outcome": UseCase(_ends, _completed, _invited),
    "callback, roster": UseCase(lambda story: story.report(roster_item(PEOPLE)), _completed, _together),
    "callback, call's end": UseCase(lambda story: story.report(call_item("terminated")), _concluded, _invited),
    "message that concludes": UseCase(lambda story: story.work(), _concluded, _lost_report),
    "delivery": UseCase(lambda story: story.work(), _completed, _refused_post),
    "cancel_wait": UseCase(lambda story: story.cancel(), _cancelled, _invited),
    "poll": UseCase(lambda story: story.poll(), _notified, _invited),
    "health": UseCase(lambda story: story.health(), _notified, _invited),
}
CALL_USES = {
    "start": UseCase(lambda story: story.begin(ANNA), call_uses.ends_established),
    "callback, established": UseCase(lambda story: story.establish(), call_uses.ends_answered, call_uses.begun),
    "stop a start": UseCase(lambda story: story.stop(), call_uses.ends_stopped, call_uses.established, 10),
    "cancel an invitation": UseCase(lambda story: story.cancel(), call_uses.ends_cancelled, call_uses.established, 10),
    "escalate": UseCase(lambda story: story.escalate([ANNA, BEN], [CLEO]), call_uses.ends_escalated, call_uses.joined),
    "callback, step declined": UseCase(
        lambda story: story.answer(BEN, "failed"), call_uses.ends_in_second_step, call_uses.declined_once
    ),
    "callback, escalation won": UseCase(
        lambda story: story.answer(ANNA), call_uses.ends_won, call_uses.escalated, within=10
    ),
    "message, next step": UseCase(lambda story: story.work(), call_uses.ends_in_second_step, call_uses.step_over),
}
CALL_USES = {name: replace(case, kind=CallStory) for name, case in CALL_USES.items()}
ALL_USES = USES | CALL_USES
ASKED = dict(zip(CALL_USES, (8, 6, 5, 4, 4, 5, 4, 7), strict=True))
"""How many requests to storage a use makes, without faults, before it first changes something at Graph."""
PATTERNS = {"single": (0,), "two in a row": (0, 1), "two with one between": (0, 2)}


def _requests(story: Any, case: UseCase) -> int:
    """Return how many requests a use makes without faults, and hold its end."""
    case.before(story)
    story.plan.begin()
    case.use(story)
    count: int = story.plan.sent
    assert count > 0
    story.settle(case.within)
    case.ended(story)
    return count


def _break(story: Any, case: UseCase, way: str, *numbers: int) -> tuple[str, Plan]:
    """Play a use with faults, and hold that nothing is lost and no person is called twice."""
    case.before(story)
    story.plan.begin(way, *numbers)
    response = case.use(story)
    plan = replace(story.plan)
    assert story.longest < budget.REQUEST_SECONDS
    story.plan.begin()
    assert not story.lacks_alarm(), "an open thing has an alarm"
    # The alarm's time, and at most a minute for each fault.
    story.settle(130 + 60 * len(plan.broken))
    case.ended(story)
    assert story.most_calls() <= 1, "no person is called twice"
    assert story.is_noted(), "the call is removed one day"
    return str(response), plan


SHORT_WAYS = ("refused", "no token", "before reset", "after reset", "after cut", "after 503", "after throttled")


@pytest.mark.parametrize("name", USES)
def test_short(name: str, stories: Callable[..., Any]) -> None:
    """At each request of each use: one of the ways in turn, and two in a row that lose responses."""
    case = USES[name]
    ways = itertools.cycle(SHORT_WAYS)
    for _ in range(len(name)):
        next(ways)  # so that the uses do not all begin with the same way
    for number in range(1, _requests(stories(case.kind), case) + 1):
        for way, numbers in ((next(ways), (number,)), ("after reset", (number, number + 1))):
            response, plan = _break(stories(case.kind), case, way, *numbers)
            assert plan.broken
            assert response in ("ok", "None"), (numbers, plan)


@pytest.mark.parametrize("name", CALL_USES)
def test_short_calls(name: str, stories: Callable[..., Any]) -> None:
    """The two responses after Graph was asked are lost; for some uses also the one before, alone."""
    number, is_begun = ASKED[name], name in ("start", "escalate", "callback, established")
    for numbers in ((number + 1, number + 2), *([(number,)] if is_begun else [])):
        response, plan = _break(stories(CallStory), CALL_USES[name], "after reset", *numbers)
        assert plan.broken == list(numbers)
        assert response in ("ok", "None"), (numbers, plan)


@pytest.mark.prove
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ALL_USES)
def test_all(name: str, way: str, pattern: str, stories: Callable[..., Any]) -> None:
    """At each request of each use, in each way, singly and in twos."""
    case = ALL_USES[name]
    for number in range(1, _requests(stories(case.kind), case) + 1):
        response, plan = _break(stories(case.kind), case, way, *(number + more for more in PATTERNS[pattern]))
        if not plan.broken and number > 1:
            break  # on a busy machine the time of a turn may end before its last request
        assert response in ("ok", "None"), (number, plan)
        assert plan.broken
