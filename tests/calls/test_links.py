"""What people paste, and the meeting that it names or the advice it gets."""

from __future__ import annotations

import traceback

import pytest

from calls.links import MeetingRefused, parse_meeting
from domain.clouds import CLOUDS
from domain.meeting import Meeting
from tests.calls.link_forms import (
    BY_ID,
    BY_THREAD,
    JOINED,
    LONG,
    NUMBER,
    ORGANIZER,
    PASSCODE,
    REFUSED,
    SHORT,
    TENANT,
    THREAD,
    long,
)

ADVICE = {
    "LinkIncomplete": "meeting ID and passcode",
    "OtherTenant": "in this organization",
    "OtherCloud": "this app's cloud",
    "PersonalAccount": "work account",
    "ChinaCloud": "this app's own cloud",
    "LiveEvent": "the presenters' meeting",
    "EventPage": "the presenters' link",
    "LinkHidden": "copy the URL from the browser",
    "NotAJoinLink": "meeting ID and passcode",
    "OptionsPage": "the link behind Join",
    "HelpPage": "the link behind Join",
    "DialIn": "the link behind Join",
    "VideoRoom": "the link behind Join",
    "NotTeams": "the link behind Join",
    "NoLink": "the link behind Join",
    "MeetingIdAsLink": "joinMeetingId",
    "SeveralMeetings": "of one of them",
}


def parsed(
    link: str | None = None, number: str | None = None, passcode: str | None = None, *, cloud: str = "global"
) -> Meeting:
    """The meeting."""
    return parse_meeting(link, number, passcode, tenant_id=TENANT, cloud=CLOUDS[cloud])


def refusal(
    link: str | None = None, number: str | None = None, passcode: str | None = None, *, cloud: str = "global"
) -> MeetingRefused:
    """Why there is none."""
    with pytest.raises(MeetingRefused) as caught:
        parsed(link, number, passcode, cloud=cloud)
    return caught.value


@pytest.mark.parametrize(("link", "meeting"), JOINED.values(), ids=JOINED)
def test_joins(link: str, meeting: Meeting) -> None:
    """Each form names its meeting, and no other."""
    assert parsed(link) == meeting


@pytest.mark.parametrize(("link", "code"), REFUSED.values(), ids=REFUSED)
def test_refuses(link: str, code: str) -> None:
    """Each other link is refused with what to use instead."""
    refused = refusal(link)
    assert (refused.code, refused.target) == (code, "meeting.joinWebUrl")
    assert ADVICE[code] in refused.message
    assert refused.message.count(". ") == 1, "two sentences"


@pytest.mark.parametrize("link", [link for link, _ in REFUSED.values()], ids=REFUSED)
def test_quotes_no_link(link: str) -> None:
    """A refusal, its repr and its traceback hold nothing of the link."""
    refused = refusal(link)
    for text in (str(refused), repr(refused), *map(str, refused.args), *traceback.format_exception_only(refused)):
        for part in (
            THREAD[11:40],
            NUMBER,
            PASSCODE,
            ORGANIZER,
            TENANT,
            "reader",
            "contoso",
            "mimecast",
            "meetings.ex",
        ):
            assert part not in text
    assert refused.__cause__ is None


@pytest.mark.parametrize("meeting", [BY_THREAD, BY_ID])
def test_prints_no_secret(meeting: Meeting) -> None:
    """A meeting's repr has none of its ids."""
    for secret in (THREAD, ORGANIZER, NUMBER, PASSCODE):
        assert secret not in repr(meeting)


