"""States to begin a test with, and the forms in which Graph reports people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.call import Call, Presence
from domain.contexts import invitation_id
from domain.invitation import (
    Alarm,
    Asked,
    Decider,
    Ended,
    Invitation,
    Invitee,
    KeyKind,
    Late,
    Operation,
    Refused,
    Status,
)
from domain.results import OperationState, ResultInfo
from domain.roster import RosterEntry, identity_hash
from domain.waiting import WaitingFlow

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CALL = "57dab8b1-894c-409a-b240-bd8beae78896"
FLOW = "https://prod-01.westeurope.logic.azure.com/workflows/1?sig=s3cr3t"
BUSY = ResultInfo(486, 560486, "busy")
FINE = ResultInfo(200, None, None)
NAMES = ("alice", "bob", "carol")


def later(seconds: float) -> datetime:
    """Return a time after noon."""
    return NOON + timedelta(seconds=seconds)


def user(name: str) -> Invitee:
    """Return an invited user; only requests are held to GUIDs."""
    return Invitee("user", {"id": name})


State = Late | Asked | Refused | Ended


def completed(
    result: ResultInfo | None = FINE,
    *,
    by: Decider = Decider.GRAPH,
    at: datetime = NOON,
    seen: tuple[int, ...] | None = None,
) -> Ended:
    """Return the state of an operation that has completed."""
    return Ended(Status.COMPLETED, result, by, at, seen)


def failed(
    result: ResultInfo | None = BUSY,
    *,
    by: Decider = Decider.GRAPH,
    at: datetime = NOON,
    seen: tuple[int, ...] | None = None,
) -> Ended:
    """Return the state of an operation that has failed."""
    return Ended(Status.FAILED, result, by, at, seen)


def operation(*people: int, state: State | None = None, **members: Any) -> Operation:
    """Return an operation for people at these places; it is running by default."""
    return replace(Operation("context", people or (0,), state or Asked()), **members)


def invitation(*operations: Operation, people: int | None = None, **members: Any) -> Invitation:
    """Return an invitation of Alice, Bob, Carol, ... with its operations; with one that runs by default."""
    operations = operations or (operation(0),)
    count = people or max(place for entry in operations for place in entry.people) + 1
    names = (*NAMES, *(f"person {place}" for place in range(len(NAMES), count)))
    made = Invitation(
        id=invitation_id("context"),
        call_id=CALL,
        client_context="context",
        key_kind=KeyKind.CLIENT_CONTEXT,
        fingerprint="fingerprint",
        participants=tuple(user(name) for name in names[:count]),
        operations=operations,
        created=NOON,
        updated=NOON,
        asked=NOON,
        asked_by="",
        token="t" * 43,
        alarm=Alarm("watch", later(120)),
        watch_at=later(120),
    )
    return replace(made, **members)


def flow(**members: Any) -> WaitingFlow:
    """Return a flow that waits and may be notified at once."""
    return replace(WaitingFlow(FLOW, "msg_1", token="f" * 43, subscribed=NOON), **members)


def says(status: str | None = None, result: ResultInfo | None = None, **members: str | None) -> OperationState:
    """Return what Graph reports of an operation."""
    return OperationState(members.get("id"), members.get("client_context"), status, result)


def call(**members: Any) -> Call:
    """Return a call of which nothing is known yet."""
    return replace(Call(CALL, NOON, NOON), **members)


def call_with(at: datetime = NOON, **presence: Presence) -> Call:
    """Return a call whose roster showed these people at a time."""
    return call(
        presence={identity_hash(name): value for name, value in presence.items()},
        shown={identity_hash(name): at for name in presence},
        roster_at=at,
    )


def entry(key: str, presence: Presence = Presence.IN_CALL, **members: Any) -> RosterEntry:
    """Return a person in the roster, there since noon."""
    was_in = presence in (Presence.IN_CALL, Presence.LEFT)
    made = RosterEntry(key, "user", {"id": key}, key, presence, None, NOON, was_in=was_in)
    return replace(made, **members)


def participant(identity_id: str | None, *, kind: str = "user", **members: Any) -> dict[str, Any]:
    """Return a participant entity as Graph sends it; with audio, so in the call."""
    identity = {} if identity_id is None else {kind: {"@odata.type": "#microsoft.graph.identity", "id": identity_id}}
    return {
        "@odata.type": "#microsoft.graph.participant",
        "info": {"@odata.type": "#microsoft.graph.participantInfo", "identity": identity},
        "isInLobby": False,
        "isMuted": True,
        "mediaStreams": [{"mediaType": "audio", "direction": "sendReceive"}],
        **members,
    }
