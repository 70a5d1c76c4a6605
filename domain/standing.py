"""Where each invited person and the whole invitation stand.

Graph gives one result for all people of one request. So an operation with several people *settles*: with the first
roster that is reported after its end, or five seconds after it. Until then its people are running; then those whom a
roster has shown since Graph was asked have come, and the others have not, or can't be confirmed. What is settled stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.call import Presence
from domain.invitation import Decider, Ended, Invitation, Operation, Status
from domain.roster import identity_hash

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from domain.call import Call
    from domain.results import ResultInfo

SETTLE = timedelta(seconds=5)
"""How long after its end an operation with several people waits for a roster."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an invitation stands at one time."""

    status: Status
    people: tuple[Status, ...]
    """By index of the invitation's participants."""
    presence: tuple[Presence, ...]
    operations: tuple[Operation, ...]
    """The operation of each person."""

    @property
    def joined_count(self) -> int:
        """How many invited people are, or were, in the call; the lobby does not count."""
        return sum(presence in (Presence.IN_CALL, Presence.LEFT) for presence in self.presence)


def standing(invitation: Invitation, call: Call | None, now: datetime) -> Standing:
    """Return where an invitation and its people stand.

    Args:
        invitation: as stored.
        call: its call as stored; None where nothing is known of it.
        now: the time for which it is computed.
    """
    count = len(invitation.participants)
    settled = [Status.RUNNING] * count
    operations: list[Operation] = [invitation.operations[0]] * count
    for operation in invitation.operations:
        for person in operation.people:
            operations[person] = operation
            settled[person] = _settled_status(invitation, operation, person, call, now)
    presence = tuple(presence_of(call, invitee.id) for invitee in invitation.participants)
    people = tuple(
        Status.COMPLETED
        if status is Status.UNCONFIRMED and _was_shown(invitation, operations[person], person, call)
        else status
        for person, status in enumerate(settled)
    )
    return Standing(_together(settled), people, presence, tuple(operations))


def _together(people: Iterable[Status]) -> Status:
    kinds = set(people)
    if Status.RUNNING in kinds:
        return Status.RUNNING
    if len(kinds) == 1:
        (only,) = kinds
        return Status.COMPLETED if only is Status.UNCONFIRMED else only
    return Status.RUNNING if Status.NOT_STARTED in kinds else Status.PARTIALLY_COMPLETED


def _settled_status(
    invitation: Invitation, operation: Operation, person: int, call: Call | None, now: datetime
) -> Status:
    state = operation.state
    if person in operation.cancelled and not (isinstance(state, Ended) and state.by is Decider.GRAPH):
        return Status.FAILED
    if not isinstance(state, Ended) or len(operation.people) == 1:
        return operation.status
    if state.by is not Decider.GRAPH:
        return Status.COMPLETED if person in (state.seen or ()) else Status.FAILED
    if not is_settled(operation, now):
        return Status.RUNNING
    seen = state.seen if state.seen is not None else seen_people(invitation, operation, call)
    if person in seen:
        return Status.COMPLETED
    return Status.FAILED if state.status is Status.FAILED else Status.UNCONFIRMED


def is_settled(operation: Operation, now: datetime) -> bool:
    """Return whether an operation that has ended says, or will never say, more about each person."""
    state = operation.state
    if not isinstance(state, Ended):
        return operation.status.is_final
    is_single = len(operation.people) == 1
    return is_single or state.by is not Decider.GRAPH or state.seen is not None or now >= state.at + SETTLE


def settles_at(invitation: Invitation) -> datetime | None:
    """Return when the last of its ended operations settles by time; None where none has to."""
    times = [
        operation.state.at + SETTLE
        for operation in invitation.operations
        if isinstance(operation.state, Ended) and needs_settling(operation)
    ]
    return max(times, default=None)


def needs_settling(operation: Operation) -> bool:
    """Return whether it is still to be written down who was seen."""
    match operation.state:
        case Ended(by=Decider.GRAPH, seen=None):
            return len(operation.people) > 1
        case _:
            return False


def settle(invitation: Invitation, call: Call | None, now: datetime, *, by_roster: bool = False) -> Invitation:
    """Return the invitation with who was seen, for each operation whose time for that has come.

    Args:
        invitation: as it stands.
        call: its call, with the roster that counts.
        now: the time.
        by_roster: a roster was just reported, after the operation's end.
    """

    def settled(operation: Operation) -> Operation:
        state = operation.state
        if not isinstance(state, Ended) or not needs_settling(operation):
            return operation
        if not by_roster and now < state.at + SETTLE:
            return operation
        return replace(operation, state=replace(state, seen=seen_people(invitation, operation, call)))

    operations = tuple(map(settled, invitation.operations))
    return invitation if operations == invitation.operations else replace(invitation, operations=operations)


def seen_people(invitation: Invitation, operation: Operation, call: Call | None) -> tuple[int, ...]:
    """Return which people of an operation a roster has shown in the call or its lobby since Graph was asked."""
    return tuple(person for person in operation.people if _was_shown(invitation, operation, person, call))


def joined_people(invitation: Invitation, operation: Operation, call: Call | None) -> tuple[int, ...]:
    """Return which people of an operation a roster has shown since Graph was asked, and who are or were in the call."""
    seen = seen_people(invitation, operation, call)
    joined = (Presence.IN_CALL, Presence.LEFT)
    return tuple(person for person in seen if presence_of(call, invitation.participants[person].id) in joined)


def _was_shown(invitation: Invitation, operation: Operation, person: int, call: Call | None) -> bool:
    if call is None:
        return False
    name = identity_hash(invitation.participants[person].id)
    shown = call.shown.get(name)
    return shown is not None and shown >= asked_at(invitation, operation)


def asked_at(invitation: Invitation, operation: Operation) -> datetime:
    """Return when Graph was last asked for an operation, or was about to be: a repeat sends refused ones only."""
    return operation.asked or invitation.created


def presence_of(call: Call | None, identity_id: str) -> Presence:
    """Return what the roster states about an identity, whatever kind Graph showed it as."""
    return Presence.UNKNOWN if call is None else call.presence.get(identity_hash(identity_id), Presence.UNKNOWN)


def has_ended(invitation: Invitation, now: datetime) -> bool:
    """Return whether the outcome of an invitation is known."""
    return all(operation.status.is_final and is_settled(operation, now) for operation in invitation.operations)


def concluded_at(invitation: Invitation) -> datetime | None:
    """Return when the last of its operations ended, a refused one when Graph was asked; None while one is open."""
    if not all(operation.status.is_final for operation in invitation.operations):
        return None
    ends = [one.state.at if isinstance(one.state, Ended) else invitation.asked for one in invitation.operations]
    return max(ends)


def result_of(operations: Iterable[Operation]) -> ResultInfo | None:
    """Return the result that stands for an invitation: the first failure's, else the first there is."""
    ordered = sorted(operations, key=lambda operation: operation.status is not Status.FAILED)
    return next((operation.result for operation in ordered if operation.result is not None), None)
