"""A start: a flow's request to join a meeting or to start a call, and what became of it.

    Accepted ──▶ Waiting ──▶ Creating ──▶ InCall ──▶ Over
       └────────────┴───────────┴───────────┴──────▶ Over, as failed or stopped

``Accepted`` until the meeting's leg is reserved: Graph was not asked, so a repeat of the request goes on. ``Waiting``
for another start of the same meeting. ``Creating`` from just before Graph is asked: a create is never sent again, so a
lost response is found by the start's id and attempt in ``callbackUri``. ``InCall`` from the call's id on; what follows,
follows once the call is established.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from domain.escalation import StopWhen, escalation_id
from domain.waiting import LISTENS_AFTER, WaitingFlow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.escalation import Step
    from domain.invitation import Alarm, Invitee, KeyKind
    from domain.meeting import Meeting
    from domain.results import ResultInfo

NOT_ESTABLISHED = timedelta(minutes=10)
"""A call that is not established this long after the create is left."""
GROUP_SETTLES = timedelta(seconds=90)
"""People of a group call who are not seen this long after it was established are unconfirmed."""
THROTTLED = timedelta(minutes=2)
"""For how long what follows is tried again while Graph throttles it."""
RESPONSE_WITHIN = timedelta(seconds=20)
"""A create whose response does not come within this is taken by its callback alone."""
LOOK_AGAIN = timedelta(minutes=5)
"""An open start of which nothing becomes known is looked at again this long after."""
RETRY = timedelta(seconds=10)
CANCELLED_AGAIN = timedelta(seconds=5)
"""People whom Graph does not list yet when their start is stopped are cancelled this long after, once more."""
LEAVING = timedelta(hours=1)
"""For how long leaving a call is tried again."""
_NAMESPACE = uuid.UUID("0c9d2f0e-61f4-4f0c-9b4e-6a3a7f8f2c55")


class StartStatus(StrEnum):
    """Where a start stands."""

    STARTING = "starting"
    RUNNING = "running"
    """The call is there, and somebody may still answer."""
    COMPLETED = "completed"
    PARTIALLY_COMPLETED = "partiallyCompleted"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected."""
        return self not in (StartStatus.STARTING, StartStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The row is there, and Graph was not asked."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another start joins the same meeting."""

    on: str


@dataclass(frozen=True, slots=True)
class Creating:
    """Graph was asked to create the call, or may have been."""

    by: str
    asked: datetime
    answered: bool = False
    code: str | None = None
    """Graph's code, where its response was an error that leaves open whether it took the request."""


@dataclass(frozen=True, slots=True)
class InCall:
    """The call's id is known."""

    call_id: str
    since: datetime
    owns: bool = True
    """Whether this start made the leg; another one uses it."""
    invited: datetime | None = None
    """When what follows ``established`` was begun."""
    is_sole: bool = True
    """Whether no other leg can be in the same meeting: of one joined by its ID, Graph's response names the thread."""


@dataclass(frozen=True, slots=True)
class Over:
    """The start is final."""

    status: StartStatus
    result: ResultInfo | None
    at: datetime
    call_id: str | None = None
    may_repeat: bool = False
    """Whether Graph refused the create, so that the same key may start it again."""


Stage = Accepted | Waiting | Creating | InCall | Over


@dataclass(frozen=True, slots=True)
class Start:
    """One request to join a meeting or start a call."""

    id: str
    client_context: str
    key_kind: KeyKind
    fingerprint: str
    participants: tuple[Invitee, ...]
    stage: Stage
    created: datetime
    updated: datetime
    token: str
    alarm: Alarm
    look_at: datetime
    """When the start's own alarm has something to do next."""
    meeting: Meeting | None = None
    subject: str | None = None
    separately: bool = True
    leave_afterwards: bool = False
    steps: tuple[Step, ...] = ()
    """Who is called step by step once the call is established; they are its participants, once each."""
    stop_when: StopWhen = StopWhen.ANYONE_JOINS
    repeat: int = 0
    attempt: int = 1
    flows: tuple[WaitingFlow, ...] = ()
    to_leave: tuple[str, ...] = ()
    """Calls of this start that are still to be left, unless something else is open on them."""
    leave_at: datetime | None = None
    """When that is tried next."""
    cancel_at: datetime | None = None
    """When people whom Graph did not list when the start was stopped are cancelled once more."""

    @property
    def call_id(self) -> str | None:
        """The call, once its id is known."""
        return self.stage.call_id if isinstance(self.stage, InCall | Over) else None

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected."""
        return isinstance(self.stage, Over)

    @property
    def concluded(self) -> datetime | None:
        """When it became final; None before that."""
        return self.stage.at if isinstance(self.stage, Over) else None

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has ended it."""
        return isinstance(self.stage, Over) and self.stage.status is StartStatus.STOPPED

    @property
    def invitation_context(self) -> str:
        """The ``clientContext`` of the invitation that follows, the same whatever is repeated."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.id}/{self.attempt}"))

    @property
    def escalation_id(self) -> str | None:
        """The escalation that follows; None for a start without steps."""
        return escalation_id(self.invitation_context) if self.steps else None

    @property
    def calls_targets(self) -> bool:
        """Whether the people are called by the create itself, without a meeting."""
        return self.meeting is None


def accepted(start: Start, by: str, now: datetime, *, give_up: datetime) -> Start:
    """Return the start as it begins, or begins again: one without a meeting is about to ask Graph."""
    stage = Creating(by, now) if start.meeting is None else Accepted()
    return replace(start, stage=stage, updated=now, look_at=give_up)


def begins(start: Start, by: str, leader: str | None, now: datetime) -> Start:
    """Return an accepted start as about to ask Graph, or as waiting for the start that has its meeting's leg."""
    if not isinstance(start.stage, Accepted):
        return start
    if leader in (None, start.id):
        return replace(start, stage=Creating(by, now), updated=now)
    return replace(start, stage=Waiting(leader or ""), updated=now, look_at=now + RETRY)


def is_asking(start: Start, by: str) -> bool:
    """Return whether a run is the one that is to ask Graph for the call."""
    return isinstance(start.stage, Creating) and start.stage.by == by and not start.stage.answered


def answered(start: Start, by: str, code: str | None) -> Start:
    """Note that the create was answered, or that its response is lost: it is never sent again."""
    match start.stage:
        case Creating(by=owner) as stage if owner == by:
            return replace(start, stage=replace(stage, answered=True, code=code))
        case _:
            return start


def in_call(start: Start, call_id: str, now: datetime, *, owns: bool = True, is_sole: bool = True) -> Start:
    """Return the start with its call; unchanged where it is final or has a call already."""
    match start.stage:
        case Accepted() | Waiting() | Creating():
            return replace(start, stage=InCall(call_id, now, owns, is_sole=is_sole), updated=now)
        case InCall(is_sole=False) as stage if is_sole:
            return replace(start, stage=replace(stage, is_sole=True), updated=now)
        case _:
            return start


def listening(start: Start, may_post: bool, now: datetime) -> Start:  # noqa: FBT001 - a turn's
    """Note from when on the flow listens whose response follows this write; a turn that ``may_post`` has none."""
    if may_post:
        return start
    flows = tuple(
        replace(flow, not_before=now + LISTENS_AFTER) if flow.is_waiting and not flow.attempts else flow
        for flow in start.flows
    )
    return start if flows == start.flows else replace(start, flows=flows)


def invited(start: Start, now: datetime) -> Start:
    """Note that what follows ``established`` was begun."""
    if isinstance(start.stage, InCall) and start.stage.invited is None:
        stage = replace(start.stage, invited=now)
        return replace(start, stage=stage, updated=now, look_at=now + settles_after(start))
    return start


def settles_after(start: Start) -> timedelta:
    """Return when the people of a start in its call are looked at again."""
    return GROUP_SETTLES if start.calls_targets else LOOK_AGAIN


def ended(
    start: Start, status: StartStatus, result: ResultInfo | None, now: datetime, *, may_repeat: bool = False
) -> Start:
    """Return the start as final; one that is final stays as it is."""
    if isinstance(start.stage, Over):
        return start
    return replace(start, stage=Over(status, result, now, start.call_id, may_repeat), updated=now)


def leaving(start: Start, call_ids: Iterable[str], now: datetime) -> Start:
    """Return the start with calls that are to be left, by the run that writes this; others try it later."""
    added = [one for one in call_ids if one not in start.to_leave]
    return replace(start, to_leave=(*start.to_leave, *added), leave_at=now + RETRY) if added else start
