"""A table of its own in Azurite for each test, whose requests are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import settings
from storage.store import TableStore
from storage.table import StorageTable, table_client
from storage.transport import StorageTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings import Settings

NOT_THERE = (
    "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;"
    "TableEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a"
)
"""A storage account at which no server listens."""


class CountingTransport(StorageTransport):
    """Sends requests, and keeps each method and URL."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []

    def send(self, request: Any, **options: Any) -> Any:
        """Send one request."""
        self.sent.append((request.method, request.url))
        return super().send(request, **options)


@pytest.fixture
def app_settings(azurite: str, storage_name: str) -> Settings:
    """The settings of an app whose state is in a table of its own."""
    return settings.load(
        {
            "GRAPH_TENANT_ID": "11111111-2222-3333-4444-555555555555",
            "GRAPH_CLIENT_ID": "66666666-7777-8888-9999-000000000000",
            "GRAPH_CLIENT_SECRET": "letmein",
            "AzureWebJobsStorage": azurite,
            "STATE_TABLE": storage_name,
            "PUBLIC_BASE_URL": "https://app.example",
        }
    )


@pytest.fixture
def transport() -> CountingTransport:
    """Counts the requests that reach storage."""
    return CountingTransport()


@pytest.fixture
def table(app_settings: Settings, transport: CountingTransport) -> Iterator[StorageTable]:
    """A table in Azurite that does not exist yet, as rows."""
    with table_client(app_settings, transport=transport) as client:
        yield StorageTable(client)


@pytest.fixture
def store(table: StorageTable) -> TableStore:
    """The store on that table."""
    return TableStore(table)
