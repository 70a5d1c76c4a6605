"""Runs a function on its schedule."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from azure.functions.timer import TimerRequest

from dev.host.worker import FunctionFailed

if TYPE_CHECKING:
    from dev.host.app_model import TimerFunction
    from dev.host.worker import Worker

_log = logging.getLogger("dev.host")
_LONGEST_SLEEP = 60.0


class TimerTrigger:
    """Runs one timer function whenever it is due, never twice at a time; what fell due meanwhile is skipped."""

    def __init__(self, function: TimerFunction, worker: Worker) -> None:
        self.function = function
        self._worker = worker
        self._one_at_a_time = asyncio.Lock()
        self._stopped = asyncio.Event()

    async def listen(self) -> None:
        """Run the function at its times, until ``stop``."""
        due = self.function.next_after(datetime.now(UTC))
        while not self._stopped.is_set():
            left = (due - datetime.now(UTC)).total_seconds()
            if left <= 0:
                await self._run()
                due = self.function.next_after(datetime.now(UTC))
                continue
            # In small steps, since a machine's clock can be set, or the machine can sleep.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), min(left, _LONGEST_SLEEP))

    async def stop(self) -> None:
        """Begin no further run."""
        self._stopped.set()

    def run_once(self, _: str) -> None:
        """Run the function now, whatever the schedule says."""
        self._worker.spawn(self._run())

    async def _run(self) -> None:
        async with self._one_at_a_time:
            with suppress(FunctionFailed):
                await self._worker.invoke(self.function, TimerRequest())
                _log.info("Executed %s: succeeded", self.function.name)
