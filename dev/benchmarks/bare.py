"""A worker that makes the same requests of storage and Graph as the app, with the same libraries, and no app.

It decides nothing: no rules, no faults, no log, no retries, no token validation.
"""

from __future__ import annotations

import itertools
import json
import os
import ssl
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import requests
import urllib3
from azure.core import MatchConditions
from azure.data.tables import TableClient, TableEntity, UpdateMode
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from dev.benchmarks.bodies import invite_body
from dev.benchmarks.measure import serve, timed

_DOCUMENT = "d" * 1_000  # as long as the app's for one person
_OK = 200


class Bare:
    """Connections and a token that are kept, as the app keeps its own."""

    def __init__(self) -> None:
        storage = os.environ["AzureWebJobsStorage"]  # noqa: SIM112 - the host's name for it
        self._table = TableClient.from_connection_string(storage, "bare")
        self._calls_table = TableClient.from_connection_string(storage, os.environ.get("STATE_TABLE", "calls"))
        policy = TextBase64EncodePolicy()
        self._queue = QueueClient.from_connection_string(storage, "bare", message_encode_policy=policy)
        self._calls = itertools.cycle(os.environ["BENCHMARK_CALLS"].split())
        self._session = requests.Session()
        self._session.trust_env, self._session.verify = False, os.environ["REQUESTS_CA_BUNDLE"]
        self._certificates = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
        self._graph = os.environ["GRAPH_ENDPOINT"]
        asked = {
            "grant_type": "client_credentials",
            "client_id": os.environ["GRAPH_CLIENT_ID"],
            "client_secret": os.environ["GRAPH_CLIENT_SECRET"],
            "scope": f"{self._graph}/.default",
        }
        answer = self._session.post(f"{os.environ['GRAPH_AUTHORITY']}/oauth2/v2.0/token", data=asked, timeout=10)
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def invite(self, *, asks_graph: bool = True) -> tuple[str, str]:
        """Message, row, Graph, then the row and an index row in one transaction; return the row's keys."""
        call_id, context = next(self._calls), uuid.uuid4().hex
        message = json.dumps({"callId": call_id, "invitationId": context, "watch": context})
        self._queue.send_message(message, visibility_timeout=120, time_to_live=-1)
        row: dict[str, Any] = {"PartitionKey": call_id, "RowKey": f"invitation|{context}", "document": _DOCUMENT}
        row |= {"status": "running", "open": True, "updated": datetime.now(UTC)}
        etag = self._table.create_entity(row)["etag"]
        operation = self._ask(call_id, context) if asks_graph else context
        index = {"PartitionKey": call_id, "RowKey": f"operation|{operation}", "invitation": context}
        guarded = {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}
        self._table.submit_transaction([("update", row, guarded), ("create", index)])
        return call_id, row["RowKey"]

    def _ask(self, call_id: str, context: str, person: str | None = None) -> str:
        url = f"{self._graph}/v1.0/communications/calls/{call_id}/participants/invite"
        body = invite_body(context) if person is None else invite_body(context, person)
        response = self._session.post(url, json=body, headers=self._headers, timeout=15)
        assert response.status_code == _OK
        return str(response.json()["id"])

    def report(self, keys: tuple[str, str]) -> None:
        """Read a row and its call's, and replace it under its ETag with an event's row in one transaction."""
        entity = self.poll(keys)
        entity["status"] = "completed"
        self._replace_and_insert(entity)

    def notify(self, count: int) -> dict[str, float]:
        """Replace a row under its ETag, with an event, and POST to a flow; return when each began, by the flow."""
        network = urllib3.PoolManager(ssl_context=self._certificates)
        document = json.dumps({"document": _DOCUMENT}).encode()
        began = {}
        for keys in [self.invite() for _ in range(count)]:
            name = uuid.uuid4().hex
            began[name] = time.monotonic()
            self.report(keys)
            url = f"{os.environ['BENCHMARK_FLOWS']}/{name}"
            network.request("POST", url, body=document, retries=False, preload_content=False).close()
        return began

    def next_person(self, count: int) -> dict[str, float]:
        """Replace a row and a second one with a new row and two messages, and ask Graph; return when each began."""
        began = {}
        for keys in [self.invite() for _ in range(count)]:
            person = str(uuid.uuid4())
            began[person] = time.time()
            self.report(keys)
            entity = self.poll(keys)
            for _ in range(2):
                self._queue.send_message(_DOCUMENT[:300], visibility_timeout=30, time_to_live=-1)
            self._replace_and_insert(entity)
            self._ask(keys[0], person, person)
        return began

    def established(self, count: int) -> dict[str, float]:
        """Replace a row, read it and who is in the call, replace it with a new one and a message, and ask Graph."""
        began = {}
        for keys in [self.invite() for _ in range(count)]:
            person = str(uuid.uuid4())
            began[person] = time.time()
            self.report(keys)
            entity = self.poll(keys)
            url = f"{self._graph}/v1.0/communications/calls/{keys[0]}/participants"
            self._session.get(url, headers=self._headers, timeout=15)
            self._queue.send_message(_DOCUMENT[:300], visibility_timeout=120, time_to_live=-1)
            self._replace_and_insert(entity)
            self._ask(keys[0], person, person)
        return began

    def _replace_and_insert(self, entity: TableEntity) -> None:
        condition = {"etag": entity.metadata["etag"], "match_condition": MatchConditions.IfNotModified}
        new = {"PartitionKey": entity["PartitionKey"], "RowKey": f"step|{uuid.uuid4().hex}", "document": _DOCUMENT}
        guarded = {"mode": UpdateMode.REPLACE, **condition}
        self._table.submit_transaction([("update", entity, guarded), ("create", new)])

    def poll(self, keys: tuple[str, str]) -> TableEntity:
        """Read a row and its call's in one query, and return the row."""
        condition = "PartitionKey eq @partition and ( RowKey eq @call or RowKey eq @row )"
        parameters = {"partition": keys[0], "call": "call", "row": keys[1]}
        (entity,) = self._table.query_entities(condition, parameters=parameters)
        return entity

    def rows(self, call_id: str) -> int:
        """Read all rows of a call of the app, and their documents."""
        found = self._calls_table.query_entities("PartitionKey eq @partition", parameters={"partition": call_id})
        return len([json.loads(entity["document"]) for entity in found if "document" in entity])


if __name__ == "__main__":
    bare = Bare()
    serve(
        {
            "invite": lambda count: timed(lambda: None, lambda _: bare.invite(), count),
            "stored": lambda count: timed(lambda: None, lambda _: bare.invite(asks_graph=False), count),
            "notify": bare.notify,
            "next": bare.next_person,
            "established": bare.established,
            "report": lambda count: timed(bare.invite, bare.report, count),
            "poll": lambda count: timed(bare.invite, bare.poll, count),
            "rows": lambda count, call_id: timed(lambda: None, lambda _: bare.rows(call_id), count),
        }
    )
