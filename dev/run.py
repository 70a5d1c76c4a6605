"""``make run``: the app on this machine, with the settings of ``local.settings.json``.

On Azure Functions Core Tools where they are installed, else on ``dev.host``. Where the settings name no storage account
of their own, Azurite is started and keeps its data in ``.local/azurite``.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from dev.azurite import AzuriteUnavailable, azurite

_FOLDER = Path(__file__).resolve().parent.parent
_SETTINGS = _FOLDER / "local.settings.json"
_SAMPLE = _FOLDER / "local.settings.sample.json"
_DEVELOPMENT_STORAGE = "usedevelopmentstorage=true"
_STORAGE = "AzureWebJobsStorage"


def main() -> int:
    """Run the app until it is interrupted; further arguments go to the host."""
    if not _SETTINGS.exists():
        print(f"==> Making {_SETTINGS.name} from {_SAMPLE.name}: it is yours to change", flush=True)
        shutil.copyfile(_SAMPLE, _SETTINGS)
    environment = dict(os.environ)
    with ExitStack() as stack:
        if _wants_azurite():
            print("==> Starting Azurite, its data in .local/azurite", flush=True)
            try:
                environment[_STORAGE] = stack.enter_context(azurite(_FOLDER / ".local" / "azurite"))
            except AzuriteUnavailable as error:
                print(error, file=sys.stderr)
                return 1
        return _run([*_host(environment), *sys.argv[1:]], environment)


def _wants_azurite() -> bool:
    """Whether the settings name no storage account; the emulator's short name stands for an Azurite of our own."""
    try:
        values = json.loads(_SETTINGS.read_text(encoding="utf-8-sig"))["Values"]
        settings = {**values, **os.environ}
    except (ValueError, LookupError, TypeError):
        # The host explains it in a moment.
        return False
    named = str(settings.get(_STORAGE, "")).strip().rstrip(";").lower()
    elsewhere = any(name.startswith(f"{_STORAGE}__") for name in settings)
    return named == _DEVELOPMENT_STORAGE or (not named and not elsewhere)


def _host(environment: dict[str, str]) -> list[str]:
    core_tools = shutil.which("func")
    if core_tools is None:
        print("==> Starting the app on dev.host (Core Tools are not installed)", flush=True)
        return [sys.executable, "-m", "dev.host"]
    print("==> Starting the app on Azure Functions Core Tools", flush=True)
    # Core Tools take the first Python on PATH.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    return [core_tools, "start"]


def _run(command: list[str], environment: dict[str, str]) -> int:
    # Ctrl-C reaches the host by itself; it decides when to end, and Azurite ends after it. A handler that does
    # nothing, since to ignore the signal would be passed on to the host.
    signal.signal(signal.SIGINT, lambda *_: None)
    process = subprocess.Popen(command, cwd=_FOLDER, env=environment)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    status = process.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
