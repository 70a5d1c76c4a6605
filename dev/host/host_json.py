"""What the local host takes from ``host.json``, with the defaults of the real one.

https://learn.microsoft.com/azure/azure-functions/functions-host-json
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, cast

from dev.host.errors import CannotStart

if TYPE_CHECKING:
    from pathlib import Path

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """``extensions.queues``; times in seconds."""

    message_encoding: Literal["base64", "none"] = "base64"
    max_polling_interval: float = 60.0
    visibility_timeout: float = 0.0
    batch_size: int = 16
    new_batch_threshold: int | None = None
    """More messages are fetched when so few are being worked on; None is half of ``batch_size``."""
    max_dequeue_count: int = 5


@dataclass(frozen=True, slots=True)
class HostOptions:
    """The parts of ``host.json`` that matter here."""

    route_prefix: str = "api"
    queues: QueueOptions = QueueOptions()


def read(file: Path) -> HostOptions:
    """Read ``host.json``.

    Raises:
        CannotStart: It is not there, or says something that the real host would refuse.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CannotStart(f"{file} cannot be read ({error.strerror}): start in the folder of the app.") from error
    except ValueError as error:
        raise CannotStart(f"{file} is not JSON: {error}") from error
    try:
        extensions = content.get("extensions", {})
        prefix = str(extensions.get("http", {}).get("routePrefix", "api"))
        return HostOptions(prefix.strip("/"), _queues(extensions.get("queues", {})))
    except (AttributeError, TypeError, ValueError) as error:
        raise CannotStart(f"{file}: {error}") from error


def seconds(time_span: str) -> float:
    """Return the seconds of a .NET time span, ``[days.]hh:mm:ss``.

    Raises:
        ValueError: It is none.
    """
    found = _TIME_SPAN.fullmatch(time_span)
    if found is None:
        raise ValueError(f"{time_span!r} is not a time span such as 00:00:30")
    days, hours, minutes, rest = found.groups(default="0")
    return ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + float(rest)


def _queues(content: dict[str, Any]) -> QueueOptions:
    known: dict[str, Any] = {}
    for field in fields(QueueOptions):
        first, *others = field.name.split("_")
        value = content.get(first + "".join(map(str.capitalize, others)))
        if value is not None:
            known[field.name] = value
    for name in ("max_polling_interval", "visibility_timeout"):
        if name in known:
            known[name] = seconds(known[name])
    for name in ("batch_size", "new_batch_threshold", "max_dequeue_count"):
        if name in known and (not isinstance(known[name], int) or known[name] < (name != "new_batch_threshold")):
            raise ValueError(f"extensions.queues: {name} must be a positive whole number")
    encoding = known.get("message_encoding", "base64")
    if encoding not in {"base64", "none"}:
        raise ValueError("extensions.queues.messageEncoding must be base64 or none")
    most = 32
    if known.get("batch_size", 0) > most:
        raise ValueError(f"extensions.queues.batchSize is at most {most}")
    return QueueOptions(**cast("Any", known))
