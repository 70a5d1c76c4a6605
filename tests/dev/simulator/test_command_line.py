from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jwt
import pytest

from dev.simulator import Simulator
from dev.simulator.cli import main
from dev.simulator.client import SimulatorClient
from dev.simulator.console import short
from tests.dev.simulator.caller import ALICE, PHONE, Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.dev.simulator.inbox import Inbox

_ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the simulator of this module's tests keeps its files."""
    return tmp_path_factory.mktemp("simulator")


@pytest.fixture(scope="module")
def process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """``python -m simulator`` as a developer keeps it running."""
    command = [sys.executable, "-m", "dev.simulator", "--port", "0", "--folder", str(folder), "--time-scale", "0.01"]
    command += ["--callback-tokens", "entra"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Script it"):
                break
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not (folder / "simulator.json").exists()


def _lines(process: subprocess.Popen[str], last: str) -> list[str]:
    """The lines printed up to the one with ``last`` in it."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if last in line:
            break
    return lines


def test_events_are_printed_with_personal_data_cut_short(
    process: subprocess.Popen[str], folder: Path, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each for the call, the invite, the ringing, its outcome and the callbacks, no whole id among them."""
    assert main(["--folder", str(folder), "call", "--callback-uri", inbox.url, "--id", "call-1"]) == 0
    assert main(["person", "--folder", str(folder), PHONE, "declines", "after=1"]) == 0
    assert capsys.readouterr().out == "call-1\n"
    running = SimulatorClient.of_folder(folder)
    with Simulator() as helper, Caller(helper) as caller:
        caller.session.verify = running.ca_file
        settings = running.settings()
        form = {
            "client_id": settings["GRAPH_CLIENT_ID"],
            "client_secret": settings["GRAPH_CLIENT_SECRET"],
            "grant_type": "client_credentials",
            "scope": f"{running.base_url}/.default",
        }
        url = f"{settings['GRAPH_AUTHORITY']}/oauth2/v2.0/token"
        token = caller.session.post(url, data=form, timeout=5).json()["access_token"]
        invite = f"{running.base_url}/v1.0/communications/calls/call-1/participants/invite"
        body = {"participants": [{"identity": {"phone": {"id": PHONE}}}]}
        headers = {"Authorization": f"Bearer {token}"}
        assert caller.session.post(invite, json=body, headers=headers, timeout=5).status_code == 200
    lines = _lines(process, "callback   operation")
    text = "".join(lines)
    assert PHONE not in text
    for said in ("token      given for a secret", "ringing    +1234…", "invite     taken 200", "declined   +1234…"):
        assert said in text
    assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in lines)


def test_callbacks_can_be_signed_by_entra(process: subprocess.Popen[str], folder: Path, inbox: Inbox) -> None:
    """The kind of token is an option of the command."""
    assert process.poll() is None
    running = SimulatorClient.of_folder(folder)
    running.create_call(inbox.url)
    assert running.wait_idle(5)
    token = inbox.received[-1].headers["Authorization"].removeprefix("Bearer ")
    assert jwt.decode(token, options={"verify_signature": False})["iss"].startswith("https://sts.windows.net/")


def test_meetings_limits_and_incoming_calls_are_commands(
    process: subprocess.Popen[str], folder: Path, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """They print what the next command needs."""
    assert process.poll() is None
    arguments = ["--folder", str(folder)]
    assert main([*arguments, "meeting", "passcode=psw123"]) == 0
    assert json.loads(capsys.readouterr().out)["shortUrl"].endswith("?p=psw123")
    assert main([*arguments, "limits", "answer=600", "removalAllowed=false"]) == 0
    assert main([*arguments, "report", "ringing=unlisted"]) == 0
    assert main([*arguments, "incoming", "--callback-uri", inbox.url, ALICE]) == 0
    call_id = capsys.readouterr().out.strip()
    assert main([*arguments, "end", call_id]) == 0
    assert main([*arguments, "meeting", "passcode=5"]) == 1
    assert capsys.readouterr().err == "simulator: passcode: Input should be a valid string\n"
    assert main([*arguments, "call", "--callback-uri", inbox.url, "participants=[5]"]) == 1


def test_the_log_can_be_printed(
    process: subprocess.Popen[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log command prints JSON, of one kind or of all."""
    assert process.poll() is None
    assert main(["log", "calls", "--folder", str(folder)]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), list)
    assert main(["settings", "--folder", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["REQUESTS_CA_BUNDLE"] == str(folder / "ca.pem")


def test_a_wrong_option_ends_with_a_clear_message(
    process: subprocess.Popen[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1, and the option's name and what it may be on standard error."""
    assert process.poll() is None
    assert main(["fault", "--folder", str(folder), "status=429", "satus=5"]) == 1
    assert capsys.readouterr().err == "simulator: satus: not an option\n"


def test_without_a_running_simulator_the_commands_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder where one was looked for is named."""
    assert main(["reset", "--folder", str(tmp_path)]) == 1
    assert "no simulator runs with the folder" in capsys.readouterr().err


def test_the_authority_outlives_a_restart(tmp_path: Path) -> None:
    """An app that trusts the folder's certificate trusts the next simulator of that folder; its key is private."""
    with Simulator(folder=tmp_path) as graph:
        first = Path(graph.ca_file).read_bytes()
    with Simulator(folder=tmp_path) as graph, Caller(graph) as caller:
        assert Path(graph.ca_file).read_bytes() == first
        assert caller.get("none").status_code == 404
    if os.name == "posix":
        assert (tmp_path / "ca.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("whole", "cut"), [(PHONE, "+1234…"), (ALICE, "278405a3…"), ("short", "short"), (None, "-")])
def test_identifiers_are_cut(whole: str | None, cut: str) -> None:
    """Enough to recognise, not enough to use."""
    assert short(whole) == cut


def test_a_port_that_can_not_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is taken, and one that is none, are one sentence."""
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--folder", str(tmp_path)]) == 1
    assert f"port {port} is in use" in capsys.readouterr().err
    assert main(["--port", "99999", "--folder", str(tmp_path)]) == 1
    assert "99999 is not a port" in capsys.readouterr().err
