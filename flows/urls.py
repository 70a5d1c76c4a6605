"""Which URLs may be a flow's: known hosts of the flow engine, on the public internet.

A caller with a function key chooses the URL, so it is held to these hosts, and their addresses are checked at the time
of connecting (``flows.addresses``): a name that points into a private network is not connected to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

LONGEST_URL = 2_000
_FORBIDDEN = frozenset("\\ \"'<>^`{|}")


class UrlRefused(Exception):
    """An address may not be a flow's; the text says why and holds nothing of the address."""


def check_url(url: str, suffixes: Sequence[str], local_hosts: AbstractSet[str]) -> None:
    """Return if the address may be a flow's.

    Args:
        url: as the caller gave it.
        suffixes: allowed host suffixes, each with its leading dot.
        local_hosts: exact ``host:port`` that are allowed too, also over plain http; for one machine only.

    Raises:
        UrlRefused: it may not.
    """
    if len(url) > LONGEST_URL:
        message = "it is longer than 2,000 characters"
        raise UrlRefused(message)
    if not url.isascii() or not url.isprintable() or _FORBIDDEN & set(url):
        message = "it holds characters that an address may not have"
        raise UrlRefused(message)
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").casefold(), parts.port
    except ValueError:
        message = "it is not an address"
        raise UrlRefused(message) from None
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        message = "it names a user"
        raise UrlRefused(message)
    if f"{host}:{port}" in local_hosts and parts.scheme in ("http", "https"):
        return
    if parts.scheme != "https":
        message = "it does not begin with https"
        raise UrlRefused(message)
    if parts.fragment or port not in (None, 443):
        message = "it has a port or a fragment that a flow's address does not have"
        raise UrlRefused(message)
    if not host.endswith(tuple(suffixes)) or not is_host_name(host):
        message = "its host is not one of Power Automate or Logic Apps"
        raise UrlRefused(message)


def is_host_name(host: str) -> bool:
    """Tell whether a host's name could exist at all; an IP address of figures is one, too."""
    return all(_is_label(label) for label in host.split("."))


def _is_label(label: str) -> bool:
    plain = label.replace("-", "").replace("_", "")
    return 0 < len(label) < 64 and plain.isalnum() and not label.startswith("-")  # noqa: PLR2004 - RFC 1035
