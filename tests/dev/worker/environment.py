"""A Python 3.13 with the app's packages and Microsoft's worker library, made once and kept under ``.local``."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RUNTIME = "azure-functions-runtime==1.3.0"
_FOLDER = ROOT / ".local" / "worker"


def python() -> Path:
    """Return the program; the first use installs it, and where there is no Python 3.13 the test is skipped."""
    found = _python_3_13()
    if found is None:
        pytest.skip("needs Python 3.13: Microsoft's worker library was not tried")
    wanted = f"{RUNTIME} {hashlib.sha256((ROOT / 'requirements.in').read_bytes()).hexdigest()}"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    program, stamp = _FOLDER / "venv" / "bin" / "python", _FOLDER / "installed"
    with (_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes run tests
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            _run(found, "-m", "venv", "--clear", str(_FOLDER / "venv"))
            requirements = str(ROOT / "requirements.in")
            _run(str(program), "-m", "pip", "install", "--quiet", "--requirement", requirements, RUNTIME)
            stamp.write_text(wanted, encoding="utf-8")
    return program


def _python_3_13() -> str | None:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [shutil.which("python3.13"), *map(str, pyenv.glob("versions/3.13.*/bin/python"))]
    return next((candidate for candidate in candidates if candidate and _works(candidate)), None)


def _works(candidate: str) -> bool:
    """Whether it runs: a name on PATH can be a shim that refuses."""
    check = "import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, 13))"
    return subprocess.run([candidate, "-c", check], capture_output=True, check=False).returncode == 0


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
