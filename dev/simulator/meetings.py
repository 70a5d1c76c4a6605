"""Meetings that the app can join, and how Graph finds them."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from urllib.parse import quote

from dev.simulator import schema
from dev.simulator.calls import Conversation
from dev.simulator.errors import GraphRefusal, Refusals
from dev.simulator.people import Identity
from dev.simulator.rosters import TYPE, Json
from dev.simulator.scripts import MeetingOptions

_THREAD = re.compile(r"19:[^@/]+@thread\.(v2|skype|tacv2)")


@dataclass(frozen=True, slots=True, eq=False)
class Meeting:
    """A meeting of the tenant."""

    options: MeetingOptions
    tenant_id: str
    thread_id: str
    organizer: str
    join_meeting_id: str
    passcode: str
    token: str = field(default_factory=lambda: f"simulated-join-token-{uuid.uuid4()}")
    conversation: Conversation = field(default_factory=Conversation)

    @property
    def join_web_url(self) -> str:
        """The link that Graph documents, with thread, tenant and organizer."""
        context = json.dumps({"Tid": self.tenant_id, "Oid": self.organizer}, separators=(",", ":"))
        thread = quote(self.thread_id, safe="")
        return f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={quote(context, safe='')}"

    @property
    def short_url(self) -> str:
        """The short link, with meeting id and passcode."""
        query = f"?p={self.passcode}" if self.passcode else ""
        return f"https://teams.microsoft.com/meet/{self.join_meeting_id}{query}"

    def joined_by(self, sent: Json | None) -> Json:
        """Return the meeting as notifications to a leg show it: its thread, and the coordinates that were sent."""
        info = sent
        if info is None or info.get(TYPE) != "#microsoft.graph.tokenMeetingInfo":
            organizer = {TYPE: "#microsoft.graph.identity", "id": self.organizer, "tenantId": self.tenant_id}
            info = {
                TYPE: "#microsoft.graph.organizerMeetingInfo",
                "organizer": {TYPE: "#microsoft.graph.identitySet", "user": organizer},
            }
        chat = {TYPE: "#microsoft.graph.chatInfo", "threadId": self.thread_id, "messageId": "0"}
        return {"chatInfo": chat, "meetingInfo": info}


class Meetings:
    """The meetings there are."""

    def __init__(self, tenant_id: str) -> None:
        self._tenant_id = tenant_id
        self._all: list[Meeting] = []

    def add(self, options: MeetingOptions, conversation: Conversation | None = None) -> Meeting:
        """Add a meeting; what the options leave out gets new values."""
        meeting = Meeting(
            options,
            options.tenant_id or self._tenant_id,
            options.thread_id or f"19:meeting_{uuid.uuid4().hex}@thread.v2",
            options.organizer or str(uuid.uuid4()),
            options.join_meeting_id or str(uuid.uuid4().int)[:12],
            uuid.uuid4().hex[:8] if options.passcode is None else options.passcode,
            conversation=conversation or Conversation(),
        )
        self._all.append(meeting)
        return meeting

    def forget(self) -> None:
        """Drop every meeting."""
        self._all.clear()

    def find(self, body: schema.Create, tenant_id: str) -> Meeting:
        """Return the meeting that a create names; raises GraphRefusal."""
        info = body.meeting_info
        if isinstance(info, schema.JoinMeetingId):
            meeting = self._by_id(info)
        elif isinstance(info, schema.TokenMeeting):
            meeting = self._by_token(info)
        else:
            assert info is not None  # noqa: S101 - the caller looked
            meeting = self._by_coordinates(body.chat_info, info, tenant_id)
        if meeting.tenant_id != tenant_id:
            raise Refusals.tenant_mismatch()
        if meeting.options.locked:
            raise GraphRefusal(403, "8560", "The meeting is locked.")
        return meeting

    def _by_id(self, info: schema.JoinMeetingId) -> Meeting:
        for meeting in self._all:
            if meeting.join_meeting_id == info.join_meeting_id and meeting.passcode == (info.passcode or ""):
                return meeting
        raise GraphRefusal(400, "8561", "The join meeting id or the passcode is invalid.")

    def _by_token(self, info: schema.TokenMeeting) -> Meeting:
        for meeting in self._all:
            if meeting.token == info.token:
                return meeting
        raise GraphRefusal(400, "8526", "The join token is invalid.")

    def _by_coordinates(self, chat: schema.ChatInfo | None, info: schema.OrganizerMeeting, tenant_id: str) -> Meeting:
        """Find a meeting by its thread; one that no test has described exists as soon as it is joined."""
        organizer = Identity.of(info.organizer.as_sent())
        if organizer is None or organizer.kind != "user":
            raise Refusals.invalid("'meetingInfo.organizer' must have a user with an id.")
        if chat is None or not chat.thread_id:
            raise Refusals.invalid("'chatInfo.threadId' is needed with an organizerMeetingInfo.")
        if not _THREAD.fullmatch(chat.thread_id):
            raise GraphRefusal(400, "8527", "The join URL is invalid.")
        for meeting in self._all:
            if meeting.thread_id == chat.thread_id:
                if meeting.organizer.casefold() != organizer.key:
                    raise Refusals.no_permission()
                return meeting
        named = organizer.members.get("tenantId")
        options = MeetingOptions(
            thread_id=chat.thread_id,
            organizer=organizer.id,
            tenant_id=named if isinstance(named, str) else tenant_id,
        )
        return self.add(options)
