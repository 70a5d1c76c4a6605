"""Whether the app could work now, without a secret."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from settings import StorageLocation
from storage.queue import WORK, StorageQueue
from storage.store import TableStore
from storage.table import StorageTable, table_client
from tests.invite.fakes import Clock
from web.health import Health, unconfigured

if TYPE_CHECKING:
    from settings import Settings

UNREACHABLE = (
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
    return Health(table, queue, warnings, clock=clock)


def test_healthy(app_settings: Settings) -> None:
    """Settings are in order and storage is there, before the first row and message."""
    with table_client(app_settings) as client:
        health = Health(TableStore(StorageTable(client)), StorageQueue(app_settings, WORK), ["a warning"])
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


def test_unreachable_storage(app_settings: Settings) -> None:
    """An unreachable account makes the app unhealthy, and its URL and key are not shown."""
    away = replace(app_settings, storage=StorageLocation(connection_string=UNREACHABLE))
    with table_client(away) as client:
        answer = Health(TableStore(StorageTable(client)), StorageQueue(away, WORK), []).answer()
    assert answer.status == 503
    assert answer.headers == {"Retry-After": "30", "x-ms-error-code": "Unhealthy"}
    assert answer.body is not None
    assert [check["status"] for check in answer.body["checks"]] == ["ok", "failed", "failed"]
    for secret in ("127.0.0.1", "a2V5"):
        assert secret not in json.dumps(answer.body)


@pytest.mark.parametrize(("table", "queue"), [(True, False), (False, True), (False, False)])
def test_one_part_fails(*, table: bool, queue: bool) -> None:
    """Both the table and the queue are needed."""
    answer = _health(Part(reachable=table), Part(reachable=queue), Clock()).answer()
    assert answer.status == 503
    assert answer.body is not None
    states = {check["name"]: check["status"] == "ok" for check in answer.body["checks"]}
    assert states == {"configuration": True, "tableStorage": table, "queueStorage": queue}


def test_storage_is_not_asked_each_time() -> None:
    """A thousand callers cost two requests to storage in five seconds; after that it is asked again."""
    table, queue, clock = Part(), Part(), Clock()
    health = _health(table, queue, clock)
    for _ in range(1000):
        assert health.answer().status == 200
    assert (table.asked, queue.asked) == (1, 1)
    table.reachable = False
    clock.seconds += 5.1
    assert health.answer().status == 503
    assert (table.asked, queue.asked) == (2, 2)


def test_without_settings() -> None:
    """An app that is not configured names everything that is missing."""
    answer = unconfigured(["GRAPH_TENANT_ID is not set", "GRAPH_CLIENT_ID is not set"])
    assert answer.status == 503
    assert answer.body is not None
    (check,) = answer.body["checks"]
    assert (check["name"], check["status"]) == ("configuration", "failed")
    assert check["faults"] == ["GRAPH_TENANT_ID is not set", "GRAPH_CLIENT_ID is not set"]
