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


_USER_ID = "The person's object ID in Microsoft Entra ID: the Id that Get user profile (V2) returns."
_PHONE_NUMBER = "The number with a plus sign and the country code, digits only, such as +12065550100."
# By the name of the property, in whichever body it is.
MEMBERS: dict[str, Words] = {
    "participants": Words("People", "The people to invite: up to 50.", "important"),
    "clientContext": Words(
        "Invitation Name",
        "A unique name for this invitation. If the action runs again with the same name, no person is called twice.",
        "advanced",
    ),
    "callbackUrl": Words(
        "Callback URL",
        "The URL that listCallbackUrl() returns: HTTPS, at most 2,000 characters, on a host in FLOW_CALLBACK_HOSTS.",
        "internal",
    ),
    "separately": Words(
        "Call Separately", "Whether each person gets an outcome of their own, from a request of their own.", "advanced"
    ),
    "identity": Words("Person", "The person to invite. Fill in one ID only.", "important"),
    "replacesCallId": Words(
        "Move From Call ID", "To move a person out of another call: the ID of that call.", "advanced"
    ),
    "participantId": Words(
        "Move Participant ID", "The participant of that call to move, if the person is in it twice.", "advanced"
    ),
    "hidden": Words("Hidden", "Whether to hide the person from the other participants.", "advanced"),
    "removeFromDefaultAudioRoutingGroup": Words(
        "Without Shared Audio", "Whether to keep the person out of the shared audio.", "advanced"
    ),
    "phoneNumber": Words("Phone Number", _PHONE_NUMBER, "important"),
    "displayName": Words("Name", "The name to show for this person.", "advanced"),
    "userId": Words("User ID", _USER_ID, "important"),
    "fromCallId": Words("From Call ID", "The ID of the call that the person is in now.", "important"),
}


class Kind(NamedTuple):
    """A kind of identity and those of its properties that the designer shows."""

    words: Words
    members: dict[str, Words]


KINDS: dict[str, Kind] = {
    "user": Kind(
        Words("User", "A person with a work account.", "important"),
        {
            "id": Words("User ID", _USER_ID, "important"),
            "displayName": Words("User Name", "The name to show for the person.", "advanced"),
            "tenantId": Words("User Tenant ID", "The tenant ID of a person in another organisation.", "advanced"),
            "identityProvider": Words("User Identity Provider", "Usually empty.", "advanced"),
        },
    ),
    "phone": Kind(
        Words("Phone", "A phone number.", "important"),
        {
            "id": Words("Phone Number", _PHONE_NUMBER, "important"),
            "displayName": Words("Phone Name", "The name to show for the number.", "advanced"),
        },
    ),
    "guest": Kind(
        Words("Guest", "A person who joined without an account.", "advanced"),
        {
            "id": Words("Guest ID", "The guest's ID, from List people in a call.", "advanced"),
            "displayName": Words("Guest Name", "The name to show for the guest.", "advanced"),
            "email": Words("Guest Email", "The guest's email address.", "advanced"),
        },
    ),
    "encrypted": Kind(
        Words("Encrypted", "A person whose identity Microsoft Graph encrypts.", "advanced"),
        {"id": Words("Encrypted ID", "The ID, from List people in a call.", "advanced")},
    ),
    "onPremises": Kind(
        Words("On Premises", "A person on a Skype for Business server.", "advanced"),
        {"id": Words("On Premises ID", "The person's ID on that server.", "advanced")},
    ),
    "applicationInstance": Kind(
        Words("Application Instance", "A resource account, such as a call queue.", "advanced"),
        {
            "id": Words("Resource Account ID", "The account's object ID.", "advanced"),
            "displayName": Words("Resource Account Name", "The name to show for the account.", "advanced"),
        },
    ),
    "application": Kind(
        Words("Application", "A bot.", "advanced"),
        {
            "id": Words("Bot ID", "The bot's application ID.", "advanced"),
            "displayName": Words("Bot Name", "The name to show for the bot.", "advanced"),
        },
    ),
    "azureCommunicationServicesUser": Kind(
        Words("Communication Services User", "A user of Azure Communication Services.", "advanced"),
        {
            "id": Words("Communication User ID", "The user's ID, which begins with 8:acs.", "advanced"),
            "displayName": Words("Communication User Name", "The name to show for the user.", "advanced"),
            "azureCommunicationServicesResourceId": Words(
                "Communication Resource ID", "The ID of the Communication Services resource.", "advanced"
            ),
        },
    ),
}
# By the value in a response: the name in the designer's list.
DISPLAY_NAMES: dict[str, str] = {
    "notStarted": "Not started",
    "running": "Calling",
    "completed": "Completed",
    "unconfirmed": "Unconfirmed",
    "partiallyCompleted": "Partly completed",
    "failed": "Failed",
    "unknown": "Not known yet",
    "inLobby": "In the lobby",
    "inCall": "In the call",
    "left": "Left the call",
    "establishing": "Establishing",
    "established": "Established",
    "terminating": "Ending",
    "terminated": "Ended",
    "waiting": "Waiting for the outcome",
    "due": "Being sent",
    "delivered": "Sent",
    "cancelled": "No longer waiting",
    "undeliverable": "Could not be sent",
}
