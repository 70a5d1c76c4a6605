"""What this app is: its name, its version, and where to go from here; the same for all callers, without a secret."""

from __future__ import annotations

import html
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from web.answers import Answer

if TYPE_CHECKING:
    from web.answers import Request

NAME = "Call Invites for Microsoft Teams"
LINKS = {"health": "/api/health", "page": "/api/page"}
"""Paths of this app that everyone may open, by what they are."""
_HEADERS = {
    "Vary": "Accept",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
_TEXTS = {"health": "Is it working?", "page": "Watch a call, with the link that you were given"}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{name}</title>
</head>
<body>
<main>
<h1>{name}</h1>
<p>Gets people and phone numbers into Teams calls, for flows and programs that have a key. Version {version}.</p>
<ul>
{links}
</ul>
</main>
</body>
</html>
"""


@cache
def version(file: Path = Path(__file__).parents[1] / "VERSION") -> str:
    """Return the app's version, or ``unknown`` where its package was made without the file."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return "unknown"


def about(request: Request) -> Answer:
    """Answer name, version and links: a page for a browser, else JSON."""
    if "text/html" not in request.headers.get("accept", "").casefold():
        return Answer(HTTPStatus.OK, {"name": NAME, "version": version(), "links": LINKS}, _HEADERS)
    links = "\n".join(f'<li><a href="{path}">{_TEXTS[name]}</a></li>' for name, path in LINKS.items())
    page = _PAGE.format(name=NAME, version=html.escape(version()), links=links)
    return Answer(HTTPStatus.OK, headers=_HEADERS, text=page, media_type="text/html")
