"""Records the demo for README.md: ``make recording`` plays it and writes ``docs/images/demo.svg``.

The picture is a terminal whose lines appear at the pace of the demo, without a script. Its colours are its own, so it
looks the same on a light and on a dark page; where motion is reduced, all lines are there at once.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "demo.svg"
PARTS = ("4", "6", "7")
"""The parts of the demo that are shown: a phone, a person who declines, a meeting."""
_COLUMNS = 102
_LINE_HEIGHT = 19
_CHARACTER_WIDTH = 7.83  # of a monospaced font of 13 pixels
_MARGIN = 18
_LONGEST_PAUSE = 0.9
_SHORTEST_PAUSE = 0.12
_GOOD = ("outcome", "right", "done", "started")
_WAITING = "..."
# Chosen at random in each run, and of no use outside it.
_RANDOM = (
    (re.compile(r"localhost:\d+"), "localhost:8443"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:7071"),
    (re.compile(r"(call|token)=[\w-]{20,}"), r"\1=…"),
)
_STYLE = """
text { fill: #d6deeb; font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
  white-space: pre; animation: show 1ms both; }
.title { fill: #fff; font-weight: 700; } .label { fill: #6cc7e8; } .good { fill: #8fd694; } .prompt { fill: #f2c46d; }
@keyframes show { from { visibility: hidden; } to { visibility: visible; } }
@media (prefers-reduced-motion: reduce) { text { animation: none; } }
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the terminal."""

    seconds: float
    """Since the one before it."""
    text: str


def recorded() -> Iterator[Line]:
    """Play the demo to its end, and yield its lines.

    Raises:
        RuntimeError: the demo did not end well.
    """
    environment = {**os.environ, "DEMO_EXIT": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "dev.demo"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as demo:
        before = time.monotonic()
        for line in demo.stdout or ():
            now = time.monotonic()
            yield Line(now - before, line.rstrip("\n"))
            before = now
    if demo.returncode:
        raise RuntimeError(f"the demo ended with {demo.returncode}")


def chosen(lines: Iterable[Line]) -> list[Line]:
    """Return what is shown: how the parts start, some of what is played, and the last line."""
    found, is_shown = [Line(0.0, "$ make demo")], True
    last = None
    for line in lines:
        if number := re.match(r"(\d+)  ", line.text):
            is_shown = number[1] in PARTS
            if is_shown:
                found.append(Line(0.0, ""))
        if is_shown and line.text.strip() and not line.text.lstrip().startswith((_WAITING, "done")):
            found.append(line)
        last = line if line.text.lstrip().startswith("done") else last
    return [*found, Line(0.0, ""), last] if last else found


def rendered(lines: list[Line]) -> str:
    """Return the picture."""
    width, height = round(2 * _MARGIN + _COLUMNS * _CHARACTER_WIDTH), 2 * _MARGIN + len(lines) * _LINE_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="what">',
        '<title id="what">The demo in a terminal: people are called, and each outcome is shown</title>',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="10" fill="#11191f" stroke="#7f8c9b" stroke-opacity=".5"/>',
    ]
    delay = 0.0
    for number, line in enumerate(lines):
        delay += min(max(line.seconds, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        if line.text:
            x, y = _MARGIN, _MARGIN + (number + 0.75) * _LINE_HEIGHT
            parts.append(f'<text x="{x}" y="{y:g}" style="animation-delay:{delay:.1f}s">{_styled(line.text)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _styled(text: str) -> str:
    for pattern, plain in _RANDOM:
        text = pattern.sub(plain, text)
    if len(text) > _COLUMNS:
        text = text[: _COLUMNS - 1] + "…"
    if text.startswith("$"):
        return f'<tspan class="prompt">$</tspan>{escape(text[1:])}'
    if not text.startswith(" "):
        return f'<tspan class="title">{escape(text)}</tspan>'
    label, rest = text[:12], text[12:]
    kind = ' class="good"' if label.strip() in _GOOD else ""
    return f'<tspan class="label">{escape(label)}</tspan><tspan{kind}>{escape(rest)}</tspan>'


def main() -> int:
    """Write the picture."""
    argparse.ArgumentParser(prog="python -m dev.recording", description="Records the demo.").parse_args()
    PICTURE.write_text(rendered(chosen(recorded())), encoding="utf-8", newline="\n")
    print(PICTURE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
