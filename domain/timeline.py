"""What happened in a call, as events: they follow from how a change found the call and how it left it.

So an event is written in the transaction of the change that it is about, and a change that is applied again, because
another writer was faster or a report came twice, adds no second event.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from domain.call import Presence
from domain.inference import NEVER_CONFIRMED
from domain.invitation import Decider, Ended, Invitation, Invitee, Operation, Status
from domain.roster import identity_hash
from domain.standing import asked_at, standing
from domain.start import GROUP_SETTLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from domain.call import Call
    from domain.escalation import Escalation
    from domain.record import CallRecord
    from domain.results import ResultInfo

MOST_EVENTS = 1_000
_ANY_TIME = datetime.min.replace(tzinfo=UTC)


class EventKind(StrEnum):
    """What can happen, in the order in which events of one change are shown."""

    CALL_STARTING = "callStarting"
    CALL_ESTABLISHED = "callEstablished"
    STEP_STARTED = "stepStarted"
    INVITED = "invited"
    IN_LOBBY = "inLobby"
    JOINED = "joined"
    ANSWERED = "answered"
    NOT_REACHED = "notReached"
    NEVER_CONFIRMED = "neverConfirmed"
    CANCELLED = "cancelled"
    LEFT = "left"
    ESCALATION_ENDED = "escalationEnded"
    CALL_ENDED = "callEnded"

    @property
    def is_detail(self) -> bool:
        """Whether it is removed first at a thousand events."""
        return self in _DETAILS


_DETAILS = frozenset({EventKind.JOINED, EventKind.LEFT, EventKind.IN_LOBBY})
_ASKED_FOR = frozenset(
    {
        EventKind.CALL_STARTING,
        EventKind.INVITED,
        EventKind.STEP_STARTED,
        EventKind.CANCELLED,
        EventKind.CALL_ENDED,
    }
)
# A row holds 1 MiB; a thousand people with usual names need a quarter of that.
_MOST_BYTES = 700_000
_BYTES_BESIDES = 80
_ORDER = {kind: place for place, kind in enumerate(EventKind)}
_PRESENCES = {Presence.IN_CALL: EventKind.JOINED, Presence.IN_LOBBY: EventKind.IN_LOBBY, Presence.LEFT: EventKind.LEFT}


@dataclass(frozen=True, slots=True)
class Person:
    """A person of an event, as the flow or the roster named them."""

    kind: str
    identity: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a call."""

    kind: EventKind
    time: datetime
    people: tuple[Person, ...] = ()
    invitation_id: str | None = None
    escalation_id: str | None = None
    seconds: int | None = None
    """Of an answer: since Graph was asked."""
    result: ResultInfo | None = None
    """Of somebody who was not reached, or of an end."""
    by_graph: bool = True
    """Whether the result's codes are Graph's own; else its message is this app's sentence."""
    round: int | None = None
    step: int | None = None
    outcome: str | None = None
    """Of an escalation: the status in which it ended."""
    by: str | None = None
    """The hash of who asked for it, where callers sign in."""
    detail: int | None = None
    """Which of the call's details it is, from 0; None for what is never dropped."""

    @property
    def was_asked_for(self) -> bool:
        """Whether it happens because a caller wants it; else it is what became of that."""
        return self.kind in _ASKED_FOR or self.outcome == "stopped"


def noted(before: CallRecord, after: CallRecord, now: datetime, by: str | None = None) -> CallRecord:
    """Return the record with the events that its change means.

    Args:
        before: as it was read.
        after: as it is about to be written.
        now: when it happened.
        by: the hash of who asked for the change.
    """
    events = tuple(replace(event, by=by) if event.was_asked_for else event for event in _events(before, after, now))
    if not events or after.call is None:
        return replace(after, events=events)
    count, numbered = after.call.details, []
    for event in events:
        if event.kind.is_detail:
            numbered.append(replace(event, detail=count % MOST_EVENTS))
            count += 1
        else:
            numbered.append(event)
    call = after.call if count == after.call.details else replace(after.call, details=count)
    return replace(after, call=call, events=tuple(numbered))


def shown(events: Iterable[Event]) -> list[Event]:
    """Return at most a thousand events, oldest first; who came and went is dropped first, the oldest of it."""
    ordered = sorted(events, key=lambda event: (event.time, _ORDER[event.kind]))
    surplus = len(ordered) - MOST_EVENTS
    kept = []
    for event in ordered:
        if surplus > 0 and event.kind.is_detail:
            surplus -= 1
        else:
            kept.append(event)
    return kept


def _events(before: CallRecord, after: CallRecord, now: datetime) -> Iterator[Event]:
    if after.call is not None and after.call != before.call:
        yield from _of_call(before.call, after.call, now)
    for escalation in after.escalations.values():
        yield from _of_escalation(before.escalations.get(escalation.id), escalation, now)
    for earlier, invitation in after.changed_invitations(before):
        yield from _of_invitation(earlier, invitation, now)
    came: dict[EventKind, list[Person]] = {}
    mine = None if after.call is None else after.call.my_participant_id
    for key, entry in after.roster.items():
        if mine is not None and entry.id == mine:
            continue  # the app itself
        earlier_entry = before.roster.get(key)
        earlier_presence = Presence.UNKNOWN if earlier_entry is None else earlier_entry.presence
        kind = _PRESENCES.get(entry.presence)
        is_late = kind is EventKind.LEFT and earlier_presence is not Presence.IN_CALL
        if kind is not None and entry.presence is not earlier_presence and not is_late:
            came.setdefault(kind, []).append(Person(entry.kind, entry.identity))
    for kind, people in came.items():
        for together in _fitting(people):
            yield Event(kind, now, together)


