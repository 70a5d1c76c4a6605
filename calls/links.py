"""Reads meeting links."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from domain.meeting import Meeting

if TYPE_CHECKING:
    from domain.clouds import Cloud


class MeetingRefused(Exception):
    """The link can't be joined."""

    def __init__(self, code: str, message: str, target: str) -> None:
        super().__init__(message)
        self.code, self.message, self.target = code, message, target


def parse_meeting(
    join_web_url: str | None,
    join_meeting_id: str | None,
    passcode: str | None,
    *,
    tenant_id: str,
    cloud: Cloud,  # noqa: ARG001
) -> Meeting:
    """Read a meeting."""
    if join_meeting_id is not None:
        return Meeting(join_meeting_id=re.sub(r"\s", "", join_meeting_id), passcode=passcode)
    parts = urlsplit(join_web_url or "")
    path = unquote(parts.path).split("/")
    context = json.loads(parse_qs(parts.query).get("context", ["{}"])[0])
    if len(path) < 5 or context.get("Tid") != tenant_id:
        raise MeetingRefused("InvalidMeetingLink", "This is not a link to a meeting.", "meeting.joinWebUrl")
    return Meeting(thread_id=path[3], message_id=path[4], organizer_id=context.get("Oid"))
