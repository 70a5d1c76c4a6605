"""What goes wrong in the small world, and in which order runs that overlap take their steps."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from storage.errors import StorageUnavailable
from storage.table import WriteUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Crash(BaseException):
    """The process is killed here; nothing catches it."""


@dataclass
class Plan:
    """What goes wrong, and at which input or output from now on."""

    countdown: int = 0
    """Which step from now fails; 0 for no step."""
    kind: str = "crash"
    """``crash`` or ``storage``."""
    after: bool = False
    """Fail when the step is done instead of before it: its effect stays, its response is lost."""
    in_a_row: int = 1
    """How many steps fail, one after the other."""
    crashes: int = 0
    """How often a run was cut short."""
    on_fault: Callable[[], None] = field(default=lambda: None)
    """Called in the run that fails."""

    def wrap(self, step: Callable[..., Any], *arguments: Any, is_storage: bool = True, **named: Any) -> Any:
        """Do a step, or fail."""
        if self.countdown == 0:
            return step(*arguments, **named)
        if self.kind == "storage" and not is_storage:
            return step(*arguments, **named)
        self.countdown -= 1
        if self.countdown > 0:
            return step(*arguments, **named)
        if self.in_a_row > 1 and self.kind == "storage":
            self.in_a_row -= 1
            self.countdown = 1
        if self.after:
            step(*arguments, **named)
        self.on_fault()
        if self.kind == "crash":
            self.crashes += 1
            raise Crash
        raise WriteUnknown if step.__name__ == "write" else StorageUnavailable


_run: ContextVar[int | None] = ContextVar("run", default=None)


class Interleaving:
    """Runs several actions, each on a thread of its own, one step of one of them at a time, in a given order."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._turn: int | None = None
        self.is_on = False

    def step(self) -> None:
        """Wait until this run's next step; nothing is waited for where runs do not overlap."""
        me = _run.get()
        if me is None or not self.is_on:
            return
        with self._condition:
            self._turn = None
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._turn == me)

    def run(self, actions: Sequence[Callable[[], object]], order: Sequence[int]) -> None:
        """Run the actions to their ends; ``order`` names whose step is next, by place among those that go on."""
        going = list(range(len(actions)))
        choices = iter(order)
        self.is_on = True
        threads = [
            threading.Thread(target=self._action, args=(place, action, going)) for place, action in enumerate(actions)
        ]
        for thread in threads:
            thread.start()
        while going:
            with self._condition:
                self._turn = going[next(choices, 0) % len(going)]
                self._condition.notify_all()
                self._condition.wait_for(lambda: self._turn is None)
        for thread in threads:
            thread.join()
        self.is_on = False

    def _action(self, me: int, action: Callable[[], object], going: list[int]) -> None:
        _run.set(me)
        with self._condition:
            self._condition.wait_for(lambda: self._turn == me)
        try:
            action()
        finally:
            with self._condition:
                going.remove(me)
                self._turn = None
                self._condition.notify_all()


class Breaking:
    """Passes every method call on, as one step, through the plan."""

    def __init__(self, target: Any, plan: Plan, interleaving: Interleaving, *, is_storage: bool = True) -> None:
        self._target, self._plan, self._is_storage = target, plan, is_storage
        self._interleaving = interleaving

    def __getattr__(self, name: str) -> Callable[..., Any]:
        step = getattr(self._target, name)

        def broken(*arguments: Any, **named: Any) -> Any:
            self._interleaving.step()
            return self._plan.wrap(step, *arguments, is_storage=self._is_storage, **named)

        return broken
