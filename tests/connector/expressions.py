"""The workflow definition language, as far as the sample flows use it: ``@...``, ``@{...}``, functions, members."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

Functions = Mapping[str, Callable[..., Any]]
_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>\w+)|(?P<sign>\?\[|[()\[\],]))")
_CONSTANTS = {"true": True, "false": False, "null": None}


class ExpressionError(ValueError):
    """The engine would fail the action: unknown function, member of null, bad syntax."""


def _equals(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


PLAIN: Functions = {
    "and": lambda *values: all(values),
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "concat": lambda *values: "".join("" if value is None else str(value) for value in values),
    "encodeUriComponent": lambda value: quote(value, safe=""),
    "equals": _equals,
    "first": lambda values: values[0] if values else None,
    "greaterOrEquals": lambda one, other: one >= other,
    "last": lambda values: values[-1] if values else None,
    "length": len,
    "not": lambda value: not value,
    "or": lambda *values: any(values),
    "skip": lambda values, count: values[count:],
    "take": lambda values, count: values[:count],
}


def evaluate(value: Any, functions: Functions) -> Any:
    """Return a value of a definition with its expressions replaced by what they yield."""
    if isinstance(value, dict):
        return {name: evaluate(inner, functions) for name, inner in value.items()}
    if isinstance(value, list):
        return [evaluate(inner, functions) for inner in value]
    if not isinstance(value, str):
        return value
    if value.startswith("@@"):
        return value[1:]
    if value.startswith("@") and not value.startswith("@{"):
        return _Parser(value[1:], functions).whole()
    return re.sub(r"@\{((?:[^'}]|'(?:[^']|'')*')*)\}", lambda found: _text(_Parser(found[1], functions).whole()), value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


class _Parser:
    """Reads and computes at once: the sample flows have nothing that must not be computed."""

    def __init__(self, text: str, functions: Functions) -> None:
        self._functions = functions
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise ExpressionError(f"at {text[place:]!r}")
            self._tokens.append((str(found.lastgroup), found[found.lastgroup or 0]))
            place = found.end()

    def whole(self) -> Any:
        value = self._value()
        if self._tokens:
            raise ExpressionError(f"too much: {self._tokens}")
        return value

    def _value(self) -> Any:
        kind, token = self._next()
        value: Any
        if kind == "text":
            value = token[1:-1].replace("''", "'")
        elif kind == "number":
            value = int(token)
        elif kind == "name" and self._peek() == "(":
            value = self._call(token)
        elif kind == "name" and token in _CONSTANTS:
            value = _CONSTANTS[token]
        else:
            raise ExpressionError(f"unexpected {token!r}")
        while self._peek() in ("[", "?["):
            value = self._member(value, safe=self._next()[1] == "?[")
        return value

    def _call(self, name: str) -> Any:
        self._next()
        arguments = []
        while self._peek() != ")":
            arguments.append(self._value())
            if self._peek() == ",":
                self._next()
        self._next()
        function = self._functions.get(name) or PLAIN.get(name)
        if function is None:
            raise ExpressionError(f"no function {name!r}")
        try:
            return function(*arguments)
        except (TypeError, KeyError) as error:
            raise ExpressionError(f"{name}: {error!r}") from error

    def _member(self, value: Any, *, safe: bool) -> Any:
        key = self._value()
        if self._next()[1] != "]":
            raise ExpressionError("no closing bracket")
        if safe and value is None:
            return None
        if isinstance(value, dict):
            if key in value or safe:
                return value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            return value[key]
        raise ExpressionError(f"no member {key!r}")

    def _peek(self) -> str | None:
        return self._tokens[0][1] if self._tokens else None

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            raise ExpressionError("it ends too early")
        return self._tokens.pop(0)
