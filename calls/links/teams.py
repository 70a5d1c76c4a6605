"""A link of Microsoft Teams, and the meeting that it names.

Forms: https://learn.microsoft.com/graph/api/resources/onlinemeeting (``joinWebUrl``) and
https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/deep-links; the rest is what clients make
of them.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from calls.links import refusals
from calls.links.refusals import LinkRefused
from calls.links.urls import decoded, innermost, padded, value_of
from domain.clouds import CLOUDS
from domain.meeting import Meeting

if TYPE_CHECKING:
    from calls.links.urls import Url
    from domain.clouds import Cloud

_EVERY_TEAMS_HOST = frozenset[str]().union(*(cloud.teams_hosts for cloud in CLOUDS.values()))
_PERSONAL_HOST = "teams.live.com"
_CHINA_HOST = "teams.microsoftonline.cn"
_PAGES = {
    "aka.ms": refusals.HELP,
    "go.microsoft.com": refusals.HELP,
    "learn.microsoft.com": refusals.HELP,
    "support.microsoft.com": refusals.HELP,
    "support.office.com": refusals.HELP,
    "www.microsoft.com": refusals.HELP,
    "dialin.teams.microsoft.com": refusals.DIAL_IN,
    "events.teams.microsoft.com": refusals.EVENT,
}
_LONGEST_THREAD = 600
_LONGEST_CONTEXT = 3_000
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_THREAD = re.compile(r"19:[A-Za-z0-9_.:=-]{1,250}@(?:thread\.[a-z0-9]{2,12}|unq\.gbl\.spaces)")
_THREAD_PREFIX = re.compile(r"19:([a-z]+:)?")
_MESSAGE = re.compile(r"[0-9]{1,20}")
_MEETING_ID = re.compile(r"[0-9]{9,15}")
_PASSCODE = re.compile(r"[!-~]{1,128}")
# Member names and values of a context, whose quotes some programs drop.
_MEMBER = re.compile(
    r"(?<![A-Za-z])(conversationid|tid|tenantid|oid|organizerid|messageid|isbroadcastmeeting)"
    r"""["']?[\s+]{0,8}:[\s+]{0,8}["']?([A-Za-z0-9:@._=-]{1,300})""",
    re.IGNORECASE,
)


def url_of(link: str) -> Url:
    """Unwrap a link as far as Teams' own."""
    return innermost(link, _EVERY_TEAMS_HOST | {_PERSONAL_HOST, _CHINA_HOST})


def meeting_of(url: Url, tenant_id: str, cloud: Cloud) -> Meeting:
    """Return the meeting that an unwrapped link names."""
    _require_host(url.host, cloud)
    path, query = url.path_and_query
    segments = path.strip("/").split("/")
    match [segment.lower() for segment in segments]:
        case ["l", "meetup-join", thread, message]:
            thread, message = segments[2:]
            if max(len(thread), len(message)) > _LONGEST_THREAD:
                raise LinkRefused(refusals.INCOMPLETE)
            context = value_of(query, "context")
            meeting = _long(decoded(thread), decoded(message), context, tenant_id, cloud)
            return replace(meeting, reply_chain_message_id=_reply_chain(context))
        case ["meet", number] | ["l", "meet", number]:
            return _short(decoded(number), value_of(query, "p"))
        case ["light-meetings", *_] if coordinates := value_of(query, "coords"):
            return _from_coordinates(coordinates, tenant_id, cloud)
        case ["l", "meetup-join", *_]:
            raise LinkRefused(refusals.INCOMPLETE)
        case ["meet", *_] | ["l", "meet", *_]:
            raise LinkRefused(refusals.NOT_DIGITS)
        case ["convene", *_]:
            raise LinkRefused(refusals.EVENT)
        case ["meetingoptions", *_]:
            raise LinkRefused(refusals.OPTIONS)
        case ["l", page, *_]:
            raise LinkRefused(refusals.PAGES.get(page, refusals.PAGE))
    raise LinkRefused(refusals.PAGE)


def _require_host(host: str, cloud: Cloud) -> None:
    if host in cloud.teams_hosts or not host:  # without one: a link that starts the desktop client
        return
    if host == _PERSONAL_HOST:
        raise LinkRefused(refusals.PERSONAL)
    if host == _CHINA_HOST:
        raise LinkRefused(refusals.CHINA)
    if host in _EVERY_TEAMS_HOST:
        raise LinkRefused(refusals.OTHER_CLOUD)
    raise LinkRefused(_PAGES.get(host, refusals.NOT_TEAMS))


def _short(number: str, passcode: str) -> Meeting:
    number = "".join(number.split())
    if not _MEETING_ID.fullmatch(number):
        raise LinkRefused(refusals.NOT_DIGITS)
    if passcode and not _PASSCODE.fullmatch(passcode):
        raise LinkRefused(refusals.INCOMPLETE)
    return Meeting(None, None, join_meeting_id=number, passcode=passcode or None)


def _from_coordinates(coordinates: str, tenant_id: str, cloud: Cloud) -> Meeting:
    """Read the URL of a guest's browser: Base64 of JSON, plain or percent-encoded."""
    coordinates = coordinates.replace("+", "-").replace("/", "_")
    try:
        context = decoded(base64.urlsafe_b64decode(padded(coordinates)).decode(errors="replace"))
    except (binascii.Error, ValueError):
        raise LinkRefused(refusals.INCOMPLETE) from None
    members = _members(context)
    message = members.get("messageid", "0")
    return _long(members.get("conversationid", ""), message, context, tenant_id, cloud)


def _long(thread: str, message: str, context: str, tenant_id: str, cloud: Cloud) -> Meeting:
    if not _THREAD.fullmatch(thread) or not _MESSAGE.fullmatch(message):
        raise LinkRefused(refusals.INCOMPLETE)
    members = _members(context)
    if members.get("isbroadcastmeeting", "").lower() == "true":
        raise LinkRefused(refusals.BROADCAST)
    tenant = members.get("tid") or members.get("tenantid", "")
    organizer = members.get("oid") or members.get("organizerid", "")
    if _GUID.fullmatch(tenant) and tenant.lower() != tenant_id.lower():
        raise LinkRefused(refusals.OTHER_TENANT)
    if not _GUID.fullmatch(tenant) or not _GUID.fullmatch(organizer):
        raise LinkRefused(refusals.NO_ORGANIZER if context.rstrip().endswith("}") else refusals.INCOMPLETE)
    if _cloud_prefix(thread) not in {"", cloud.thread_prefix}:
        raise LinkRefused(refusals.OTHER_CLOUD)
    return Meeting(thread_id=thread, organizer_id=organizer.lower(), message_id=message)


def _reply_chain(context: str) -> str | None:
    """Return the message that a channel's meeting replies to; private meetings carry ``0``, or no message."""
    message = _members(context).get("messageid", "0")
    if message.lower() in {"0", "null"}:
        return None
    if not _MESSAGE.fullmatch(message):
        raise LinkRefused(refusals.INCOMPLETE)
    return message


def _cloud_prefix(thread: str) -> str:
    found = _THREAD_PREFIX.match(thread)
    return (found and found[1]) or ""


def _members(context: str) -> dict[str, str]:
    """Return a context's members by their names in lower case; a name with two values is no context."""
    members: dict[str, str] = {}
    if len(context) > _LONGEST_CONTEXT:
        raise LinkRefused(refusals.INCOMPLETE)
    for name, value in _MEMBER.findall(context):
        if members.setdefault(name.lower(), value) != value:
            raise LinkRefused(refusals.INCOMPLETE)
    return members
