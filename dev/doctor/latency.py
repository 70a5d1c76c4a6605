"""How long HTTP and the queue function take, warm, cold and after idle times, and what to set about it.

Nothing else shows it: on Flex Consumption each queue function is scaled by itself and to zero.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WARM_REQUESTS = 10
MOST_SECONDS = 180.0
"""A message that takes longer counts as lost, and ends the run."""
EARLY = 30.0
"""How long before its time the app lets an alarm wake it that a person waits for."""
_SLOW_HTTP = 3.0  # within which a callback is to be answered
_SLOW_WORK = 5.0
_SLOW_EARLY = 2.0
_COSTS = "docs/deploy.md#always-ready has the cost"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, in seconds, and how often."""

    idle: tuple[float, ...] = (0, 20, 40, 90)
    hidden: float = 45
    samples: int = 3

    @property
    def seconds(self) -> float:
        """How long it takes where everything is fast."""
        return self.samples * (sum(self.idle) + 2 * self.hidden)


class App(Protocol):
    """The app that is measured."""

    def request(self) -> float:
        """Send one HTTP request, and return how long it took."""

    def message(self, *, visible: float, due: float) -> float | None:
        """Send one message, and return how long after its time the response came; None for no response.

        Args:
            visible: seconds until the queue function can see it.
            due: seconds until its time, which its run waits for.
        """


@dataclass(slots=True)
class Row:
    """One line of the table."""

    name: str
    seconds: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def median(self) -> float | None:
        """Of the samples; one that was lost took longer than any other."""
        every = [*self.seconds, *[MOST_SECONDS] * self.lost]
        return round(statistics.median(every), 2) if every else None

    @property
    def longest(self) -> float | None:
        """The slowest sample."""
        return MOST_SECONDS if self.lost else round(max(self.seconds), 2) if self.seconds else None


class Latency:
    """One run of all measurements."""

    def __init__(self, app: App, plan: Plan, say: Callable[[str], None], sleep: Callable[[float], None]) -> None:
        self._app = app
        self._plan = plan
        self._say = say
        self._sleep = sleep
        longest = max(plan.idle)
        self.first = Row("HTTP, first request of this run")
        self.warm = Row("HTTP, warm")
        self.idle = Row(f"HTTP, after {longest:g} s without one")
        self.work = {idle: Row(f"message, {idle:g} s after the last") for idle in plan.idle}
        self.hidden = Row(f"message hidden for {plan.hidden:g} s, after its time")
        self.early = Row(f"the same, visible {min(EARLY, plan.hidden):g} s early")

    @property
    def rows(self) -> list[Row]:
        """The table."""
        return [self.first, self.warm, self.idle, *self.work.values(), self.hidden, self.early]

    def run(self) -> None:
        """Measure; a message that is lost ends it."""
        self._http(self.first)
        for _ in range(WARM_REQUESTS):
            self._http(self.warm)
        for number in range(1, self._plan.samples + 1):
            for what, done in self._round():
                self._say(f"{number}/{self._plan.samples}  {what}")
                if not done():
                    return

    def _round(self) -> Iterator[tuple[str, Callable[[], bool]]]:
        for idle, row in self.work.items():
            yield row.name, lambda idle=idle, row=row: self._after(idle, row)  # type: ignore[misc]
        hidden = self._plan.hidden
        yield self.hidden.name, lambda: self._message(self.hidden, visible=hidden, due=hidden)
        yield self.early.name, lambda: self._message(self.early, visible=max(hidden - EARLY, 0), due=hidden)

    def _after(self, idle: float, row: Row) -> bool:
        self._sleep(idle)
        if not self._message(row, visible=0, due=0):
            return False
        if idle == max(self._plan.idle):
            self._http(self.idle)
        return True

    def _http(self, row: Row) -> None:
        row.seconds.append(self._app.request())

    def _message(self, row: Row, *, visible: float, due: float) -> bool:
        seconds = self._app.message(visible=visible, due=due)
        if seconds is None:
            row.lost += 1
            return False
        row.seconds.append(max(seconds, 0.0))
        return True

    def advice(self) -> str:
        """Return what to set."""
        if any(row.lost for row in self.rows):
            return (
                f"a message had no response within {MOST_SECONDS:g} s: is the function work there, enabled "
                "(AzureWebJobs.work.Disabled), and of this version? docs/operate.md#queues"
            )
        found = []
        if max(self.first.median or 0, self.idle.median or 0) > _SLOW_HTTP:
            found.append(f"a request after idle time takes over {_SLOW_HTTP:g} s: set ALWAYS_READY_INSTANCES to 1 or 2")
        slowest = max((row.median or 0) for row in (*self.work.values(), self.hidden))
        if slowest > _SLOW_WORK and (self.early.median or 0) > _SLOW_EARLY:
            found.append("what is due begins late though it wakes the app early: set ALWAYS_READY_WORK_INSTANCES to 1")
        elif slowest > _SLOW_WORK:
            found.append(
                "the queue function sleeps, but is awake when a step is due: only retries and repairs are late. "
                "ALWAYS_READY_WORK_INSTANCES of 1 changes that"
            )
        return "; ".join([*found, _COSTS]) if found else "nothing: everything is answered within seconds"


def table(rows: list[Row]) -> list[str]:
    """Return the lines of the table."""
    width = max(len(row.name) for row in rows)
    head = f"{'':<{width}}  samples  median  longest"
    return [head, *(_line(row, width) for row in rows)]


def _line(row: Row, width: int) -> str:
    shown = [f"{value:.2f} s" if value is not None else "-" for value in (row.median, row.longest)]
    return f"{row.name:<{width}}  {len(row.seconds) + row.lost:>7}  {shown[0]:>6}  {shown[1]:>7}"
