"""What a callback's own URL and outer form say: which start it was created for, and whether it is of the old form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.contexts import is_invitation_id

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_ATTEMPTS = 1_000
_LONGEST_OLD_FORM = 65_536


@dataclass(frozen=True, slots=True)
class Origin:
    """The start for which Graph was asked to create the call, and which of its attempts."""

    start_id: str
    attempt: int


def origin_of(query: Mapping[str, str]) -> Origin | None:
    """Return the start that a ``callbackUri`` of this app names; None for a call of others."""
    start_id, attempt = query.get("start", ""), query.get("attempt", "")
    if not is_invitation_id(start_id) or not (attempt.isascii() and attempt.isdigit()):
        return None
    return Origin(start_id, int(attempt)) if int(attempt[:6]) <= _MOST_ATTEMPTS else None


def is_bot_framework(body: bytes) -> bool:
    """Return whether a body is an incoming call in the Bot Framework's form, which comes before Graph's.

    It has no ``value``, and wants 204: https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings
    """
    if len(body) > _LONGEST_OLD_FORM or b"callState" not in body:
        return False
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(envelope, dict) and "value" not in envelope and "callState" in envelope
