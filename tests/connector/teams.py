"""The Teams connector, as far as the sample flows use it: a meeting of the simulated Graph, and messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from tests.connector.engine_http import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping


class Meeting(Protocol):
    """A meeting with a link."""

    @property
    def join_web_url(self) -> str:
        """The link."""


class Meetings(Protocol):
    """Where meetings are made: the simulated Graph, or an app without one."""

    def meeting(self) -> Meeting:
        """Return a new meeting."""


@dataclass(slots=True)
class Teams:
    """One connection to Microsoft Teams.

    Args:
        graph: has the meetings.
        refuses: operations that fail.
    """

    graph: Meetings
    refuses: frozenset[str] = frozenset()
    messages: list[str] = field(default_factory=list)
    """What was posted into the channel, in order."""
    unreachable: frozenset[str] = frozenset()
    """Mail addresses to which the Flow bot can't write."""
    chats: list[tuple[str, str]] = field(default_factory=list)
    """To whom the Flow bot wrote, and what."""
    meetings: int = 0
    answers: dict[str, Reply] = field(default_factory=dict)
    """What comes back in place of an operation's own response."""

    def call(self, operation_id: str, given: Mapping[str, Any]) -> Reply:
        """Do an operation, with parameters named as the designer names them."""
        if operation_id in self.answers:
            return self.answers[operation_id]
        if operation_id in self.refuses:
            return Reply(403, {}, {"error": {"code": "Forbidden"}})
        if operation_id == "CreateTeamsMeeting":
            start, end = (datetime.fromisoformat(given[f"item/{name}/dateTime"]) for name in ("start", "end"))
            assert (end - start, given["item/timeZone"]) == (timedelta(hours=1), "UTC")
            assert given["calendarid"]
            assert (given["item/isOnlineMeeting"], given["item/onlineMeetingProvider"]) == (True, "teamsForBusiness")
            self.meetings += 1
            meeting = self.graph.meeting()
            body = {"subject": given["item/subject"], "onlineMeeting": {"joinUrl": meeting.join_web_url}}
            return Reply(201, {}, body)
        assert (operation_id, given["poster"]) == ("PostMessageToConversation", "Flow bot")
        if given["location"] == "Chat with Flow bot":
            if given["body/recipient"] in self.unreachable:
                return Reply(404, {}, {"error": {"code": "NotFound"}})
            self.chats.append((given["body/recipient"], given["body/messageBody"]))
            return Reply(201, {}, {"id": f"c{len(self.chats)}"})
        assert given["location"] == "Channel"
        assert given["body/recipient/groupId"]
        assert given["body/recipient/channelId"]
        self.messages.append(given["body/messageBody"])
        return Reply(201, {}, {"id": str(len(self.messages))})
