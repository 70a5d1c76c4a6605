"""Invitations and rosters as plain, frozen values; how they change is in ``transitions`` and ``roster``."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from graph.wire import ResultInfo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = [
    "CallState",
    "Delivery",
    "FlowCallback",
    "Invitation",
    "Invitee",
    "KeyKind",
    "Operation",
    "Presence",
    "ResultInfo",
    "RosterEntry",
    "Status",
    "Verdict",
]


class Status(StrEnum):
    """Where an operation or a whole invitation stands; the words are Graph's, but for ``partiallyCompleted``."""

    NOT_STARTED = "notStarted"
    RUNNING = "running"
    COMPLETED = "completed"
    PARTIALLY_COMPLETED = "partiallyCompleted"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to come, as far as is known now."""
        return self not in (Status.NOT_STARTED, Status.RUNNING)


class Verdict(StrEnum):
    """Who said that an operation is final."""

    GRAPH = "graph"
    """Graph itself, in a report, an answer or a read: never changed again."""
    REFUSAL = "refusal"
    """Graph refused the request before taking it: the same key may send it again."""
    WATCHDOG = "watchdog"
    """Concluded from circumstances: Graph's later word wins."""


class Delivery(StrEnum):
    """How far telling a flow its outcome has come."""

    WAITING = "waiting"
    """There is no outcome yet."""
    DUE = "due"
    """There is one, and a queued message is to deliver it."""
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    """The flow no longer waits."""
    UNDELIVERABLE = "undeliverable"
    """The flow's address is gone, or did not take it for a whole day."""


class KeyKind(StrEnum):
    """Where an invitation's key came from, in the order in which they count."""

    CLIENT_CONTEXT = "clientContext"
    IDEMPOTENCY_KEY = "idempotencyKey"
    REPEATABILITY = "repeatabilityRequestId"
    FLOW = "flow"
    FRESH = "fresh"


class Presence(StrEnum):
    """Whether an invited person is in the call, by the roster; the strongest of several endpoints counts."""

    UNKNOWN = "unknown"
    LEFT = "left"
    IN_LOBBY = "inLobby"
    IN_CALL = "inCall"


@dataclass(frozen=True, slots=True)
class Invitee:
    """One person, or telephone, to be brought into the call."""

    kind: str
    """The identity's member in Graph's identity set: ``user``, ``phone``, ``guest``, ..."""
    identity: Mapping[str, str]
    """The identity's own members, ``id`` among them, under Graph's names."""
    replaces_call_id: str | None = None
    participant_id: str | None = None
    hidden: bool | None = None
    remove_from_default_audio_routing_group: bool | None = None
    identity_set_type: str | None = None
    """The caller's own ``@odata.type`` of the identity set, where it gave one."""

    @property
    def id(self) -> str:
        """The identity's id: an Entra object id, a number in E.164, or what the kind uses."""
        return self.identity["id"]

    @property
    def goes_alone(self) -> bool:
        """Whether Graph would read only this person of a request and drop the others."""
        return self.replaces_call_id is not None or self.participant_id is not None


@dataclass(frozen=True, slots=True)
class Operation:
    """One Graph request of an invitation and what became of it."""

    client_context: str
    """What this request carries to Graph, and Graph's reports carry back."""
    people: tuple[int, ...]
    """Places in the invitation's ``participants``."""
    status: Status = Status.RUNNING
    id: str | None = None
    """Graph's operation id, once known."""
    result: ResultInfo | None = None
    verdict: Verdict | None = None
    refused: bool = False
    """Graph surely has not taken this request, so it may be sent again."""


@dataclass(frozen=True, slots=True)
class FlowCallback:
    """Where a flow waits for the outcome, and how far telling it has come."""

    url: str
    """Opens the flow: a secret."""
    message_id: str
    """Names the outcome to its receiver, the same over all tries."""
    state: Delivery
    attempts: int = 0
    """How often delivery was tried; a queued message of another number is out of date."""
    last_attempt: datetime | None = None
    last_status: int | None = None
    """What the flow's address answered, None where it did not."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """One request of a flow to bring people into a call: the row that everything else refers to."""

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
    token: str
    """Random part of the address at which a flow waits."""
    watch: str
    """Names the watchdog's message that counts: every other message about this invitation is out of date."""
    check_due: datetime
    """When the watchdog is expected to look."""
    callback: FlowCallback | None = None


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """One participant of a call, as Graph last reported them."""

    key: str
    kind: str
    identity: Mapping[str, Any]
    id: str | None
    presence: Presence
    is_muted: bool | None
    joined: datetime
    """When a roster first showed them."""
    left: datetime | None = None
    sequence: int | None = None
    """The ``sequenceNumber`` of the delta that last spoke of them."""


@dataclass(frozen=True, slots=True)
class CallState:
    """A call as Graph last reported it."""

    call_id: str
    created: datetime
    updated: datetime
    state: str | None = None
    result: ResultInfo | None = None
    roster_sequence: int | None = None
    """The highest ``rosterSequenceNumber`` of the roster that counts."""
    presence: Mapping[str, Presence] = field(default_factory=dict)
    """Presence by hash of identity id, so that reading an invitation needs no roster."""
