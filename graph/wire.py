"""The parts of Graph's JSON that every module here reads, and nothing of what they mean for an invitation.

Everything that Graph sends is read leniently: the case of enumerations differs between its pages, numbers come as
strings, properties come as null or not at all.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from domain.results import OperationState, ResultInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

ODATA_TYPE = "@odata.type"
_NAMESPACE = "#microsoft.graph."
_NUMBER = re.compile(r"\s*(-?[0-9]{1,19})\s*")
# Longer than anything that Graph documents, and short enough for a row in storage.
_MOST_CHARACTERS = 4096
_LOCATION_OPERATION = re.compile(r"/operations(?:/|\(')([^/')]+)", re.IGNORECASE)
# What stands in a path where an operation's id would be (several people: ``/operations/participants``).
_NOT_IDS = frozenset({"participants", "operations", "null", "undefined", ""})


def type_name(value: Mapping[str, Any]) -> str:
    """Return the bare ``@odata.type`` of a JSON object in lower case, empty where it has none."""
    name = value.get(ODATA_TYPE)
    return name.rpartition(".")[2].lstrip("#").casefold() if isinstance(name, str) else ""


def odata_type(name: str) -> str:
    """Return the ``@odata.type`` annotation of a type in Graph's namespace."""
    return _NAMESPACE + name


def text(value: object) -> str | None:
    """Return a non-empty string, or None, fit for storage: a lone surrogate becomes U+FFFD, a huge string is cut."""
    if not isinstance(value, str) or not value:
        return None
    value = value[:_MOST_CHARACTERS]
    return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def number(value: object) -> int | None:
    """Return an integer, at most an Int64, that Graph sent as a number or as a string."""
    if isinstance(value, str) and (match := _NUMBER.fullmatch(value)):
        value = int(match[1])
    elif isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -(1 << 63) <= value < 1 << 63 else None


def result_info(value: object) -> ResultInfo | None:
    """Read a ``resultInfo``, which may be absent, null, or carry its codes as strings."""
    if not isinstance(value, dict):
        return None
    return ResultInfo(number(value.get("code")), number(value.get("subcode")), text(value.get("message")))


def operation_state(body: object, *, location: str | None = None) -> OperationState:
    """Read an operation from Graph's JSON; its id comes from the URL in ``location`` where the body has none."""
    entity: Mapping[str, Any] = body if isinstance(body, dict) else {}
    status = text(entity.get("status"))
    return OperationState(
        id=operation_id(entity.get("id")) or operation_id_in(location),
        client_context=text(entity.get("clientContext")),
        status=status.casefold() if status else None,
        result=result_info(entity.get("resultInfo")),
    )


def operation_id(value: object) -> str | None:
    """Return an operation's id, or None where something else stands in its place."""
    name = text(value)
    return None if name is None or name.casefold() in _NOT_IDS else name


def operation_id_in(path: str | None) -> str | None:
    """Return the operation's id in a path such as ``/communications/calls/{id}/operations/{id}``."""
    try:
        match = _LOCATION_OPERATION.search(urlsplit(path or "").path)
    except ValueError:
        return None
    return operation_id(match[1]) if match else None


def error_body(body: object) -> tuple[str | None, str | None, str | None, str | None]:
    """Read Graph's error body: code, message, request id, client request id; ``innerError`` may nest or be absent."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return None, None, None, None
    raw_code = error.get("code")
    code = str(raw_code) if isinstance(raw_code, int) else text(raw_code)
    inner = _inner(error)
    while "request-id" not in inner and (deeper := _inner(inner)):
        inner = deeper
    return (
        code,
        text(error.get("message")),
        text(inner.get("request-id")),
        text(inner.get("client-request-id")),
    )


def _inner(error: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = error.get("innerError") or error.get("innererror")
    return inner if isinstance(inner, dict) else {}


def retry_after(value: str | None, *, now: datetime | None = None) -> float | None:
    """Read a ``Retry-After``: whole or fractional seconds (Graph's documentation shows 2.128), or an HTTP date.

    Returns:
        Seconds from now, never negative; None where there is nothing that can be read.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (date - (now or datetime.now(UTC))).total_seconds()
    day = 86_400.0
    return min(max(seconds, 0.0), day) if seconds == seconds else None  # noqa: PLR0124 - NaN differs from itself
