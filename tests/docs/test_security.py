"""docs/security.md claims what something holds: tests that are there, and commands that find what they erase."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from storage.rows import partition_key
from storage.singles import _OPEN, _STARTS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_each_threat_has_its_tests() -> None:
    """A row names test files that exist, or says that nothing tests it."""
    section = PAGE.partition("\n## Threats\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for threat, _, tested in rows:
        files = re.findall(r"`(tests/[\w/]+\.py)`", tested)
        assert bool(files) is (tested.strip() != "not tested"), threat
        assert [name for name in files if not (ROOT / name).is_file()] == [], threat


@pytest.mark.parametrize(
    "call_id", ["2F1A5C7E-3B9D-4C21-8F60-9A4D2E7B1C03", "2f1a5c7e-3b9d-4c21-8f60-9a4d2e7b1c03", "19:x@thread.v2", "é b"]
)
def test_the_partition_to_erase(call_id: str) -> None:
    """The command finds the partition of a call, however its id is written."""
    (code,) = re.findall(r'^partition=\$\(\.venv/bin/python -c "([^"]+)" "\$call"\)$', PAGE, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", code, call_id], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == partition_key(call_id)


def test_the_other_partitions_to_erase() -> None:
    """Starts and the index of open calls are where the commands look."""
    assert f"PartitionKey ge '{_STARTS}'" in PAGE
    assert f"erase '{_OPEN}' \"$partition\"" in PAGE


def test_no_secret_on_a_command_line() -> None:
    """No command of the pages has a secret among its arguments, where other users of the machine would see it."""
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")]
    commands = "\n".join(
        block for page in pages for block in re.findall(r"```(?:sh|powershell)\n(.*?)```", page, re.DOTALL)
    )
    assert not re.findall(r"--(?:password|client-secret|secret|value|account-key|connection-string)[ =]\S+", commands)
    assert not re.findall(r"azd env set \w*(?:SECRET|CREDENTIAL_VALUE|PASSWORD)", commands)
