"""The meeting of a start's body: from a link, from an invitation's text or HTML, or from a meeting ID."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from calls.links.invitation import meeting_in
from calls.links.refusals import LinkRefused, MeetingRefused, Reason
from domain.meeting import Meeting

if TYPE_CHECKING:
    from domain.clouds import Cloud

_MEETING_ID = re.compile(r"[0-9]{9,15}")
_PASSCODE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,128}")
_VISIBLE = re.compile(r"[^\s\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+")


def parse_meeting(
    join_web_url: str | None, join_meeting_id: str | None, passcode: str | None, *, tenant_id: str, cloud: Cloud
) -> Meeting:
    """Return the one meeting that can be joined.

    Args:
        join_web_url: a link as people paste it, or an invitation's text or HTML.
        join_meeting_id: the meeting ID as an invitation prints it.
        passcode: that meeting's passcode.
        tenant_id: the app's own tenant.
        cloud: the app's own cloud.

    Raises:
        MeetingRefused: there is no such meeting, or there are several; its message holds no part of what was given.
    """
    link, number, code = _given(join_web_url), _given(join_meeting_id), _given(passcode)
    if link is not None and number is None and code is None:
        return _from_text(link, tenant_id, cloud)
    if link is not None:
        raise MeetingRefused(
            "MeetingNamedTwice", "Both a link and a meeting ID or passcode were given. Use one of the two.", "meeting"
        )
    if number is None:
        raise MeetingRefused(
            "MeetingMissing",
            "The meeting to join is missing. Set joinWebUrl, or joinMeetingId with its passcode.",
            "meeting" if code is None else "meeting.joinMeetingId",
        )
    return Meeting(None, None, join_meeting_id=_number(number), passcode=_passcode(code))


def _given(value: str | None) -> str | None:
    """Return a value, or None for one that is blank: designers send an empty field as an empty string."""
    return value if value and _VISIBLE.search(value) else None


def _number(given: str) -> str:
    number = "".join(_VISIBLE.findall(given))
    if _MEETING_ID.fullmatch(number):
        return number
    if number.endswith("#"):
        reason = Reason(
            "DialIn",
            "The number that ends in # is the phone conference ID. "
            "Use the meeting ID, which is printed above it, next to the passcode.",
        )
    elif "/" in number:
        reason = Reason("LinkAsMeetingId", "The meeting ID is a link. Set joinWebUrl to it instead.")
    else:
        reason = Reason(
            "MeetingIdNotDigits",
            "A meeting ID has 9 to 15 digits and nothing else. Copy it from the invitation, next to the passcode.",
        )
    raise MeetingRefused(reason.code, reason.message, "meeting.joinMeetingId")


def _passcode(given: str | None) -> str | None:
    if given is None:
        return None
    passcode = "".join(_VISIBLE.findall(given))
    if not _PASSCODE.fullmatch(passcode):
        raise MeetingRefused(
            "NotAPasscode",
            "That is not a meeting's passcode. Copy it from the invitation, where it follows the meeting ID.",
            "meeting.passcode",
        )
    return passcode


def _from_text(given: str, tenant_id: str, cloud: Cloud) -> Meeting:
    try:
        return meeting_in(given, tenant_id, cloud)
    except LinkRefused as refused:
        reason = refused.reason
    raise MeetingRefused(reason.code, reason.message, "meeting.joinWebUrl")
