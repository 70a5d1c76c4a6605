"""Storage that fails for longer than a request waits: what is answered, how long it takes, and what follows."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import pytest

from domain.invitation import Status
from domain.waiting import Delivery
from storage import budget, rows
from tests.storage.use_cases import CALL, Story

if TYPE_CHECKING:
    from collections.abc import Callable

FROM_HERE = range(1, 1000)
# Of the time in which all of storage fails, what a request may take beyond its budget: the code itself, under load.
ALLOWANCE = 0.7


@pytest.fixture
def impatient(stories: Callable[[], Story]) -> Callable[[], Story]:
    """Make stories in which a request waits for a third of a second while storage fails."""

    def story() -> Story:
        made = stories()
        made.patience = 0.3
        return made

    return story


@pytest.mark.parametrize("way", ["after reset", "before 503", "refused"])
def test_after_graph_was_asked(impatient: Callable[[], Story], monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """With storage gone once Graph took the request, the response is what is known, and the report completes it."""
    story = impatient()
    take = story.graph.invite

    def take_and_break(*arguments: Any, **named: Any) -> Any:
        story.plan.begin(way, *FROM_HERE)
        return take(*arguments, **named)

    monkeypatch.setattr(story.graph, "invite", take_and_break)
    assert story.invite(waits=True) == "ok"
    story.plan.begin()
    assert story.status() is Status.RUNNING
    assert story.invite(waits=True) == "ok"  # a repeated request
    story.clock.sleep(2)
    assert story.ends() == "ok"
    story.settle(200)
    assert (story.status(), story.delivery()) == (Status.COMPLETED, Delivery.DELIVERED)
    assert story.graph.calls == {"alice": 1}


@pytest.mark.parametrize("way", ["after reset", "before 503", "no token"])
def test_before_graph_is_asked(impatient: Callable[[], Story], way: str) -> None:
    """With storage gone before, the response is 503 and no person was called; a repeated request calls once."""
    story = impatient()
    assert story.invite() == "ok"
    story = impatient()
    story.plan.begin(way, *FROM_HERE)
    assert story.invite() == "503 503 503 503"
    assert not story.graph.taken
    story.plan.begin()
    assert story.invite() == "ok"
    assert story.graph.calls == {"alice": 1}


def test_callback(impatient: Callable[[], Story]) -> None:
    """A callback that could not be stored is 503, so that Graph sends it again; then all follows."""
    story = impatient()
    assert story.invite(waits=True) == "ok"
    story.clock.sleep(2)
    story.plan.begin("before reset", *FROM_HERE)
    assert story.ends() == "503 503 503 503"
    story.plan.begin()
    assert story.ends() == "ok"
    story.settle(200)
    assert (story.status(), story.delivery()) == (Status.COMPLETED, Delivery.DELIVERED)


def test_messages(impatient: Callable[[], Story], monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that fails for many minutes costs no alarm: the message comes back until it works again."""
    story = impatient()
    assert story.invite(waits=True) == "ok"
    story.graph.has_ended = True
    story.clock.sleep(121)
    story.patience = 8.0
    with monkeypatch.context() as short:
        short.setattr("flows.work.REQUEST_SECONDS", 0.3)
        for _ in range(12):
            story.plan.begin("before reset", *FROM_HERE, spares="/messages")
            story.work(31)
            assert not story.failed, "a message that fails some times in a row is given up by the host"
    story.settle(120)
    assert (story.status(), story.delivery()) == (Status.FAILED, Delivery.DELIVERED)


def test_note_of_the_day(stories: Callable[[], Story]) -> None:
    """A call whose note was lost with its first callback is noted by the invitation's alarm, also when it is closed."""
    story = stories()
    assert story.invite() == "ok"
    assert story.ends() == "ok"
    later = story.clock.moment.replace(year=2100)
    for note in list(story.store.kept_since_before(later)):
        story.store.forget_note(note)
    story.settle(200)
    assert [partition for _, partition in story.store.kept_since_before(later)] == [rows.partition_key(CALL)]


def test_time_is_left_for_answers(stories: Callable[[], Story], monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the insert takes, three seconds of storage are left to write down what Graph answered."""
    story = stories()
    left = []
    update = story.store.update

    def watched(*arguments: Any, **named: Any) -> Any:
        left.append(budget.remaining())
        return update(*arguments, **named)

    monkeypatch.setattr(story.store, "update", watched)
    assert story.invite() == "ok"
    assert left[0] <= budget.REQUEST_SECONDS - 3
    assert left[1] > budget.REQUEST_SECONDS - 3


@pytest.mark.parametrize(
    ("use", "seconds"),
    [
        (Story.ends, budget.CALLBACK_SECONDS),
        pytest.param(Story.poll, budget.REQUEST_SECONDS, marks=pytest.mark.prove),
        pytest.param(Story.cancel, budget.REQUEST_SECONDS, marks=pytest.mark.prove),
        pytest.param(Story.health, budget.REQUEST_SECONDS, marks=pytest.mark.prove),
    ],
)
@pytest.mark.parametrize(
    "way",
    [
        "before stall",
        *(pytest.param(way, marks=pytest.mark.prove) for way in ("after stall", "before throttled", "before 500")),
    ],
)
def test_longest(
    slow_stories: Callable[[], Story],
    monkeypatch: pytest.MonkeyPatch,
    use: Callable[[Story], str],
    seconds: float,
    way: str,
) -> None:
    """With all of storage failing, a request takes what its budget allows, with the times that storage has for real."""
    monkeypatch.setattr("tests.storage.use_cases._MOST_REPEATS", 1)
    story = slow_stories()
    assert story.invite(waits=True) == "ok"
    found = story.invitation()
    monkeypatch.setattr(story, "invitation", lambda: found)
    story.longest = 0.0
    story.plan.begin(way, *FROM_HERE)
    use(story)
    print(f"{use.__name__}, {way}: {story.longest:.2f} s, {story.plan.sent} requests")  # noqa: T201 - a measurement
    assert story.longest < seconds + ALLOWANCE


@pytest.mark.prove
def test_throttled_callbacks(slow_stories: Callable[[], Story]) -> None:
    """With one response in ten throttled (503, Retry-After) a callback takes 1.6 seconds at the 95th percentile."""
    story = slow_stories()
    measured: dict[str, list[float]] = {}
    for way in ("", "before throttled", "after throttled"):
        took = measured.setdefault(way, [])
        for number in range(60):
            assert story.invite("alice", context=f"{way} {number}") == "ok"
            story.plan.sent = 7 * number  # a different request of each callback
            story.plan.way, story.plan.numbers = way, frozenset(range(0, 10_000, 10)) if way else frozenset()
            started = time.monotonic()
            assert story.ends(-1) == "ok"
            took.append(time.monotonic() - started)
            story.plan.begin()
    for way, took in measured.items():
        print(  # noqa: T201 - a measurement
            f"{way or 'without faults'}: median {statistics.median(took):.3f} s, "
            f"p95 {statistics.quantiles(took, n=20)[-1]:.3f} s, longest {max(took):.3f} s"
        )
        assert statistics.quantiles(took, n=20)[-1] <= 1.6
