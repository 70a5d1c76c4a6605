"""Runs the app's functions: ``async`` ones on one event loop, the others on a pool of threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import os
import re
import secrets
import sys
import threading
import time
import traceback
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar

import azure.functions as func

from dev.host.app_model import CONTEXT, Declared, HttpFunction
from dev.host.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Coroutine

_THREADS = "32"
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")
_thread_local = threading.local()
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The W3C trace context of one invocation, under both pairs of names that the worker gives it."""

    trace_parent: str
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def Traceparent(self) -> str:  # noqa: N802 - the worker's name
        """As ``trace_parent``."""
        return self.trace_parent

    @property
    def Tracestate(self) -> str:  # noqa: N802 - the worker's name
        """As ``trace_state``."""
        return self.trace_state

    @classmethod
    def within(cls, traceparent: str = "", tracestate: str = "") -> TraceContext:
        """Return a new span's context, in the trace of a request's headers where these name one."""
        found = _TRACEPARENT.fullmatch(traceparent.strip())
        trace, flags = found.groups() if found else (secrets.token_hex(16), "01")
        return cls(f"00-{trace}-{secrets.token_hex(8)}-{flags}", tracestate if found else "")


class _Context(func.Context):
    """What a function can ask about its own invocation."""

    def __init__(self, function_name: str, trace: TraceContext) -> None:
        self._function_name = function_name
        self._invocation_id = str(uuid.uuid4())
        self._trace = trace

    @property
    def invocation_id(self) -> str:
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        return _thread_local

    @property
    def function_name(self) -> str:
        return self._function_name

    @property
    def function_directory(self) -> str:
        return str(os.getcwd())  # noqa: PTH109 - the contract says string

    @property
    def trace_context(self) -> Any:
        return self._trace

    @property
    def retry_context(self) -> Any:
        return None


class _Invocation:
    """One run of a function; within the ``with`` block, whatever is raised is reported as the host would log it."""

    def __init__(self, function: Declared, argument: Any, trace: TraceContext | None) -> None:
        self.function = function
        self.context = _Context(function.name, trace or TraceContext.within())
        self.arguments = {function.parameter: argument}
        if function.wants_context:
            self.arguments[CONTEXT] = self.context

    def checked(self, result: Any) -> Any:
        """Return what the function returned, if the host takes it."""
        if result is not None and not isinstance(self.function, HttpFunction):
            raise RuntimeError("the function has no $return binding and returned a value")
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Write what the worker sends to the host: the texts of the exception and of all its causes.

        Not through ``logging``, whose records the app may change: the real host is another process, out of its reach.
        """
        if isinstance(error, Exception):
            stack = "".join(traceback.format_exception(error)).rstrip()
            sys.stderr.write(
                f"Executed 'Functions.{self.function.name}' (Failed, Id={self.context.invocation_id})\n"
                f"Result: Failure\nException: {type(error).__name__}: {error}\nStack: {stack}\n"
            )
            raise FunctionFailed(self.function.name) from None


class FunctionFailed(Exception):
    """A function raised, or returned what can't be sent to the host; the report is on standard error already."""


class Worker:
    """Runs functions until it is closed."""

    def __init__(self) -> None:
        """Start the event loop.

        Raises:
            CannotStart: ``PYTHON_THREADPOOL_THREAD_COUNT`` isn't a positive whole number.
        """
        threads = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", _THREADS)
        if not threads.isdecimal() or int(threads) < 1:
            raise CannotStart(f"PYTHON_THREADPOOL_THREAD_COUNT must be a positive whole number, not {threads!r}.")
        self._threads = threading.BoundedSemaphore(int(threads))
        self._pool = ThreadPoolExecutor(int(threads), thread_name_prefix="function")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="event-loop", daemon=True)
        self._thread.start()
        self._open: set[Future[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        """Run a coroutine on the event loop; from any thread."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        return future

    def run(self, function: Declared, argument: Any, trace: TraceContext | None = None) -> Any:
        """Run a function and wait for it; from any thread but the event loop's.

        A plain function runs on this very thread, once one of the worker's is free: to hand it over costs more than
        many a function does.

        Raises:
            FunctionFailed: It raised something, or returned a value that nothing takes.
        """
        if inspect.iscoroutinefunction(function.call):
            return self.spawn(self.invoke(function, argument, trace)).result()
        ended: Future[None] = Future()
        self._open.add(ended)
        try:
            return self._run_plain(_Invocation(function, argument, trace))
        finally:
            self._open.discard(ended)
            ended.set_result(None)

    async def invoke(self, function: Declared, argument: Any, trace: TraceContext | None = None) -> Any:
        """Run a function from the event loop, as ``run`` does."""
        invocation = _Invocation(function, argument, trace)
        if not inspect.iscoroutinefunction(function.call):
            return await self._loop.run_in_executor(self._pool, self._run_plain, invocation)
        with invocation:
            return invocation.checked(await function.call(**invocation.arguments))

    def _run_plain(self, invocation: _Invocation) -> Any:
        with self._threads, invocation:
            _thread_local.invocation_id = invocation.context.invocation_id
            try:
                return invocation.checked(invocation.function.call(**invocation.arguments))
            finally:
                _thread_local.invocation_id = None

    def close(self, grace_seconds: float) -> bool:
        """Wait for all that runs, then stop; return whether all of it ended in time."""
        deadline = time.monotonic() + grace_seconds
        while (left := self._open.copy()) and (seconds := deadline - time.monotonic()) > 0:
            concurrent.futures.wait(left, seconds)
        self._pool.shutdown(wait=not left, cancel_futures=True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        if not left:
            self._thread.join()
            self._loop.close()
        return not left
