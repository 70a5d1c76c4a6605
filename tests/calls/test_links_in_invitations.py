"""The text or HTML of an invitation, all made up: the one meeting in it, or why there is none."""

from __future__ import annotations

import pytest

from calls.links import MeetingRefused, parse_meeting
from domain.clouds import CLOUDS
from domain.meeting import Meeting
from tests.calls.link_forms import (
    BY_ID,
    BY_THREAD,
    LONG,
    NUMBER,
    ORGANIZER,
    OTHER_TENANT,
    SHORT,
    TENANT,
    THREAD,
    encoded,
    long,
    safe,
)

OPTIONS = (
    f"https://teams.microsoft.com/meetingOptions/?organizerId={ORGANIZER}&tenantId={TENANT}"
    f"&threadId={THREAD.replace(':', '_')}&messageId=0&language=en-US"
)
HELP = "https://aka.ms/JoinTeamsMeeting?omkt=en-US"
DIAL_IN = "https://dialin.teams.microsoft.com/0c1d2e3f-0000-4000-8000-000000000001?id=98765432"
START = "https://teams.microsoft.com/meet/"
RULE = "_" * 80
PHONES = (
    f"Dial in by phone\n+1 206-555-0142,,98765432#<tel:+12065550142,,98765432#> United States, Seattle\n"
    f"Find a local number<{DIAL_IN}>\nPhone conference ID: 987 654 32#\n"
    f"Join on a video conferencing device\nTenant key: 123456789@video.example\nVideo ID: 112 345 678 9\n"
    f"More info<https://pexip.example/teams/?conf=1123456789>\n"
)
ORGANIZERS = f"For organizers: Meeting options<{OPTIONS}> | Reset dial-in PIN<https://dialin.teams.microsoft.com/usp/pstnconferencing>"


def classic(link: str = LONG) -> str:
    """An invitation until 2025."""
    return (
        f"Agenda: https://contoso.sharepoint.com/sites/teams/plan.docx\n{RULE}\nMicrosoft Teams Need help?<{HELP}>\n"
        f"Join the meeting now<{link}>\nMeeting ID: 246 813 579 024 68\nPasscode: Ab3dE6\n{'_' * 32}\n"
        f"{PHONES}{ORGANIZERS}\n{RULE}\n"
    )


def current(short: str = SHORT, reference: str = LONG, label: str = "System reference") -> str:
    """An invitation of 2026: its meeting by a short link, and by a long one next to the help page."""
    return (
        f"{RULE}\nMicrosoft Teams meeting\nJoin: {short}\nMeeting ID: 246 813 579 024 68\nPasscode: Ab3dE6\n"
        f"{'_' * 32}\nNeed help?<{HELP}> | {label}<{reference}>\n{PHONES}{ORGANIZERS}\n{RULE}\n"
    )


def page(short: str = SHORT, reference: str = LONG, *, ids: bool = True) -> str:
    """The same as HTML."""

    def anchor(link: str, name: str, text: str) -> str:
        identity = f' id="meet_invite_block.action.{name}"' if ids else ""
        link = link.replace("&", "&amp;")
        return f'<a href="{link}"{identity} style="color:#5B5FC7">{text}</a>'

    return (
        '<html><body><div style="color:#242424">Join:\r\n '
        f"{anchor(short, 'join_link', short)}</div><div>Meeting ID:\r\n<span>246 813 579 024 68</span></div>\r\n"
        f"<div>{anchor(HELP, 'help', 'Need help?')}\r\n<span>|</span> "
        f"{anchor(reference, 'join_link_compatibility', 'Systemreferenz')}</div>\r\n"
        f'<div><a href="tel:+12065550142,,98765432#">+1 206-555-0142</a> {anchor(DIAL_IN, "dialin", "Numbers")}\r\n'
        f"{anchor(OPTIONS, 'organizer_meet_options', 'Besprechungsoptionen')}</div></body></html>"
    )


