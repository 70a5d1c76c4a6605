"""A table of its own in Azurite for each test, whose requests are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.pipeline.transport import RequestsTransport

import settings
from storage.store import TableStore
from storage.table import StorageTable, table_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings import Settings


class CountingTransport(RequestsTransport):  # type: ignore[misc]  # the library does not type it
    """Sends requests as ever, and notes each method and address."""

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
def storage(app_settings: Settings, transport: CountingTransport) -> Iterator[StorageTable]:
    """A table in Azurite that does not exist yet, as rows."""
    with table_client(app_settings, transport=transport) as client:
        yield StorageTable(client)


@pytest.fixture
def store(storage: StorageTable) -> TableStore:
    """A table in Azurite that does not exist yet, as calls."""
    return TableStore(storage)
