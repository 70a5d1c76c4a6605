"""The app's queues in Azure Storage; the only module that knows ``azure.storage.queue``.

Messages are Base64 JSON, as host.json tells the queue triggers (``messageEncoding``).
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from observability import telemetry
from storage.connections import storage_transport
from web.errors import StorageUnavailable

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

    from settings import Settings

_events = telemetry.Events("storage")
CHECKS = "invitation-checks"
OUTCOMES = "invitation-outcomes"
# Storage keeps a message hidden for at most seven days.
_LONGEST_DELAY = 7 * 24 * 3600 - 60
_CLIENT_OPTIONS: dict[str, Any] = {
    "retry_total": 2,
    "retry_connect": 1,
    "retry_read": 0,
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
        with self._lock:
            if self._client is None:
                self._client = queue_client(self._settings, self._name)
            return self._client


def queue_client(settings: Settings, name: str, **options: Any) -> QueueClient:
    """Return a client of one queue; nothing is asked of storage yet.

    Raises:
        ValueError: the connection string, or the address, can't be used.
    """
    # Imported when first needed: callbacks from Graph never send a message and must not wait for this.
    from azure.storage.queue import QueueClient, TextBase64EncodePolicy  # noqa: PLC0415

    location = settings.storage
    options = {
        **_CLIENT_OPTIONS,
        "message_encode_policy": TextBase64EncodePolicy(),
        "transport": storage_transport(),
        **options,
    }
    if location.connection_string is not None:
        return QueueClient.from_connection_string(location.connection_string, name, **options)
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415

    credential = ManagedIdentityCredential(client_id=location.identity_client_id)
    return QueueClient(str(location.queue_endpoint), name, credential=credential, **options)


def round_trip(settings: Settings, name: str) -> frozenset[str]:
    """Send a message through a queue that is made for it and removed again; the app's own queues are only looked at.

    Args:
        settings: where the queues are.
        name: of a queue that is nobody's.

    Returns:
        The app's queues that are there already.

    Raises:
        StorageUnavailable: the queue service can't be used; its cause is what the library raised.
        ValueError: the connection string, or the address, can't be used.
    """
    from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415

    with queue_client(settings, name, retry_total=0) as client:
        try:
            client.create_queue()
            try:
                client.send_message("doctor")
                came_back = client.receive_message() is not None
            finally:
                client.delete_queue()
            there = set()
            for own in (CHECKS, OUTCOMES):
                with suppress(ResourceNotFoundError), queue_client(settings, own, retry_total=0) as looked_at:
                    looked_at.get_queue_properties()
                    there.add(own)
        except AzureError as error:
            raise StorageUnavailable from error
    if not came_back:
        raise StorageUnavailable
    return frozenset(there)
