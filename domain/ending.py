"""What the state of a call does to all that is known of it: its end ends open operations, and everybody has left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from domain.call import CallState, Presence, everybody_left, reported
from domain.inference import SEEN_IN_CALL, call_ended
from domain.invitation import Status
from domain.standing import joined_people, needs_settling
from domain.transitions import change_operations, concluded

if TYPE_CHECKING:
    from datetime import datetime

    from domain.call import Call
    from domain.invitation import Invitation, Operation
    from domain.record import CallRecord
    from domain.results import ResultInfo


def apply_call_state(record: CallRecord, state: CallState, result: ResultInfo | None, now: datetime) -> CallRecord:
    """Return the record after a state of its call became known, from a report, a read or a request of this app."""
    record = record.with_call(reported(record.call_or_new(now), state, result, now))
    if state is not CallState.TERMINATED:
        return record
    # The end may be reported again because not all of it could be written the first time.
    end = call_ended(record.call.result if record.call is not None else result)
    for invitation in list(record.invitations.values()):
        record = record.with_invitation(_over(invitation, record.call, end, now))
    return without_people(record, now)


def _over(invitation: Invitation, call: Call | None, end: ResultInfo, now: datetime) -> Invitation:
    """End what is open: who was in the call has come, though the report of it was lost or is late."""

    def over(operation: Operation) -> Operation:
        came = joined_people(invitation, operation, call)
        if came:
            return concluded(operation, Status.COMPLETED, SEEN_IN_CALL, now, seen=came)
        return concluded(operation, Status.FAILED, end, now)

    return change_operations(invitation, now, over)


def without_people(record: CallRecord, now: datetime) -> CallRecord:
    """Return the record with everybody gone where its call has ended, also whom a late roster shows."""
    if record.call is None or not record.call.has_ended:
        return record
    gone = {
        key: replace(entry, presence=Presence.LEFT if entry.was_in else Presence.UNKNOWN, left=now)
        for key, entry in record.roster.items()
        if entry.is_listed
    }
    return record.with_call(everybody_left(record.call)).with_roster(gone)


def with_settling(record: CallRecord, now: datetime) -> CallRecord:
    """Return the record with its call naming the invitations that the next roster settles, which are then read."""
    open_ones = {one.id for one in record.invitations.values() if any(map(needs_settling, one.operations))}
    before = record.call.settling if record.call is not None else ()
    kept = tuple(one for one in before if one not in record.invitations or one in open_ones)
    after = (*kept, *sorted(open_ones - set(kept)))
    if after == before:
        return record
    return record.with_call(replace(record.call_or_new(now), settling=after))
