"""Runs a function by the clock."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from azure.functions.timer import TimerRequest

from dev.host.invocation import FunctionFailed

if TYPE_CHECKING:
    from dev.host.app_model import TimerFunction
    from dev.host.invocation import Invoker

_log = logging.getLogger("dev.host.command")


class TimerTrigger:
    """Runs one timer function whenever it is due, never twice at a time; what fell due meanwhile is skipped."""

    def __init__(self, function: TimerFunction, invoker: Invoker) -> None:
        self._function = function
        self._invoker = invoker
        self._stopped = threading.Event()
        self._last = datetime.min.replace(tzinfo=UTC)
        self._one_at_a_time = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name=f"timer-{function.name}", daemon=True)

    def start(self) -> None:
        """Begin to watch the clock."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no further run."""
        self._stopped.set()

    def at_once(self, _: str) -> None:
        """Run the function now, whatever the clock says, on a thread of its own."""
        threading.Thread(target=self._run, name=f"timer-{self._function.name}-now", daemon=True).start()

    def _watch(self) -> None:
        if self._function.run_on_startup:
            self._run()
        while True:
            due = self._function.schedule.next_after(datetime.now(UTC))
            while (left := (due - datetime.now(UTC)).total_seconds()) > 0:
                # In small steps, since a machine's clock can be set or the machine can sleep.
                if self._stopped.wait(min(left, 60.0)):
                    return
            self._run()

    def _run(self) -> None:
        with self._one_at_a_time:
            now = datetime.now(UTC)
            request = TimerRequest(
                past_due=False,
                schedule_status={
                    "Last": self._last.isoformat(),
                    "Next": self._function.schedule.next_after(now).isoformat(),
                    "LastUpdated": self._last.isoformat(),
                },
                schedule={"AdjustForDST": True},
            )
            self._last = now
            try:
                self._invoker.run(self._function, request)
            except FunctionFailed:
                _log.exception("Executed %s: failed", self._function.name)
            else:
                _log.info("Executed %s: succeeded", self._function.name)
