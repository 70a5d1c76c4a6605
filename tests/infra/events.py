"""What the app logs, read from its code: events with their keys, spans, metrics. ``…`` is known at run time only."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from tests.infra.reading import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NOT_DEPLOYED = ("connector", "dev", "docs", "findings", "infra", "tests")
_LEVELS = {"info": "info", "warning": "warning", "error": "error", "exception": "error"}
_ARGUMENT = re.compile(r"%\([\w-]+\)s")


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """A line of the log, as ``what key=… key=…``."""

    line: str
    level: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its values, in order."""
        return tuple(re.findall(r"([\w-]+)=", self.line))


def matches(pattern: str, text: str) -> bool:
    """Return whether a string has the form of a pattern, in which ``…`` stands for anything."""
    return re.fullmatch(".+".join(re.escape(part) for part in pattern.split("…")), text) is not None


@cache
def events() -> frozenset[Event]:
    """Return every line that the app can log."""
    return frozenset(
        Event(_ARGUMENT.sub("…", text) + keys, _LEVELS[call.func.attr])
        for _, call in _calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr in _LEVELS
        if (owner := ast.unparse(call.func.value)) in ("_events", "_log") or owner.startswith("Events(")
        for keys in ["".join(f" {(one.arg or '…').replace('_', '-')}=…" for one in call.keywords)]
        for text in _texts(call.args[0])
    )


@cache
def spans() -> frozenset[tuple[str, str]]:
    """Return every span's name and system."""
    return frozenset(
        (name, system)
        for path, call in _calls()
        if _name(call) in ("span", "request_span", "attempt") and len(call.args) > 1
        for name in _texts(call.args[0])
        for system in [_constant(call.args[1], path)]
        if system != "…"
    )


@cache
def metrics() -> dict[str, set[str]]:
    """Return every metric's name and the attributes that it is counted by."""
    found: dict[str, set[str]] = {}
    for _, call in _calls():
        if ast.unparse(call.func) in ("tracing.count", "tracing.record"):
            name = f"call_invites.{ast.literal_eval(call.args[0])}"
            found.setdefault(name, set()).update(str(one.arg) for one in call.keywords)
    return found


@cache
def _calls() -> tuple[tuple[Path, ast.Call], ...]:
    rooms = [init.parent for init in ROOT.glob("*/__init__.py") if init.parent.name not in _NOT_DEPLOYED]
    files = [*ROOT.glob("*.py"), *(path for room in rooms for path in room.rglob("*.py"))]
    return tuple(
        (path, node)
        for path in sorted(files)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    )


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _texts(node: ast.expr) -> Iterator[str]:
    """Give every text that an argument can be."""
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    else:
        yield str(node.value) if isinstance(node, ast.Constant) else "…"


def _constant(node: ast.expr, path: Path) -> str:
    """Return a string, also where it is a constant of the module."""
    if isinstance(node, ast.Name):
        found = re.search(rf'^{node.id} = "([^"]+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
        return found[1] if found else "…"
    return str(ast.literal_eval(node))
