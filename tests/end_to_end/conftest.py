"""The whole app as it runs on one machine: host process, real Azurite, simulated Graph over HTTPS."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from dev.azurite import azurite
from dev.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAYLOADS = ROOT / "tests" / "payloads"
KEY = "test-key"
# A token, a phone number, a URL's token or signature, or a GUID that is not named as a request's.
_PERSONAL = re.compile(
    r"eyJ[\w-]{10,}\.|\+\d{7,}|[?&](?:token|sig|code)=(?!\[)[\w-]{6,}"
    r"|(?<!request-id=)(?<!scenario-id=)(?<!message-id=)(?<!Failed, Id=)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
)
_LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)$", re.MULTILINE)


def payload(name: str) -> Any:
    """One of Graph's documented bodies."""
    return json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))


@dataclass
class Host:
    """A running host process."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def callback_uri(self) -> str:
        return f"{self.api}/notifications"

    def request(self, method: str, path: str, **more: Any) -> requests.Response:
        """A request with the function key; ``path`` is below ``/api``, or a whole URL without it."""
        address = path if path.startswith("http") else self.api + path
        headers = {} if path.startswith("http") else {"x-functions-key": KEY}
        headers |= more.pop("headers", {})
        return requests.request(method, address, headers=headers, timeout=60, allow_redirects=False, **more)

    def get(self, path: str) -> Any:
        response = self.request("GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    def invite(self, call_id: str, body: Any, **headers: str) -> requests.Response:
        return self.request("POST", f"/calls/{call_id}/participants/invite", json=body, headers=headers)

    def outcome(self, accepted: requests.Response, seconds: float = 20) -> requests.Response:
        """Poll as a flow does, only faster, until the answer is another than 202."""
        assert accepted.status_code == 202, accepted.text
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            polled = self.request("GET", accepted.headers["Location"])
            if polled.status_code != 202:
                return polled
            assert polled.headers["Location"] == accepted.headers["Location"]
            assert int(polled.headers["Retry-After"]) > 0
            time.sleep(0.05)
        raise AssertionError("no outcome in time")


@contextmanager
def run_host(
    settings: dict[str, str], folder: Path, *, port: int = 0, script: list[str] | None = None
) -> Iterator[Host]:
    """Run the local host (or a script that does so) while the block lasts."""
    file = folder / f"settings-{time.monotonic_ns()}.json"
    file.write_text(json.dumps({"IsEncrypted": False, "Values": settings}), encoding="utf-8")
    command = [sys.executable, *(script or ["-m", "dev.host.command"]), "--port", str(port)]
    command += ["--key", KEY, "--settings", str(file)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GRAPH_", "AzureWebJobs"))}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    host = Host(process, 0)
    ready = threading.Event()

    def read() -> None:
        for line in process.stdout or ():
            host.lines.append(line)
            if match := _LISTENING.search(line):
                host.port = int(match[1])
                ready.set()
        ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert ready.wait(60), "the host did not start in time"
        assert host.port, "".join(host.lines)
        yield host
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
        if process.stdout:
            process.stdout.close()
    assert not leaks(host.lines, settings), "a log line holds a secret, a number or a person's id"


def leaks(lines: list[str], settings: dict[str, str]) -> list[str]:
    """Return the lines of a host's log that hold what no line may."""
    account_key = re.search(r"AccountKey=([^;]{20})", settings.get("AzureWebJobsStorage", ""))
    known = [KEY, settings.get("GRAPH_CLIENT_SECRET"), account_key and account_key[1]]
    return [line for line in lines if _PERSONAL.search(line) or any(secret and secret in line for secret in known)]


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    """A storage of its own: the queues have fixed names, and another app's host would take the messages."""
    with azurite() as connection_string:
        yield connection_string


@pytest.fixture(scope="module")
def graph() -> Iterator[Simulator]:
    """A simulated Graph in which people answer after some tens of milliseconds."""
    with Simulator(time_scale=0.01) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def settings(storage: str, graph: Simulator) -> dict[str, str]:
    """The app's settings on this machine."""
    return {
        **graph.settings(),
        "AzureWebJobsStorage": storage,
        "FUNCTIONS_WORKER_RUNTIME": "python",
    }


@pytest.fixture(scope="module")
def host(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The app, running as a process of its own."""
    with run_host(settings, tmp_path_factory.mktemp("host")) as running:
        yield running
