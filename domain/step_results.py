"""Where the steps of an escalation stand: who has joined, and whether a step is won or lost.

A person has joined whose operation has completed, or whom a roster shows in the call, or showed there since the step
began; the lobby alone is not the call, also for a person who gave up waiting there.
Each person is listed once, in the step that reached them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.call import Presence
from domain.escalation import Begun, Escalation, Joined, StopWhen
from domain.invitation import Invitee, Status
from domain.roster import identity_hash
from domain.standing import presence_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from domain.call import Call
    from domain.record import CallRecord


def people_of(escalation: Escalation, begun: Begun) -> tuple[Invitee, ...]:
    """Return the people of a step."""
    return escalation.steps[begun.step - 1].people


def statuses_of(escalation: Escalation, begun: Begun, record: CallRecord) -> list[Status]:
    """Return where each person of a step stands; each has a Graph request of their own."""
    invitation = record.invitations.get(begun.invitation_id or "")
    found, index = [], 0
    for person in range(len(people_of(escalation, begun))):
        if person in begun.already_in:
            found.append(Status.COMPLETED)
        elif begun.invitation_id is None:
            found.append(Status.NOT_STARTED)
        else:
            found.append(Status.RUNNING if invitation is None else invitation.operations[index].status)
            index += 1
    return found


def joined_people(escalation: Escalation, record: CallRecord) -> tuple[Joined, ...]:
    """Return who has joined so far; it only grows."""
    joined = list(escalation.joined)
    known = _names(escalation)
    for begun, person in (*_completed(escalation, record), *_present(escalation, record)):
        name = identity_hash(people_of(escalation, begun)[person].id)
        if name not in known:
            known.add(name)
            joined.append(Joined(begun.round, begun.step, person))
    return tuple(joined)


def _completed(escalation: Escalation, record: CallRecord) -> Iterator[tuple[Begun, int]]:
    for begun in escalation.begun:
        for person, status in enumerate(statuses_of(escalation, begun, record)):
            invitee = people_of(escalation, begun)[person]
            if status is Status.COMPLETED and not _only_waited(record.call, invitee, begun.started):
                yield begun, person


def _present(escalation: Escalation, record: CallRecord) -> Iterator[tuple[Begun, int]]:
    """Find who is, or was, in the call, whatever was reported of the request; the latest one has brought them."""
    for begun in reversed(escalation.begun):
        for person, invitee in enumerate(people_of(escalation, begun)):
            if _was_in(record.call, invitee, begun.started):
                yield begun, person


def _was_in(call: Call | None, invitee: Invitee, since: datetime) -> bool:
    """Return whether a person is in the call, or was since a time: they may leave before anything else looks."""
    presence = presence_of(call, invitee.id)
    return presence is Presence.IN_CALL or (presence is Presence.LEFT and _was_shown(call, invitee, since))


def _only_waited(call: Call | None, invitee: Invitee, since: datetime) -> bool:
    """Return whether a person waits in the lobby, or waited there since a time and gave up."""
    presence = presence_of(call, invitee.id)
    return presence is Presence.IN_LOBBY or (presence is Presence.UNKNOWN and _was_shown(call, invitee, since))


def _was_shown(call: Call | None, invitee: Invitee, since: datetime) -> bool:
    shown = None if call is None else call.shown.get(identity_hash(invitee.id))
    return shown is not None and shown >= since


def is_won(escalation: Escalation) -> bool:
    """Return whether enough people of a step that was begun have joined."""
    names = _names(escalation)
    if escalation.stop_when is StopWhen.ANYONE_JOINS:
        return bool(names)
    return any(
        all(identity_hash(one.id) in names for one in people_of(escalation, begun)) for begun in escalation.begun
    )


def is_lost(escalation: Escalation, record: CallRecord, now: datetime) -> bool:
    """Return whether the current step can no longer be won, or its time is over."""
    current = escalation.current
    if current is None or now >= current.ends:
        return True
    names = _names(escalation)
    people = zip(people_of(escalation, current), statuses_of(escalation, current, record), strict=True)
    failed = [status is Status.FAILED and identity_hash(one.id) not in names for one, status in people]
    return any(failed) if escalation.stop_when is StopWhen.WHOLE_STEP_JOINS else all(failed)


def may_still_join(escalation: Escalation) -> bool:
    """Return whether a person of a step that was begun has not joined."""
    people = {identity_hash(one.id) for begun in escalation.begun for one in people_of(escalation, begun)}
    return not people <= _names(escalation)


def _names(escalation: Escalation) -> set[str]:
    return {identity_hash(escalation.steps[one.step - 1].people[one.person].id) for one in escalation.joined}
