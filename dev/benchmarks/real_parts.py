"""The parts that every measured side shares: Azurite over HTTP, and the simulated Graph over HTTPS."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from azure.data.tables import TableClient
from azure.storage.queue import QueueClient

from dev.azurite import azurite
from dev.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

_CALLS = 50
# Nothing listens there, and with every report lost nothing is sent there.
_NO_CALLBACKS = "http://127.0.0.1:9/api/notifications"


@contextmanager
def real_parts() -> Iterator[dict[str, str]]:
    """Run both, and give the settings of the app and of the workers here."""
    with azurite() as storage, Simulator(time_scale=0.01, lost="all") as graph:
        TableClient.from_connection_string(storage, "bare").create_table()
        QueueClient.from_connection_string(storage, "bare").create_queue()
        ports = {port: kind for kind, port in re.findall(r"(Table|Queue)Endpoint=http://127\.0\.0\.1:(\d+)/", storage)}
        yield {
            **graph.settings(),
            "AzureWebJobsStorage": storage,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "PUBLIC_BASE_URL": "https://app.example",
            "BENCHMARK_CALLS": " ".join(graph.create_call(_NO_CALLBACKS, announce=False) for _ in range(_CALLS)),
            "BENCHMARK_PORTS": json.dumps(ports),
            "BENCHMARK_TOKEN": graph.token(),
        }
