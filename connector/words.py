"""What a maker reads about each input: a name, a sentence, and how prominently the designer shows it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Visibility = Literal["important", "advanced", "internal"]


class Words(NamedTuple):
    """The text of one field."""

    summary: str
    """Title Case, at most 80 characters."""
    description: str
    """A sentence."""
    visibility: Visibility | None = None
    is_call: bool = False
    """Whether the designer offers the open calls; a maker may enter an expression in their place."""


_USER_ID = "The Id from Get user profile (V2). An email address doesn't work."
_NAME = "The name on the call's page and in messages."
_PHONE_NUMBER = "A plus sign, the country code and the number, such as +1 206 555 0100."
# By the name of the property, in whichever body it is; after the body's name where that differs.
MEMBERS: dict[str, Words] = {
    "participants": Words("People", "The people to invite, up to 50.", "important"),
    "StepBody.participants": Words("People", "The people to call together, up to 10.", "important"),
    "clientContext": Words(
        "Invitation Name",
        "A unique name for this invitation, such as incident-4711. The same name never calls people twice.",
        "advanced",
    ),
    "callbackUrl": Words(
        "Callback URL",
        "The URL that listCallbackUrl() returns: HTTPS, at most 2,000 characters, on a host in FLOW_CALLBACK_HOSTS.",
        "internal",
    ),
    "separately": Words(
        "Call Separately",
        "Whether each person is called with a request, and gets an outcome, of their own.",
        "internal",
    ),
    "identity": Words("Person", "Fill in one ID for each person.", "important"),
    "replacesCallId": Words(
        "Move From Call ID", "The ID of the call the person is in now, to move them.", "advanced", is_call=True
    ),
    "participantId": Words(
        "Move Participant ID",
        "The Participant ID from List people in a call, if the person is in that call with two devices.",
        "advanced",
    ),
    "hidden": Words("Hidden", "Yes to hide the person from the others in the call.", "advanced"),
    "removeFromDefaultAudioRoutingGroup": Words(
        "Without Shared Audio", "Yes to keep the person out of the shared audio at first.", "advanced"
    ),
    "meeting": Words("Meeting", "The meeting to join: its link, or its ID and passcode.", "important"),
    "joinWebUrl": Words("Meeting Link", "The link to the meeting, or the text of its invitation.", "important"),
    "joinMeetingId": Words("Meeting ID", "Instead of the link: the meeting ID from the invitation.", "important"),
    "passcode": Words("Passcode", "The passcode that belongs to the meeting ID.", "important"),
    "subject": Words(
        "Subject", "A title for the call in List calls and on its page. The meeting keeps its own title.", "advanced"
    ),
    "leaveAfterwards": Words(
        "Leave Afterwards",
        "Yes: the app leaves when the outcome is known. Otherwise it stays until everyone has left.",
        "advanced",
    ),
    "steps": Words("Steps", "Whom to call, in this order, up to 10 steps.", "important"),
    "waitSeconds": Words("Wait Seconds", "How long to wait for an answer: 5 to 300, or 45 if empty."),
    "stopWhen": Words(
        "Stop When",
        "Whether one person is enough, or all people of a step must join. If empty, one is enough.",
        "advanced",
    ),
    "repeat": Words("Repeat", "How many more times to go through all steps: 0 to 5, or 0 if empty.", "advanced"),
    "phoneNumber": Words("Phone Number", _PHONE_NUMBER, "important"),
    "displayName": Words("Name", _NAME, "advanced"),
    "userId": Words("User ID", _USER_ID, "important"),
    "fromCallId": Words("From Call ID", "The ID of the call the person is in now.", "important", is_call=True),
}


class Kind(NamedTuple):
    """A kind of identity and those of its properties that the designer shows."""

    words: Words
    members: dict[str, Words]


KINDS: dict[str, Kind] = {
    "user": Kind(
        Words("User", "A person with a work or school account.", "important"),
        {
            "id": Words("User ID", _USER_ID, "important"),
            "displayName": Words("User Name", _NAME, "advanced"),
            "tenantId": Words("User Tenant ID", "The tenant ID, for a person from another organization.", "advanced"),
            "identityProvider": Words(
                "User Identity Provider", "Leave it empty. Only for special accounts.", "advanced"
            ),
        },
    ),
    "phone": Kind(
        Words("Phone", "A phone number.", "important"),
        {
            "id": Words("Phone Number", _PHONE_NUMBER, "important"),
            "displayName": Words("Phone Name", _NAME, "advanced"),
        },
    ),
    "guest": Kind(
        Words("Guest", "A person without an account who is in a call now.", "advanced"),
        {
            "id": Words("Guest ID", "The guest's ID from List people in a call.", "advanced"),
            "displayName": Words("Guest Name", _NAME, "advanced"),
            "email": Words("Guest Email", "The guest's email address.", "advanced"),
        },
    ),
    "encrypted": Kind(
        Words("Encrypted", "A person whose ID Microsoft Teams shows in encrypted form only.", "advanced"),
        {"id": Words("Encrypted ID", "The encrypted ID from List people in a call.", "advanced")},
    ),
    "onPremises": Kind(
        Words("On Premises", "A user of Skype for Business Server.", "advanced"),
        {"id": Words("On Premises ID", "The user's ID on the server.", "advanced")},
    ),
    "applicationInstance": Kind(
        Words("Resource Account", "A resource account, such as a call queue or an auto attendant.", "advanced"),
        {
            "id": Words("Resource Account ID", "The account's object ID.", "advanced"),
            "displayName": Words("Resource Account Name", _NAME, "advanced"),
        },
    ),
    "application": Kind(
        Words("Bot", "Another app that can be in calls.", "advanced"),
        {
            "id": Words("Bot ID", "The bot's application ID.", "advanced"),
            "displayName": Words("Bot Name", _NAME, "advanced"),
        },
    ),
    "azureCommunicationServicesUser": Kind(
        Words("Communication Services User", "A user of Azure Communication Services.", "advanced"),
        {
            "id": Words("Communication User ID", "The user's ID, which begins with 8:acs.", "advanced"),
            "displayName": Words("Communication User Name", _NAME, "advanced"),
            "azureCommunicationServicesResourceId": Words(
                "Communication Resource ID", "The ID of the Communication Services resource.", "advanced"
            ),
        },
    ),
}
# By the value in a response: the name in the designer's list.
DISPLAY_NAMES: dict[str, str] = {
    "callStarting": "Call starting",
    "callEstablished": "Call established",
    "stepStarted": "Step started",
    "invited": "Invited",
    "joined": "Joined",
    "answered": "Answered",
    "notReached": "Not reached",
    "neverConfirmed": "Never confirmed",
    "escalationEnded": "Escalation ended",
    "callEnded": "Call ended",
    "notStarted": "Not sent",
    "starting": "Starting",
    "skipped": "Skipped",
    "anyoneJoins": "Anyone joins",
    "wholeStepJoins": "The whole step joins",
    "stopped": "Stopped",
    "running": "Calling",
    "completed": "Completed",
    "unconfirmed": "Unconfirmed",
    "partiallyCompleted": "Partly completed",
    "failed": "Failed",
    "unknown": "Unknown",
    "inLobby": "In the lobby",
    "inCall": "In the call",
    "left": "Left",
    "establishing": "Establishing",
    "established": "Established",
    "terminating": "Ending",
    "terminated": "Ended",
    "waiting": "Waiting",
    "due": "Sending",
    "delivered": "Sent",
    "cancelled": "Cancelled",
    "undeliverable": "Not deliverable",
}

# The parameters of paths and queries, with their schemas.
PARAMETERS: dict[str, tuple[Words, dict[str, object]]] = {
    "callId": (
        Words(
            "Call ID",
            "An open call of the app, or the Call ID from another action. A meeting link doesn't work.",
            "important",
            is_call=True,
        ),
        {"type": "string", "minLength": 1, "maxLength": 256},
    ),
    "invitationId": (
        Words("Invitation ID", "The Invitation ID from an action that invites people.", "important"),
        {"type": "string", "pattern": "^[A-Z2-7]{26}$"},
    ),
    "startId": (
        Words("Start ID", "The Start ID from an action that starts or joins a call.", "important"),
        {"type": "string", "pattern": "^[A-Z2-7]{26}$"},
    ),
    "escalationId": (
        Words("Escalation ID", "The Escalation ID from an action that calls people step by step.", "important"),
        {"type": "string", "pattern": "^[A-Z2-7]{26}$"},
    ),
    "participantId": (
        Words("Participant ID", "The Participant ID from List people in a call.", "important"),
        {"type": "string", "minLength": 1, "maxLength": 256},
    ),
    "token": (Words("Token", "The token from the URL."), {"type": "string", "minLength": 1}),
    "x-page-token": (Words("Page Token", "The token from the page's link."), {"type": "string", "minLength": 1}),
    "includeLeft": (
        Words("Include People Who Left", "Yes to list people who have left, too.", "advanced"),
        {"type": "boolean"},
    ),
    "includeCsv": (
        Words("Include CSV", "Yes to get the timeline as a CSV file, too, for example to attach it.", "advanced"),
        {"type": "boolean"},
    ),
}
