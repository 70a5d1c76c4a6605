"""The body of a callback: the items in it, or a refusal that leaves a line in the log and counts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from observability import tracing
from observability.events import Events
from web.bodies import content_of
from web.errors import ApiError, BadRequest

if TYPE_CHECKING:
    from web.answers import Request

LARGEST_BODY = 4 * 1024 * 1024
_events = Events("notifications")
_HEADER = re.compile(r"[A-Za-z0-9 ,;=/+.*_-]{1,60}")


class _NotNotifications(BadRequest):
    """The body can be had, and is no notification."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__("NotNotifications", message)
        self.reason = reason


def items_of(request: Request) -> list[Any]:
    """Return the items of a callback.

    Raises:
        BadRequest: 400, it can't be read; Graph's report is lost, as the log says.
        TooLarge: 413.
    """
    try:
        return _items(content_of(request, LARGEST_BODY))
    except ApiError as error:
        reason = error.reason if isinstance(error, _NotNotifications) else error.code
        _events.error(
            "callback body refused",
            reason=reason,
            size=len(request.body),
            encoding=_header(request, "content-encoding"),
            transfer_encoding=_header(request, "transfer-encoding"),
            content_type=_header(request, "content-type"),
        )
        tracing.count("callback_bodies_refused", reason=reason)
        raise


def _items(content: bytes) -> list[Any]:
    if not content.strip():
        # The Functions host hands a body without Content-Length over as an empty one.
        message = "The body is empty. Send it with a Content-Length, and not in chunks."
        raise _NotNotifications("EmptyBody", message)
    try:
        envelope = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        message = "The body is not JSON in UTF-8."
        raise _NotNotifications("NotJson", message) from None
    items = envelope.get("value") if isinstance(envelope, dict) else None
    if not isinstance(items, list):
        message = 'The body is not a commsNotifications object: {"value": [...]}.'
        raise _NotNotifications("NoValue", message)
    return items


def _header(request: Request, name: str) -> str | None:
    value = request.headers.get(name)
    return value if value is None or _HEADER.fullmatch(value) else "other"
