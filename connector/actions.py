"""The connector's operations: which function of the app each is, and what a maker reads about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from invite.request import InviteAndWaitBody, InviteBody, InvitePhoneBody, MovePersonBody

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

# What a maker reads in the definition about a failure; the run history shows the app's own message.
FAILURES: dict[int, str] = {
    400: "Something in the request is not right; the message names each fault.",
    401: "The key of the connection is missing or wrong.",
    404: "There is no such call, invitation or token.",
    409: "The invitation name was used before for other people.",
    413: "The request is too large.",
    422: "Microsoft Graph refused the invitation, or it failed; the message says what to do.",
    429: "Microsoft Graph is busy and nobody was rung; the flow tries again by itself.",
    503: "The app can't do it right now and nobody was rung; the flow tries again by itself.",
}
_READ = (400, 401, 404, 503)
_INVITE = (400, 401, 404, 409, 413, 422, 429, 503)


@dataclass(frozen=True, slots=True)
class Action:
    """One operation of the connector."""

    operation_id: str
    summary: str
    description: str
    answer: str | None
    """The definition of the answer's body, or of the outcome's."""
    failures: tuple[int, ...]
    body: type[BaseModel] | None = None
    body_description: str = ""
    query: Mapping[str, Literal["string", "boolean"]] = field(default_factory=dict)
    """Parameters after the question mark; those of an internal operation are required."""
    polls: bool = False
    """Whether it answers 202 until there is an outcome."""
    subscribes: bool = False
    """Whether the outcome comes to the flow's own address later."""
    internal: bool = False
    important: bool = False


# By the name of the function in function_app.py, in the order in which makers see them.
ACTIONS: dict[str, Action] = {
    "invite_participants_and_wait": Action(
        "InvitePeopleAndWait",
        "Invite people and wait",
        "Rings people into a call that is going on and pauses the flow until all have answered, declined or been "
        "rung out. Check the status in a condition: also a failure comes as an outcome.",
        "Invitation",
        _INVITE,
        InviteAndWaitBody,
        "Whom to invite.",
        subscribes=True,
        important=True,
    ),
    "invite_participants": Action(
        "InvitePeople",
        "Invite people to a call",
        "Rings people into a call that is going on and waits for the outcome by asking for it. "
        "The action fails if nobody came in.",
        "Invitation",
        _INVITE,
        InviteBody,
        "Whom to invite.",
        polls=True,
        important=True,
    ),
    "invite_phone": Action(
        "InvitePhoneNumber",
        "Invite a phone number",
        "Rings a telephone into a call that is going on and waits for the outcome by asking for it. "
        "The action fails if nobody answered.",
        "Invitation",
        _INVITE,
        InvitePhoneBody,
        "Which telephone to ring.",
        polls=True,
    ),
    "move_person": Action(
        "MovePerson",
        "Move a person to another meeting",
        "Brings a person from a call of two, or from another meeting, into this call and waits until it is done.",
        "Invitation",
        _INVITE,
        MovePersonBody,
        "Whom to move, and from where.",
        polls=True,
    ),
    "get_invitation": Action(
        "GetInvitation", "Get invitation", "Tells how an invitation stands, at once.", "Invitation", _READ
    ),
    "list_invitations": Action(
        "ListInvitations",
        "List invitations",
        "Lists all invitations into a call, the newest first.",
        "Invitations",
        _READ,
    ),
    "list_participants": Action(
        "ListPeopleInCall",
        "List people in a call",
        "Lists who is in a call, as Microsoft Graph last reported it.",
        "PeopleInCall",
        _READ,
        query={"includeLeft": "boolean"},
    ),
    "get_call": Action(
        "GetCall", "Get call", "Tells the state of a call, as Microsoft Graph last reported it.", "Call", _READ
    ),
    "await_invitation": Action(
        "AwaitResult",
        "Await the outcome of an invitation",
        "Asked by the flow itself while it waits.",
        "Invitation",
        (400, 404, 422, 503),
        query={"token": "string"},
        polls=True,
        internal=True,
    ),
    "cancel_wait": Action(
        "CancelWait",
        "Stop waiting for an outcome",
        "Asked by the flow itself when its run is cancelled or times out.",
        None,
        (400, 404, 503),
        query={"token": "string"},
        internal=True,
    ),
}
