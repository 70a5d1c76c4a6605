"""Azure Queue Storage; the only module that knows ``azure.storage.queue``.

Messages are Base64 JSON, as host.json states for the queue triggers (``messageEncoding``).
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Protocol

from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from storage.attempts import Failed, attempt
from storage.connections import CLIENT_OPTIONS
from storage.errors import StorageUnavailable
from storage.transport import StorageTransport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settings import Settings
    from storage.connections import SharedCredential

_SYSTEM = "microsoft.queues"
# Storage keeps a message hidden for at most seven days.
_LONGEST_DELAY = 7 * 24 * 3600 - 60


class MessageQueue(Protocol):
    """A queue whose messages become visible after a delay."""

    def send(self, message: Mapping[str, Any], *, delay_seconds: float) -> None:
        """Send a message that becomes visible after ``delay_seconds``; it may arrive twice.

        Raises:
            StorageUnavailable: it may or may not have been stored.
        """


class StorageQueue:
    """One queue of the storage account, made with its first message."""

    def __init__(self, settings: Settings, name: str, credential: SharedCredential | None = None) -> None:
        self._settings = settings
        self._name = name
        self._credential = credential
        self._lock = threading.Lock()
        self._client: QueueClient | None = None

    def send(self, message: Mapping[str, Any], *, delay_seconds: float) -> None:
        """Send a message; see ``MessageQueue``. A message that may have been stored is sent again all the same."""
        text = json.dumps(message, separators=(",", ":"))
        delay = min(max(round(delay_seconds), 0), _LONGEST_DELAY)
        try:
            attempt(
                "queue send",
                _SYSTEM,
                lambda: self._connected().send_message(text, visibility_timeout=delay, time_to_live=-1),
                create=lambda: self._connected().create_queue(),
            )
        except Failed as error:
            error.failure.log("queue storage")
            raise StorageUnavailable from error

    def _connected(self) -> QueueClient:
        with self._lock:
            if self._client is None:
                self._client = queue_client(self._settings, self._name, self._credential)
            return self._client


def queue_client(
    settings: Settings, name: str, credential: SharedCredential | None = None, *, transport: Any = None
) -> QueueClient:
    """Return a client of one queue; nothing is sent to storage yet.

    Raises:
        ValueError: the connection string, or the URL, can't be used.
    """
    location = settings.storage
    options = {
        **CLIENT_OPTIONS,
        "message_encode_policy": TextBase64EncodePolicy(),
        "transport": transport or StorageTransport(),
    }
    if location.connection_string is not None:
        return QueueClient.from_connection_string(location.connection_string, name, **options)
    return QueueClient(str(location.queue_endpoint), name, credential=credential, **options)
