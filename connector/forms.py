"""The forms in which makers see the body of a start: joining a meeting, and a call without one."""

from __future__ import annotations

from connector.operation import Form
from connector.words import Words

_OF_START = ("separately", "subject", "clientContext", "callbackUrl")
JOIN = Form(
    ("meeting", "participants", "steps", "stopWhen", "repeat", "leaveAfterwards", *_OF_START),
    "meeting",
    {
        "participants": Words(
            "People", "The people to call at once, up to 50. Leave it empty if you fill in Steps.", "important"
        ),
        "steps": Words("Steps", "To call people step by step until somebody joins: up to 10 steps.", "important"),
    },
)
NEW_CALL = Form(
    ("participants", *_OF_START),
    "participants",
    {
        "participants": Words("People", "The users to call, one to five.", "important"),
        "subject": Words("Subject", "A title for the call.", "advanced"),
    },
    only_users=True,
)
