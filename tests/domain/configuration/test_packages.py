"""Modules that can't be imported are named."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from domain.configuration.packages import SETTING, package_fault

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("file", "content", "imported", "named"),
    [
        ("halved/codes.py", "A = (1,", "halved.codes", "halved.codes"),
        ("newer/__init__.py", "match 1: case", "newer", "newer"),
        ("alone.py", "def (", "alone", "alone"),
        ("raising.py", "raise AttributeError('x')", "raising", "raising"),
        ("leaving.py", "raise SystemExit(1)", "leaving", "leaving"),
    ],
)
def test_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: str, *, imported: str, named: str
) -> None:
    """A file that is cut off, one for a newer Python, and one that raises."""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    if "/" in file:
        (tmp_path / file).with_name("__init__.py").touch()
    (tmp_path / file).write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((Exception, SystemExit)) as caught:
        importlib.import_module(imported)
    sys.modules.pop(imported.partition(".")[0], None)
    fault = package_fault(caught.value)
    assert (fault.setting, f"the module {named} can't be imported" in fault.text) == (SETTING, True), fault.text
