"""How figures are taken on a shared machine: the sides in turn, several rounds, medians, and ratios within a round."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
HEADER = "| what | ours | compared with | ratio or figure | goal | met | command |"
BEGIN, END = "<!-- measured: make bench -->", "<!-- end of measured -->"
_PACKAGES = (
    *("azure-functions", "azure-data-tables", "azure-storage-queue"),
    *("msal", "requests", "PyJWT", "cryptography", "pydantic"),
)
# In Azure these are set; the app would refuse the simulator there.
_AZURE = ("CONTAINER_NAME", "WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME", "WEBSITE_SKU")
_MET = {True: "yes", False: "no", None: ""}


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table; ``met`` is None where there is no goal."""

    bench: str
    what: str
    ours: str
    other: str
    result: str
    goal: str = ""
    met: bool | None = None


def spread(samples: Sequence[float], unit: str = "", digits: int = 2) -> str:
    """Return ``median (lower to upper quartile)``."""
    low, _, high = quantiles(samples, n=4)
    middle = median(samples)
    return f"{middle:,.{digits}f}{unit} ({low:,.{digits}f} to {high:,.{digits}f})"


def compared(
    bench: str,
    what: str,
    samples: Sequence[Sequence[float]],
    other: str,
    *,
    unit: str = " ms",
    at_most: float | None = None,
    at_least: float | None = None,
) -> Figure:
    """Return the row of both sides: the ratio is taken round by round, and its median is held against the goal."""
    ratios = [ours / theirs for ours, theirs in zip(*samples, strict=True)]
    goal, met = "", None
    if at_most is not None:
        goal, met = f"≤ {at_most:.2f}", median(ratios) <= at_most
    elif at_least is not None:
        goal, met = f"≥ {at_least:.2f}", median(ratios) >= at_least
    digits = 0 if unit == " a second" else 2
    return Figure(
        bench,
        what,
        spread(samples[0], unit, digits),
        f"{other}: {spread(samples[1], unit, digits)}",
        spread(ratios),
        goal,
        met,
    )


def compared_at_95(
    bench: str, what: str, samples: Sequence[Sequence[float]], other: str, *, at_most: float | None = None
) -> Figure:
    """Return the row of the 95th percentiles of both sides' single samples, whose ratio is held against the goal."""
    ours, theirs = (quantiles(side, n=20)[-1] for side in samples)
    ratio = ours / theirs
    goal, met = ("", None) if at_most is None else (f"≤ {at_most:.2f}", ratio <= at_most)
    return Figure(bench, what, f"{ours:,.2f} ms", f"{other}: {theirs:,.2f} ms", f"{ratio:.2f}", goal, met)


def in_turn(rounds: int, *sides: Callable[[], float]) -> list[list[float]]:
    """Measure the sides one after the other, round by round, after one round to warm up; return each side's samples."""
    samples: list[list[float]] = [[] for _ in sides]
    for number in range(rounds + 1):
        # The first side changes, so that none always meets what another left behind.
        order = range(len(sides)) if number % 2 == 0 else range(len(sides) - 1, -1, -1)
        for index in order:
            sample = sides[index]()
            if number:
                samples[index].append(sample)
    return samples


class Worker:
    """A process that does pieces of work, a line for a line, and returns what it measured."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, work: str, count: int = 1) -> Any:
        """Have a piece of work done ``count`` times; raises RuntimeError where the worker failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{work} {count}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker failed at {work}; its error is above")
        return json.loads(line)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that has these settings and is not in Azure."""
    return {**{name: value for name, value in os.environ.items() if name not in _AZURE}, **settings}


@contextmanager
def worker(module: str, settings: Mapping[str, str] | None = None, *, python: str = sys.executable) -> Iterator[Worker]:
    """Run a module of this folder as a worker while the block lasts."""
    command = [python, "-m", f"dev.benchmarks.{module}"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(settings or {}), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Worker(process)


def serve(works: Mapping[str, Callable[..., Any]]) -> None:
    """Be a worker: do what is asked on standard input, ``work`` or ``work:what it is about``, until it ends."""
    for line in sys.stdin:
        work, count = line.split()
        name, _, about = work.partition(":")
        argument = (about,) if about else ()
        print(json.dumps(works[name](int(count), *argument)), flush=True)


def timed(prepare: Callable[[], Any], work: Callable[[Any], Any], count: int) -> dict[str, float]:
    """Return the milliseconds of wall and processor time of one piece of work, without its preparation."""
    wall = processor = 0.0
    for prepared in [prepare() for _ in range(count)]:
        started, used = time.perf_counter(), time.process_time()
        work(prepared)
        wall, processor = wall + time.perf_counter() - started, processor + time.process_time() - used
    return {"wall": 1000 * wall / count, "cpu": 1000 * processor / count}


def say(text: str) -> None:
    """Show progress on standard error."""
    print(f"    {text}", file=sys.stderr, flush=True)


def table(figures: Iterable[Figure]) -> str:
    """Return the table in Markdown, with the machine on which it was measured."""
    lines = [f"Measured on: {_machine()}.", "", HEADER, "|---|---|---|---|---|---|---|"]
    for one in figures:
        cells = (one.what, one.ours, one.other, one.result, one.goal, _MET[one.met], f"`make bench BENCH={one.bench}`")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def within(page: str, measured: str, benches: Iterable[str]) -> str:
    """Return a page with the table between its marks replaced; rows of benches that were not measured stay.

    Args:
        page: the page.
        measured: a table.
        benches: the order of the rows.
    """
    before, begin, rest = page.partition(BEGIN)
    old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no marks for the table")
    head, _, rows = measured.rpartition("|---|\n")
    new, kept = rows.splitlines(), old.splitlines()
    lines = []
    for bench in benches:
        mark = f"BENCH={bench}`"
        lines += [line for line in new if mark in line] or [line for line in kept if mark in line]
    return f"{before}{BEGIN}\n\n{head}|---|\n" + "\n".join(lines) + f"\n\n{END}{after}"


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{next(names, platform.machine())}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; {packages}"
    )
