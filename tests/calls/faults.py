"""What goes wrong in the small world of starts: at which input or output, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.errors import StorageUnavailable
from storage.table import WriteUnknown

if TYPE_CHECKING:
    from collections.abc import Callable


class Crash(BaseException):
    """The process is killed here; nothing catches it."""


@dataclass
class Plan:
    """Which input or output from now on fails."""

    countdown: int = 0
    """Which step from now fails; 0 for no step."""
    kind: str = "crash"
    """``crash`` or ``storage``."""
    after: bool = False
    """Fail when the step is done: its effect stays, its response is lost."""
    in_a_row: int = 1
    """How many steps fail, one after the other."""
    faults: int = 0
    """How many steps have failed so far."""

    def wrap(self, step: Callable[..., Any], *arguments: Any, is_storage: bool, **named: Any) -> Any:
        """Do a step, or fail."""
        if self.countdown == 0 or (self.kind == "storage" and not is_storage):
            return step(*arguments, **named)
        self.countdown -= 1
        if self.countdown > 0:
            return step(*arguments, **named)
        if self.in_a_row > 1 and self.kind == "storage":
            self.in_a_row -= 1
            self.countdown = 1
        if self.after:
            step(*arguments, **named)
        self.faults += 1
        if self.kind == "crash":
            raise Crash
        raise WriteUnknown if step.__name__ == "write" else StorageUnavailable


class Breaking:
    """Passes every method call on, as one step, through the plan, and keeps its name."""

    def __init__(self, target: Any, plan: Plan, *, is_storage: bool = True) -> None:
        self._target, self._plan, self._is_storage = target, plan, is_storage
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        step = getattr(self._target, name)

        def broken(*arguments: Any, **named: Any) -> Any:
            self.asked.append(name)
            return self._plan.wrap(step, *arguments, is_storage=self._is_storage, **named)

        return broken
