from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from domain.configuration.storage import StorageLocation
from storage.queue import WORK, StorageQueue
from storage.store import TableStore
from storage.table import StorageTable, table_client
from tests.invite.fakes import Clock
from tests.storage_fixtures import NOT_THERE
from web.health import Health, unconfigured

if TYPE_CHECKING:
    from settings import Settings


class Part:
    """A table or queue that can be reached or not, and counts requests."""

    def __init__(self, *, reachable: bool = True) -> None:
        self.reachable = reachable
        self.asked = 0

    def is_reachable(self) -> bool:
        self.asked += 1
        return self.reachable


def _health(table: Part, queue: Part, clock: Clock, *warnings: str) -> Health:
    return Health(table, queue, warnings, clock=clock)


def test_healthy(app_settings: Settings) -> None:
    """With its settings in order and its storage there, the app is healthy before its first row and message."""
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
    """An account that can't be reached makes the app unhealthy, and the response has neither its URL nor its key."""
    away = replace(app_settings, storage=StorageLocation(connection_string=NOT_THERE))
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


def test_many_requests() -> None:
    """A thousand requests cost two requests to storage in five seconds, and then it is asked again."""
    table, queue, clock = Part(), Part(), Clock()
    health = _health(table, queue, clock)
    for _ in range(1000):
        assert health.answer().status == 200
    assert (table.asked, queue.asked) == (1, 1)
    table.reachable = False
    clock.seconds += 5.1
    assert health.answer().status == 503
    assert (table.asked, queue.asked) == (2, 2)


def test_unconfigured() -> None:
    """An app without settings returns every fault at once."""
    answer = unconfigured(["GRAPH_TENANT_ID is not set", "GRAPH_CLIENT_ID is not set"])
    assert answer.status == 503
    assert answer.body is not None
    (check,) = answer.body["checks"]
    assert (check["name"], check["status"]) == ("configuration", "failed")
    assert check["faults"] == ["GRAPH_TENANT_ID is not set", "GRAPH_CLIENT_ID is not set"]
