"""A link taken apart, and the link inside it where a mail filter, a search engine or a launcher page wrapped it.

Nothing is fetched: a wrapper is unwrapped by its own text alone. So its host needs no proof of being genuine; the host
that counts is the innermost link's.
"""

from __future__ import annotations

import base64
import binascii
import re
import string
from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote

from calls.links.refusals import INCOMPLETE, NOT_TEAMS, OPAQUE, PAGE, LinkRefused

_LAYERS = 5
_ROUNDS = 3
_FORMS = 4  # of one value: plain, and encoded in each round
_ENCODED = re.compile(r"(?:https?|ms-?teams)(?:%|:/*[\w.-]*%2f)", re.IGNORECASE)
_SCHEME = re.compile(r"(?:(https?)|ms-?teams):/*", re.IGNORECASE)
_AUTHORITY = re.compile(r"[^/?#]*")
_A_LINK = re.compile(r"(?:https?|ms-?teams):|/|[\w-]+\.[\w.-]+/", re.IGNORECASE)
_BEHIND_HASH = ("/l/", "/meet/")
_LAUNCHER = "/dl/launcher/"
_GOOGLE = re.compile(r"(?:www\.)?google\.[a-z.]{2,6}")
_SAFE_LINKS = (
    ".safelinks.protection.outlook.com",
    ".safelinks.protection.office365.us",
    ".safelinks.protection.outlook.cn",
)
_OUTLOOK = frozenset({"outlook.office.com", "outlook.office365.com", "outlook.cloud.microsoft", "outlook.office365.us"})
_PARAMETERS = {
    "statics.teams.cdn.office.net": "url",
    "teams.public.onecdn.static.microsoft": "url",
    "linkprotect.cudasvc.com": "a",  # Barracuda
    "visit.teams.microsoft.com": "joinweburl",  # Bookings
}
_OPAQUE = (".mimecast.com", ".mimecastprotect.com", ".protection.sophos.com")
# Proofpoint's third version: how many characters a repeated mark stands for, by the mark's second character.
_RUNS = {character: number for number, character in enumerate(string.ascii_letters.swapcase() + "0123456789-_", 2)}


@dataclass(frozen=True, slots=True, repr=False)
class Url:
    """A link's host in lower case, empty where a scheme of Teams has none, and all that follows it."""

    host: str
    rest: str

    @classmethod
    def of(cls, link: str) -> Url:
        """Take a link apart as far as its host."""
        for _ in range(_ROUNDS):
            if not _ENCODED.match(link):
                break
            link = unquote(link)
        scheme = _SCHEME.match(link)
        remainder = link[scheme.end() :] if scheme else link.lstrip("/")
        authority = remainder[: _matched(_AUTHORITY, remainder)]
        if scheme and not scheme[1] and "." not in authority:
            return cls(value_of(remainder.partition("?")[2], "fqdn").lower(), f"/{remainder}")
        host, _, port = authority.lower().partition(":")
        if port not in {"", "80", "443"}:
            raise LinkRefused(NOT_TEAMS)
        return cls(host, remainder[len(authority) :])

    @property
    def path_and_query(self) -> tuple[str, str]:
        """The path and the query, taken from behind a ``#`` where the web client puts them."""
        head, _, fragment = self.rest.partition("#")
        if fragment[:3].lower() == "%2f":
            fragment = unquote(fragment)
        if fragment.lower().startswith(_BEHIND_HASH):
            head = fragment
        for _ in range(_ROUNDS):
            if "?" in head or "%3f" not in head.lower():
                break
            head = unquote(head)
        path, _, query = head.partition("?")
        return path, query


def decoded(part: str) -> str:
    """Decode a part of a link until nothing changes."""
    for _ in range(_ROUNDS):
        if "%" not in part:
            break
        part = unquote(part)
    return part


