"""Receiving a callback: who sent it, what it says, and writing that down before it is acknowledged."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from graph.errors import KeysUnavailable
from notifications.payload import Report, reports_of
from notifications.token_rules import NotFromGraph, TokenKind
from observability import telemetry
from web.answers import Answer
from web.errors import ApiError, BadRequest, TooLarge, Unavailable
from web.identifiers import request_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from notifications.applying import Applying
    from notifications.token import TokenValidator
    from web.answers import Request

_events = telemetry.Events("notifications")
LARGEST_BODY = 4 * 1024 * 1024
# Every callback has such a token on the day that the calling service gets another id, so the log names it rarely.
_CALLER_SECONDS = 60.0


class Unauthorized(ApiError):
    """The callback carries no token that Graph would send."""

    status = HTTPStatus.UNAUTHORIZED
    headers: ClassVar = {"WWW-Authenticate": "Bearer"}


class Receiving:
    """Answers Graph's callbacks: 202 when everything in them is written down."""

    def __init__(
        self, validator: TokenValidator, applying: Applying, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._validator = validator
        self._applying = applying
        self._clock = clock
        self._named_caller_at = float("-inf")

    def receive(self, request: Request) -> Answer:
        """Record what Graph reports.

        Raises:
            Unauthorized: 401, it is not from Graph.
            BadRequest: 400, it can't be read.
            TooLarge: 413.
            Unavailable: 503, so that Graph may send again.
        """
        kind = self._authorize(request)
        items = _items(request.body)
        by_call: dict[str, list[Report]] = {}
        ignored = 0
        for item in items:
            reports = _reports(item)
            ignored += not reports
            for report in reports:
                by_call.setdefault(report.call_id, []).append(report)
        for call_id, reports in by_call.items():
            self._applying.apply(call_id, reports)
        _events.info(
            "callback",
            kind=kind.value,
            items=len(items),
            ignored=ignored,
            calls=len(by_call),
            message_id=request_id(request.headers.get("x-microsoft-skype-message-id")),
            scenario_id=request_id(request.headers.get("scenario-id")),
        )
        return Answer(HTTPStatus.ACCEPTED)

    def _authorize(self, request: Request) -> TokenKind:
        try:
            kind = self._validator.validate(request.headers.get("authorization"))
        except NotFromGraph as error:
            _events.warning("callback refused", reason=error.reason)
            telemetry.count("callbacks_refused", reason=error.reason)
            self._name_caller(error.caller)
            message = "This URL accepts callbacks of Microsoft Graph only, with Graph's own token."
            raise Unauthorized("NotFromGraph", message) from None
        except KeysUnavailable:
            message = "The keys that sign Graph's callbacks can't be read for now. Send it again."
            raise Unavailable("KeysUnavailable", message) from None
        telemetry.count("callbacks_accepted", kind=kind.value)
        return kind

    def _name_caller(self, caller: str | None) -> None:
        if caller is not None and self._clock() - self._named_caller_at >= _CALLER_SECONDS:
            self._named_caller_at = self._clock()
            _events.warning("callback of another app refused", caller_id=caller, setting="CALLBACK_CALLER_IDS")


def _items(body: bytes) -> list[Any]:
    if len(body) > LARGEST_BODY:
        message = "The body is larger than 4 MiB."
        raise TooLarge("BodyTooLarge", message)
    try:
        envelope = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        envelope = None
    items = envelope.get("value") if isinstance(envelope, dict) else None
    if not isinstance(items, list):
        message = 'The body is not a commsNotifications object: {"value": [...]}.'
        raise BadRequest("NotNotifications", message)
    return items


def _reports(item: object) -> list[Report]:
    """Read one item; whatever is odd about it, its neighbours are read all the same."""
    try:
        return list(reports_of(item))
    except Exception:  # noqa: BLE001 - promised for whatever Graph may send
        _events.exception("an item of a callback could not be read and is left alone")
        return []
