"""What more rows cost: an operation in a table of 100,000 rows beside the same in a table of 100."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.data.tables import TableClient

from dev.azurite import azurite
from dev.benchmarks import rows
from dev.benchmarks.measure import Figure, Spread, in_turn, ratios, say, worker

if TYPE_CHECKING:
    from collections.abc import Iterator

_GOAL = 1.10
_SETTINGS = {
    "GRAPH_TENANT_ID": "72f988bf-86f1-41af-91ab-2d7cd011db47",
    "GRAPH_CLIENT_ID": "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10",
    "GRAPH_CLIENT_SECRET": "benchmark~secret",
    "PUBLIC_BASE_URL": "https://app.example",
}
_WORKS = {"read": "reading an invitation", "report": "applying a report"}


def figures(*, rounds: int = 11, count: int = 20, few: int = 100, many: int = 100_000) -> Iterator[Figure]:
    """Measure ours and a bare client's, on either table, all in turn."""
    with azurite() as storage:
        for size in (few, many):
            with TableClient.from_connection_string(storage, f"rows{size}") as client:
                client.create_table()
                for there in rows.load(client, size):
                    if there % 20_000 == 0:
                        say(f"rows: {there:,} of {size:,} are there")
        names = f"rows{few}:{few} rows{many}:{many}"
        shared = {**_SETTINGS, "AzureWebJobsStorage": storage, "BENCHMARK_TABLES": names}
        with worker("stored", shared) as ours, worker("bare", shared) as bare:
            for work, what in _WORKS.items():
                say(f"rows: {what}")
                samples = in_turn(
                    rounds,
                    lambda work=work: ours.ask(f"{work}-{many}", count),  # type: ignore[misc]
                    lambda work=work: ours.ask(f"{work}-{few}", count),  # type: ignore[misc]
                    lambda work=work: bare.ask(f"{work}-{many}", count),  # type: ignore[misc]
                    lambda work=work: bare.ask(f"{work}-{few}", count),  # type: ignore[misc]
                )
                yield from _figures(what, samples, few, many)
            say("rows: the storage library reading one row by its keys")
            points = in_turn(rounds, lambda: bare.ask(f"point-{many}", count), lambda: bare.ask(f"point-{few}", count))
            yield _alone(f"one row by its keys, the storage library alone: {many:,} rows ÷ {few:,}", points, few)


def _figures(what: str, samples: list[list[float]], few: int, many: int) -> Iterator[Figure]:
    ours_many, ours_few, bare_many, bare_few = samples
    ratio = ratios(ours_many, ours_few)
    yield Figure(
        "rows",
        f"{what}: {many:,} rows ÷ {few:,}",
        _milliseconds(ours_many),
        f"with {few:,} rows: {_milliseconds(ours_few)}",
        ratio.text(digits=2),
        f"≤ {_GOAL:.2f}",
        ratio.middle <= _GOAL,
    )
    yield _alone(f"{what}, the storage library alone: {many:,} rows ÷ {few:,}", [bare_many, bare_few], few)
    for size, own, alone in ((few, ours_few, bare_few), (many, ours_many, bare_many)):
        yield Figure(
            "rows",
            f"{what} with {size:,} rows: ours ÷ the storage library alone",
            _milliseconds(own),
            _milliseconds(alone),
            ratios(own, alone).text(digits=2),
        )


def _alone(what: str, samples: list[list[float]], few: int) -> Figure:
    many, fewer = samples
    beside = f"with {few:,} rows: {_milliseconds(fewer)}"
    return Figure("rows", what, _milliseconds(many), beside, ratios(many, fewer).text(digits=2))


def _milliseconds(samples: list[float]) -> str:
    return Spread.of([1000 * seconds for seconds in samples]).text(" ms", 1)
