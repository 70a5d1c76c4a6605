"""The headers that the page is served with: only its own script and style run, and it asks this app alone."""

from __future__ import annotations

import base64
import hashlib
import re

PAGE_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


def content_security_policy(html: str) -> str:
    """Return the policy under which a page works that has all its script and style inline.

    Source: https://www.w3.org/TR/CSP3/. A browser hashes what it parsed, so line ends count as line feeds. ``data:`` is
    for the icon in the tab; ``require-trusted-types-for`` makes the browser refuse strings as HTML.
    """
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in _INLINE.findall(html.replace("\r\n", "\n")):
        digest = hashlib.sha256(text.encode()).digest()
        hashes[kind].append(f"'sha256-{base64.b64encode(digest).decode()}'")
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(hashes['script'])}",
            f"style-src {' '.join(hashes['style'])}",
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )
