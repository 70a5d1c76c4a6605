"""What the storage libraries were seen to raise: far more than their own errors, and each is understood."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.data.tables import TableClient, UpdateMode
from azure.storage.queue import QueueClient

from domain.configuration.storage import StorageLocation
from storage import budget
from storage.connections import CLIENT_OPTIONS, SharedCredential
from storage.outcomes import Outcome, failure_of
from storage.rows import Row
from storage.table import StorageTable, WriteUnknown, table_client
from storage.transport import StorageTransport
from tests.storage.faulty import WAYS, Plan, faulty
from tests.storage.identity import FAILING, identity_endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from settings import Settings

ROW = {"PartitionKey": "p", "RowKey": "r", "text": "x" * 100}
WHOLE: dict[str, Any] = {"mode": UpdateMode.REPLACE}
# What every request raised in some way, and by request what else: over all ways of ``tests.storage.faulty``, with
# azure-data-tables 12.7.0, azure-storage-queue 12.18.1, azure-core 1.41.0, requests 2.34.2.
OFTEN = ["HttpResponseError", "ServiceRequestError", "ServiceResponseError"]
RAISED = {
    "get": ["IncompleteReadError"],
    "query": ["IncompleteReadError"],
    "insert": ["AttributeError"],
    "update": ["IncompleteReadError", "ServiceResponseTimeoutError"],
    "upsert": ["IncompleteReadError", "ServiceResponseTimeoutError"],
    "delete": ["DeserializationError", "IncompleteReadError"],
    "transaction": ["ChunkedEncodingError", "ConnectionError", "ServiceResponseTimeoutError"],
    "message": ["IncompleteReadError"],
    "queue's properties": ["IncompleteReadError", "ServiceResponseTimeoutError"],
}


def _calls(table: TableClient, queue: QueueClient) -> dict[str, Callable[[], object]]:
    guarded = {**WHOLE, "etag": "*", "match_condition": MatchConditions.IfNotModified}
    return {
        "get": lambda: table.get_entity("p", "there"),
        "query": lambda: list(table.query_entities("PartitionKey eq 'p'")),
        "insert": lambda: table.create_entity({**ROW, "RowKey": uuid.uuid4().hex}),
        "update": lambda: table.update_entity({**ROW, "RowKey": "there"}, **guarded),
        "upsert": lambda: table.upsert_entity(ROW, **WHOLE),
        "delete": lambda: table.delete_entity("p", "r"),
        "transaction": lambda: table.submit_transaction([("upsert", ROW), ("upsert", {**ROW, "RowKey": "s"})]),
        "message": lambda: queue.send_message("x"),
        "queue's properties": queue.get_queue_properties,
    }


def test_raised(azurite: str, storage_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What each request raises in each way is known, and none of it is taken for done."""
    monkeypatch.setattr(budget, "_RESPONSE_SECONDS", 0.2)
    seen: dict[str, set[str]] = defaultdict(set)
    with faulty(azurite, monkeypatch) as (connection_string, plan):
        options: Any = {**CLIENT_OPTIONS, "transport": StorageTransport()}
        with (
            TableClient.from_connection_string(connection_string, storage_name, **options) as table,
            QueueClient.from_connection_string(connection_string, storage_name, **options) as queue,
        ):
            table.create_table()
            table.create_entity({**ROW, "RowKey": "there"})
            queue.create_queue()
            for name, call in _calls(table, queue).items():
                for way in WAYS:
                    if way == "no token":
                        continue  # the proxy raises this one itself
                    error = _raised(call, plan, way)
                    if error is None:
                        # Of a response without a body that is cut in its headers enough may be left.
                        assert way == "after cut", (name, way)
                        continue
                    seen[name].add(type(error).__name__)
                    # 429 means by its definition that the request was not done.
                    is_known = way == "refused" or way.endswith("429")
                    expected = Outcome.NOT_DONE if is_known else Outcome.UNKNOWN
                    assert failure_of(error).outcome is expected, (name, way, error)
                    assert plan.sent == 1, "the library sends nothing again"
    # A busy machine may be slower than the short time limit, whatever is asked.
    slow = {name: {"ServiceResponseTimeoutError"} - set(kinds) for name, kinds in RAISED.items()}
    assert {name: sorted(kinds - set(OFTEN) - slow[name]) for name, kinds in seen.items()} == RAISED


def _raised(call: Callable[[], object], plan: Plan, way: str) -> Exception | None:
    plan.begin(way, 1)
    try:
        call()
    except Exception as error:  # noqa: BLE001 - that is the question
        return error
    return None


def test_cut_in_its_headers(app_settings: Settings, azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library takes a response without a whole ETag for done; it is not, since nothing could follow under it."""
    name = f"t{uuid.uuid4().hex}"
    with faulty(azurite, monkeypatch) as (connection_string, plan):
        location = StorageLocation(connection_string=connection_string)
        with table_client(replace(app_settings, storage=location, state_table=name)) as client:
            table = StorageTable(client)
            (etag,) = table.write([Row(ROW, is_new=True)])
            plan.begin("after cut", 1)
            with pytest.raises(WriteUnknown):
                table.write([Row({**ROW, "text": "y"}, etag)])
            plan.begin("after cut", 1)
            (etag,) = table.write([Row({**ROW, "text": "z"})])
            assert plan.broken
            assert table.write([Row(ROW, etag)]) != [etag], "an unconditional write is repeated"


@pytest.mark.parametrize("way", FAILING)
def test_raised_by_identity(way: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a managed identity raises leaves as one error, which means that nothing was sent."""
    with identity_endpoint(monkeypatch) as endpoint, budget.budget(1.0):
        endpoint.way = way
        with pytest.raises(Exception) as caught:  # noqa: PT011 - that is the question
            SharedCredential(None).get_token("https://storage.azure.com/.default")
    assert failure_of(caught.value).outcome is Outcome.NOT_DONE
    assert not isinstance(caught.value, AzureError)