def calendar(description: str) -> str:
    """An iCalendar object with its lines folded."""
    lines = [
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        "DESCRIPTION;LANGUAGE=en-US:" + description.replace("\n", "\\n").replace(",", "\\,"),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join("\r\n ".join(line[start : start + 74] for start in range(0, len(line), 74)) for line in lines)


PERSONAL = "https://teams.live.com/meet/9412345678901?p=AbCdEf12"
OTHER = long(Tid=OTHER_TENANT)
SECOND = long(THREAD.replace("OGQy", "ZTFi"))

JOINED: dict[str, tuple[str, Meeting]] = {
    "classic": (classic(), BY_THREAD),
    "classic, short link": (classic(SHORT), BY_ID),
    "classic, as HTML": (f'<p>Hi</p><a href="{LONG}">Join the meeting now</a> <a href="{HELP}">Help</a>', BY_THREAD),
    "current": (current(), BY_THREAD),
    "current, another language": (current(label="Systemreferenz"), BY_THREAD),
    "current, flattened": (" ".join(current().split()).replace(" | ", " "), BY_THREAD),
    "current, wrapped": (current(safe(SHORT), safe(LONG)), BY_THREAD),
    "current, indented": (current().replace("\n", "\n  "), BY_THREAD),
    "current, twice": (f"{current()}\n\n> {current()}", BY_THREAD),
    "current, in a calendar": (calendar(current()), BY_THREAD),
    "short, in a calendar": (calendar(classic(SHORT)), BY_ID),
    "short, indented": (classic(SHORT).replace("\n", "\n "), BY_ID),
    "HTML": (page(), BY_THREAD),
    "HTML without ids": (page(ids=False), BY_THREAD),
    "HTML without bars": (page().replace("<span>|</span>", ""), BY_THREAD),
    "HTML, wrapped": (page(safe(SHORT), safe(LONG)), BY_THREAD),
    "HTML, lines broken": (page().replace("meetup-join/", "meetup-join/\r\n"), BY_THREAD),
    "HTML, escaped once more": (page().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), BY_THREAD),
    "HTML, what is displayed is shorter": (f'<a href="{LONG}">{LONG[:60]}...</a>', BY_THREAD),
    "HTML, what is displayed ends in an ellipsis": (f'<a href="{safe(SHORT)}">{SHORT[:40]}\u2026</a>', BY_ID),
    "link and text": (f'<a href="{safe(LONG)}" originalsrc="{LONG}">{LONG}</a>', BY_THREAD),
    "with and without passcode": (f"{SHORT.partition('?')[0]}\nor {SHORT}", BY_ID),
    "another program too": (f"Zoom: https://us02web.zoom.us/j/81234567890\nTeams: {SHORT}", BY_ID),
    "live event and presenters": (f"{long(IsBroadcastMeeting=True)}\nPresenters: {LONG}", BY_THREAD),
    "registration too": (f"https://events.teams.microsoft.com/event/1@{TENANT}\nJoin: {LONG}", BY_THREAD),
    "recap too": (f"https://teams.microsoft.com/l/meetingrecap?threadId={encoded(THREAD)}\n{LONG}", BY_THREAD),
    "followed by a time": (f"{SHORT.partition('?')[0]} 10:00", Meeting(None, None, join_meeting_id=NUMBER)),
    "followed by a Chinese bracket": (f"\uff08{SHORT}\uff09", BY_ID),
    "long text": (f"{'Lorem ipsum. ' * 4_000}{current()}", BY_THREAD),
}
REFUSED: dict[str, tuple[str, str]] = {
    "two": (classic() + classic(SECOND), "SeveralMeetings"),
    "two, current": (current() + current(SHORT.replace(NUMBER, "135792468"), SECOND), "SeveralMeetings"),
    "two, one of each": (classic(SHORT) + classic(), "SeveralMeetings"),
    "two, as HTML": (page() + page(SHORT.replace(NUMBER, "135792468"), SECOND), "SeveralMeetings"),
    "one ID, two passcodes": (f"{SHORT} {SHORT}x", "SeveralMeetings"),
    "two messages of a channel": (f"{long(message='17400')} {long(message='17401')}", "SeveralMeetings"),
    "one cut, one of another meeting": (f"{LONG} {SECOND[:110]} ", "SeveralMeetings"),
    "cut within braces": (
        f'https://teams.microsoft.com/l/meetup-join/{THREAD}/0?context={{"Tid": {SECOND} }}', "SeveralMeetings",
    ),
    "another tenant's": (classic(OTHER), "OtherTenant"),
    "another tenant's, current": (current(reference=OTHER), "OtherTenant"),
    "another tenant's, and ours": (f"{OTHER}\n{SHORT}", "OtherTenant"),
    "personal": (classic(PERSONAL), "PersonalAccount"),
    "live event": (f"{long(IsBroadcastMeeting=True)}\n<{HELP}>", "LiveEvent"),
    "short link broken, more behind it": (f"{SHORT[:41]}\n{SHORT[41:]}\nMeeting ID: 246", "LinkIncomplete"),
    "short link with blanks in it": (f"{START}246 813 579?p=a", "LinkIncomplete"),
    "cut": (classic(LONG[:120]), "LinkIncomplete"),
    "no join link": (classic("https://contoso.example"), "OptionsPage"),
    "no link at all": (f"{RULE}\nMicrosoft Teams meeting\nMeeting ID: 246 813 579\nPasscode: Ab3dE6", "NoLink"),
    "only other links": ("See https://contoso.example and https://fabrikam.example", "NotTeams"),
    "hidden": ("Join<https://protect-eu.mimecast.com/s/a>\nHelp<https://protect-eu.mimecast.com/s/b>", "LinkHidden"),
    "too long": (classic() + " " * 65_536, "TooManyLinks"),
    "too many links": ("".join(f"https://contoso.example/{number} " for number in range(600)), "TooManyLinks"),
}  # fmt: skip


def parsed(text: str) -> Meeting:
    """The meeting."""
    return parse_meeting(text, None, None, tenant_id=TENANT, cloud=CLOUDS["global"])


@pytest.mark.parametrize(("text", "meeting"), JOINED.values(), ids=JOINED)
def test_joins(text: str, meeting: Meeting) -> None:
    """The one meeting of an invitation is joined; its other links are passed over."""
    assert parsed(text) == meeting


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_refuses(text: str, code: str) -> None:
    """Without exactly one meeting that can be joined, the reason is the one that says most."""
    with pytest.raises(MeetingRefused) as caught:
        parsed(text)
    assert caught.value.code == code
    assert caught.value.target == "meeting.joinWebUrl"
