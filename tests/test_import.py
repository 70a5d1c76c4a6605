"""What a cold start costs: Graph wants its callbacks answered within five seconds, starting included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dev.benchmarks import importing

ROOT = Path(__file__).parents[1]
# Imported only when first needed, by those who need them; none of it by a callback.
LATER = (
    "azure.storage.queue",
    "azure.identity",
    "azure.monitor",
    "opentelemetry.sdk",
    "aiohttp",
    "rich",
    "hypothesis",
    "simulator",
    "local",
    "doctor",
    "pydantic",
)
# Of the packages that a start loads; measured: 1.15 to 1.35. The room is for a machine that does other things too.
CEILING = 1.6


def test_nothing_is_imported_before_it_is_needed() -> None:
    """Loading the functions brings neither what only an invite needs nor anything of a developer's machine."""
    asked = [sys.executable, "-c", f"{importing.START}\nimport sys; print(*sys.modules)"]
    loaded = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert not [name for name in loaded if name in LATER or name.startswith(tuple(f"{later}." for later in LATER))]


def test_the_app_costs_little_beside_its_packages(tmp_path: Path) -> None:
    """Importing the app takes no more than a ceiling times what importing its packages takes, in the same run."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}

    def least(code: str) -> float:
        return min(importing.seconds(code, environment, ROOT) for _ in range(3))

    empty = least("pass")
    ratio = (least(importing.START) - empty) / (least(importing.packages()) - empty)
    assert ratio < CEILING, f"{ratio:.2f}"
