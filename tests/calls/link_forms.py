"""Links in the forms in which people paste them, all made up: what each of them names, or why it is refused."""

# ruff: noqa: E501  # a table reads best with one form on a line
from __future__ import annotations

import base64
import json
from urllib.parse import quote

from domain.meeting import Meeting

TENANT = "8d0f3a61-5c2e-4b97-a1d4-6e9b07c35f28"
OTHER_TENANT = "11f8d0a2-93b4-4c5e-8d7f-0a6b1c2d3e4f"
ORGANIZER = "c2b7e9d4-1f60-4a38-b5c9-8e3d2a7f6041"
THREAD = "19:meeting_OGQyYTE3YzQtM2I5Zi00NmUwLWE1ZDgtN2MxYjBlNGY5YTYz@thread.v2"
CHANNEL = "19:VGhlTWFkZVVwQ2hhbm5lbE9mT3VyVGVzdHMwMDAwMDAx1@thread.tacv2"
NUMBER, PASSCODE = "24681357902468", "mK3pWz8RtYq2Vn"

BY_THREAD = Meeting(THREAD, ORGANIZER)
BY_ID = Meeting(None, None, join_meeting_id=NUMBER, passcode=PASSCODE)
WITHOUT_PASSCODE = Meeting(None, None, join_meeting_id=NUMBER)
IN_CHANNEL = Meeting(CHANNEL, ORGANIZER, message_id="1740000000321")


def encoded(text: str, times: int = 1) -> str:
    """Percent-encode a whole string."""
    for _ in range(times):
        text = quote(text, safe="", errors="replace")
    return text


def context(**members: object) -> str:
    """A link's context, by default with our tenant and the organizer; None leaves a member out."""
    members = {"Tid": TENANT, "Oid": ORGANIZER} | members
    return json.dumps({name: value for name, value in members.items() if value is not None}, separators=(",", ":"))


def long(thread: str = THREAD, message: str = "0", *, host: str = "teams.microsoft.com", **members: object) -> str:
    """A long link."""
    return f"https://{host}/l/meetup-join/{encoded(thread)}/{message}?context={encoded(context(**members))}"


def behind_host(link: str) -> str:
    """The path and query of a link."""
    return link.removeprefix("https://teams.microsoft.com")


def coordinates(text: str) -> str:
    """The URL of a guest's browser."""
    coords = encoded(base64.b64encode(text.encode()).decode())
    return f"https://teams.microsoft.com/light-meetings/launch?agent=web&coords={coords}&deeplinkId=1"


def safe(link: str, host: str = "eur04.safelinks.protection.outlook.com", path: str = "/") -> str:
    """A link that a mail filter wrapped."""
    return f"https://{host}{path}?url={encoded(link)}&data=05%7C02%7Creader%40contoso.example%7Cabc&sdata=xyz%3D&reserved=0"


LONG, SHORT = long(), f"https://teams.microsoft.com/meet/{NUMBER}?p={PASSCODE}"
DECODED = f"https://teams.microsoft.com/l/meetup-join/{THREAD}/0?context={context()}"
LAUNCHER = f"https://teams.microsoft.com/dl/launcher/launcher.html?url={encoded('/_#' + behind_host(LONG) + '&anon=true')}&type=meetup-join&directDl=true"
TEAMS_CHAT = f"https://statics.teams.cdn.office.net/evergreen-assets/safelinks/2/atp-safelinks.html?url={encoded(SHORT)}&locale=en-us&dest={encoded('https://teams.microsoft.com/api/mt/part')}"
COORDINATES = json.dumps({"conversationId": THREAD, "tenantId": TENANT, "messageId": "0", "organizerId": ORGANIZER})
PROOFPOINT_2 = "https://urldefense.proofpoint.com/v2/url?u=" + (
    SHORT.replace("/", "_").replace("?", "-3F").replace("=", "-3D").replace("https:", "https-3A")
    + "&d=Dw&c=x&r=y&m=z&s=s"
)
PROOFPOINT_3 = f"https://urldefense.com/v3/__{LONG.replace('%', '*')}__;{base64.urlsafe_b64encode(b'%' * LONG.count('%')).decode()}!!AbC!made-up$"
FOLDED = "\r\n ".join(LONG[start : start + 70] for start in range(0, len(LONG), 70))

