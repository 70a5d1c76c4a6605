"""Processor time of one request without sockets, beside msgraph-sdk doing the same, and where ours goes."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.benchmarks.environment import sdk_python
from dev.benchmarks.measure import Figure, Spread, in_turn, ratios, say, worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.benchmarks.measure import Worker


@dataclass(frozen=True, slots=True)
class _Work:
    name: str
    what: str
    count: int
    """How often it is done in one sample of ours."""
    sdk_count: int
    goal: int
    """Microseconds."""


_WORKS = (
    _Work("invite", "an invite of one person", 200, 20, 300),
    _Work("callback", "a callback of a finished operation, its token known", 200, 40, 150),
    _Work("roster", "a callback with a roster of 50 people, all new", 20, 2, 1000),
)
_PARTS = (
    ("first-callback", "a callback whose token is met for the first time", 100),
    ("graph", "of an invite: the request to Graph, through requests", 200),
    ("body", "of an invite: reading and checking its body", 400),
    ("row", "of each request about an invitation: from its row to its value and back", 400),
    ("edge", "of each request: the Functions library's answer made", 400),
    ("log", "of each request: one line of the log (an invite and a finished operation write two)", 400),
    ("first-token", "of a first callback: judging its token", 200),
    ("rsa", "of that: the RSA signature, by cryptography", 400),
    ("read-token", "of the other callbacks: knowing the token again", 2000),
    ("reading-roster", "of a roster: reading it", 40),
)


def figures(*, rounds: int = 11) -> Iterator[Figure]:
    """Measure the three requests, then their parts."""
    with ExitStack() as stack:
        ours = stack.enter_context(worker("ours"))
        python, reason = sdk_python()
        sdk = stack.enter_context(worker("sdk", python=python)) if python else None
        name = f"msgraph-sdk {sdk.ask('version')}" if sdk else f"msgraph-sdk could not be installed ({reason})"
        for each in _WORKS:
            say(f"processor time: {each.what}")
            yield _beside(each, ours, sdk, name, rounds)
        for work, what, count in _PARTS:
            say(f"processor time: {what}")
            (samples,) = in_turn(rounds, lambda work=work, count=count: ours.ask(work, count))  # type: ignore[misc]
            yield Figure("cpu", what, Spread.of(samples).text(" µs"), "", "")


def _beside(work: _Work, ours: Worker, sdk: Worker | None, name: str, rounds: int) -> Figure:
    sides: list[Callable[[], float]] = [lambda: ours.ask(work.name, work.count)]
    if sdk is not None:
        sides.append(lambda: sdk.ask(work.name, work.sdk_count))
    samples = in_turn(rounds, *sides)
    spread = Spread.of(samples[0])
    beside, result = name, "none"
    if sdk is not None:
        beside = f"{name}: {Spread.of(samples[1]).text(' µs')}"
        result = ratios(*samples).text(digits=3)
    return Figure("cpu", work.what, spread.text(" µs"), beside, result, f"≤ {work.goal} µs", spread.middle <= work.goal)
