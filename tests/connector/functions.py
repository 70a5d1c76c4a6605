"""Functions of the workflow definition language about collections, strings and times; ``test_referee`` holds them."""

from __future__ import annotations

import base64
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable

# The zones of the tests, by the names that Windows and Exchange use.
ZONES = {
    "UTC": "UTC",
    "W. Europe Standard Time": "Europe/Berlin",
    "Pacific Standard Time": "America/Los_Angeles",
    "India Standard Time": "Asia/Kolkata",
}
_DEFAULT_FORM = "yyyy-MM-ddTHH:mm:ss.fffffffZ"
_NET_FORMAT = {
    "yyyy": "%Y",
    "MM": "%m",
    "dddd": "%A",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "fffffff": "%f0",
}


def text(value: Any) -> str:
    """Return a value as text, as *concat* writes it."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return (
        json.dumps(value, separators=(",", ":"), ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
    )


def written(value: datetime, form: str = _DEFAULT_FORM) -> str:
    """Return a time in a form of .NET."""
    pattern = "|".join(sorted(_NET_FORMAT, key=len, reverse=True))
    return value.strftime(re.sub(pattern, lambda found: _NET_FORMAT[found[0]], form))


def read(value: Any) -> datetime:
    """Read a timestamp; one without a zone is UTC.

    Raises:
        ValueError: it isn't one.
    """
    if not isinstance(value, str):
        raise TypeError("a timestamp is expected")
    found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a string is expected")
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("an array is expected")
    return value


def _contains(collection: Any, value: Any) -> bool:
    if not isinstance(collection, (dict, list, str)):
        raise TypeError("an object, an array or a string is expected")
    return value in collection


def _empty(value: Any) -> bool:
    if value is not None and not isinstance(value, (dict, list, str)):
        raise TypeError("an object, an array or a string is expected")
    return not value


def _sorted(values: Any, key: str | None = None) -> list[Any]:
    return sorted(_array(values), key=lambda value: value if key is None else value[key])


def _union(*lists: Any) -> list[Any]:
    found: list[Any] = []
    for value in (value for values in lists for value in _array(values)):
        if value not in found:
            found.append(value)
    return found


def _zoned(value: Any, source: str, target: str, form: str = _DEFAULT_FORM) -> str:
    if source not in ZONES or target not in ZONES:
        raise ValueError("the time zone isn't known")
    moved = read(value).replace(tzinfo=ZoneInfo(ZONES[source])).astimezone(ZoneInfo(ZONES[target]))
    return written(moved, form)


def _added(unit: str) -> Callable[..., str]:
    return lambda value, count, form=_DEFAULT_FORM: written(read(value) + timedelta(**{unit: count}), form)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda one, other: one + other,
    "adddays": _added("days"),
    "addhours": _added("hours"),
    "addminutes": _added("minutes"),
    "base64": lambda value: base64.b64encode(_string(value).encode()).decode(),
    "chunk": lambda values, size: [values[first : first + size] for first in range(0, len(_array(values)), size)],
    "concat": lambda *values: "".join(text(value) for value in values),
    "contains": _contains,
    "converttimezone": _zoned,
    "createarray": lambda first, *values: [first, *values],
    "decodeuricomponent": lambda value: {"%0A": "\n", "%0D": "\r", "%09": "\t"}[value],
    "empty": _empty,
    "formatdatetime": lambda value, form: written(read(value), form),
    "guid": lambda: str(uuid.uuid4()),
    "replace": lambda value, old, new: _string(value).replace(_string(old), _string(new)),
    "sort": _sorted,
    "split": lambda value, separator: _string(value).split(separator),
    "string": text,
    "sub": lambda one, other: one - other,
    "tolower": lambda value: _string(value).lower(),
    "trim": lambda value: _string(value).strip(),
    "union": _union,
    "utcnow": lambda form=_DEFAULT_FORM: written(datetime.now(UTC), form),
}