def _fitting(people: Iterable[Person]) -> Iterator[tuple[Person, ...]]:
    """Return the people of one change together; in several parts only where a row could not hold them."""
    together: list[Person] = []
    size = 0
    for person in people:
        length = _BYTES_BESIDES + len(json.dumps(dict(person.identity)))
        if together and size + length > _MOST_BYTES:
            yield tuple(together)
            together, size = [], 0
        together.append(person)
        size += length
    if together:
        yield tuple(together)


def _of_call(before: Call | None, after: Call, now: datetime) -> Iterator[Event]:
    target = () if after.target_person is None else (_person(after.target_person),)
    called = target or tuple(_person(one) for one in after.called)
    is_ours = after.kind is not None and (before is None or before.kind is None)
    if is_ours:
        yield Event(EventKind.CALL_STARTING, now)
        if called:
            yield Event(EventKind.INVITED, now, called)
    if after.established_at is not None and (before is None or before.established_at is None):
        yield Event(EventKind.CALL_ESTABLISHED, now)
    seconds = max(0, round((now - after.created).total_seconds()))
    # What was reported before the call was known to be of this app is about the people whom it has called.
    known = None if is_ours else before
    if target and after.established_at is not None and (known is None or known.established_at is None):
        yield Event(EventKind.ANSWERED, now, target, seconds=seconds)
    earlier, present = _answered(known), _answered(after)
    if came := tuple(_person(one) for one in after.called if identity_hash(one.id) in present - earlier):
        yield Event(EventKind.ANSWERED, now, came, seconds=seconds)
    if after.has_ended and (known is None or not known.has_ended):
        missed = target or tuple(_person(one) for one in after.called if identity_hash(one.id) not in present)
        if missed and (after.established_at is None or (not target and now < after.established_at + GROUP_SETTLES)):
            yield Event(EventKind.NOT_REACHED, now, missed, result=after.result)
    if after.has_ended and (before is None or not before.has_ended):
        yield Event(EventKind.CALL_ENDED, now, result=after.result)


def _answered(call: Call | None) -> set[str]:
    """Return the hashes of those who are or were in a call, or wait in its lobby."""
    return set() if call is None else {name for name, presence in call.presence.items() if presence.has_answered}


def _of_escalation(before: Escalation | None, after: Escalation, now: datetime) -> Iterator[Event]:
    for begun in after.begun[0 if before is None else len(before.begun) :]:
        people = enumerate(after.steps[begun.step - 1].people)
        called = tuple(_person(one) for place, one in people if place not in begun.already_in)
        yield Event(
            EventKind.STEP_STARTED,
            now,
            called,
            begun.invitation_id,
            after.id,
            round=begun.round,
            step=begun.step,
        )
    if after.is_final and (before is None or not before.is_final):
        yield Event(
            EventKind.ESCALATION_ENDED,
            now,
            escalation_id=after.id,
            result=after.result,
            by_graph=False,
            outcome=after.status.value,
        )


def _of_invitation(before: Invitation | None, after: Invitation, now: datetime) -> Iterator[Event]:
    earlier = {} if before is None else _outcomes(before)
    found: dict[EventKind, list[int]] = {}
    for person, kind in _outcomes(after).items():
        if kind is not None and earlier.get(person) is not kind:
            found.setdefault(kind, []).append(person)
    operations = {person: operation for operation in after.operations for person in operation.people}
    for kind in sorted(found, key=_ORDER.__getitem__):
        people = found[kind]
        operation = operations[people[0]]
        is_over = kind not in (EventKind.INVITED, EventKind.ANSWERED)
        yield Event(
            kind,
            now,
            tuple(_person(after.participants[person]) for person in people),
            after.id,
            after.escalation_id,
            seconds=_seconds(after, operation, now) if kind is EventKind.ANSWERED else None,
            result=operation.result if is_over else None,
            by_graph=operation.decided_by is Decider.GRAPH,
        )


def _outcomes(invitation: Invitation) -> dict[int, EventKind | None]:
    """Return what is known of each person, by what is written down alone, so that the time makes no difference."""
    statuses = standing(invitation, None, _ANY_TIME).people
    return {
        person: _outcome(operation, person, statuses[person])
        for operation in invitation.operations
        for person in operation.people
    }


def _outcome(operation: Operation, person: int, status: Status) -> EventKind | None:
    match status:
        case Status.NOT_STARTED | Status.RUNNING:
            return None if isinstance(operation.state, Ended) else EventKind.INVITED  # what settles is no news
        case Status.COMPLETED:
            return EventKind.ANSWERED
        case Status.FAILED if person in operation.cancelled and operation.decided_by is not Decider.GRAPH:
            return EventKind.CANCELLED
        case Status.FAILED if operation.decided_by is Decider.WATCHDOG and _is_unknown(operation):
            return EventKind.NEVER_CONFIRMED
        case Status.FAILED:
            return EventKind.NOT_REACHED
        case _:
            return None


def _is_unknown(operation: Operation) -> bool:
    return operation.result == NEVER_CONFIRMED or operation.status is Status.COMPLETED


def _seconds(invitation: Invitation, operation: Operation, now: datetime) -> int:
    ended = operation.state.at if isinstance(operation.state, Ended) else now
    return max(0, round((ended - asked_at(invitation, operation)).total_seconds()))


def _person(invitee: Invitee) -> Person:
    return Person(invitee.kind, invitee.identity)
