"""A clone has LF at line ends whatever git is set to, so that one made on Windows works in WSL and in containers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Git in a hook has these, which would lead it to the repository that is being committed to.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None or not (ROOT / ".git").exists(), reason="needs git and its repository")


def _git(*arguments: str, folder: Path) -> bytes:
    return subprocess.run([GIT or "git", *arguments], cwd=folder, env=CLEAN, check=True, capture_output=True).stdout


@pytest.mark.parametrize("settings", [["autocrlf=true"], ["autocrlf=true", "eol=crlf"], ["autocrlf=input"]])
def test_clone(tmp_path: Path, settings: list[str]) -> None:
    """No file of the working tree gets a CR that is not in the repository."""
    files = [name for name in _git("ls-files", "-z", folder=ROOT).decode().split("\0") if name]
    source, clone = tmp_path / "source", tmp_path / "clone"
    for name in files:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    _git("init", "--quiet", folder=source)
    _git("add", "--all", "--force", folder=source)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    _git(*identity, "commit", "--quiet", "--message", "all", folder=source)
    configured = [part for one in settings for part in ("--config", f"core.{one}")]
    _git("clone", "--quiet", *configured, str(source), str(clone), folder=tmp_path)
    assert [name for name in files if (source / name).exists() and _differs(source / name, clone / name)] == []


def _differs(one: Path, other: Path) -> bool:
    return one.read_bytes() != other.read_bytes()
