"""What a turn has noted is done side by side, and no run of a message holds a request's."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from flows.duties import run_duties
from flows.turn import Turn


def turn_with(*duties: object, is_message: bool = False) -> Turn:
    """Return a turn that has noted some duties."""
    turn = Turn(is_message=is_message)
    for number, duty in enumerate(duties):
        turn.note(f"duty {number}", duty)  # type: ignore[arg-type]
    return turn


def test_side_by_side() -> None:
    """Three duties that wait for each other all end."""
    together = threading.Barrier(3)
    run_duties(turn_with(*[partial(together.wait, 5)] * 3))


@pytest.mark.swallows
def test_one_that_fails() -> None:
    """A duty that fails leaves the others alone."""
    done: list[int] = []

    def fails() -> None:
        raise ValueError

    run_duties(turn_with(fails, partial(done.append, 1), fails, partial(done.append, 2)))
    assert sorted(done) == [1, 2]


def test_what_a_duty_notes() -> None:
    """What follows from a duty is done too."""
    done: list[int] = []
    turn = turn_with()
    turn.note("first", partial(turn.note, "second", partial(done.append, 1)))
    run_duties(turn)
    assert done == [1]


def test_messages_that_hang_do_not_hold_a_request() -> None:
    """While the duties of forty messages hang, those of a request are done at once."""
    over = threading.Event()
    with ThreadPoolExecutor(40) as pool:
        for _ in range(40):
            pool.submit(run_duties, turn_with(partial(over.wait, 10), partial(over.wait, 10), is_message=True))
        time.sleep(0.2)
        done: list[float] = []
        started = time.monotonic()
        run_duties(turn_with(*[lambda: done.append(time.monotonic())] * 3))
        over.set()
    assert len(done) == 3
    assert max(done) - started < 2