JOINED: dict[str, tuple[str, Meeting]] = {
    "as Graph returns it": (LONG, BY_THREAD),
    "lower-case escapes": (LONG.replace("%3A", "%3a").replace("%7B", "%7b"), BY_THREAD),
    "decoded": (DECODED, BY_THREAD),
    "decoded, with blanks": (DECODED.replace(':"', ': "').replace(",", ", "), BY_THREAD),
    "old thread": (long(THREAD.replace("v2", "skype")), Meeting(THREAD.replace("v2", "skype"), ORGANIZER)),
    "more parameters": (f"{LONG}&anon=true&fqdn=teams.live.com&type=meet", BY_THREAD),
    "context last": (LONG.replace("?", "?anon=true&"), BY_THREAD),
    "parameters repeated": (LONG + LONG[LONG.index("?") :].replace("?", "&"), BY_THREAD),
    "blanks as plus signs": (LONG.replace("%3A%22", "%3A+%22"), BY_THREAD),
    "lower-case members": (LONG.replace("Tid", "tid").replace("Oid", "oid"), BY_THREAD),
    "upper-case ids": (long(Tid=TENANT.upper(), Oid=ORGANIZER.upper()), BY_THREAD),
    "quotes lost": (LONG.replace("%22", ""), BY_THREAD),
    "channel": (long(CHANNEL, "1740000000321"), IN_CHANNEL),
    "reply chain": (
        long(CHANNEL, "1740000000321", MessageId="1740000000999"),
        Meeting(CHANNEL, ORGANIZER, "1740000000321", "1740000000999"),
    ),
    "message 0 in the context": (long(MessageId="0"), BY_THREAD),
    "trailing slash": (LONG.replace("/0?", "/0/?"), BY_THREAD),
    "encoded twice": (LONG.replace("%", "%25"), BY_THREAD),
    "encoded whole": (encoded(LONG), BY_THREAD),
    "encoded whole, twice": (encoded(LONG, 2), BY_THREAD),
    "question mark encoded": (LONG.replace("?", "%3F"), BY_THREAD),
    "out of HTML": (f"{LONG}&amp;anon=true", BY_THREAD),
    "escaped for HTML twice": (SHORT.replace("?", "?anon=true&amp;amp;"), BY_ID),
    "SharePoint": (LONG.replace("https:", "https&#58;"), BY_THREAD),
    "out of JSON": (SHORT.replace("/", "\\/"), BY_ID),
    "folded": (FOLDED, BY_THREAD),
    "folded, of a calendar": (f"X-MICROSOFT-SKYPETEAMSMEETINGURL:{SHORT[:34]}\r\n {SHORT[34:]}", BY_ID),
    "broken in two": (f"{LONG[:90]}\n{LONG[90:]}", BY_THREAD),
    "meeting ID broken in two": (f"{SHORT[:41]}\n{SHORT[41:]}", BY_ID),
    "meeting ID broken after nine digits": (f"{SHORT[:44]}\n{SHORT[44:]}", BY_ID),
    "passcode folded": (f"{SHORT[:-4]}\r\n {SHORT[-4:]}", BY_ID),
    "quoted-printable": (f"{LONG[:60].replace('=', '=3D')}=\r\n{LONG[60:].replace('=', '=3D')}", BY_THREAD),
    "angle brackets": (f"<{LONG}>", BY_THREAD),
    "one angle bracket": (f"{LONG}>", BY_THREAD),
    "in text": (f"Click here to join the meeting<{LONG}>", BY_THREAD),
    "Markdown": (f"[Join]({LONG}).", BY_THREAD),
    "Slack": (f"<{SHORT}|Join>", BY_ID),
    "in bold": (f"**{SHORT}**", BY_ID),
    "full stop": (f"{LONG}.", BY_THREAD),
    "in quotes": (f'"{LONG}"', BY_THREAD),
    "blanks of all kinds": (f"\u00a0\u200b\ufeff {SHORT}\u200b\u2003\n", BY_ID),
    "zero-width inside": (SHORT.replace("/meet", "\u200b/meet"), BY_ID),
    "no scheme": (LONG.removeprefix("https://"), BY_THREAD),
    "no scheme, in text": (f"Join at {SHORT.removeprefix('https://')} today", BY_ID),
    "capitals": (LONG.replace("https://teams.microsoft", "HTTPS://Teams.Microsoft"), BY_THREAD),
    "http": (LONG.replace("https", "http"), BY_THREAD),
    "port": (long(host="teams.microsoft.com:443"), BY_THREAD),
    "new host": (long(host="teams.cloud.microsoft"), BY_THREAD),
    "Defender for Cloud Apps": (long(host="teams.microsoft.com.mcas.ms"), BY_THREAD),
    "web client, old": (f"https://teams.microsoft.com/_#{behind_host(LONG)}&anon=true", BY_THREAD),
    "web client": (f"https://teams.microsoft.com/v2/?meetingjoin=true#{behind_host(LONG)}", BY_THREAD),
    "web client, short": (f"https://teams.cloud.microsoft/v2/#{behind_host(SHORT)}&anon=true", BY_ID),
    "launcher": (LAUNCHER, BY_THREAD),
    "launcher, decoded": (f"https://teams.microsoft.com/dl/launcher/launcher.html?url=/_#{behind_host(LONG)}&type=x", BY_THREAD),
    "launcher, short": (LAUNCHER.replace(encoded(behind_host(LONG)), encoded(behind_host(SHORT))), BY_ID),
    "guest's browser": (coordinates(COORDINATES), BY_THREAD),
    "guest's browser, escaped": (coordinates(encoded(COORDINATES)), BY_THREAD),
    "desktop client": (f"msteams:{behind_host(LONG)}", BY_THREAD),
    "desktop client, with host": (LONG.replace("https", "msteams"), BY_THREAD),
    "desktop client, three slashes": (f"msteams://{behind_host(LONG)}", BY_THREAD),
    "desktop client, newer": (SHORT.replace("https", "ms-teams"), BY_ID),
    "short": (SHORT, BY_ID),
    "short, without passcode": (SHORT.partition("?")[0], WITHOUT_PASSCODE),
    "short, passcode empty": (f"{SHORT.partition('=')[0]}=", WITHOUT_PASSCODE),
    "short, slash": (SHORT.replace("?", "/?"), BY_ID),
    "short, p last": (SHORT.replace("?", "?anon=true&pp=ab12&"), BY_ID),
    "short, nine digits": (SHORT.replace(NUMBER, "246813579"), Meeting(None, None, join_meeting_id="246813579", passcode=PASSCODE)),
    "short, fifteen digits": (SHORT.replace(NUMBER, NUMBER + "1"), Meeting(None, None, join_meeting_id=NUMBER + "1", passcode=PASSCODE)),
    "short, /l/": (SHORT.replace("/meet", "/l/meet"), BY_ID),
    "Safe Links": (safe(LONG), BY_THREAD),
    "Safe Links, with a path": (safe(LONG, path="/ap/t-59584e83/"), BY_THREAD),
    "Safe Links of another cloud": (safe(SHORT, "usg01.safelinks.protection.office365.us"), BY_ID),
    "Safe Links, decoded": (f"https://eur04.safelinks.protection.outlook.com/?url={LONG}&data=05|02", BY_THREAD),
    "Safe Links of Teams": (TEAMS_CHAT, BY_ID),
    "Safe Links of Teams, newer": (
        TEAMS_CHAT.replace("statics.teams.cdn.office.net", "teams.public.onecdn.static.microsoft"), BY_ID,
    ),
    "Outlook on the web": (f"https://outlook.office.com/mail/safelink.html?url={encoded(LONG)}&corid=1", BY_THREAD),
    "Google": (f"https://www.google.com/url?q={encoded(LONG)}&sa=D&source=calendar", BY_THREAD),
    "Proofpoint 2": (PROOFPOINT_2, BY_ID),
    "Proofpoint 3": (PROOFPOINT_3, BY_THREAD),
    "Cisco": (f"https://secure-web.cisco.com/1AbC-dEf/{encoded(LONG)}", BY_THREAD),
    "Barracuda": (f"https://linkprotect.cudasvc.com/url?a={encoded(SHORT)}&c=E,1&typo=1", BY_ID),
    "Bookings": (f"https://visit.teams.microsoft.com/webrtc-svc/api/route?tid={TENANT}&JoinWebUrl={encoded(LONG)}", BY_THREAD),
    "wrapped three times": (safe(TEAMS_CHAT.replace(encoded(SHORT), encoded(LAUNCHER))), BY_THREAD),
    "wrapped five times": (safe(safe(safe(safe(safe(SHORT))))), BY_ID),
}  # fmt: skip

