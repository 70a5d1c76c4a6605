"""How much a process grows over many requests, its storage kept out of the count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.benchmarks.measure import Figure, say, worker

if TYPE_CHECKING:
    from collections.abc import Iterator

_GOAL = 5.0


def figures(*, requests: int = 50_000, warm_up: int = 9_000) -> Iterator[Figure]:
    """Serve a mix of invites, polls and callbacks, every one about a call of its own."""
    with worker("ours") as ours:
        say(f"memory: {warm_up} requests to warm up")
        before = ours.ask("mixed", warm_up)["mebibytes"]
        after = before
        for number in range(1, 11):
            after = ours.ask("mixed", requests // 10)["mebibytes"]
            say(f"memory: {number * requests // 10} requests, {after - before:+.2f} MiB")
    yield Figure(
        "memory",
        f"growth over {requests:,} requests",
        f"{after:,.1f} MiB",
        f"after {warm_up:,} requests: {before:,.1f} MiB",
        f"{after - before:+.2f} MiB",
        f"≤ {_GOAL:.0f} MiB",
        after - before <= _GOAL,
    )
