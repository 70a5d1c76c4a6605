"""An environment of its own for what is measured beside the app and would never be installed for it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from dev.benchmarks.measure import ROOT, say

_REQUIREMENTS = Path(__file__).with_name("requirements-msgraph.txt")
_FOLDER = ROOT / ".local" / "benchmarks" / "msgraph"


def sdk_python() -> tuple[str | None, str]:
    """Return a Python that has msgraph-sdk, made where there is none yet; None and the reason where there can't be."""
    python = _FOLDER / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    stamp = _FOLDER / "installed"
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
        return str(python), ""
    say("installing msgraph-sdk into .local/benchmarks (a minute or two, the first time; 470 MB)")
    commands = (
        [sys.executable, "-m", "venv", "--clear", str(_FOLDER)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(_REQUIREMENTS)],
    )
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, type(error).__name__
        if done.returncode != 0:
            return None, (done.stderr.strip().splitlines() or ["no reason given"])[-1][:120]
    stamp.write_text(wanted, encoding="ascii")
    return str(python), ""