@pytest.mark.parametrize(
    ("cloud", "link", "joins"),
    [
        ("us-gov-l4", long(host="gov.teams.microsoft.us"), True),
        ("us-gov-l4", long(THREAD.replace("19:", "19:gcch:"), host="gov.teams.microsoft.us"), True),
        ("us-gov-l4", SHORT.replace("microsoft.com", "microsoft.us"), True),
        ("us-gov-l4", long(THREAD.replace("19:", "19:dod:"), host="gov.teams.microsoft.us"), False),
        ("us-gov-l4", SHORT.replace("teams.microsoft.com", "dod.teams.microsoft.us"), False),
        ("us-gov-l5", long(THREAD.replace("19:", "19:dod:"), host="dod.teams.microsoft.us"), True),
        ("us-gov-l5", LONG, False),
        ("us-gov-l4", SHORT, False),
    ],
)
def test_own_cloud(cloud: str, link: str, joins: bool) -> None:  # noqa: FBT001
    """An app joins meetings of its own cloud only."""
    if joins:
        parsed(link, cloud=cloud)
    else:
        assert refusal(link, cloud=cloud).code == "OtherCloud"


def test_desktop_client_is_of_own_cloud() -> None:
    """A link without a host is taken for one of the app's own cloud."""
    assert parsed(f"msteams:/meet/{NUMBER}?p={PASSCODE}", cloud="us-gov-l5") == BY_ID


@pytest.mark.parametrize(
    ("number", "passcode", "meeting"),
    [
        ("246 813 579 024 68", PASSCODE, BY_ID),
        ("246\u00a0813\u2009579\u202f024\u200b68\n", f" {PASSCODE}\u200b\n", BY_ID),
        ("912 345 678", None, Meeting(None, None, join_meeting_id="912345678")),
        ("312 345 678 909 876", " ", Meeting(None, None, join_meeting_id="312345678909876")),
    ],
)
def test_reads_an_id(number: str, passcode: str | None, meeting: Meeting) -> None:
    """An ID is read as it is printed; blanks of every kind don't count, nor does an empty passcode."""
    assert parsed(None, number, passcode) == meeting
    assert parsed("", number, passcode) == meeting


@pytest.mark.parametrize(
    ("number", "code", "advice"),
    [
        ("123 456 78#", "DialIn", "meeting ID"),
        ("+1 206 555 0142", "MeetingIdNotDigits", "9 to 15 digits"),
        ("12345678", "MeetingIdNotDigits", "9 to 15 digits"),
        ("1234567890123456", "MeetingIdNotDigits", "9 to 15 digits"),
        ("123456789a", "MeetingIdNotDigits", "9 to 15 digits"),
        ("\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669", "MeetingIdNotDigits", "9 to 15 digits"),
        (SHORT, "LinkAsMeetingId", "joinWebUrl"),
    ],
)
def test_refuses_an_id(number: str, code: str, advice: str) -> None:
    """What is no meeting ID is refused, never cut down to one."""
    refused = refusal(None, number)
    assert (refused.code, refused.target) == (code, "meeting.joinMeetingId")
    assert advice in refused.message
    assert number not in refused.message


@pytest.mark.parametrize("passcode", ["x" * 129, "a\x00b", "\ud800"])
def test_refuses_a_passcode(passcode: str) -> None:
    """What can't be a passcode is refused."""
    refused = refusal(None, NUMBER, passcode)
    assert (refused.code, refused.target) == ("NotAPasscode", "meeting.passcode")


@pytest.mark.parametrize(
    ("given", "code", "target"),
    [
        ((None, None, None), "MeetingMissing", "meeting"),
        (("", " ", "\u200b"), "MeetingMissing", "meeting"),
        ((None, None, PASSCODE), "MeetingMissing", "meeting.joinMeetingId"),
        ((LONG, NUMBER, None), "MeetingNamedTwice", "meeting"),
        ((LONG, None, PASSCODE), "MeetingNamedTwice", "meeting"),
    ],
)
def test_names_one_meeting(given: tuple[str | None, str | None, str | None], code: str, target: str) -> None:
    """A meeting is named once, by its link or by its ID."""
    refused = refusal(*given)
    assert (refused.code, refused.target) == (code, target)
