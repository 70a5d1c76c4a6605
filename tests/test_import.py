"""What a cold start costs: Graph wants its callbacks answered within five seconds, starting included."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Imported only when first needed, by those who need them; none of it by a callback.
LATER = (
    "azure.storage.queue",
    "azure.identity",
    "azure.monitor",
    "opentelemetry",
    "aiohttp",
    "rich",
    "hypothesis",
    "simulator",
    "local",
)
PACKAGES = """
import azure.functions, azure.data.tables, jwt, msal, requests, urllib3
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError
"""
# The app's own modules may not cost as much again as the packages that it can't do without; measured: 1.3 to 1.45.
CEILING = 1.9


def run(code: str) -> str:
    """Run code in a process of its own, in the app's folder."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def seconds(code: str) -> float:
    """The processor time of the best of several runs, in a machine that does other things too."""
    best = float("inf")
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(code)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def test_nothing_is_imported_before_it_is_needed() -> None:
    """Loading the functions brings neither the queue's client nor anything of a developer's machine."""
    loaded = run("import function_app, sys; print('\\n'.join(sys.modules))").splitlines()
    assert not [name for name in loaded if name in LATER or name.startswith(tuple(f"{later}." for later in LATER))]


def test_the_app_costs_little_beside_its_packages() -> None:
    """Importing the app takes no more than a ceiling times what importing its packages takes, in the same run."""
    empty = seconds("pass")
    ratio = (seconds("import function_app") - empty) / (seconds(PACKAGES) - empty)
    assert ratio < CEILING, f"{ratio:.2f}"
