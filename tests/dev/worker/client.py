"""The other end of ``real_worker``: sends it what the host sends, and routes requests as the host does."""

from __future__ import annotations

import base64
import json
import subprocess
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev.host.routing import Template, path_of, query_of
from tests.dev.worker.environment import python

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE = "a" * 32
_PROGRAM = Path(__file__).with_name("real_worker.py")


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class RealWorker:
    """An app on the worker library; ``indexed`` is how it was indexed."""

    process: subprocess.Popen[str]
    indexed: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.indexed = self._send({})

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """Each function's trigger, by name."""
        return {each["name"]: each["bindings"][0] for each in self.indexed["functions"]}

    def request(
        self, method: str, target: str, *, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Response:
        """Find the function of a request and run it; the response as the worker sends it to the host."""
        path = path_of(target).removeprefix("api/")
        for name in sorted(self.functions):
            trigger = self.functions[name]
            values = Template(trigger["route"]).match(path) if "route" in trigger else None
            if values is not None and method in trigger["methods"]:
                result = self.call(name, method, target, values, body=body, headers=headers)
                assert result["status"] == "Success", result["message"]
                sent = result["http"]
                return Response(int(sent["status"]), sent["headers"], base64.b64decode(sent["body"]))
        raise AssertionError(f"no function for {method} {target}")

    def call(
        self,
        name: str,
        method: str,
        target: str,
        values: dict[str, str],
        *,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run the function of a route."""
        http = {
            "method": method,
            "url": f"http://localhost{target}",
            "headers": {"host": "localhost", **(headers or {})},
            "params": values,
            "query": query_of(target),
            "body": {"bytes": base64.b64encode(body).decode()} if body else None,
        }
        return self.invoke(name, {"http": http})

    def queue(self, name: str, body: bytes, *, count: int = 1) -> dict[str, Any]:
        """Run the function of a queue."""
        metadata = {
            "Id": str(uuid.uuid4()),
            "DequeueCount": str(count),
            "InsertionTime": "2026-11-30T01:02:03+00:00",
            "ExpirationTime": "2026-12-07T01:02:03+00:00",
            "NextVisibleTime": "2026-11-30T01:12:03+00:00",
            "PopReceipt": "AgAAAAMAAAAAAAAA",
        }
        return self.invoke(name, {"bytes": base64.b64encode(body).decode()}, metadata)

    def timer(self, name: str) -> dict[str, Any]:
        """Run the function of a timer."""
        return self.invoke(name, {"json": json.dumps({"Schedule": {"AdjustForDST": True}, "IsPastDue": False})})

    def invoke(self, name: str, data: dict[str, Any], metadata: dict[str, str] | None = None) -> dict[str, Any]:
        """Run a function with what its trigger fills."""
        (identifier,) = (each["id"] for each in self.indexed["functions"] if each["name"] == name)
        return self._send(
            {
                "invocation": str(uuid.uuid4()),
                "id": identifier,
                "parameter": self.functions[name]["name"],
                "trace": f"00-{TRACE}-{'b' * 16}-01",
                "data": data,
                "metadata": metadata or {},
            }
        )

    def _send(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the worker ended; its log is in the folder of the test"
        response: dict[str, Any] = json.loads(line)
        return response


@contextmanager
def real_worker(app: Path, settings: dict[str, str], log: Path) -> Iterator[RealWorker]:
    """Run an app on the worker library while the block lasts."""
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [str(python()), str(_PROGRAM)],
            cwd=app,
            env={"PATH": "/usr/bin:/bin", **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        with process:
            try:
                yield RealWorker(process)
            finally:
                process.kill()
