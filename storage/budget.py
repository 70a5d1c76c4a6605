"""How long storage may take: one budget for all requests, waits, retries and tokens of a request, wherever they happen.

A budget counts the time in which anything is asked of storage, on any thread of the request: what Graph takes between
two writes does not count, or its answer could not be written down.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLBACK_SECONDS = 4.0
"""Graph gives up on a callback after about five seconds."""
REQUEST_SECONDS = 8.0
_CONNECT_SECONDS = 1.0
_RESPONSE_SECONDS = 2.0
_LEAST_SECONDS = 0.05
_FIRST_WAIT = 0.1


class _Stopwatch:
    """Runs while it is entered, however often and on whatever threads."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._lock = threading.Lock()
        self._entered = 0
        self._since = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if self._entered == 0:
                self._since = time.monotonic()
            self._entered += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._entered -= 1
            if self._entered == 0:
                self._left -= time.monotonic() - self._since

    def left(self) -> float:
        """Return the seconds that are left."""
        with self._lock:
            running = time.monotonic() - self._since if self._entered else 0.0
            return max(self._left - running, 0.0)


_budgets: ContextVar[tuple[_Stopwatch, ...]] = ContextVar("storage_budgets", default=())


@contextmanager
def budget(seconds: float, *, whole: bool = False) -> Iterator[None]:
    """Give all that is asked of storage within the block a number of seconds; outer budgets stay in force.

    Args:
        seconds: for all of it together.
        whole: whether all time of the block counts, not only what storage takes.
    """
    stopwatch = _Stopwatch(seconds)
    token = _budgets.set((*_budgets.get(), stopwatch))
    try:
        with ExitStack() as running:
            if whole:
                running.enter_context(stopwatch)
            yield
    finally:
        _budgets.reset(token)


@contextmanager
def spending() -> Iterator[None]:
    """Count the block's time; where there is no budget it gets one of its own."""
    with ExitStack() as running:
        if not _budgets.get():
            running.enter_context(budget(REQUEST_SECONDS))
        for stopwatch in _budgets.get():
            running.enter_context(stopwatch)
        yield


def remaining() -> float:
    """Return the seconds that are left; those of a request where there is no budget."""
    return min((stopwatch.left() for stopwatch in _budgets.get()), default=REQUEST_SECONDS)


def is_spent() -> bool:
    """Return whether no time is left for a request."""
    return remaining() < _LEAST_SECONDS


def time_limits() -> tuple[float, float]:
    """Return the seconds for connecting and for a whole response: together they are within what is left."""
    left = max(remaining(), _LEAST_SECONDS)
    connecting = min(_CONNECT_SECONDS, left / 2)
    return connecting, min(_RESPONSE_SECONDS, left - connecting)


def wait(attempt: int, retry_after: float | None) -> bool:
    """Wait before a further attempt and return True, or return False at once where no time is left for one.

    Args:
        attempt: from 1, which failed; the wait doubles with each, with up to half of it at random.
        retry_after: seconds that storage named.
    """
    seconds = _FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(1.0, 1.5)  # noqa: S311 - not for secrets
    if retry_after is not None:
        seconds = max(seconds, retry_after)
    if seconds + _LEAST_SECONDS >= remaining():
        return False
    time.sleep(seconds)
    return True
