"""Wall time of an invite through a storage emulator and a Graph over HTTPS, beside a script with the same requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.data.tables import TableClient
from azure.storage.queue import QueueClient

from dev.azurite import azurite
from dev.benchmarks.measure import Figure, Spread, in_turn, ratios, say, worker
from dev.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

_GOAL = 1.25
# Nobody listens there, and with every report lost nothing is sent there.
_NOWHERE = "http://127.0.0.1:9/api/notifications"


def figures(*, rounds: int = 11, count: int = 20) -> Iterator[Figure]:
    """Measure both sides in turn, each with connections and a token of its own that are kept."""
    say("wall time of an invite")
    with azurite() as storage, Simulator(time_scale=0.01, lost="all") as graph:
        TableClient.from_connection_string(storage, "bare").create_table()
        QueueClient.from_connection_string(storage, "bare").create_queue()
        shared = {
            **graph.settings(),
            "REQUESTS_CA_BUNDLE": graph.ca_file,
            "AzureWebJobsStorage": storage,
            "PUBLIC_BASE_URL": "https://app.example",
        }
        calls = [graph.create_call(_NOWHERE, announce=False) for _ in range(2)]
        with (
            worker("stored", {**shared, "BENCHMARK_CALL": calls[0]}) as ours,
            worker("bare", {**shared, "BENCHMARK_CALL": calls[1]}) as bare,
        ):
            samples = in_turn(rounds, lambda: ours.ask("invite", count), lambda: bare.ask("invite", count))
    ratio = ratios(*samples)
    yield Figure(
        "wall",
        "an invite through Azurite and the simulated Graph over HTTPS",
        Spread.of([1000 * seconds for seconds in samples[0]]).text(" ms", 1),
        "a bare script: " + Spread.of([1000 * seconds for seconds in samples[1]]).text(" ms", 1),
        ratio.text(digits=2),
        f"≤ {_GOAL:.2f}",
        ratio.middle <= _GOAL,
    )
