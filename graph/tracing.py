"""Spans of the requests to Graph and Entra ID, by OpenTelemetry's API: without a provider they do nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace

if TYPE_CHECKING:
    from collections.abc import Iterator

_tracer = trace.get_tracer("call_invites")


@contextmanager
def request_span(name: str, system: str, **attributes: str) -> Iterator[trace.Span]:
    """Time one request.

    Args:
        name: what is requested, in a few words that never vary (``graph invite``).
        system: ``db.system.name``, which Application Insights shows as the dependency's type.
        attributes: what else is known beforehand; nothing that names a person or a call.
    """
    # An exception's text may hold a URL, so only its class is recorded.
    with _tracer.start_as_current_span(
        name,
        kind=trace.SpanKind.CLIENT,
        attributes={"db.system.name": system, "db.operation.name": name, **attributes},
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            mark_failed(span, type(error).__name__)
            raise


def mark_failed(span: trace.Span, kind: str) -> None:
    """Mark a span as failed; ``kind`` is the error's class or the response's status."""
    span.set_status(trace.Status(trace.StatusCode.ERROR))
    span.set_attribute("error.type", kind)
