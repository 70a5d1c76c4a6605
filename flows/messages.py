"""The edge between the Functions library and what runs without an HTTP request: queue messages and timers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from observability import telemetry

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
_events = telemetry.Events("triggers")


class MessageEdge(Generic[A]):
    """Runs a lazily built app's handlers; an exception makes the host deliver the message again.

    Args:
        build: returns the process's app; raises ``SettingsError`` where the settings can't be used.
    """

    def __init__(self, build: Callable[[], A]) -> None:
        self._build = build

    def handle(self, message: bytes, handler: Callable[[A, dict[str, Any]], None]) -> None:
        """Pass a message's JSON object to a handler; anything else is logged and dropped."""
        try:
            body = json.loads(message)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            _events.error("a queue message is not a JSON object and is dropped")
            return
        handler(self._build(), body)

    def run(self, task: Callable[[A], object]) -> None:
        """Run a timer's task."""
        task(self._build())
