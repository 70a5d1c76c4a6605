"""Starts: a flow's request to join a meeting or to start a call, answered and repeated without a second call."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from calls.begun import Begun, in_hand
from calls.following import needs_of
from domain.contexts import invitation_id
from domain.escalation import StopWhen
from domain.invitation import Alarm, KeyKind
from domain.meeting import key_of as meeting_key
from domain.start import Accepted, Over, Start, StartStatus, accepted, is_asking
from domain.waiting import LISTENS_AFTER
from escalation.service import step_form
from flows.duties import run_duties
from flows.links import new_token
from flows.turn import utc_now
from invite.key import comparable, key_of
from invite.subscription import FlowRequest, run_id_in, subscribed
from observability.events import Events
from storage.errors import StorageError, StorageUnavailable
from storage.singles import HeldOne
from web.errors import ApiError, KeyReused
from web.identifiers import flow_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from calls.advancing import Advancer
    from calls.creating import Creator
    from calls.progress import StartProgress
    from domain.escalation import Step
    from domain.invitation import Invitee
    from domain.meeting import Meeting
    from domain.record import CallRecord
    from flows.turn import Turn
    from invite.key import Key
    from storage.store import Store

_events = Events("calls")
_MOST_ATTEMPTS = 100
_SCOPE = "start"


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a flow asks for."""

    participants: tuple[Invitee, ...]
    meeting: Meeting | None = None
    separately: bool = True
    leave_afterwards: bool = False
    subject: str | None = None
    client_context: str | None = None
    steps: tuple[Step, ...] = ()
    stop_when: StopWhen = StopWhen.ANYONE_JOINS
    repeat: int = 0

    def fingerprint(self, tenant_id: str) -> str:
        """Return a hash of what is asked for; the meeting counts by its key."""
        steps = step_form(self.steps, self.stop_when, self.repeat) if self.steps else []
        text = json.dumps(
            [
                [comparable(invitee) for invitee in self.participants],
                None if self.meeting is None else [meeting_key(self.meeting, tenant_id), self.meeting.passcode],
                self.separately,
                self.leave_afterwards,
                self.subject,
                *steps,
            ],
            sort_keys=True,
        )
        return hashlib.sha256(text.encode()).hexdigest()


