"""What a start costs: importing the app beside importing the packages that it imports, each in a fresh process."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dev.benchmarks.measure import ROOT, Figure, Spread, in_turn, say

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the app's modules import of packages at a start, and no more.
PACKAGES = """
import azure.functions, azure.data.tables, jwt, msal, requests, urllib3
"""
# What the first invite adds.
ALL_PACKAGES = f"""{PACKAGES}
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError
"""
GOAL = 1.10
START = "import function_app"
WHOLE = "import function_app, invite.accepting"


def figures(*, rounds: int = 15) -> Iterator[Figure]:
    """Measure with bytecode at hand, as a second start finds it, and without, as a read-only deployment starts."""
    with tempfile.TemporaryDirectory() as folder:
        say("importing, with the app's bytecode kept")
        kept = {"PYTHONPYCACHEPREFIX": folder}
        yield _figure("processor time to import the app, bytecode kept", kept, rounds, GOAL)
        what = "the same with what the first invite loads (pydantic and the forms of an invite)"
        yield _figure(what, kept, rounds, GOAL, code=WHOLE, packages=ALL_PACKAGES)
    say("importing, compiling the app's modules each time")
    with tempfile.TemporaryDirectory() as folder:
        _copy_app(Path(folder))
        what = "processor time to import the app, its modules compiled at each start"
        yield _figure(what, {"PYTHONDONTWRITEBYTECODE": "1"}, rounds, None, Path(folder))


def _copy_app(folder: Path) -> None:
    """Lay down the app as it is deployed: sources alone, beside packages that were compiled when installed."""
    for path in ROOT.glob("*.py"):
        shutil.copy(path, folder)
    for package in ("graph", "invite", "notifications", "operations"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))


def _figure(
    what: str,
    environment: dict[str, str],
    rounds: int,
    goal: float | None,
    folder: Path = ROOT,
    *,
    code: str = START,
    packages: str = PACKAGES,
) -> Figure:
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**plain, **environment}
    empty, alone, app = in_turn(
        rounds,
        lambda: seconds("pass", environment, folder),
        lambda: seconds(packages, environment, folder),
        lambda: seconds(code, environment, folder),
    )
    start = Spread.of(empty).middle
    ratio = Spread.of([(one - start) / (other - start) for one, other in zip(app, alone, strict=True)])
    return Figure(
        "import",
        what,
        Spread.of([1000 * (one - start) for one in app]).text(" ms"),
        "its packages alone: " + Spread.of([1000 * (one - start) for one in alone]).text(" ms"),
        ratio.text(digits=2),
        "" if goal is None else f"≤ {goal:.2f}",
        None if goal is None else ratio.middle <= goal,
    )


def seconds(code: str, environment: dict[str, str], folder: Path) -> float:
    """Return the processor time of one fresh process that runs the code in a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
