"""The meeting that a start joins, as its link or its meeting ID names it; parts of it are secrets."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting: by thread and organizer (a long link), or by meeting ID and passcode (a short link)."""

    thread_id: str | None = field(default=None, repr=False)
    organizer_id: str | None = field(default=None, repr=False)
    message_id: str = "0"
    reply_chain_message_id: str | None = None
    """The link's ``MessageId``, for a meeting in a channel."""
    join_meeting_id: str | None = field(default=None, repr=False)
    passcode: str | None = field(default=None, repr=False)


def leg_key(tenant_id: str, *, thread_id: str | None = None, join_meeting_id: str | None = None) -> str:
    """Return the key under which all starts for one meeting meet: a hash, since both ids are secrets."""
    name = ["thread", thread_id] if thread_id is not None else ["id", join_meeting_id]
    text = json.dumps([tenant_id.casefold(), *name])
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def key_of(meeting: Meeting, tenant_id: str) -> str:
    """Return the key of a meeting as a start names it."""
    return leg_key(tenant_id, thread_id=meeting.thread_id, join_meeting_id=meeting.join_meeting_id)


@dataclass(frozen=True, slots=True)
class Leg:
    """The app's one leg in a meeting, from a start's reservation until its call ended or the start failed."""

    key: str
    start_id: str | None
    """The start that joins or has joined; None once the leg is free."""
    waiting: tuple[str, ...] = ()
    """Starts that use this leg once it is established, or join themselves if it fails."""
    updated: datetime | None = None
