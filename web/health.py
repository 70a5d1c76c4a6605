"""Whether the app could do its work now: configuration and storage, and nothing that a stranger may not know."""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from web.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Anyone may ask; storage is asked at most this often.
_REMEMBERED_SECONDS = 5.0


class Storage(Protocol):
    """A table or a queue, as far as its health goes."""

    def is_reachable(self) -> bool:
        """Return whether it answers."""


class Health:
    """Answers ``GET /health`` of a configured app."""

    def __init__(
        self,
        store: Storage,
        queue: Storage,
        warnings: Sequence[str],
        faults: Sequence[str] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._queue = queue
        self._warnings = list(warnings)
        self._faults = list(faults)
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._reachable = (False, False)

    def answer(self) -> Answer:
        """Answer 200 where the app can work, else 503 with what keeps it from working."""
        with self._lock:
            if self._clock() - self._asked_at > _REMEMBERED_SECONDS:
                self._reachable = (self._store.is_reachable(), self._queue.is_reachable())
                self._asked_at = self._clock()
            table, queue = self._reachable
        checks = [
            _configuration(self._faults, self._warnings),
            _storage_check("tableStorage", reachable=table),
            _storage_check("queueStorage", reachable=queue),
        ]
        return _answer(checks)


def unconfigured(faults: Sequence[str]) -> Answer:
    """Answer for an app whose settings are incomplete or contradictory: all faults at once."""
    return _answer([_configuration(faults, [])])


def _configuration(faults: Sequence[str], warnings: Sequence[str]) -> dict[str, Any]:
    status = "failed" if faults else "ok"
    return {"name": "configuration", "status": status, "faults": list(faults), "warnings": list(warnings)}


def _storage_check(name: str, *, reachable: bool) -> dict[str, Any]:
    faults = [] if reachable else ["can't be reached: check the connection and the identity's roles on the account"]
    return {"name": name, "status": "ok" if reachable else "failed", "faults": faults}


def _answer(checks: list[dict[str, Any]]) -> Answer:
    healthy = all(check["status"] == "ok" for check in checks)
    body = {"status": "healthy" if healthy else "unhealthy", "checks": checks}
    if healthy:
        return Answer(HTTPStatus.OK, body)
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, body, {"Retry-After": "30", "x-ms-error-code": "Unhealthy"})
