"""A machine with an az and an azd that keep what they are given, on which the hooks run as azd runs them."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infra.reading import INFRA

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
OTHER_TENANT = "9a1d6c1e-4f3b-4a7c-8d2e-0b5f6a7c8d9e"
CLIENT = "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10"
IDENTITY = "5d1f3c9a-2b7e-4e60-9c8d-1a2b3c4d5e6f"
PERMISSIONS = (INFRA / "hooks" / "permissions.txt").read_text(encoding="utf-8").split()
BEFORE = {"AZURE_ENV_NAME": "dev", "AZURE_SUBSCRIPTION_ID": "first", "AZURE_LOCATION": "westeurope"}
OUTPUTS = {
    "AZURE_TENANT_ID": TENANT,
    "AZURE_FUNCTION_NAME": "func-x",
    "IDENTITY_PRINCIPAL_ID": IDENTITY,
    "NOTIFICATIONS_URL": "https://func-x.azurewebsites.net/api/notifications",
}
SHELLS = ["sh", *(["pwsh"] if shutil.which("pwsh") else [])]


@dataclass
class Machine:
    """A folder with az and azd, their state, and the shell that the hooks run in."""

    folder: Path
    shell: str

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir()
        (self.folder / "temporary").mkdir()
        for name in ("az", "azd", "sleep"):
            program = self.folder / "bin" / name
            words = [sys.executable, str(Path(__file__).with_name("fake_az.py")), str(self._file), name]
            program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
            program.chmod(0o755)
        state: dict[str, Any] = {
            "asked": [],
            "cloud": "AzureCloud",
            "graph": "https://graph.microsoft.com",
            "environment": {},
            "fails": {},
            "provider": "NotRegistered",
            "regions": ["eastus", "westeurope"],
            "registrations": {},
            "roles": ["User.Read.All", *PERMISSIONS],
            "subscription": "first",
            "subscriptions": {"first": TENANT, "second": OTHER_TENANT},
        }
        self._file.write_text(json.dumps(state), encoding="utf-8")

    @property
    def _file(self) -> Path:
        return self.folder / "state.json"

    @property
    def state(self) -> dict[str, Any]:
        """What az and azd hold."""
        return dict(json.loads(self._file.read_text(encoding="utf-8")))

    def change(self, **values: Any) -> None:
        """Set parts of what az and azd hold."""
        self._file.write_text(json.dumps({**self.state, **values}), encoding="utf-8")

    def fail(self, command: str, *, message: str = "", times: int = 99) -> None:
        """Let a command of az or azd fail, so many times."""
        failure = {"message": message or f"ERROR: {command} failed", "times": times}
        self.change(fails={**self.state["fails"], command: failure})

    def register(self, client: str, **values: Any) -> None:
        """Put a registration into the directory."""
        empty = {"name": "", "trusts": [], "secrets": [], "principal": True}
        self.change(registrations={**self.state["registrations"], client: {**empty, **values}})

    def remove_az(self) -> None:
        """Uninstall the Azure CLI."""
        (self.folder / "bin" / "az").unlink()

    def run(self, hook: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a hook as azd does: with azd's environment as variables."""
        script = f"{INFRA}/hooks/{hook}"
        command = [f"{script}.sh"]
        if self.shell == "pwsh":
            pause = f"function Start-Sleep {{ sleep @args }}; & '{script}.ps1'; exit $LASTEXITCODE"
            command = [str(shutil.which("pwsh")), "-NoProfile", "-Command", pause]
        return subprocess.run(
            command,
            cwd=self.folder,
            env={
                "PATH": f"{self.folder}/bin:/usr/bin:/bin",
                "TMPDIR": str(self.folder / "temporary"),
                **BEFORE,
                **self.state["environment"],
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def done(self, hook: str, **environment: str) -> str:
        """Run a hook that must succeed, and return what it printed."""
        result = self.run(hook, **environment)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def stopped(self, hook: str, **environment: str) -> str:
        """Run a hook that must fail, and return what it printed."""
        result = self.run(hook, **environment)
        assert result.returncode == 1, result.stderr
        return result.stderr

    def asked(self) -> list[str]:
        """Return what was asked of az and azd since the last time."""
        found: list[str] = self.state["asked"]
        self.change(asked=[])
        return found
