"""Issues invitations: from a validated body to the state that the flow gets.

    queue: alarm ─▶ table: row ─▶ Graph ─▶ table: what Graph answered ─▶ what follows

Nothing is sent to Graph before the alarm and the row are there, so that a report finds the invitation and something
looks after it whatever crashes. A row is *running* from the start: who finds it later can't know whether the process
lived to ask Graph, and must not ask again.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.asking import asker
from domain.contexts import call_hash, invitation_id
from domain.ending import with_settling
from domain.invitation import Alarm, Invitation, KeyKind, Refused, Status
from domain.progress import asking_places
from domain.record import CallRecord, Needs
from domain.standing import standing
from domain.transitions import asked_again
from domain.waiting import LISTENS_AFTER
from flows.duties import run_duties
from flows.links import new_token
from flows.turn import Turn, utc_now
from invite.answers import apply_answers, early_reports, entries, was_taken
from invite.key import Key, key_of, refuse_other_body
from invite.refusals import answer_for_refusals
from invite.splitting import split
from invite.subscription import FlowRequest, run_id_in, subscribe
from observability.events import Events
from storage.budget import REQUEST_SECONDS, budget
from storage.errors import StorageError, StorageUnavailable
from web.identifiers import flow_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from domain.call import Call
    from domain.invitation import Invitee
    from flows.progress import Progress
    from invite.sending import Sender, Sent, StepTime
    from storage.reading import Held
    from storage.store import Store

_events = Events("invite")
# A flow that calls in a loop makes a new attempt each time; each costs two requests to find, so there is an end to it.
_MOST_ATTEMPTS = 100
# Of storage's time, so that what Graph answers can be written down after an insert that took long.
_SECONDS_FOR_ANSWERS = 3.0


class InvitationService:
    """Issues invitations and answers repeats of them."""

    def __init__(
        self,
        store: Store,
        progress: Progress,
        sender: Sender,
        *,
        check_after_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._progress = progress
        self._sender = sender
        self._check_after = timedelta(seconds=check_after_seconds)
        self._now = now

    def invite(
        self,
        turn: Turn,
        call_id: str,
        people: Sequence[Invitee],
        client_context: str | None,
        headers: Mapping[str, str],
        *,
        callback_url: str | None = None,
        separately: bool = False,
    ) -> tuple[Invitation, Call | None]:
        """Bring people into a call, or return what became of it if this was asked before.

        Args:
            turn: the request.
            call_id: the call, as Graph knows it.
            people: who is invited.
            client_context: the caller's own, which then is the key.
            headers: the request's, by name in lower case, for the other kinds of key.
            callback_url: where a flow waits for the outcome.
            separately: one Graph request for each person.

        Returns:
            The invitation as it stands, and its call as far as it was read.

        Raises:
            KeyReused: the same explicit key came with other people.
            ApiError: Graph took no part of it; see ``invite.refusals``.
            StorageUnavailable: no person was called.
        """
        key = key_of(client_context, headers, people, separately=separately)
        turn.flow_run_id = flow_run_id(headers.get("x-ms-workflow-run-id"))
        flow = None if callback_url is None else FlowRequest(callback_url, run_id_in(headers))
        # The flow listens after its 201 only, so this request notifies no flow itself.
        turn.may_post = flow is None
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            draft = self._draft(turn, call_id, people, key, attempt, separately=separately)
            held, invitation = self._insert(turn, draft, flow)
            if invitation.asked_by == turn.me:
                return self._ask(turn, held, invitation)
            refuse_other_body(key, invitation, people)
            if attempt == _MOST_ATTEMPTS or not _deserves_new_attempt(invitation, held.record.call, self._now()):
                return self._again(turn, held, invitation, flow)
        raise StorageUnavailable

    def ensure(
        self,
        turn: Turn,
        call_id: str,
        people: Sequence[Invitee],
        client_context: str,
        *,
        start_id: str,
        separately: bool,
    ) -> Invitation:
        """Bring people into a call once, whatever is repeated: what follows from a start.

        An invitation that is there already is not compared: who was left out of it may have changed since.

        Raises:
            ApiError: Graph took no part of it; see ``invite.refusals``.
            StorageUnavailable: it may be there or not.
        """
        key = Key(KeyKind.CLIENT_CONTEXT, client_context, "")
        draft = replace(self._draft(turn, call_id, people, key, 1, separately=separately), start_id=start_id)
        held, invitation = self._insert(turn, draft, None)
        if invitation.asked_by == turn.me:
            return self._ask(turn, held, invitation)[0]
        return self._again(turn, held, invitation, None)[0]

    def resume(self, turn: Turn, invitation: Invitation) -> Invitation:
        """Go on with an invitation that is there, and make none; raises as ``ensure`` does."""
        return self._again(turn, None, invitation, None)[0]

    def ask(self, turn: Turn, held: Held, invitation: Invitation, *, step: StepTime | None = None) -> None:
        """Send the requests that this turn has taken over, none after a step; see ``flows.publish.Followers``."""
        self._send(turn, held, invitation, step=step)

    def _draft(
        self, turn: Turn, call_id: str, people: Sequence[Invitee], key: Key, attempt: int, *, separately: bool
    ) -> Invitation:
        now = self._now()
        client_context = key.client_context(call_id, attempt)
        return Invitation(
            id=invitation_id(client_context),
            call_id=call_id,
            client_context=client_context,
            key_kind=key.kind,
            fingerprint=key.fingerprint,
            participants=tuple(people),
            operations=split(people, client_context, separately=separately),
            created=now,
            updated=now,
            asked=now,
            asked_by=turn.me,
            token=new_token(),
            alarm=Alarm("", now + self._check_after),
            watch_at=now + self._check_after,
        )

    def _insert(self, turn: Turn, draft: Invitation, flow: FlowRequest | None) -> tuple[Held, Invitation]:
        """Insert the invitation where there is none yet, in one request; else read the one that is there."""
        # The time at which the flow listens is written with Graph's answers; a crash before leaves it to the alarm.
        new = draft if flow is None else subscribe(draft, flow, draft.asked, draft.watch_at)

        def insert(record: CallRecord, _: datetime) -> CallRecord:
            return record if new.id in record.invitations else record.with_invitation(new)

        needs = _needs(draft.id)
        nothing = self._store.nothing_yet(draft.call_id)
        with budget(REQUEST_SECONDS - _SECONDS_FOR_ANSWERS):
            updated = self._progress.save(turn, draft.call_id, needs, insert, held=nothing)
        return updated.held, updated.after.invitations[draft.id]

    def _again(
        self, turn: Turn, held: Held | None, found: Invitation, flow: FlowRequest | None
    ) -> tuple[Invitation, Call | None]:
        """Answer a repeat: subscribe its flow, and send what Graph refused before; nothing else is sent again."""

        def repeat(record: CallRecord, now: datetime) -> CallRecord:
            invitation = record.invitations.get(found.id)
            if invitation is None:
                return record
            is_asked_again = any(isinstance(operation.state, Refused) for operation in invitation.operations)
            if is_asked_again:
                invitation = replace(asked_again(invitation, now, turn.me), watch_at=now + self._check_after)
            if flow is not None:
                listens = invitation.watch_at if is_asked_again else now + LISTENS_AFTER
                invitation = subscribe(invitation, flow, now, listens)
            return record.with_invitation(invitation)

        updated = self._progress.save(turn, found.call_id, _needs(found.id), repeat, held=held)
        invitation = updated.after.invitations.get(found.id)
        if invitation is None:
            raise StorageUnavailable  # it was removed in between
        if asking_places(invitation, turn.me):
            return self._ask(turn, updated.held, invitation)
        run_duties(turn)
        return invitation, updated.after.call

    def _ask(self, turn: Turn, held: Held, invitation: Invitation) -> tuple[Invitation, Call | None]:
        invitation, call, sent = self._send(turn, held, invitation)
        run_duties(turn)
        if sent and all(entry.was_refused for entry in sent) and not was_taken(invitation):
            raise answer_for_refusals(sent)
        return invitation, call

    def _send(
        self, turn: Turn, held: Held, invitation: Invitation, *, step: StepTime | None = None
    ) -> tuple[Invitation, Call | None, Sequence[Sent]]:
        scenario_id = str(uuid.uuid4())
        # A duty of this turn may hold the same requests, as they were before their answers.
        request = invitation.id, invitation.asked
        places = [one for one in asking_places(invitation, turn.me) if turn.begins(*request, one)]
        if not places:
            return invitation, held.record.call, ()
        called = [person for place in places for person in invitation.operations[place].people]
        _events.info(
            "inviting",
            invitation=invitation.id,
            call=call_hash(invitation.call_id),
            people=len(invitation.participants),
            phones=sum(invitation.participants[one].kind == "phone" for one in called),
            requests=len(places),
            scenario_id=scenario_id,
            flow_run_id=turn.flow_run_id,
            by=asker(),
        )
        # What follows from a report has the time of its turn; a flow's own request has the sender's.
        now = self._now()
        follows = invitation.start_id is not None or invitation.escalation_id is not None
        seconds = turn.seconds_left(now) if follows or turn.is_message else None
        if step is not None:
            seconds = min(seconds or 0.0, (step.ends - now) / timedelta(seconds=1))
        sent = self._sender.send(invitation, places, scenario_id, seconds, step)
        for entry in sent:
            if not entry.was_begun:
                turn.sent.pop((*request, entry.place), None)
        written, call = self._record(turn, held, invitation, sent)
        return written, call, sent

    def _record(
        self, turn: Turn, held: Held, invitation: Invitation, sent: Sequence[Sent]
    ) -> tuple[Invitation, Call | None]:
        """Write down what Graph answered, on top of what was reported in the meantime."""
        is_later = turn.is_message and invitation.start_id is None  # a start's own request is its alarm

        def answers(record: CallRecord, now: datetime) -> CallRecord:
            current = record.invitations.get(invitation.id)
            if current is None:
                return record
            current = early_reports(current, record, sent, now)
            current = apply_answers(current, turn.me, sent, now, is_later=is_later)
            record = record.with_operations(entries(record, current.id, sent))
            if not (was_taken(current) or is_later):
                # The flow that asked gets the refusal as its response; one that has subscribed since waits for it.
                since = tuple(flow for flow in current.flows if flow.subscribed != invitation.asked)
                return record.with_invitation(replace(current, flows=since))
            flows = tuple(
                replace(flow, not_before=now + LISTENS_AFTER) if flow.is_waiting and flow.attempts == 0 else flow
                for flow in current.flows
            )
            return with_settling(record.with_invitation(replace(current, flows=flows)), now)

        ids = tuple(entry.answer.id for entry in sent if entry.answer is not None and entry.answer.id is not None)
        try:
            updated = self._progress.save(
                turn, invitation.call_id, replace(_needs(invitation.id), operations=frozenset(ids)), answers, held=held
            )
        except StorageError:
            # Graph was asked: the flow must not be answered "try again". The row is running, and Graph's report or the
            # alarm finds it.
            _events.exception("graph's answer could not be written", invitation=invitation.id)
            return apply_answers(invitation, turn.me, sent, self._now()), held.record.call
        return updated.after.invitations.get(invitation.id, invitation), updated.after.call


def _needs(invitation_id: str) -> Needs:
    return Needs(invitations=frozenset({invitation_id}), call=True)


def _deserves_new_attempt(invitation: Invitation, call: Call | None, now: datetime) -> bool:
    """Return whether an action that runs again calls again: a flow's loop does, after a failure that Graph took."""
    if invitation.key_kind is not KeyKind.FLOW or standing(invitation, call, now).status is not Status.FAILED:
        return False
    return was_taken(invitation)
