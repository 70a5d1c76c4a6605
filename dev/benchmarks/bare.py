"""A worker that does by hand what the app asks of storage and Graph: the same requests and libraries, no app.

It imports nothing of the app but the rows' form, and decides nothing: no rules, no faults, no log, no retries.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests
from azure.core import MatchConditions
from azure.data.tables import TableClient, UpdateMode
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from dev.benchmarks.bodies import invite_body
from dev.benchmarks.rows import row_of
from dev.benchmarks.serving import serve

if TYPE_CHECKING:
    from collections.abc import Callable

_STORAGE = os.environ["AzureWebJobsStorage"]  # noqa: SIM112 - that is its name
# As long as what the app writes for one person.
_DOCUMENT = "d" * 1_000
_RUNNING = 200


def _invite(count: int) -> float:
    """Return the seconds of wall time of an invite's requests: message, row, Graph, both rows."""
    table = TableClient.from_connection_string(_STORAGE, "bare")
    checks = QueueClient.from_connection_string(_STORAGE, "bare", message_encode_policy=TextBase64EncodePolicy())
    session = requests.Session()
    session.trust_env, session.verify = False, os.environ["REQUESTS_CA_BUNDLE"]
    address, call_id = os.environ["GRAPH_ENDPOINT"], os.environ["BENCHMARK_CALL"]
    asked = {
        "grant_type": "client_credentials",
        "client_id": os.environ["GRAPH_CLIENT_ID"],
        "client_secret": os.environ["GRAPH_CLIENT_SECRET"],
        "scope": f"{address}/.default",
    }
    answer = session.post(f"{os.environ['GRAPH_AUTHORITY']}/oauth2/v2.0/token", data=asked, timeout=10)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def once() -> float:
        context = uuid.uuid4().hex
        body = invite_body(context)
        started = time.perf_counter()
        message = json.dumps({"callId": call_id, "invitationId": context, "watch": context})
        checks.send_message(message, visibility_timeout=120, time_to_live=-1)
        row = {
            "PartitionKey": call_id,
            "RowKey": f"invitation|{context}",
            "status": "running",
            "open": True,
            "updated": datetime.now(UTC),
            "document": _DOCUMENT,
        }
        etag = table.create_entity(row)["etag"]
        response = session.post(
            f"{address}/v1.0/communications/calls/{call_id}/participants/invite", json=body, headers=headers, timeout=15
        )
        assert response.status_code == _RUNNING
        index = {"PartitionKey": call_id, "RowKey": f"operation|{response.json()['id']}", "invitation": context}
        guarded = {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}
        table.submit_transaction([("update", row, guarded), ("create", index)])
        return time.perf_counter() - started

    once()
    return sum(once() for _ in range(count)) / count


class _Rows:
    """Reading and changing rows of a table of some size."""

    def __init__(self, table: str, size: int) -> None:
        self._client = TableClient.from_connection_string(_STORAGE, table)
        self._size = size
        self._place = 0

    def _next(self) -> tuple[str, str]:
        self._place = (self._place + 7_919) % self._size
        row = row_of(self._place)
        return row.call_id, f"invitation|{row.invitation_id}"

    def read(self, count: int) -> float:
        """Return the seconds of the query with which the app reads an invitation and its call."""
        total = 0.0
        for _ in range(count):
            partition, row_key = self._next()
            condition = "PartitionKey eq @partition and ( RowKey eq @call or RowKey eq @row )"
            parameters = {"partition": partition, "call": "call", "row": row_key}
            started = time.perf_counter()
            (entity,) = list(self._client.query_entities(condition, parameters=parameters))
            total += time.perf_counter() - started
            assert entity["document"]
        return total / count

    def point(self, count: int) -> float:
        """Return the seconds of reading one row by its keys."""
        total = 0.0
        for _ in range(count):
            partition, row_key = self._next()
            started = time.perf_counter()
            self._client.get_entity(partition, row_key)
            total += time.perf_counter() - started
        return total / count

    def report(self, count: int) -> float:
        """Return the seconds of reading a row and replacing it under its ETag."""
        total = 0.0
        for _ in range(count):
            partition, row_key = self._next()
            started = time.perf_counter()
            entity = self._client.get_entity(partition, row_key)
            etag = entity.metadata["etag"]
            self._client.update_entity(
                entity, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
            )
            total += time.perf_counter() - started
        return total / count


def main() -> None:
    """Be a worker."""
    works: dict[str, Callable[[int], Any]] = {"invite": _invite}
    for name in os.environ.get("BENCHMARK_TABLES", "").split():
        table, _, size = name.partition(":")
        rows = _Rows(table, int(size))
        works |= {f"read-{size}": rows.read, f"report-{size}": rows.report, f"point-{size}": rows.point}
    serve(works)


if __name__ == "__main__":
    main()
