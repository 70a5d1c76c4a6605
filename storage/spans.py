"""One span for each request to storage; OpenTelemetry's API does nothing where no SDK is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_tracer = trace.get_tracer("call_invites")


def span(name: str, system: str) -> AbstractContextManager[trace.Span]:
    """Time one request.

    Args:
        name: what is done, in few words that never vary (``table write``).
        system: ``microsoft.tables`` or ``microsoft.queues``, which Application Insights shows as the type.
    """
    # The text of an exception may hold a URL, so spans get its class alone.
    return _tracer.start_as_current_span(
        name,
        kind=trace.SpanKind.CLIENT,
        attributes={"db.system.name": system, "db.operation.name": name},
        record_exception=False,
        set_status_on_exception=False,
    )


def failed(current: trace.Span, kind: str) -> None:
    """Note that a request failed; ``kind`` is the exception's class or storage's code."""
    current.set_status(trace.Status(trace.StatusCode.ERROR))
    current.set_attribute("error.type", kind)
