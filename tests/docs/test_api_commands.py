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
    """A simulated Graph of this test's own, since the page chooses the ids of its calls."""
    with Simulator(time_scale=0.01) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def host(azurite: str, graph: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The app, which lets a flow wait on this machine as the sample settings do."""
    settings = {
        **graph.settings(),
        "AzureWebJobsStorage": azurite,
        "STATE_TABLE": f"t{uuid.uuid4().hex}",
        "FLOW_CALLBACK_LOCAL_HOSTS": "localhost:8080",
    }
    with run_host(settings, tmp_path_factory.mktemp("host")) as running:
        yield running


def _sections() -> list[tuple[str, str, str | None, str | None]]:
    """Each section that has a command: its heading, the command, and the first answer printed after it."""
    found = []
    for section in re.split(r"^#+ ", _PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        fences = _FENCE.findall(section)
        place = next((number for number, (kind, text) in enumerate(fences) if kind == "sh" and "curl" in text), None)
        if place is not None:
            after = fences[place + 1 :]
            http = next((text for kind, text in after if kind == "http"), None)
            body = next((text for kind, text in after if kind == "json"), None)
            found.append((section.partition("\n")[0], fences[place][1], http, body))
    return found


def _members(value: Any, path: str = "") -> set[str]:
    """The paths of a body's members, of all entries of a list together."""
    if isinstance(value, dict):
        return {path}.union(*(_members(member, f"{path}.{name}") for name, member in value.items()))
    if isinstance(value, list):
        return {path}.union(*(_members(entry, f"{path}[]") for entry in value))
    return {path}


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_each_command_is_answered_as_the_page_says(host: Host, graph: Simulator) -> None:
    """From top to bottom: the status, the headers and the members that are printed are those that come."""
    graph.create_call(host.callback_uri, call_id=_CALL)
    graph.create_call(host.callback_uri, call_id=_OTHER_CALL, participants=[_MOVED])
    sections = _sections()
    assert len(sections) == 11
    for heading, command, http, body in sections:
        if "token=" in command:
            continue  # the token is another one each time
        base = f"http://127.0.0.1:{host.port}"
        script = f"key={KEY} call={base}/api/calls/{_CALL}\n" + command.replace("http://localhost:7071", base)
        script = re.sub(r"\bcurl (?!-i)", "curl -i ", script).replace("curl -i", "curl -si")
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=30, check=True)
        head, _, answered = done.stdout.replace("\r", "").partition("\n\n")
        status, *printed = (http or "HTTP/1.1 200 OK").strip().splitlines()
        assert head.splitlines()[0].split()[1] == status.split()[1], (heading, done.stdout)
        names = {line.partition(":")[0].lower() for line in head.splitlines()[1:]}
        assert {line.partition(":")[0].lower() for line in printed} <= names, heading
        assert body is not None, heading
        there, told = _members(json.loads(answered)), _members(json.loads(body))
        # A list has what the commands before it brought, which the page does not print again.
        assert told - there == set(), heading
        assert there - told == set() or ".value" in told, heading
        assert graph.wait_idle(20)
