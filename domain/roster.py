"""The roster of a call: what a list, a delta or a participant's end makes of it.

A list is the whole roster: people no longer in it have left. A delta states only the people it names. Both can arrive
out of order; a list is older by the highest ``rosterSequenceNumber`` in it, a delta by its ``sequenceNumber``, and
what carries no number is taken as it comes. While a list has an entry without an identity, absence proves nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from domain.call import Call, Presence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from domain.sightings import Roster, Sighting

_STRENGTH = {Presence.UNKNOWN: 0, Presence.LEFT: 1, Presence.IN_LOBBY: 2, Presence.IN_CALL: 3}
# People who left stay readable, but the row of a phone conference of days must not grow forever.
_MOST_WHO_LEFT = 1_000


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
    """When they were no longer on the roster."""
    sequence: int | None = None
    """The ``sequenceNumber`` of the delta that last named them."""
    was_in: bool = False
    """Whether they were in the call since they came."""
    is_reported: bool = True
    """Whether Graph's rosters list them: people who were there before the app may be in what it reads only."""

    @property
    def is_listed(self) -> bool:
        """Whether the roster shows them now."""
        return self.left is None


def identity_hash(identity_id: str) -> str:
    """Return a short, fixed-length stand-in for an identity's id, whatever kind it is of, without case."""
    return hashlib.sha256(identity_id.strip().casefold().encode()).hexdigest()[:24]


def apply_list(
    call: Call, known: Mapping[str, RosterEntry], seen: Roster, now: datetime, *, is_read: bool = False
) -> tuple[Call, dict[str, RosterEntry]]:
    """Replace the roster by a full list; whom a read alone has listed in the call stays until a read lacks them.

    Returns:
        The call, and the entries that changed; both unchanged where the list is older than what is known.
    """
    numbers = [entry.sequence for entry in seen.people if entry.sequence is not None]
    sequence = max(numbers, default=None)
    if sequence is not None and call.roster_sequence is not None and sequence < call.roster_sequence:
        return call, {}
    present = _strongest(seen.people)
    changed = _observe(known, present.values(), now, sequence=None, is_read=is_read)
    for key, entry in known.items():
        is_expected = entry.is_listed and (is_read or entry.is_reported or entry.presence is not Presence.IN_CALL)
        if key not in present and is_expected and not seen.hides_people:
            changed[key] = _gone(entry, now)
    call = replace(
        call,
        roster_sequence=call.roster_sequence if sequence is None else sequence,
        hides_identities=seen.hides_people,
    )
    return _with_presence(call, {**known, **changed}, present, now), changed


def apply_delta(
    call: Call,
    known: Mapping[str, RosterEntry],
    seen: Roster,
    now: datetime,
    *,
    sequence: int | None,
) -> tuple[Call, dict[str, RosterEntry]]:
    """Add and change the people that a delta names, except those whom a newer delta has named.

    An older delta still proves of a person whom it shows in the call that they were in.

    Returns:
        The call, and the entries that changed.
    """
    newer: list[Sighting] = []
    late: dict[str, RosterEntry] = {}
    for entry in seen.people:
        before = known.get(entry.key)
        if sequence is None or before is None or before.sequence is None or sequence >= before.sequence:
            newer.append(entry)
        elif entry.presence is Presence.IN_CALL and not before.was_in:
            late[entry.key] = _having_been_in(before)
    changed = late | _observe(known, newer, now, sequence=sequence)
    if sequence is not None and seen.people and not changed:
        return call, {}
    call = replace(call, hides_identities=call.hides_identities or seen.hides_people)
    return _with_presence(call, {**known, **changed}, (entry.key for entry in newer), now, late), changed


def _having_been_in(entry: RosterEntry) -> RosterEntry:
    return replace(entry, was_in=True, presence=entry.presence if entry.is_listed else Presence.LEFT)


def _gone(entry: RosterEntry, now: datetime) -> RosterEntry:
    """Return the entry of a person who is no longer listed: they left if they were in, else nothing is known."""
    return replace(entry, presence=Presence.LEFT if entry.was_in else Presence.UNKNOWN, left=entry.left or now)


def _strongest(seen: Iterable[Sighting]) -> dict[str, Sighting]:
    """Keep one sighting a key: two endpoints of a person without a participant id have the same one."""
    present: dict[str, Sighting] = {}
    for sight in seen:
        other = present.setdefault(sight.key, sight)
        if _STRENGTH[sight.presence] > _STRENGTH[other.presence]:
            present[sight.key] = sight
    return present


