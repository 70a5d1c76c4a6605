"""What a cold start costs: Graph wants its callbacks answered within five seconds, starting included."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
START = "import function_app"
# Imported only when first needed; none of it by a callback.
LATER = ("azure.identity", "azure.monitor", "opentelemetry.sdk", "phonenumbers")
# Of the packages that a start loads; the goal is 1.10, and less than 1 is measured. The rest is for a busy machine.
CEILING = 1.2
_PACKAGES = (
    "print(*(name for name, one in sys.modules.items() if 'site-packages' in (getattr(one, '__file__', 0) or '')"
    " and not name[0].isdecimal()))"  # mypyc's are imported by their package
)


def _printed(code: str) -> list[str]:
    command = [sys.executable, "-c", f"{START}\nimport sys\n{code}"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()


def test_nothing_is_imported_before_it_is_needed() -> None:
    """Loading the functions brings neither what only some requests need nor anything of a developer's machine."""
    loaded = _printed("print(*sys.modules)")
    own = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} - {"dev", "tests", "connector"}
    known = (*LATER, "dev", "tests", "connector", "infra", "pytest", "hypothesis", "rich", "aiohttp")
    assert not [name for name in loaded if name in known or name.startswith(tuple(f"{one}." for one in known))]
    assert own <= set(loaded)


def test_garbage_is_collected_afterwards() -> None:
    """Collections are off while modules are imported only, and never search what was imported."""
    enabled, frozen, found = _printed("import gc\nprint(gc.isenabled(), gc.get_freeze_count(), len(gc.get_objects()))")
    assert enabled == "True"
    assert int(frozen) > 10 * int(found)


def test_cost_beside_the_packages() -> None:
    """Importing the app takes no more than a ceiling times what importing its packages takes, in the same run."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    codes = ("pass", f"import {', '.join(_printed(_PACKAGES))}", START)
    spent: list[list[float]] = [[] for _ in codes]
    for _ in range(3):
        for code, seconds in zip(codes, spent, strict=True):
            seconds.append(_seconds(code, environment))
    empty, packages, app = map(min, spent)
    ratio = (app - empty) / (packages - empty)
    assert ratio < CEILING, f"{ratio:.2f}"


def _seconds(code: str, environment: dict[str, str]) -> float:
    """Return the processor time of one fresh process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
