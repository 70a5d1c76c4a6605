"""Asks Graph to create the call of a start, once, and takes the call that comes of it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from calls.begun import Begun
from calls.legs import CallFacts, Legs
from calls.sharing import SharedCalls, has_leg, is_stray, is_usable
from domain.asking import asker
from domain.call import CallKind
from domain.meeting import leg_key
from domain.start import (
    Accepted,
    Creating,
    InCall,
    StartStatus,
    Waiting,
    answered,
    begins,
    ended,
    in_call,
    is_asking,
    leaving,
    listening,
)
from flows.advice import advice_for_create_refusal
from flows.turn import utc_now
from graph.calls import MeetingCoordinates, MeetingId, Targets, create_body
from graph.errors import GraphError, OutcomeUnknown
from invite.refusals import answer_for_refusals, result_of_refusal
from invite.sending import Sent
from observability.events import Events
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from calls.progress import StartProgress
    from domain.start import Start
    from flows.turn import Turn
    from graph.calls import CallRead
    from invite.subscription import FlowRequest
    from storage.singles import HeldOne

_events = Events("calls")
_READ_SECONDS = 15.0


class Graph(Protocol):
    """What starting a call needs of Graph; see ``graph.client.GraphClient``."""

    def create(self, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> CallRead:
        """Start or join a call."""


class Creator:
    """Creates calls, and links each to its start.

    Args:
        graph: Microsoft Graph.
        starts: by which starts change.
        legs: by which calls are kept.
        shared: the calls that several starts use.
        public_base_url: of this app, for ``callbackUri``.
        tenant_id: the calls' tenant.
        client_id: the app's own id.
        give_up_seconds: for how long a create without a response is waited for.
        now: the clock.
    """

    def __init__(
        self,
        graph: Graph,
        starts: StartProgress,
        legs: Legs,
        shared: SharedCalls,
        *,
        public_base_url: str,
        tenant_id: str,
        client_id: str,
        give_up_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._graph = graph
        self._starts = starts
        self._legs = legs
        self._shared = shared
        self._base = public_base_url
        self._tenant_id = tenant_id
        self._client_id = client_id
        self._now = now
        self.give_up = timedelta(seconds=give_up_seconds)
        self.advance: Callable[[Turn, str], None] | None = None
        """Takes a start as far as it can go; set by the composition root, since that asks Graph for calls as well."""
        self.leave: Callable[[Turn, Start], None] | None = None
        """Leaves the calls that a start no longer wants; set by the composition root, since others then begin."""
        self.leave_if_done: Callable[[Turn, str], None] | None = None
        """Leaves a call on which nothing is open any more."""

    def begin(self, turn: Turn, held: HeldOne[Start], start: Start, flow: FlowRequest | None = None) -> Begun:
        """Ask Graph for the call of an accepted start, or wait for the start that has the meeting's leg.

        Any run may go on with an accepted start; the write before Graph is asked decides which one asks.

        Args:
            turn: who acts.
            held: the start's row.
            start: as it stands.
            flow: the flow that waits and whose request this is.

        Raises:
            ApiError: Graph refused it; the same key may start it again.
            StorageUnavailable: Graph was not asked.
        """
        if isinstance(start.stage, Accepted):
            leader = self._legs.reserve(start, waits=False)
            if leader not in (None, start.id):
                other, call = self._shared.find(leader or "", start)
                used = (
                    self._shared.use(turn, start, call, held) if call is not None and is_usable(other, call) else None
                )
                if used is not None:
                    return used
                leader = self._legs.reserve(start)

            def change(current: Start | None, now: datetime) -> Start | None:
                if current is None:
                    return None
                after = begins(current, turn.me, leader, now)
                return listening(after, turn.may_post, now) if isinstance(after.stage, Waiting) else after

            updated = self._starts.save(turn, start.id, change, held=held)
            held, start = updated.held, updated.after or start
        return self.create(turn, held, start, flow) if is_asking(start, turn.me) else Begun(start)

    def create(self, turn: Turn, held: HeldOne[Start], start: Start, flow: FlowRequest | None = None) -> Begun:
        """Ask Graph once; a lost response leaves the start as it is, to be found by its first callback.

        Raises:
            ApiError: Graph refused it; the same key may start it again.
        """
        uri = f"{self._base}/api/notifications?start={start.id}&attempt={start.attempt}"
        body = create_body(_target(start), callback_uri=uri, tenant_id=self._tenant_id, client_id=self._client_id)
        scenario_id = str(uuid.uuid4())
        known = {"start": start.id, "attempt": start.attempt, "scenario_id": scenario_id}
        _events.info("starting a call", **known, flow_run_id=turn.flow_run_id, by=asker())
        read, refusal, code = None, None, None
        try:
            read = self._graph.create(body, scenario_id=scenario_id, read_seconds=_READ_SECONDS)
        except OutcomeUnknown as error:
            code = error.code
        except GraphError as error:
            refusal = error
        try:
            if refusal is not None:
                self._refused(turn, held, start, refusal, flow)
            elif read is not None and read.id is not None:
                return self.link(turn, start.id, start.attempt, read.id, read, held=held, known=start) or Begun(start)
            else:
                return Begun(self._unknown(turn, held, start, code))
        except StorageError as error:
            # Graph was asked: the flow must not be answered "try again". A callback or the alarm finds the start.
            _events.warning("Graph's response could not be written", start=start.id, kind=type(error).__name__)
        if refusal is not None:
            raise answer_for_refusals(
                [Sent(0, error=refusal)], advice_for_create_refusal, undone="no call was started"
            ) from None
        return Begun(start)

    def link(
        self,
        turn: Turn,
        start_id: str,
        attempt: int,
        call_id: str,
        read: CallRead | None,
        *,
        held: HeldOne[Start] | None = None,
        known: Start | None = None,
    ) -> Begun | None:
        """Take a call for the start and attempt that it was created for, from Graph's response or its first callback.

        A call of a start that has failed, was stopped or has another call is noted as to be left. So is one in a
        meeting in which the app has a leg already, under the meeting's other name: the start uses that one.
        """
        thread = self._other_key(known, read)
        # Before the start's row names the call, so that a crash in between does not lose the thread.
        leader = start_id if thread is None or known is None else self._leader(thread, known)

        def change(start: Start | None, now: datetime) -> Start | None:
            if start is None:
                return None
            is_open = isinstance(start.stage, Creating) or (
                isinstance(start.stage, InCall) and start.call_id == call_id
            )
            if start.attempt == attempt and is_open and leader != start_id:
                start = replace(start, stage=Waiting(leader), updated=now, look_at=now)
            elif start.attempt == attempt and is_open:
                # A meeting that is joined by its ID may have a leg under its thread, which Graph's response names.
                is_sole = read is not None or start.meeting is None or start.meeting.join_meeting_id is None
                start = in_call(start, call_id, now, is_sole=is_sole)
            if is_stray(start, call_id):
                start = leaving(start, [call_id], now)
            return listening(start, turn.may_post, now)

        updated = self._starts.save(turn, start_id, change, held=held)
        start = updated.after
        if start is None:
            return None
        if is_stray(start, call_id):
            if self.leave is not None and updated.before is not None and call_id not in updated.before.to_leave:
                self.leave(turn, start)
            if updated.before is not None and isinstance(updated.before.stage, InCall):
                self._keep_keys(start)
            return Begun(start)
        facts = self._facts(start, call_id, read, thread)
        return Begun(start, self._legs.keep(turn, start, facts), updated.held)

    def _keep_keys(self, start: Start) -> None:
        """Have a start that now uses another leg stand for its meeting's name also where its own leg had ended."""
        if isinstance(start.stage, Waiting):
            for key in self._legs.keys_of(start):
                self._legs.take(key, start.id, waits=False)

    def _other_key(self, start: Start | None, read: CallRead | None) -> str | None:
        """Return the key of a start's meeting under its thread, where the start names it otherwise."""
        keys = () if start is None else self._legs.keys_of(start)
        if not keys or read is None or read.thread_id is None:
            return None
        key = leg_key(self._tenant_id, thread_id=read.thread_id)
        return None if key in keys else key

    def _leader(self, thread: str, start: Start) -> str:
        """Take the leg of a meeting's thread; return which start has it."""
        leader = self._legs.take(thread, start.id)
        if leader != start.id and not has_leg(*self._shared.find(leader, start)):
            leader = self._legs.take(thread, start.id, instead_of=leader)
        return leader

    def _facts(self, start: Start, call_id: str, read: CallRead | None, thread: str | None) -> CallFacts:
        keys = (*self._legs.keys_of(start), *([] if thread is None else [thread]))
        kind = CallKind.MEETING if start.meeting is not None else CallKind.ONE_TO_ONE
        kind = CallKind.GROUP if start.meeting is None and len(start.participants) > 1 else kind
        mine = None if read is None else read.my_participant_id
        return CallFacts(call_id, kind, mine, keys)

    def _unknown(self, turn: Turn, held: HeldOne[Start], start: Start, code: str | None) -> Start:
        def change(current: Start | None, now: datetime) -> Start | None:
            return None if current is None else listening(answered(current, turn.me, code), turn.may_post, now)

        return self._starts.save(turn, start.id, change, held=held).after or start

    def _refused(
        self, turn: Turn, held: HeldOne[Start], start: Start, error: GraphError, flow: FlowRequest | None
    ) -> None:
        result = result_of_refusal(error, advice_for_create_refusal)

        def change(current: Start | None, now: datetime) -> Start | None:
            if current is None or not is_asking(current, turn.me):
                return current
            current = ended(current, StartStatus.FAILED, result, now, may_repeat=True)
            # The flow whose request this is gets the refusal as its response, so it does not wait.
            flows = tuple(one for one in current.flows if flow is None or one.run_id != flow.run_id)
            return replace(current, flows=flows)

        self._starts.save(turn, start.id, change, held=held)
        self.free(turn, start)
        self._legs.note(start)

    def free(self, turn: Turn, start: Start) -> None:
        """Give up the leg of a start that has no call; who waits for it goes on in this turn."""
        for waiting in self._legs.free(self._legs.keys_of(start), start.id):
            if self.advance is not None:
                turn.note(f"start {waiting}", partial(self.advance, turn, waiting))
        call = self._shared.unused(turn, start)
        if call is not None and self.leave_if_done is not None:
            turn.note(f"leave {call.call_id}", partial(self.leave_if_done, turn, call.call_id))


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
