"""What a query says about the app, held against what the app tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from domain.model import Delivery, Status, Verdict
from tests.infra.events import events, metrics, spans

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARSE = re.compile(r"^\| parse \w+ with\s+(.+?)(?=\n\||\Z)", re.MULTILINE | re.DOTALL)
_STARTS = re.compile(r'\b(?:message|line) startswith "([^"]*)"')
_COMPARED = re.compile(r'\b(\w+) (?:==|!=) "([^"]*)"')
_ONE_OF = re.compile(r"\b(\w+) !?in \(([^)]*)\)")
_DIMENSION = re.compile(r"customDimensions\.(\w+)")
_NUMBER = re.compile(r"\d{3}")


def strange(query: str) -> list[str]:
    """Return what a query asks for that the app never tells: lines, keys, values, spans, metrics."""
    return [*_strange_lines(query), *_strange_values(query), *_strange_dimensions(query)]


def _strange_lines(query: str) -> Iterator[str]:
    samples = [event.sample for event in events()]
    for begin in _STARTS.findall(query):
        if not any(sample.startswith(begin) for sample in samples):
            yield f"no line begins with {begin!r}"
    for pattern in _PARSE.findall(query):
        expression = "".join(
            re.escape(word[1:-1]) if word.startswith('"') else ".*?" for word in re.findall(r'"[^"]*"|\S+', pattern)
        )
        if not any(re.fullmatch(expression, sample) for sample in samples):
            yield f"no line is of the form {pattern}"


def _strange_values(query: str) -> Iterator[str]:
    known: dict[str, set[str]] = {
        "decided_by": {verdict.value for verdict in Verdict},
        "delivery": {state.value for state in Delivery} | {"retried"},
        "status": {status.value for status in Status},
        "success": {"True", "False"},
        "name": {*metrics(), *(name for name, _ in spans())},
        "type": {system for _, system in spans()},
        "fault": set(re.findall(r', "(\w+)",\n', query)),
        "code": set(),
    }
    compared = _COMPARED.findall(query)
    compared += [
        (column, value) for column, values in _ONE_OF.findall(query) for value in re.findall(r'"([^"]*)"', values)
    ]
    for column, value in compared:
        if value not in known.get(column, ()) and not (column in ("code", "status") and _NUMBER.fullmatch(value)):
            yield f"{column} is never {value!r}"


def _strange_dimensions(query: str) -> Iterator[str]:
    named = [name for name in metrics() if f'"{name}"' in query]
    known = {attribute for name in named for attribute in metrics()[name]}
    for dimension in _DIMENSION.findall(query):
        if dimension not in known:
            yield f"nothing that is asked for has the dimension {dimension!r}"
