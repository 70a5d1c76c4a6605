"""What sixteen requests at once cost each other on one worker, with the queue function disabled."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from azure.data.tables import TableClient

from dev.benchmarks.at_once import AT_ONCE, milliseconds, running
from dev.benchmarks.bodies import operation_report
from dev.benchmarks.callbacks import Posts, bare_app, running_host
from dev.benchmarks.measure import Figure, compared, compared_at_95, in_turn, say
from dev.benchmarks.real_parts import real_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Works = list[Callable[[], object]]

# Azurite on the same machine responds in one or two.
_AWAY_MILLISECONDS = 5.0
_AT_MOST, _AT_MOST_95 = 4.0, 8.0


def figures(*, rounds: int = 9) -> Iterator[Figure]:
    """Measure the app with storage here and with storage further away, and bare functions with storage here."""
    what = f"a callback or a poll among {AT_ONCE} at once on one worker"
    for away in (0.0, _AWAY_MILLISECONDS):
        name = f"{what}, storage {away:.0f} ms away" if away else what
        say(name)
        with running(away=away) as (app, _, _):

            def works() -> Works:
                made = [app.invite() for _ in range(AT_ONCE)]
                return [partial(app.report if place % 2 else app.poll, one) for place, one in enumerate(made)]

            yield from _measured(name, works, rounds)
    yield from _bare(f"{what}, of bare functions", rounds)


def _bare(what: str, rounds: int) -> Iterator[Figure]:
    say(what)
    with ExitStack() as stack:
        shared = stack.enter_context(real_parts())
        own = shared | {"PYTHON_THREADPOOL_THREAD_COUNT": str(AT_ONCE)}
        port = stack.enter_context(running_host(stack.enter_context(bare_app()), own))
        posts = Posts(port, shared["BENCHMARK_TOKEN"])
        table = stack.enter_context(TableClient.from_connection_string(shared["AzureWebJobsStorage"], "bare"))
        call_id = shared["BENCHMARK_CALLS"].split()[0]

        def report(row: str) -> object:
            return posts.post("/api/notifications", operation_report(call_id, row, uuid.uuid4().hex))

        def poll(row: str) -> object:
            return posts.get(f"/api/rows/{call_id}/{row}")

        def works() -> Works:
            rows = [uuid.uuid4().hex for _ in range(AT_ONCE)]
            for row in rows:
                table.create_entity({"PartitionKey": call_id, "RowKey": row, "document": "d" * 1_000})
            return [partial(report if place % 2 else poll, row) for place, row in enumerate(rows)]

        yield from _measured(what, works, rounds, goal=False)


def _measured(what: str, works: Callable[[], Works], rounds: int, *, goal: bool = True) -> Iterator[Figure]:
    single: tuple[list[float], list[float]] = [], []
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def together() -> float:
            start = threading.Barrier(AT_ONCE)

            def begun(work: Callable[[], object]) -> float:
                start.wait()
                return milliseconds(work)

            return taken(0, list(pool.map(begun, works())))

        def alone() -> float:
            return taken(1, [milliseconds(work) for work in works()])

        def taken(side: int, times: list[float]) -> float:
            single[side].extend(times)
            return median(times)

        samples = in_turn(rounds, together, alone)
    yield compared("busy", what, samples, "alone", at_most=_AT_MOST if goal else None)
    yield compared_at_95("busy", f"95th percentile of {what}", single, "alone", at_most=_AT_MOST_95 if goal else None)
