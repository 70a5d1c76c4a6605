"""A Graph that answers by a script, and a clock that only sleeping moves."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from domain.results import OperationState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graph.errors import GraphError

TAKEN = OperationState("op", None, "running", None)


@dataclass
class Clock:
    """A clock that only sleeping moves."""

    seconds: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass(frozen=True)
class Asked:
    """One request that Graph got."""

    call_id: str
    body: Mapping[str, Any]
    scenario_id: str
    read_seconds: float


class ScriptedGraph:
    """Answers requests from a list, or from one list for each client context; the last answer stays."""

    def __init__(
        self,
        *script: OperationState | GraphError,
        clock: Clock | None = None,
        takes_seconds: float = 0.0,
        **by_context: list[OperationState | GraphError],
    ) -> None:
        self.asked: list[Asked] = []
        self._scripts = defaultdict(
            lambda: list(script) or [TAKEN], {name: list(own) for name, own in by_context.items()}
        )
        self._clock = clock
        self._takes = takes_seconds
        self._lock = threading.Lock()

    def invite(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> OperationState:
        """Answer what the script says next."""
        with self._lock:
            self.asked.append(Asked(call_id, body, scenario_id, read_seconds))
            script = self._scripts[body["clientContext"].replace("~", "_")]
            said = script.pop(0) if len(script) > 1 else script[0]
            if self._clock is not None:
                self._clock.seconds += self._takes
        if isinstance(said, Exception):
            raise said
        return said
