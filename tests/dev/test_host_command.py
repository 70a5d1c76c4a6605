from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from dev.host import host_json, settings_file
from dev.host.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[2]
_APP = """
    import os, time
    import azure.functions as func

    AT_IMPORT = {name: os.environ.get(name) for name in ("MINE", "BOTH", "PUBLIC_BASE_URL", "WEBSITE_HOSTNAME")}
    app = func.FunctionApp()

    @app.route(route="settings/{name}", methods=["GET"])
    def settings(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(AT_IMPORT[req.route_params["name"]] or "none")

    @app.route(route="stuck", methods=["GET"])
    def stuck(req: func.HttpRequest) -> func.HttpResponse:
        time.sleep(600)

    @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
    def yearly(timer: func.TimerRequest) -> None: ...
"""

_BAD_ROUTE = """
    import azure.functions as func

    app = func.FunctionApp()

    @app.route(route="/x")
    def bad(req: func.HttpRequest) -> func.HttpResponse: ...
"""


@dataclass(frozen=True)
class Folder:
    """A folder with an app in it, as a developer has one."""

    path: Path

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(textwrap.dedent(text), encoding="utf-8")

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-m", "dev.host", *arguments],
            cwd=self.path,
            env={**kept, "PYTHONPATH": str(_ROOT), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def running(self, *arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
        """Run the host until the block ends; gives the process, its address and what it said until then."""
        with self.start("--port", "0", *arguments, **environment) as process:
            try:
                assert process.stdout is not None
                said = ""
                while not (found := re.search(r"^listening on (\S+)$", said, re.MULTILINE)):
                    line = process.stdout.readline()
                    assert line, (said, process.stderr and process.stderr.read())
                    said += line
                yield process, found[1], said
            finally:
                process.kill()

    def failure(self, *arguments: str) -> str:
        """Start the host where it cannot start; gives what it says."""
        with self.start("--port", "0", *arguments) as process:
            output, errors = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "listening" not in output
        return errors


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder with a small app that is ready to be run."""
    made = Folder(tmp_path)
    made.write("function_app.py", _APP)
    made.write("host.json", '{"version": "2.0", "extensions": {"http": {"routePrefix": "api"}}}')
    made.write("local.settings.json", '{"IsEncrypted": false, "Values": {"MINE": "file", "BOTH": "file"}}')
    return made


def _get(address: str, key: str = "k") -> tuple[int, str]:
    try:
        with urlopen(Request(address, headers={"x-functions-key": key}), timeout=30) as reply:
            return reply.status, reply.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_settings_are_there_before_the_app_is_imported(folder: Folder) -> None:
    """The file's values are in the environment at import; a variable that was there already wins."""
    with folder.running("--key", "k", BOTH="environment") as (_, address, said):
        assert _get(f"{address}/api/settings/MINE") == (200, "file")
        assert _get(f"{address}/api/settings/BOTH") == (200, "environment")
        assert "BOTH" in said
        assert _get(f"{address}/api/settings/PUBLIC_BASE_URL") == (200, address)


def test_the_outside_address_is_left_alone_where_it_is_set(folder: Folder) -> None:
    """An address that the settings give is not replaced by that of this machine."""
    with folder.running("--key", "k", WEBSITE_HOSTNAME="x.example") as (_, address, _said):
        assert _get(f"{address}/api/settings/PUBLIC_BASE_URL") == (200, "none")
    with folder.running("--key", "k", PUBLIC_BASE_URL="https://x.example") as (_, address, _said):
        assert _get(f"{address}/api/settings/PUBLIC_BASE_URL") == (200, "https://x.example")


def test_it_says_what_it_found(folder: Folder) -> None:
    """It lists each function, and prints a key where none was given; that key opens the functions."""
    with folder.running() as (_, address, said):
        assert f"settings: [GET] {address}/api/settings/{{name}}" in said
        assert "yearly: timer 0 0 0 1 1 *" in said
        made_up = re.search(r"^key for this run: (\S{32,})$", said, re.MULTILINE)
        assert made_up
        assert _get(f"{address}/api/settings/MINE", "k")[0] == 401
        assert _get(f"{address}/api/settings/MINE", made_up[1])[0] == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_told(folder: Folder, number: signal.Signals) -> None:
    """SIGINT and SIGTERM end it with status 0 and without a trace."""
    with folder.running("--key", "k") as (process, address, _):
        assert _get(f"{address}/api/settings/MINE")[0] == 200
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Traceback" not in errors


def test_a_function_that_never_ends_does_not_keep_it(folder: Folder) -> None:
    """It ends within seconds although a function is still running."""
    with (
        folder.running("--key", "k") as (process, address, _),
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as connection,
    ):
        connection.sendall(b"GET /api/stuck?code=k HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_a_missing_settings_file_is_named(folder: Folder) -> None:
    """Without the settings file it says which file, and what to do."""
    errors = folder.failure("--settings", "missing.json")
    assert "missing.json" in errors
    assert "local.settings.sample.json" in errors
    assert "Traceback" not in errors


def test_a_port_in_use_is_named(folder: Folder) -> None:
    """A port that another program has is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        errors = folder.failure("--port", port)
    assert f"Port {port}" in errors
    assert "--port" in errors


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_module", "no_such_module"),
        ("1 / 0", "ZeroDivisionError"),
        ("def broken(", "SyntaxError"),
        ("other = 1", "func.FunctionApp"),
        (
            _BAD_ROUTE,
            "Function bad: the route '/x'",
        ),
    ],
)
def test_an_app_that_cannot_be_loaded_is_explained(folder: Folder, code: str, said: str) -> None:
    """An app that fails to import, or declares what cannot be run, ends it with the reason."""
    folder.write("function_app.py", code)
    assert said in folder.failure()


def test_a_settings_file_is_read_as_core_tools_does(tmp_path: Path) -> None:
    """Values are added to the environment, and those that were there are kept and named."""
    file = tmp_path / "settings.json"
    file.write_text('\ufeff{"Values": {"A": "file", "B": "file"}}', encoding="utf-8")
    environment = {"A": "mine"}
    assert settings_file.load(file, environment) == ["A"]
    assert environment == {"A": "mine", "B": "file"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Values": []}', '{"Values": {"A": 1}}', '{"IsEncrypted": true}'])
def test_a_bad_settings_file_is_explained(tmp_path: Path, text: str) -> None:
    """A file of another form is refused by name, and changes nothing."""
    file = tmp_path / "settings.json"
    file.write_text(text, encoding="utf-8")
    environment: dict[str, str] = {}
    with pytest.raises(CannotStart, match=r"settings\.json"):
        settings_file.load(file, environment)
    assert environment == {}


def test_host_json_is_read(tmp_path: Path) -> None:
    """The queues' options are taken from host.json, and have the real host's defaults."""
    file = tmp_path / "host.json"
    queues: dict[str, object] = {
        "messageEncoding": "none",
        "maxPollingInterval": "00:00:02",
        "visibilityTimeout": "00:01:30",
    }
    queues |= {"batchSize": 4, "newBatchThreshold": 0, "maxDequeueCount": 2}
    file.write_text(json.dumps({"extensions": {"queues": queues, "http": {"routePrefix": ""}}}), encoding="utf-8")
    found = host_json.read(file)
    assert found.extensions.http.route_prefix == ""
    assert list(found.extensions.queues.model_dump().values()) == ["none", 2.0, 90.0, 4, 0, 2]
    file.write_text('{"version": "2.0"}', encoding="utf-8")
    assert host_json.read(file) == host_json.HostOptions()


@pytest.mark.parametrize(
    "queues",
    [{"maxPollingInterval": "soon"}, {"batchSize": 33}, {"batchSize": 0}, {"maxDequeueCount": "5"},
     {"messageEncoding": "utf7"}, []],
)  # fmt: skip
def test_a_bad_host_json_is_explained(tmp_path: Path, queues: object) -> None:
    """An option that the real host would refuse is refused."""
    file = tmp_path / "host.json"
    file.write_text(json.dumps({"extensions": {"queues": queues}}), encoding="utf-8")
    with pytest.raises(CannotStart, match=r"host\.json"):
        host_json.read(file)
