"""Whether the app could work now, without a secret."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest

from settings import StorageLocation
from storage.probe import queue_faults, table_faults
from tests.dev.doctor.standins import serving
from tests.invite.fakes import Clock
from web.about import version
from web.health import Health, unconfigured

if TYPE_CHECKING:
    from settings import Settings

CLOSED = (
    "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;"
    "TableEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a"
)


class Part:
    """A table or queue that works or not, and counts who asks."""

    def __init__(self, *faults: str) -> None:
        self.faults = faults
        self.asked = 0

    def check(self) -> tuple[str, ...]:
        self.asked += 1
        return self.faults


def _health(table: Part, queue: Part, clock: Clock) -> Health:
    return Health({"tableStorage": table.check, "queueStorage": queue.check}, [], clock=clock)


def _on(settings: Settings, name: str) -> Health:
    table, queue = partial(table_faults, settings, None), partial(queue_faults, settings, name, None)
    return Health({"tableStorage": table, "queueStorage": queue}, ["a warning"])


def test_healthy(app_settings: Settings, storage_name: str) -> None:
    """Settings are in order and storage is there, before the first row and message and after."""
    health = _on(app_settings, storage_name)
    answer = health.answer()
    assert (answer.status, dict(answer.headers)) == (200, {})
    assert answer.body == {
        "status": "healthy",
        "version": version(),
        "checks": [
            {"name": "configuration", "status": "ok", "faults": [], "warnings": ["a warning"]},
            {"name": "tableStorage", "status": "ok", "faults": []},
            {"name": "queueStorage", "status": "ok", "faults": []},
        ],
    }
    assert (table_faults(app_settings, None), queue_faults(app_settings, storage_name, None)) == ([], [])


def test_unreachable_storage(app_settings: Settings, storage_name: str) -> None:
    """An unreachable account makes the app unhealthy, and its URL and key are not shown."""
    answer = _on(replace(app_settings, storage=StorageLocation(connection_string=CLOSED)), storage_name).answer()
    assert answer.status == 503
    assert answer.headers == {"Retry-After": "30", "x-ms-error-code": "Unhealthy"}
    assert answer.body is not None
    assert [check["status"] for check in answer.body["checks"]] == ["ok", "failed", "failed"]
    for secret in ("127.0.0.1", "a2V5"):
        assert secret not in json.dumps(answer.body)


@pytest.mark.parametrize(("table", "queue"), [(True, False), (False, True), (False, False)])
def test_one_part_fails(*, table: bool, queue: bool) -> None:
    """Both the table and the queue are needed."""
    parts = [Part() if works else Part("can't be reached") for works in (table, queue)]
    answer = _health(parts[0], parts[1], Clock()).answer()
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
    table.faults = ("can't be reached",)
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


def _account(url: str) -> StorageLocation:
    parts = ["DefaultEndpointsProtocol=http", "AccountName=a", "AccountKey=a2V5"]
    return StorageLocation(connection_string=";".join([*parts, f"TableEndpoint={url}/a", f"QueueEndpoint={url}/a"]))


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (403, "AuthorizationPermissionMismatch", "lacks the role Storage {} Data Contributor"),
        (403, "AuthenticationFailed", "the key in the connection string is wrong"),
        (403, "AuthorizationFailure", "a firewall before the account"),
        (403, "KeyBasedAuthenticationNotPermitted", "the account allows no keys"),
        (409, "AccountIsDisabled", "the account is disabled"),
        (418, "", "status 418, no code"),
        (500, "InternalError", "status 500, InternalError"),
    ],
)
def test_refused_by_storage(app_settings: Settings, status: int, code: str, sentence: str) -> None:
    """A missing role, a wrong key and a firewall each have their sentence."""
    answer = (status, {"x-ms-error-code": code, "Content-Type": "application/xml"}, "")
    with serving(lambda *_: answer) as url:
        settings = replace(app_settings, storage=_account(url))
        found = [*table_faults(settings, None), *queue_faults(settings, "work", None)]
    assert len(found) == 2
    for fault, service in zip(found, ("Table", "Queue"), strict=True):
        assert sentence.format(service) in fault


def test_can_not_be_made(app_settings: Settings) -> None:
    """A table and a queue that are missing, for an identity that may only read."""

    def answer(method: str, path: str) -> tuple[int, dict[str, str], str]:
        if method == "GET":
            code = "QueueNotFound" if path.startswith("/a/work") else "TableNotFound"
            return 404, {"x-ms-error-code": code, "Content-Type": "application/xml"}, ""
        return 403, {"x-ms-error-code": "AuthorizationPermissionMismatch", "Content-Type": "application/xml"}, ""

    with serving(answer) as url:
        settings = replace(app_settings, storage=_account(url))
        (table,), (queue,) = table_faults(settings, None), queue_faults(settings, "work", None)
    assert table.startswith("the table is missing and can't be made: storage refuses it (status 403")
    assert queue.startswith("the queue is missing and can't be made: storage refuses it (status 403")


@pytest.mark.parametrize(("minutes", "direction"), [(-20, "ahead of"), (20, "behind")])
def test_clock(app_settings: Settings, minutes: int, direction: str) -> None:
    """Tokens are not valid yet, or expired, for a machine whose clock is wrong."""
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    answer = (200, {"Content-Type": "application/xml", "Date": date}, "")
    with serving(lambda *_: answer) as url:
        (fault,) = queue_faults(replace(app_settings, storage=_account(url)), "work", None)
    assert fault.startswith(f"the clock of this machine is 20 minutes {direction} storage's")
