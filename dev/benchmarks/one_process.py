"""What one request costs inside one process: processor time, wall time, memory, round trips."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from dev.benchmarks.environment import sdk_python
from dev.benchmarks.measure import Figure, Worker, compared, in_turn, say, worker
from dev.benchmarks.real_parts import real_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORKS = {
    "invite": "an invite of one person",
    "report": "a report of a finished operation, its token known",
    "poll": "a poll",
}
# The work, the storage requests to be subtracted as the bare script makes them, and how often the SDK does it.
_SDK_WORKS = (
    ("invite", "stored", "an invite without its storage requests", 20),
    ("report", "report", "a report of a finished operation without its storage requests", 20),
    ("roster", None, "a report of a roster of 50 people, all new, with its storage requests", 2),
)
_LOOKS = {
    "live": "`/live` with 50 people and 200 events",
    "unchanged": "`/live` with 50 people and 200 events, answered with 304",
}
TRIPS = {
    "invite": {"Table": 2, "Queue": 1, "Graph": 1},
    "report": {"Table": 2},
    "poll": {"Table": 1},
    "live": {"Table": 1},
    "unchanged": {"Table": 1},
}
_GROWTH = 5.0


def wall(*, rounds: int = 11, count: int = 20) -> Iterator[Figure]:
    """Compare with a bare script that makes the same requests."""
    with real_parts() as shared, worker("ours", shared) as ours, worker("bare", shared) as bare:
        for work, what in _WORKS.items():
            say(f"wall time: {what}")
            samples = _taken(rounds, "wall", (ours, work, count), (bare, work, count))
            goal = 1.25 if work == "invite" else None
            yield compared("wall", f"wall time of {what}", samples, "a bare script", at_most=goal)


def processor(*, rounds: int = 9) -> Iterator[Figure]:
    """Compare with a bare script, and what is not storage with msgraph-sdk, which keeps no state and checks nothing."""
    with ExitStack() as stack:
        shared = stack.enter_context(real_parts())
        ours, bare = (stack.enter_context(worker(name, shared)) for name in ("ours", "bare"))
        for work, what in _WORKS.items():
            say(f"processor time: {what}")
            samples = _taken(rounds, "cpu", (ours, work, 20), (bare, work, 20))
            yield compared("cpu", f"processor time of {what}", samples, "a bare script")
        python, reason = sdk_python()
        if python is None:
            yield Figure("cpu", "the same", "", f"msgraph-sdk could not be installed: {reason}", "none")
            return
        sdk = stack.enter_context(worker("sdk", python=python))
        for work, storage, what, count in _SDK_WORKS:
            say(f"processor time: {what}, and msgraph-sdk")
            sides = (ours, work, 20), (sdk, work, count), *([(bare, storage, 20)] if storage else [])
            mine, theirs, *stored = _taken(rounds, "cpu", *sides)
            own = [one - other for one, other in zip(mine, stored[0], strict=True)] if stored else mine
            yield compared("cpu", f"processor time of {what}", (own, theirs), f"msgraph-sdk {sdk.ask('version')}")


def memory(*, requests: int = 6_000, warm_up: int = 1_500) -> Iterator[Figure]:
    """Serve invites, reports and polls in turn."""
    with real_parts() as shared, worker("ours", shared) as ours:
        say(f"memory: {warm_up + requests:,} requests")
        before, after = ours.ask("mixed", warm_up), ours.ask("mixed", requests)
    grown = after - before
    what = f"memory after {requests:,} more requests"
    other = f"after {warm_up:,} requests: {before:,.1f} MiB"
    goal = f"≤ {_GROWTH:.0f} MiB"
    yield Figure("memory", what, f"{after:,.1f} MiB", other, f"{grown:+.2f} MiB", goal, grown <= _GROWTH)


def live(*, rounds: int = 9, count: int = 20) -> Iterator[Figure]:
    """Look at a large call, and look again while nothing changes; a bare script reads the same rows."""
    with real_parts() as shared, worker("ours", shared) as ours, worker("bare", shared) as bare:
        say("watching: a call with 50 people and 200 events")
        call_id = ours.ask("watched")[0]
        for time, name in (("cpu", "processor time"), ("wall", "wall time")):
            samples = _taken(rounds, time, (ours, "live", count), (bare, f"rows:{call_id}", count))
            yield compared("live", f"{name} of {_LOOKS['live']}", samples, "a bare query of the same rows")
            samples = _taken(rounds, time, (ours, "unchanged", count), (ours, "live", count))
            yield compared("live", f"{name} of {_LOOKS['unchanged']}", samples, "the same, answered with 200")


def trips() -> Iterator[Figure]:
    """Count the HTTP requests of each step."""
    say("round trips")
    found = counted()
    for work, goal in TRIPS.items():
        made, promised = (
            ", ".join(f"{number} {kind}" for kind, number in sorted(one.items(), reverse=True))
            for one in (found[work], goal)
        )
        yield Figure(
            "trips", f"round trips of {(_WORKS | _LOOKS)[work]}", made, "", made, promised, found[work] == goal
        )


def counted() -> dict[str, dict[str, int]]:
    """Return the HTTP requests of each step by what they reach."""
    with real_parts() as shared, worker("ours", shared) as ours:
        found: dict[str, dict[str, int]] = ours.ask("trips")
        return found


def _taken(rounds: int, time: str, *sides: tuple[Worker, str, int]) -> list[list[float]]:
    def side(asked: Worker, work: str, count: int) -> float:
        measured: dict[str, float] = asked.ask(work, count)
        return measured[time]

    return in_turn(rounds, *(lambda one=one: side(*one) for one in sides))
