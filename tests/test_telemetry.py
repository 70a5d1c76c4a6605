"""Events, spans and metrics, with OpenTelemetry's real library in memory."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from observability import telemetry
from observability.redaction import Net

if TYPE_CHECKING:
    from collections.abc import Iterator

PERSON = "278405a3-f568-4b3e-b684-009193463064"
REQUEST = "5fca7b02-2e24-4f28-8551-7c0938b2312e"
events = telemetry.Events("test")


@pytest.fixture
def spans() -> Iterator[tuple[telemetry.Spans, InMemorySpanExporter]]:
    """Spans that are kept in memory."""
    exporter, provider, made = InMemorySpanExporter(), TracerProvider(), telemetry.Spans()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    made.use(
        SimpleNamespace(
            get_tracer=provider.get_tracer,
            SpanKind=trace.SpanKind,
            Status=trace.Status,
            StatusCode=trace.StatusCode,
        )
    )
    yield made, exporter
    provider.shutdown()


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Iterator[Net]:
    """The app's net under the log, keeping named values."""
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    made = Net()
    made.keep_values()
    logging.setLogRecordFactory(made)
    yield made
    logging.setLogRecordFactory(before)


def test_an_event_is_a_line_that_can_be_searched(caplog: pytest.LogCaptureFixture) -> None:
    """Names have dashes, and what is not known is a dash too, so that every line of a kind has the same form."""
    with caplog.at_level(logging.INFO):
        events.info("graph invite", call="abc", status=200, request_id=None)
        events.warning("100% odd")
    assert caplog.messages == ["graph invite call=abc status=200 request-id=-", "100% odd"]
    assert {record.name for record in caplog.records} == {"call_invites.test"}
    assert {record.funcName for record in caplog.records} == {test_an_event_is_a_line_that_can_be_searched.__name__}


