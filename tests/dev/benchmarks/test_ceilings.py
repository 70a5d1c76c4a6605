"""What a request may cost, as a multiple of a fixed piece of work in the same process: the machine cancels out."""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING

import pytest

from dev.benchmarks import importing, trips
from dev.benchmarks.measure import ROOT, worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.benchmarks.measure import Worker

_ROUNDS = 9
# Measured: 30 to 40, 10 to 13 and 60 to 69. What makes a request a tenth dearer is for `make bench` to show; these
# catch what makes it half as dear again: rows read twice, a library that got slow, a signature verified each time.
_CEILINGS = {"invite": 60, "callback": 19, "roster": 100}
_COUNTS = {"invite": 40, "callback": 40, "roster": 8}


@pytest.fixture(scope="module")
def ours() -> Iterator[Worker]:
    """The app without sockets, in a process of its own."""
    with worker("ours") as process:
        yield process


@pytest.mark.parametrize("work", _CEILINGS)
def test_a_request_costs_no_more_than_its_ceiling(ours: Worker, work: str) -> None:
    """The median over several rounds of a request and a fixed piece of Python, one after the other in one process."""
    ours.ask(work, 5)
    ratio = median(ours.ask(work, _COUNTS[work]) / ours.ask("fixed", 200) for _ in range(_ROUNDS))
    assert ratio < _CEILINGS[work], f"{ratio:.1f}"


def test_knowing_a_token_again_costs_little_beside_its_signature(ours: Worker) -> None:
    """The second callback with a token spends less on it than its signature alone would cost."""
    known = min(ours.ask("read-token", 500) for _ in range(_ROUNDS))
    signature = min(ours.ask("rsa", 100) for _ in range(_ROUNDS))
    assert known < signature


def test_each_step_costs_the_round_trips_that_are_promised() -> None:
    """Two requests to the table for an invite and for its outcome, one for a poll; one message, one to Graph."""
    found = trips.counted()
    assert {step: len(found[step]) for step in trips.GOALS} == trips.GOALS
    assert (found["queue"], found["graph"]) == (1, 1)


def test_the_packages_beside_the_import_are_those_that_the_app_imports() -> None:
    """The counterpart of the import is no more than what the app brings in anyway, or its ratio would flatter."""

    def loaded(code: str) -> set[str]:
        asked = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
        return set(subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split())

    assert loaded(importing.PACKAGES) <= loaded(importing.START)
    assert loaded(importing.ALL_PACKAGES) <= loaded(importing.WHOLE)
