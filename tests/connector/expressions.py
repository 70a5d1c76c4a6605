"""The workflow definition language, as far as the sample flows use it: ``@...``, ``@{...}``, functions, properties.

``test_referee`` compares it with the answers of Microsoft's own engine.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.connector.functions import FUNCTIONS, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Lazy = Callable[[], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>\w+)|(?P<sign>\?\[|[()\[\],]))"
)
_PART = re.compile(r"@@\{|@\{((?:[^'}]|'(?:[^']|'')*')*)\}")
_CONSTANTS = {"true": True, "false": False, "null": None}


class ExpressionError(ValueError):
    """The engine fails the action or condition."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression can refer to."""

    actions: Mapping[str, Any] = field(default_factory=dict)
    """The outputs by the action's name."""
    trigger: Any = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    item: Any = None
    items: Mapping[str, Any] = field(default_factory=dict)
    """The current item by the loop's name."""
    callback_url: str = ""


def evaluate(value: Any, context: Context) -> Any:
    """Return a value of a definition with its expressions evaluated."""
    if isinstance(value, dict):
        return {name: evaluate(inner, context) for name, inner in value.items()}
    if isinstance(value, list):
        return [evaluate(inner, context) for inner in value]
    if not isinstance(value, str) or "@" not in value:
        return value
    if value.startswith("@") and value[1:2] not in ("{", "@"):
        return _Parser(value[1:], context).whole()()
    if value.startswith("@@") and not value.startswith("@@{"):
        return value[1:]
    return _PART.sub(lambda part: "@{" if part[1] is None else text(_Parser(part[1], context).whole()()), value)


def holds(expression: Any, context: Context) -> bool:
    """Return whether a condition holds: an expression, or functions as JSON objects."""

    def term(value: Any) -> Any:
        if not isinstance(value, dict):
            return evaluate(value, context)
        ((name, given),) = value.items()
        arguments = given if isinstance(given, list) else [given]
        return _call(name, [partial(term, entry) for entry in arguments], context)

    return _boolean(term(expression))


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError("a boolean is expected")
    return value


def _sequence(value: Any) -> Any:
    if not isinstance(value, (list, str)):
        raise ExpressionError("an array or a string is expected")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _equals(one: Any, other: Any) -> bool:
    if _is_number(one) and _is_number(other):
        return bool(one == other)
    return type(one) is type(other) and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _ordered(one: Any, other: Any) -> tuple[Any, Any]:
    if not (_is_number(one) and _is_number(other)) and not (isinstance(one, str) and isinstance(other, str)):
        raise ExpressionError("two numbers or two strings are expected")
    return one, other


def _starts(value: Any, start: Any) -> bool:
    if not isinstance(value, str) or not isinstance(start, str):
        raise ExpressionError("two strings are expected")
    return value.casefold().startswith(start.casefold())


def _if(condition: Lazy, then: Lazy, otherwise: Lazy) -> Any:
    return then() if _boolean(condition()) else otherwise()


_LAZY: dict[str, Callable[..., Any]] = {
    "and": lambda *values: all(_boolean(value()) for value in values),
    "coalesce": lambda *values: next((found for value in values if (found := value()) is not None), None),
    "if": _if,
    "or": lambda *values: any(_boolean(value()) for value in values),
}
_PLAIN: dict[str, Callable[..., Any]] = {
    **FUNCTIONS,
    "encodeuricomponent": lambda value: quote(text(value), safe=""),
    "equals": _equals,
    "first": lambda values: next(iter(_sequence(values)), None),
    "greater": lambda one, other: _ordered(one, other)[0] > other,
    "greaterorequals": lambda one, other: _ordered(one, other)[0] >= other,
    "join": lambda values, separator: separator.join(text(value) for value in _sequence(values)),
    "json": json.loads,
    "last": lambda values: _sequence(values)[-1] if values else None,
    "length": lambda values: len(_sequence(values)),
    "lessorequals": lambda one, other: _ordered(one, other)[0] <= other,
    "less": lambda one, other: _ordered(one, other)[0] < other,
    "not": lambda value: not _boolean(value),
    "setproperty": lambda value, name, new: {**value, name: new},
    "skip": lambda values, count: _sequence(values)[count:],
    "startswith": _starts,
    "take": lambda values, count: _sequence(values)[:count],
}


