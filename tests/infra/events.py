"""What the app tells, read from its code: events with their keys, spans, metrics."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from tests.infra.reading import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LEVELS = {"info": "info", "warning": "warning", "error": "error", "exception": "error"}
# Texts that a call's argument completes: what stands in the f-string, the function that gets it, as which argument.
_COMPLETED_BY = {"question.what": ("_Question", 0), "what": ("_asking", 0), "queue": ("_message", 1)}


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """A line of the log, as ``what key=… key=…``."""

    line: str
    level: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its values, in order."""
        return tuple(word.removesuffix("=…") for word in self.line.split() if word.endswith("=…"))

    @property
    def sample(self) -> str:
        """A line as it could be in the log."""
        return self.line.replace("…", "1")


@cache
def _calls() -> tuple[tuple[Path, ast.Call], ...]:
    folders = ("flows", "graph", "invite", "notifications", "observability", "storage", "watchdog", "web")
    files = [
        ROOT / "app.py",
        *(path for one in folders for path in (ROOT / one).glob("*.py")),
    ]
    return tuple(
        (path, node)
        for path in sorted(files)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    )


@cache
def events() -> frozenset[Event]:
    """Return every line that the app can write."""
    found = set()
    for path, call in _calls():
        level = _LEVELS.get(_name(call))
        if level is None or not _is_of_events(call):
            continue
        keys = "".join(f" {(one.arg or '').replace('_', '-')}=…" for one in call.keywords)
        found |= {Event(text + keys, level) for text in _texts(call.args[0], path)}
    return frozenset(found)


@cache
def spans() -> frozenset[tuple[str, str]]:
    """Return every span's name and system."""
    return frozenset(
        (text, str(ast.literal_eval(call.args[1])))
        for path, call in _calls()
        if ast.unparse(call.func) == "telemetry.span"
        for text in _texts(call.args[0], path)
    )


@cache
def metrics() -> dict[str, set[str]]:
    """Return every metric's name and the attributes that it is counted by."""
    found: dict[str, set[str]] = {}
    for _, call in _calls():
        if ast.unparse(call.func) in ("telemetry.count", "telemetry.record"):
            name = f"call_invites.{ast.literal_eval(call.args[0])}"
            found.setdefault(name, set()).update(str(one.arg) for one in call.keywords)
    return found


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_of_events(call: ast.Call) -> bool:
    """Tell whether a call is one of ``Events``, mostly kept as ``_events``."""
    owner = ast.unparse(call.func).rpartition(".")[0]
    return owner == "_events" or owner.startswith(("Events(", "telemetry.Events("))


def _texts(node: ast.expr, path: Path) -> Iterator[str]:
    """Give every text that an argument can be; what is known only at run time is ``…``."""
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body, path)
        yield from _texts(node.orelse, path)
    elif isinstance(node, ast.JoinedStr):
        found = [""]
        for part in node.values:
            ends = _endings(part.value, path) if isinstance(part, ast.FormattedValue) else [str(ast.literal_eval(part))]
            found = [begin + end for begin in found for end in ends]
        yield from found
    else:
        yield str(ast.literal_eval(node))


def _endings(value: ast.expr, path: Path) -> list[str]:
    function, place = _COMPLETED_BY.get(ast.unparse(value), ("", 0))
    return [
        str(ast.literal_eval(call.args[place])) for where, call in _calls() if where == path and _name(call) == function
    ] or ["…"]
