"""Spans and metrics through OpenTelemetry's API, which does nothing until the Functions worker sets up its SDK.

The API adds 5 ms of processor time to an import that takes 500 ms; a span without the SDK costs 4 µs.

Spans and metrics are not redacted: callers pass counts, states, and ids that name no person.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Protocol

from opentelemetry import context as contexts
from opentelemetry import metrics, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Value = str | int | float | bool

SWITCHES = ("PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY", "PYTHON_ENABLE_OPENTELEMETRY")
"""The worker's settings: with the first it sets up Azure Monitor's distribution, with the second other code does."""
_ON = ("1", "true", "t", "yes", "y")  # as the worker reads its switches
_NAME = "call_invites"
# An invitation rings for about a minute; the watchdog gives up after 15.
_SECONDS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 900.0, 1800.0)
# They record whole URLs: a flow's signed one, Graph's with the call's id, storage's with both.
_RECORDERS = {"requests": "RequestsInstrumentor", "urllib3": "URLLib3Instrumentor", "urllib": "URLLibInstrumentor"}

_tracer = trace.get_tracer(_NAME)
_meter = metrics.get_meter(_NAME)
_propagator = TraceContextTextMapPropagator()


class Span:
    """A span in progress."""

    def __init__(self, started: trace.Span) -> None:
        self._started = started

    def note(self, attributes: Mapping[str, Value | None]) -> None:
        """Add attributes; None is left out."""
        self._started.set_attributes({name: value for name, value in attributes.items() if value is not None})

    def failed(self, kind: str) -> None:
        """Mark the span as failed; ``kind`` is the error's class or code."""
        self._started.set_status(trace.StatusCode.ERROR)
        self._started.set_attribute("error.type", kind)


@contextmanager
def span(name: str, system: str, **attributes: Value) -> Iterator[Span]:
    """Time one request to another service. An exception is recorded by its class only: its text may hold a URL.

    Args:
        name: the request in a few words that never vary (``graph invite``).
        system: the service, as ``db.system.name``: Application Insights shows it as the dependency's type.
        attributes: what else is known before the request.
    """
    with _tracer.start_as_current_span(
        name,
        kind=trace.SpanKind.CLIENT,
        attributes={"db.system.name": system, "db.operation.name": name, **attributes},
        record_exception=False,
        set_status_on_exception=False,
    ) as started:
        made = Span(started)
        try:
            yield made
        except Exception as error:
            made.failed(type(error).__name__)
            raise


def count(name: str, **attributes: Value) -> None:
    """Add one to the counter ``call_invites.<name>``."""
    _counter(name).add(1, attributes)


def record(name: str, seconds: float, **attributes: Value) -> None:
    """Add a time to the histogram ``call_invites.<name>``."""
    _histogram(name).record(seconds, attributes)


@cache
def _counter(name: str) -> metrics.Counter:
    return _meter.create_counter(f"{_NAME}.{name}")


@cache
def _histogram(name: str) -> metrics.Histogram:
    return _meter.create_histogram(f"{_NAME}.{name}", unit="s", explicit_bucket_boundaries_advisory=_SECONDS)


class TraceContext(Protocol):
    """The host's trace of one invocation, in the form of https://www.w3.org/TR/trace-context/."""

    @property
    def trace_parent(self) -> str: ...  # noqa: D102
    @property
    def trace_state(self) -> str: ...  # noqa: D102


class Invocation(Protocol):
    """The part of ``azure.functions.Context`` that is used here."""

    @property
    def trace_context(self) -> TraceContext: ...  # noqa: D102


@contextmanager
def within(invocation: Invocation) -> Iterator[None]:
    """Make the host's span the parent of all spans and log records of the block.

    From azure-functions-runtime 1.3.0 on, a synchronous function runs in a thread that doesn't inherit the worker's
    trace context (``loop.run_in_executor`` copies none); each of its spans would begin a trace of its own.
    """
    given = invocation.trace_context
    carrier = {"traceparent": given.trace_parent or "", "tracestate": given.trace_state or ""}
    token = contexts.attach(_propagator.extract(carrier))
    try:
        yield
    finally:
        contexts.detach(token)


def start(environment: Mapping[str, str]) -> bool:
    """Return whether the settings switch the SDK on, and prepare for it; called before the first request."""
    if not any(environment.get(name, "").strip().casefold() in _ON for name in SWITCHES):
        return False
    _remove_recorders()
    return True


def _remove_recorders() -> None:
    """Uninstall the automatic instrumentations that record URLs; the app's own spans have what is needed.

    ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`` prevents their installation and is the better way; this is for a
    deployment without it.
    """
    for library, name in _RECORDERS.items():
        module = sys.modules.get(f"opentelemetry.instrumentation.{library}")
        if module is not None and (recorder := getattr(module, name)()).is_instrumented_by_opentelemetry:
            recorder.uninstrument()
    azure = sys.modules.get("azure.core.settings")
    if azure is not None:
        azure.settings.tracing_enabled = False
