"""People, meetings and bodies of starts."""

from __future__ import annotations

from typing import Any

from tests.calls.fake_graph import THREAD
from tests.calls.world import link, user

ANNA, BEN, CLEO = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
MEETING_ID = "271813000000"
LINK = {"joinWebUrl": link(THREAD)}
BY_ID = {"joinMeetingId": MEETING_ID, "passcode": "psw123"}
FLOW_HEADERS = {"x-ms-workflow-run-id": "08585000000000000000CU01", "x-ms-workflow-operation-name": "Start"}


def meeting(*people: str, **more: Any) -> dict[str, Any]:
    """Return the body of a start that joins a meeting and invites people."""
    return {"meeting": LINK, "participants": [user(person) for person in people], **more}


def call_of(*people: str, **more: Any) -> dict[str, Any]:
    """Return the body of a start that calls people without a meeting."""
    return {"participants": [user(person) for person in people], **more}
