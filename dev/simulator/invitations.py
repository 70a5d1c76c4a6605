"""Reading an invite as Graph reads it: what it refuses, what it silently drops, what it silently ignores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.simulator.errors import GraphRefusal, Refusals
from dev.simulator.people import IDENTITY_KINDS, Identity, Invitee
from dev.simulator.web import BodyError

if TYPE_CHECKING:
    from dev.simulator.calls import Call
    from dev.simulator.web import Request

# https://learn.microsoft.com/graph/api/participant-invite: five people, 256 characters.
_MOST_PEOPLE = 5
_LONGEST_CONTEXT = 256
_BODY_MEMBERS = frozenset({"participants", "clientContext"})
_PARTICIPANT_MEMBERS = frozenset(
    {
        "@odata.type",
        "identity",
        "replacesCallId",
        "participantId",
        "hidden",
        "removeFromDefaultAudioRoutingGroup",
        "endpointType",
    }
)
_IDENTITY_SET_MEMBERS = IDENTITY_KINDS | {"@odata.type"}
_IDENTITY_MEMBERS = frozenset(
    {
        "@odata.type",
        "id",
        "displayName",
        "identityProvider",
        "tenantId",
        "email",
        "applicationType",
        "hidden",
        "azureCommunicationServicesResourceId",
    }
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invite as read."""

    people: tuple[Invitee, ...]
    client_context: str | None
    dropped: tuple[str, ...]
    """Identity ids of people who were not read, because only the first was."""
    ignored: tuple[str, ...]
    """Paths of members that mean nothing to Graph."""


def glance(request: Request) -> tuple[object, list[str]]:
    """Return the body as received and the identity ids in it, as far as they can be seen; never fails."""
    try:
        body = request.json()
    except BodyError:
        return request.body.decode("utf-8", "replace") or None, []
    participants = body.get("participants") if isinstance(body, dict) else None
    people: list[str] = []
    for participant in participants if isinstance(participants, list) else []:
        identity = Identity.of(participant.get("identity")) if isinstance(participant, dict) else None
        if identity:
            people.append(identity.id)
    return body, people


def read_invitation(request: Request, call: Call) -> Invitation:
    """Read an invite into ``call``; raises GraphRefusal for what Graph does not take."""
    if not request.headers.get("Content-Type", "").casefold().startswith("application/json"):
        message = "The content type of an entity must be application/json."
        raise GraphRefusal(415, "UnsupportedMediaType", message)
    try:
        body = request.json()
    except BodyError as error:
        raise GraphRefusal(400, "BadRequest", f"Unable to read JSON request payload: {error}.") from error
    if not isinstance(body, dict):
        raise GraphRefusal(400, "BadRequest", "Unable to read JSON request payload: an object was expected.")
    participants = body.get("participants")
    if not isinstance(participants, list) or not participants:
        raise Refusals.invalid("The collection 'participants' must have at least one member.")
    context = body.get("clientContext")
    if context is not None and not isinstance(context, str):
        raise Refusals.invalid("'clientContext' must be a string.")
    if context is not None and len(context) > _LONGEST_CONTEXT:
        raise Refusals.invalid(f"'clientContext' must not be longer than {_LONGEST_CONTEXT} characters.")
    people = tuple(_invitee(participant, index) for index, participant in enumerate(participants))
    if len(people) > _MOST_PEOPLE:
        raise Refusals.invalid(f"At most {_MOST_PEOPLE} participants can be invited at once.")
    kept = people
    if any(invitee.replaces_call_id or invitee.participant_id for invitee in people):
        kept = people[:1]
    if call.options.kind == "peerToPeer" and len(kept) > 1:
        raise GraphRefusal(400, "8548", "Not a group call: only one participant can be invited into it.")
    dropped = tuple(invitee.identity.id for invitee in people[len(kept) :])
    return Invitation(kept, context, dropped, tuple(_ignored(body)))


def _invitee(participant: object, index: int) -> Invitee:
    path = f"participants[{index}]"
    if not isinstance(participant, dict):
        raise Refusals.invalid(f"'{path}' must be an object.")
    identity = Identity.of(participant.get("identity"))
    if identity is None:
        raise Refusals.invalid(f"'{path}.identity' must have an identity with an id.")
    for name in ("hidden", "removeFromDefaultAudioRoutingGroup"):
        if not isinstance(participant.get(name), bool | None):
            raise Refusals.invalid(f"'{path}.{name}' must be a boolean.")
    return Invitee(
        identity,
        replaces_call_id=_text(participant, "replacesCallId", path),
        participant_id=_text(participant, "participantId", path),
    )


def _text(members: dict[str, object], name: str, path: str) -> str | None:
    value = members.get(name)
    if value is None or isinstance(value, str):
        return value or None
    raise Refusals.invalid(f"'{path}.{name}' must be a string.")


def _ignored(body: dict[str, object]) -> list[str]:
    """Name the members Graph knows nothing of: its types are open, so it refuses none."""
    paths = sorted(body.keys() - _BODY_MEMBERS)
    participants = body["participants"]
    for index, participant in enumerate(participants if isinstance(participants, list) else []):
        path = f"participants[{index}]"
        paths += [f"{path}.{name}" for name in participant.keys() - _PARTICIPANT_MEMBERS]
        identity_set = participant["identity"]
        paths += [f"{path}.identity.{name}" for name in identity_set.keys() - _IDENTITY_SET_MEMBERS]
        for kind, members in identity_set.items():
            if kind in IDENTITY_KINDS and isinstance(members, dict):
                paths += [f"{path}.identity.{kind}.{name}" for name in members.keys() - _IDENTITY_MEMBERS]
    return paths
