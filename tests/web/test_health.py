from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from settings import StorageLocation
from storage.calls import CallTable
from storage.queues import CHECKS, StorageQueue
from storage.table import StorageTable, table_client
from tests.invite.fakes import Clock
from web.health import Health, unconfigured

if TYPE_CHECKING:
    from settings import Settings

NOWHERE = (
    "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;"
    "TableEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a"
)


class Part:
    """A table or queue that can be reached or not, and counts who asks."""

    def __init__(self, *, reachable: bool = True) -> None:
        self.reachable = reachable
        self.asked = 0

    def is_reachable(self) -> bool:
        self.asked += 1
        return self.reachable


def _health(table: Part, queue: Part, clock: Clock, *warnings: str) -> Health:
    return Health(table, queue, warnings, clock=clock)  # type: ignore[arg-type]


def test_a_working_app_is_healthy_on_real_storage(app_settings: Settings) -> None:
    """With its settings in order and its storage there, the app says so, before its first row and message."""
    with table_client(app_settings) as client:
        health = Health(CallTable(StorageTable(client)), StorageQueue(app_settings, CHECKS), ["a warning"])
        answer = health.answer()
    assert (answer.status, dict(answer.headers)) == (200, {})
    assert answer.body == {
        "status": "healthy",
        "checks": [
            {"name": "configuration", "status": "ok", "faults": [], "warnings": ["a warning"]},
            {"name": "tableStorage", "status": "ok", "faults": []},
            {"name": "queueStorage", "status": "ok", "faults": []},
        ],
    }


def test_storage_that_is_not_there_is_told_without_its_address(app_settings: Settings) -> None:
    """An unreachable account makes the app unhealthy, and its address and key stay unsaid."""
    away = replace(app_settings, storage=StorageLocation(connection_string=NOWHERE))
    with table_client(away, retry_total=0) as client:
        answer = Health(CallTable(StorageTable(client)), StorageQueue(away, CHECKS), []).answer()
    assert answer.status == 503
    assert answer.headers == {"Retry-After": "30", "x-ms-error-code": "Unhealthy"}
    assert answer.body is not None
    assert [check["status"] for check in answer.body["checks"]] == ["ok", "failed", "failed"]
    for secret in ("127.0.0.1", "a2V5"):
        assert secret not in json.dumps(answer.body)


@pytest.mark.parametrize(("table", "queue"), [(True, False), (False, True), (False, False)])
def test_one_part_that_fails_is_enough(*, table: bool, queue: bool) -> None:
    """Without the table nothing is kept, and without the queue nobody is rung: both are needed."""
    answer = _health(Part(reachable=table), Part(reachable=queue), Clock()).answer()
    assert answer.status == 503
    assert answer.body is not None
    states = {check["name"]: check["status"] == "ok" for check in answer.body["checks"]}
    assert states == {"configuration": True, "tableStorage": table, "queueStorage": queue}


def test_anyone_may_ask_and_storage_is_not_asked_each_time() -> None:
    """A thousand callers cost two requests to storage in five seconds, and news is told after that."""
    table, queue, clock = Part(), Part(), Clock()
    health = _health(table, queue, clock)
    for _ in range(1000):
        assert health.answer().status == 200
    assert (table.asked, queue.asked) == (1, 1)
    table.reachable = False
    clock.seconds += 5.1
    assert health.answer().status == 503
    assert (table.asked, queue.asked) == (2, 2)


def test_an_app_without_settings_names_every_fault() -> None:
    """The one thing that an unconfigured app can do is to say what is missing, all at once."""
    answer = unconfigured(["GRAPH_TENANT_ID is not set", "GRAPH_CLIENT_ID is not set"])
    assert answer.status == 503
    assert answer.body is not None
    (check,) = answer.body["checks"]
    assert (check["name"], check["status"]) == ("configuration", "failed")
    assert check["faults"] == ["GRAPH_TENANT_ID is not set", "GRAPH_CLIENT_ID is not set"]
