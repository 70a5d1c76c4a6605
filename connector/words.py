"""Makers' words for what goes into the app, by the app's own models; and what is left out of the connector, and why."""

from __future__ import annotations

from connector.schema import Words

_NAME = Words(
    "Invitation Name",
    "A text that is unique for this invitation. If the flow runs this action again with the same text, "
    "nobody is rung twice.",
    "advanced",
)
# By the name of the model and of its member.
MEMBERS: dict[str, Words] = {
    "InviteBody.participants": Words("People", "Whom to invite: up to 50.", "important"),
    "InviteBody.clientContext": _NAME,
    "InviteAndWaitBody.callbackUrl": Words(
        "Callback URL", "Where the flow waits; filled in by the flow itself.", "internal"
    ),
    "InvitationParticipantInfo.identity": Words("Person", "Who it is: fill in one ID only.", "important"),
    "InvitationParticipantInfo.replacesCallId": Words(
        "Move From Call ID", "To move somebody who is in another call: the ID of that call.", "advanced"
    ),
    "InvitationParticipantInfo.participantId": Words(
        "Move Participant ID", "Which participant of that call is meant, where it has several.", "advanced"
    ),
    "InvitationParticipantInfo.hidden": Words("Hidden", "Whether the others should not see the person.", "advanced"),
    "InvitationParticipantInfo.removeFromDefaultAudioRoutingGroup": Words(
        "Without Shared Audio", "Whether to keep the person out of the shared audio.", "advanced"
    ),
    "InvitePhoneBody.phoneNumber": Words(
        "Phone Number", "With a plus sign, the country code and digits only, such as +12065550100.", "important"
    ),
    "InvitePhoneBody.displayName": Words("Name", "A name to show for the number.", "advanced"),
    "InvitePhoneBody.clientContext": _NAME,
    "MovePersonBody.userId": Words(
        "User ID", "The person's object ID in Microsoft Entra ID, as Get user profile gives it.", "important"
    ),
    "MovePersonBody.fromCallId": Words("From Call ID", "The ID of the call that the person is in now.", "important"),
    "MovePersonBody.participantId": Words(
        "Participant ID", "Which participant of that call is meant, where the person is in it twice.", "advanced"
    ),
    "MovePersonBody.displayName": Words("Name", "A name to show for the person.", "advanced"),
    "MovePersonBody.clientContext": _NAME,
}

# By the kind of identity: what the designer shows of it. A kind has to be here, or in LEFT_OUT.
KINDS: dict[str, Words] = {
    "user": Words("User", "A person with a work account.", "important"),
    "phone": Words("Phone", "A telephone.", "important"),
    "guest": Words("Guest", "A person who joined without an account.", "advanced"),
    "encrypted": Words("Encrypted", "A person whom Microsoft Graph names only in encrypted form.", "advanced"),
    "onPremises": Words("On Premises", "A person of a Skype for Business server.", "advanced"),
    "applicationInstance": Words("Application Instance", "A resource account, such as a call queue.", "advanced"),
    "application": Words("Application", "A bot.", "advanced"),
    "azureCommunicationServicesUser": Words(
        "Communication Services User", "A user of Azure Communication Services.", "advanced"
    ),
}
# By kind and member of an identity; every kind needs its id.
IDENTITY_MEMBERS: dict[str, Words] = {
    "user.id": Words(
        "User ID", "The person's object ID in Microsoft Entra ID, as Get user profile gives it.", "important"
    ),
    "user.displayName": Words("User Name", "A name to show for the person.", "advanced"),
    "user.tenantId": Words("User Tenant ID", "For a person of another organisation: its tenant ID.", "advanced"),
    "user.identityProvider": Words("User Identity Provider", "Mostly left empty; Graph knows it.", "advanced"),
    "phone.id": Words(
        "Phone Number", "With a plus sign, the country code and digits only, such as +12065550100.", "important"
    ),
    "phone.displayName": Words("Phone Name", "A name to show for the number.", "advanced"),
    "guest.id": Words("Guest ID", "The guest's ID, as the list of people in a call shows it.", "advanced"),
    "guest.displayName": Words("Guest Name", "A name to show for the guest.", "advanced"),
    "guest.email": Words("Guest Email", "The guest's email address.", "advanced"),
    "encrypted.id": Words("Encrypted ID", "The ID, as the list of people in a call shows it.", "advanced"),
    "onPremises.id": Words("On Premises ID", "The person's ID on that server.", "advanced"),
    "applicationInstance.id": Words("Resource Account ID", "The account's object ID.", "advanced"),
    "applicationInstance.displayName": Words("Resource Account Name", "A name to show for it.", "advanced"),
    "application.id": Words("Bot ID", "The bot's application ID.", "advanced"),
    "application.displayName": Words("Bot Name", "A name to show for the bot.", "advanced"),
    "azureCommunicationServicesUser.id": Words(
        "Communication User ID", "The user's ID, which begins with 8:acs.", "advanced"
    ),
    "azureCommunicationServicesUser.displayName": Words("Communication User Name", "A name to show.", "advanced"),
    "azureCommunicationServicesUser.azureCommunicationServicesResourceId": Words(
        "Communication Resource ID", "The ID of the Communication Services resource.", "advanced"
    ),
}

# What the app takes and the connector does not show, each with the reason.
LEFT_OUT: dict[str, str] = {
    "@odata.type": "the app adds it for Graph; a maker has no use for it",
    "phone.identityProvider": "Graph does not use it for telephones",
    "phone.tenantId": "Graph does not use it for telephones",
    "receive_notifications": "called by Microsoft Graph only",
    "health": "for the person who runs the app, in a browser",
}
# Members of an identity that only some kinds show.
ONLY_SOME_KINDS = frozenset(
    {"displayName", "identityProvider", "tenantId", "email", "azureCommunicationServicesResourceId"}
)

PARAMETERS: dict[str, Words] = {
    "callId": Words(
        "Call ID", "The ID of a call that the app itself created or answered, as that step gave it.", "important"
    ),
    "invitationId": Words("Invitation ID", "The ID that an invitation has.", "important"),
    "token": Words("Token", "The token in the address that the app gave."),
    "includeLeft": Words("Include Who Left", "Whether to list also those who have left the call.", "advanced"),
}
