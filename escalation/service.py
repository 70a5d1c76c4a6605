"""Escalations: a flow's request to call people until somebody joins, answered and repeated without a second call."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from domain.call import CallKind
from domain.escalation import Escalation, EscalationStatus, Step, StopWhen, escalation_id
from domain.invitation import Alarm, KeyKind
from domain.record import CallRecord
from domain.steps import stopped
from domain.waiting import LISTENS_AFTER
from flows.duties import run_duties
from flows.links import new_token
from flows.turn import utc_now
from invite.key import comparable, key_of
from invite.subscription import FlowRequest, run_id_in, subscribed
from observability.events import Events
from storage.errors import StorageError, StorageUnavailable
from web.errors import BadRequest, KeyReused, NotFound
from web.identifiers import flow_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from escalation.progress import EscalationProgress
    from flows.turn import Turn
    from invite.key import Key
    from invite.roster import RosterReader

_events = Events("escalation")
_MOST_ATTEMPTS = 100
_SCOPE = "escalation"
_UNLESS_ANSWERED = timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class EscalationRequest:
    """What a flow asks for."""

    steps: tuple[Step, ...]
    stop_when: StopWhen = StopWhen.ANYONE_JOINS
    repeat: int = 0
    client_context: str | None = None

    def fingerprint(self) -> str:
        """Return a hash of what is asked for."""
        text = json.dumps(step_form(self.steps, self.stop_when, self.repeat), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def step_form(steps: Iterable[Step], stop_when: StopWhen, repeat: int) -> list[Any]:
    """Return what counts of steps when two bodies are compared."""
    people = [[[comparable(one) for one in step.people], step.wait_seconds] for step in steps]
    return [people, stop_when.value, repeat]


class EscalationService:
    """Issues escalations and answers repeats of them."""

    def __init__(
        self,
        progress: EscalationProgress,
        rosters: RosterReader,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._progress = progress
        self._rosters = rosters
        self._now = now

    def escalate(
        self,
        turn: Turn,
        call_id: str,
        request: EscalationRequest,
        headers: Mapping[str, str],
        *,
        callback_url: str | None = None,
    ) -> tuple[Escalation, CallRecord]:
        """Call people step by step, or return what became of it if this was asked before.

        Raises:
            NotFound: the call has ended, or neither the app nor Graph knows it.
            BadRequest: it is a one-to-one call.
            KeyReused: the same explicit key came with another body.
            StorageUnavailable: no person was called.
        """
        turn.flow_run_id = flow_run_id(headers.get("x-ms-workflow-run-id"))
        people = [one for step in request.steps for one in step.people]
        key = replace(key_of(request.client_context, headers, people), fingerprint=request.fingerprint())
        flow = None if callback_url is None else FlowRequest(callback_url, run_id_in(headers))
        # The flow listens after its 201 only, so this request notifies no flow itself.
        turn.may_post = flow is None
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            context = key.client_context(f"{_SCOPE}|{call_id}", attempt)
            name = escalation_id(context)
            found = self._progress.read(call_id, name)
            escalation = found.escalations.get(name)
            if escalation is None:
                _check_call(found)
                # A call of which the app has heard nothing yet may be one that a bot of the same registration made.
                self._rosters.read(turn, call_id, must_exist=found.call is None)
                draft = self._draft(call_id, name, context, request, key)
                escalation, found = self._insert(turn, draft, flow)
                if escalation.token == draft.token:
                    return escalation, found
                # Another request with the same key was faster.
            if escalation.fingerprint != key.fingerprint:
                message = "This key was used before for another escalation. Use a new key, or send the same body again."
                target = "clientContext" if key.kind is KeyKind.CLIENT_CONTEXT else key.kind.value
                raise KeyReused("KeyReused", message, target=target)
            is_over = found.call is not None and found.call.has_ended
            is_failed = escalation.status is EscalationStatus.FAILED
            if is_over or not is_failed or key.kind is not KeyKind.FLOW:
                return self._again(turn, escalation, flow)
        raise StorageUnavailable

    def begin(self, turn: Turn, call_id: str, context: str, request: EscalationRequest, *, start_id: str) -> None:
        """Escalate once in the call of a start, whatever is repeated."""
        key = key_of(context, {}, [])
        draft = self._draft(call_id, escalation_id(context), context, request, key)
        self._issue(turn, replace(draft, start_id=start_id), None)

    def read(self, call_id: str, name: str) -> tuple[Escalation | None, CallRecord]:
        """Read an escalation and what belongs to it: one request."""
        record = self._progress.read(call_id, name)
        return record.escalations.get(name), record

    def advance(self, turn: Turn, call_id: str, name: str) -> None:
        """Take an escalation as far as it can go by what is stored."""
        self._progress.save(turn, call_id, name, lambda record, _: record)

    def stop(self, turn: Turn, call_id: str, name: str) -> Escalation | None:
        """Stop an escalation; a final one stays as it is. None where there is none."""
        updated = self._progress.save(turn, call_id, name, lambda record, now: stopped(record, name, now))
        run_duties(turn)
        return updated.after.escalations.get(name)

    def _draft(self, call_id: str, name: str, context: str, request: EscalationRequest, key: Key) -> Escalation:
        now = self._now()
        return Escalation(
            id=name,
            call_id=call_id,
            client_context=context,
            key_kind=key.kind,
            fingerprint=key.fingerprint,
            steps=request.steps,
            token=new_token(),
            created=now,
            updated=now,
            alarm=Alarm("", now),
            stop_when=request.stop_when,
            repeat=request.repeat,
        )

    def _insert(self, turn: Turn, draft: Escalation, flow: FlowRequest | None) -> tuple[Escalation, CallRecord]:
        self._issue(turn, draft, flow)
        try:
            if flow is not None:
                self._listens(turn, draft, flow)
            held = turn.in_hand(draft.call_id)
            record = held.record if held is not None else None
            if record is None or draft.id not in record.escalations:
                record = self._progress.read(draft.call_id, draft.id)
        except StorageError as error:
            # Graph was asked: the flow must not be answered "try again". The alarm notifies it.
            _events.warning("an escalation is left to its alarm", escalation=draft.id, kind=type(error).__name__)
            record = CallRecord(draft.call_id).with_escalation(draft)
        return record.escalations.get(draft.id, draft), record

    def _issue(self, turn: Turn, draft: Escalation, flow: FlowRequest | None) -> None:
        """Insert the escalation where there is none yet, and call the people of its first step."""

        def insert(record: CallRecord, now: datetime) -> CallRecord:
            if draft.id in record.escalations:
                return record
            call = record.call_or_new(now)
            if call.page_token is None:
                call = replace(call, page_token=new_token())
            record = record.with_call(call)
            # Written anew just before the 201; a crash before leaves it to the alarm.
            listens = now + _UNLESS_ANSWERED
            flows = () if flow is None else subscribed((), flow, now, listens)
            return record.with_escalation(replace(draft, flows=flows))

        # Nothing but the call is needed of what is stored, since the insertion finds an escalation that is there.
        self._progress.save(turn, draft.call_id, draft.id, insert, held=turn.in_hand(draft.call_id))
        run_duties(turn)

    def _listens(self, turn: Turn, draft: Escalation, flow: FlowRequest) -> None:
        """Note from when on the flow listens, just before its 201."""

        def change(record: CallRecord, now: datetime) -> CallRecord:
            escalation = record.escalations.get(draft.id)
            if escalation is None:
                return record
            flows = tuple(
                replace(one, not_before=now + LISTENS_AFTER)
                if one.run_id == flow.run_id and one.is_waiting and not one.attempts
                else one
                for one in escalation.flows
            )
            return record.with_escalation(replace(escalation, flows=flows))

        self._progress.save(turn, draft.call_id, draft.id, change)

    def _again(self, turn: Turn, found: Escalation, flow: FlowRequest | None) -> tuple[Escalation, CallRecord]:
        def repeat(record: CallRecord, now: datetime) -> CallRecord:
            escalation = record.escalations.get(found.id)
            if escalation is None or flow is None:
                return record
            flows = subscribed(escalation.flows, flow, now, now + LISTENS_AFTER)
            return record.with_escalation(replace(escalation, flows=flows))

        updated = self._progress.save(turn, found.call_id, found.id, repeat)
        run_duties(turn)
        return updated.after.escalations.get(found.id, found), updated.after


def _check_call(record: CallRecord) -> None:
    if record.call is not None and record.call.has_ended:
        message = "The call has ended. Start a new call, then escalate."
        raise NotFound("CallNotFound", message)
    if record.call is not None and record.call.kind is CallKind.ONE_TO_ONE:
        message = "This is a one-to-one call. Join a meeting, and call people into it step by step."
        raise BadRequest("MeetingNeeded", message, target="callId")
