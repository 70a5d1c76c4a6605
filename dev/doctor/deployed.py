"""The deployed app as ``--latency`` measures it: one keyed request, and one message through the queue ``work``."""

from __future__ import annotations

import base64
import json
import secrets
import time
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import requests
from azure.core.exceptions import AzureError, ClientAuthenticationError, ResourceExistsError, ResourceNotFoundError
from azure.identity import AzureCliCredential

from dev.doctor import connection
from dev.doctor.latency import MOST_SECONDS
from flows.alarms import Message
from flows.ping import ANSWERS, PING
from storage.names import WORK
from storage.queue import queue_client

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

    from settings import Settings

_HTTP_SECONDS = (10.0, 120.0)
_LOOK_SECONDS = 0.2
_ROLE = "your login (az login) needs the role Storage Queue Data Contributor on the account"


class NotMeasured(Exception):
    """It can't be measured; the text says why and what to do."""


class Deployed:
    """An app at its public URL and its storage account, while the block lasts; see ``latency.App``."""

    def __init__(self, settings: Settings, key: str, session: requests.Session) -> None:
        self._url = f"{settings.public_base_url}/api/calls/doctor-latency"
        self._key = key
        self._session = session
        self._sender = uuid.uuid4().hex
        credential: Any = None if settings.storage.connection_string is not None else AzureCliCredential()
        self._work: QueueClient = queue_client(settings, WORK, credential)
        self._answers: QueueClient = queue_client(settings, ANSWERS + self._sender, credential)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._answers.create_queue()
            self._open.callback(self._answers.delete_queue)
            self._work.create_queue()
        except ResourceExistsError:
            pass
        except ClientAuthenticationError:
            self._open.close()
            raise NotMeasured(f"{connection.host_of(self._work.url)} refuses: {_ROLE}") from None
        except AzureError as error:
            self._open.close()
            raise self._storage_failed(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def request(self) -> float:
        """Ask about a call that does not exist, which costs the app one storage request."""
        started = time.monotonic()
        try:
            response = self._session.get(
                self._url, headers={"x-functions-key": self._key}, timeout=_HTTP_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            found = connection.explained(error, self._url, fix_name="PUBLIC_BASE_URL must be the app's")
            raise NotMeasured(f"{found.text}: {found.fix}") from error
        took = time.monotonic() - started
        if response.headers.get("x-ms-error-code") == "CallNotFound":
            return took
        if response.status_code == requests.codes.unauthorized:
            raise NotMeasured("the app does not accept FUNCTION_KEY: az functionapp keys list -n <app> -g <group>")
        text = f"the app answers {response.status_code} where 404 CallNotFound is right"
        raise NotMeasured(f"{text}: look at {connection.host_of(self._url)} with make doctor first")

    def message(self, *, visible: float, due: float) -> float | None:
        """Send a message of the kind ``ping``, and wait for the app's response on a queue of this run's own."""
        now = datetime.now(UTC)
        alarm, time_of_it = secrets.token_hex(8), now + timedelta(seconds=due)
        message = Message(PING, "~doctor", self._sender, alarm, time_of_it, now)
        due_at = time.monotonic() + due
        try:
            self._work.send_message(json.dumps(message.document()), visibility_timeout=round(visible))
            while time.monotonic() < due_at + MOST_SECONDS:
                if self._has_answer(alarm):
                    return time.monotonic() - due_at
                time.sleep(_LOOK_SECONDS)
        except AzureError as error:
            raise self._storage_failed(error) from error
        return None

    def _has_answer(self, alarm: str) -> bool:
        try:
            answer = self._answers.receive_message()
        except ResourceNotFoundError:
            return False
        if answer is None:
            return False
        self._answers.delete_message(answer)
        return bool(json.loads(base64.b64decode(answer.content)).get("alarm") == alarm)

    def _storage_failed(self, error: AzureError) -> NotMeasured:
        code = getattr(error, "error_code", None) or type(error).__name__
        host = connection.host_of(self._work.url)
        return NotMeasured(f"{host} fails ({code}): look at queue-storage with make doctor first; {_ROLE}")
