"""A picture of a sample flow, drawn from its file: its steps from top to bottom, branches and loops moved to the right.

``python -m connector.generate`` writes the pictures to ``docs/flows``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# The connector's name and color by the key of its connection.
_CONNECTORS = {
    "shared_callinvites": ("Call Invites", "#0b6a5b"),
    "shared_teams": ("Teams", "#4f52b2"),
    "shared_office365": ("Outlook", "#0f6cbd"),
    "shared_office365groups": ("Office 365 Groups", "#b3440e"),
    "shared_office365users": ("Office 365 Users", "#8a3707"),
    "shared_shifts": ("Shifts", "#7a306c"),
}
_BUILT_IN = ("", "#5b6570")
_TRIGGERS = {"OnUpcomingEventsV3": "When an upcoming event is starting soon (V3)"}
_REQUEST = "When an HTTP request is received"
_FONT = "Segoe UI, Helvetica, Arial, sans-serif"
_WIDTH, _HEIGHT, _GAP, _INDENT, _MARGIN = 640, 24, 8, 28, 12
# Steps that only compute: several in a row are one box.
_COMPUTES = {
    "AppendToArrayVariable",
    "AppendToStringVariable",
    "Compose",
    "IncrementVariable",
    "InitializeVariable",
    "Query",
    "Select",
}
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    level: int
    connector: tuple[str, str] = _BUILT_IN
    branch: str = ""
    """Yes or no, for the first step of a branch."""
    computes: bool = False
    after_failure: bool = False


def picture(flow: Mapping[str, Any], name: str) -> str:
    """Return a flow as SVG.

    Args:
        flow: the content of a file of ``flows/``.
        name: its title for people who don't see the picture.
    """
    definition = flow["definition"]
    rows = [_trigger(trigger) for trigger in definition["triggers"].values()]
    rows += _together(_rows(definition["actions"], 0))
    height = 2 * _MARGIN + len(rows) * (_HEIGHT + _GAP) - _GAP
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{_FONT}" font-size="13">',
        f"<title>{escape(name)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    tops = [_MARGIN + place * (_HEIGHT + _GAP) for place in range(len(rows))]
    for place, (row, top) in enumerate(zip(rows, tops, strict=True)):
        parts += _line_above(rows, tops, place)
        parts += _box(row, top)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _trigger(trigger: Mapping[str, Any]) -> _Row:
    host = trigger["inputs"].get("host")
    if host is None:
        return _Row(_REQUEST, 0)
    return _Row(_TRIGGERS[host["operationId"]], 0, _CONNECTORS[host["connectionName"]])


def _rows(actions: Mapping[str, Any], level: int) -> Iterator[_Row]:
    for name, action in actions.items():
        text = name.replace("_", " ")
        fails = any("Succeeded" not in statuses for statuses in action["runAfter"].values())
        host = action["inputs"].get("host") if isinstance(action.get("inputs"), dict) else None
        connector = _BUILT_IN if host is None else _CONNECTORS[host["connectionName"]]
        match action["type"]:
            case "If":
                yield _Row(f"{text}?", level, after_failure=fails)
                for label, inner in (("yes", action["actions"]), ("no", action.get("else", {}).get("actions", {}))):
                    for place, row in enumerate(_rows(inner, level + 1)):
                        yield row if place else replace(row, branch=label)
            case "Foreach" | "Until":
                yield _Row(text, level, ("repeats", _BUILT_IN[1]), after_failure=fails)
                yield from _rows(action["actions"], level + 1)
            case "Compose" if name == "Settings":
                yield _Row(text, level, ("fill this in", _BUILT_IN[1]))
            case kind:
                yield _Row(text, level, connector, computes=kind in _COMPUTES, after_failure=fails)


def _together(rows: Iterable[_Row]) -> list[_Row]:
    """Return rows with steps that compute, one after the other, as one."""
    found: list[_Row] = []
    for row in rows:
        last = found[-1] if found else row
        is_next = bool(found) and last.computes and row.computes and last.level == row.level and not row.after_failure
        is_next = is_next and not row.branch
        if is_next and len(last.text) + len(row.text) < _LONGEST:
            found[-1] = replace(last, text=f"{last.text} · {row.text}")
        else:
            found.append(row)
    return found


def _left(row: _Row) -> int:
    return _MARGIN + row.level * _INDENT


def _box(row: _Row, top: int) -> Iterator[str]:
    name, color = row.connector
    left, width = _left(row), _WIDTH - 2 * _MARGIN - row.level * _INDENT
    dashes = ' stroke-dasharray="5 3"' if row.after_failure else ""
    note = f"{name}, if that fails".removeprefix(", ") if row.after_failure else name
    middle = top + _HEIGHT // 2
    yield (
        f'<rect x="{left}" y="{top}" width="{width}" height="{_HEIGHT}" rx="4" fill="#f6f7f9"'
        f' stroke="{color}"{dashes}/>'
    )
    yield f'<rect x="{left}" y="{top}" width="6" height="{_HEIGHT}" rx="2" fill="{color}"/>'
    yield f'<text x="{left + 16}" y="{middle + 5}" fill="#1b1f24">{escape(row.text)}</text>'
    if row.branch:
        yield (
            f'<text x="{left - 4}" y="{middle + 4}" fill="#5b6570" font-size="11" font-style="italic"'
            f' text-anchor="end">{row.branch}</text>'
        )
    if note:
        yield (
            f'<text x="{left + width - 10}" y="{middle + 4}" fill="{color}" font-size="11"'
            f' text-anchor="end">{escape(note)}</text>'
        )


def _line_above(rows: list[_Row], tops: list[int], place: int) -> Iterator[str]:
    """Draw the line from the row before on the same level, if this one follows it."""
    row = rows[place]
    if row.branch or place == 0:
        return
    before = next((one for one in range(place - 1, -1, -1) if rows[one].level <= row.level), None)
    if before is None or rows[before].level != row.level:
        return
    x = _left(row) + 3
    top = tops[before] + _HEIGHT
    yield f'<line x1="{x}" y1="{top}" x2="{x}" y2="{tops[place]}" stroke="#9aa3ad" stroke-width="2"/>'
