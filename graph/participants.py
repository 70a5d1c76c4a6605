"""People in Graph's JSON: how one is invited, and how a roster is read.

Rosters are read leniently. Every roster recorded from the real service has an ``id`` for each participant; Graph's
pages show ``id: null``, and users as ``application``. Both are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.call import Presence
from domain.roster import identity_hash
from domain.sightings import Roster, Sighting
from graph import wire
from graph.wire import ODATA_TYPE, odata_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.invitation import Invitee

_IDENTITY_PROPERTIES = ("id", "displayName", "tenantId", "identityProvider", "email")
_LONGEST_KIND = 64


def invite_body(people: Iterable[Invitee], client_context: str) -> dict[str, Any]:
    """Return the body of one invite request."""
    return {"participants": [participant_info(invitee) for invitee in people], "clientContext": client_context}


def participant_info(invitee: Invitee) -> dict[str, Any]:
    """Return an ``invitationParticipantInfo``."""
    properties: dict[str, Any] = {
        ODATA_TYPE: odata_type("invitationParticipantInfo"),
        "replacesCallId": invitee.replaces_call_id,
        "participantId": invitee.participant_id,
        "hidden": invitee.hidden,
        "removeFromDefaultAudioRoutingGroup": invitee.remove_from_default_audio_routing_group,
        "identity": {
            ODATA_TYPE: invitee.identity_set_type or odata_type("identitySet"),
            invitee.kind: {ODATA_TYPE: odata_type("identity"), **invitee.identity},
        },
    }
    return {name: value for name, value in properties.items() if value is not None}


def read_roster(participants: object) -> Roster:
    """Read an array of participants; what is no participant in it is left out."""
    entries = [entry for entry in participants if isinstance(entry, dict)] if isinstance(participants, list) else []
    seen = [sighting(entry) for entry in entries]
    hides_people = any(
        one is None or "id" not in one.identity or entry.get("isIdentityAnonymized") is True
        for entry, one in zip(entries, seen, strict=True)
    )
    return Roster(tuple(one for one in seen if one is not None), hides_people=hides_people)


def sighting(participant: Mapping[str, Any]) -> Sighting | None:
    """Read one participant; None where nothing in it can be recognised again."""
    kind, identity = identity_of(_identity_set(participant))
    participant_id = wire.text(participant.get("id"))
    identity_id = identity.get("id")
    key = participant_id or (identity_hash(identity_id) if identity_id else None)
    if key is None:
        return None
    muted = participant.get("isMuted")
    return Sighting(
        key=key,
        kind=kind,
        identity=identity,
        id=participant_id,
        presence=_presence(participant),
        is_muted=muted if isinstance(muted, bool) else None,
        sequence=wire.number(participant.get("rosterSequenceNumber")),
    )


def identity_of(identity_set: object) -> tuple[str, dict[str, str]]:
    """Return kind and properties of the first identity with an id, else of the first; ``unknown`` where there is none.

    An identity set is an open type, so any property of it may be an identity.
    """
    found: tuple[str, dict[str, str]] = ("unknown", {})
    for kind, identity in identity_set.items() if isinstance(identity_set, dict) else ():
        if isinstance(identity, dict) and kind.isascii() and kind.isidentifier() and len(kind) <= _LONGEST_KIND:
            values = ((name, wire.text(identity.get(name))) for name in _IDENTITY_PROPERTIES)
            known = {name: value for name, value in values if value is not None}
            if "id" in known:
                return kind, known
            if known and not found[1]:
                found = (kind, known)
    return found


def _presence(participant: Mapping[str, Any]) -> Presence:
    if isinstance(participant.get("removedState"), dict):
        return Presence.LEFT
    if participant.get("isInLobby") is True:
        return Presence.IN_LOBBY
    # On hold all streams stay, as inactive; without any, the person's device still rings.
    streams = participant.get("mediaStreams")
    return Presence.IN_CALL if isinstance(streams, list) and streams else Presence.UNKNOWN


def _identity_set(participant: Mapping[str, Any]) -> object:
    info = participant.get("info")
    return info.get("identity") if isinstance(info, dict) else None
