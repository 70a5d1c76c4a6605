r"""Rows of the ``calls`` table: keys, properties, and how a document becomes one.

    PartitionKey   the call's id
    RowKey         call                      the call as Graph last reported it
                   invitation|<id>           an invitation with its operations
                   operation|<Graph's id>    which invitation an operation belongs to
                   participant|<key>         one participant of the roster

    PartitionKey   ~kept|<day>               which calls got their first row, or their last check, on that day:
    RowKey         the call's partition      what is old is found without reading the calls that are not

Table Storage refuses ``/ \ # ?`` and control characters in keys and allows 1 KiB; strings that callers choose can
be anything, so whatever is not plainly safe is replaced by its hash. The document keeps the true value.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.transitions import is_open, status_of
from storage import documents

if TYPE_CHECKING:
    from datetime import datetime

    from domain.model import CallState, Invitation, RosterEntry

CALL = "call"
INVITATIONS = "invitation|"
OPERATIONS = "operation|"
PARTICIPANTS = "participant|"
# '}' follows '|', so that a range from a prefix to this holds all that starts with the prefix.
AFTER_INVITATIONS = "invitation}"
AFTER_PARTICIPANTS = "participant}"

RETENTION = "~kept|"

_SAFE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@,=+-]{0,255}")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_INVITATION_ID = re.compile(r"[A-Z2-7]{26}")
# A string property holds 64 KiB of UTF-16, in which a character takes up to four bytes.
_PROPERTY_CHARACTERS = 16_000
# Made once: a roster becomes a document for each person in it.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Row:
    """A row to be written; ``etag`` guards a replacement, ``is_new`` an insertion, neither overwrites."""

    entity: dict[str, Any]
    etag: str | None = None
    is_new: bool = False


def partition_key(call_id: str) -> str:
    """Return the partition of a call; letter case of a GUID makes no difference."""
    return call_id.lower() if _GUID.fullmatch(call_id) else safe_key(call_id)


def safe_key(value: str) -> str:
    """Return the value itself where it is fit for a key, else a hash that no fit value equals."""
    if _SAFE_KEY.fullmatch(value):
        return value
    return "~" + base64.b32encode(hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()).decode().rstrip("=")


def invitation_id(client_context: str) -> str:
    """Return the id of the invitation with this client context: 26 letters and digits, 130 bits of its hash."""
    return base64.b32encode(hashlib.sha256(client_context.encode()).digest()).decode()[:26]


def is_invitation_id(value: str) -> bool:
    """Tell whether a string can be an invitation's id at all."""
    return _INVITATION_ID.fullmatch(value) is not None


def invitation_entity(invitation: Invitation) -> dict[str, Any]:
    """Return the row of an invitation."""
    return {
        "PartitionKey": partition_key(invitation.call_id),
        "RowKey": INVITATIONS + invitation.id,
        "status": status_of(invitation.operations).value,
        "open": is_open(invitation),
        "updated": invitation.updated,
        **_chunks(documents.invitation_document(invitation)),
    }


def call_entity(call: CallState) -> dict[str, Any]:
    """Return the row of a call."""
    return {
        "PartitionKey": partition_key(call.call_id),
        "RowKey": CALL,
        "updated": call.updated,
        **_chunks(documents.call_document(call)),
    }


def roster_entity(call_id: str, entry: RosterEntry) -> dict[str, Any]:
    """Return the row of one participant of a roster."""
    return {
        "PartitionKey": partition_key(call_id),
        "RowKey": PARTICIPANTS + safe_key(entry.key),
        **_chunks(documents.roster_document(entry)),
    }


def operation_entity(call_id: str, operation_id: str, *, invitation: str | None, report: str | None) -> dict[str, Any]:
    """Return the row that leads from Graph's operation id to an invitation, or keeps a report that came before it."""
    entity = {"PartitionKey": partition_key(call_id), "RowKey": OPERATIONS + safe_key(operation_id)}
    if invitation is not None:
        entity["invitation"] = invitation
    if report is not None:
        entity["report"] = report
    return entity


def retention_day(moment: datetime) -> str:
    """Return the partition that notes the calls of a day."""
    return f"{RETENTION}{moment:%Y-%m-%d}"


def document_of(entity: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a row."""
    parts = [entity["document"]]
    while (part := entity.get(f"document{len(parts)}")) is not None:
        parts.append(part)
    document: dict[str, Any] = json.loads("".join(parts))
    return document


def _chunks(document: dict[str, Any]) -> dict[str, str]:
    text = _ENCODER.encode(document)
    parts = [text[start : start + _PROPERTY_CHARACTERS] for start in range(0, len(text), _PROPERTY_CHARACTERS)]
    return {f"document{place or ''}": part for place, part in enumerate(parts)}
