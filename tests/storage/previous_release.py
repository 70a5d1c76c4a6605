"""How the previous release reads rows, frozen: whatever is written now must pass through it.

Only the types of its values are simplified; which properties it reads, and what it accepts in them, is as it was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Status(StrEnum):
    NOT_STARTED = "notStarted"
    RUNNING = "running"
    COMPLETED = "completed"
    PARTIALLY_COMPLETED = "partiallyCompleted"
    FAILED = "failed"


class Verdict(StrEnum):
    GRAPH = "graph"
    REFUSAL = "refusal"
    WATCHDOG = "watchdog"


class Delivery(StrEnum):
    WAITING = "waiting"
    DUE = "due"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    UNDELIVERABLE = "undeliverable"


class KeyKind(StrEnum):
    CLIENT_CONTEXT = "clientContext"
    IDEMPOTENCY_KEY = "idempotencyKey"
    REPEATABILITY = "repeatabilityRequestId"
    FLOW = "flow"
    FRESH = "fresh"


class Presence(StrEnum):
    UNKNOWN = "unknown"
    LEFT = "left"
    IN_LOBBY = "inLobby"
    IN_CALL = "inCall"


_PRESENCES = {"c": Presence.IN_CALL, "l": Presence.IN_LOBBY, "x": Presence.LEFT, "u": Presence.UNKNOWN}


@dataclass(frozen=True)
class ResultInfo:
    code: int | None = None
    subcode: int | None = None
    message: str | None = None


@dataclass(frozen=True)
class Operation:
    client_context: str
    people: tuple[int, ...]
    status: Status
    id: str | None
    result: ResultInfo | None
    verdict: Verdict | None
    refused: bool


@dataclass(frozen=True)
class FlowCallback:
    url: str
    message_id: str
    state: Delivery
    attempts: int
    last_attempt: datetime | None
    last_status: int | None


@dataclass(frozen=True)
class Invitation:
    id: str
    call_id: str
    client_context: str
    key_kind: KeyKind
    fingerprint: str
    participants: tuple[tuple[Any, ...], ...]
    operations: tuple[Operation, ...]
    created: datetime
    updated: datetime
    asked: datetime
    token: str
    watch: str
    check_due: datetime
    callback: FlowCallback | None


@dataclass(frozen=True)
class RosterEntry:
    key: str
    kind: str
    identity: Mapping[str, Any]
    id: str | None
    presence: Presence
    is_muted: bool | None
    joined: datetime
    left: datetime | None
    sequence: int | None


@dataclass(frozen=True)
class CallState:
    call_id: str
    created: datetime
    updated: datetime
    state: str | None
    result: ResultInfo | None
    roster_sequence: int | None
    presence: Mapping[str, Presence]


def document_of(entity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a row."""
    parts = [entity["document"]]
    while (part := entity.get(f"document{len(parts)}")) is not None:
        parts.append(part)
    document: dict[str, Any] = json.loads("".join(parts))
    return document


def read_invitation(entity: Mapping[str, Any]) -> Invitation:
    """Return the invitation of a row."""
    document = document_of(entity)
    return Invitation(
        id=document["id"],
        call_id=document["callId"],
        client_context=document["clientContext"],
        key_kind=KeyKind(document["keyKind"]),
        fingerprint=document["fingerprint"],
        participants=tuple(_read_invitee(entry) for entry in document["participants"]),
        operations=tuple(_read_operation(entry) for entry in document["operations"]),
        created=datetime.fromisoformat(document["created"]),
        updated=datetime.fromisoformat(document["updated"]),
        asked=datetime.fromisoformat(document["asked"]),
        token=document["token"],
        watch=document["watch"],
        check_due=datetime.fromisoformat(document["checkDue"]),
        callback=_read_callback(document["callback"]),
    )


def read_roster_entry(entity: Mapping[str, Any]) -> RosterEntry:
    """Return the roster entry of a row."""
    document = document_of(entity)
    left = document["left"]
    return RosterEntry(
        key=document["key"],
        kind=document["kind"],
        identity=document["identity"],
        id=document["id"],
        presence=Presence(document["presence"]),
        is_muted=document["isMuted"],
        joined=datetime.fromisoformat(document["joined"]),
        left=datetime.fromisoformat(left) if left else None,
        sequence=document["sequence"],
    )


def read_call(entity: Mapping[str, Any]) -> CallState:
    """Return the call of a row."""
    document = document_of(entity)
    return CallState(
        call_id=document["callId"],
        created=datetime.fromisoformat(document["created"]),
        updated=datetime.fromisoformat(document["updated"]),
        state=document["state"],
        result=_read_result(document["result"]),
        roster_sequence=document["rosterSequence"],
        presence={name: _PRESENCES[letter] for name, letter in document["presence"].items()},
    )


def read_operation(entity: Mapping[str, Any]) -> tuple[str | None, dict[str, Any] | None]:
    """Return the invitation's id, and the report that came before Graph's response."""
    report = entity.get("report")
    return entity.get("invitation"), json.loads(report) if report else None


def _read_callback(document: dict[str, Any] | None) -> FlowCallback | None:
    if document is None:
        return None
    last_attempt = document["lastAttempt"]
    return FlowCallback(
        url=document["url"],
        message_id=document["messageId"],
        state=Delivery(document["state"]),
        attempts=document["attempts"],
        last_attempt=datetime.fromisoformat(last_attempt) if last_attempt else None,
        last_status=document["lastStatus"],
    )


def _read_invitee(document: dict[str, Any]) -> tuple[Any, ...]:
    optional = (
        "replacesCallId",
        "participantId",
        "hidden",
        "removeFromDefaultAudioRoutingGroup",
        "identitySetType",
    )
    return document["kind"], document["identity"], *map(document.get, optional)


def _read_operation(document: dict[str, Any]) -> Operation:
    verdict = document["verdict"]
    return Operation(
        client_context=document["clientContext"],
        people=tuple(document["people"]),
        status=Status(document["status"]),
        id=document["id"],
        result=_read_result(document["result"]),
        verdict=Verdict(verdict) if verdict else None,
        refused=document["refused"],
    )


def _read_result(document: list[Any] | None) -> ResultInfo | None:
    return None if document is None else ResultInfo(*document)
