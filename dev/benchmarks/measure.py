"""How figures are taken on a machine that does other things too: sides in turn, several rounds, the middle counts."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = (
    "azure-functions",
    "azure-data-tables",
    "azure-storage-queue",
    "msal",
    "requests",
    "PyJWT",
    "cryptography",
    "pydantic",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    bench: str
    """What ``make bench BENCH=`` takes it with."""
    what: str
    ours: str
    beside: str
    """The counterpart that was measured in the same run, empty where there is none."""
    result: str
    goal: str = ""
    met: bool | None = None
    """None where there is no goal."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Samples of one thing."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        """Return the median and the quartiles around it."""
        quarter = quantiles(samples, n=4)
        return cls(quarter[0], median(samples), quarter[2])

    def text(self, unit: str = "", digits: int = 0) -> str:
        """Return ``median (lower quartile to upper quartile)``."""
        low, middle, high = (f"{value:,.{digits}f}" for value in (self.low, self.middle, self.high))
        return f"{middle}{unit} ({low} to {high})"


class Worker:
    """A process that measures one side and tells what it measured, a line for a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, work: str, count: int = 1) -> Any:
        """Have a piece of work done ``count`` times and return what the worker measured.

        Raises:
            RuntimeError: the worker failed; what it said is on standard error.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{work} {count}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker failed at {work}")
        return json.loads(line)


@contextmanager
def worker(
    module: str, environment: Mapping[str, str] | None = None, *, python: str = sys.executable
) -> Iterator[Worker]:
    """Run a module of this folder as a worker while the block lasts."""
    process = subprocess.Popen(
        [python, "-m", f"benchmarks.{module}"],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Worker(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def in_turn(rounds: int, *sides: Callable[[], float], warm_up: int = 1) -> list[list[float]]:
    """Measure the sides one after the other, round by round; return each side's samples."""
    for _ in range(warm_up):
        for side in sides:
            side()
    samples: list[list[float]] = [[] for _ in sides]
    for number in range(rounds):
        # Whoever is measured first changes, so that neither always meets what the other left behind.
        order = range(len(sides)) if number % 2 == 0 else range(len(sides) - 1, -1, -1)
        for place in order:
            samples[place].append(sides[place]())
    return samples


def ratios(ours: Sequence[float], beside: Sequence[float]) -> Spread:
    """Return ours ÷ the counterpart, round by round."""
    return Spread.of([one / other for one, other in zip(ours, beside, strict=True)])


def say(text: str) -> None:
    """Show progress, beside the table and not in it."""
    print(f"    {text}", file=sys.stderr, flush=True)


def machine() -> str:
    """Name the machine and the packages that were measured."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; {packages}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
