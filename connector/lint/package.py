"""Rules about the other files of a package: properties and icon."""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from connector.lint.findings import Break, Register, pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.lint.findings import Document

PROPERTIES = Register()
ICON = Register()
TEXT = Register()
_SIDE = 230
_MARK = range(120, 181)
_TAKEN_COLORS = {"#007ee5", "#ffffff"}
_TEMPLATES = {
    "convertarraytoobject", "convertobjecttoarray", "dynamichosturl", "encodepropertyvalue", "pollingtrigger",
    "routerequesttoendpoint", "setheader", "setproperty", "setqueryparameter", "setvaluefromurl", "stringreplace",
    "stringtoarray", "updatenextlink",
}  # fmt: skip
_SECRET = re.compile(r"key|secret|password", re.IGNORECASE)


def _properties(document: Document) -> Document:
    found = document.get("properties", {})
    return found if isinstance(found, dict) else {}


@TEXT.rule("unicode-escapes", "Unicode escapes are not supported: write the character itself.")
def _unicode_escapes(text: str) -> Iterator[Break]:
    for found in re.finditer(r"\\u[0-9A-Fa-f]{4}", text):
        yield Break(f"line {text.count(chr(10), 0, found.start()) + 1}", found[0])


@PROPERTIES.rule("brand-color", "The 'iconBrandColor' has to be a colour of your own, such as #0b6a5b.")
def _brand_color(document: Document) -> Iterator[Break]:
    color = str(_properties(document).get("iconBrandColor", ""))
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", color) or color.casefold() in _TAKEN_COLORS:
        yield Break("/properties/iconBrandColor", color)


@PROPERTIES.rule("policy-template", "There is no such policy template.")
def _policy_template(document: Document) -> Iterator[Break]:
    for number, entry in enumerate(_properties(document).get("policyTemplateInstances", [])):
        if str(entry.get("templateId", "")).casefold() not in _TEMPLATES:
            yield Break(pointer("properties", "policyTemplateInstances", number), str(entry.get("templateId")))


@PROPERTIES.rule("connection-parameter-used", "A policy names a connection parameter that is not there.")
def _connection_parameter_used(document: Document) -> Iterator[Break]:
    known = _properties(document).get("connectionParameters", {})
    for number, entry in enumerate(_properties(document).get("policyTemplateInstances", [])):
        for value in entry.get("parameters", {}).values():
            for name in re.findall(r"@connectionParameters\('([^']+)'", str(value)):
                if name not in known:
                    yield Break(pointer("properties", "policyTemplateInstances", number), name)


@PROPERTIES.rule("secret-type", "A key, secret or password has to be a securestring.")
def _secret_type(document: Document) -> Iterator[Break]:
    for name, entry in _properties(document).get("connectionParameters", {}).items():
        if _SECRET.search(name) and entry.get("type") != "securestring":
            yield Break(pointer("properties", "connectionParameters", name))


@PROPERTIES.rule("stack-owner", "The 'stackOwner' keeps the connector from being updated by its own makers.")
def _stack_owner(document: Document) -> Iterator[Break]:
    if "stackOwner" in _properties(document):
        yield Break("/properties/stackOwner")


class Image(NamedTuple):
    """What the rules need of an icon."""

    width: int
    height: int
    opaque: bool
    """No channel for transparency."""
    rows: list[bytes]
    """Three bytes for each pixel; empty where the form is not one that this linter reads."""
    color: str
    """The brand colour it has to fit to."""


def read_png(content: bytes, color: str) -> Image:
    """Read an icon: all of it where it is plain (eight bits, unfiltered rows), else its head only."""
    if content[:8] != b"\x89PNG\r\n\x1a\n":
        return Image(0, 0, opaque=False, rows=[], color=color)
    width, height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", content[16:29])
    if (depth, kind, interlace) != (8, 2, 0):
        return Image(width, height, opaque=kind in (0, 2), rows=[], color=color)
    packed, place = b"", 8
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        if content[place + 4 : place + 8] == b"IDAT":
            packed += content[place + 8 : place + 8 + length]
        place += 12 + length
    raw, stride = zlib.decompress(packed), 1 + 3 * width
    lines = [raw[start : start + stride] for start in range(0, len(raw), stride)]
    rows = [line[1:] for line in lines] if not any(line[0] for line in lines) else []
    return Image(width, height, opaque=True, rows=rows, color=color)


@ICON.rule("icon-size", f"The icon has to be a PNG of {_SIDE} by {_SIDE} pixels.")
def _icon_size(image: Image) -> Iterator[Break]:
    if (image.width, image.height) != (_SIDE, _SIDE):
        yield Break("icon", f"{image.width}x{image.height}")


@ICON.rule("icon-opaque", "The icon may not be transparent.")
def _icon_opaque(image: Image) -> Iterator[Break]:
    if image.width and not image.opaque:
        yield Break("icon")


@ICON.rule("icon-background", "The icon's background has to be the brand colour.")
def _icon_background(image: Image) -> Iterator[Break]:
    background = bytes.fromhex(image.color.removeprefix("#"))
    if image.rows and any(row[:3] != background or row[-3:] != background for row in image.rows):
        yield Break("icon", image.color)


@ICON.rule("icon-mark", "The mark has to be some 160 pixels wide or high, with room around it.")
def _icon_mark(image: Image) -> Iterator[Break]:
    rows = image.rows
    if not rows:
        return
    background = rows[0][:3]
    drawn = [y for y, row in enumerate(rows) if row != background * image.width]
    columns = [x for x in range(image.width) if any(row[3 * x : 3 * x + 3] != background for row in rows)]
    widest = max(drawn[-1] - drawn[0] + 1, columns[-1] - columns[0] + 1) if drawn else 0
    if widest not in _MARK:
        yield Break("icon", f"{widest} pixels")
