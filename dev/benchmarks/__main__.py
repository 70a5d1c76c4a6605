"""``make bench``: measures what the app costs, each figure beside its counterpart in the same run."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dev.benchmarks import callbacks, growth, importing, memory, processor, trips, wall
from dev.benchmarks.measure import ROOT, machine, say
from dev.benchmarks.report import table, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.benchmarks.measure import Figure

BENCHES: dict[str, Callable[[], Iterator[Figure]]] = {
    "import": importing.figures,
    "cpu": processor.figures,
    "wall": wall.figures,
    "callbacks": callbacks.figures,
    "rows": growth.figures,
    "memory": memory.figures,
    "trips": trips.figures,
}


def main() -> None:
    """Measure all, or what is named, print the table, and on request write it into a page."""
    parser = argparse.ArgumentParser(prog="python -m dev.benchmarks", description=__doc__)
    parser.add_argument("bench", nargs="*", choices=[*BENCHES, []], help="which to measure (default: all)")
    parser.add_argument("--into", type=Path, help="a page whose table is replaced, such as docs/benchmarks.md")
    options = parser.parse_args()
    started = time.monotonic()
    figures: list[Figure] = []
    for name in options.bench or BENCHES:
        print(f"==> {name}", flush=True)
        figures += BENCHES[name]()
    measured = table(figures, machine())
    print(f"\n{measured}")
    say(f"{time.monotonic() - started:.0f} s")
    if options.into is not None:
        page = options.into.read_text(encoding="utf-8")
        options.into.write_text(within(page, measured), encoding="utf-8")
    else:
        kept = ROOT / ".local" / "benchmarks" / "table.md"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(measured + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
