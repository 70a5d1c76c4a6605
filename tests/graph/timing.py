"""A clock that tests advance, and work done by many threads at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Stands still until a test advances it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def at_once(count: int, work: Callable[[], Any]) -> list[Any]:
    """Do the same on as many threads, and return what each returned."""
    results: list[Any] = []
    ready = threading.Barrier(count)

    def run() -> None:
        ready.wait(10)
        results.append(work())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(results) == count
    return results