def test_values_become_dimensions_as_clean_as_the_line(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    """What OpenTelemetry sends beside the line holds no more of anybody than the line does."""
    with caplog.at_level(logging.INFO):
        events.info("x", count=3, request_id=REQUEST, who=PERSON, number="+4915112345678")
    (record,) = caplog.records
    assert {name: vars(record)[name] for name in ("count", "request-id", "who", "number")} == {
        "count": 3,
        "request-id": REQUEST,
        "who": "[id]",
        "number": "[number]",
    }
    assert record.getMessage() == f"x count=3 request-id={REQUEST} who=[id] number=[number]"


def test_what_other_libraries_add_to_a_record_is_cleaned(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever comes with ``extra``, after the line was made, holds no more of anybody either."""
    caplog.handler.addFilter(net.clean_extras)
    try:
        with caplog.at_level(logging.INFO):
            logging.getLogger("other").info("x", extra={"url": "https://h/?sig=secret", "who": 4915112345678, "n": 3})
            events.info("y", request_id=REQUEST)
    finally:
        caplog.handler.removeFilter(net.clean_extras)
    other, ours = caplog.records
    assert (vars(other)["url"], vars(other)["n"]) == ("https://h/?sig=[secret]", 3)
    assert vars(ours)["request-id"] == REQUEST


def test_the_trace_of_an_exception_goes_along_clean(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    """An unforeseen fault arrives with its kind and its trace, and without what its text says of people."""
    try:
        int(f"of {PERSON}")
    except ValueError:
        events.exception("unforeseen")
    (record,) = caplog.records
    assert vars(record)["exception.type"] == "ValueError"
    assert "test_telemetry.py" in vars(record)["exception.stacktrace"]
    assert "of [id]" in vars(record)["exception.stacktrace"]
    assert PERSON not in str(vars(record))


def test_without_telemetry_values_stay_in_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain log is not weighed down with what nobody reads."""
    monkeypatch.setattr(logging, "getLogRecordFactory", lambda: logging.LogRecord)
    record = Net()("call_invites.test", logging.INFO, "x.py", 1, "x count=%(count)s", ({"count": 3},), None)
    assert record.getMessage() == "x count=3"
    assert not hasattr(record, "count")


def test_a_span_tells_what_was_asked_and_what_came_of_it(
    spans: tuple[telemetry.Spans, InMemorySpanExporter],
) -> None:
    """Name, system, ids and status are there, by OpenTelemetry's names."""
    made, exporter = spans
    with made.span("graph invite", "microsoft.graph", call="abc") as span:
        span.note({"status": 429, "request-id": REQUEST, "nothing": None})
        span.failed("429")
    (one,) = exporter.get_finished_spans()
    assert (one.name, one.kind, one.status.is_ok) == ("graph invite", trace.SpanKind.CLIENT, False)
    assert dict(one.attributes or {}) == {
        "db.system.name": "microsoft.graph",
        "db.operation.name": "graph invite",
        "call": "abc",
        "status": 429,
        "request-id": REQUEST,
        "error.type": "429",
    }


def test_an_error_within_a_span_is_told_by_its_kind_alone(
    spans: tuple[telemetry.Spans, InMemorySpanExporter],
) -> None:
    """An exception's text may hold an address; it goes on to whoever handles it and nowhere else."""
    made, exporter = spans
    with pytest.raises(OSError, match="secret"), made.span("x", "y"):
        raise OSError("https://host/?sig=secret")
    (one,) = exporter.get_finished_spans()
    assert "secret" not in one.to_json()
    assert (one.attributes or {})["error.type"] == "OSError"


def test_metrics_are_counted_by_their_attributes() -> None:
    """Each instrument takes what the app counts, with seconds in buckets that fit a minute's ringing."""
    reader = InMemoryMetricReader()
    provider, made = MeterProvider([reader]), telemetry.Metrics()
    made.use(SimpleNamespace(get_meter=provider.get_meter))
    for name in ("invitations", "callbacks_refused", "watchdog_conclusions", "deliveries"):
        made.count(name, status="failed")
    made.record("time_to_outcome", 61.0, status="completed")
    found: Any = reader.get_metrics_data()
    points = {one.name: one.data.data_points[0] for one in found.resource_metrics[0].scope_metrics[0].metrics}
    provider.shutdown()
    assert {name: point.value for name, point in points.items() if hasattr(point, "value")} == {
        "call_invites.invitations": 1,
        "call_invites.callbacks_refused": 1,
        "call_invites.watchdog_conclusions": 1,
        "call_invites.deliveries": 1,
    }
    assert 60.0 in points["call_invites.time_to_outcome"].explicit_bounds


@pytest.mark.parametrize("environment", [{}, {"PYTHON_ENABLE_OPENTELEMETRY": "false"}, {telemetry.SWITCHES[0]: "0"}])
def test_where_it_is_not_switched_on_nothing_is_recorded(environment: dict[str, str]) -> None:
    """Spans and metrics cost a look at a variable."""
    assert not telemetry.start(environment)
    with telemetry.span("x", "y") as span:
        span.note({"a": 1})
        span.failed("b")
    telemetry.count("invitations", status="failed")


def test_switched_on_it_takes_off_what_records_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The automatic instrumentation of requests would send whole addresses, tokens included."""
    from azure.core.settings import settings  # noqa: PLC0415

    for name, kind in (("_spans", telemetry.Spans), ("_metrics", telemetry.Metrics)):
        monkeypatch.setattr(telemetry, name, kind())
    settings.tracing_enabled = True
    RequestsInstrumentor().instrument()
    try:
        assert telemetry.start({"PYTHON_ENABLE_OPENTELEMETRY": "True"})
        assert not RequestsInstrumentor().is_instrumented_by_opentelemetry
        assert not settings.tracing_enabled()
    finally:
        settings.tracing_enabled.unset_value()


def test_a_host_without_opentelemetry_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The switch without the package is said in the log, and the app works."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert not telemetry.start({"PYTHON_ENABLE_OPENTELEMETRY": "1"})
    assert caplog.messages == ["opentelemetry is switched on but not installed"]