_TWO = long(THREAD.replace("OGQy", "ZTFi"))
REFUSED: dict[str, tuple[str, str]] = {
    "without organizer": (long(Oid=None), "LinkIncomplete"),
    "without tenant": (long(Tid=None), "LinkIncomplete"),
    "without context": (LONG.partition("?")[0], "LinkIncomplete"),
    "cut in the context": (LONG[:170], "LinkIncomplete"),
    "cut in the thread": (LONG[:70], "LinkIncomplete"),
    "cut behind the path": ("https://teams.microsoft.com/l/meetup-join/", "LinkIncomplete"),
    "displayed shorter": (f"{SHORT[:43]}...", "LinkIncomplete"),
    "organizer is no GUID": (long(Oid="organizer"), "LinkIncomplete"),
    "thread is none": (long("meeting_123"), "LinkIncomplete"),
    "thread with a slash": (long("19:meeting_a/b@thread.v2"), "LinkIncomplete"),
    "message is no number": (long(message="abc"), "LinkIncomplete"),
    "no message": (LONG.replace("/0?", "?"), "LinkIncomplete"),
    "longer path": (LONG.replace("/0?", "/0/1?"), "LinkIncomplete"),
    "two contexts": (f"{LONG}&context={encoded(context(Oid=OTHER_TENANT))}", "LinkIncomplete"),
    "two organizers": (LONG.replace("%7D", encoded(f',"oid":"{OTHER_TENANT}"}}')), "LinkIncomplete"),
    "encoded too often": (LONG.replace("%", "%2525252525"), "LinkIncomplete"),
    "launcher, cut": (LAUNCHER[:140], "LinkIncomplete"),
    "launcher without link": ("https://teams.microsoft.com/dl/launcher/launcher.html?type=meet", "LinkIncomplete"),
    "meeting ID as a thread": (f"https://teams.microsoft.com/l/meetup-join/{NUMBER}", "LinkIncomplete"),
    "short, letters": ("https://teams.microsoft.com/meet/123not-a-meeting?p=abc", "LinkIncomplete"),
    "short, eight digits": ("https://teams.microsoft.com/meet/12345678?p=abc", "LinkIncomplete"),
    "short, sixteen digits": ("https://teams.microsoft.com/meet/1234567890123456?p=abc", "LinkIncomplete"),
    "short, longer path": (SHORT.replace("?", "/extra?"), "LinkIncomplete"),
    "short, without ID": ("https://teams.microsoft.com/meet/", "LinkIncomplete"),
    "short, two passcodes": (f"{SHORT}&p=another", "LinkIncomplete"),
    "short, blank in the passcode": (f"{SHORT}%20more", "LinkIncomplete"),
    "guest's browser, cut": (coordinates(COORDINATES[:90]), "LinkIncomplete"),
    "guest's browser, no Base64": ("https://teams.microsoft.com/light-meetings/launch?coords=a", "LinkIncomplete"),
    "guest's browser, no coordinates": ("https://teams.microsoft.com/light-meetings/launch?p=ab&anon=true", "NotAJoinLink"),
    "another tenant": (long(Tid=OTHER_TENANT), "OtherTenant"),
    "another tenant, wrapped": (safe(long(Tid=OTHER_TENANT)), "OtherTenant"),
    "another tenant, guest's browser": (coordinates(COORDINATES.replace(TENANT, OTHER_TENANT)), "OtherTenant"),
    "US Government": (long(host="gov.teams.microsoft.us"), "OtherCloud"),
    "US Government, short": (SHORT.replace("microsoft.com", "microsoft.us"), "OtherCloud"),
    "US Government, by its thread": (long(THREAD.replace("19:", "19:gcch:")), "OtherCloud"),
    "DoD": (SHORT.replace("teams.microsoft.com", "dod.teams.microsoft.us"), "OtherCloud"),
    "personal": (SHORT.replace("teams.microsoft.com", "teams.live.com"), "PersonalAccount"),
    "personal, launcher": (LAUNCHER.replace("teams.microsoft.com", "teams.live.com"), "PersonalAccount"),
    "personal, desktop client": ("ms-teams://teams.live.com/meet/9412345678901?p=ab", "PersonalAccount"),
    "personal, desktop client without host": ("msteams:/meet/9412345678901?p=ab&fqdn=teams.live.com", "PersonalAccount"),
    "China": (long(host="teams.microsoftonline.cn"), "ChinaCloud"),
    "live event": (f"{long(IsBroadcastMeeting=True)}&btype=a&role=a", "LiveEvent"),
    "town hall": (f"https://teams.microsoft.com/convene/townhall?eventId=1@{TENANT}", "EventPage"),
    "event with a link inside": (f"https://teams.microsoft.com/convene/meetings?url={encoded(behind_host(LONG))}", "EventPage"),
    "registration": (f"https://events.teams.microsoft.com/event/1@{TENANT}", "EventPage"),
    "Mimecast": ("https://protect-us.mimecast.com/s/AbCdEf?domain=teams.microsoft.com", "LinkHidden"),
    "Safe Links without link": ("https://eur04.safelinks.protection.outlook.com/?data=1", "LinkHidden"),
    "Proofpoint, damaged": ("https://urldefense.com/v3/__https://teams.microsoft.com/__;a!!x$", "LinkHidden"),
    "wrapped too often": (safe(safe(safe(safe(safe(safe(SHORT)))))), "LinkHidden"),
    "options": (f"https://teams.microsoft.com/meetingOptions/?organizerId={ORGANIZER}&tenantId={TENANT}&threadId={THREAD.replace(':', '_')}", "OptionsPage"),
    "recap": (f"https://teams.microsoft.com/l/meetingrecap?threadId={encoded(THREAD)}&tenantId={TENANT}", "NotAJoinLink"),
    "new meeting": ("https://teams.microsoft.com/l/meeting/new?subject=Incident", "NotAJoinLink"),
    "chat": (f"https://teams.microsoft.com/l/chat/{encoded(THREAD)}/0", "NotAJoinLink"),
    "message": (f"https://teams.microsoft.com/l/message/{encoded(THREAD)}/174", "NotAJoinLink"),
    "channel page": (f"https://teams.microsoft.com/l/channel/{encoded(CHANNEL)}/General?tenantId={TENANT}", "NotAJoinLink"),
    "team": (f"https://teams.microsoft.com/l/team/{encoded(CHANNEL)}/conversations", "NotAJoinLink"),
    "call": ("https://teams.microsoft.com/l/call/0/0?users=someone%40contoso.example", "NotAJoinLink"),
    "calendar": ("https://teams.microsoft.com/v2/calendar", "NotAJoinLink"),
    "start page": ("https://teams.microsoft.com", "NotAJoinLink"),
    "help": ("https://aka.ms/JoinTeamsMeeting?omkt=en-US", "HelpPage"),
    "help, wrapped": (safe("https://aka.ms/JoinTeamsMeeting"), "HelpPage"),
    "join with an ID": ("https://www.microsoft.com/microsoft-teams/join-a-meeting", "HelpPage"),
    "dial-in": ("https://dialin.teams.microsoft.com/1?id=123456789", "DialIn"),
    "phone number": ("tel:+12065550142,,98765432#", "DialIn"),
    "phone number without scheme": ("+1 206 555 0142,,98765432#", "DialIn"),
    "phone conference ID": ("987 654 32#", "DialIn"),
    "meeting ID": ("246 813 579 024 68", "MeetingIdAsLink"),
    "video conference": ("123456789@video.example", "VideoRoom"),
    "look-alike": (long(host="teams.microsoft.com.meetings.example"), "NotTeams"),
    "look-alike without scheme": ("teams.microsoft.com.example/meet/246813579?p=a", "NotTeams"),
    "another label in front": (long(host="x.teams.microsoft.com"), "NotTeams"),
    "dot behind": (long(host="teams.microsoft.com."), "NotTeams"),
    "user in front": (long(host="teams.microsoft.com@meetings.example"), "NotTeams"),
    "Teams' host as the user": (long(host="someone@teams.microsoft.com"), "NotTeams"),
    "port and user": (long(host="teams.microsoft.com:443@meetings.example"), "NotTeams"),
    "another port": (long(host="teams.microsoft.com:8443"), "NotTeams"),
    "Teams in the path": (f"https://meetings.example/teams.microsoft.com{behind_host(LONG)}", "NotTeams"),
    "Teams in a parameter": (f"https://meetings.example/?url={encoded(LONG)}", "NotTeams"),
    "launcher leads away": ("https://teams.microsoft.com/dl/launcher/launcher.html?url=%2F%2Fmeetings.example%2Fmeet%2F246813579", "NotTeams"),
    "Cyrillic host": (LONG.replace("microsoft", "micros\u043eft"), "NotTeams"),
    "Skype for Business": ("https://meet.lync.com/contoso/someone/AB12CD34", "NotTeams"),
    "Zoom": ("https://us02web.zoom.us/j/81234567890?pwd=abc", "NotTeams"),
    "a word": ("Microsoft", "NoLink"),
    "a place": ("Microsoft Teams Meeting; Room 5.01", "NoLink"),
    "two meetings": (f"{LONG} or {_TWO}", "SeveralMeetings"),
    "two meetings, by ID": (f"{SHORT}\n{SHORT.replace(NUMBER, '135792468')}", "SeveralMeetings"),
    "two forms, two meetings": (f"Monday: {SHORT}\nTuesday: {LONG}", "SeveralMeetings"),
}  # fmt: skip
