"""Keeps calls alive that the app has created, and rejects incoming ones where that is set."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from domain.call import CallState
from domain.ending import apply_call_state
from domain.record import CallRecord, Needs
from graph.calls import reject_body
from graph.errors import GraphError, Refused
from observability.events import Events

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from calls.asking import CallReader
    from calls.ending import Endings
    from calls.legs import Legs
    from domain.call import Call
    from domain.invitation import Alarm
    from flows.alarms import Message
    from flows.progress import Progress
    from flows.turn import Turn
    from storage.store import Store

_events = Events("calls")
_AGAIN = timedelta(seconds=90)


class Graph(Protocol):
    """What keeping a call needs of Graph; see ``graph.client.GraphClient``."""

    def keep_alive(self, call_id: str, *, scenario_id: str) -> None:
        """Keep a call for another 45 minutes."""

    def reject(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str) -> None:
        """Reject an incoming call."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call as it was read for a message; see ``flows.work.Thing``."""

    call: Call

    @property
    def alarm_name(self) -> str:
        """The name of the message that the row names."""
        return self.call.alarm.name if self.call.alarm is not None else ""

    @property
    def is_open(self) -> bool:
        """Whether the call is to be kept alive."""
        return not self.call.has_ended and self.call.alarm is not None


class CallKeeper:
    """Keeps calls alive; see ``flows.work.Kind``."""

    def __init__(
        self,
        store: Store,
        progress: Progress,
        legs: Legs,
        graph: Graph,
        reader: CallReader,
        *,
        endings: Endings,
        public_base_url: str,
    ) -> None:
        self._store = store
        self._progress = progress
        self._legs = legs
        self._graph = graph
        self._reader = reader
        self._endings = endings
        self._callback_uri = f"{public_base_url}/api/notifications"

    def find(self, message: Message) -> OpenCall | None:
        """Read the call of a message; None where there is none."""
        call = self._store.read(message.call_id, Needs(call=True)).record.call
        if call is not None and call.has_ended:
            self._legs.unindex(call.call_id)  # the run that wrote its end may not have come so far
        return None if call is None else OpenCall(call)

    def advance(self, turn: Turn, message: Message, thing: OpenCall) -> None:
        """Ask Graph to keep the call; where Graph has it no longer, it is over as if that had been reported.

        Raises:
            StorageUnavailable: the message comes back.
        """
        if thing.alarm_name != message.alarm:
            return  # a message of an earlier plan
        if thing.call.leave_afterwards:
            # The run that found nothing open any more may have been killed, or Graph may have been busy.
            self._endings.leave_if_done(turn, message.call_id)
            left = self.find(message)
            if left is None or not left.is_open:
                return
        try:
            self._graph.keep_alive(message.call_id, scenario_id=str(uuid.uuid4()))
        except Refused as error:
            if error.status == HTTPStatus.NOT_FOUND:
                self._end(turn, message.call_id)
                return
            _events.warning("a call could not be kept alive", status=error.status, code=error.code)
            self._plan(turn, message, self._legs.next_alarm(message.call_id, after=_AGAIN))
        except GraphError as error:
            _events.warning("a call could not be kept alive", kind=type(error).__name__)
            self._plan(turn, message, self._legs.next_alarm(message.call_id, after=_AGAIN))
        else:
            self._plan(turn, message, self._legs.next_alarm(message.call_id))
            if thing.call.established_at is None:
                self._reader.read_call(turn, message.call_id, Needs(call=True, roster=True, open_invitations=True))

    def reject(self, call_id: str) -> None:
        """Reject an incoming call as busy; what Graph answers is logged."""
        try:
            self._graph.reject(call_id, reject_body(self._callback_uri), scenario_id=str(uuid.uuid4()))
        except GraphError as error:
            _events.warning("an incoming call could not be rejected", kind=type(error).__name__)

    def _plan(self, turn: Turn, message: Message, alarm: Alarm) -> None:
        def change(record: CallRecord, _: datetime) -> CallRecord:
            call = record.call
            if call is None or call.has_ended or call.alarm is None or call.alarm.name != message.alarm:
                return record
            return record.with_call(replace(call, alarm=alarm))

        self._progress.save(turn, message.call_id, Needs(call=True), change)

    def _end(self, turn: Turn, call_id: str) -> None:
        needs = Needs(call=True, roster=True, open_invitations=True)
        self._progress.save(
            turn, call_id, needs, lambda record, now: apply_call_state(record, CallState.TERMINATED, None, now)
        )