def _observe(
    known: Mapping[str, RosterEntry],
    seen: Iterable[Sighting],
    now: datetime,
    *,
    sequence: int | None,
    is_read: bool = False,
) -> dict[str, RosterEntry]:
    changed: dict[str, RosterEntry] = {}
    for sight in seen:
        before = changed.get(sight.key) or known.get(sight.key)
        stays = before is not None and before.is_listed
        was_in = before is not None and before.was_in
        # A person who was in and is listed without media has answered all the same, unless they left and are called.
        answered = stays and was_in and before is not None and before.presence.has_answered
        presence = Presence.IN_CALL if sight.presence is Presence.UNKNOWN and answered else sight.presence
        after = RosterEntry(
            key=sight.key,
            kind=sight.kind if sight.identity or before is None else before.kind,
            identity=sight.identity if sight.identity or before is None else before.identity,
            id=sight.id,
            presence=presence,
            is_muted=sight.is_muted,
            joined=before.joined if before is not None and (stays or sight.presence is Presence.LEFT) else now,
            sequence=sequence if sequence is not None else (before.sequence if before else None),
            was_in=presence is Presence.IN_CALL or was_in,
            is_reported=not is_read or (before is not None and stays and before.is_reported),
        )
        if sight.presence is Presence.LEFT:
            after = _gone(replace(after, left=before.left if before else None), now)
        if after != before:
            changed[sight.key] = after
    return changed


def _with_presence(
    call: Call, roster: Mapping[str, RosterEntry], listed: Iterable[str], now: datetime, late: Iterable[str] = ()
) -> Call:
    """Return the call with each person's presence; those who left longest ago are dropped first.

    Args:
        call: as it stands.
        roster: who is and was in it.
        listed: the entries that a report lists, of which those that have answered are shown by it.
        now: the time.
        late: the entries that an older report shows in the call.
    """
    presence: dict[str, Presence] = {}
    gone = sorted(
        (entry for entry in roster.values() if not entry.is_listed and entry.presence is Presence.LEFT),
        key=lambda entry: entry.left or entry.joined,
    )
    here = (entry for entry in roster.values() if entry.is_listed)
    for entry in (*gone[-_MOST_WHO_LEFT:], *here):
        name = _hash_of(entry)
        is_app = call.my_participant_id is not None and entry.id == call.my_participant_id
        if name is not None and not is_app:
            presence[name] = stronger(entry.presence, presence.get(name, Presence.UNKNOWN))
    here_now = (key for key in listed if roster[key].is_listed and roster[key].presence.has_answered)
    names = {_hash_of(roster[key]) for key in (*here_now, *late)}
    times = dict(sorted(call.shown.items(), key=lambda one: one[1])[-_MOST_WHO_LEFT:])
    times |= {
        name: now if name in names else call.shown.get(name, call.created)
        for name, one in presence.items()
        if one.has_answered
    }
    return replace(call, presence=presence, shown=times, roster_at=now, updated=now)


def _hash_of(entry: RosterEntry) -> str | None:
    identity_id = entry.identity.get("id")
    return identity_hash(identity_id) if identity_id else None


def target_entries(call: Call | None) -> list[RosterEntry]:
    """Return the only other person of an established one-to-one call, of which Graph reports no roster."""
    person = None if call is None else call.target_person
    if call is None or person is None or call.established_at is None:
        return []
    presence = Presence.LEFT if call.has_ended else Presence.IN_CALL
    name = identity_hash(person.id)
    entry = RosterEntry(
        name, person.kind, dict(person.identity), None, presence, None, call.established_at, was_in=True
    )
    return [replace(entry, left=call.ended_at)]


def is_self(entry: RosterEntry, my_participant_id: str | None, client_id: str) -> bool:
    """Return whether an entry is the app itself: by its id in the call, else as the application that it is."""
    if my_participant_id is not None and entry.id is not None and entry.id.casefold() == my_participant_id.casefold():
        return True
    return is_application(entry.kind, entry.identity, client_id)


def is_application(kind: str, identity: Mapping[str, Any], client_id: str) -> bool:
    """Return whether an identity is that of the application with a client ID."""
    identity_id = (identity.get("id") or "").strip().casefold().removeprefix("28:")
    return kind.casefold() == "application" and identity_id == client_id.casefold()


def stronger(one: Presence, other: Presence) -> Presence:
    """Return the presence that counts for a person with two endpoints in a call."""
    return max(one, other, key=_STRENGTH.__getitem__)
