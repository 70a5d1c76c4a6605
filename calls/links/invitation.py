"""The one meeting of a link or of an invitation's text or HTML, and what to say where there is none or several.

Today's invitations name their meeting twice: by a short link, and by the long one as "System reference" next to the
help page. The long one is used, since it also names tenant and organizer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calls.links import refusals
from calls.links.refusals import LinkRefused, Reason
from calls.links.teams import meeting_of, url_of
from calls.links.text import LONGEST_LINK, LONGEST_TEXT, Link, healed, links_in
from calls.links.urls import decoded

if TYPE_CHECKING:
    from domain.clouds import Cloud
    from domain.meeting import Meeting

_MOST_LINKS = 500
_MOST_READ = 24_576
"""How many characters of links are taken apart, with a surcharge for each: what keeps a hostile text under 5 ms."""
_EACH = 100
_MOST_FORMS = 3  # of one meeting: its long link, its short one, and that without a passcode
_PHONE = re.compile(r"tel:|\+[0-9]|[0-9][0-9 ]*#$", re.IGNORECASE)
_CUT_ESCAPE = re.compile(r"%.?$")


def meeting_in(given: str, tenant_id: str, cloud: Cloud) -> Meeting:
    """Return the one meeting that text or HTML names.

    Raises:
        LinkRefused: it names none that can be joined, or several.
    """
    if len(given) > LONGEST_TEXT:
        raise LinkRefused(refusals.TOO_LONG)
    text = healed(given)
    found = _Found(tenant_id, cloud)
    seen = set[tuple[str, str | None, bool]]()
    read, after_help = 0, False
    for count, link in enumerate(links_in(text)):
        key = (link.url, link.continued, _is_reference(link, after_help=after_help))
        after_help = "aka.ms" in link.url.lower()
        if key not in seen:
            read += _EACH + (len(link.url) + len(link.continued or "") if "teams" in link.url.lower() else 0)
        if count >= _MOST_LINKS or read > _MOST_READ:
            raise LinkRefused(refusals.TOO_LONG)
        if key in seen:
            continue
        seen.add(key)
        found.add(link, reference=key[2])
        if len(found.meetings) > _MOST_FORMS:
            raise LinkRefused(refusals.SEVERAL)
    if not seen:
        found.add(_without_scheme(text), reference=False)
    return found.meeting()


def _without_scheme(text: str) -> Link:
    """Take text without links as a link without a scheme, where it may be one."""
    if _PHONE.match(text):
        raise LinkRefused(refusals.DIAL_IN)
    if "".join(text.split()).isdigit():
        raise LinkRefused(refusals.ID_AS_LINK)
    if "@" in text and "/" not in text:
        raise LinkRefused(refusals.VIDEO_ROOM)
    if "." not in text or len(text.split(maxsplit=1)) > 1:
        raise LinkRefused(refusals.NO_LINK)
    return Link(url=text, continued=None, cut_by_line=False, shortened=False, before="", after="")


def _is_reference(link: Link, *, after_help: bool) -> bool:
    """Whether an invitation names its meeting again with this link, in any language."""
    around = f"{link.before} {link.after}".lower()
    marked = "join_link_compatibility" in around or "system reference" in around
    return marked or (after_help and "|" in link.before)


@dataclass(slots=True, repr=False)
class _Found:
    """What the links of one text name."""

    tenant_id: str
    cloud: Cloud
    meetings: dict[Meeting, str] = field(default_factory=dict)
    """Meetings that can be joined, each with a link."""
    references: set[Meeting] = field(default_factory=set)
    """Those that an invitation names again, next to its short link."""
    cut: list[str] = field(default_factory=list)
    """Incomplete links."""
    reasons: list[Reason] = field(default_factory=list)
    """Why the other links can't be joined."""

    def add(self, link: Link, *, reference: bool) -> None:
        """Read one link."""
        try:
            meeting = self._meeting_of(link)
        except LinkRefused as refused:
            self.reasons.append(refused.reason)
            if refused.reason.code == refusals.INCOMPLETE.code:
                self.cut.append(link.url)
            return
        self.meetings[meeting] = link.continued or link.url
        if reference:
            self.references.add(meeting)

    def _meeting_of(self, link: Link) -> Meeting:
        """Return the meeting of a link; where a line break cut it, with what follows the break."""
        if link.shortened:
            raise LinkRefused(refusals.INCOMPLETE)
        try:
            meeting = self._read(link.url)
        except LinkRefused as refused:
            if refused.reason.code != refusals.INCOMPLETE.code or link.continued is None:
                raise
        else:
            if meeting.thread_id or meeting.passcode or not link.cut_by_line:
                return meeting
        meeting = self._read(link.continued or link.url)
        if meeting.thread_id is None and len(link.after.split()) > 1:
            raise LinkRefused(refusals.INCOMPLETE)  # where its passcode ends can't be seen
        return meeting

    def _read(self, link: str) -> Meeting:
        if len(link) > LONGEST_LINK:
            raise LinkRefused(refusals.INCOMPLETE)
        return meeting_of(url_of(link), self.tenant_id, self.cloud)

    def meeting(self) -> Meeting:
        """Return the one meeting, or raise what keeps the text from naming one."""
        if not self.meetings or not refusals.NAMES_A_MEETING.isdisjoint(self.reasons):
            # A short link doesn't name its tenant, but the long link of the same invitation does.
            raise LinkRefused(refusals.weightiest(self.reasons))
        long = [meeting for meeting in self.meetings if meeting.thread_id]
        short = [meeting for meeting in self.meetings if not meeting.thread_id]
        several = len(long) > 1 or len({meeting.join_meeting_id for meeting in short}) > 1
        other = bool(long and short) and long[0] not in self.references
        passcodes = {meeting.passcode for meeting in short} - {None}
        if several or other or len(passcodes) > 1 or not self._cut_are_displayed():
            raise LinkRefused(refusals.SEVERAL)
        return max(long or short, key=lambda meeting: meeting.passcode is not None)

    def _cut_are_displayed(self) -> bool:
        """Whether each incomplete link begins like a meeting's: programs cut what they display, not where it leads."""
        whole = [_path(link) for link in self.meetings.values()]
        return all(any(path.startswith(_path(cut)) for path in whole) for cut in self.cut)


def _path(link: str) -> str:
    """Return a link's decoded path and query, without an escape that was cut."""
    try:
        return _CUT_ESCAPE.sub("", decoded("?".join(url_of(link[:LONGEST_LINK]).path_and_query).rstrip("?")))
    except LinkRefused:
        return link
