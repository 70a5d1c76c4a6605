"""The permission of the app that each request needs, and whether a token has it.

Source: https://learn.microsoft.com/graph/api/application-post-calls and participant-invite, *Permissions*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt

if TYPE_CHECKING:
    from collections.abc import Mapping

JOIN_MEETING = "Calls.JoinGroupCall.All"
CALL_ONE = "Calls.Initiate.All"
CALL_SEVERAL = "Calls.InitiateGroupCall.All"
"""Also to invite people into a call."""


def needed_to_create(body: Mapping[str, Any]) -> str:
    """Return what a body of ``graph.calls.create_body`` needs."""
    people = body.get("targets")
    if not people:
        return JOIN_MEETING
    return CALL_ONE if len(people) == 1 else CALL_SEVERAL


def lacks(token: str, permission: str | None) -> str | None:
    """Return the permission where the app's own token lacks it; Graph alone can judge the rest of a token."""
    if permission is None:
        return None
    try:
        roles = jwt.decode(token, options={"verify_signature": False}).get("roles", [])
    except jwt.InvalidTokenError:
        return None
    return None if isinstance(roles, list) and permission in roles else permission
