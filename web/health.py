"""Whether the app could do its work now: configuration and storage, and nothing that a stranger may not know."""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from web.about import version
from web.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Anyone may ask; storage is asked at most this often.
_REMEMBERED_SECONDS = 5.0


class Health:
    """Answers ``GET /health`` of a configured app.

    Args:
        checks: by name, each returns what is wrong.
        warnings: of the settings.
        faults: of the settings that the app can run with in part.
        packages: returns what is wrong with packages that are not imported at the start.
        clock: seconds.
    """

    def __init__(
        self,
        checks: Mapping[str, Callable[[], Sequence[str]]],
        warnings: Sequence[str],
        faults: Sequence[str] = (),
        *,
        packages: Callable[[], Sequence[str]] = tuple,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = checks
        self._warnings = warnings
        self._faults = faults
        self._packages = packages
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._found: list[dict[str, Any]] = []

    def answer(self) -> Answer:
        """Answer 200 where the app can work, else 503 with what keeps it from working."""
        with self._lock:
            if self._clock() - self._asked_at > _REMEMBERED_SECONDS:
                configuration = _configuration([*self._faults, *self._packages()], self._warnings)
                self._found = [configuration, *(_check(name, check()) for name, check in self._checks.items())]
                self._asked_at = self._clock()
            found = self._found
        return _answer(found)


def unconfigured(faults: Sequence[str]) -> Answer:
    """Answer for an app whose settings are incomplete or contradictory: all faults at once."""
    return _answer([_configuration(faults, [])])


def broken(error: Exception) -> Answer:
    """Answer for an app that can't say what is wrong with it; its log has the reason."""
    return _answer([_check("app", [f"can't be checked ({type(error).__name__}): the log has the reason"])])


def _configuration(faults: Sequence[str], warnings: Sequence[str]) -> dict[str, Any]:
    return {**_check("configuration", faults), "warnings": list(warnings)}


def _check(name: str, faults: Sequence[str]) -> dict[str, Any]:
    return {"name": name, "status": "failed" if faults else "ok", "faults": list(faults)}


def _answer(checks: list[dict[str, Any]]) -> Answer:
    healthy = all(check["status"] == "ok" for check in checks)
    body = {"status": "healthy" if healthy else "unhealthy", "version": version(), "checks": checks}
    if healthy:
        return Answer(HTTPStatus.OK, body)
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, body, {"Retry-After": "30", "x-ms-error-code": "Unhealthy"})
