"""The operations of the API: what each HTTP function does, accepts and returns, and how makers see it."""

from __future__ import annotations

from calls.request import StartAndWaitBody, StartBody
from connector import responses, watching
from connector.forms import JOIN, NEW_CALL
from connector.operation import Operation
from escalation.request import EscalateAndWaitBody, EscalateBody
from invite.request import InviteAndWaitBody, InviteBody, InvitePhoneBody, MovePersonBody

_INVITE = (400, 401, 403, 404, 409, 413, 422, 429, 503)
# By the name of the function in function_app.py, or a name of its own where it is ``routed``; in the makers' order.
OPERATIONS: dict[str, Operation] = {
    "start_call_and_wait": Operation(
        "Join a meeting and invite people (waits)",
        "Joins a meeting, calls people at once or step by step, and pauses the flow until it is known who accepted. "
        "Succeeds also if no one accepts or the app can't join, so check Status; fails only if the request is refused.",
        (201, *_INVITE),
        responses.Start,
        "JoinMeetingAndWait",
        "important",
        StartAndWaitBody,
        form=JOIN,
    ),
    "start_call": Operation(
        "Join a meeting and fail if no one accepts",
        "Joins a meeting, calls people at once or step by step, and polls for the outcome. "
        "Fails if the app can't join or no one accepts, with the reason; succeeds if all or some accept.",
        (202, *_INVITE),
        responses.Start,
        "JoinMeeting",
        body=StartBody,
        form=JOIN,
    ),
    "start_new_call_and_wait": Operation(
        "Start a call (waits)",
        "Starts a call with one to five users, without a meeting, and pauses the flow until it is known who accepted. "
        "Succeeds also if no one accepts, so check Status; fails only if the request is refused.",
        (201, *_INVITE),
        responses.Start,
        "StartCallAndWait",
        "important",
        StartAndWaitBody,
        form=NEW_CALL,
        routed=("start_call_and_wait", "/calls/start-new-and-wait"),
    ),
    "start_new_call": Operation(
        "Start a call and fail if no one accepts",
        "Starts a call with one to five users and polls for the outcome. Fails if no one accepts, with the reason.",
        (202, *_INVITE),
        responses.Start,
        "StartCall",
        body=StartBody,
        form=NEW_CALL,
        routed=("start_call", "/calls/start-new"),
    ),
    "invite_participants_and_wait": Operation(
        "Invite people (waits)",
        "Invites people to a call in progress and pauses the flow until each of them has accepted, declined or not "
        "answered. Succeeds also if no one accepts, so check Status; fails only if the request is refused.",
        (201, *_INVITE),
        responses.Invitation,
        "InvitePeopleAndWait",
        "important",
        InviteAndWaitBody,
    ),
    "invite_participants": Operation(
        "Invite people and fail if no one accepts",
        "Invites people to a call in progress and polls for the outcome. Fails if no one accepts, with the reason; "
        "succeeds if all or some accept, so check Status if all of them must.",
        (202, *_INVITE),
        responses.Invitation,
        "InvitePeople",
        "important",
        InviteBody,
    ),
    "invite_phone": Operation(
        "Invite a phone number and fail if no one accepts",
        "Calls a phone number into a call in progress and polls for the outcome. "
        "Fails if the call isn't accepted, with the reason.",
        (202, *_INVITE),
        responses.Invitation,
        "InvitePhoneNumber",
        body=InvitePhoneBody,
    ),
    "move_person": Operation(
        "Move a person and fail if they do not come",
        "Moves a person from another call of the app into this call and polls for the outcome. "
        "Fails if the person can't be moved, with the reason.",
        (202, *_INVITE),
        responses.Invitation,
        "MovePerson",
        body=MovePersonBody,
    ),
    "escalate_and_wait": Operation(
        "Call people until somebody joins (waits)",
        "Calls people into a call in progress step by step until somebody joins, and pauses the flow until then. "
        "Succeeds also if no one joins, so check Status; fails only if the request is refused.",
        (201, *_INVITE),
        responses.Escalation,
        "EscalateAndWait",
        "important",
        EscalateAndWaitBody,
    ),
    "escalate": Operation(
        "Call people until somebody joins and fail if no one does",
        "Calls people into a call in progress step by step until somebody joins, and polls for the outcome. "
        "Fails if no one joins, with the reason.",
        (202, *_INVITE),
        responses.Escalation,
        "Escalate",
        body=EscalateBody,
    ),
    "get_invitation": Operation(
        "Get invitation",
        "Returns the outcome so far of an action that invites people, without waiting.",
        (200, 400, 401, 404, 503),
        responses.Invitation,
        "GetInvitation",
    ),
    "list_invitations": Operation(
        "List invitations",
        "Lists all invitations of a call, newest first. The list of an unknown call is empty.",
        (200, 400, 401, 503),
        responses.Invitations,
        "ListInvitations",
    ),
    "list_participants": Operation(
        "List people in a call",
        "Lists the people in a call, as Microsoft Teams last reported them. The list of an unknown call is empty.",
        (200, 400, 401, 503),
        responses.PeopleInCall,
        "ListPeopleInCall",
        query=("includeLeft",),
    ),
    "get_call": Operation(
        "Get call",
        "Returns the state of a call, as Microsoft Teams last reported it.",
        (200, 400, 401, 404, 503),
        responses.Call,
        "GetCall",
    ),
    "await_invitation": Operation(
        "Await the outcome of an invitation",
        "Power Automate calls this while the flow waits: 202 until there is an outcome.",
        (200, 202, 400, 404, 422, 503),
        responses.Invitation,
        "AwaitResult",
        "internal",
        query=("token",),
    ),
    "cancel_wait": Operation(
        "Stop waiting for an outcome",
        "Power Automate calls this when the run is cancelled or times out. It may be repeated.",
        (204, 400, 404, 503),
        action="CancelWait",
        visibility="internal",
        query=("token",),
    ),
    "get_start": Operation(
        "Get start",
        "Returns the outcome so far of an action that joins a meeting or starts a call, without waiting.",
        (200, 400, 401, 404, 503),
        responses.Start,
        "GetStart",
    ),
    "stop_start": Operation(
        "Stop a start",
        "Ends an action that joins a meeting or starts a call, before its outcome: no further person is called, "
        "and the app leaves the call.",
        (200, 400, 401, 404, 503),
        responses.Start,
        "StopStart",
    ),
    "await_start": Operation(
        "Await the outcome of a start",
        "Power Automate calls this while the flow waits: 202 until there is an outcome.",
        (200, 202, 400, 404, 422, 503),
        responses.Start,
        "AwaitStart",
        "internal",
        query=("token",),
    ),
    "cancel_start_wait": Operation(
        "Stop waiting for a start",
        "Power Automate calls this when the run is cancelled or times out. It may be repeated.",
        (204, 400, 404, 503),
        action="CancelStartWait",
        visibility="internal",
        query=("token",),
    ),
    "get_escalation": Operation(
        "Get escalation",
        "Returns the outcome so far of an action that calls people step by step, without waiting.",
        (200, 400, 401, 404, 503),
        responses.Escalation,
        "GetEscalation",
    ),
    "stop_escalation": Operation(
        "Stop an escalation",
        "Ends an action that calls people step by step, before its outcome: no further person is called.",
        (200, 400, 401, 404, 503),
        responses.Escalation,
        "StopEscalation",
    ),
    "await_escalation": Operation(
        "Await the outcome of an escalation",
        "Power Automate calls this while the flow waits: 202 until there is an outcome.",
        (200, 202, 400, 404, 422, 503),
        responses.Escalation,
        "AwaitEscalation",
        "internal",
        query=("token",),
    ),
    "cancel_escalation_wait": Operation(
        "Stop waiting for an escalation",
        "Power Automate calls this when the run is cancelled or times out. It may be repeated.",
        (204, 400, 404, 503),
        action="CancelEscalationWait",
        visibility="internal",
        query=("token",),
    ),
    "list_calls": Operation(
        "List calls",
        "Lists the open calls of the app, newest first, at most 200.",
        (200, 401, 503),
        responses.Calls,
        "ListCalls",
    ),
    "hang_up": Operation(
        "Hang up",
        "Makes the app leave a call. It succeeds if the call is over already.",
        (204, 400, 401, 404, 422, 429, 503),
        action="HangUp",
        texts={204: "The app has left the call.", 422: "Microsoft Graph refused it."},
    ),
    "remove_participant": Operation(
        "Remove a person",
        "Removes one person from a call, by the Participant ID from List people in a call.",
        (204, 400, 401, 404, 422, 429, 503),
        action="RemovePerson",
        texts={204: "The person was removed.", 422: "Microsoft Graph refused it."},
    ),
    "cancel_invitation": Operation(
        "Cancel an invitation",
        "Stops calling the people of an invitation who have not answered. People who have accepted stay in the call.",
        (200, 400, 401, 404, 409, 422, 429, 503),
        responses.Invitation,
        "CancelInvitation",
        texts={409: "Microsoft Graph doesn't list any of the people yet.", 422: "Microsoft Graph refused it."},
    ),
    "get_timeline": Operation(
        "Get timeline",
        "Lists what happened in a call, oldest first, and returns it as a CSV file, too, if you ask for it. "
        "It is empty for an unknown call.",
        (200, 400, 401, 503),
        watching.Timeline,
        "GetTimeline",
        query=("includeCsv",),
    ),
    "renew_page_token": Operation(
        "Renew the page link",
        "Ends all links to the page of a call, and returns a new one.",
        (200, 400, 401, 404, 503),
        watching.PageLink,
        "RenewPageLink",
    ),
    "watch_call": Operation(
        "Watch a call",
        "Returns what the page of a call shows; the page's token opens it.",
        (200, 304, 400, 404, 503),
        watching.Live,
        headers=("x-page-token",),
        texts={304: "Nothing has changed since the ETag of If-None-Match."},
    ),
    "page": Operation(
        "Open the page", "Returns the page of a call, as HTML without data.", (200,), texts={200: "The page."}
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
    "about": Operation(
        "Get name and version", "Returns name, version and links; a page for text/html.", (200,), responses.About
    ),
}
