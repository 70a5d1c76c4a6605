"""Feeds a function from an Azure Storage queue, as the real host's queue trigger does.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.functions.queue import QueueMessage
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.queue import QueueClient, QueueServiceClient
from azure.storage.queue import QueueMessage as StoredMessage

from dev.host.errors import CannotStart
from dev.host.invocation import FunctionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dev.host.app_model import QueueFunction
    from dev.host.host_json import QueueOptions
    from dev.host.invocation import Invoker

_log = logging.getLogger("dev.host.command")
_SHORTEST_WAIT = 0.1
# How long a message is hidden while its function runs; the real host takes ten minutes too.
_HIDDEN_SECONDS = 600


def service(connection: str, environment: Mapping[str, str] = os.environ) -> QueueServiceClient:
    """Return a client for the connection that a binding names.

    Args:
        connection: The setting that holds a connection string, or the first part of the settings that describe
            an account to be reached with an identity (``__queueServiceUri`` or ``__accountName``, ``__clientId``).
        environment: Where the settings are.

    Raises:
        CannotStart: The settings are missing or no connection string.
    """
    # Few and quick tries: the trigger itself comes again.
    options: dict[str, Any] = {"retry_total": 1, "connection_timeout": 5, "read_timeout": 15}
    for name in (connection, f"AzureWebJobs{connection}"):
        if text := environment.get(name):
            try:
                return QueueServiceClient.from_connection_string(text, **options)
            except ValueError as error:
                raise CannotStart(f"The setting {name} is not a connection string for queues: {error}") from error
        address = environment.get(f"{name}__queueServiceUri")
        if address is None and (account := environment.get(f"{name}__accountName")):
            address = f"https://{account}.queue.core.windows.net"
        if address:
            client_id = environment.get(f"{name}__clientId")
            credential = ManagedIdentityCredential(client_id=client_id) if client_id else DefaultAzureCredential()
            return QueueServiceClient(address, credential=credential, **options)
    raise CannotStart(
        f"No setting says where the queues of the connection {connection} are: set {connection} to a connection "
        f"string, or {connection}__queueServiceUri."
    )


class QueueTrigger:
    """Hands the messages of one queue to one function; a queue that is not there yet counts as empty."""

    def __init__(
        self, function: QueueFunction, invoker: Invoker, options: QueueOptions, queues: QueueServiceClient
    ) -> None:
        self._function = function
        self._invoker = invoker
        self._options = options
        self._queues = queues
        self._queue = queues.get_queue_client(function.queue)
        threshold = options.new_batch_threshold
        self._threshold = options.batch_size // 2 if threshold is None else threshold
        self._pool = ThreadPoolExecutor(
            options.batch_size + self._threshold, thread_name_prefix=f"queue-{function.name}"
        )
        self._in_work = 0
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"queue-{function.name}", daemon=True)

    def start(self) -> None:
        """Begin to look for messages."""
        self._thread.start()

    def stop_fetching(self) -> None:
        """Fetch no more messages; those in work go on."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join()

    def close(self) -> None:
        """Put away the messages whose functions have ended, and close the connections."""
        self._pool.shutdown(wait=True)
        self._queues.close()

    def at_once(self, text: str) -> None:
        """Run the function now with a message of this text, without the queue, on a thread of its own."""

        def run() -> None:
            try:
                self._invoker.run(self._function, _new_message(id="", body=text, dequeue_count=1))
            except FunctionFailed:
                _log.exception("Executed %s: failed", self._function.name)

        threading.Thread(target=run, name=f"queue-{self._function.name}-now", daemon=True).start()

    def _watch(self) -> None:
        wait = _SHORTEST_WAIT
        while not self._stopped.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._in_work <= self._threshold or self._stopped.is_set())
            if messages := self._receive():
                wait = _SHORTEST_WAIT
                with self._changed:
                    self._in_work += len(messages)
                for message in messages:
                    self._pool.submit(self._work, message)
            elif not self._stopped.wait(wait):
                wait = min(2 * wait, max(self._options.max_polling_interval, _SHORTEST_WAIT))

    def _receive(self) -> list[StoredMessage]:
        if self._stopped.is_set():
            return []
        try:
            pages = self._queue.receive_messages(
                messages_per_page=self._options.batch_size, visibility_timeout=_HIDDEN_SECONDS
            ).by_page()
            return list(next(pages, []))
        except ResourceNotFoundError:
            return []
        except AzureError as error:
            _log.warning("The queue %s cannot be read: %s", self._function.queue, error)
            return []

    def _work(self, message: StoredMessage) -> None:
        try:
            self._handle(message)
        except AzureError:
            _log.exception("A message of the queue %s could not be put away", self._function.queue)
        finally:
            with self._changed:
                self._in_work -= 1
                self._changed.notify_all()

    def _handle(self, message: StoredMessage) -> None:
        count = message.dequeue_count or 0
        if count > self._options.max_dequeue_count:
            # The host was stopped after the last try, before it could put the message away.
            self._poison(message)
            return
        try:
            body = self._body(message.content)
        except ValueError:
            _log.exception("A message of the queue %s cannot be decoded", self._function.queue)
            self._poison(message)
            return
        try:
            self._invoker.run(self._function, _functions_message(message, body))
        except FunctionFailed:
            _log.exception("Executed %s: failed at try %d", self._function.name, count)
            if count >= self._options.max_dequeue_count:
                self._poison(message)
            else:
                self._queue.update_message(
                    message, visibility_timeout=int(self._options.visibility_timeout), content=message.content
                )
            return
        self._queue.delete_message(message)
        _log.info("Executed %s: succeeded", self._function.name)

    def _body(self, content: str) -> bytes:
        if self._options.message_encoding == "none":
            return content.encode()
        try:
            return base64.b64decode(content, validate=True)
        except binascii.Error as error:
            raise ValueError("not Base64") from error

    def _poison(self, message: StoredMessage) -> None:
        name = f"{self._function.queue}-poison"
        _log.error("A message of the queue %s goes to %s", self._function.queue, name)
        with self._queues.get_queue_client(name) as poison:
            _send(poison, message.content)
        self._queue.delete_message(message)


def _send(queue: QueueClient, content: str) -> None:
    forever = -1
    try:
        queue.send_message(content, time_to_live=forever)
    except ResourceNotFoundError:
        queue.create_queue()
        queue.send_message(content, time_to_live=forever)


def _functions_message(message: StoredMessage, body: bytes) -> QueueMessage:
    return _new_message(
        id=message.id,
        body=body,
        dequeue_count=message.dequeue_count,
        expiration_time=message.expires_on,
        insertion_time=message.inserted_on,
        time_next_visible=message.next_visible_on,
        pop_receipt=message.pop_receipt,
    )


# The library leaves this signature untyped.
_new_message: Callable[..., QueueMessage] = QueueMessage
