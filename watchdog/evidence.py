"""What can be learnt about an open invitation from Microsoft Graph, and what follows from it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from domain.call import Presence
from domain.inference import NEVER_CONFIRMED, SEEN_IN_CALL, call_ended
from domain.invitation import Invitation, Operation, Refused, Status
from domain.roster import identity_hash
from domain.sightings import Roster
from domain.standing import asked_at
from domain.transitions import apply_graph_state, change_operations, concluded, refused
from graph.errors import GraphError
from graph.errors import Refused as GraphRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from domain.results import OperationState, ResultInfo
    from domain.roster import RosterEntry
    from domain.sightings import Sighting
    from graph.calls import CallRead

_NOT_FOUND = 404


class Graph(Protocol):
    """What the watchdog reads of Graph; see ``graph.client.GraphClient``."""

    def call(self, call_id: str, *, scenario_id: str) -> CallRead:
        """Read a call."""

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        """Read who is in a call."""

    def operation(self, call_id: str, operation_id: str, *, scenario_id: str) -> OperationState:
        """Read an operation."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was learnt about an invitation's call."""

    call_ended: ResultInfo | None = None
    """How the call ended, if it did."""
    operations: Mapping[str, OperationState] = field(default_factory=dict)
    """What Graph states about operations, by id."""
    seen: frozenset[str] = frozenset()
    """Hashes of identities that are in the call and not in its lobby."""
    roster: Roster | None = None
    """Who is in the call; None where that can't be read, as for a one-to-one call, which may list no one."""
    there_before: frozenset[str] = frozenset()
    """Hashes of identities that were in the call before Graph was asked: their presence proves nothing."""
    left: frozenset[str] = frozenset()
    """Hashes of identities that joined after Graph was asked, and have left."""


def gather(graph: Graph, invitation: Invitation, roster: Iterable[RosterEntry]) -> Evidence:
    """Ask Graph about an open invitation; what it does not answer proves nothing."""
    scenario_id = str(uuid.uuid4())
    roster, asked = list(roster), _asked_at(invitation)
    if all(isinstance(one.state, Refused) for one in invitation.operations if not one.status.is_final):
        return Evidence()  # nothing was sent, so Graph has nothing on it
    try:
        call = graph.call(invitation.call_id, scenario_id=scenario_id)
    except GraphRefused as error:
        if error.status != _NOT_FOUND:
            return Evidence()
        # A person who was reported to have come before the call ended has come, though the report was lost.
        return Evidence(
            call_ended(None), seen=_joined_after(roster, asked), left=_joined_after(roster, asked, Presence.LEFT)
        )
    except GraphError:
        return Evidence()
    operations = _operations(graph, invitation, scenario_id)
    if call.state == "terminated":
        return Evidence(
            call_ended(call.result),
            operations,
            seen=_joined_after(roster, asked),
            left=_joined_after(roster, asked, Presence.LEFT),
        )
    try:
        read = graph.roster(invitation.call_id, scenario_id=scenario_id)
    except GraphError:
        read = Roster((), hides_people=False)
    return Evidence(
        operations=operations,
        seen=_in_call(read.people) | _joined_after(roster, asked),
        roster=read if read.people else None,
        there_before=_there_before(roster, asked),
        left=_joined_after(roster, asked, Presence.LEFT),
    )


def _operations(graph: Graph, invitation: Invitation, scenario_id: str) -> dict[str, OperationState]:
    found: dict[str, OperationState] = {}
    for operation in invitation.operations:
        if operation.id is not None and not operation.status.is_final:
            try:
                found[operation.id] = graph.operation(invitation.call_id, operation.id, scenario_id=scenario_id)
            except GraphError:
                continue  # whether Graph answers this at all is not documented: no answer proves nothing
    return found


def conclude(invitation: Invitation, evidence: Evidence, now: datetime, *, given_up: bool) -> Invitation:
    """Return an open invitation with what the evidence allows to conclude."""
    return change_operations(
        invitation, now, lambda operation: _concluded(invitation, operation, evidence, now, given_up=given_up)
    )


def _concluded(
    invitation: Invitation, operation: Operation, evidence: Evidence, now: datetime, *, given_up: bool
) -> Operation:
    if operation.status.is_final:
        return operation
    if isinstance(operation.state, Refused):
        if invitation.start_id is None and invitation.escalation_id is None:
            return refused(operation, operation.state.result, final=True)  # the same key may still send it again
        return concluded(operation, Status.FAILED, operation.state.result, now)
    stated = evidence.operations.get(operation.id or "")
    if stated is not None:
        operation = apply_graph_state(operation, stated, now)
        if operation.status.is_final:
            return operation
    proved = evidence.seen - evidence.there_before

    def people_in(names: frozenset[str]) -> tuple[int, ...]:
        return tuple(one for one in operation.people if identity_hash(invitation.participants[one].id) in names)

    came = people_in(proved)
    if len(came) == len(operation.people):
        return concluded(operation, Status.COMPLETED, SEEN_IN_CALL, now, seen=came)
    if evidence.call_ended is None and not given_up:
        return operation
    # Nothing more is to be learnt, so that who was there has come as well.
    came = people_in(proved | evidence.left)
    return _partly(operation, evidence.call_ended or NEVER_CONFIRMED, came, now)


def _partly(operation: Operation, failure: ResultInfo, came: tuple[int, ...], now: datetime) -> Operation:
    """End an operation: of several people those who came have completed, the others have failed."""
    if came:
        return concluded(operation, Status.COMPLETED, SEEN_IN_CALL, now, seen=came)
    return concluded(operation, Status.FAILED, failure, now)


def _in_call(listed: Iterable[Sighting]) -> frozenset[str]:
    return frozenset(
        identity_hash(seen.identity["id"])
        for seen in listed
        if "id" in seen.identity and seen.presence is Presence.IN_CALL
    )


def _asked_at(invitation: Invitation) -> dict[str, datetime]:
    """Return when Graph was asked for each person, by the hash of their identity."""
    return {
        identity_hash(invitation.participants[person].id): asked_at(invitation, operation)
        for operation in invitation.operations
        for person in operation.people
    }


def _joined_after(
    roster: Iterable[RosterEntry], asked: Mapping[str, datetime], presence: Presence = Presence.IN_CALL
) -> frozenset[str]:
    """Return who is in the call, or has left it, and joined after Graph was asked."""
    return frozenset(
        name for name, entry in _of(roster, asked) if entry.presence is presence and entry.joined >= asked[name]
    )


def _there_before(roster: Iterable[RosterEntry], asked: Mapping[str, datetime]) -> frozenset[str]:
    return frozenset(
        name
        for name, entry in _of(roster, asked)
        if entry.joined < asked[name] and (entry.left is None or entry.left >= asked[name])
    )


def _of(roster: Iterable[RosterEntry], people: Mapping[str, datetime]) -> Iterator[tuple[str, RosterEntry]]:
    """Return the entries of some people, with the hashes of their identities."""
    for entry in roster:
        name = identity_hash(entry.identity["id"]) if entry.identity.get("id") else None
        if name is not None and name in people:
            yield name, entry
