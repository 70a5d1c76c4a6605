"""Asks Graph to create the call of a start, once, and takes the call that comes of it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from calls.legs import CallFacts, Legs
from domain.call import CallKind
from domain.meeting import leg_key
from domain.start import Creating, InCall, StartStatus, Waiting, answered, ended, in_call
from flows.advice import advice_for_create_refusal
from flows.turn import utc_now
from graph.calls import MeetingCoordinates, MeetingId, Targets, create_body
from graph.errors import GraphError, OutcomeUnknown, Refused
from invite.refusals import answer_for_refusals, result_of_refusal
from invite.sending import Sent
from observability.events import Events

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from calls.progress import StartProgress
    from domain.start import Start
    from flows.turn import Turn
    from graph.calls import CallRead
    from storage.singles import HeldOne

_events = Events("calls")
_READ_SECONDS = 15.0


class Graph(Protocol):
    """What starting a call needs of Graph; see ``graph.client.GraphClient``."""

    def create(self, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> CallRead:
        """Start or join a call."""

    def hang_up(self, call_id: str, *, scenario_id: str) -> None:
        """Leave a call."""


class Creator:
    """Creates calls, and links each to its start.

    Args:
        graph: Microsoft Graph.
        starts: by which starts change.
        legs: by which calls are kept.
        public_base_url: of this app, for ``callbackUri``.
        tenant_id: the calls' tenant.
        client_id: the app's own id.
        now: the clock.
    """

    def __init__(
        self,
        graph: Graph,
        starts: StartProgress,
        legs: Legs,
        *,
        public_base_url: str,
        tenant_id: str,
        client_id: str,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._graph = graph
        self._starts = starts
        self._legs = legs
        self._base = public_base_url
        self._tenant_id = tenant_id
        self._client_id = client_id
        self._now = now

    def create(self, turn: Turn, held: HeldOne[Start], start: Start) -> Start:
        """Ask Graph once; a lost response leaves the start as it is, to be found by its first callback.

        Raises:
            ApiError: Graph refused it; the same key may start it again.
            StorageUnavailable: before Graph was asked.
        """
        uri = f"{self._base}/api/notifications?start={start.id}&attempt={start.attempt}"
        body = create_body(_target(start), callback_uri=uri, tenant_id=self._tenant_id, client_id=self._client_id)
        scenario_id = str(uuid.uuid4())
        _events.info("starting a call", start=start.id, attempt=start.attempt, scenario_id=scenario_id)
        try:
            read = self._graph.create(body, scenario_id=scenario_id, read_seconds=_READ_SECONDS)
        except OutcomeUnknown as error:
            return self._unknown(turn, held, start, error.code)
        except GraphError as error:
            self._refused(turn, held, start, error)
            raise answer_for_refusals([Sent(0, error=error)], advice_for_create_refusal) from None
        if read.id is None:
            return self._unknown(turn, held, start, None)
        return self.link(turn, start.id, start.attempt, read.id, read, held=held) or start

    def link(
        self,
        turn: Turn,
        start_id: str,
        attempt: int,
        call_id: str,
        read: CallRead | None,
        *,
        held: HeldOne[Start] | None = None,
    ) -> Start | None:
        """Take a call for the start and attempt that it was created for, from Graph's response or its first callback.

        A call of a start that has failed, was stopped or has another call is hung up at once.
        """

        def change(start: Start | None, now: datetime) -> Start | None:
            if start is None or start.attempt != attempt:
                return start
            is_first = isinstance(start.stage, Creating)
            is_mine = isinstance(start.stage, InCall) and start.stage.call_id == call_id
            # A meeting that is joined by its ID may have a leg under its thread, which Graph's response names.
            is_sole = read is not None or start.meeting is None or start.meeting.join_meeting_id is None
            return in_call(start, call_id, now, is_sole=is_sole) if is_first or is_mine else start

        start = self._starts.save(turn, start_id, change, held=held).after
        if start is None:
            return None  # forgotten long ago
        if start.call_id != call_id or (isinstance(start.stage, InCall) and not start.stage.owns):
            self.hang_up(call_id)
            return start
        return self._keep(turn, start, call_id, read)

    def hang_up(self, call_id: str) -> None:
        """Leave a call of which nothing is kept; what Graph answers is logged."""
        try:
            self._graph.hang_up(call_id, scenario_id=str(uuid.uuid4()))
        except Refused as error:
            _events.info("a call could not be left", status=error.status)
        except GraphError as error:
            _events.warning("a call could not be left", kind=type(error).__name__)

    def _keep(self, turn: Turn, start: Start, call_id: str, read: CallRead | None) -> Start:
        keys = self._legs.keys_of(start)
        thread = None if read is None or start.meeting is None else read.thread_id
        if thread is not None:
            key = leg_key(self._tenant_id, thread_id=thread)
            first = start.id if key in keys else self._legs.take(key, start.id)
            if first != start.id:
                # The same meeting under its other name has a leg already: the later leg is hung up.
                return self._give_way(turn, start, call_id, first)
            keys = (*keys, key)
        kind = CallKind.MEETING if start.meeting is not None else CallKind.ONE_TO_ONE
        kind = CallKind.GROUP if start.meeting is None and len(start.participants) > 1 else kind
        mine = None if read is None else read.my_participant_id
        self._legs.keep(turn, start, CallFacts(call_id, kind, mine, tuple(dict.fromkeys(keys))))
        return start

    def _give_way(self, turn: Turn, start: Start, call_id: str, first: str) -> Start:
        def change(current: Start | None, now: datetime) -> Start | None:
            if current is None or current.call_id != call_id or current.is_final:
                return current
            return replace(current, stage=Waiting(first), updated=now, look_at=now)

        self.hang_up(call_id)
        return self._starts.save(turn, start.id, change).after or start

    def _unknown(self, turn: Turn, held: HeldOne[Start], start: Start, code: str | None) -> Start:
        def change(current: Start | None, _: datetime) -> Start | None:
            return None if current is None else answered(current, turn.me, code)

        return self._starts.save(turn, start.id, change, held=held).after or start

    def _refused(self, turn: Turn, held: HeldOne[Start], start: Start, error: GraphError) -> None:
        result = result_of_refusal(error, advice_for_create_refusal)

        def change(current: Start | None, now: datetime) -> Start | None:
            if current is None:
                return None
            # The flow gets the refusal as its response, so it does not wait.
            return replace(ended(current, StartStatus.FAILED, result, now, may_repeat=True), flows=())

        self._starts.save(turn, start.id, change, held=held)
        self._legs.free(self._legs.keys_of(start), start.id)


def _target(start: Start) -> Targets | MeetingCoordinates | MeetingId:
    meeting = start.meeting
    if meeting is None:
        return Targets(start.participants, start.subject)
    if meeting.thread_id is not None:
        return MeetingCoordinates(
            thread_id=meeting.thread_id,
            organizer_id=meeting.organizer_id or "",
            message_id=meeting.message_id,
            reply_chain_message_id=meeting.reply_chain_message_id,
        )
    return MeetingId(meeting.join_meeting_id or "", meeting.passcode)
