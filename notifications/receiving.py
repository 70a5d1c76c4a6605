"""Receives a callback: who sent it, what it reports, and writing that down before it is acknowledged."""

from __future__ import annotations

import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from flows.duties import run_duties
from flows.turn import Turn
from graph.errors import KeysUnavailable
from notifications.applying import apply_reports, needs_of
from notifications.bodies import callback_of
from notifications.origin import Origin, is_bot_framework, origin_of
from notifications.payload import CallReport, IncomingCall
from notifications.token_rules import NotFromGraph, TokenKind
from observability import tracing
from observability.events import Events
from storage.budget import CALLBACK_SECONDS, budget
from web.answers import Answer
from web.errors import Unauthorized, Unavailable
from web.identifiers import request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from domain.record import CallRecord
    from flows.progress import Progress
    from notifications.payload import Report
    from notifications.token import TokenValidator
    from web.answers import Request

_events = Events("notifications")
# Every callback has such a token on the day that the calling service gets another id, so the log names it rarely.
_CALLER_SECONDS = 60.0


class Calls(Protocol):
    """What callbacks mean for calls that this app has created; handed in by the composition root."""

    def found(self, turn: Turn, start_id: str, attempt: int, call_id: str, thread_id: str | None) -> None:
        """Take a call that was reported for a start, and the thread of its meeting where that was reported, too."""

    def incoming(self, call_id: str) -> None:
        """Leave an incoming call alone, or reject it."""


class NotificationReceiver:
    """Answers Graph's callbacks: 202 when everything in them is written down and what follows was done."""

    def __init__(
        self,
        validator: TokenValidator,
        progress: Progress,
        calls: Calls,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._validator = validator
        self._progress = progress
        self._calls = calls
        self._clock = clock
        self._named_caller_at = float("-inf")

    def receive(self, request: Request) -> Answer:
        """Record what Graph reports, and act on what became known.

        Raises:
            Unauthorized: 401, it is not from Graph.
            BadRequest: 400, it can't be read.
            TooLarge: 413.
            Unavailable, StorageUnavailable: 503, so that Graph may send it again.
        """
        turn = Turn(request.arrived)
        kind = self._authorize(request)
        if is_bot_framework(request.body):
            return Answer(HTTPStatus.NO_CONTENT)
        callback = callback_of(request)
        origin = origin_of(request.query)
        with budget(CALLBACK_SECONDS):
            for call_id, reports in callback.by_call.items():
                self.record(turn, call_id, reports, origin)
            _events.info(
                "callback",
                kind=kind.value,
                items=callback.items,
                ignored=callback.ignored,
                calls=len(callback.by_call),
                message_id=request_id(request.headers.get("x-microsoft-skype-message-id")),
                scenario_id=request_id(request.headers.get("scenario-id")),
            )
            run_duties(turn)
        return Answer(HTTPStatus.ACCEPTED)

    def record(self, turn: Turn, call_id: str, reports: Sequence[Report], origin: Origin | None = None) -> None:
        """Write down what was reported of one call.

        Args:
            turn: the request; gets the duties that follow.
            call_id: the call.
            reports: what is reported of it, in order.
            origin: the start that the callback's URL names.

        Raises:
            StorageUnavailable: not all of it may be written.
        """

        def apply(record: CallRecord, now: datetime) -> CallRecord:
            return apply_reports(record, reports, now)

        if all(isinstance(report, IncomingCall) for report in reports):
            self._calls.incoming(call_id)  # another bot may forward it: such a call has no row
            return
        updated = self._progress.save(turn, call_id, needs_of(reports), apply)
        call = updated.after.call
        if origin is not None and (call is None or call.start_id is None):
            threads = (report.thread_id for report in reports if isinstance(report, CallReport))
            thread_id = next(filter(None, threads), None)
            found = partial(self._calls.found, turn, origin.start_id, origin.attempt, call_id, thread_id)
            turn.note(f"found {call_id}", found)

    def _authorize(self, request: Request) -> TokenKind:
        try:
            kind = self._validator.validate(request.headers.get("authorization"))
        except NotFromGraph as error:
            _events.warning("callback refused", reason=error.reason)
            tracing.count("callbacks_refused", reason=error.reason)
            self._name_caller(error.caller)
            message = "This URL accepts callbacks of Microsoft Graph only, with Graph's own token."
            raise Unauthorized("NotFromGraph", message) from None
        except KeysUnavailable:
            _events.warning("the keys of callbacks can't be read")
            message = "The keys that sign Graph's callbacks can't be read for now. Send it again."
            raise Unavailable("KeysUnavailable", message) from None
        tracing.count("callbacks_accepted", kind=kind.value)
        return kind

    def _name_caller(self, caller: str | None) -> None:
        if caller is not None and self._clock() - self._named_caller_at >= _CALLER_SECONDS:
            self._named_caller_at = self._clock()
            _events.warning("callback of another app refused", caller_id=caller, setting="CALLBACK_CALLER_IDS")
