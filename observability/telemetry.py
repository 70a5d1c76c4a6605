"""What the app tells those who operate it: events as log lines, and, where the host asks for it, spans and metrics.

Events always go to the log, as ``what key=value …``. Spans and metrics go to OpenTelemetry's API, and only where the
Functions worker was told to set OpenTelemetry up (``PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY``, or
``PYTHON_ENABLE_OPENTELEMETRY`` where other code does); else nothing of it is imported and each call here costs next
to nothing.

Whoever calls this passes counts, states and ids that name nobody: a call goes by its hash. Log lines and what comes
with them pass the app's net besides (``observability.redaction``); spans and metrics don't.
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    Value = str | int | float | bool

SWITCHES = ("PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY", "PYTHON_ENABLE_OPENTELEMETRY")
"""The worker's settings: Azure Monitor's distribution with the first, a provider of the deployer's with the second."""
_ON = ("1", "true", "t", "yes", "y")  # as the worker reads its switches
_NAME = "call_invites"
# An invitation rings for about a minute; the watchdog gives up after 15.
_SECONDS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 900.0, 1800.0)
# They record whole addresses: a flow's signed one, Graph's with the call's id, storage's with both.
_RECORDERS = {"requests": "RequestsInstrumentor", "urllib3": "URLLib3Instrumentor", "urllib": "URLLibInstrumentor"}


class Events:
    """The events of one part of the app, each a line of the log."""

    def __init__(self, part: str) -> None:
        self._log = logging.getLogger(f"{_NAME}.{part}")

    def info(self, what: str, **values: object) -> None:
        """Tell what happened; names are written with dashes (``request_id`` becomes ``request-id``)."""
        self._tell(logging.INFO, what, values)

    def warning(self, what: str, **values: object) -> None:
        """Tell what an operator may want to look at."""
        self._tell(logging.WARNING, what, values)

    def error(self, what: str, **values: object) -> None:
        """Tell what an operator must look at."""
        self._tell(logging.ERROR, what, values)

    def exception(self, what: str, **values: object) -> None:
        """Tell what an operator must look at, with the trace of the exception that is being handled."""
        self._tell(logging.ERROR, what, values, exc_info=True)

    def _tell(self, level: int, what: str, values: Mapping[str, object], *, exc_info: bool = False) -> None:
        if not self._log.isEnabledFor(level):
            return
        named = {name.replace("_", "-"): "-" if value is None else value for name, value in values.items()}
        line = " ".join([what, *(f"{name}=%({name})s" for name in named)])
        # A mapping stands for named arguments: where telemetry is on, each becomes an attribute of the record.
        self._log.log(level, line, *([named] if named else []), exc_info=exc_info, stacklevel=3)


class Spans:
    """The process's spans, which do nothing until ``start``."""

    def __init__(self) -> None:
        self._tracer: Any = None
        self._kinds: Any = None
        self._failed: Any = None

    def use(self, trace: Any) -> None:
        """Make spans with OpenTelemetry's module ``trace`` from now on."""
        self._kinds, self._failed = trace.SpanKind, trace.Status(trace.StatusCode.ERROR)
        self._tracer = trace.get_tracer(_NAME)

    def span(self, name: str, system: str, **attributes: Value) -> AbstractContextManager[Span]:
        """Time one request to another service, or a piece of work of the app's own.

        Args:
            name: what is done, in few words that never vary (``graph invite``).
            system: the service that is asked, as ``db.system.name``: it is what Application Insights shows as type.
            attributes: what else is known beforehand.
        """
        if self._tracer is None:
            return _NO_SPAN
        return self._recording(name, {"db.system.name": system, "db.operation.name": name, **attributes})

    @contextmanager
    def _recording(self, name: str, attributes: Mapping[str, Value]) -> Iterator[Span]:
        # An exception's text may hold an address, so it is told by its kind alone.
        with self._tracer.start_as_current_span(
            name,
            kind=self._kinds.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as started:
            span = Span(started, self._failed)
            try:
                yield span
            except Exception as error:
                span.failed(type(error).__name__)
                raise


class Span:
    """A span under way, or none at all."""

    def __init__(self, started: Any = None, failed: Any = None) -> None:
        self._started = started
        self._failed = failed

    def note(self, attributes: Mapping[str, Value | None]) -> None:
        """Add what became known; None is left out."""
        if self._started is not None:
            self._started.set_attributes({name: value for name, value in attributes.items() if value is not None})

    def failed(self, kind: str) -> None:
        """Note that what was asked for was not had; ``kind`` is the error's class or code."""
        if self._started is not None:
            self._started.set_status(self._failed)
            self._started.set_attribute("error.type", kind)


class Metrics:
    """The process's metrics, which do nothing until ``start``."""

    def __init__(self) -> None:
        self._instruments: dict[str, Any] = {}

    def use(self, metrics: Any) -> None:
        """Make the instruments with OpenTelemetry's module ``metrics``."""
        meter = metrics.get_meter(_NAME)
        self._instruments = {
            "invitations": meter.create_counter(
                f"{_NAME}.invitations", description="Invitations that got their outcome, by status and who decided"
            ),
            "time_to_outcome": meter.create_histogram(
                f"{_NAME}.time_to_outcome",
                unit="s",
                description="From asking Graph to the outcome",
                explicit_bucket_boundaries_advisory=_SECONDS,
            ),
            "callbacks_accepted": meter.create_counter(
                f"{_NAME}.callbacks_accepted", description="Callbacks from Graph, by the kind of their token"
            ),
            "callbacks_refused": meter.create_counter(
                f"{_NAME}.callbacks_refused", description="Callbacks that were not from Graph, by reason"
            ),
            "watchdog_conclusions": meter.create_counter(
                f"{_NAME}.watchdog_conclusions", description="Outcomes that the watchdog had to find, by status"
            ),
            "deliveries": meter.create_counter(
                f"{_NAME}.deliveries", description="Outcomes sent to flows, by what became of it"
            ),
        }

    def count(self, name: str, **attributes: Value) -> None:
        """Add one to a counter."""
        if self._instruments:
            self._instruments[name].add(1, attributes)

    def record(self, name: str, value: float, **attributes: Value) -> None:
        """Add a value to a histogram."""
        if self._instruments:
            self._instruments[name].record(value, attributes)


_NO_SPAN = nullcontext(Span())
_spans = Spans()
_metrics = Metrics()
span = _spans.span
count = _metrics.count
record = _metrics.record


def start(environment: Mapping[str, str]) -> bool:
    """Make spans and metrics where the worker was told to set OpenTelemetry up; tell whether it was.

    Called once, before the first request. A host without OpenTelemetry's packages goes on without.
    """
    if not any(environment.get(name, "").strip().casefold() in _ON for name in SWITCHES):
        return False
    try:
        # Imported only here: without telemetry nobody should wait for it.
        from opentelemetry import metrics, trace  # noqa: PLC0415
    except ImportError:
        Events("telemetry").warning("opentelemetry is switched on but not installed")
        return False
    _silence_recorders()
    _spans.use(trace)
    _metrics.use(metrics)
    return True


def _silence_recorders() -> None:
    """Take the automatic instrumentations off that record addresses, since the app's own spans say what is needed.

    ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`` keeps them from being put on at all and is the better way; this is for a
    deployment that forgets it.
    """
    for library, name in _RECORDERS.items():
        module = sys.modules.get(f"opentelemetry.instrumentation.{library}")
        if module is not None and (recorder := getattr(module, name)()).is_instrumented_by_opentelemetry:
            recorder.uninstrument()
    from azure.core.settings import settings  # noqa: PLC0415

    settings.tracing_enabled = False
