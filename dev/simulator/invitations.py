"""Reading an invite as Graph does: what it refuses, what it silently drops, what it silently ignores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.simulator import schema
from dev.simulator.errors import GraphRefusal
from dev.simulator.people import Identity, Invitee
from dev.simulator.web import BodyError

if TYPE_CHECKING:
    from dev.simulator.calls import Call
    from dev.simulator.web import Request


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invite as read."""

    people: tuple[Invitee, ...]
    client_context: str | None = None
    dropped: tuple[str, ...] = ()
    """Identity ids of people whom Graph did not read, because it reads only the first."""
    ignored: tuple[str, ...] = ()
    """Paths of undeclared properties."""


def glance(request: Request) -> tuple[object, list[str]]:
    """Return the body as received and the identity ids in it, as far as they can be seen; never fails."""
    try:
        body = request.json()
    except BodyError:
        return request.body.decode("utf-8", "replace") or None, []
    members = body if isinstance(body, dict) else {}
    participants = members.get("participants", members.get("targets"))
    people: list[str] = []
    for participant in participants if isinstance(participants, list) else []:
        identity = Identity.of(participant.get("identity")) if isinstance(participant, dict) else None
        if identity:
            people.append(identity.id)
    return body, people


def read_invitation(request: Request, call: Call) -> Invitation:
    """Read an invite into ``call``; raises GraphRefusal."""
    body = schema.read(schema.Invite, request)
    people = tuple(
        Invitee(person.who, person.replaces_call_id or None, person.participant_id or None)
        for person in body.participants
    )
    kept = people
    if any(invitee.replaces_call_id or invitee.participant_id for invitee in people):
        kept = people[:1]
    if call.kind == "peerToPeer" and len(kept) > 1:
        raise GraphRefusal(400, "8548", "Not a group call: only one participant can be invited into it.")
    dropped = tuple(invitee.identity.id for invitee in people[len(kept) :])
    return Invitation(kept, body.client_context, dropped, tuple(schema.ignored(body)))
