# ruff: noqa: N815 - the names on the wire
"""What people who watch a call get: its timeline, the link to its page, and what the page shows."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from connector import responses
from connector.responses import shown
from domain.timeline import EventKind


class _Object(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TimelinePerson(_Object):
    """A person of an event."""

    identity: responses.AnyIdentity = shown("Event Person", "The person. Only one of the IDs has a value.")


class Event(_Object):
    """Something that happened in the call."""

    dateTime: datetime = shown("Event Time", "When it happened, in UTC.")
    event: EventKind = shown("Event", "What happened, such as joined or notReached.")
    text: str = shown("Event Text", "What happened, in one sentence.")
    participants: list[TimelinePerson] = shown("Event People", "The people whom it concerns.", "advanced")
    invitationId: str = shown("Invitation ID", "The invitation to which it belongs.", "advanced", default="")
    escalationId: str = shown("Escalation ID", "The escalation to which it belongs.", "advanced", default="")
    by: str = shown("Event By", "The hash of who asked for it, where callers sign in.", "advanced", default="")


class TimelineFile(_Object):
    """The timeline as CSV."""

    name: str = shown("CSV Name", "The file's name.", "advanced")
    contentBytes: str = shown("CSV Content", "The file, in the form in which mail actions attach it.", "advanced")


class Timeline(_Object):
    """What happened in the call, oldest first."""

    value: list[Event] = shown("Timeline", "What happened in the call, oldest first.")
    csv: TimelineFile = shown("CSV", "The same as a file, where that was asked for.", "advanced", default=None)


class PageLink(_Object):
    """The current link to the page."""

    pageUrl: str = shown("Page Link", "A page that shows the call live. Anyone with the link can watch.")


class Live(_Object):
    """All that the page shows."""

    call: responses.Call = Field()
    participants: list[responses.PersonInCall]
    invitations: list[responses.Invitation]
    escalations: list[responses.Escalation]
    timeline: list[Event]
