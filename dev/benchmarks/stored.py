"""A worker that does our side of the work on real storage and, for invites, a Graph over HTTPS."""

from __future__ import annotations

import json
import os
import time
import uuid
from typing import TYPE_CHECKING, Any

import app
import invite.http
from dev.benchmarks import inside
from dev.benchmarks.bodies import invite_body, operation_report
from dev.benchmarks.rows import entities, row_of
from dev.benchmarks.serving import serve
from notifications.payload import reports_of
from settings import load
from storage.table import table_client
from web.answers import Request

if TYPE_CHECKING:
    from collections.abc import Callable

_ACCEPTED = 202


def _invite(count: int) -> float:
    """Return the seconds of wall time of an invite, from the request to the answer."""
    app = bootstrap.build(load())
    vars(bootstrap)["app"] = lambda: app
    call_id = os.environ["BENCHMARK_CALL"]
    path = f"/calls/{call_id}/participants/invite"

    def once() -> float:
        request = inside.request("POST", path, body=invite_body(uuid.uuid4().hex), callId=call_id)
        started = time.perf_counter()
        answer = invite.http.invite_participants(request)
        seconds = time.perf_counter() - started
        assert answer.status_code == _ACCEPTED, answer.get_body()
        return seconds

    once()
    return sum(once() for _ in range(count)) / count


class _Rows:
    """Reading and changing rows of a table of some size."""

    def __init__(self, table: str, size: int) -> None:
        self._settings = load({**os.environ, "STATE_TABLE": table})
        self._app = bootstrap.build(self._settings)
        self._applying: Any = vars(self._app.receiving)["_applying"]
        self._size = size
        self._place = 0

    def _next(self) -> int:
        # All over the table, and never the same row twice in a row.
        self._place = (self._place + 7_919) % self._size
        return self._place

    def read(self, count: int) -> float:
        """Return the seconds of a read of an invitation with its call's presence."""
        total = 0.0
        for _ in range(count):
            row = row_of(self._next())
            request = Request(route={"callId": row.call_id, "invitationId": row.invitation_id})
            started = time.perf_counter()
            self._app.reading.invitation(request)
            total += time.perf_counter() - started
        return total / count

    def report(self, count: int) -> float:
        """Return the seconds of applying a report; afterwards the row is as it was."""
        total = 0.0
        with table_client(self._settings) as client:
            for _ in range(count):
                place = self._next()
                row = row_of(place)
                body = operation_report(row.call_id, row.client_context, row.operation_id)
                reports = [report for item in body["value"] for report in reports_of(item)]
                started = time.perf_counter()
                self._applying.apply(row.call_id, reports)
                total += time.perf_counter() - started
                (entity,) = entities(place, place + 1)
                assert json.loads(client.get_entity(entity["PartitionKey"], entity["RowKey"])["document"])
                client.upsert_entity(entity)
        return total / count


def main() -> None:
    """Be a worker."""
    works: dict[str, Callable[[int], Any]] = {"invite": _invite}
    for name in os.environ.get("BENCHMARK_TABLES", "").split():
        table, _, size = name.partition(":")
        rows = _Rows(table, int(size))
        works[f"read-{size}"], works[f"report-{size}"] = rows.read, rows.report
    serve(works)


if __name__ == "__main__":
    main()
