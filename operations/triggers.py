"""What the app does without being asked over HTTP: a message on a queue, a time of night."""

from __future__ import annotations

import json
from typing import Any

import bootstrap
import telemetry

_events = telemetry.Events("triggers")


def check_invitation(message: bytes) -> None:
    """Look after an invitation; an error brings the message back."""
    body = _message(message, "checks")
    if body is not None:
        bootstrap.app().watchdog.handle(body)


def deliver_outcome(message: bytes) -> None:
    """Tell a flow its outcome; an error brings the message back."""
    body = _message(message, "outcomes")
    if body is not None:
        bootstrap.app().outcomes.deliver(body)


def forget_old_calls() -> None:
    """Remove what is kept of calls that ended long ago."""
    bootstrap.app().retention.forget_old_calls()


def _message(message: bytes, queue: str) -> dict[str, Any] | None:
    try:
        body = json.loads(message)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        _events.error(f"a message on the queue of {queue} is not a JSON object and is dropped")
        return None
    return body
