"""Callbacks a second through the local host, beside a bare function there that asks the same of storage."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from azure.data.tables import TableClient

from dev.azurite import azurite
from dev.benchmarks import rows
from dev.benchmarks.bodies import operation_report
from dev.benchmarks.measure import ROOT, Figure, Spread, in_turn, ratios, say
from dev.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

_GOAL = 0.8
_AT_ONCE = 8
_ACCEPTED = 202
_LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)$")
_BARE = Path(__file__).with_name("bare_app")


def figures(*, rounds: int = 9, count: int = 400) -> Iterator[Figure]:
    """Measure both hosts in turn; each callback is about an invitation that no other is about."""
    say("callbacks a second")
    with azurite() as storage, Simulator(time_scale=0.01) as graph, tempfile.TemporaryDirectory() as folder:
        total = count * (rounds + 1)
        settings = {**graph.settings(), "AzureWebJobsStorage": storage, "FUNCTIONS_WORKER_RUNTIME": "python"}
        ours = {**settings, "STATE_TABLE": "ours"}
        bare = {**settings, "STATE_TABLE": "bare"}
        for name in ("ours", "bare"):
            with TableClient.from_connection_string(storage, name) as client:
                client.create_table()
                list(rows.load(client, total))
        token = graph.token()
        with _host(ROOT, ours, Path(folder)) as one, _host(_BARE, bare, Path(folder)) as other:
            load = [_Load(port, token, count) for port in (one, other)]
            samples = in_turn(rounds, load[0].rate, load[1].rate)
    ratio = ratios(*samples)
    yield Figure(
        "callbacks",
        f"callbacks of finished operations a second, {_AT_ONCE} at once",
        Spread.of(samples[0]).text(),
        "a bare function that checks no token: " + Spread.of(samples[1]).text(),
        ratio.text(digits=2),
        f"≥ {_GOAL:.1f}",
        ratio.middle >= _GOAL,
    )


class _Load:
    """Posts callbacks to one host over kept connections."""

    def __init__(self, port: int, token: str, count: int) -> None:
        self._port, self._token, self._count = port, token, count
        self._first = 0

    def rate(self) -> float:
        """Post the next callbacks and return how many were answered in a second."""
        waiting: queue.SimpleQueue[tuple[bytes, dict[str, str]]] = queue.SimpleQueue()
        for number in range(self._first, self._first + self._count):
            waiting.put(self._request(number))
        self._first += self._count
        refused: list[int] = []
        threads = [threading.Thread(target=self._post, args=(waiting, refused)) for _ in range(_AT_ONCE)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - started
        assert not refused, refused[:3]
        assert waiting.empty()
        return self._count / seconds

    def _request(self, number: int) -> tuple[bytes, dict[str, str]]:
        row = rows.row_of(number)
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "x-partition": row.call_id,
            "x-row": f"invitation|{row.invitation_id}",
        }
        return json.dumps(operation_report(row.call_id, row.client_context, row.operation_id)).encode(), headers

    def _post(self, waiting: queue.SimpleQueue[tuple[bytes, dict[str, str]]], refused: list[int]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while True:
            try:
                body, headers = waiting.get_nowait()
            except queue.Empty:
                break
            connection.request("POST", "/api/notifications", body, headers)
            response = connection.getresponse()
            response.read()
            if response.status != _ACCEPTED:
                refused.append(response.status)
        connection.close()


@contextmanager
def _host(app: Path, settings: dict[str, str], folder: Path) -> Iterator[int]:
    """Run the local host on an app's folder; give its port."""
    file = folder / f"{settings['STATE_TABLE']}.json"
    file.write_text(json.dumps({"IsEncrypted": False, "Values": settings}), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "dev.host.command", "--port", "0", "--key", "benchmark", "--settings", str(file)],
        cwd=app,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if match := _LISTENING.search(line):
                break
        else:
            raise RuntimeError("the host did not start:\n" + "".join(said))
        # Whatever it says from now on is read and dropped, or it would wait for a reader.
        threading.Thread(target=_drop, args=(process,), daemon=True).start()
        yield int(match[1])
    finally:
        process.terminate()
        process.wait(30)


def _drop(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for _ in process.stdout:
        pass
