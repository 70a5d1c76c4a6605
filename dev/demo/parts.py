"""The three parts that the demo plays on, each on free ports: Azurite, the simulated Graph, the app."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import deque
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from dev.azurite import azurite
from dev.host.errors import CannotStart
from dev.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.demo.screen import Screen

KEY = "demo"
"""The key of the app's functions; the app listens on this machine only, and every person in it is simulated."""
TIME_SCALE = 0.2
"""What a second lasts in the demo: a phone rings 12 seconds instead of 60, and polls come faster by the same factor."""

_ROOT = Path(__file__).resolve().parents[2]
_LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_SHOWN_LINES = 15
# What the shell from which the demo is started may hold: settings, which must not lead it to a real Graph, and a
# proxy, which can't reach this machine's ports.
_NOT_FOR_THE_APP = re.compile(
    r"(GRAPH|CALLBACK|STATE|FLOW_CALLBACK|INVITATION|CALL_RETENTION|KEEP_ALIVE|START|INCOMING|CONNECTOR|PUBLIC_BASE|WEBSITE)_|AzureWebJobs"
    r"|(?i:HTTP|HTTPS|ALL)_(?i:PROXY)$"
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs."""

    graph: Simulator
    address: str
    """Root of the app, without ``/api``."""
    log_file: Path

    @property
    def callback_uri(self) -> str:
        """Where Graph is to report the events of the app's calls."""
        return f"{self.address}/api/notifications"


@contextmanager
def running(screen: Screen) -> Iterator[Parts]:
    """Run all three while the block lasts.

    Raises:
        AzuriteUnavailable: Azurite is not installed, or did not start.
        CannotStart: The app did not start; the text has the end of its log.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="call-invites-")))
        with screen.waiting("starting Azurite"):
            storage = stack.enter_context(azurite())
        screen.good("started", "Azurite, in place of Azure Storage")
        graph = stack.enter_context(Simulator(time_scale=TIME_SCALE, folder=folder / "graph"))
        screen.good("started", f"the simulated Microsoft Graph at {graph.base_url}")
        settings = {
            **graph.settings(),
            "AzureWebJobsStorage": storage,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "KEEP_ALIVE_SECONDS": "2",
        }
        log_file = folder / "app.log"
        with screen.waiting("starting the app"):
            address = stack.enter_context(_app(settings, folder / "settings.json", log_file))
        screen.good("started", f"the app at {address}")
        yield Parts(graph, address, log_file)


@contextmanager
def _app(settings: dict[str, str], settings_file: Path, log_file: Path) -> Iterator[str]:
    settings_file.write_text(json.dumps({"IsEncrypted": False, "Values": settings}), encoding="utf-8")
    command = [sys.executable, "-m", "dev.demo.app", "--port", "0", "--key", KEY, "--settings", str(settings_file)]
    process = subprocess.Popen(
        command,
        cwd=_ROOT,
        env={name: value for name, value in os.environ.items() if not _NOT_FOR_THE_APP.match(name)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # Ctrl-C reaches the demo only, which then ends everything in order
    )
    try:
        yield _address(process, log_file)
    finally:
        _stop(process)


def _address(process: subprocess.Popen[str], log_file: Path) -> str:
    """Wait until the app prints where it listens; all its output goes to the log."""
    found: list[str] = []
    last_lines: deque[str] = deque(maxlen=_SHOWN_LINES)
    ready = threading.Event()

    def read(output: IO[str]) -> None:
        with log_file.open("w", encoding="utf-8", buffering=1) as log, suppress(ValueError):
            for line in output:
                log.write(line)
                last_lines.append(line)
                if not found and (match := _LISTENING.search(line)):
                    found.append(match[1])
                    ready.set()
        ready.set()

    assert process.stdout is not None  # noqa: S101 - asked for when it was started
    threading.Thread(target=read, args=(process.stdout,), name="app-output", daemon=True).start()
    ready.wait(_START_SECONDS)
    if not found:
        raise CannotStart("The app did not start. The end of its log:\n" + "".join(last_lines).strip())
    return found[0]


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()
