"""Looking after invitations that stay open: Graph rings for a minute, and a report can be lost.

Every invitation has one message on the queue ``invitation-checks`` that counts, named by ``watch`` in its row; all
others are out of date. The next message is sent before the row names it: whatever dies in between, one that counts
is on its way, and at worst a second one finds itself out of date.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from domain import roster as rosters
from domain import transitions
from domain.model import Invitation, Operation, Presence, ResultInfo, RosterEntry, Status
from flows.conclusions import tell_conclusion
from graph import wire
from graph.errors import GraphError, Refused
from observability import telemetry
from storage import rows
from storage.table import Conflict
from web.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flows.delivery import Outcomes
    from graph.client import CallRead
    from storage.calls import CallTable, Stored
    from storage.queues import MessageQueue

_events = telemetry.Events("watchdog")
_MOST_GRACE_SECONDS = 60.0
_MOST_LOOKS_FOR_A_ROW = 3
_MOST_CONFLICTS = 5
_NOT_FOUND = 404

NEVER_CONFIRMED = ResultInfo(
    408,
    None,
    "Microsoft Graph never confirmed this invitation. The person may have been rung: look who is in the call "
    "before inviting again.",
)
NEVER_SENT = ResultInfo(503, None, "Microsoft Graph did not take this invitation, and nobody was rung. Invite again.")
_CALL_ENDED = "The call ended before the invitation was answered. Start a new call, then invite."
CALL_GONE = ResultInfo(404, 8522, _CALL_ENDED)
SEEN_IN_CALL = ResultInfo(200, None, "Seen in the call. Microsoft Graph itself did not report the outcome.")


def call_ended(result: ResultInfo | None) -> ResultInfo:
    """Return the result of an invitation whose call ended, with the codes that Graph gave for that end."""
    return CALL_GONE if result is None else ResultInfo(result.code, result.subcode, _CALL_ENDED)


class Graph(Protocol):
    """What the watchdog reads of Graph; see ``graph.client.GraphClient``."""

    def call(self, call_id: str, *, scenario_id: str) -> CallRead:
        """Read a call."""

    def participants(self, call_id: str, *, scenario_id: str) -> list[dict[str, Any]]:
        """Read who is in a call."""

    def operation(self, call_id: str, operation_id: str, *, scenario_id: str) -> wire.OperationState:
        """Read an operation."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What could be learnt about an invitation's call."""

    call_ended: ResultInfo | None = None
    """How the call ended, if it did."""
    operations: Mapping[str, wire.OperationState] | None = None
    """Graph's own word on operations, by id."""
    seen: frozenset[str] = frozenset()
    """Hashes of identities that are in the call and not in its lobby."""
    there_before: frozenset[str] = frozenset()
    """Hashes of identities that were in the call before Graph was asked: their presence proves nothing."""


