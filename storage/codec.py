"""From frozen dataclasses to JSON documents and back: one codec for all documents.

A field becomes a property in camelCase; None is left out where it is the field's default. A reader gives an absent
property its default and ignores one it does not know, so that each release reads the rows of the one before and the
one after.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
VERSION = 1
_SPECIAL: dict[Any, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {}


def special(kind: Any, encode: Callable[[Any], Any], decode: Callable[[Any], Any]) -> None:
    """Give a type a form of its own in documents."""
    _SPECIAL[kind] = (encode, decode)


def encode(value: Any) -> Any:
    """Return the JSON value of a dataclass, an enum, a time, or a container of them."""
    if type(value) in _SPECIAL:
        return _SPECIAL[type(value)][0](value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return encode_fields(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: encode(entry) for name, entry in value.items()}
    if isinstance(value, tuple | list):
        return [encode(entry) for entry in value]
    return value


def encode_fields(value: Any) -> dict[str, Any]:
    """Return the document of a dataclass, one property for each field that is not None by default."""
    document = {}
    for field, name, _ in _fields(cast("Any", type(value))):
        entry = getattr(value, field.name)
        if entry is not None or field.default is not None:
            document[name] = encode(entry)
    return document


def decode(kind: type[T], document: Any) -> T:
    """Return the value of a type from its JSON value.

    Raises:
        KeyError, ValueError, TypeError: a property without a default is absent, or one has another form.
    """
    value: T = _decode(kind, document)
    return value


def _decode(kind: Any, document: Any) -> Any:
    if kind in _SPECIAL:
        return _SPECIAL[kind][1](document)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        (inner,) = [one for one in get_args(kind) if one is not type(None)]
        return None if document is None else _decode(inner, document)
    if origin is tuple:
        return tuple(_decode(get_args(kind)[0], entry) for entry in document)
    if origin is not None and issubclass(origin, Mapping):
        return {name: _decode(get_args(kind)[1], entry) for name, entry in document.items()}
    if dataclasses.is_dataclass(kind):
        return decode_fields(cast("Any", kind), document)
    if kind is datetime:
        return datetime.fromisoformat(document)
    return kind(document) if isinstance(kind, type) and issubclass(kind, Enum) else document


def decode_fields(kind: type[T], document: Mapping[str, Any]) -> T:
    """Return a dataclass from its document, whatever form its type has elsewhere; see ``decode``."""
    values = {}
    for field, name, annotation in _fields(cast("Any", kind)):
        if name in document:
            values[field.name] = _decode(annotation, document[name])
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise KeyError(name)
    return kind(**values)


@cache
def _fields(kind: Any) -> tuple[tuple[dataclasses.Field[Any], str, Any], ...]:
    # Types that a module names for type checkers only are found where the codec's users have put them.
    hints = typing.get_type_hints(kind, localns=_known_types())
    return tuple((field, _camel(field.name), hints[field.name]) for field in dataclasses.fields(kind))


@cache
def _known_types() -> dict[str, Any]:
    from domain import (  # noqa: PLC0415
        call,
        escalation,
        index,
        invitation,
        meeting,
        results,
        roster,
        start,
        timeline,
        waiting,
    )

    found: dict[str, Any] = {"datetime": datetime, "Mapping": Mapping, "Any": Any}
    for module in (call, escalation, index, invitation, meeting, results, roster, start, timeline, waiting):
        found |= {name: value for name, value in vars(module).items() if isinstance(value, type)}
    found["Stage"] = start.Stage
    return found


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
