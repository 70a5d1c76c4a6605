"""How each example printed on https://learn.microsoft.com/graph/api/participant-invite is reported.

They differ from each other in ways that no text explains; an app has to accept all of them.
"""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[int, dict[str, Any]] = {
    # One user, whom the roster then shows as an application.
    1: {"roster": "documented", "as_application": "all", "roster_info_type": "invitationParticipantInfo"},
    # Several users: the operation has lost its id, the roster comes under the operation's path.
    2: {
        "roster": "documented",
        "operation_id_null": True,
        "operation_resource": "communications",
        "roster_under_operations": True,
        "as_application": "first",
        "roster_info_type": "invitationParticipantInfo",
    },
    # A one-to-one call is replaced, and the roster names the replaced call.
    3: {
        "roster": "documented",
        "replaced_call_id": "roster",
        "roster_resource": "communications",
        "roster_info_type": "invitationParticipantInfo",
    },
    # A phone.
    4: {"roster": "documented"},
    # A move from one meeting to another.
    5: {"roster": "documented", "roster_resource": "communications"},
}