def value_of(query: str, name: str) -> str:
    """Return a parameter's decoded value, or an empty string; reloads repeat parameters, unchanged."""
    values = set()
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if value and key.lower().removeprefix("amp;") == name:
            values.add(value)
    distinct = {decoded(value) for value in values} if len(values) <= _FORMS else values
    if len(distinct) > 1:
        raise LinkRefused(INCOMPLETE)
    return distinct.pop() if distinct else ""


def innermost(link: str, teams_hosts: frozenset[str]) -> Url:
    """Unwrap a link."""
    for _ in range(_LAYERS + 1):
        url = Url.of(link)
        inner = _inside(url, teams_hosts)
        if inner is None:
            return url
        link = inner
    raise LinkRefused(OPAQUE)


def _inside(url: Url, teams_hosts: frozenset[str]) -> str | None:
    """Return the link that a wrapper holds, or None for a link that is no wrapper."""
    host, rest = url.host, url.rest
    if host.endswith(_OPAQUE):
        raise LinkRefused(OPAQUE)
    if host in teams_hosts or not host:
        return _launched(url) if rest.lower().startswith(_LAUNCHER) else None
    inner: str | None
    if host == "secure-web.cisco.com":
        inner = unquote(rest[start:]) if (start := rest.find("/http") + 1) else None
    elif host in {"urldefense.proofpoint.com", "urldefense.com"}:
        inner = _proofpoint(rest)
    elif parameter := _parameter(url):
        inner = _parameter_link(rest, parameter)
    else:
        return None
    if inner is None:
        raise LinkRefused(PAGE if host == "visit.teams.microsoft.com" else OPAQUE)
    return inner


def _parameter(url: Url) -> str | None:
    """Name the parameter in which a wrapper holds its link."""
    if url.host.endswith(_SAFE_LINKS) or (url.host in _OUTLOOK and "safelink" in url.rest[:40].lower()):
        return "url"
    if _GOOGLE.fullmatch(url.host) and url.rest.startswith("/url?"):
        return "q" if re.search("[?&]q=", url.rest) else "url"
    return _PARAMETERS.get(url.host)


def _parameter_link(rest: str, parameter: str) -> str | None:
    found = re.search(rf"[?&](?:amp;)?{parameter}=([^&#]*)", rest, re.IGNORECASE)
    if found is None:
        return None
    value = found[1]
    if _A_LINK.match(value):  # not encoded, so its own parameters are the wrapper's too
        return rest[found.start(1) :]
    for _ in range(_ROUNDS):
        value = unquote(value)
        if _A_LINK.match(value):
            return value
    return None


def _launched(url: Url) -> str | None:
    """Return the link of a launcher page: relative to its own host, and encoded once more."""
    if url.path_and_query[0].lower().startswith(_BEHIND_HASH):
        return None  # shown decoded, so that the link broke off at its own "#"
    inner = _parameter_link(url.rest, "url")
    if inner is None:
        raise LinkRefused(INCOMPLETE)
    if not inner.startswith("/") or inner.startswith("//"):
        return inner
    for _ in range(_ROUNDS):
        if "#" in inner or "%23" not in inner:
            break
        inner = unquote(inner)
    return f"https://{url.host}{inner}" if url.host else f"msteams:{inner}"


def _proofpoint(rest: str) -> str | None:
    if rest.startswith("/v2/"):
        found = re.search(r"[?&]u=([^&#]*)", rest)
        return unquote(found[1].replace("-", "%").replace("_", "/")) if found else None
    body, _, tail = rest.removeprefix("/v3/__").partition("__;")
    try:
        characters = iter(base64.urlsafe_b64decode(padded(tail.partition("!")[0])).decode(errors="replace"))
    except (binascii.Error, ValueError):
        return None

    def original(mark: re.Match[str]) -> str:
        return "".join(islice(characters, _RUNS.get(mark[1], 0) if mark[1] else 1))

    return re.sub(r"\*(?:\*(.))?", original, body) if rest.startswith("/v3/__") else None


def padded(text: str) -> str:
    """Return Base64 with the padding that links leave out."""
    text = text.rstrip("=")
    return text + "=" * (-len(text) % 4)


def _matched(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return match.end() if match else 0
