"""Routes and request targets, read as the real host's web server reads them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

_PARAMETER = re.compile(r"\{([A-Za-z_]\w*)\}")
_RESERVED = re.compile(r"/|(admin|runtime)(/|$)", re.IGNORECASE)
_ENCODED_SLASH = re.compile("%(?=2[Ff])")


class Template:
    """A route such as ``calls/{callId}/participants``; letter case doesn't matter."""

    def __init__(self, text: str) -> None:
        """Read a route.

        Raises:
            ValueError: The real host would refuse it, or it has a form that this host doesn't have.
        """
        if _RESERVED.match(text):
            raise ValueError(f"the route {text!r} must not begin with '/', 'admin' or 'runtime'")
        literals = _PARAMETER.sub("", text)
        if "{" in literals or "}" in literals:
            raise ValueError(f"the route {text!r} has a parameter of a form that this host doesn't have")
        self.text = text
        pieces = (
            re.escape(piece) if number % 2 == 0 else f"(?P<{piece}>[^/]+)"
            for number, piece in enumerate(_PARAMETER.split(text))
        )
        self._pattern = re.compile("".join(pieces), re.IGNORECASE)

    def match(self, path: str) -> dict[str, str] | None:
        """Return the values of the parameters where the path fits, else None."""
        found = self._pattern.fullmatch(path)
        return found.groupdict() if found else None


def path_of(target: str) -> str:
    """Return a request target's path: decoded once, ``%2F`` left encoded, without dot segments and outer slashes.

    Raises:
        ValueError: The real web server refuses it.
    """
    path = unquote(_ENCODED_SLASH.sub("%25", target.partition("?")[0]))
    if "\0" in path or not target.isascii():
        raise ValueError("the target has characters that a path can't have")
    segments: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    if segments and not segments[-1]:
        segments.pop()
    return "/".join(segments)


def query_of(target: str) -> dict[str, str]:
    """Return the query's parameters: repeated ones joined by a comma, empty ones dropped."""
    values: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, value in parse_qsl(target.partition("?")[2]):
        key = names.setdefault(name.casefold(), name)
        values[key] = f"{values[key]},{value}" if key in values else value
    return values
