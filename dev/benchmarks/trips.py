"""How many requests to storage each step costs, counted where the app hands them to its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev.benchmarks.measure import Figure, say, worker

if TYPE_CHECKING:
    from collections.abc import Iterator

GOALS = {"invite": 2, "report": 2, "poll": 1}
_WORDS = {"invite": "an invite", "report": "a finished operation", "poll": "a poll"}


def counted() -> Any:
    """Return the names of the requests to the table by step, and how many went to the queue and to Graph."""
    with worker("ours") as ours:
        return ours.ask("trips")


def figures() -> Iterator[Figure]:
    """Count each step once: the same steps always cost the same."""
    say("round trips")
    found = counted()
    for step, goal in GOALS.items():
        besides = f"{found['queue']} queue message, {found['graph']} request to Graph" if step == "invite" else ""
        made = len(found[step])
        yield Figure(
            "trips", f"requests to the table: {_WORDS[step]}", f"{made}", besides, f"{made}", f"{goal}", made <= goal
        )
