"""What a start costs: importing the app, compared with importing its packages alone, each in a fresh process."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dev.benchmarks.measure import ROOT, Figure, compared, in_turn, say

if TYPE_CHECKING:
    from collections.abc import Iterator

START = "import function_app"
_NOT_DEPLOYED = ("dev", "tests", "connector", "infra", "docs", "findings")


def figures(*, rounds: int = 11) -> Iterator[Figure]:
    """Measure with the app's bytecode at hand, and without, as from a read-only folder of sources."""
    with tempfile.TemporaryDirectory() as name:
        folder, alone_code = Path(name), packages()
        _copy_app(folder)
        for what, goal, kept in (
            ("processor time to import the app, bytecode kept", 1.10, {"PYTHONPYCACHEPREFIX": str(folder / "kept")}),
            ("the same, the app's modules compiled at each start", None, {"PYTHONDONTWRITEBYTECODE": "1"}),
        ):
            say(f"import: {what}")
            plain = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
            environment = {**plain, **kept}
            empty, alone, app = in_turn(
                rounds,
                lambda e=environment: seconds("pass", e, folder),  # type: ignore[misc]
                lambda e=environment: seconds(alone_code, e, folder),  # type: ignore[misc]
                lambda e=environment: seconds(START, e, folder),  # type: ignore[misc]
            )
            ours, theirs = (
                [1000 * (all_ - none) for all_, none in zip(one, empty, strict=True)] for one in (app, alone)
            )
            yield compared("import", what, (ours, theirs), "its packages alone", at_most=goal)


def packages() -> str:
    """Return the code that imports the packages' modules that a start imports, and no others."""
    found = "print(*(n for n, m in sys.modules.items() if 'site-packages' in (getattr(m, '__file__', '') or '')))"
    command = [sys.executable, "-c", f"{START}\nimport sys\n{found}"]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = [name for name in found.split() if not name[0].isdecimal()]  # mypyc's are imported by their package
    return f"import {', '.join(names)}"


def _copy_app(folder: Path) -> None:
    """Copy the sources that are deployed."""
    for path in ROOT.glob("*.py"):
        shutil.copy(path, folder)
    for init in ROOT.glob("*/__init__.py"):
        if init.parent.name not in _NOT_DEPLOYED:
            shutil.copytree(init.parent, folder / init.parent.name, ignore=shutil.ignore_patterns("__pycache__"))


def seconds(code: str, environment: dict[str, str], folder: Path) -> float:
    """Return the processor time of one fresh process that runs the code in a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
