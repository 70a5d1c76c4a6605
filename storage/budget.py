"""How long storage may take: one budget for all waits, retries and tokens of a request, wherever they happen."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLBACK_SECONDS = 4.0
"""Graph gives up on a callback after about five seconds."""
REQUEST_SECONDS = 8.0
_CONNECT_SECONDS = 1.0
_READ_SECONDS = 2.0
_LEAST_SECONDS = 0.05
_FIRST_WAIT = 0.1
_ends: ContextVar[float | None] = ContextVar("storage_budget_ends", default=None)


@contextmanager
def budget(seconds: float) -> Iterator[None]:
    """Give all that is asked of storage within the block a number of seconds in sum; an outer budget stays in force."""
    outer = _ends.get()
    end = time.monotonic() + seconds
    token = _ends.set(end if outer is None else min(outer, end))
    try:
        yield
    finally:
        _ends.reset(token)


def remaining() -> float:
    """Return the seconds that are left; the budget of a request where none was given."""
    end = _ends.get()
    return REQUEST_SECONDS if end is None else max(end - time.monotonic(), 0.0)


def time_limits() -> dict[str, float]:
    """Return the time limits of one request, as the storage libraries take them."""
    left = max(remaining(), _LEAST_SECONDS)
    return {"connection_timeout": min(_CONNECT_SECONDS, left), "read_timeout": min(_READ_SECONDS, left)}


def wait(attempt: int, retry_after: float | None) -> bool:
    """Wait before a further attempt and return True, or return False at once where no time is left for one.

    Args:
        attempt: from 1, which failed; the wait doubles with each, with up to half of it at random.
        retry_after: seconds that storage named.
    """
    seconds = _FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(1.0, 1.5) if retry_after is None else retry_after  # noqa: S311
    if seconds + _LEAST_SECONDS >= remaining():
        return False
    time.sleep(seconds)
    return True
