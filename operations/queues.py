"""The app's queues in Azure Storage; the only module that knows ``azure.storage.queue``.

Messages are Base64 JSON, as host.json tells the queue triggers (``messageEncoding``).
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import telemetry
from operations.errors import StorageUnavailable

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

    from settings import Settings

_events = telemetry.Events("storage")
CHECKS = "invitation-checks"
OUTCOMES = "invitation-outcomes"
# Storage keeps a message hidden for at most seven days.
_LONGEST_DELAY = 7 * 24 * 3600 - 60
_CLIENT_OPTIONS: dict[str, Any] = {
    "connection_timeout": 2,
    "read_timeout": 4,
    "retry_total": 2,
    "retry_connect": 1,
    "retry_read": 1,
    "initial_backoff": 0.2,
    "increment_base": 0.2,
    "logging_enable": False,
}


class MessageQueue(Protocol):
    """A queue whose messages come back after a delay."""

    def send(self, message: dict[str, Any], *, delay_seconds: float) -> None:
        """Put a message away for ``delay_seconds``.

        Raises:
            StorageUnavailable: it may or may not have been kept.
        """


class StorageQueue:
    """One queue of the storage account, made when it is first needed."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._lock = threading.Lock()
        self._client: QueueClient | None = None

    def send(self, message: dict[str, Any], *, delay_seconds: float) -> None:
        """Put a message away for ``delay_seconds``; see ``MessageQueue``."""
        from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError  # noqa: PLC0415

        text = json.dumps(message, separators=(",", ":"))
        delay = min(max(round(delay_seconds), 0), _LONGEST_DELAY)
        try:
            with telemetry.span("queue send", "microsoft.queues", queue=self._name):
                client = self._connected()
                try:
                    client.send_message(text, visibility_timeout=delay, time_to_live=-1)
                except ResourceNotFoundError:
                    with suppress(ResourceExistsError):  # another process was faster
                        client.create_queue()
                    client.send_message(text, visibility_timeout=delay, time_to_live=-1)
        except AzureError as error:
            status, code = getattr(error, "status_code", None), getattr(error, "error_code", None)
            _events.warning("queue storage failed", kind=type(error).__name__, status=status, code=code or None)
            raise StorageUnavailable from error

    def is_reachable(self) -> bool:
        """Tell whether the queue service answers."""
        from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415

        try:
            self._connected().get_queue_properties()
        except ResourceNotFoundError:
            return True  # the queue is made with its first message
        except AzureError:
            return False
        return True

    def _connected(self) -> QueueClient:
        # Imported when first needed: callbacks from Graph never send a message and must not wait for this.
        from azure.storage.queue import QueueClient, TextBase64EncodePolicy  # noqa: PLC0415

        with self._lock:
            if self._client is None:
                self._client = self._new_client(QueueClient, TextBase64EncodePolicy())
            return self._client

    def _new_client(self, kind: type[QueueClient], encoding: Any) -> QueueClient:
        location = self._settings.storage
        options = {**_CLIENT_OPTIONS, "message_encode_policy": encoding}
        if location.connection_string is not None:
            return kind.from_connection_string(location.connection_string, self._name, **options)
        from azure.identity import ManagedIdentityCredential  # noqa: PLC0415

        credential = ManagedIdentityCredential(client_id=location.identity_client_id)
        return kind(str(location.queue_endpoint), self._name, credential=credential, **options)
