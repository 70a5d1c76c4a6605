"""Application Insights' ingestion endpoint on this machine: it accepts what the distribution's exporter sends."""

from __future__ import annotations

import gzip
import json
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Ingestion:
    """What was sent, item by item."""

    items: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    @property
    def settings(self) -> dict[str, str]:
        """The settings with which the worker sends here, at once and everything."""
        here = f"http://127.0.0.1:{self.port}/"
        connection = f"InstrumentationKey={uuid.uuid4()};IngestionEndpoint={here};LiveEndpoint={here}"
        return {
            "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": connection,
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BLRP_SCHEDULE_DELAY": "100",
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "OTEL_TRACES_SAMPLER": "microsoft.fixed_percentage",
            "OTEL_TRACES_SAMPLER_ARG": "1",
        }

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The content of all items of a kind: Message, RemoteDependency, Metric, Exception."""
        return [item["data"]["baseData"] for item in list(self.items) if item["data"]["baseType"] == f"{kind}Data"]

    def events(self, what: str) -> list[dict[str, str]]:
        """The named values of all log lines that begin so."""
        return [one["properties"] for one in self.of("Message") if one["message"].startswith(f"{what} ")]

    def points(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """The values of a metric by its attributes, added up."""
        found: dict[tuple[tuple[str, str], ...], float] = {}
        for one in self.of("Metric"):
            for point in one["metrics"]:
                if point["name"] == name:
                    attributes = tuple(sorted(one.get("properties", {}).items()))
                    found[attributes] = found.get(attributes, 0) + point["value"]
        return found


@contextmanager
def ingestion() -> Iterator[Ingestion]:
    """Accept telemetry while the block lasts."""
    taken = Ingestion()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            items = json.loads(body) if self.path.endswith("track") else []
            taken.items += items
            answer = json.dumps({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    taken.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
