from __future__ import annotations

import asyncio
import base64
import os
import queue
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from dev.host.errors import CannotStart
from dev.host.queue_trigger import HIDDEN_SECONDS, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.dev.conftest import Serve

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 20.0
_QUICK = {"maxPollingInterval": "00:00:00", "maxDequeueCount": 3}


@pytest.fixture(autouse=True)
def _connection(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", azurite)


@pytest.fixture
def stored(azurite: str, storage_name: str) -> Iterator[QueueClient]:
    """A queue of this test's own, whose messages are text as it stands."""
    with QueueClient.from_connection_string(azurite, storage_name) as client:
        client.create_queue()
        yield client


def _app(name: str, run: Callable[[func.QueueMessage], Any]) -> func.FunctionApp:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name=name, connection="AzureWebJobsStorage")
    def work(message: func.QueueMessage) -> None:
        run(message)

    return app


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _soon(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _SECONDS
    while not (answer := true()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def _length(client: QueueClient) -> int:
    return client.get_queue_properties().approximate_message_count or 0


def test_a_message_reaches_the_function_once(serve: Serve, stored: QueueClient) -> None:
    """A message is decoded, handed over with all that is known about it, and taken off the queue."""
    seen: queue.SimpleQueue[func.QueueMessage] = queue.SimpleQueue()
    sent = stored.send_message(_base64('{"text": "\u00e9"}'))
    serve(_app(stored.queue_name, seen.put), queues=_QUICK)
    message = seen.get(timeout=_SECONDS)
    assert message.get_json() == {"text": "\u00e9"}
    assert message.id == sent.id
    assert message.dequeue_count == 1
    assert message.pop_receipt
    assert message.insertion_time is not None
    assert abs(message.insertion_time - datetime.now(UTC)) < timedelta(minutes=5)
    assert message.expiration_time is not None
    assert message.expiration_time > message.insertion_time
    assert _soon(lambda: _length(stored) == 0)
    assert seen.empty()


def test_plain_text_where_host_json_says_so(serve: Serve, stored: QueueClient) -> None:
    """With the message encoding `none`, the text is handed over as it stands."""
    seen: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    stored.send_message("plain \u00e9")
    app = _app(stored.queue_name, lambda message: seen.put(message.get_body()))
    serve(app, queues={"messageEncoding": "none"})
    assert seen.get(timeout=_SECONDS) == "plain \u00e9".encode()


def test_a_failure_is_tried_again_after_the_visibility_timeout(serve: Serve, stored: QueueClient) -> None:
    """A message whose function fails comes again, not before the time that host.json gives."""
    tries: queue.SimpleQueue[tuple[float, int | None]] = queue.SimpleQueue()

    def fail_once(message: func.QueueMessage) -> None:
        tries.put((time.monotonic(), message.dequeue_count))
        if message.dequeue_count == 1:
            raise RuntimeError("not yet")

    stored.send_message(_base64("x"))
    serve(_app(stored.queue_name, fail_once), queues={**_QUICK, "visibilityTimeout": "00:00:02"})
    (first, count), (second, again) = tries.get(timeout=_SECONDS), tries.get(timeout=_SECONDS)
    assert (count, again) == (1, 2)
    assert second - first > 1.5
    assert _soon(lambda: _length(stored) == 0)


def test_what_always_fails_ends_in_the_poison_queue(serve: Serve, azurite: str, stored: QueueClient) -> None:
    """After as many tries as host.json allows, the message is moved to `<queue>-poison` as it was."""
    tries: list[int | None] = []

    def fail(message: func.QueueMessage) -> None:
        tries.append(message.dequeue_count)
        raise RuntimeError("never")

    stored.send_message(_base64("bad"))
    serve(_app(stored.queue_name, fail), queues=_QUICK)
    with QueueClient.from_connection_string(azurite, f"{stored.queue_name}-poison") as poison:
        assert _soon(lambda: _exists(poison) and _length(poison) == 1)
        assert [message.content for message in poison.receive_messages()] == [_base64("bad")]
    assert tries == [1, 2, 3]
    assert _soon(lambda: _length(stored) == 0)


def test_what_cannot_be_decoded_ends_in_the_poison_queue(serve: Serve, azurite: str, stored: QueueClient) -> None:
    """A message that is not Base64 never reaches the function, and is kept where it can be found."""
    seen: list[func.QueueMessage] = []
    stored.send_message("{not base64}")
    serve(_app(stored.queue_name, seen.append), queues=_QUICK)
    with QueueClient.from_connection_string(azurite, f"{stored.queue_name}-poison") as poison:
        assert _soon(lambda: _exists(poison) and _length(poison) == 1)
    assert seen == []


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_as_many_run_at_once_as_host_json_says(
    serve: Serve, stored: QueueClient, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Batch size and threshold add up; sleeping `async` functions hold no thread of the pool."""
    monkeypatch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", "6" if kind == "plain" else "1")
    running: list[int] = []
    most: list[int] = []
    app = func.FunctionApp()

    def begin() -> None:
        running.append(1)
        most.append(len(running))

    if kind == "plain":

        @app.queue_trigger(arg_name="message", queue_name=stored.queue_name, connection="AzureWebJobsStorage")
        def work(message: func.QueueMessage) -> None:
            begin()
            time.sleep(1)
            running.pop()
    else:

        @app.queue_trigger(arg_name="message", queue_name=stored.queue_name, connection="AzureWebJobsStorage")
        async def work(message: func.QueueMessage) -> None:
            begin()
            await asyncio.sleep(1)
            running.pop()

    for number in range(12):
        stored.send_message(_base64(str(number)))
    serve(app, queues={**_QUICK, "batchSize": 2, "newBatchThreshold": 4})
    assert _soon(lambda: len(most) == 12)
    assert max(most) == 6


def test_a_long_run_keeps_its_message(serve: Serve, stored: QueueClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message stays hidden while its function runs, longer than a killed run's message would."""
    monkeypatch.setenv(HIDDEN_SECONDS, "2")
    seen: list[int] = []

    def take_long(_: func.QueueMessage) -> None:
        seen.append(1)
        time.sleep(5)

    stored.send_message(_base64("x"))
    serve(_app(stored.queue_name, take_long), queues=_QUICK)
    assert _soon(lambda: _length(stored) == 0)
    assert seen == [1]


def test_a_killed_runs_message_comes_back(stored: QueueClient, azurite: str) -> None:
    """After a kill the message is delivered again, as soon as the setting says."""
    script = f"""
import os, signal, sys, time
import azure.functions as func
from dev.host.host_json import HostOptions
from dev.host.http_server import HttpServer
from dev.host.runtime import Host
app = func.FunctionApp()
@app.queue_trigger(arg_name="message", queue_name="{stored.queue_name}", connection="AzureWebJobsStorage")
def work(message: func.QueueMessage) -> None:
    print("try", message.dequeue_count, flush=True)
    if message.dequeue_count == 1:
        os.kill(os.getpid(), signal.SIGKILL)
with Host(app, HostOptions(), HttpServer(0), key="k"):
    time.sleep(10)
"""
    stored.send_message(_base64("x"))
    environment = {**os.environ, HIDDEN_SECONDS: "2", "AzureWebJobsStorage": azurite, "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, "-c", script]
    first = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert (first.returncode, first.stdout) == (-signal.SIGKILL, "try 1\n"), first.stderr
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as second:
        assert second.stdout is not None
        assert second.stdout.readline() == "try 2\n"
        second.terminate()


def test_a_returned_value_is_a_failure(serve: Serve, stored: QueueClient, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing takes what a queue's function returns, so the real worker fails the run, and this one too."""
    stored.send_message(_base64("x"))
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name=stored.queue_name, connection="AzureWebJobsStorage")
    def work(message: func.QueueMessage):  # type: ignore[no-untyped-def] # noqa: ANN202 - what is under test
        return "value"

    serve(app, queues={**_QUICK, "maxDequeueCount": 1})
    assert _soon(lambda: _length(stored) == 0)
    assert "$return" in capfd.readouterr().err


@pytest.mark.parametrize("value", ["true", "1"])
def test_a_disabled_function_takes_no_message(
    serve: Serve, stored: QueueClient, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """With `AzureWebJobs.work.Disabled` the messages stay; by hand the function still runs."""
    monkeypatch.setenv("AzureWebJobs.work.Disabled", value)
    seen: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    stored.send_message(_base64("x"))
    client = serve(_app(stored.queue_name, lambda message: seen.put(message.get_body())), queues=_QUICK)
    with pytest.raises(queue.Empty):
        seen.get(timeout=1)
    assert client.ask("POST", "/admin/functions/work", body=b'{"input": "by hand"}').status == 202
    assert seen.get(timeout=_SECONDS) == b"by hand"
    assert _length(stored) == 1


def test_a_missing_queue_is_empty_until_it_is_there(serve: Serve, azurite: str, storage_name: str) -> None:
    """The queue need not be there at the start, and is not made."""
    seen: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    serve(_app(storage_name, lambda message: seen.put(message.get_body())), queues=_QUICK)
    with QueueClient.from_connection_string(azurite, storage_name) as client:
        time.sleep(0.5)
        assert not _exists(client)
        client.create_queue()
        client.send_message(_base64("late"))
    assert seen.get(timeout=_SECONDS) == b"late"


def test_a_function_can_be_run_at_once_with_the_key(serve: Serve, stored: QueueClient) -> None:
    """`POST /admin/functions/<name>` runs a queue's function with the given text, with the key only."""
    seen: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    client = serve(_app(stored.queue_name, lambda message: seen.put(message.get_body())))
    body = b'{"input": "by hand"}'
    assert client.ask("POST", "/admin/functions/work", body=body, key=None).status == 401
    assert client.ask("POST", "/admin/functions/work", body=b"[]").status == 400
    assert client.ask("POST", "/admin/functions/other", body=body).status == 404
    assert client.ask("POST", "/admin/functions/work", body=body).status == 202
    assert seen.get(timeout=_SECONDS) == b"by hand"


def test_settings_in_percent_signs_are_filled_in(
    serve: Serve, stored: QueueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue named `%SETTING%` is the one that the setting names."""
    monkeypatch.setenv("MY_QUEUE", stored.queue_name)
    seen: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    stored.send_message(_base64("x"))
    serve(_app("%MY_QUEUE%", lambda message: seen.put(message.get_body())))
    assert seen.get(timeout=_SECONDS) == b"x"
    with pytest.raises(CannotStart, match="NO_SUCH_SETTING"):
        serve(_app("%NO_SUCH_SETTING%", lambda _: None))


def test_a_connection_that_is_not_set_is_named() -> None:
    """A connection without settings, or with a broken one, stops the start and is named."""
    with pytest.raises(CannotStart, match="MY_STORAGE"):
        service("MY_STORAGE", {})
    with pytest.raises(CannotStart, match="MY_STORAGE"):
        service("MY_STORAGE", {"MY_STORAGE": "nonsense"})


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({"S": "UseDevelopmentStorage=true"}, "127.0.0.1:10001"),
        ({"S__queueServiceUri": "https://a.queue.core.usgovcloudapi.net"}, "a.queue.core.usgovcloudapi.net"),
        ({"S__accountName": "a", "S__clientId": "c"}, "a.queue.core.windows.net"),
        ({"AzureWebJobsS__accountName": "b"}, "b.queue.core.windows.net"),
    ],
)
def test_every_way_to_name_an_account_is_known(settings: dict[str, str], host: str) -> None:
    """A connection is a connection string, or an address or account that is reached with an identity."""
    with closing(service("S", settings)) as client:
        assert client.primary_hostname.startswith(host)


def _exists(client: QueueClient) -> bool:
    try:
        client.get_queue_properties()
    except ResourceNotFoundError:
        return False
    return True
