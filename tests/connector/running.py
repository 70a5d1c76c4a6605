"""The app as a process of its own, for the connector's tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connector.routes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "connector-key"
_LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")


@contextmanager
def app_process(settings: dict[str, str], folder: Path) -> Iterator[str]:
    """Run the local host while the block lasts; yields its URL."""
    file = folder / "settings.json"
    file.write_text(json.dumps({"IsEncrypted": False, "Values": settings}), encoding="utf-8")
    command = [sys.executable, "-m", "dev.host", "--port", "0", "--key", KEY, "--settings", str(file)]
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        urls: list[str] = []
        ready = threading.Event()

        def read() -> None:
            for line in process.stdout or ():
                log.write(line)
                if found := _LISTENING.search(line):
                    urls.append(found[1])
                    ready.set()
            ready.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            assert ready.wait(60), "the app did not start in time"
            assert urls, (folder / "log.txt").read_text(encoding="utf-8")
            yield urls[0]
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
