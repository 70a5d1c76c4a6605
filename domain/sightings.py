"""A roster as Graph reports it at one moment, before it is compared with what is known of the call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.call import Presence


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one notification, or one read, says of one participant."""

    key: str
    """Graph's participant id, else the hash of the identity's id."""
    kind: str
    """The identity's property in Graph's identity set; users are shown as ``application`` in places."""
    identity: Mapping[str, str]
    """The identity's own properties under Graph's names; empty, or without ``id``, where Graph hides it."""
    id: str | None
    """Graph's participant id."""
    presence: Presence
    """``unknown`` for a person whose device rings: listed, without a media stream, and not in the lobby."""
    is_muted: bool | None
    sequence: int | None = None
    """The entry's ``rosterSequenceNumber``."""


@dataclass(frozen=True, slots=True)
class Roster:
    """A list of participants, whole or part."""

    people: tuple[Sighting, ...]
    hides_people: bool
    """An entry hides who it is, so a person's absence from the list proves nothing."""
