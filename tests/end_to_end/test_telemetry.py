"""What reaches Application Insights: the distribution's real exporter sends to an endpoint on this machine."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conftest import KEY, run_host
from tests.observability.ingestion import Ingestion, ingestion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dev.simulator import Simulator

NUMBER = "+4915112345678"
SIGNATURE = "c2lnbmF0dXJlLW9mLWEtZmxvdw"


@dataclass
class Seen:
    """A run with telemetry on: what was exported, and what must not be in it."""

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
        with run_host({**settings, **taken.settings}, folder) as host:
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


def test_events(seen: Seen) -> None:
    """An operator finds an invitation by its id, the flow's run, and the ids that Microsoft's support asks for."""
    (inviting,) = [one for one in seen.taken.events("inviting") if one["invitation"] == seen.invitation]
    assert inviting["flow-run-id"] == "08584737551867954143243946780CU130"
    asked = {one["scenario-id"]: one for one in seen.taken.events("graph invite")}[inviting["scenario-id"]]
    assert {len(uuid.UUID(asked[name]).hex) for name in ("request-id", "client-request-id")} == {32}
    assert (asked["status"], asked["call"]) == ("200", inviting["call"])
    (concluded,) = [one for one in seen.taken.events("concluded") if one["invitation"] == seen.invitation]
    assert (concluded["status"], concluded["decided-by"]) == ("completed", "graph")


def test_spans(seen: Seen) -> None:
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


def test_metrics(seen: Seen) -> None:
    """Outcomes by status and decision, the time to them, refused callbacks and deliveries are metrics."""
    points = seen.taken.points
    invitations = points("call_invites.invitations")
    assert invitations[("decided_by", "graph"), ("status", "completed")] == 2
    assert invitations[("decided_by", "graph"), ("status", "failed")] == 1
    assert points("call_invites.callbacks_refused") == {(("reason", "audience"),): 1}
    assert points("call_invites.deliveries")[(("delivery", "retried"),)] >= 1
    assert points("call_invites.time_to_outcome").keys() == {(("status", "completed"),), (("status", "failed"),)}


def test_nothing_personal(seen: Seen) -> None:
    """No personal data and no URL is exported, though the automatic instrumentations were not switched off."""
    everything = json.dumps(seen.taken.items)
    assert len(seen.taken.items) > 60
    for secret in seen.secrets:
        assert secret not in everything
    assert "participants/invite" not in everything
    assert "RowKey" not in everything
