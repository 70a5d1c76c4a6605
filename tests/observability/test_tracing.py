"""Spans, metrics and the host's trace context, with OpenTelemetry's SDK in memory."""

from __future__ import annotations

import inspect
import threading
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest
from azure.core.settings import settings as azure
from opentelemetry import trace
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import app
import function_app
from domain.configuration.callers import SignIn
from observability import tracing
from web.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@dataclass(frozen=True)
class Given:
    """A trace context as the worker passes it on."""

    trace_parent: str
    trace_state: str = ""


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """The app's spans, kept in memory."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("call_invites"))
    yield exporter
    provider.shutdown()


def one(exporter: InMemorySpanExporter) -> ReadableSpan:
    """The only span there is."""
    (span,) = exporter.get_finished_spans()
    return span


def test_span(spans: InMemorySpanExporter) -> None:
    """Name, system, ids and status have OpenTelemetry's names."""
    with tracing.span("graph invite", "microsoft.graph", call="abc") as span:
        span.note({"status": 429, "nothing": None})
        span.failed("429")
    made = one(spans)
    assert (made.name, made.kind, made.status.is_ok) == ("graph invite", trace.SpanKind.CLIENT, False)
    assert dict(made.attributes or {}) == {
        "db.system.name": "microsoft.graph",
        "db.operation.name": "graph invite",
        "call": "abc",
        "status": 429,
        "error.type": "429",
    }


def test_span_of_a_failure(spans: InMemorySpanExporter) -> None:
    """An exception is recorded by its class only, and goes on to its caller."""
    with pytest.raises(OSError, match="secret"), tracing.span("x", "y"):
        raise OSError("https://host/?sig=secret")
    assert "secret" not in one(spans).to_json()
    assert (one(spans).attributes or {})["error.type"] == "OSError"


def test_within(spans: InMemorySpanExporter) -> None:
    """In a thread that inherits nothing, spans belong to the host's trace, and after the block no longer."""

    def handler() -> None:
        with tracing.within(SimpleNamespace(trace_context=Given(f"00-{TRACE}-{PARENT}-01"))), tracing.span("a", "x"):
            pass
        with tracing.span("b", "x"):
            pass

    thread = threading.Thread(target=handler)
    thread.start()
    thread.join()
    inside, outside = spans.get_finished_spans()
    assert inside.parent is not None
    assert (f"{inside.context.trace_id:032x}", f"{inside.parent.span_id:016x}") == (TRACE, PARENT)
    assert outside.parent is None


@pytest.mark.parametrize("parent", ["", None, "00-0-0-00", "nonsense"])
def test_within_nothing(spans: InMemorySpanExporter, parent: Any) -> None:
    """A host that gives no usable trace context gets spans all the same."""
    with tracing.within(SimpleNamespace(trace_context=Given(parent, parent))), tracing.span("a", "x"):
        pass
    assert one(spans).parent is None


def test_functions_run_within(spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each function hands the host's trace on: those of HTTP through the edge, the others through ``triggered``."""
    context: Any = SimpleNamespace(trace_context=Given(f"00-{TRACE}-{PARENT}-01"))
    monkeypatch.setattr(app.edge, "_build", lambda: SimpleNamespace(settings=SimpleNamespace(sign_in=SignIn())))

    def use_case(_: Any, __: Any) -> Answer:
        with tracing.span("http", "x"):
            return Answer(HTTPStatus.OK, {})

    request = func.HttpRequest("GET", "https://app.example/api/calls", body=b"")
    assert app.edge.keyed(request, context, use_case).status_code == 200
    assert app.edge.answer(request, context, use_case).status_code == 200
    with app.triggered(context), tracing.span("queue", "x"):
        pass
    made = spans.get_finished_spans()
    assert [span.name for span in made] == ["http", "http", "queue"]
    assert {f"{span.parent.span_id:016x}" for span in made if span.parent is not None} == {PARENT}
    assert {f"{span.context.trace_id:032x}" for span in made} == {TRACE}
    each = inspect.getsource(function_app).split("\n@app.")[1:]
    passes = ("(req, context, ", "edge.about(req, context)", "edge.health(context, ", "with triggered(context):")
    assert [one.partition("(")[0] for one in each if not any(way in one for way in passes)] == []


def test_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters and times have the app's prefix, and buckets that fit a minute's ringing."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(tracing, "_meter", provider.get_meter("call_invites"))
    monkeypatch.setattr(tracing, "_counter", cache(tracing._counter.__wrapped__))
    monkeypatch.setattr(tracing, "_histogram", cache(tracing._histogram.__wrapped__))
    for _ in range(2):
        tracing.count("invitations", status="failed")
    tracing.record("time_to_outcome", 61.0, status="completed")
    found: Any = reader.get_metrics_data()
    points = {each.name: each.data.data_points[0] for each in found.resource_metrics[0].scope_metrics[0].metrics}
    provider.shutdown()
    assert (points["call_invites.invitations"].value, points["call_invites.invitations"].attributes) == (
        2,
        {"status": "failed"},
    )
    assert 60.0 in points["call_invites.time_to_outcome"].explicit_bounds


@pytest.mark.parametrize("environment", [{}, {"PYTHON_ENABLE_OPENTELEMETRY": "false"}, {tracing.SWITCHES[0]: "0"}])
def test_switched_off(environment: dict[str, str]) -> None:
    """Without the worker's switches everything can be called and nothing happens."""
    assert not tracing.start(environment)
    with tracing.span("x", "y") as span:
        span.note({"a": 1})
        span.failed("b")
    tracing.count("invitations", status="failed")
    tracing.record("time_to_outcome", 1.0)


def test_switched_on() -> None:
    """The automatic instrumentations that record URLs, tokens included, are removed."""
    azure.tracing_enabled = True
    RequestsInstrumentor().instrument()
    try:
        assert tracing.start({"PYTHON_ENABLE_OPENTELEMETRY": "True"})
        assert not RequestsInstrumentor().is_instrumented_by_opentelemetry
        assert not azure.tracing_enabled()
    finally:
        azure.tracing_enabled.unset_value()
