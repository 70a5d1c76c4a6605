"""Why a meeting can't be joined, each reason with its advice, in one place.

A message never holds a link or a part of one: links carry passcodes, and a wrapper carries its reader's mail address.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, with what to use instead."""

    code: str
    message: str


class MeetingRefused(Exception):
    """What was given names no meeting that the app can join."""

    def __init__(self, code: str, message: str, target: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.target = target


class LinkRefused(Exception):
    """One link is not a meeting's; others in the same text may be."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.message)
        self.reason = reason


_ID = "Use the meeting ID and passcode of the invitation instead."
_JOIN_LINK = "Use the link behind Join in the invitation, or its meeting ID and passcode."

INCOMPLETE = Reason("LinkIncomplete", f"The link is incomplete or was changed on the way. {_ID}")
NO_ORGANIZER = Reason("LinkIncomplete", f"The link doesn't name the meeting's tenant and organizer. {_ID}")
NOT_DIGITS = Reason(
    "LinkIncomplete", f"The meeting ID in the link must be 9 to 15 digits, with nothing after them. {_ID}"
)
OTHER_TENANT = Reason(
    "OtherTenant",
    "The meeting belongs to another organization than this app. Use a meeting that someone in this organization made.",
)
OTHER_CLOUD = Reason(
    "OtherCloud",
    "The meeting is in another Microsoft cloud than this app, such as US Government. "
    "Use a meeting of this app's cloud, or an app that is deployed in the meeting's.",
)
PERSONAL = Reason(
    "PersonalAccount",
    "The meeting belongs to a personal Microsoft account, and apps can't join those. "
    "Schedule the meeting with a work account and use its link.",
)
CHINA = Reason(
    "ChinaCloud", "Apps can't call in the Microsoft cloud in China (21Vianet). Use a meeting of this app's own cloud."
)
BROADCAST = Reason(
    "LiveEvent",
    "The link is for the attendees of a live event, and an app can't be one. Use the link of the presenters' meeting.",
)
EVENT = Reason(
    "EventPage",
    "The link is a page of an event, such as a registration or a town hall. "
    "Use the presenters' link, or the join link in the confirmation.",
)
OPAQUE = Reason(
    "LinkHidden",
    "The link is hidden by a mail filter and can't be read without opening it. "
    "Open it and copy the URL from the browser, or use the meeting ID and passcode.",
)
OPTIONS = Reason("OptionsPage", f"The link opens the organizer's meeting options. {_JOIN_LINK}")
DIAL_IN = Reason("DialIn", f"That is for joining by phone. {_JOIN_LINK}")
HELP = Reason("HelpPage", f"The link opens a help page. {_JOIN_LINK}")
VIDEO_ROOM = Reason("VideoRoom", f"That is the address of a video conferencing device or a mailbox. {_JOIN_LINK}")
NOT_TEAMS = Reason("NotTeams", f"The link is not a Microsoft Teams meeting link. {_JOIN_LINK}")
NO_LINK = Reason("NoLink", f"The text has no link to a Teams meeting. {_JOIN_LINK}")
PAGE = Reason("NotAJoinLink", f"The link opens a page of Teams that doesn't name a meeting to join. {_JOIN_LINK}")
PAGES = {
    page: Reason("NotAJoinLink", f"The link opens {what}. {_JOIN_LINK}")
    for page, what in {
        "call": "a new call with someone",
        "channel": "a channel",
        "chat": "a chat",
        "meeting": "a form for a new meeting",
        "meeting-share": "an app that is shared in a meeting",
        "meetingrecap": "a meeting's recap with its recording",
        "message": "a message",
        "team": "a team",
    }.items()
}
ID_AS_LINK = Reason("MeetingIdAsLink", "That is a meeting ID and not a link. Set joinMeetingId and passcode instead.")
SEVERAL = Reason(
    "SeveralMeetings",
    "The text names more than one meeting. Use the join link, or the meeting ID and passcode, of one of them.",
)
TOO_LONG = Reason(
    "TooManyLinks",
    "The text is too long or has too many links. Use only the meeting's join link, or its meeting ID and passcode.",
)

NAMES_A_MEETING = frozenset({OTHER_TENANT, OTHER_CLOUD, CHINA, PERSONAL})
"""Reasons of links that name a meeting, which can't be joined."""
_BY_WEIGHT = (
    *(PERSONAL, CHINA, OTHER_CLOUD, OTHER_TENANT),
    *(INCOMPLETE, BROADCAST, EVENT, OPAQUE, PAGE, OPTIONS, DIAL_IN, HELP, NOT_TEAMS),
)


def weightiest(reasons: list[Reason]) -> Reason:
    """Return the reason that says most about text without a meeting to join."""
    order = [reason.code for reason in _BY_WEIGHT]
    return min(reasons, key=lambda reason: order.index(reason.code), default=NO_LINK)