class Watchdog:
    """Checks on invitations, woken by the queue or by a poll of one that is overdue."""

    def __init__(
        self,
        table: CallTable,
        queue: MessageQueue,
        graph: Graph,
        outcomes: Outcomes,
        *,
        check_after_seconds: float,
        give_up_after_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._table = table
        self._queue = queue
        self._graph = graph
        self._outcomes = outcomes
        self._check_after = check_after_seconds
        self._give_up_after = give_up_after_seconds
        self._now = now

    def arm(self, invitation: Invitation) -> None:
        """Send the message that will look after an invitation.

        Raises:
            StorageUnavailable: it could not be sent, so nobody may be rung.
        """
        self._send(invitation.call_id, invitation.id, invitation.watch, self._check_after)

    def is_overdue(self, invitation: Invitation) -> bool:
        """Tell whether the message that should have looked after an invitation seems to be lost."""
        grace = min(_MOST_GRACE_SECONDS, self._check_after)
        return transitions.is_open(invitation) and self._now() > invitation.check_due + timedelta(seconds=grace)

    def handle(self, message: Mapping[str, Any]) -> None:
        """Act on a message of the queue.

        Raises:
            StorageUnavailable: nothing was concluded; the queue brings the message back.
        """
        call_id, invitation_id, watch = (wire.text(message.get(name)) for name in ("callId", "invitationId", "watch"))
        if call_id is None or invitation_id is None or watch is None:
            _events.error("a message on the queue of checks can't be read and is dropped")
            return
        stored = self._table.invitation(call_id, invitation_id)
        if stored is None:
            # The message goes out before the row: with a slow storage it can even arrive before.
            looks = (wire.number(message.get("looks")) or 0) + 1
            if looks < _MOST_LOOKS_FOR_A_ROW:
                self._send(call_id, invitation_id, watch, self._check_after, looks=looks)
            return
        if stored.value.watch != watch:
            return
        self._table.remember(rows.partition_key(call_id), self._now())
        if transitions.is_open(stored.value):
            self.check(stored)
        elif transitions.is_due(stored.value):
            self._look_after_delivery(stored.value)

    def _look_after_delivery(self, invitation: Invitation) -> None:
        """Make up for a lost message to a waiting flow, and come back until the flow is told or given up."""
        if self._outcomes.is_overdue(invitation):
            self._outcomes.announce(invitation)
        age = (self._now() - invitation.asked).total_seconds()
        self._send(invitation.call_id, invitation.id, invitation.watch, max(age, self._check_after))

    def check(self, stored: Stored[Invitation]) -> Invitation:
        """Learn what can be learnt of an open invitation, conclude what can be concluded, and come back if need be.

        Raises:
            StorageUnavailable: nothing was concluded.
        """
        evidence = self._gather(stored.value)
        for _ in range(_MOST_CONFLICTS):
            before = stored.value
            now = self._now()
            age = (now - before.asked).total_seconds()
            after = _concluded(before, evidence, now, given_up=age >= self._give_up_after)
            if transitions.is_open(after):
                after = self._come_back(after, now, age)
            try:
                self._table.replace_invitation(stored, after)
            except Conflict:
                latest = self._table.invitation(before.call_id, before.id)
                if latest is None or not transitions.is_open(latest.value):
                    return before if latest is None else latest.value
                stored = latest
            else:
                if transitions.became_due(before, after):
                    self._outcomes.announce(after)
                status = transitions.status_of(after.operations)
                _events.info("watchdog", invitation=after.id, seconds=round(age), status=status.value)
                if status.is_final:
                    telemetry.count("watchdog_conclusions", status=status.value)
                tell_conclusion(before, after, decided_by="watchdog")
                return after
        return stored.value

    def _come_back(self, invitation: Invitation, now: datetime, age: float) -> Invitation:
        """Send the next message, twice as far away as the invitation is old, then name it."""
        delay = max(min(max(age, self._check_after), self._give_up_after - age), 1.0)
        watch = secrets.token_hex(8)
        try:
            self._send(invitation.call_id, invitation.id, watch, delay)
        except StorageUnavailable:
            _events.warning("the next check could not be queued; a poll will make up for it", invitation=invitation.id)
        return replace(invitation, watch=watch, check_due=now + timedelta(seconds=delay))

    def _send(self, call_id: str, invitation_id: str, watch: str, delay: float, looks: int = 0) -> None:
        message = {"callId": call_id, "invitationId": invitation_id, "watch": watch, "looks": looks}
        self._queue.send(message, delay_seconds=delay)

    def _gather(self, invitation: Invitation) -> Evidence:
        scenario_id = str(uuid.uuid4())
        if all(operation.refused for operation in invitation.operations if not operation.status.is_final):
            return Evidence()  # nothing was sent, so Graph knows nothing
        try:
            call = self._graph.call(invitation.call_id, scenario_id=scenario_id)
        except Refused as error:
            if error.status != _NOT_FOUND:
                return Evidence()
            return self._of_an_ended_call(invitation, CALL_GONE)
        except GraphError:
            return Evidence()
        if call.state == "terminated":
            said = self._operations(invitation, scenario_id)
            return replace(self._of_an_ended_call(invitation, call_ended(call.result)), operations=said)
        try:
            listed = self._graph.participants(invitation.call_id, scenario_id=scenario_id)
        except GraphError:
            listed = []  # a peer-to-peer call has no readable roster
        _, known = self._table.call_and_roster(invitation.call_id)
        return Evidence(
            operations=self._operations(invitation, scenario_id),
            seen=_in_call(listed) | _joined_after(known, invitation.asked),
            there_before=_there_before(known, invitation.asked),
        )

    def _of_an_ended_call(self, invitation: Invitation, end: ResultInfo) -> Evidence:
        """Whoever was reported to have come before the call ended has come, though the invitation's report was lost."""
        _, known = self._table.call_and_roster(invitation.call_id)
        return Evidence(call_ended=end, seen=_joined_after(known, invitation.asked))

    def _operations(self, invitation: Invitation, scenario_id: str) -> dict[str, wire.OperationState]:
        found: dict[str, wire.OperationState] = {}
        for operation in invitation.operations:
            if operation.id is not None and not operation.status.is_final:
                try:
                    found[operation.id] = self._graph.operation(
                        invitation.call_id, operation.id, scenario_id=scenario_id
                    )
                except GraphError:
                    continue  # whether Graph answers this at all is not documented: no answer proves nothing
        return found


def _concluded(invitation: Invitation, evidence: Evidence, now: datetime, *, given_up: bool) -> Invitation:
    return transitions.change_operations(
        invitation, now, lambda operation: conclude(invitation, operation, evidence, given_up=given_up)
    )


def conclude(invitation: Invitation, operation: Operation, evidence: Evidence, *, given_up: bool) -> Operation:
    """Return an open operation with what the evidence allows to conclude."""
    if operation.status.is_final:
        return operation
    if operation.refused:
        return transitions.concluded(operation, Status.FAILED, operation.result or NEVER_SENT)
    said = (evidence.operations or {}).get(operation.id or "")
    if said is not None:
        operation = transitions.hears(operation, said)
        if operation.status.is_final:
            return operation
    people = {rosters.identity_hash(invitation.participants[place].id) for place in operation.people}
    if people <= evidence.seen - evidence.there_before:
        return transitions.concluded(operation, Status.COMPLETED, SEEN_IN_CALL)
    if evidence.call_ended is not None:
        return transitions.concluded(operation, Status.FAILED, evidence.call_ended)
    if given_up:
        return transitions.concluded(operation, Status.FAILED, NEVER_CONFIRMED)
    return operation


def _in_call(listed: list[dict[str, Any]]) -> frozenset[str]:
    sightings = (rosters.sighting(participant) for participant in listed)
    return frozenset(
        rosters.identity_hash(entry.identity["id"])
        for entry in sightings
        if entry is not None and entry.identity and entry.presence is Presence.IN_CALL
    )


def _joined_after(known: Mapping[str, RosterEntry], asked: datetime) -> frozenset[str]:
    return frozenset(
        rosters.identity_hash(entry.identity["id"])
        for entry in known.values()
        if entry.identity.get("id") and entry.presence is Presence.IN_CALL and entry.joined >= asked
    )


def _there_before(known: Mapping[str, RosterEntry], asked: datetime) -> frozenset[str]:
    return frozenset(
        rosters.identity_hash(entry.identity["id"])
        for entry in known.values()
        if entry.identity.get("id") and entry.joined < asked and (entry.left is None or entry.left >= asked)
    )
