"""A virtual environment for msgraph-sdk, which the app is compared with and never uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dev.benchmarks.measure import ROOT, say

_REQUIREMENTS = Path(__file__).with_name("requirements-msgraph.txt")
_FOLDER = ROOT / ".local" / "benchmarks" / "msgraph"


def sdk_python() -> tuple[str | None, str]:
    """Return a Python that has msgraph-sdk, installed on the first call; None and the reason where that fails."""
    python = _FOLDER / "bin" / "python"
    done = _FOLDER / "installed"
    if done.is_file() and done.read_bytes() == _REQUIREMENTS.read_bytes():
        return str(python), ""
    say("installing msgraph-sdk into .local/benchmarks (a minute or two, the first time; 470 MB)")
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_FOLDER)], check=True, capture_output=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "-r", str(_REQUIREMENTS)]
        subprocess.run(command, check=True, capture_output=True, timeout=900)
    except (OSError, subprocess.SubprocessError) as error:
        return None, type(error).__name__
    done.write_bytes(_REQUIREMENTS.read_bytes())
    return str(python), ""
