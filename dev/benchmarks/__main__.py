"""``make bench``: measures what the app costs, each figure next to its counterpart of the same run.

A further row is a function here that yields ``Figure``s; the sides of its ratio are workers, see ``measure``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dev.benchmarks import at_once, before, built, busy, callbacks, following, hostile, importing, one_process
from dev.benchmarks.measure import ROOT, say, table, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.benchmarks.measure import Figure

BENCHES: dict[str, Callable[[], Iterator[Figure]]] = {
    "import": importing.figures,
    "built": built.figures,
    "cpu": one_process.processor,
    "wall": one_process.wall,
    "callbacks": callbacks.figures,
    "post": at_once.post,
    "before": before.figures,
    "won": at_once.won,
    "next": following.next_person,
    "established": following.established,
    "hanging": at_once.hanging,
    "busy": busy.figures,
    "hostile": hostile.figures,
    "memory": one_process.memory,
    "live": one_process.live,
    "trips": one_process.trips,
}


def main() -> None:
    """Measure all benches or the named ones, print the table, and write it into a page on request."""
    parser = argparse.ArgumentParser(prog="python -m dev.benchmarks", description=__doc__)
    parser.add_argument("bench", nargs="*", choices=[*BENCHES, []], help="which to measure (default: all)")
    parser.add_argument("--into", type=Path, help="a page whose rows of these are replaced, such as docs/benchmarks.md")
    options = parser.parse_args()
    if options.into and not options.into.is_file():
        parser.error(f"there is no page {options.into}")
    started = time.monotonic()
    figures: list[Figure] = []
    for name in options.bench or BENCHES:
        print(f"==> {name}", flush=True)
        figures += BENCHES[name]()
    measured = table(figures)
    print(f"\n{measured}")
    say(f"{time.monotonic() - started:.0f} s")
    page = options.into or ROOT / ".local" / "benchmarks" / "table.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    text = within(page.read_text(encoding="utf-8"), measured, BENCHES) if options.into else measured
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
