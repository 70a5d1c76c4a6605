from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError
from azure.data.tables import TableClient

from settings import StorageLocation
from storage.connections import storage_transport
from storage.queues import queue_client
from storage.table import table_client
from tests.graph.servers import listening

if TYPE_CHECKING:
    import socket

    import pytest

    from settings import Settings

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


def test_a_storage_that_does_not_answer_is_given_up_in_seconds(app_settings: Settings) -> None:
    """A connection on which nothing comes back costs four seconds, of the five that a callback's answer may take."""

    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with listening(silent) as port:
        account = f"AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:{port}/a"
        account += f";QueueEndpoint=http://127.0.0.1:{port}/a"
        there = replace(app_settings, storage=StorageLocation(connection_string=account))
        started = time.monotonic()
        with (
            table_client(there, retry_total=0) as table,
            queue_client(there, "any", retry_total=0) as queue,
            ThreadPoolExecutor(2) as threads,
        ):
            read, asked = threads.submit(table.get_entity, "p", "r"), threads.submit(queue.get_queue_properties)
            assert isinstance(read.exception(20), AzureError)
            assert isinstance(asked.exception(20), AzureError)
    assert 3 < time.monotonic() - started < 8
