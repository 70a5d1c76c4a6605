"""What the app relies on in Azure Queue Storage, on a real Azurite."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from azure.storage.queue import QueueClient

from domain.configuration.storage import StorageLocation
from storage.errors import StorageUnavailable
from storage.queue import StorageQueue
from tests.storage_fixtures import NOT_THERE

if TYPE_CHECKING:
    from settings import Settings


def test_message(app_settings: Settings, azurite: str, storage_name: str) -> None:
    """Messages have the form that the queue trigger expects, never expire, and the queue is made when needed."""
    StorageQueue(app_settings, storage_name).send({"alarm": "ü"}, delay_seconds=0)
    with QueueClient.from_connection_string(azurite, storage_name) as client:
        (message,) = client.receive_messages()
    assert json.loads(base64.b64decode(message.content)) == {"alarm": "ü"}
    assert message.expires_on is not None
    assert message.expires_on.year > 2100


def test_delay(app_settings: Settings, azurite: str, storage_name: str) -> None:
    """A message is not seen before it is due, and then it is."""
    StorageQueue(app_settings, storage_name).send({}, delay_seconds=1.4)
    with QueueClient.from_connection_string(azurite, storage_name) as client:
        assert list(client.receive_messages()) == []
        deadline = time.monotonic() + 10
        while not (found := list(client.receive_messages())) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(found) == 1


@pytest.mark.parametrize("seconds", [-5.0, 10.0**9])
def test_any_delay(app_settings: Settings, azurite: str, storage_name: str, seconds: float) -> None:
    """A delay in the past is none, and one beyond seven days is a little less than seven days."""
    StorageQueue(app_settings, storage_name).send({}, delay_seconds=seconds)
    with QueueClient.from_connection_string(azurite, storage_name) as client:
        assert client.get_queue_properties().approximate_message_count == 1
        assert len(list(client.receive_messages())) == (seconds < 0)


def test_not_reachable(app_settings: Settings, storage_name: str) -> None:
    """Whatever the queue library raises is one error of this app, within the budget."""
    queue = StorageQueue(replace(app_settings, storage=StorageLocation(connection_string=NOT_THERE)), storage_name)
    started = time.monotonic()
    with pytest.raises(StorageUnavailable):
        queue.send({}, delay_seconds=0)
    assert time.monotonic() - started < 9
