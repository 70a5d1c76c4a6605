"""What reaches Application Insights, seen at its door: the distribution's real exporter sends to a stand-in."""

from __future__ import annotations

import gzip
import json
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.conftest import KEY, run_host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dev.simulator import Simulator

NUMBER = "+4915112345678"
SIGNATURE = "c2lnbmF0dXJlLW9mLWEtZmxvdw"


@dataclass
class Ingestion:
    """Takes telemetry as Application Insights does, and keeps it."""

    items: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    @property
    def connection_string(self) -> str:
        here = f"http://127.0.0.1:{self.port}/"
        return f"InstrumentationKey={uuid.uuid4()};IngestionEndpoint={here};LiveEndpoint={here}"

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The content of all items of a kind: Message, RemoteDependency, Metric, Exception."""
        return [item["data"]["baseData"] for item in list(self.items) if item["data"]["baseType"] == f"{kind}Data"]

    def events(self, what: str) -> list[dict[str, str]]:
        """The named values of all log lines that begin so."""
        return [one["properties"] for one in self.of("Message") if one["message"].startswith(f"{what} ")]

    def points(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """The values of a metric by its attributes, the reports added up."""
        found: dict[tuple[tuple[str, str], ...], float] = {}
        for one in self.of("Metric"):
            for point in one["metrics"]:
                if point["name"] == name:
                    attributes = tuple(sorted(one.get("properties", {}).items()))
                    found[attributes] = found.get(attributes, 0) + point["value"]
        return found


@contextmanager
def ingestion() -> Iterator[Ingestion]:
    """Run the stand-in while the block lasts."""
    taken = Ingestion()

    class Door(BaseHTTPRequestHandler):
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
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    taken.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Seen:
    """A run with telemetry on: what came in, and what must not be in it."""

    taken: Ingestion
    call_id: str
    invitation: str
    secrets: list[str]


@pytest.fixture(scope="module")
def seen(
    storage: str, graph: Simulator, tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]
) -> Iterator[Seen]:
    """One invitation that succeeds, one that fails, one that waits, and a forged callback."""
    person = str(uuid.uuid4())
    folder: Path = tmp_path_factory.mktemp("telemetry")
    with ingestion() as taken:
        switched_on = {
            **settings,
            "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": taken.connection_string,
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BLRP_SCHEDULE_DELAY": "100",
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "OTEL_TRACES_SAMPLER": "microsoft.fixed_percentage",
            "OTEL_TRACES_SAMPLER_ARG": "1",
        }
        with run_host(switched_on, folder) as host:
            call_id = graph.create_call(host.callback_uri)
            user = {"participants": [{"identity": {"user": {"id": person}}}]}
            accepted = host.invite(call_id, user, **{"x-ms-workflow-run-id": "08584737551867954143243946780CU130"})
            assert host.outcome(accepted).status_code == 200
            graph.person(NUMBER, "declines")
            phone = {"participants": [{"identity": {"phone": {"id": NUMBER}}}]}
            assert host.outcome(host.invite(call_id, phone)).status_code == 422
            flow = f"https://prod-01.westeurope.logic.azure.com/run?sig={SIGNATURE}"
            path = f"/calls/{call_id}/participants/invite-and-wait"
            another = {"participants": [{"identity": {"user": {"id": str(uuid.uuid4())}}}], "callbackUrl": flow}
            assert host.request("POST", path, json=another).status_code == 201
            assert graph.post_notification(call_id, [], token=graph.token(aud="another")) == 401
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not taken.points("call_invites.deliveries"):
                time.sleep(0.1)
        secrets = [NUMBER, NUMBER[1:], SIGNATURE, KEY, person, call_id, settings["GRAPH_CLIENT_SECRET"]]
        yield Seen(taken, call_id, accepted.json()["id"], secrets)


def test_what_an_invitation_did_is_told_with_its_ids_as_dimensions(seen: Seen) -> None:
    """An operator finds an invitation by its id, the flow's run that made it, and what Microsoft's support asks for."""
    (inviting,) = [one for one in seen.taken.events("inviting") if one["invitation"] == seen.invitation]
    assert inviting["flow-run-id"] == "08584737551867954143243946780CU130"
    asked = {one["scenario-id"]: one for one in seen.taken.events("graph invite")}[inviting["scenario-id"]]
    assert {len(uuid.UUID(asked[name]).hex) for name in ("request-id", "client-request-id")} == {32}
    assert (asked["status"], asked["call"]) == ("200", inviting["call"])
    (concluded,) = [one for one in seen.taken.events("concluded") if one["invitation"] == seen.invitation]
    assert (concluded["status"], concluded["decided-by"]) == ("completed", "graph")


def test_requests_to_graph_storage_and_flows_are_dependencies(seen: Seen) -> None:
    """The application map shows what the app waits for, and for how long."""
    spans = {(one["name"], one["type"]) for one in seen.taken.of("RemoteDependency")}
    assert {
        ("entra token", "microsoft.entra"),
        ("flow callback", "flow"),
        ("graph invite", "microsoft.graph"),
        ("queue send", "microsoft.queues"),
        ("table query", "microsoft.tables"),
        ("table write", "microsoft.tables"),
    } <= spans
    graph = [one for one in seen.taken.of("RemoteDependency") if one["name"] == "graph invite"]
    assert all(one["success"] and one["properties"]["status"] == "200" for one in graph)
    assert {one["properties"]["request-id"] for one in graph} == {
        one["request-id"] for one in seen.taken.events("graph invite")
    }


def test_what_happened_is_counted(seen: Seen) -> None:
    """Outcomes by status and decision, the time to them, refused callbacks and deliveries are metrics."""
    points = seen.taken.points
    invitations = points("call_invites.invitations")
    assert invitations[("decided_by", "graph"), ("status", "completed")] == 2
    assert invitations[("decided_by", "graph"), ("status", "failed")] == 1
    assert points("call_invites.callbacks_refused") == {(("reason", "audience"),): 1}
    assert points("call_invites.deliveries")[(("delivery", "retried"),)] >= 1
    assert points("call_invites.time_to_outcome").keys() == {(("status", "completed"),), (("status", "failed"),)}


def test_nobodys_data_and_no_address_leaves_the_app(seen: Seen) -> None:
    """Nothing that was sent is found in what comes out, though the automatic recorders of addresses were not off."""
    everything = json.dumps(seen.taken.items)
    assert len(seen.taken.items) > 60
    for secret in seen.secrets:
        assert secret not in everything
    assert "participants/invite" not in everything
    assert "RowKey" not in everything
