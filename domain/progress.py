"""What an open invitation waits for, what is due by its row, and when its alarm has to come.

Due is a state, not an event: ``decide`` looks at the row alone, so a run that reads a due and unclaimed outcome claims
it, whichever run wrote it. Everything open has one alarm, for the earliest time that anything in it waits for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.invitation import Asked, Invitation, Late
from domain.standing import has_ended, needs_settling, settle, settles_at
from domain.transitions import taken_over
from domain.waiting import claimed

if TYPE_CHECKING:
    from datetime import datetime

    from domain.call import Call
    from domain.invitation import Alarm

EARLY = timedelta(seconds=30)
"""An alarm that somebody waits for is visible this long before its time: waking the app falls into the waiting."""
SECOND = timedelta(seconds=20)
"""Such an alarm has a second message this long after its time, since a killed run hides its message."""
YOUNG = timedelta(seconds=30)
"""A message that no row names yet comes back while it is younger than this."""
LATE_NAMING = timedelta(seconds=20)
"""A message that is named later than this after it was sent is sent again: the first may have been dropped."""
WAITED_FOR = timedelta(seconds=2)
"""A POST that can begin within this is waited for instead of left to the alarm."""
OVERDUE = timedelta(seconds=60)
"""An alarm that is overdue by this is taken to be lost."""


@dataclass(frozen=True, slots=True)
class Run:
    """Who acts, and until when: a request that has just arrived, or the run of a queue message."""

    me: str
    post_begins_before: datetime
    """No POST and no further Graph request begins after this."""
    post_limit: datetime
    """When a POST that begins now is cut."""
    is_message: bool = False
    alarm: str | None = None
    """The name of the message that this run handles."""


@dataclass(frozen=True, slots=True)
class Due:
    """The earliest time that an open thing waits for."""

    time: datetime
    is_waited_for: bool = False
    """Whether a person or a flow waits for it."""


def decide(invitation: Invitation, call: Call | None, run: Run, now: datetime) -> Invitation:
    """Return the invitation with what is due settled, taken over or claimed by this run."""
    invitation = settle(invitation, call, now)
    # What a step has not begun is sent by its escalation alone, which knows whether the step still runs.
    if run.is_message and now < run.post_begins_before and invitation.escalation_id is None:
        invitation = taken_over(invitation, run.me, now)
    if not has_ended(invitation, now):
        return invitation
    # A flow that listens in a moment is waited for.
    until = min(run.post_begins_before, now + WAITED_FOR)
    flows = tuple(
        claimed(flow, run.me, run.post_limit) if now < until and flow.may_be_claimed(now, until=until) else flow
        for flow in invitation.flows
    )
    return invitation if flows == invitation.flows else replace(invitation, flows=flows)


def is_open(invitation: Invitation, now: datetime) -> bool:
    """Return whether anything is still to happen: an outcome that is to be written, or the notification of a flow."""
    is_settled = not any(map(needs_settling, invitation.operations))
    return not has_ended(invitation, now) or not is_settled or any(flow.is_waiting for flow in invitation.flows)


def earliest(invitation: Invitation, now: datetime, *, is_message: bool) -> Due | None:
    """Return what an open invitation waits for next; None where it is not open.

    A request's own claim adds no message: the pending alarm finds what a killed request left.
    """
    if not is_open(invitation, now):
        return None
    waiting = [flow for flow in invitation.flows if flow.is_waiting]
    times: list[Due] = []
    states = [operation.state for operation in invitation.operations]
    if any(isinstance(state, Late) for state in states):
        times.append(Due(now))
    if not all(operation.status.is_final for operation in invitation.operations):
        times.append(Due(max(now, invitation.watch_at)))
    elif not has_ended(invitation, now):
        at = settles_at(invitation) or now
        is_waited_for = bool(waiting) or invitation.start_id is not None
        times.append(Due(at, is_waited_for=True) if is_waited_for else Due(max(at, invitation.alarm.time)))
    else:
        times += [Due(flow.due(now)) for flow in waiting if is_message or flow.claim is None]
    return min(times, key=lambda due: due.time, default=None)


def asking_places(invitation: Invitation, me: str) -> list[int]:
    """Return the operations that this run is to send to Graph."""
    if invitation.asked_by != me:
        return []
    operations = enumerate(invitation.operations)
    return [place for place, operation in operations if operation.state == Asked(answered=False)]


def alarm_needed(due: Due | None, run: Run, now: datetime, pending: Alarm, *, was_open: bool | None) -> Due | None:
    """Return the alarm to send before a thing is written; None where the pending one stays.

    Args:
        due: what the thing waits for next, as it is to be written.
        run: who writes.
        now: the time.
        pending: the alarm that the row names.
        was_open: whether the thing was open as it was read; None where it is inserted.
    """
    if due is None or was_open is None:
        return due
    if not was_open:
        return due  # its alarm may have seen it closed, and gone
    if run.alarm is not None and pending.name == run.alarm:
        return due  # only the message that the row names sends a successor
    overdue = run.is_message and pending.time + OVERDUE <= now
    return due if due.time < pending.time or overdue else None
