from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from calls.page.policy import PAGE_HEADERS, content_security_policy

PAGE = (Path(__file__).resolve().parents[2] / "calls" / "page" / "page.html").read_text(encoding="utf-8")


class Parsed(HTMLParser):
    """What of a page a policy is about: inline texts by element, and all attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.attributes: list[tuple[str, str, str]] = []
        self._inside: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag in self.inline:
            self._inside = tag
            self.inline[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self.inline[self._inside][-1] += data


def _directives(policy: str) -> dict[str, str]:
    return {name: value for name, _, value in (one.partition(" ") for one in policy.split("; "))}


@pytest.mark.parametrize("element", ["script", "style"])
def test_hashes(element: str) -> None:
    """The policy allows the page's one script and one style by their hashes, and no other."""
    (text,) = Parsed(PAGE).inline[element]
    expected = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    directives = _directives(content_security_policy(PAGE))
    assert directives[f"{element}-src"] == f"'sha256-{expected}'"


def test_nothing_else() -> None:
    """What the page does not use is forbidden, framing and other servers included."""
    directives = _directives(content_security_policy(PAGE))
    del directives["script-src"], directives["style-src"]
    assert directives == {
        "default-src": "'none'",
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


def test_line_ends() -> None:
    """A copy of the file with Windows line ends has the same hashes, since a browser reads both alike."""
    assert content_security_policy(PAGE.replace("\n", "\r\n")) == content_security_policy(PAGE)


def test_nothing_inline_elsewhere() -> None:
    """No style attribute, no event handler attribute, and no address of another server."""
    for tag, name, value in Parsed(PAGE).attributes:
        assert name != "style"
        assert not name.startswith("on")
        assert "//" not in value or value.startswith("data:"), (tag, name)


def test_headers() -> None:
    """The page's address reaches no other server, and no other page reaches into it."""
    assert PAGE_HEADERS == {
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }
