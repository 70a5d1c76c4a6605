"""States to begin a test with, and the forms in which Graph speaks of people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.model import (
    CallState,
    Invitation,
    Invitee,
    KeyKind,
    Operation,
    Presence,
    ResultInfo,
    RosterEntry,
)
from graph.wire import OperationState
from storage import rows

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CALL = "57dab8b1-894c-409a-b240-bd8beae78896"
BUSY = ResultInfo(486, 560486, "busy")
FINE = ResultInfo(200, None, None)


def later(seconds: float) -> datetime:
    """Return a moment after noon."""
    return NOON + timedelta(seconds=seconds)


def user(name: str) -> Invitee:
    """Return an invited user; the id need not be a GUID inside the walls."""
    return Invitee("user", {"id": name})


def operation(*people: int, **members: Any) -> Operation:
    """Return an operation for people at these places, running unless it is said otherwise."""
    return replace(Operation("context", people or (0,)), **members)


def invitation(*operations: Operation, people: int | None = None, **members: Any) -> Invitation:
    """Return an invitation of Alice, Bob, Carol, ... with its operations; one that runs where none is given."""
    operations = operations or (operation(0),)
    count = people or max(place for entry in operations for place in entry.people) + 1
    names = ("alice", "bob", "carol", *(f"person {place}" for place in range(3, count)))
    made = Invitation(
        id=rows.invitation_id("context"),
        call_id=CALL,
        client_context="context",
        key_kind=KeyKind.CLIENT_CONTEXT,
        fingerprint="fingerprint",
        participants=tuple(user(name) for name in names[:count]),
        operations=operations,
        created=NOON,
        updated=NOON,
        asked=NOON,
        token="t" * 43,
        watch="watch",
        check_due=later(120),
    )
    return replace(made, **members)


def says(status: str | None = None, result: ResultInfo | None = None, **members: str | None) -> OperationState:
    """Return Graph's word about an operation."""
    return OperationState(members.get("id"), members.get("client_context"), status, result)


def call_state(**members: Any) -> CallState:
    """Return a call of which nothing is known yet."""
    return replace(CallState(CALL, NOON, NOON), **members)


def entry(key: str, presence: Presence = Presence.IN_CALL, **members: Any) -> RosterEntry:
    """Return somebody in the roster, who has been there since noon."""
    made = RosterEntry(key, "user", {"id": key}, key, presence, None, NOON)
    return replace(made, **members)


def participant(identity_id: str | None, *, kind: str = "user", **members: Any) -> dict[str, Any]:
    """Return a participant entity as Graph sends it."""
    identity = {} if identity_id is None else {kind: {"@odata.type": "#microsoft.graph.identity", "id": identity_id}}
    return {
        "@odata.type": "#microsoft.graph.participant",
        "info": {"@odata.type": "#microsoft.graph.participantInfo", "identity": identity},
        "isInLobby": False,
        "isMuted": True,
        **members,
    }
