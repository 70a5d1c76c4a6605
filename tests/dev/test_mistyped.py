"""A mistyped command of ``dev`` and ``connector`` ends with one sentence that names what is wrong, and no traceback."""

from __future__ import annotations

import runpy
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_COMMANDS = (
    "dev.azurite",
    "dev.benchmarks",
    "dev.build",
    "dev.demo",
    "dev.doctor",
    "dev.first_call",
    "dev.host",
    "dev.recording",
    "dev.screenshots",
    "dev.simulator",
    "dev.teams_app",
    "connector.generate",
    "connector.package",
    "connector.solution",
)
_BOT = "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10"


def _ended(module: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    for name in (module, f"{module}.__main__"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")
    return ended.value.code


@pytest.mark.parametrize("module", _COMMANDS)
def test_unknown_option(module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No command begins to work with an option that it doesn't have."""
    assert _ended(module, ["--mistyped"], monkeypatch) == 2
    assert "error: " in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("dev.build", ["--to"]),
        ("dev.teams_app", ["--bot", _BOT, "--to"]),
        ("dev.benchmarks", ["import", "--into"]),
        ("connector.package", []),
        ("connector.package", ["connector/flows/p1-alert.json", "--out"]),
        ("connector.solution", ["--out"]),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_path_that_cannot_be(
    module: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A path below a file is named in the sentence."""
    (tmp_path / "file").touch()
    path = str(tmp_path / "file" / "below")
    assert _ended(module, [*arguments, path], monkeypatch) != 0
    assert str(tmp_path / "file") in capsys.readouterr().err.splitlines()[-1]


def test_file_that_is_no_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that isn't JSON can't be packaged."""
    (tmp_path / "flow.json").write_text("no flow")
    assert _ended("connector.package", ["--out", str(tmp_path), str(tmp_path / "flow.json")], monkeypatch) == 1
    assert capsys.readouterr().err == "Not every file is a flow as JSON.\n"


@pytest.mark.parametrize("scale", ["-1", "0", "nan", "inf", "fast"])
def test_scale(scale: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The simulator's seconds last some time."""
    assert _ended("dev.simulator", ["--time-scale", scale], monkeypatch) == 2
    assert "--time-scale" in capsys.readouterr().err.splitlines()[-1]
