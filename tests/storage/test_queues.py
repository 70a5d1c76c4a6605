"""What the app relies on in Azure Queue Storage, on a real Azurite."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from azure.storage.queue import QueueClient

from settings import StorageLocation
from storage.queues import StorageQueue
from tests.web.test_health import NOWHERE
from web.errors import StorageUnavailable

if TYPE_CHECKING:
    from settings import Settings


def test_a_message_is_base64_json_on_a_queue_that_is_made_when_needed(
    app_settings: Settings, azurite: str, storage_name: str
) -> None:
    """Messages have the form that the queue triggers expect, and never run out of time."""
    StorageQueue(app_settings, storage_name).send({"watch": "ü"}, delay_seconds=0)
    with QueueClient.from_connection_string(azurite, storage_name) as client:
        (message,) = client.receive_messages()
    assert json.loads(base64.b64decode(message.content)) == {"watch": "ü"}
    assert message.expires_on is not None
    assert message.expires_on.year > 2100


def test_a_delayed_message_is_hidden_until_its_time(app_settings: Settings, azurite: str, storage_name: str) -> None:
    """A message of the watchdog is not seen before it is due, and then it is."""
    StorageQueue(app_settings, storage_name).send({}, delay_seconds=1.4)
    with QueueClient.from_connection_string(azurite, storage_name) as client:
        assert list(client.receive_messages()) == []
        deadline = time.monotonic() + 10
        while not (found := list(client.receive_messages())) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(found) == 1


@pytest.mark.parametrize("seconds", [-5.0, 10.0**9])
def test_any_delay_is_one_that_storage_takes(
    app_settings: Settings, azurite: str, storage_name: str, seconds: float
) -> None:
    """A delay in the past is none, and one beyond seven days is a little less than seven days."""
    StorageQueue(app_settings, storage_name).send({}, delay_seconds=seconds)
    with QueueClient.from_connection_string(azurite, storage_name) as client:
        assert client.get_queue_properties().approximate_message_count == 1
        assert len(list(client.receive_messages())) == (seconds < 0)


def test_a_queue_is_reachable_before_its_first_message(app_settings: Settings, storage_name: str) -> None:
    """A new app is healthy though no queue is there yet, and stays so with one."""
    queue = StorageQueue(app_settings, storage_name)
    assert queue.is_reachable()
    queue.send({}, delay_seconds=0)
    assert queue.is_reachable()


def test_a_queue_that_can_not_be_reached_is_told_as_such(app_settings: Settings, storage_name: str) -> None:
    """Whatever the queue library raises, the app sees one error, which becomes a 503."""
    queue = StorageQueue(replace(app_settings, storage=StorageLocation(connection_string=NOWHERE)), storage_name)
    assert not queue.is_reachable()
    with pytest.raises(StorageUnavailable):
        queue.send({}, delay_seconds=0)
