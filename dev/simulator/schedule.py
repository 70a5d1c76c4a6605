"""Things that happen later: one thread watches the clock, a few others do the work."""

from __future__ import annotations

import heapq
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Job = Callable[[], None]
_log = logging.getLogger(__name__)


class Schedule:
    """Runs jobs after a delay, given in Graph's seconds, on background threads."""

    def __init__(self, time_scale: float, *, workers: int = 16) -> None:
        self.time_scale = time_scale
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, Job, bool]] = []
        self._ready: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._unfinished = 0
        self._stopped = False
        self._threads = [threading.Thread(target=self._watch, name="simulator-clock", daemon=True)]
        self._threads += [
            threading.Thread(target=self._work, name=f"simulator-worker-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Drop what has not begun and end the threads."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()
        for _ in self._threads[1:]:
            self._ready.put(None)
        for thread in self._threads:
            thread.join(timeout=1)

    def after(self, seconds: float, job: Job, *, quietly: bool = False) -> None:
        """Run ``job`` once, ``seconds`` (before scaling) from now; ``quietly`` counts it from when it is due only."""
        with self._changed:
            if self._stopped:
                return
            self._unfinished += not quietly
            if seconds <= 0:
                self._ready.put(job)
                return
            due = time.monotonic() + seconds * self.time_scale
            heapq.heappush(self._waiting, (due, next(self._order), job, quietly))
            self._changed.notify_all()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count as unfinished while the block runs."""
        with self._changed:
            self._unfinished += 1
        try:
            yield
        finally:
            self._finish()

    def sleep(self, seconds: float) -> None:
        """Block the caller for ``seconds`` (before scaling), or until the schedule stops."""
        due = time.monotonic() + seconds * self.time_scale
        with self._changed:
            while not self._stopped and (left := due - time.monotonic()) > 0:
                self._changed.wait(left)

    def forget(self) -> None:
        """Drop every job that has not begun."""
        with self._changed:
            self._unfinished -= sum(not quietly for *_, quietly in self._waiting)
            self._waiting.clear()
            while True:
                try:
                    job = self._ready.get_nowait()
                except queue.Empty:
                    break
                self._unfinished -= job is not None
            self._changed.notify_all()

    def wait_idle(self, timeout: float) -> bool:
        """Wait until no job is left, at most ``timeout`` real seconds; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._unfinished, timeout)

    def _watch(self) -> None:
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                while self._waiting and self._waiting[0][0] <= now:
                    *_, job, quietly = heapq.heappop(self._waiting)
                    self._unfinished += quietly
                    self._ready.put(job)
                self._changed.wait(self._waiting[0][0] - now if self._waiting else None)

    def _work(self) -> None:
        while (job := self._ready.get()) is not None:
            try:
                job()
            except Exception:  # noqa: BLE001 - one failed event must not end the others
                _log.exception("a simulated event failed")
            finally:
                self._finish()

    def _finish(self) -> None:
        with self._changed:
            self._unfinished -= 1
            if not self._unfinished:
                self._changed.notify_all()
