"""The commands of docs/api.md, run as they are printed against the app and a simulated Graph."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dev.simulator import Simulator
from tests.end_to_end.conftest import KEY, run_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.end_to_end.conftest import Host

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
_CALL = "2f1a5c7e-3b9d-4c21-8f60-9a4d2e7b1c03"
_OTHER_CALL = "a7ebfb2d-871e-419c-87af-27290b22e8db"
_MOVED = "682b6c37-0729-4fab-ace6-d730d5d9137e"
_FENCE = re.compile(r"^```(sh|http|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def graph() -> Iterator[Simulator]:
    """A simulated Graph of its own, since the page chooses the ids of its calls."""
    with Simulator(time_scale=0.01) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def host(azurite: str, graph: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The app, with a flow on this machine allowed as in the sample settings."""
    settings = {
        **graph.settings(),
        "AzureWebJobsStorage": azurite,
        "STATE_TABLE": f"t{uuid.uuid4().hex}",
        "FLOW_CALLBACK_LOCAL_HOSTS": "localhost:8080",
    }
    with run_host(settings, tmp_path_factory.mktemp("host")) as running:
        yield running


def _commands() -> list[tuple[str, str, str, str | None]]:
    """Return each curl command of the page with its heading, and the header and the body that are printed after it."""
    found = []
    for section in re.split(r"^#+ ", _PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        fences = _FENCE.findall(section)
        for place, (kind, command) in enumerate(fences):
            if kind == "sh" and "curl" in command:
                printed = dict(reversed(fences[place + 1 :]))  # the first of each kind
                http = printed.get("http", "HTTP/1.1 200 OK")
                found.append((section.partition("\n")[0], command, http, printed.get("json")))
    return found


def _members(value: Any, path: str = "") -> set[str]:
    """Return the paths of a body's properties, of all entries of an array together."""
    if isinstance(value, dict):
        return {path}.union(*(_members(member, f"{path}.{name}") for name, member in value.items()))
    if isinstance(value, list):
        return {path}.union(*(_members(entry, f"{path}[]") for entry in value))
    return {path}


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_commands(host: Host, graph: Simulator) -> None:
    """Pasted from top to bottom, each command gets the status, the headers and the properties that are printed."""
    graph.create_call(host.callback_uri, call_id=_CALL)
    graph.create_call(host.callback_uri, call_id=_OTHER_CALL, participants=[_MOVED])
    base, location = f"http://127.0.0.1:{host.port}", ""
    commands = _commands()
    assert len(commands) == 22
    for heading, command, http, body in commands:
        variables = f"key={KEY} call={base}/api/calls/{_CALL} location='{location}'\n"
        script = variables + command.replace("http://localhost:7071", base).replace("curl -i", "curl -si")
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=30, check=True)
        head, _, answered = done.stdout.replace("\r", "").partition("\n\n")
        status, *printed = http.strip().splitlines()
        assert head.splitlines()[0].split()[1] == status.split()[1], (heading, done.stdout)
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines()[1:])}
        assert {line.partition(":")[0].lower() for line in printed} <= headers.keys(), heading
        location = headers.get("location", location).replace("http://localhost:7071", base)
        if body is not None and json.loads(body).get("error") is None:
            there, shown = _members(json.loads(answered)), _members(json.loads(body))
            assert shown <= there, heading
            assert shown == there or ".value" in shown, heading  # an array also has what earlier commands created
        assert graph.wait_idle(20)
