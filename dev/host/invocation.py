"""Runs the app's functions: plain ones on a thread pool, ``async`` ones on a loop of their own."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import azure.functions as func

from dev.host.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from dev.host.app_model import Declared

_THREADS = 32


class _Storage(threading.local):
    invocation_id = ""


class _Context(func.Context):
    """What a function can ask about its own invocation."""

    def __init__(self, function_name: str) -> None:
        self._function_name = function_name
        self._invocation_id = str(uuid.uuid4())
        self._storage = _Storage()

    @property
    def invocation_id(self) -> str:
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        return self._storage

    @property
    def function_name(self) -> str:
        return self._function_name

    @property
    def function_directory(self) -> str:
        return str(os.getcwd())  # noqa: PTH109 - the contract says string

    @property
    def trace_context(self) -> Any:
        return None

    @property
    def retry_context(self) -> Any:
        return None


def thread_count() -> int:
    """Return how many plain functions may run at once: ``PYTHON_THREADPOOL_THREAD_COUNT``, else 32.

    Raises:
        CannotStart: The setting is not a positive whole number.
    """
    text = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", str(_THREADS))
    if not text.isdecimal() or int(text) < 1:
        raise CannotStart(f"PYTHON_THREADPOOL_THREAD_COUNT must be a positive whole number, not {text!r}.")
    return int(text)


class FunctionFailed(Exception):
    """A function raised; what it raised is this error's cause."""


class Invoker:
    """Runs functions until it is closed."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="function")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="async-functions", daemon=True)
        self._thread.start()
        self._running = 0
        self._changed = threading.Condition()

    def run(self, function: Declared, argument: Any) -> Any:
        """Run a function and return what it returns.

        Raises:
            FunctionFailed: It raised something.
        """
        try:
            return self._submit(function, argument).result()
        except Exception as error:
            raise FunctionFailed(function.name) from error

    def close(self, grace_seconds: float) -> bool:
        """Wait for the functions that are running, then stop; return whether all had ended in time."""
        deadline = time.monotonic() + grace_seconds
        with self._changed:
            all_ended = self._changed.wait_for(
                lambda: self._running == 0, timeout=max(0.0, deadline - time.monotonic())
            )
        self._pool.shutdown(wait=all_ended, cancel_futures=True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(1.0)
        if not self._thread.is_alive():
            self._loop.close()
        return all_ended

    def _submit(self, function: Declared, argument: Any) -> Future[Any]:
        arguments = {function.parameter: argument}
        if function.wants_context:
            arguments["context"] = _Context(function.name)
        with self._changed:
            self._running += 1
        try:
            if inspect.iscoroutinefunction(function.call):
                coroutine: Coroutine[Any, Any, Any] = function.call(**arguments)
                future: Future[Any] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
            else:
                future = self._pool.submit(function.call, **arguments)
        except BaseException:
            self._finished(None)
            raise
        future.add_done_callback(self._finished)
        return future

    def _finished(self, _: Future[Any] | None) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()
