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


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose one commit has every file as it is here."""
    folder = tmp_path_factory.mktemp("line-ends") / "source"
    for name in _git("ls-files", "-z", folder=ROOT).decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    _git("init", "--quiet", folder=folder)
    _git("add", "--all", "--force", folder=folder)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    _git(*identity, "commit", "--quiet", "--message", "all", folder=folder)
    return folder


@pytest.mark.parametrize(
    "settings",
    [
        ["autocrlf=true"],
        ["autocrlf=input"],
        ["eol=crlf"],
        ["autocrlf=true", "eol=crlf"],
        ["autocrlf=true", "eol=native"],
        ["autocrlf=false", "eol=crlf", "safecrlf=true"],
    ],
    ids=" ".join,
)
def test_clone(tmp_path: Path, source: Path, settings: list[str]) -> None:
    """No file of the working tree gets a CR that is not in the repository, and git finds nothing changed."""
    clone = tmp_path / "clone"
    configured = [part for one in settings for part in ("--config", f"core.{one}")]
    _git("clone", "--quiet", "--shared", *configured, str(source), str(clone), folder=tmp_path)
    files = [path.relative_to(source) for path in source.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert len(files) > 100
    assert [name for name in files if (source / name).read_bytes() != (clone / name).read_bytes()] == []
    assert _git("status", "--porcelain", folder=clone) == b""
