"""Who is called next: people are called step by step, in rounds, until somebody joins.

    running ──▶ completed   enough people of a step have joined
       │──────▶ failed      the last step of the last round is lost, or the call has ended
       └──────▶ stopped

How it changes is in ``domain.steps``, where its steps stand in ``domain.step_results``; what it waits for is here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from domain.contexts import invitation_id
from domain.invitation import Alarm, Asked, Invitation, Invitee, KeyKind, Late, Refused

if TYPE_CHECKING:
    from domain.record import CallRecord
    from domain.results import ResultInfo
    from domain.waiting import Claim, WaitingFlow

CANCEL_AGAIN = timedelta(seconds=5)
CANCEL_TRIES = 2
THROTTLED_AGAIN = timedelta(seconds=5)


class StopWhen(StrEnum):
    """When a step is won."""

    ANYONE_JOINS = "anyoneJoins"
    WHOLE_STEP_JOINS = "wholeStepJoins"


class EscalationStatus(StrEnum):
    """Where an escalation stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


class StepStatus(StrEnum):
    """Where a step of the current round stands."""

    NOT_STARTED = "notStarted"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """The people who are called together, and how long the step waits for them."""

    people: tuple[Invitee, ...]
    wait_seconds: int = 45


@dataclass(frozen=True, slots=True)
class Begun:
    """A step of a round that was begun."""

    round: int
    step: int
    """From 1."""
    started: datetime
    ends: datetime
    invitation_id: str | None
    """None where everybody of the step was in the call already."""
    already_in: tuple[int, ...] = ()
    """People of the step who were in the call when it began, and were not called."""
    ended: datetime | None = None
    status: StepStatus = StepStatus.RUNNING


@dataclass(frozen=True, slots=True)
class Joined:
    """A person who joined."""

    round: int
    step: int
    person: int
    """Index in the step's people."""


@dataclass(frozen=True, slots=True)
class Cancelling:
    """A person whose call is to be cancelled, if their device still rings."""

    invitation_id: str
    person: int
    """Index in the invitation's participants."""
    tries: int
    not_before: datetime
    claim: Claim | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether a run may claim it now."""
        return self.not_before <= now and (self.claim is None or self.claim.until <= now)


@dataclass(frozen=True, slots=True)
class Escalation:
    """One request to call people until somebody joins."""

    id: str
    call_id: str
    client_context: str
    key_kind: KeyKind
    fingerprint: str
    steps: tuple[Step, ...]
    token: str
    created: datetime
    updated: datetime
    alarm: Alarm
    stop_when: StopWhen = StopWhen.ANYONE_JOINS
    repeat: int = 0
    """How many further rounds through all steps before it fails."""
    status: EscalationStatus = EscalationStatus.RUNNING
    result: ResultInfo | None = None
    begun: tuple[Begun, ...] = ()
    joined: tuple[Joined, ...] = ()
    cancelling: tuple[Cancelling, ...] = ()
    flows: tuple[WaitingFlow, ...] = ()
    start_id: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether no further person is called."""
        return self.status is not EscalationStatus.RUNNING

    @property
    def concluded(self) -> datetime | None:
        """When its last step ended, or when it was made where none began; None while it runs."""
        ends = [begun.ended for begun in self.begun if begun.ended is not None]
        return max(ends, default=self.created) if self.is_final else None

    @property
    def current(self) -> Begun | None:
        """The step that was begun last."""
        return self.begun[-1] if self.begun else None


def everybody(steps: tuple[Step, ...]) -> tuple[Invitee, ...]:
    """Return the people of all steps, once each."""
    found: dict[tuple[str, str], Invitee] = {}
    for invitee in (one for step in steps for one in step.people):
        found.setdefault((invitee.kind, invitee.id.casefold()), invitee)
    return tuple(found.values())


def escalation_id(context: str) -> str:
    """Return the id of the escalation with a client context; it differs from that of an invitation with the same."""
    return invitation_id(f"escalation|{context}")


def was_cancelled(
    escalation: Escalation, me: str, done: frozenset[tuple[str, int]], again: frozenset[tuple[str, int]], now: datetime
) -> Escalation:
    """Return the escalation after this run tried to cancel: who is not listed yet is tried once more."""
    left = []
    for one in escalation.cancelling:
        key = (one.invitation_id, one.person)
        is_mine = one.claim is not None and one.claim.owner == me
        if not is_mine:
            left.append(one)
        elif key not in done and key not in again:
            left.append(replace(one, claim=None))  # there was no time to begin
        elif key in again and one.tries > 1:
            left.append(replace(one, tries=one.tries - 1, not_before=now + CANCEL_AGAIN, claim=None))
    return replace(escalation, cancelling=tuple(left)) if tuple(left) != escalation.cancelling else escalation


def is_open(escalation: Escalation, record: CallRecord) -> bool:
    """Return whether anything is still to happen: an outcome, a notification, a cancelling, or a person's end."""
    return (
        not escalation.is_final
        or bool(escalation.cancelling)
        or any(flow.is_waiting for flow in escalation.flows)
        or bool(_unfinished(escalation, record))
    )


def _unfinished(escalation: Escalation, record: CallRecord) -> list[Invitation]:
    ids = (begun.invitation_id for begun in escalation.begun if begun.invitation_id is not None)
    found = (record.invitations.get(one) for one in ids)
    return [one for one in found if one is not None and not all(each.status.is_final for each in one.operations)]


def earliest(
    escalation: Escalation, record: CallRecord, now: datetime, *, is_message: bool
) -> tuple[datetime, bool] | None:
    """Return what an open escalation waits for next, and whether people wait for it; None where it is not open."""
    times: list[tuple[datetime, bool]] = []
    current = escalation.current
    if not escalation.is_final and current is not None:
        times.append((current.ends, True))
    for invitation in _unfinished(escalation, record):
        states = [operation.state for operation in invitation.operations]
        if any(isinstance(state, Late) for state in states):
            times.append((now, False))
        if any(isinstance(state, Refused) and not state.final for state in states) and not escalation.is_final:
            times.append((max(now, invitation.updated + THROTTLED_AGAIN), False))
        if any(isinstance(state, Asked) for state in states) or escalation.is_final:
            times.append((max(now, invitation.watch_at), False))
    times += [
        (max(now, one.not_before, one.claim.until if one.claim else now), False)
        for one in escalation.cancelling
        if is_message or one.claim is None
    ]
    if escalation.is_final:
        waiting = [flow for flow in escalation.flows if flow.is_waiting]
        times += [(flow.due(now), False) for flow in waiting if is_message or flow.claim is None]
    return min(times, key=lambda one: one[0], default=None)
