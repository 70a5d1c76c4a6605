"""docs/doctor.md shows what the doctor says, and its commands are ones that run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient

from dev.doctor.examination import Examination
from storage.names import WORK
from tests.dev.doctor.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dev.doctor.conftest import Doctor

PAGE = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT = re.compile(r"(localhost|127\.0\.0\.1):\d+")


def _shown(kind: str) -> list[str]:
    return [text for fenced, text in _FENCE.findall(PAGE) if fenced == kind]


def _plain(text: str) -> list[str]:
    """The lines without what differs from run to run: this machine's names and ports."""
    return _PORT.sub("here", text).rstrip().splitlines()


@pytest.fixture
def _queue(azurite: str) -> None:
    """The app's queue, as it is after its first message."""
    with QueueClient.from_connection_string(azurite, WORK) as client, suppress(ResourceExistsError):
        client.create_queue()


@pytest.mark.usefixtures("_queue")
def test_the_page_shows_what_is_printed(doctor: Doctor) -> None:
    """Both samples, to the letter, except for the ports."""
    good, faulty = _shown("text")
    assert _plain(doctor(STATE_TABLE="calls").text) == _plain(good)
    said = doctor(STATE_TABLE="calls", GRAPH_CLIENT_SECRET="another secret").text
    assert _plain(said.partition("\n\n")[0]) == _plain(faulty)


def test_every_check_is_on_the_page_with_its_limit() -> None:
    """A new check is documented with what it looks at and its limit."""
    rows = re.findall(r"^\| `([a-z-]+)` \| .+ \| (\d+) \|$", PAGE, re.MULTILINE)
    assert rows == [(check.name, f"{check.seconds:g}") for check in Examination({}).checks()]


def test_every_option_is_on_the_page() -> None:
    """And no other."""
    printed = subprocess.run(
        [sys.executable, "-m", "dev.doctor", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"--[a-z]+", printed)) - {"--help"} == set(re.findall(r"^\| `(--[a-z]+)", PAGE, re.MULTILINE))


def test_the_pipeline_s_commands_run(well: dict[str, str], tmp_path: Path) -> None:
    """The documented pipeline prints an object in which jq finds the faults."""
    (tmp_path / "settings.json").write_text(json.dumps({"Values": {**well, "GRAPH_CLIENT_SECRET": "another"}}))
    line = next(line for line in "".join(_shown("sh")).splitlines() if line.startswith("python -m dev.doctor"))
    command = line.replace("python", shlex.quote(sys.executable), 1)
    environment = {name: value for name, value in os.environ.items() if name not in well} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, env=environment, check=False, timeout=60)
    assert done.returncode == 1
    report = json.loads((tmp_path / "doctor.json").read_text(encoding="utf-8"))
    assert report["status"] == "fault"
    if shutil.which("jq"):
        filtered = next(line for line in "".join(_shown("sh")).splitlines() if line.startswith("jq "))
        found = subprocess.run(
            ["/bin/sh", "-c", filtered], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        assert found.startswith("token: Entra ID gives no token (AADSTS7000215)")


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("there", [False, True], ids=["without the file", "with local.settings.json"])
def test_make_doctor_is_what_the_page_says(tmp_path: Path, *, there: bool) -> None:
    """The file is read where there is one, and ``DOCTOR`` comes last, so that another file can be named."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv").mkdir()
    for name in ("requirements.in", "requirements-demo.txt", "dev/python_environment.sh", ".venv/.installed"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    if there:
        (tmp_path / "local.settings.json").touch()
    done = subprocess.run(
        [shutil.which("make") or "make", "--no-print-directory", "-n", "doctor", "DOCTOR=--skip token"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    named = " --settings local.settings.json" if there else ""
    assert " ".join(done.stdout.split()) == f".venv/bin/python -m dev.doctor{named} --skip token"
