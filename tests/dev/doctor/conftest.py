"""The doctor as a command, and an app that is well until a test breaks something."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import uuid
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from unittest.mock import patch

import pytest

from dev.doctor import command as root
from dev.simulator import Simulator
from dev.simulator.entra import DEFAULT_ROLES
from tests.dev.doctor.standins import AUTHORITY
from tests.end_to_end.conftest import run_host

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
ALL = ("table-storage", "queue-storage", "token", "graph", "callback-keys", "public-address")
FLOW_SECRET = "whsec_c2VjcmV0LW9mLXRoZS1mbG93cy1vbi1vbmUtbWFjaGluZQ=="
_OURS = re.compile(r"(GRAPH|CALLBACK|STATE|FLOW_CALLBACK|PUBLIC_BASE|WEBSITE|INVITATION)_|AzureWebJobs|IDENTITY_|MSI_")


@dataclass(frozen=True)
class Said:
    """What the doctor said, and its exit status."""

    status: int
    text: str

    def of(self, check: str) -> str:
        """All lines about one check, findings and their fixes."""
        found, mine = [], False
        for line in self.text.splitlines():
            if not line.startswith(" " * 12 + " "):
                mine = line[13:].startswith(f"{check} ")
            found += [line] if mine else []
        return "\n".join(found)

    @property
    def json(self) -> Any:
        """What ``--json`` printed."""
        return json.loads(self.text)


class Doctor(Protocol):
    """Runs the doctor with settings that differ from the good ones; None takes one away."""

    def __call__(
        self,
        *arguments: str,
        only: str | None = None,
        environment: dict[str, str] | None = None,
        **changes: str | None,
    ) -> Said: ...


@pytest.fixture(scope="session")
def running_graph() -> Iterator[Simulator]:
    """A simulated Graph for all tests here."""
    with Simulator(time_scale=0.01) as simulator:
        yield simulator


@pytest.fixture
def graph(running_graph: Simulator) -> Simulator:
    """The same Graph, well again."""
    running_graph.reset()
    running_graph.entra.roles = DEFAULT_ROLES
    return running_graph


@pytest.fixture(scope="session")
def well(running_graph: Simulator, azurite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings of an app that runs and is well."""
    settings = {
        **running_graph.settings(),
        "AzureWebJobsStorage": azurite,
        "STATE_TABLE": f"t{uuid.uuid4().hex}",
        "FLOW_CALLBACK_SECRET": FLOW_SECRET,
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "NO_PROXY": "localhost,127.0.0.1",
    }
    with run_host(settings, tmp_path_factory.mktemp("host")) as host:
        yield {**settings, "PUBLIC_BASE_URL": f"http://127.0.0.1:{host.port}"}


@pytest.fixture
def trusted(tmp_path: Path) -> str:
    """A file with the authority of the stand-ins."""
    file = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(file))
    return str(file)


@pytest.fixture
def doctor(well: dict[str, str], graph: Simulator, tmp_path: Path) -> Doctor:
    """The command; whatever it prints is searched for secrets, in every test."""

    def run(
        *arguments: str,
        only: str | None = None,
        environment: dict[str, str] | None = None,
        **changes: str | None,
    ) -> Said:
        values = {name: value for name, value in {**well, **changes}.items() if value is not None}
        file = tmp_path / "settings.json"
        file.write_text(json.dumps({"IsEncrypted": False, "Values": values}), encoding="utf-8")
        skipped = [part for name in ALL if only and name not in only.split() for part in ("--skip", name)]
        around = {name: value for name, value in os.environ.items() if not _OURS.match(name)} | (environment or {})
        said = command(around, "--settings", str(file), *skipped, *arguments)
        assert "the doctor itself failed" not in said.text, said.text
        assert not secrets_in(said.text, values)
        return said

    return run


def command(environment: dict[str, str], *arguments: str) -> Said:
    """Run the command as a process would; that it also is one is for ``test_well`` to show."""
    printed = io.StringIO()
    handlers = logging.getLogger().handlers[:]
    with patch.dict(os.environ, environment, clear=True), redirect_stdout(printed), redirect_stderr(printed):
        try:
            status = root.main(arguments)
        except SystemExit as ended:
            status = int(ended.code or 0)
        finally:
            logging.getLogger().handlers[:] = handlers
    return Said(status, printed.getvalue())


def secrets_in(text: str, settings: dict[str, str]) -> list[str]:
    """The secrets of these settings, and what looks like a token, in what was printed."""
    names = ("GRAPH_CLIENT_SECRET", "GRAPH_CLIENT_CERTIFICATE", "FLOW_CALLBACK_SECRET", "AzureWebJobsStorage")
    values = [settings[name] for name in names if settings.get(name)]
    values += [part for value in values for part in re.findall(r"(?:AccountKey|sig)=([^;&]+)", value)]
    values += [line for value in values if "PRIVATE KEY" in value for line in value.splitlines()[1:5]]
    public = ("UseDevelopmentStorage=true", "@Microsoft.KeyVault")
    found = [value for value in values if len(value) > 3 and value in text and not value.startswith(public)]
    return found + re.findall(r"eyJ[\w-]{10,}|AccountKey=|[?&]sig=|PRIVATE KEY", text)