def _call(name: str, arguments: list[Lazy], context: Context) -> Any:
    look_up: dict[str, Callable[..., Any]] = {
        "body": lambda action: _property(_look_up(context.actions, action), "body", safe=True),
        "item": lambda: context.item,
        "items": lambda loop: context.items[loop],
        "listcallbackurl": lambda: context.callback_url,
        "outputs": lambda action: _look_up(context.actions, action),
        "parameters": lambda _: {},
        "triggerbody": lambda: context.trigger,
        "triggeroutputs": lambda: {"body": context.trigger},
        "variables": lambda variable: {key.casefold(): value for key, value in context.variables.items()}[
            variable.casefold()
        ],
    }
    key = name.casefold()
    try:
        if key in _LAZY:
            return _LAZY[key](*arguments)
        return (look_up.get(key) or _PLAIN[key])(*(argument() for argument in arguments))
    except (KeyError, TypeError) as error:
        raise ExpressionError(f"{name}: {error!r}") from error


def _look_up(values: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in values.items() if key.casefold() == name.casefold()), None)


def _property(value: Any, key: Any, *, safe: bool) -> Any:
    """Select a property, without regard to case; a name with slashes is a path through objects."""
    if value is None and safe:
        return None
    if isinstance(value, list) and isinstance(key, int):
        if safe or key < len(value):
            return value[key] if key < len(value) else None
        raise ExpressionError("the index is outside the array")
    if not isinstance(value, dict) or not isinstance(key, str):
        raise ExpressionError(f"the property {key!r} can't be selected")
    found: Any = value
    for name in key.split("/"):
        names = {known.casefold(): known for known in found} if isinstance(found, dict) else {}
        if name.casefold() not in names:
            if safe:
                return None
            raise ExpressionError(f"no property {key!r}")
        found = found[names[name.casefold()]]
    return found


class _Parser:
    """Parses an expression to a function that computes it."""

    def __init__(self, text: str, context: Context) -> None:
        self._context = context
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            found = _TOKEN.match(text, place)
            if found is None:
                raise ExpressionError(f"at {text[place:]!r}")
            self._tokens.append((str(found.lastgroup), found[found.lastgroup or 0]))
            place = found.end()
        self._tokens.append(("end", ""))

    def whole(self) -> Lazy:
        value = self._value()
        if self._tokens[0][0] != "end":
            raise ExpressionError(f"unexpected {self._tokens[0][1]!r}")
        return value

    def _value(self) -> Lazy:
        kind, token = self._tokens.pop(0)
        if kind != "name" or self._tokens[0][1] != "(":
            constant = self._constant(kind, token)
            return lambda: constant
        value = self._function(token)
        while self._tokens[0][1] in ("[", "?["):
            value = self._selected(value, safe=self._tokens.pop(0)[1] == "?[")
        return value

    def _constant(self, kind: str, token: str) -> Any:
        if kind == "text":
            return token[1:-1].replace("''", "'")
        if kind == "number":
            return float(token) if "." in token else int(token)
        if kind == "name" and token.casefold() in _CONSTANTS:
            return _CONSTANTS[token.casefold()]
        raise ExpressionError(f"unexpected {token!r}")

    def _function(self, name: str) -> Lazy:
        arguments: list[Lazy] = []
        self._tokens.pop(0)
        while self._tokens[0][1] != ")":
            arguments.append(self._value())
            if self._tokens[0][1] == ",":
                self._tokens.pop(0)
        self._tokens.pop(0)
        return lambda: _call(name, arguments, self._context)

    def _selected(self, value: Lazy, *, safe: bool) -> Lazy:
        key = self._value()
        if self._tokens.pop(0)[1] != "]":
            raise ExpressionError("a bracket isn't closed")
        return lambda: _property(value(), key(), safe=safe)
