"""Starts: a flow's request to join a meeting or to start a call, answered and repeated without a second call."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.contexts import invitation_id
from domain.invitation import Alarm, KeyKind
from domain.meeting import key_of as meeting_key
from domain.record import CallRecord, Needs
from domain.start import Creating, Over, Start, Waiting, creating
from domain.waiting import LISTENS_AFTER
from flows.duties import run_duties
from flows.links import new_token
from flows.turn import utc_now
from invite.key import comparable, key_of
from invite.subscription import FlowRequest, run_id_in, subscribed
from observability.events import Events
from storage.errors import StorageUnavailable
from storage.singles import HeldOne
from web.errors import KeyReused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from calls.advancing import Advancer
    from calls.creating import Creator
    from calls.legs import Legs
    from calls.progress import StartProgress
    from domain.invitation import Invitee
    from domain.meeting import Meeting
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

    def fingerprint(self, tenant_id: str) -> str:
        """Return a hash of what is asked for; the meeting counts by its key."""
        text = json.dumps(
            [
                [comparable(invitee) for invitee in self.participants],
                None if self.meeting is None else meeting_key(self.meeting, tenant_id),
                self.separately,
                self.leave_afterwards,
                self.subject,
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
        legs: one leg per meeting.
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
        legs: Legs,
        advancer: Advancer,
        *,
        tenant_id: str,
        give_up_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._starts = starts
        self._creator = creator
        self._legs = legs
        self._advancer = advancer
        self._tenant_id = tenant_id
        self._give_up = timedelta(seconds=give_up_seconds)
        self._now = now

    def start(
        self, turn: Turn, request: StartRequest, headers: Mapping[str, str], *, callback_url: str | None = None
    ) -> Start:
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
            if isinstance(start.stage, Creating) and start.stage.by == turn.me and not start.stage.answered:
                return self._finished(turn, self._begin(turn, held, start), flow)
            if key.fingerprint != start.fingerprint:
                message = (
                    "This key was used before for another start. Use a new key for a new start, or send the same "
                    "body again."
                )
                target = "clientContext" if key.kind is KeyKind.CLIENT_CONTEXT else key.kind.value
                raise KeyReused("KeyReused", message, target=target)
            was_refused = isinstance(start.stage, Over) and start.stage.may_repeat
            if not was_refused or key.kind is not KeyKind.FLOW:
                return self._again(turn, held, start, flow)
        raise StorageUnavailable

    def read(self, start_id: str) -> tuple[Start | None, CallRecord | None]:
        """Read a start and its call: at most two requests."""
        start = self._starts.read(start_id)
        return start, None if start is None else self.record_of(start)

    def record_of(self, start: Start) -> CallRecord | None:
        """Read the call of a start with the invitation that followed; None where there is no call yet."""
        if start.call_id is None:
            return None
        needs = Needs(invitations=frozenset({invitation_id(start.invitation_context)}), call=True)
        return self._store.read(start.call_id, needs).record

    def _draft(self, turn: Turn, request: StartRequest, key: Key, attempt: int) -> Start:
        now = self._now()
        context = key.client_context(_SCOPE, attempt)
        return Start(
            id=invitation_id(f"{_SCOPE}|{context}"),
            client_context=context,
            key_kind=key.kind,
            fingerprint=key.fingerprint,
            participants=request.participants,
            stage=Creating(turn.me, now),
            created=now,
            updated=now,
            token=new_token(),
            alarm=Alarm("", now + self._give_up),
            look_at=now + self._give_up,
            meeting=request.meeting,
            subject=request.subject,
            separately=request.separately,
            leave_afterwards=request.leave_afterwards,
        )

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

    def _begin(self, turn: Turn, held: HeldOne[Start], start: Start) -> Start:
        """Ask Graph, or wait for the start that has the meeting's leg."""
        first = self._legs.reserve(start)
        if first is None or first == start.id:
            return self._creator.create(turn, held, start)

        def wait(current: Start | None, now: datetime) -> Start | None:
            if current is None or not isinstance(current.stage, Creating):
                return current
            return replace(current, stage=Waiting(first), updated=now, look_at=now + timedelta(seconds=10))

        return self._starts.save(turn, start.id, wait, held=held).after or start

    def _again(self, turn: Turn, held: HeldOne[Start], found: Start, flow: FlowRequest | None) -> Start:
        """Answer a repeat: subscribe its flow, and start again what Graph refused."""

        def repeat(start: Start | None, now: datetime) -> Start | None:
            if start is None:
                return None
            if isinstance(start.stage, Over) and start.stage.may_repeat:
                start = creating(replace(start, attempt=start.attempt + 1), turn.me, now, give_up=now + self._give_up)
            if flow is not None:
                is_mine = isinstance(start.stage, Creating) and start.stage.by == turn.me
                listens = start.look_at if is_mine else now + LISTENS_AFTER
                start = replace(start, flows=subscribed(start.flows, flow, now, listens))
            return start

        updated = self._starts.save(turn, found.id, repeat, held=held)
        start = updated.after or found
        if isinstance(start.stage, Creating) and start.stage.by == turn.me and not start.stage.answered:
            return self._finished(turn, self._begin(turn, updated.held, start), flow)
        run_duties(turn)
        return start

    def _finished(self, turn: Turn, start: Start, flow: FlowRequest | None) -> Start:
        """Go on with what is known already, and note from when on the flow listens."""
        self._advancer.advance(turn, start.id)
        if flow is not None:

            def listens(current: Start | None, now: datetime) -> Start | None:
                if current is None:
                    return None
                flows = tuple(
                    replace(one, not_before=now + LISTENS_AFTER) if one.is_waiting and not one.attempts else one
                    for one in current.flows
                )
                return replace(current, flows=flows)

            self._starts.save(turn, start.id, listens)
        run_duties(turn)
        return self._starts.read(start.id) or start
