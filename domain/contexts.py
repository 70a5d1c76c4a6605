"""How the parts of an invitation that needs several Graph requests are marked in ``clientContext``."""

from __future__ import annotations

import base64
import hashlib
import re

_ENDING = re.compile(r"~[0-9]+of[0-9]+$")
_INVITATION_ID = re.compile(r"[A-Z2-7]{26}")


def part_context(client_context: str, number: int, count: int) -> str:
    """Return the context of part ``number`` (from 1) of ``count``."""
    return f"{client_context}~{number}of{count}"


def unsplit_context(context: str) -> str:
    """Return a context without the mark of a part."""
    return _ENDING.sub("", context)


def looks_like_part(context: str) -> bool:
    """Return whether a context ends like a part's, which callers' own may not."""
    return _ENDING.search(context) is not None


def invitation_id(client_context: str) -> str:
    """Return the id of the invitation with this client context: 26 characters, 130 bits of its hash."""
    return base64.b32encode(hashlib.sha256(client_context.encode()).digest()).decode()[:26]


def is_invitation_id(value: str) -> bool:
    """Return whether a string can be the id of an invitation, a start or an escalation."""
    return _INVITATION_ID.fullmatch(value) is not None


def call_hash(call_id: str) -> str:
    """Return what stands for a call in logs: enough to follow one, not enough to name one."""
    return hashlib.sha256(call_id.lower().encode()).hexdigest()[:12]
