"""How soon a waiting flow is notified, compared with the build of 24 November 2026, where a queue did it.

That build comes from the repository's history and runs on its own local host, its queue's functions awake.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from dev.azurite import azurite
from dev.benchmarks.at_once import LISTENS_SECONDS, App, running
from dev.benchmarks.callbacks import Posts, running_host
from dev.benchmarks.measure import ROOT, Figure, compared, compared_at_95, in_turn, say

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUILD = "c5300a421963217aee7ee7325defc744f986228d"
_AT_MOST = 1 / 8
_WAIT_SECONDS = 60.0


def figures(*, rounds: int = 9, count: int = 12) -> Iterator[Figure]:
    """Measure from sending a callback to the arrival of the flow's POST, on both builds in turn."""
    what = "from sending a callback to the arrival of the flow's POST"
    say(f"{what}, and of an earlier build's")
    try:
        command = ["git", "archive", _BUILD]
        packed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        say(f"not measured: the repository's history is needed ({type(error).__name__})")
        return
    single: tuple[list[float], list[float]] = [], []
    with tempfile.TemporaryDirectory() as folder, running() as (ours, flows, shared), azurite() as storage:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tree:
            tree.extractall(folder, filter="data")
        # Its queues have the names of two that this app still listens to.
        own = shared | {"AzureWebJobsStorage": storage, "FLOW_CALLBACK_LOCAL_HOSTS": flows.host}
        with running_host(Path(folder), own, module="local.host") as port:
            earlier = App(Posts(port, shared["BENCHMARK_TOKEN"]), shared["BENCHMARK_CALLS"].split(), flows)

            def side(number: int, app: App) -> float:
                waiting = [app.notify() for _ in range(count)]
                time.sleep(LISTENS_SECONDS)
                began = {}
                for name, made in waiting:
                    began[name] = time.monotonic()
                    app.report(made)
                ends = time.monotonic() + _WAIT_SECONDS
                while began.keys() - flows.arrived.keys() and time.monotonic() < ends:
                    time.sleep(0.01)
                times = [1000 * (flows.arrived[name] - at) for name, at in began.items()]
                single[number].extend(times)
                return median(times)

            samples = in_turn(rounds, lambda: side(0, ours), lambda: side(1, earlier))
    other = "an earlier build, its queue awake"
    yield compared("before", what, samples, other, at_most=_AT_MOST)
    yield compared_at_95("before", f"95th percentile {what}", single, other, at_most=_AT_MOST)
