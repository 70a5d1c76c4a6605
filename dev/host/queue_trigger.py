"""Feeds a function from an Azure Storage queue, as the real host's queue trigger does.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.functions.queue import QueueMessage
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.queue import QueueMessage as StoredMessage
from azure.storage.queue import QueueServiceClient

from dev.host.errors import CannotStart
from dev.host.worker import FunctionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dev.host.app_model import QueueFunction
    from dev.host.host_json import QueueOptions
    from dev.host.worker import Worker

HIDDEN_SECONDS = "DEV_HOST_HIDDEN_SECONDS"
"""The setting for how long a message whose run was killed stays hidden; 600, as on the real host, if it isn't set."""

_log = logging.getLogger("dev.host")
_SHORTEST_WAIT = 0.1
_STORAGE_REQUESTS_AT_ONCE = 8  # azure-core keeps ten connections
_FOREVER = -1
_Result = TypeVar("_Result")


def service(connection: str, environment: Mapping[str, str] = os.environ) -> QueueServiceClient:
    """Return a client for the connection that a binding names.

    Args:
        connection: The setting that has a connection string, or the first part of the settings that describe
            an account to be reached with an identity (``__queueServiceUri`` or ``__accountName``, ``__clientId``).
        environment: Where the settings are.

    Raises:
        CannotStart: The settings are missing, or not a connection string.
    """
    # Few and quick tries: the trigger itself tries again.
    options: dict[str, Any] = {"retry_total": 1, "connection_timeout": 5, "read_timeout": 15}
    for name in (connection, f"AzureWebJobs{connection}"):
        if text := environment.get(name):
            try:
                return QueueServiceClient.from_connection_string(text, **options)
            except ValueError as error:
                raise CannotStart(f"The setting {name} is not a connection string for queues: {error}") from error
        url = environment.get(f"{name}__queueServiceUri")
        if url is None and (account := environment.get(f"{name}__accountName")):
            url = f"https://{account}.queue.core.windows.net"
        if url:
            client_id = environment.get(f"{name}__clientId")
            credential = ManagedIdentityCredential(client_id=client_id) if client_id else DefaultAzureCredential()
            return QueueServiceClient(url, credential=credential, **options)
    raise CannotStart(
        f"No setting says where the queues of the connection {connection} are: set {connection} to a connection "
        f"string, or {connection}__queueServiceUri."
    )


class QueueTrigger:
    """Hands the messages of one queue to one function; a missing queue counts as empty."""

    def __init__(
        self, function: QueueFunction, worker: Worker, options: QueueOptions, queues: QueueServiceClient
    ) -> None:
        self.function = function
        self._worker = worker
        self._options = options
        self._queues = queues
        self._queue = queues.get_queue_client(function.queue)
        self._hidden_seconds = int(os.environ.get(HIDDEN_SECONDS, "600"))
        self._requests = ThreadPoolExecutor(_STORAGE_REQUESTS_AT_ONCE, thread_name_prefix=f"queue-{function.name}")
        self._running: set[asyncio.Future[None]] = set()
        self._stopped = asyncio.Event()

    async def listen(self) -> None:
        """Fetch messages, and run each in a task of its own, until ``stop``."""
        wait = _SHORTEST_WAIT
        while not self._stopped.is_set():
            if len(self._running) > self._options.threshold:
                await asyncio.wait(self._running, timeout=1, return_when=asyncio.FIRST_COMPLETED)
                continue
            messages = await self._request(self._fetch)
            for message in messages:
                run = asyncio.wrap_future(self._worker.spawn(self._process(message)))
                self._running.add(run)
                run.add_done_callback(self._running.discard)
            if messages:
                wait = _SHORTEST_WAIT
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), wait)
            wait = min(2 * wait, max(self._options.max_polling_interval, _SHORTEST_WAIT))

    async def stop(self) -> None:
        """Fetch no more messages; those that run go on."""
        self._stopped.set()

    def close(self) -> None:
        """Close the connections; nothing runs any more."""
        self._requests.shutdown()
        self._queues.close()

    def run_once(self, text: str) -> None:
        """Run the function with a message of this text, without the queue."""

        async def run() -> None:
            with suppress(FunctionFailed):
                await self._worker.invoke(self.function, _message(id="", body=text.encode(), dequeue_count=1))

        self._worker.spawn(run())

    async def _request(self, call: Callable[..., _Result], *arguments: Any) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._requests, call, *arguments)

    def _fetch(self) -> list[StoredMessage]:
        try:
            pages = self._queue.receive_messages(
                messages_per_page=self._options.batch_size, visibility_timeout=self._hidden_seconds
            ).by_page()
            return list(next(pages, []))
        except ResourceNotFoundError:
            return []
        except AzureError as error:
            _log.warning("The queue %s cannot be read: %s", self.function.queue, error)
            return []

    async def _process(self, message: StoredMessage) -> None:
        count = message.dequeue_count or 0
        body = self._decoded(message)
        try:
            # More than the most: the host was stopped after the last try, before the message could be moved.
            if body is None or count > self._options.max_dequeue_count:
                await self._request(self._move_to_poison, message)
            elif await self._succeeds(message, body):
                await self._request(self._queue.delete_message, message)
                _log.info("Executed %s: succeeded", self.function.name)
            elif count >= self._options.max_dequeue_count:
                await self._request(self._move_to_poison, message)
            else:
                await self._request(self._hide, message, self._options.visibility_timeout)
        except AzureError:
            _log.exception("A message of the queue %s could not be removed or released", self.function.queue)

    async def _succeeds(self, message: StoredMessage, body: bytes) -> bool:
        argument = _message(
            id=message.id,
            body=body,
            dequeue_count=message.dequeue_count,
            expiration_time=message.expires_on,
            insertion_time=message.inserted_on,
            time_next_visible=message.next_visible_on,
            pop_receipt=message.pop_receipt,
        )
        run = asyncio.ensure_future(self._worker.invoke(self.function, argument))
        # A message stays hidden as long as its function runs, however long that is.
        while not (await asyncio.wait({run}, timeout=self._hidden_seconds / 2))[0]:
            with suppress(AzureError):
                await self._request(self._hide, message, self._hidden_seconds)
        return not isinstance(run.exception(), FunctionFailed)

    def _decoded(self, message: StoredMessage) -> bytes | None:
        if self._options.message_encoding == "none":
            return str(message.content).encode()
        try:
            return base64.b64decode(message.content, validate=True)
        except (binascii.Error, ValueError):
            return None

    def _hide(self, message: StoredMessage, seconds: float) -> None:
        hidden = self._queue.update_message(message, visibility_timeout=int(seconds), content=message.content)
        message.pop_receipt = hidden.pop_receipt

    def _move_to_poison(self, message: StoredMessage) -> None:
        name = f"{self.function.queue}-poison"
        _log.error("A message of the queue %s is moved to %s", self.function.queue, name)
        with self._queues.get_queue_client(name) as poison:
            try:
                poison.send_message(message.content, time_to_live=_FOREVER)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):
                    poison.create_queue()
                poison.send_message(message.content, time_to_live=_FOREVER)
        self._queue.delete_message(message)


# The library leaves this signature untyped.
_message: Callable[..., QueueMessage] = QueueMessage
