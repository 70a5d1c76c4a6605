"""Links in text or HTML: damage healed, each link found.

Every step is linear, and each is one pass of the interpreter's own code: the text may be hostile and 65,536 characters
long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_TEXT = 65_536
LONGEST_LINK = 4_096
_LONGEST_CONTEXT = 1_000
_MOST_BRACES = 3
_AROUND = 600
# Zero-width characters, soft hyphen, and marks of direction.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff]"
)
_ESCAPED = {
    "&": (
        *(("&amp;", "&"), ("&amp;", "&")),  # twice, for text that was escaped twice
        *(("&#38;", "&"), ("&#x26;", "&"), ("&nbsp;", " "), ("&#160;", " "), ("&lt;", "<"), ("&#60;", "<")),
        *(("&gt;", ">"), ("&#62;", ">"), ("&quot;", '"'), ("&#34;", '"'), ("&#x22;", '"'), ("&#39;", "'")),
        *(("&#58;", ":"), ("&#x3a;", ":"), ("&#x3A;", ":"), ("&#47;", "/"), ("&#x2f;", "/"), ("&#x2F;", "/")),
        *(("&#61;", "="), ("&#63;", "?"), ("&#64;", "@"), ("&#123;", "{"), ("&#125;", "}")),
    ),
    "\\": (("\\/", "/"), ("\\u0026", "&")),
}
_ICALENDAR = ("BEGIN:V", "X-MICROSOFT-", "DESCRIPTION")
# A scheme, as it is or encoded; or a host of Teams without one.
_START = re.compile(r"https?(?::|%(?:25){0,3}3a)|ms-?teams(?::|%(?:25){0,3}3a)|teams\.(?:microsoft|cloud|live)")
_IN_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
_LONGEST_PREFIX = 20
# What no link of Teams holds as it is ends it: blanks, quotes, brackets, "|" (Slack), and all but ASCII.
_BODY = re.compile(r"[!#$%&*+,\-./0-9:;=?@A-Z_a-z~]*")
_GOES_ON = frozenset("0123456789?/")
_TRAILING = ".,;:!?*"


@dataclass(frozen=True, slots=True)
class Link:
    """A link with what stands around it."""

    url: str
    continued: str | None
    """The link with what follows it up to the next, blanks removed: a line break may have cut it."""
    cut_by_line: bool
    """Whether the next line seems to go on with it."""
    shortened: bool
    """Whether it ends in dots, as programs display what is too long for them."""
    before: str
    """Text between the link before it and this one."""
    after: str
    """Text between this link and the next."""


def healed(text: str) -> str:
    """Undo what mail, calendars, HTML and JSON do to a link."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text).replace("İ", "I")  # the one character whose lower case is longer
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if "=\n" in text and "=3D" in text:  # quoted-printable
        text = text.replace("=\n", "").replace("=3D", "=")
    for mark, replaced in _ESCAPED.items():
        for damage, character in replaced if mark in text else ():
            text = text.replace(damage, character)
    unfolded = text.replace("\n ", "").replace("\n\t", "")  # RFC 5545, 3.1
    alone = len(unfolded.split(maxsplit=1)) == 1
    return unfolded if alone or any(mark in text for mark in _ICALENDAR) else text


def links_in(text: str) -> Iterator[Link]:
    """Find the links of healed text, in order."""
    lowered = text.lower()
    last, match = 0, _START.search(lowered)
    while match:
        start, end = _start(lowered, match, last), _end(text, match.end())
        following = _START.search(lowered, end)
        limit = following.start() if following else len(text)
        rest = text[end : min(limit, end + _AROUND)]
        yield Link(
            url=_trimmed(text[start:end]),
            continued=_continued(text, start, limit) if rest[:1].isspace() else None,
            cut_by_line=rest.startswith("\n") and rest.lstrip()[:1] in _GOES_ON,
            shortened=rest.startswith("…") or text.endswith("..", match.end(), end),
            before=text[max(last, start - _AROUND) : start],
            after=rest,
        )
        last, match = end, following


def _start(lowered: str, match: re.Match[str], last: int) -> int:
    """Return where a link starts; a host without a scheme may have labels in front."""
    start = match.start()
    if lowered.startswith("teams.", start):
        first = max(last, start - _LONGEST_PREFIX)
        while start > first and lowered[start - 1] in _IN_HOST:
            start -= 1
    return start


def _end(text: str, position: int) -> int:
    """Return where a link ends; a context may stand in it decoded, as JSON with blanks and quotes."""
    position = _matched(text, position)
    for _ in range(_MOST_BRACES):
        closing = text.find("}", position, position + _LONGEST_CONTEXT) if text.startswith("{", position) else -1
        if closing < 0 or "://" in text[position:closing]:  # the context was cut, and the brace is another link's
            break
        position = _matched(text, closing + 1)
    return position


def _matched(text: str, position: int) -> int:
    match = _BODY.match(text, position)
    return match.end() if match else position


def _continued(text: str, start: int, limit: int) -> str:
    joined = "".join(text[start : min(limit, start + LONGEST_LINK)].split())
    return _trimmed(joined[: _end(joined, 0)])


def _trimmed(link: str) -> str:
    return link.rstrip(_TRAILING)
