"""The roster of a call as pure state: what a list, a delta or a participant's end makes of it.

A list is the whole roster: people no longer in it have left. A delta speaks only of the people it names. Both can
arrive out of order; a list is older by the highest ``rosterSequenceNumber`` in it, a delta by its
``sequenceNumber``, and what carries no number is taken as it comes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from domain.model import CallState, Presence, RosterEntry
from graph import wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

_STRENGTH = {Presence.UNKNOWN: 0, Presence.LEFT: 1, Presence.IN_LOBBY: 2, Presence.IN_CALL: 3}
_IDENTITY_MEMBERS = ("id", "displayName", "tenantId", "identityProvider", "email")
_LONGEST_KIND = 64
# People who left stay readable, but a telephone conference of days must not grow its row for ever.
_MOST_WHO_LEFT = 1_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one notification says of one participant."""

    key: str
    kind: str
    identity: Mapping[str, Any]
    id: str | None
    presence: Presence
    is_muted: bool | None
    sequence: int | None = None


def sighting(participant: Mapping[str, Any]) -> Sighting | None:
    """Read one participant entity; None where it names nobody.

    Users are shown as ``application`` in places, so the kind is only what Graph called it, never compared.
    """
    info = participant.get("info")
    info = info if isinstance(info, dict) else {}
    kind, identity = identity_of(info.get("identity"))
    # Call participants without a stable id carry null or an empty string in its place.
    participant_id = wire.text(participant.get("id"))
    if identity is None and participant_id is None:
        return None
    if isinstance(participant.get("removedState"), dict):
        presence = Presence.LEFT
    elif participant.get("isInLobby") is True:
        presence = Presence.IN_LOBBY
    else:
        presence = Presence.IN_CALL
    muted = participant.get("isMuted")
    key = participant_id or identity_hash((identity or {})["id"])
    return Sighting(
        key=key,
        kind=kind,
        identity=identity or {},
        id=participant_id,
        presence=presence,
        is_muted=muted if isinstance(muted, bool) else None,
        sequence=wire.number(participant.get("rosterSequenceNumber")),
    )


def identity_of(identity_set: object) -> tuple[str, dict[str, Any] | None]:
    """Return the kind and the identity of the first member of an identity set that has an id."""
    if isinstance(identity_set, dict):
        for kind, identity in identity_set.items():
            is_kind = kind.isascii() and kind.isidentifier() and len(kind) <= _LONGEST_KIND
            if is_kind and isinstance(identity, dict) and wire.text(identity.get("id")):
                members = ((name, wire.text(identity.get(name))) for name in _IDENTITY_MEMBERS)
                return kind, {name: value for name, value in members if value is not None}
    return "unknown", None


def identity_hash(identity_id: str) -> str:
    """Return a short, fixed-length stand-in for an identity's id, whatever kind it is of, without case."""
    return hashlib.sha256(identity_id.strip().casefold().encode()).hexdigest()[:24]


def apply_list(
    call: CallState, known: Mapping[str, RosterEntry], seen: Sequence[Sighting], now: datetime
) -> tuple[CallState, dict[str, RosterEntry]]:
    """Replace the roster by a full list.

    Returns:
        The call, and the entries that changed; nothing of both where the list is older than what is known.
    """
    numbers = [entry.sequence for entry in seen if entry.sequence is not None]
    sequence = max(numbers, default=None)
    if sequence is not None and call.roster_sequence is not None and sequence < call.roster_sequence:
        return call, {}
    present = _strongest(seen)
    changed = _observe(known, present.values(), now, sequence=None)
    for key, entry in known.items():
        if key not in present and entry.presence is not Presence.LEFT:
            changed[key] = replace(entry, presence=Presence.LEFT, left=now)
    call = replace(call, roster_sequence=call.roster_sequence if sequence is None else sequence)
    return _with_presence(call, {**known, **changed}, now), changed


def apply_delta(
    call: CallState,
    known: Mapping[str, RosterEntry],
    seen: Sequence[Sighting],
    now: datetime,
    *,
    sequence: int | None,
) -> tuple[CallState, dict[str, RosterEntry]]:
    """Add and change the people that a delta names, but for those of whom a newer delta has spoken.

    Returns:
        The call, and the entries that changed.
    """
    newer = [
        entry
        for entry in seen
        if sequence is None
        or (before := known.get(entry.key)) is None
        or before.sequence is None
        or sequence >= before.sequence
    ]
    changed = _observe(known, newer, now, sequence=sequence)
    if not changed:
        return call, {}
    return _with_presence(call, {**known, **changed}, now), changed


def _strongest(seen: Iterable[Sighting]) -> dict[str, Sighting]:
    """Two endpoints of somebody without a participant id have one key: who is in the call with one of them is in it."""
    present: dict[str, Sighting] = {}
    for sight in seen:
        other = present.setdefault(sight.key, sight)
        if _STRENGTH[sight.presence] > _STRENGTH[other.presence]:
            present[sight.key] = sight
    return present


def _observe(
    known: Mapping[str, RosterEntry], seen: Iterable[Sighting], now: datetime, *, sequence: int | None
) -> dict[str, RosterEntry]:
    changed: dict[str, RosterEntry] = {}
    for sight in seen:
        before = changed.get(sight.key) or known.get(sight.key)
        has_left = sight.presence is Presence.LEFT
        came_back = before is not None and before.presence is Presence.LEFT and not has_left
        after = RosterEntry(
            key=sight.key,
            kind=sight.kind if sight.identity or before is None else before.kind,
            identity=sight.identity if sight.identity or before is None else before.identity,
            id=sight.id,
            presence=sight.presence,
            is_muted=sight.is_muted,
            joined=now if before is None or came_back else before.joined,
            left=((before.left if before else None) or now) if has_left else None,
            sequence=sequence if sequence is not None else (before.sequence if before else None),
        )
        if after != before:
            changed[sight.key] = after
    return changed


def _with_presence(call: CallState, roster: Mapping[str, RosterEntry], now: datetime) -> CallState:
    """Return the call with everybody's presence, those who left longest ago forgotten first."""
    presence: dict[str, Presence] = {}
    gone = sorted(
        (entry for entry in roster.values() if entry.presence is Presence.LEFT),
        key=lambda entry: entry.left or entry.joined,
    )
    here = (entry for entry in roster.values() if entry.presence is not Presence.LEFT)
    for entry in (*gone[-_MOST_WHO_LEFT:], *here):
        identity_id = entry.identity.get("id")
        if identity_id:
            name = identity_hash(identity_id)
            presence[name] = stronger(entry.presence, presence.get(name, Presence.UNKNOWN))
    return replace(call, presence=presence, updated=now)


def stronger(one: Presence, other: Presence) -> Presence:
    """Return the presence that counts for somebody with two endpoints in a call."""
    return max(one, other, key=_STRENGTH.__getitem__)


def presence_of(presence: Mapping[str, Presence], identity_id: str) -> Presence:
    """Return what the roster says of an invited identity, whatever kind Graph showed it as."""
    return presence.get(identity_hash(identity_id), Presence.UNKNOWN)
