"""Inviting, from a validated body to the state that the flow is told.

    queue: watchdog's message ─▶ table: row ─▶ Graph ─▶ table: what Graph said

Nothing is asked of Graph before the message and the row are there, so whatever dies afterwards, a report finds the
invitation and somebody looks after it. A row says *running* from the start: whoever finds it later can't know
whether its maker lived to ask Graph, and must not ask again.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from domain import transitions
from domain.model import Delivery, FlowCallback, Invitation, KeyKind, Operation, Status
from flows.conclusions import tell_conclusion
from flows.links import new_token
from graph import wire
from graph.client import short_hash
from invite.key import Key, differences, key_of
from invite.refusals import answer_for_refusals, result_of_refusal
from invite.splitting import split
from observability import telemetry
from storage import rows
from storage.table import AlreadyThere, Conflict
from web.errors import KeyReused, StorageUnavailable
from web.identifiers import flow_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from domain.model import Invitee, Presence
    from flows.delivery import Outcomes
    from invite.sending import Sender, Sent
    from storage.calls import CallTable, Stored
    from watchdog.service import Watchdog

_events = telemetry.Events("invite")
# A flow that rings in a loop makes a new attempt each time; each costs two reads to find, so there is an end to it.
_MOST_ATTEMPTS = 100
_MOST_CONFLICTS = 20
# Longer than a slow storage needs to write the row that the message is about.
_LATE_SUBSCRIPTION_SECONDS = 5.0
_NAMED_DIFFERENCES = 3


class Inviting:
    """Issues invitations and answers repeats of them."""

    def __init__(
        self,
        table: CallTable,
        watchdog: Watchdog,
        sender: Sender,
        outcomes: Outcomes,
        *,
        check_after_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._table = table
        self._watchdog = watchdog
        self._sender = sender
        self._outcomes = outcomes
        self._check_after = timedelta(seconds=check_after_seconds)
        self._now = now

    def invite(
        self,
        call_id: str,
        people: Sequence[Invitee],
        client_context: str | None,
        headers: Mapping[str, str],
        *,
        callback_url: str | None = None,
    ) -> tuple[Invitation, Mapping[str, Presence]]:
        """Bring people into a call, or tell what became of it if this was asked before.

        Args:
            call_id: the call, as Graph knows it.
            people: who is invited.
            client_context: the caller's own, which then is the key.
            headers: the request's, by name in small letters, for the other kinds of key.
            callback_url: where a flow waits for the outcome; the latest one counts.

        Returns:
            The invitation as it stands, and who is in its call as far as was read.

        Raises:
            KeyReused: the same explicit key came with other people.
            ApiError: Graph took no part of it; see ``invite.refusals``.
            StorageUnavailable: nobody was rung.
        """
        key = key_of(client_context, headers, people)
        run_id = flow_run_id(headers.get("x-ms-workflow-run-id"))
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            draft = self._draft(call_id, people, key, attempt, callback_url)
            self._watchdog.arm(draft)
            try:
                stored = self._table.insert_invitation(draft)
            except AlreadyThere:
                found, presence = self._table.invitation_and_presence(call_id, draft.id)
                if found is None:
                    raise StorageUnavailable from None  # it was removed between the two requests
                if found.value.watch == draft.watch:
                    stored = found  # our own row: storage kept it, but its first answer was lost
                else:
                    _refuse_other_body(key, found.value, people)
                    if _deserves_new_attempt(found.value) and attempt < _MOST_ATTEMPTS:
                        continue
                    return self._again(self._waiting_at(found, callback_url), run_id), presence
            return self._ask(stored, range(len(draft.operations)), run_id), {}
        raise AssertionError  # the last attempt returns

    def _draft(
        self, call_id: str, people: Sequence[Invitee], key: Key, attempt: int, callback_url: str | None
    ) -> Invitation:
        now = self._now()
        client_context = key.client_context(call_id, attempt)
        return Invitation(
            id=rows.invitation_id(client_context),
            call_id=call_id,
            client_context=client_context,
            key_kind=key.kind,
            fingerprint=key.fingerprint,
            participants=tuple(people),
            operations=split(people, client_context),
            created=now,
            updated=now,
            asked=now,
            token=new_token(),
            watch=secrets.token_hex(8),
            check_due=now + self._check_after,
            callback=_new_callback(callback_url),
        )

    def _waiting_at(self, found: Stored[Invitation], callback_url: str | None) -> Stored[Invitation]:
        """Let a flow wait for an invitation that is there already; where it waited before no longer counts."""
        for _ in range(_MOST_CONFLICTS):
            before = found.value.callback
            is_same = before is not None and before.url == callback_url and before.state is not Delivery.CANCELLED
            if callback_url is None or is_same:
                if self._outcomes.is_overdue(found.value):
                    self._outcomes.announce(found.value)  # whoever wrote it down died before queueing it
                return found
            waiting = transitions.told_if_final(replace(found.value, callback=_new_callback(callback_url)))
            # There may be no watchdog any more for one that has ended, so here the message goes out first.
            self._outcomes.announce(waiting, delay_seconds=_LATE_SUBSCRIPTION_SECONDS)
            try:
                stored = self._table.replace_invitation(found, waiting)
            except Conflict:
                latest = self._table.invitation(waiting.call_id, waiting.id)
                if latest is None:
                    raise StorageUnavailable from None
                found = latest
            else:
                return stored
        raise StorageUnavailable

    def _again(self, found: Stored[Invitation], run_id: str | None) -> Invitation:
        """Send what Graph refused before; what it took, or may have taken, is only told."""
        places = [place for place, operation in enumerate(found.value.operations) if operation.refused]
        if not places:
            return found.value
        now = self._now()
        claim = transitions.asked_again(found.value, now, watch=secrets.token_hex(8), check_due=now + self._check_after)
        self._watchdog.arm(claim)
        try:
            stored = self._table.replace_invitation(found, claim)
        except Conflict:
            latest = self._table.invitation(claim.call_id, claim.id)
            if latest is None or latest.value.watch != claim.watch:
                # Another request was faster and sends it; or Graph had its say meanwhile.
                return found.value if latest is None else latest.value
            stored = latest
        return self._ask(stored, places, run_id)

    def _ask(self, stored: Stored[Invitation], places: Sequence[int], run_id: str | None) -> Invitation:
        scenario_id = str(uuid.uuid4())
        _events.info(
            "inviting",
            invitation=stored.value.id,
            call=short_hash(stored.value.call_id),
            people=len(stored.value.participants),
            requests=len(places),
            scenario_id=scenario_id,
            flow_run_id=run_id,
        )
        sent = self._sender.send(stored.value, places, scenario_id)
        invitation = self._record(stored, sent)
        if all(entry.was_refused for entry in sent) and not _was_taken(invitation):
            raise answer_for_refusals(sent)
        return invitation

    def _record(self, stored: Stored[Invitation], sent: Sequence[Sent]) -> Invitation:
        """Write down what Graph said, on top of whatever was reported in the meantime."""
        is_new = True
        current = invitation = stored.value
        for _ in range(_MOST_CONFLICTS):
            invitation = apply_answers(current, sent, self._now())
            index = [
                rows.Row(
                    rows.operation_entity(invitation.call_id, entry.answer.id, invitation=invitation.id, report=None),
                    is_new=is_new,
                )
                for entry in sent
                if entry.answer is not None and entry.answer.id is not None
            ]
            if not _was_taken(invitation):
                # The flow is told so by the answer to its request, so it does not wait.
                invitation = replace(invitation, callback=None)
            try:
                self._table.write([rows.Row(rows.invitation_entity(invitation), etag=stored.etag), *index])
            except AlreadyThere:
                current = self._with_early_reports(stored.value, sent)
                is_new = False
            except Conflict:
                latest = self._table.invitation(invitation.call_id, invitation.id)
                if latest is None:
                    return invitation
                stored, current = latest, latest.value
            except StorageUnavailable:
                # Graph was asked: the flow must not be told to try again. The row says "running", and Graph's
                # report or the watchdog will find it.
                _events.exception("graph's answer could not be written", invitation=invitation.id)
                return invitation
            else:
                if transitions.became_due(stored.value, invitation):
                    self._outcomes.announce(invitation)
                tell_conclusion(stored.value, invitation, decided_by="graph" if _was_taken(invitation) else "refusal")
                return invitation
        return invitation

    def _with_early_reports(self, invitation: Invitation, sent: Sequence[Sent]) -> Invitation:
        """Apply reports that came before Graph's answer and named only the operation's id."""
        for entry in sent:
            if entry.answer is None or entry.answer.id is None:
                continue
            index = self._table.operation(invitation.call_id, entry.answer.id)
            if index is not None and index.report is not None:
                report = wire.operation_state(index.report)
                operations = list(invitation.operations)
                operations[entry.place] = transitions.hears(operations[entry.place], report, ended=True)
                invitation = transitions.with_operations(invitation, operations, self._now())
        return invitation


def apply_answers(invitation: Invitation, sent: Sequence[Sent], now: datetime) -> Invitation:
    """Return the invitation with what became of its Graph requests."""
    any_taken = not all(entry.was_refused for entry in sent) or _was_taken(invitation, besides=sent)
    operations = list(invitation.operations)
    for entry in sent:
        operation = operations[entry.place]
        if entry.answer is not None:
            operations[entry.place] = transitions.hears(operation, entry.answer)
        elif entry.was_refused and entry.error is not None:
            # Nobody sends a part again by itself once the flow was told 202, so that part has failed.
            final = any_taken or not entry.may_be_repeated_soon
            operations[entry.place] = transitions.refused(operation, result_of_refusal(entry.error), final=final)
    return transitions.with_operations(invitation, operations, now)


def _new_callback(url: str | None) -> FlowCallback | None:
    return None if url is None else FlowCallback(url, f"msg_{secrets.token_hex(16)}", Delivery.WAITING)


def _was_taken(invitation: Invitation, besides: Sequence[Sent] = ()) -> bool:
    """Tell whether Graph took, or may have taken, any request of an invitation."""
    others = {entry.place for entry in besides}
    return any(not operation.refused for place, operation in enumerate(invitation.operations) if place not in others)


def _deserves_new_attempt(invitation: Invitation) -> bool:
    """Tell whether an action that runs again rings again: a flow's loop does, after a failure."""
    if invitation.key_kind is not KeyKind.FLOW or transitions.status_of(invitation.operations) is not Status.FAILED:
        return False
    return any(_was_really_asked(operation) for operation in invitation.operations)


def _was_really_asked(operation: Operation) -> bool:
    return not operation.refused


def _refuse_other_body(key: Key, found: Invitation, people: Sequence[Invitee]) -> None:
    if key.fingerprint == found.fingerprint:
        return
    names = differences(found.participants, people)
    shown = ", ".join(names[:_NAMED_DIFFERENCES]) + (", ..." if len(names) > _NAMED_DIFFERENCES else "")
    message = (
        f"This key was used before for another invitation into this call; they differ in {shown}. "
        "Use a new key for a new invitation, or send the same body again."
    )
    target = "clientContext" if key.kind is KeyKind.CLIENT_CONTEXT else key.kind.value
    raise KeyReused("KeyReused", message, target=target)
