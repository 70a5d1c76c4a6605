"""The demo's output: lines that stay, and one that moves while something takes time.

In a terminal the moving one is a spinner with a clock. Elsewhere, as in a build's log, nothing can move: a line
every two seconds names what is waited for.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

_LABEL_WIDTH = 9
_SIGN_OF_LIFE_SECONDS = 2.0


class Screen:
    """A console for the demo's output."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)

    def title(self, text: str, aside: str = "") -> None:
        """Begin a part."""
        self._print(Text.assemble("\n", (text, "bold"), (f"  {aside}" if aside else "", "dim")))

    def line(self, label: str, text: str, *, style: str = "") -> None:
        """Print one thing that has happened."""
        self._print(Text.assemble("  ", (label.ljust(_LABEL_WIDTH), "cyan"), " ", (text, style)))

    def good(self, label: str, text: str) -> None:
        """Print something that is as expected."""
        self.line(label, text, style="green")

    def wrong(self, text: str) -> None:
        """Print something that is not as expected."""
        self.line("WRONG", text, style="bold red")

    def text(self, text: str = "") -> None:
        """Print a sentence."""
        self._print(Text(text))

    def command(self, text: str) -> None:
        """Print a command to be pasted: exactly its characters, however narrow the screen is."""
        self._print(Text(text, "yellow"))

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show that something is waited for while the block lasts."""
        if self._console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}", style="dim"), TimeElapsedColumn())
            with Progress(*columns, console=self._console, transient=True) as progress:
                progress.add_task(f"{text} …", total=None)
                yield
        else:
            with self._signs_of_life(text):
                yield

    @contextmanager
    def _signs_of_life(self, text: str) -> Iterator[None]:
        done = threading.Event()

        def report() -> None:
            started = time.monotonic()
            while not done.wait(_SIGN_OF_LIFE_SECONDS):
                self.line("...", f"{text}, {time.monotonic() - started:.0f} s so far")

        reporter = threading.Thread(target=report, name="signs-of-life", daemon=True)
        reporter.start()
        try:
            yield
        finally:
            done.set()
            reporter.join()

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)
