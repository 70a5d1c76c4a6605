"""Callbacks a second through the local host, compared with a bare function there: the same storage requests."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure.data.tables import TableClient

from dev.benchmarks.bodies import invite_body, operation_report
from dev.benchmarks.measure import ROOT, Figure, compared, environment, in_turn, say
from dev.benchmarks.real_parts import real_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_AT_ONCE = 8
_OK, _ACCEPTED = 200, 202
_LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)$")


def figures(*, rounds: int = 7, count: int = 160) -> Iterator[Figure]:
    """Post ``count`` reports in each round, each about an operation of its own."""
    say("callbacks a second")
    with ExitStack() as stack:
        shared = stack.enter_context(real_parts())
        app = stack.enter_context(bare_app())
        ours, bare = (
            Posts(stack.enter_context(running_host(one, shared)), shared["BENCHMARK_TOKEN"]) for one in (ROOT, app)
        )
        calls = shared["BENCHMARK_CALLS"].split()
        table = stack.enter_context(TableClient.from_connection_string(shared["AzureWebJobsStorage"], "bare"))

        def one_of_ours(number: int) -> dict[str, Any]:
            path = f"/api/calls/{calls[number % len(calls)]}/participants/invite"
            made = ours.post(path, invite_body(uuid.uuid4().hex))
            return operation_report(made["callId"], made["clientContext"], made["operations"][0]["id"])

        def one_of_theirs(number: int) -> dict[str, Any]:
            call_id, context = calls[number % len(calls)], uuid.uuid4().hex
            for row in (context, uuid.uuid4().hex):  # the app has an index row too
                table.create_entity({"PartitionKey": call_id, "RowKey": row, "document": "d" * 1_000})
            return operation_report(call_id, context, uuid.uuid4().hex)

        samples = in_turn(rounds, lambda: ours.rate(one_of_ours, count), lambda: bare.rate(one_of_theirs, count))
    yield compared(
        "callbacks",
        f"reports of finished operations a second, {_AT_ONCE} at once",
        samples,
        "a bare function that validates no token",
        unit=" a second",
        at_least=0.8,
    )


class Posts:
    """Posts to one host over a kept connection for each thread."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._headers = {"Content-Type": "application/json", "x-functions-key": "benchmark"}
        self._token = {"Authorization": f"Bearer {token}"}
        self._local = threading.local()

    def post(self, path: str, body: Any, *, status: int = _ACCEPTED) -> Any:
        """Post a body, which must get this status, and return the JSON of the response."""
        return self._request("POST", path, json.dumps(body).encode(), status)

    def get(self, path: str) -> Any:
        """Return what there is at a path."""
        return self._request("GET", path, None, _OK)

    def _request(self, method: str, path: str, body: bytes | None, status: int) -> Any:
        connection = vars(self._local).setdefault("connection", http.client.HTTPConnection("127.0.0.1", self._port))
        headers = self._headers | (self._token if path.endswith("notifications") else {})
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        content = response.read()
        assert response.status == status, (response.status, content)
        return json.loads(content or b"null")

    def rate(self, report: Callable[[int], dict[str, Any]], count: int) -> float:
        """Return how many reports were accepted in a second; making what they report on is not measured."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            reports = list(pool.map(report, range(count)))
            started = time.perf_counter()
            list(pool.map(lambda body: self.post("/api/notifications", body), reports))
            return count / (time.perf_counter() - started)


@contextmanager
def bare_app() -> Iterator[Path]:
    """Give a folder with the bare functions and the app's host.json."""
    with tempfile.TemporaryDirectory() as folder:
        app = shutil.copytree(Path(__file__).with_name("bare_app"), Path(folder) / "bare_app")
        shutil.copy(ROOT / "host.json", app)
        yield app


@contextmanager
def running_host(app: Path, values: Mapping[str, str], *, module: str = "dev.host") -> Iterator[int]:
    """Run a local host on an app's folder with these settings, and give its port."""
    with ExitStack() as stack:
        settings = stack.enter_context(tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json"))
        json.dump({"IsEncrypted": False, "Values": dict(values)}, settings)
        settings.flush()
        command = [sys.executable, "-m", module, "--port", "0", "--key", "benchmark", "--settings", settings.name]
        own = environment({"PYTHONPATH": str(ROOT)})
        process = stack.enter_context(
            subprocess.Popen(command, cwd=app, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
        stack.callback(process.terminate)
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if match := _LISTENING.search(line):
                break
        else:
            raise RuntimeError("the host did not start:\n" + "".join(lines))
        # What it writes from now on is read and dropped, or a full pipe would stop it.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield int(match[1])
