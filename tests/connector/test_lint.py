"""The linter: every rule finds what breaks it, and only that; and nothing is found in our own files."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from connector.lint import RULES, lint_definition, lint_files, lint_properties, lint_text
from connector.lint.package import Image
from connector.lint.run import lint_icon
from connector.routes import ROOT
from tests.connector import breaking

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "connector"
DEFINITION: dict[str, Any] = json.loads((FOLDER / "apiDefinition.swagger.json").read_text(encoding="utf-8"))
PROPERTIES: dict[str, Any] = json.loads((FOLDER / "apiProperties.json").read_text(encoding="utf-8"))
OURS = [
    FOLDER / "apiDefinition.swagger.json",
    FOLDER / "apiProperties.json",
    FOLDER / "entra" / "apiDefinition.swagger.json",
    FOLDER / "entra" / "apiProperties.json",
    FOLDER / "icon.png",
]
_BACKGROUND = bytes.fromhex("0b6a5b")
_MARKED = _BACKGROUND * 35 + b"\xff\xff\xff" * 160 + _BACKGROUND * 35


def _image(**members: Any) -> Image:
    plain: dict[str, Any] = {
        "width": 230,
        "height": 230,
        "opaque": True,
        "rows": [_MARKED if 35 <= y < 195 else _BACKGROUND * 230 for y in range(230)],
        "color": "#0b6a5b",
    }
    return Image(**(plain | members))


ICONS = {
    "icon-size": _image(width=200, rows=[]),
    "icon-opaque": _image(opaque=False),
    "icon-background": _image(color="#ffffff"),
    "icon-mark": _image(rows=[_BACKGROUND * 230] * 230),
}


def test_our_own_files_have_no_findings() -> None:
    """Microsoft's validator has nothing to refuse in the connector, as far as its rules are known."""
    assert list(lint_files(OURS)) == []


@pytest.mark.parametrize("rule", breaking.DEFINITION)
def test_rule_of_definitions(rule: str) -> None:
    """What breaks a rule is found by that rule, and by no other."""
    document = copy.deepcopy(DEFINITION)
    breaking.DEFINITION[rule](document)
    assert {finding.rule for finding in lint_definition(document)} == {rule}


@pytest.mark.parametrize("rule", breaking.PROPERTIES)
def test_rule_of_properties(rule: str) -> None:
    """The same for ``apiProperties.json``."""
    document = copy.deepcopy(PROPERTIES)
    breaking.PROPERTIES[rule](document)
    assert {finding.rule for finding in lint_properties(document)} == {rule}


@pytest.mark.parametrize("rule", ICONS)
def test_rule_of_icons(rule: str) -> None:
    """The same for icons."""
    assert lint_icon(_image()) == []
    assert {finding.rule for finding in lint_icon(ICONS[rule])} == {rule}


def test_rule_of_text() -> None:
    """A Unicode escape is found with its line."""
    (finding,) = lint_text('{\n"a": "\\u00e9"}')
    assert (finding.rule, finding.place) == ("unicode-escapes", "line 2")


def test_every_rule_has_a_test() -> None:
    """A rule that nothing breaks would be a rule that can't fail."""
    tested = {*breaking.DEFINITION, *breaking.PROPERTIES, *ICONS, "unicode-escapes"}
    assert {rule.id for rule in RULES} == tested
    assert len(RULES) == len(tested)


def _run(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "connector.lint", *map(str, files)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_command_line(tmp_path: Path) -> None:
    """The command exits 0 without findings, 1 with them, and prints each with its place; 2 where it can't read."""
    assert _run(FOLDER / "apiProperties.json").returncode == 0
    broken = copy.deepcopy(DEFINITION)
    breaking.DEFINITION["title-words"](broken)
    file = tmp_path / "broken.swagger.json"
    file.write_text(json.dumps(broken), encoding="utf-8")
    ended = _run(file)
    assert ended.returncode == 1
    assert f"{file}#/info/title: title-words: " in ended.stdout
    assert _run(tmp_path / "nothing.json").returncode == 2
