"""What a start costs on a read-only mount: what ``make build`` makes, compared with the same without bytecode."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dev import build
from dev.benchmarks.importing import seconds
from dev.benchmarks.measure import Figure, compared, in_turn, say

if TYPE_CHECKING:
    from collections.abc import Iterator

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


def figures(*, rounds: int = 7) -> Iterator[Figure]:
    """Measure the import of what ``make build`` makes for this Python, its time stamps changed."""
    say("import: what make build makes")
    with tempfile.TemporaryDirectory() as name:
        made = Path(name) / "app"
        made.mkdir()
        try:
            build.build(made, THIS)
        except build.CannotBuild as error:
            say(f"not measured: {error}")
            return
        with mounted(made, Path(name)) as copies:
            what = "processor time to import what `make build` made, read-only and with other time stamps"
            yield compared("built", what, import_times(copies, rounds), "without bytecode", at_most=0.45)


def import_times(copies: tuple[Path, Path], rounds: int) -> list[list[float]]:
    """Return the milliseconds that importing each copy takes, less those of an empty process."""
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    empty, *sides = in_turn(
        rounds,
        lambda: seconds("pass", environment, copies[0]),
        *(lambda copy=copy: seconds(_start(copy), environment, copy) for copy in copies),
    )
    return [[1000 * (all_ - none) for all_, none in zip(side, empty, strict=True)] for side in sides]


@contextmanager
def mounted(made: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Give read-only copies whose time stamps are others: what was made, and the same without bytecode."""
    copies = (folder / "with", folder / "without")
    shutil.copytree(made, copies[0])
    shutil.copytree(made, copies[1], ignore=shutil.ignore_patterns("__pycache__"))
    for copy in copies:
        for path in [*copy.rglob("*"), copy]:
            os.utime(path, (1e9, 1e9))
            path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield copies
    finally:
        for copy in copies:
            for path in [copy, *copy.rglob("*")]:
                path.chmod(path.stat().st_mode | stat.S_IWUSR)


def _start(folder: Path) -> str:
    """As the Functions worker starts: the package's own libraries, and no others."""
    own = [str(folder), str(folder / build.SITE)]
    return (
        f"import sys; sys.path[:] = {own} + [path for path in sys.path if 'site-packages' not in path]\n"
        "import function_app"
    )