class StartService:
    """Issues starts and answers repeats of them.

    Args:
        store: where calls are.
        starts: by which starts change.
        creator: asks Graph for the call.
        advancer: what follows once the call is there.
        tenant_id: the calls' tenant.
        give_up_seconds: how long a create of which nothing is heard is waited for.
        now: the clock.
    """

    def __init__(
        self,
        store: Store,
        starts: StartProgress,
        creator: Creator,
        advancer: Advancer,
        *,
        tenant_id: str,
        give_up_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._starts = starts
        self._creator = creator
        self._advancer = advancer
        self._tenant_id = tenant_id
        self._give_up = timedelta(seconds=give_up_seconds)
        self._now = now

    def start(
        self, turn: Turn, request: StartRequest, headers: Mapping[str, str], *, callback_url: str | None = None
    ) -> Begun:
        """Join a meeting or start a call, or return what became of it if this was asked before.

        Args:
            turn: the request.
            request: what is asked for.
            headers: the request's, by name in lower case.
            callback_url: where a flow waits for the outcome.

        Raises:
            KeyReused: the same explicit key came with another body.
            ApiError: Graph refused it.
            StorageUnavailable: no person was called.
        """
        turn.flow_run_id = flow_run_id(headers.get("x-ms-workflow-run-id"))
        key = replace(
            key_of(request.client_context, headers, request.participants),
            fingerprint=request.fingerprint(self._tenant_id),
        )
        flow = None
        if callback_url is not None:
            flow = FlowRequest(callback_url, run_id_in(headers))
            # The flow listens after its 201 only, so this request notifies no flow itself.
            turn.may_post = False
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            draft = self._draft(turn, request, key, attempt)
            held, start = self._insert(turn, draft, flow)
            if start.token == draft.token:
                return self._go_on(turn, held, start, flow)
            _refuse_other_body(key, start)
            if not (key.kind is KeyKind.FLOW and _has_failed(start)):
                return self._again(turn, held, start, flow)
        raise StorageUnavailable

    def conclude(self, turn: Turn, start_id: str) -> None:
        """Write down an outcome that a poll returns already."""
        self._advancer.conclude(turn, start_id)

    def read(self, start_id: str) -> tuple[Start | None, CallRecord | None]:
        """Read a start and its call: at most two requests."""
        start = self._starts.read(start_id)
        return start, None if start is None else self.record_of(start)

    def record_of(self, start: Start) -> CallRecord | None:
        """Read the call of a start with the invitation that followed; None where there is no call yet."""
        if start.call_id is None:
            return None
        return self._store.read(start.call_id, needs_of(start)).record

    def _draft(self, turn: Turn, request: StartRequest, key: Key, attempt: int) -> Start:
        now = self._now()
        context = key.client_context(_SCOPE, attempt)
        draft = Start(
            id=invitation_id(f"{_SCOPE}|{context}"),
            client_context=context,
            key_kind=key.kind,
            fingerprint=key.fingerprint,
            participants=request.participants,
            stage=Accepted(),
            created=now,
            updated=now,
            token=new_token(),
            alarm=Alarm("", now + self._give_up),
            look_at=now + self._give_up,
            meeting=request.meeting,
            subject=request.subject,
            separately=request.separately,
            leave_afterwards=request.leave_afterwards,
            steps=request.steps,
            stop_when=request.stop_when,
            repeat=request.repeat,
        )
        return accepted(draft, turn.me, now, give_up=now + self._give_up)

    def _insert(self, turn: Turn, draft: Start, flow: FlowRequest | None) -> tuple[HeldOne[Start], Start]:
        def insert(start: Start | None, now: datetime) -> Start:
            if start is not None:
                return start
            if flow is None:
                return draft
            # The time at which the flow listens is written before its 201; a crash before leaves it to the alarm.
            return replace(draft, flows=subscribed((), flow, now, draft.look_at))

        updated = self._starts.save(turn, draft.id, insert, held=HeldOne(None))
        return updated.held, updated.after or draft

    def _again(self, turn: Turn, held: HeldOne[Start], found: Start, flow: FlowRequest | None) -> Begun:
        """Answer a repeat: subscribe its flow, and start again what Graph refused."""

        def repeat(start: Start | None, now: datetime) -> Start | None:
            if start is None:
                return None
            if isinstance(start.stage, Over) and start.stage.may_repeat:
                start = accepted(replace(start, attempt=start.attempt + 1), turn.me, now, give_up=now + self._give_up)
            if flow is not None:
                begins = is_asking(start, turn.me) or isinstance(start.stage, Accepted)
                listens = start.look_at if begins else now + LISTENS_AFTER
                start = replace(start, flows=subscribed(start.flows, flow, now, listens))
            return start

        updated = self._starts.save(turn, found.id, repeat, held=held)
        start = updated.after or found
        if is_asking(start, turn.me) or isinstance(start.stage, Accepted):
            return self._go_on(turn, updated.held, start, flow)
        run_duties(turn)
        return Begun(start, self.record_of(start))

    def _go_on(self, turn: Turn, held: HeldOne[Start], start: Start, flow: FlowRequest | None) -> Begun:
        """Ask Graph for the call, and go on with what is known already.

        Raises:
            ApiError: Graph refused it.
            StorageUnavailable: Graph was not asked.
        """
        try:
            begun = self._creator.begin(turn, held, start, flow)
        except ApiError:
            run_duties(turn)
            raise
        try:
            if begun.is_new:
                run_duties(turn)
                return begun
            turn.taken.add(f"start {start.id}")  # what is learnt on the way, it acts on itself
            begun = self._advancer.go_on(turn, begun)
            run_duties(turn)
            return self._as_left(turn, begun)
        except StorageError as error:
            # Graph was asked: what is due is left to the alarm.
            _events.warning("a start is left to its alarm", start=start.id, kind=type(error).__name__)
            return begun

    def _as_left(self, turn: Turn, begun: Begun) -> Begun:
        start = begun.start
        record = None if begun.held is None or start.call_id is None else in_hand(turn, start, start.call_id)
        if record is not None:
            return Begun(start, record)
        after, record = self.read(start.id)
        return Begun(after or start, record)


def _has_failed(start: Start) -> bool:
    """Return whether an action of a flow that runs again starts anew: a flow's loop does, after a failure."""
    return isinstance(start.stage, Over) and start.stage.status is StartStatus.FAILED


def _refuse_other_body(key: Key, found: Start) -> None:
    if key.fingerprint == found.fingerprint:
        return
    message = "This key was used before for another start. Use a new key for a new start, or send the same body again."
    target = "clientContext" if key.kind is KeyKind.CLIENT_CONTEXT else key.kind.value
    raise KeyReused("KeyReused", message, target=target)
