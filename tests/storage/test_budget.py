"""How long storage may take, computed and measured."""

from __future__ import annotations

import threading
import time
from contextvars import copy_context

import pytest

from storage import budget
from storage.attempts import NOT_DONE_ONLY, Failed, attempt
from storage.errors import StorageUnavailable
from storage.outcomes import Outcome


def _attempt_until_it_fails(seconds_each: float = 0.0) -> int:
    """Ask what always fails in passing; return how often."""
    asked = 0

    def ask() -> None:
        nonlocal asked
        asked += 1
        time.sleep(min(seconds_each, sum(budget.time_limits())))
        raise StorageUnavailable

    with pytest.raises(Failed):
        attempt("table get", "microsoft.tables", ask)
    return asked


@pytest.mark.parametrize("seconds_each", [0.0, 0.15, 60.0])
@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_bounded(seconds: float, seconds_each: float) -> None:
    """All attempts and waits together are within the budget, however long each would take."""
    started = time.monotonic()
    with budget.budget(seconds):
        assert _attempt_until_it_fails(seconds_each) >= 1
    assert time.monotonic() - started < seconds + 0.15


def test_sum() -> None:
    """What follows has what is left; where nothing is left, nothing is sent."""
    started = time.monotonic()
    with budget.budget(0.3):
        assert _attempt_until_it_fails() >= 2
        assert [_attempt_until_it_fails(1.0) for _ in range(3)][-1] == 0
    assert time.monotonic() - started < 0.45


@pytest.mark.parametrize(("whole", "left"), [(False, 0.5), (True, 0.3)])
def test_what_counts(*, whole: bool, left: float) -> None:
    """What happens between two requests of storage counts only where a budget is for the whole block."""
    with budget.budget(0.5, whole=whole):
        time.sleep(0.2)
        assert budget.remaining() == pytest.approx(left, abs=0.08)


def test_side_by_side() -> None:
    """Requests on several threads share the budget, and time that they take together counts once."""

    def spend() -> None:
        with budget.spending():
            time.sleep(0.2)

    with budget.budget(1.0):
        threads = [threading.Thread(target=copy_context().run, args=(spend,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert budget.remaining() == pytest.approx(0.8, abs=0.1)


def test_inner_budget() -> None:
    """An inner budget shortens what is left and never adds to it."""
    with budget.budget(1.0):
        with budget.budget(5.0):
            assert budget.remaining() == pytest.approx(1.0, abs=0.05)
        with budget.budget(0.2):
            assert budget.remaining() == pytest.approx(0.2, abs=0.05)
        assert budget.remaining() == pytest.approx(1.0, abs=0.05)


def test_no_budget() -> None:
    """Outside a request, as in the nightly run, each request of storage has the budget of one."""
    assert budget.remaining() == budget.REQUEST_SECONDS
    with budget.spending():
        time.sleep(0.1)
        assert budget.remaining() < budget.REQUEST_SECONDS
    assert budget.remaining() == budget.REQUEST_SECONDS


@pytest.mark.parametrize("left", [0.0, 0.06, 0.5, 1.0, 2.5, 4.0, 8.0])
def test_time_limits(left: float) -> None:
    """Connecting and responding together take no longer than what is left, and three seconds at most."""
    with budget.budget(left):
        connecting, response = budget.time_limits()
    assert connecting > 0
    assert response > 0
    assert connecting + response <= max(left, 0.05) + 0.001
    assert connecting + response <= 3.0


def test_promised() -> None:
    """A callback has four seconds of storage, any other request eight."""
    assert (budget.CALLBACK_SECONDS, budget.REQUEST_SECONDS) == (4.0, 8.0)


@pytest.mark.parametrize(("retry_after", "least", "most"), [(None, 0.1, 0.16), (0.0, 0.1, 0.16), (0.4, 0.4, 0.45)])
def test_wait(retry_after: float | None, least: float, most: float) -> None:
    """The wait is as written: a tenth of a second and up to half of it, or what storage named."""
    started = time.monotonic()
    assert budget.wait(1, retry_after)
    assert least <= time.monotonic() - started < most + 0.1


def test_no_wait_without_time() -> None:
    """Where no time is left for another attempt, it is not waited for."""
    started = time.monotonic()
    with budget.budget(0.5):
        assert not budget.wait(1, 1.0)
    assert time.monotonic() - started < 0.1


def test_what_is_not_repeated() -> None:
    """A request that may not be done twice is sent once where it may have been done."""
    asked = []

    def ask() -> None:
        asked.append(1)
        raise AttributeError

    with pytest.raises(Failed) as caught:
        attempt("table write", "microsoft.tables", ask, again=NOT_DONE_ONLY)
    assert (len(asked), caught.value.failure.outcome, caught.value.was_repeated) == (1, Outcome.UNKNOWN, False)
