"""An invitation: the people, the Graph requests they need, and what became of each request.

Every operation has one tagged state that names who concluded it:

    Late ──▶ Asked ──▶ Ended by Graph, the watchdog, or the end of the call
              └──────▶ Refused, which the same key may ask again

``Late`` was not sent within the time of its request; a message on the queue sends it. ``Asked`` was sent, or may have
been: it is never sent again. What Graph itself reported as final stays; Graph's report replaces every other end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domain.results import ResultInfo
    from domain.waiting import WaitingFlow


class Status(StrEnum):
    """Where a person, an operation or an invitation stands; Graph's words, and two of this app."""

    NOT_STARTED = "notStarted"
    RUNNING = "running"
    COMPLETED = "completed"
    UNCONFIRMED = "unconfirmed"
    """Of a person: their operation completed, and no roster has shown them."""
    PARTIALLY_COMPLETED = "partiallyCompleted"
    """Of an invitation: its people ended differently."""
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected."""
        return self not in (Status.NOT_STARTED, Status.RUNNING)


class KeyKind(StrEnum):
    """Where an invitation's key came from, in the order in which they count."""

    CLIENT_CONTEXT = "clientContext"
    IDEMPOTENCY_KEY = "idempotencyKey"
    REPEATABILITY = "repeatabilityRequestId"
    FLOW = "flow"
    FRESH = "fresh"


class Decider(StrEnum):
    """Who concluded that an operation has ended."""

    GRAPH = "graph"
    WATCHDOG = "watchdog"
    """Inferred from what Graph shows, or from the end of the call: Graph's later report replaces it."""
    REFUSAL = "refusal"
    """Graph refused the request."""


@dataclass(frozen=True, slots=True)
class Invitee:
    """One person to be brought into the call."""

    kind: str
    """The identity's property in Graph's identity set: ``user``, ``phone``, ``guest``, ..."""
    identity: Mapping[str, str]
    """The identity's own properties, ``id`` among them, under Graph's names."""
    replaces_call_id: str | None = None
    participant_id: str | None = None
    hidden: bool | None = None
    remove_from_default_audio_routing_group: bool | None = None
    identity_set_type: str | None = None
    """The caller's own ``@odata.type`` of the identity set, where given."""

    @property
    def id(self) -> str:
        """The identity's id: an Entra object id, a number in E.164, or what the kind uses."""
        return self.identity["id"]

    @property
    def goes_alone(self) -> bool:
        """Whether Graph would read only this person of a request and drop the others."""
        return self.replaces_call_id is not None or self.participant_id is not None


@dataclass(frozen=True, slots=True)
class Late:
    """Not sent to Graph yet; a message on the queue sends it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Sent to Graph, or maybe sent: never sent again."""

    answered: bool = True
    """Whether what Graph answered, or that it did not answer, is written down."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Graph refused the request before taking it."""

    result: ResultInfo
    final: bool
    """Whether nothing sends it again by itself; the same key may."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The operation is over."""

    status: Status
    """``completed`` or ``failed``."""
    result: ResultInfo | None
    by: Decider
    at: datetime
    seen: tuple[int, ...] | None = None
    """Of an operation with several people: who was seen when it settled; None before that."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One Graph request of an invitation."""

    client_context: str
    """What this request carries to Graph, and Graph's reports carry back."""
    people: tuple[int, ...]
    """Indexes in the invitation's ``participants``."""
    state: Late | Asked | Refused | Ended = field(default_factory=lambda: Asked(answered=False))
    id: str | None = None
    """Graph's operation id, once known."""
    cancelled: tuple[int, ...] = ()
    """People whose call was cancelled while their device rang."""
    asked: datetime | None = None
    """When it was asked again after a refusal; None where it was asked with the invitation."""

    @property
    def status(self) -> Status:
        """The operation's status, in Graph's words."""
        match self.state:
            case Late():
                return Status.NOT_STARTED
            case Asked():
                return Status.RUNNING
            case Refused(final=final):
                return Status.FAILED if final else Status.NOT_STARTED
            case Ended(status=status):
                return status

    @property
    def result(self) -> ResultInfo | None:
        """Why it was refused or how it ended."""
        return self.state.result if isinstance(self.state, Refused | Ended) else None

    @property
    def decided_by(self) -> Decider | None:
        """Who concluded that it is over; None while it is not."""
        match self.state:
            case Ended(by=by):
                return by
            case Refused(final=True):
                return Decider.REFUSAL
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Alarm:
    """The one pending queue message that looks after an open thing."""

    name: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """One request of a flow to bring people into a call."""

    id: str
    call_id: str
    client_context: str
    key_kind: KeyKind
    fingerprint: str
    """Hash of the validated body: the same key with another one is a mistake of the caller."""
    participants: tuple[Invitee, ...]
    operations: tuple[Operation, ...]
    created: datetime
    updated: datetime
    asked: datetime
    """When Graph was last asked, or was about to be: ringing can't have begun later."""
    asked_by: str
    """Names the run that asks, so that a late writer recognises that another has taken over."""
    token: str
    """Random part of the URL at which a flow polls."""
    alarm: Alarm
    watch_at: datetime
    """When the watchdog asks Graph next, while an operation is running."""
    flows: tuple[WaitingFlow, ...] = ()
    """Flows that wait for the outcome at a URL of their own."""
    start_id: str | None = None
    """The start that waits for its outcome."""
    escalation_id: str | None = None
    """The escalation whose step it is, and whose alarm looks after it."""
