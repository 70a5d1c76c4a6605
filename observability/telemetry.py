"""Names of before, for modules that import them from here: see ``events`` and ``tracing``."""

from observability.events import Events
from observability.tracing import SWITCHES, Span, count, record, span, start

__all__ = ["SWITCHES", "Events", "Span", "count", "record", "span", "start"]
