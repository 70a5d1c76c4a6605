"""Route templates, matched against the request target as the real host's web server reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

_PARAMETER = re.compile(r"\{(\*?)([A-Za-z_][A-Za-z0-9_]*)((?::[A-Za-z]+)*)(\??)\}")
_ESCAPE = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_CONSTRAINTS = {
    "int": re.compile(r"[+-]?[0-9]{1,10}"),
    "long": re.compile(r"[+-]?[0-9]{1,19}"),
    "alpha": re.compile(r"[A-Za-z]*"),
    "bool": re.compile(r"true|false", re.IGNORECASE),
    "guid": re.compile(r"\{?[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}\}?"),
}


@dataclass(frozen=True, slots=True)
class _Part:
    literal: str | None
    name: str = ""
    constraints: tuple[str, ...] = ()
    optional: bool = False
    rest: bool = False

    def takes(self, segment: str) -> bool:
        if self.literal is not None:
            return self.literal.casefold() == segment.casefold()
        return segment != "" and all(_CONSTRAINTS[name].fullmatch(segment) for name in self.constraints)


class Template:
    """A route such as ``calls/{callId}/participants/{id?}``."""

    def __init__(self, text: str) -> None:
        """Read a template.

        Raises:
            ValueError: The real host would refuse it, or it uses what this host does not know.
        """
        if re.match(r"/|(admin|runtime)(/|$)", text, re.IGNORECASE):
            raise ValueError(f"the route {text!r} must not begin with '/', 'admin' or 'runtime'")
        self.text = text
        self._parts = [_part(text, part) for part in text.split("/")] if text else []
        if any(part.rest or part.optional for part in self._parts[:-1]):
            raise ValueError(f"in the route {text!r} only the last part may be optional or take the rest")

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """Return the values of the parameters where the path's segments fit, else None."""
        values: dict[str, str] = {}
        for position, part in enumerate(self._parts):
            if part.rest:
                values[part.name] = "/".join(segments[position:])
                return values
            if position == len(segments):
                return values if part.optional else None
            if not part.takes(segments[position]):
                return None
            if part.literal is None:
                values[part.name] = segments[position]
        return values if len(segments) == len(self._parts) else None


def path_segments(target: str) -> list[str]:
    """Split a request target's path into decoded segments.

    ``%2F`` and bytes that are not UTF-8 stay encoded; then segments ``.`` and ``..`` are taken out, so that also
    encoded ones go. A slash at the end makes no difference.

    Raises:
        ValueError: The path holds a NUL character.
    """
    path = target.partition("?")[0]
    if not path.startswith("/"):
        # Absolute form, as a proxy sends it.
        path = "/" + path.partition("://")[2].partition("/")[2]
    decoded = _ESCAPE.sub(_decode, path.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")
    if "\0" in decoded:
        raise ValueError("the path holds a NUL character")
    segments: list[str] = []
    for segment in decoded.split("/")[1:]:
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    return segments[:-1] if segments and segments[-1] == "" else segments


def query_parameters(target: str) -> dict[str, str]:
    """Return the query's parameters: repeated ones joined by a comma, in any letter case; empty ones dropped."""
    values: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    pairs = parse_qsl(target.partition("?")[2], keep_blank_values=True, errors="replace", max_num_fields=1000)
    for name, value in pairs:
        values.setdefault(names.setdefault(name.casefold(), name), []).append(value)
    joined = {name: ",".join(each) for name, each in values.items()}
    return {name: value for name, value in joined.items() if value}


def _part(route: str, text: str) -> _Part:
    if "{" not in text and "}" not in text and text:
        return _Part(text)
    found = _PARAMETER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} in the route {route!r} is not a parameter this host knows")
    constraints = tuple(name.lower() for name in found[3].split(":")[1:])
    if unknown := [name for name in constraints if name not in _CONSTRAINTS]:
        raise ValueError(f"this host does not know the constraint {unknown[0]!r} in the route {route!r}")
    return _Part(None, found[2], constraints, optional=bool(found[4]), rest=bool(found[1]))


def _decode(escapes: re.Match[bytes]) -> bytes:
    """Decode a run of escapes as far as they are UTF-8; a slash stays as it is."""
    codes = escapes[0]
    out = bytearray()
    position = 0
    while position < len(codes):
        for length in (1, 2, 3, 4):
            piece = codes[position : position + 3 * length]
            character = bytes.fromhex(piece.decode().replace("%", ""))
            try:
                character.decode()
            except UnicodeDecodeError:
                continue
            out += piece if character == b"/" else character
            position += len(piece)
            break
        else:
            out += codes[position : position + 3]
            position += 3
    return bytes(out)
