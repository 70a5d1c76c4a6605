"""The parts of an answer of ``live``, each in the form of its own GET."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

CALL_ID = "2f1a5c7e-3b9d-4c21-8f60-9a4d2e7b1c03"

Person = dict[str, Any]


def user(name: str | None, person_id: str | None = None) -> Person:
    """Return the identity of a user; without a name, as Graph gives some."""
    identity = {"id": person_id or f"id-of-{(name or 'a user').lower().replace(' ', '-')}"}
    return {"user": identity | ({"displayName": name} if name else {})}


def phone(number: str) -> Person:
    """Return the identity of a phone."""
    return {"phone": {"id": number}}


class Moment:
    """A time, and those around it, as the app writes them."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC)

    def ago(self, seconds: float) -> str:
        """Return the time so many seconds before, as ``2026-01-31T12:00:00.000Z``."""
        before = self.now - timedelta(seconds=seconds)
        return before.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def call(moment: Moment, *, state: str = "established", began: float = 0, ended: float | None = None) -> dict[str, Any]:
    """Return a call as get_call does, without ``pageUrl``."""
    view: dict[str, Any] = {
        "id": CALL_ID,
        "title": "Payments are failing in Western Europe",
        "state": state,
        "direction": "outgoing",
        "subject": "Payments are failing in Western Europe",
        "createdDateTime": moment.ago(began),
        "lastUpdatedDateTime": moment.ago(0),
        "resultInfo": None,
        "reason": None,
        "startId": "mfrggzdfmztwq2lknnwg23tpob",
    }
    return view if ended is None else view | {"endedDateTime": moment.ago(ended)}


def listed(
    moment: Moment,
    identity: Person,
    joined: float,
    *,
    presence: str = "inCall",
    left: float | None = None,
    is_muted: bool = False,
) -> dict[str, Any]:
    """Return an entry of the roster."""
    return {
        "id": "b7a3",
        "identity": identity,
        "presence": presence,
        "isInLobby": presence == "inLobby",
        "isMuted": is_muted,
        "joinedDateTime": moment.ago(joined),
        "leftDateTime": None if left is None else moment.ago(left),
    }


def invited(
    identity: Person,
    status: str = "running",
    presence: str = "unknown",
    why: tuple[str, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return a person of an invitation."""
    reason, result = why or (None, None)
    return {
        "identity": identity,
        "operationId": "0fe0623f",
        "status": status,
        "reason": reason,
        "resultInfo": result,
        "presence": presence,
    }


def invitation(moment: Moment, name: str, people: list[dict[str, Any]], *, status: str, sent: float) -> dict[str, Any]:
    """Return an invitation."""
    return {
        "id": name,
        "callId": CALL_ID,
        "clientContext": name,
        "status": status,
        "reason": None,
        "resultInfo": None,
        "participants": people,
        "operations": [],
        "joinedCount": sum(person["presence"] in ("inCall", "left") for person in people),
        "createdDateTime": moment.ago(sent),
        "lastUpdatedDateTime": moment.ago(0),
    }


def step(
    people: list[dict[str, Any]],
    status: str = "notStarted",
    *,
    began: str | None = None,
    ended: str | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """Return a step of an escalation."""
    return {
        "status": status,
        "waitSeconds": 45,
        "startedDateTime": began,
        "endedDateTime": ended,
        "invitationId": name,
        "participants": people,
    }


def event(moment: Moment, seconds: float, kind: str, text: str, *people: Person, **ids: str) -> dict[str, Any]:
    """Return an event of the timeline."""
    named = [{"identity": one} for one in people]
    return {"dateTime": moment.ago(seconds), "event": kind, "text": text, "participants": named, **ids}


def live(call: dict[str, Any], **parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the answer of ``live``."""
    empty: dict[str, Any] = {"participants": [], "invitations": [], "escalations": [], "timeline": []}
    return {"call": call, **empty, **parts}
