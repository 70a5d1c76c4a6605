"""The operations of the API: what each HTTP function does, accepts and returns, and how makers see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector import responses
from connector.words import Visibility, Words
from invite.request import InviteAndWaitBody, InviteBody, InvitePhoneBody, MovePersonBody

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

# The description of a response by its status; that of 200 is its body's.
STATUSES: dict[int, str] = {
    201: "The people are being called. The outcome is sent to the flow; a DELETE of Location ends the wait.",
    202: "The people are being called. GET Location after Retry-After seconds; it needs no key.",
    204: "The flow no longer waits.",
    400: "The request is invalid. The message names every fault.",
    401: "The function key is missing or wrong.",
    404: "The call, invitation or token doesn't exist.",
    409: "The invitation name was used before for other people, or five flows wait already.",
    413: "The request is too large.",
    422: "Microsoft Graph refused the invitation, or it failed. The message explains what to do.",
    429: "Microsoft Graph is busy and no person was called. The flow tries again automatically.",
    503: "The app can't do this now and no person was called. The flow tries again automatically.",
}
_INVITE = (400, 401, 404, 409, 413, 422, 429, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """One HTTP function."""

    summary: str
    description: str
    statuses: tuple[int, ...]
    response: type[BaseModel] | None = None
    """The body of a success, or the outcome that a flow receives later."""
    action: str | None = None
    """The operation's ID in the connector; without one it isn't in the connector."""
    visibility: Visibility | None = None
    body: type[BaseModel] | None = None
    query: tuple[str, ...] = ()
    """Query parameters; those of an internal operation are required."""
    texts: Mapping[int, str] = field(default_factory=dict)
    """Descriptions that replace those of ``STATUSES``."""


# By the name of the function in function_app.py, in the order in which makers see them.
OPERATIONS: dict[str, Operation] = {
    "invite_participants_and_wait": Operation(
        "Invite people and wait",
        "Invites people to a call in progress and pauses the flow until each of them has answered, declined or "
        "not answered. A failure is an outcome too: check Status in a condition.",
        (201, *_INVITE),
        responses.Invitation,
        "InvitePeopleAndWait",
        "important",
        InviteAndWaitBody,
    ),
    "invite_participants": Operation(
        "Invite people to a call",
        "Invites people to a call in progress and polls for the outcome. The action fails if no person answered.",
        (202, *_INVITE),
        responses.Invitation,
        "InvitePeople",
        "important",
        InviteBody,
    ),
    "invite_phone": Operation(
        "Invite a phone number",
        "Calls a phone number into a call in progress and polls for the outcome. "
        "The action fails if the call isn't answered.",
        (202, *_INVITE),
        responses.Invitation,
        "InvitePhoneNumber",
        body=InvitePhoneBody,
    ),
    "move_person": Operation(
        "Move a person to another meeting",
        "Moves a person from a one-to-one call, or from another meeting, into this call and polls for the outcome.",
        (202, *_INVITE),
        responses.Invitation,
        "MovePerson",
        body=MovePersonBody,
    ),
    "get_invitation": Operation(
        "Get invitation",
        "Returns the current state of an invitation.",
        (200, 400, 401, 404, 503),
        responses.Invitation,
        "GetInvitation",
    ),
    "list_invitations": Operation(
        "List invitations",
        "Lists the invitations of a call, newest first. The list of an unknown call is empty.",
        (200, 400, 401, 503),
        responses.Invitations,
        "ListInvitations",
    ),
    "list_participants": Operation(
        "List people in a call",
        "Lists the people in a call, as Microsoft Graph last reported them. The list of an unknown call is empty.",
        (200, 400, 401, 503),
        responses.PeopleInCall,
        "ListPeopleInCall",
        query=("includeLeft",),
    ),
    "get_call": Operation(
        "Get call",
        "Returns the state of a call, as Microsoft Graph last reported it.",
        (200, 400, 401, 404, 503),
        responses.Call,
        "GetCall",
    ),
    "await_invitation": Operation(
        "Await the outcome of an invitation",
        "Polled by the flow while it waits: 202 until there is an outcome.",
        (200, 202, 400, 404, 422, 503),
        responses.Invitation,
        "AwaitResult",
        "internal",
        query=("token",),
    ),
    "cancel_wait": Operation(
        "Stop waiting for an outcome",
        "Sent by the flow when its run is cancelled or times out. It may be repeated.",
        (204, 400, 404, 503),
        action="CancelWait",
        visibility="internal",
        query=("token",),
    ),
    "receive_notifications": Operation(
        "Receive notifications",
        "Receives Microsoft Graph's callbacks, each with Graph's signed token.",
        (202, 400, 401, 413, 503),
        body=responses.Notifications,
        texts={202: "Recorded, or ignored.", 401: "The token is missing, invalid or not for this app."},
    ),
    "health": Operation(
        "Get health",
        "Returns whether configuration and storage are in order.",
        (200, 503),
        responses.Health,
        texts={503: "The app can't do its work. The faults explain why."},
    ),
}

PARAMETERS: dict[str, tuple[Words, dict[str, object]]] = {
    "callId": (
        Words("Call ID", "The ID of a call that the app itself created or answered, from that step.", "important"),
        {"type": "string", "minLength": 1, "maxLength": 256},
    ),
    "invitationId": (
        Words("Invitation ID", "The ID that an invitation returned.", "important"),
        {"type": "string", "pattern": "^[A-Z2-7]{26}$"},
    ),
    "token": (Words("Token", "The token in the URL that the app returned."), {"type": "string", "minLength": 1}),
    "includeLeft": (
        Words("Include Who Left", "Whether to include people who have left the call.", "advanced"),
        {"type": "boolean"},
    ),
}
