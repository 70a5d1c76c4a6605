from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

from azure.data.tables import TableClient

from operations.connections import storage_transport

if TYPE_CHECKING:
    import pytest

AT_ONCE = 30


def test_a_busy_instance_keeps_its_connections(
    azurite: str, storage_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Thirty requests at once leave thirty connections to be used again; none is thrown away, with a warning each."""
    caplog.set_level(logging.WARNING, "urllib3")
    together = Barrier(AT_ONCE)
    with TableClient.from_connection_string(azurite, storage_name, transport=storage_transport()) as client:
        client.create_table()

        def ask(_: int) -> None:
            together.wait(30)
            assert list(client.list_entities()) == []

        with ThreadPoolExecutor(AT_ONCE) as threads:
            for _ in range(3):
                list(threads.map(ask, range(AT_ONCE)))
    assert not caplog.records
