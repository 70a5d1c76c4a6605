"""The body of a callback: the reports in it, or a refusal that leaves a line in the log and counts."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from notifications.payload import DeltaReport, Report, RosterReport, reports_of
from observability import tracing
from observability.events import Events
from web.bodies import content_of
from web.errors import ApiError, BadRequest, TooLarge

if TYPE_CHECKING:
    from web.answers import Request

LARGEST_BODY = 4 * 1024 * 1024
# Graph sends a few. A roster costs a look at everybody whom those before it have named.
_MOST_ITEMS = 10_000
_MOST_REPORTS = 1_000
_MOST_ROSTERS = 250
_MOST_LOOKS = 250_000
_events = Events("notifications")
_HEADER = re.compile(r"[A-Za-z0-9 ,;=/+.*_-]{1,60}")


class _NotNotifications(BadRequest):
    """The body can be had, and is no notification."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__("NotNotifications", message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Callback:
    """What a callback reports."""

    by_call: dict[str, list[Report]]
    """The reports of each call, in their order."""
    items: int
    ignored: int
    """Items of which the app needs nothing."""


def callback_of(request: Request) -> Callback:
    """Return what a callback reports.

    Raises:
        BadRequest: 400, it can't be read; Graph's report is lost, as the log says.
        TooLarge: 413, it has too many bytes or reports.
    """
    try:
        return _callback(_items(content_of(request, LARGEST_BODY)))
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


def _callback(items: list[Any]) -> Callback:
    by_call: dict[str, list[Report]] = {}
    people: Counter[str] = Counter()
    ignored = reports = rosters = looks = 0
    if len(items) > _MOST_ITEMS:
        raise _too_many()
    for item in items:
        found = _reports(item)
        ignored += not found
        reports += len(found)
        for report in found:
            by_call.setdefault(report.call_id, []).append(report)
            if isinstance(report, RosterReport | DeltaReport):
                rosters += 1
                people[report.call_id] += len(report.roster.people)
                looks += people[report.call_id]
        if reports > _MOST_REPORTS or rosters > _MOST_ROSTERS or looks > _MOST_LOOKS:
            raise _too_many()
    return Callback(by_call, len(items), ignored)


def _too_many() -> TooLarge:
    message = "The callback has more reports than Graph sends at once. Send them in several."
    return TooLarge("TooManyReports", message)


def _reports(item: object) -> list[Report]:
    """Read one item; whatever it holds, its neighbours are read all the same."""
    try:
        return list(reports_of(item))
    except Exception:  # noqa: BLE001 - nothing that Graph may send is a 500
        _events.exception("an item of a callback could not be read and is left alone")
        return []


def _header(request: Request, name: str) -> str | None:
    value = request.headers.get(name)
    return value if value is None or _HEADER.fullmatch(value) else "other"
