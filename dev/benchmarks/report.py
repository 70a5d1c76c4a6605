"""The table, as it is printed and as docs/benchmarks.md holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dev.benchmarks.measure import Figure

BEGIN, END = "<!-- measured: make bench -->", "<!-- end of measured -->"
HEADER = "| what | ours | beside it | ratio or figure | goal | met | command |"
_WORDS = {True: "yes", False: "no", None: ""}


def table(figures: Iterable[Figure], machine: str) -> str:
    """Return the table in Markdown, with the machine on which it was measured."""
    lines = [f"Measured on: {machine}.", "", HEADER, "|---|---|---|---|---|---|---|"]
    for figure in figures:
        cells = (
            figure.what,
            figure.ours,
            figure.beside,
            figure.result,
            figure.goal,
            _WORDS[figure.met],
            f"`make bench BENCH={figure.bench}`",
        )
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines)


def within(page: str, measured: str) -> str:
    """Return a page with the table between its marks replaced."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no place for the table")
    return f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}"
