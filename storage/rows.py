r"""Rows of the ``calls`` table: their keys, and how a document becomes one.

    PartitionKey   the call's id
    RowKey         call                      the call as Graph last reported it
                   invitation|<id>           an invitation with its operations
                   operation|<Graph's id>    which invitation an operation belongs to
                   participant|<key>         one participant of the roster
                   ~escalation|<id>          an escalation
                   ~event|<time>|<hash>      an event of the timeline
                   ~event|<number>           one of the thousand latest comings and goings

    PartitionKey   ~start|<id>               RowKey start: a request to join a meeting or to start a call
    PartitionKey   ~meeting|<hash>           RowKey meeting: the app's one leg in a meeting
    PartitionKey   ~open                     the index of open calls
    RowKey         the call's partition
    PartitionKey   ~kept|<day>               what got its first row, or its last check, on that day
    RowKey         its partition

Table Storage refuses ``/ \ # ?`` and control characters in keys and allows 1 KiB. Strings that callers choose can be
anything, so whatever is not plainly safe is replaced by its hash. The document keeps the true value.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ANY_ETAG = "*"
CALL = "call"
INVITATIONS = "invitation|"
OPERATIONS = "operation|"
PARTICIPANTS = "participant|"
# '}' follows '|', so that a range from a prefix to this holds all that starts with the prefix.
AFTER_INVITATIONS = "invitation}"
AFTER_PARTICIPANTS = "participant}"
ESCALATIONS = "~escalation|"
AFTER_ESCALATIONS = "~escalation}"
EVENTS = "~event|"
AFTER_EVENTS = "~event}"
KEPT = "~kept|"
START = "start"
MEETING = "meeting"
FIRST, LAST = " ", "~~"
"""All keys of a partition lie between these."""

_SAFE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@,=+-]{0,255}")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# A string property holds 64 KiB of UTF-16, in which a character takes up to four bytes.
_PROPERTY_CHARACTERS = 16_000
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Row:
    """A row to be written; ``etag`` guards a replacement, ``is_new`` an insertion, neither overwrites.

    ``ANY_ETAG`` replaces a row that is there, whatever its ETag.
    """

    entity: Mapping[str, Any]
    etag: str | None = None
    is_new: bool = False

    @property
    def key(self) -> str:
        """The row's key."""
        return str(self.entity["RowKey"])

    def size(self) -> int:
        """Return the bytes on the wire at most: the library sends ASCII, six bytes for each other character."""
        return sum(len(json.dumps(value)) for value in self.entity.values() if isinstance(value, str)) + 1_000


def partition_key(call_id: str) -> str:
    """Return the partition of a call; letter case of a GUID makes no difference."""
    return call_id.lower() if _GUID.fullmatch(call_id) else safe_key(call_id)


def safe_key(value: str) -> str:
    """Return the value itself where it is fit for a key, else a hash that no fit value equals."""
    if _SAFE_KEY.fullmatch(value):
        return value
    return "~" + base64.b32encode(hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()).decode().rstrip("=")


def retention_day(time: datetime) -> str:
    """Return the partition that lists the calls of a day."""
    return f"{KEPT}{time:%Y-%m-%d}"


def entity(partition: str, key: str, document: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    """Return a row's entity: its document in as many properties as it needs, and what is queried by."""
    text = _ENCODER.encode(document)
    parts = [text[start : start + _PROPERTY_CHARACTERS] for start in range(0, len(text), _PROPERTY_CHARACTERS)]
    chunks = {f"document{index or ''}": part for index, part in enumerate(parts)}
    return {"PartitionKey": partition, "RowKey": key, **properties, **chunks}


def document_of(entity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a row."""
    parts = [entity["document"]]
    while (part := entity.get(f"document{len(parts)}")) is not None:
        parts.append(part)
    document: dict[str, Any] = json.loads("".join(parts))
    return document
