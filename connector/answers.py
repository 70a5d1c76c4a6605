"""What the app answers, as dynamic content in makers' words; ``flows.views`` makes the values."""

from __future__ import annotations

from connector.schema import Schema, Visibility, Words, choice, flag, listing, moment, structure, text, whole_number
from domain.model import Delivery, Presence, Status

STATUS_NAMES: dict[str, str] = {
    Status.NOT_STARTED: "Not started",
    Status.RUNNING: "Ringing",
    Status.COMPLETED: "Completed",
    Status.PARTIALLY_COMPLETED: "Partly completed",
    Status.FAILED: "Failed",
}
PRESENCE_NAMES: dict[str, str] = {
    Presence.UNKNOWN: "Not known yet",
    Presence.IN_LOBBY: "In the lobby",
    Presence.IN_CALL: "In the call",
    Presence.LEFT: "Left the call",
}
DELIVERY_NAMES: dict[str, str] = {
    Delivery.WAITING: "Waiting for the outcome",
    Delivery.DUE: "Being told",
    Delivery.DELIVERED: "Told",
    Delivery.CANCELLED: "No longer waiting",
    Delivery.UNDELIVERABLE: "Could not be told",
}
# A single person's part of an invitation can't be completed in part.
_PART_NAMES = {status: name for status, name in STATUS_NAMES.items() if status != Status.PARTIALLY_COMPLETED}
_CALL_ID = text(Words("Call ID", "The ID of the call."))
_CREATED = moment(Words("Created", "When the app first knew of it, in UTC.", "advanced"))
_UPDATED = moment(Words("Last Updated", "When something about it last changed, in UTC.", "advanced"))
_KINDS = {
    "user": "User",
    "phone": "Phone",
    "guest": "Guest",
    "encrypted": "Encrypted",
    "onPremises": "On Premises",
    "applicationInstance": "Application Instance",
    "application": "Application",
    "azureCommunicationServicesUser": "Communication Services User",
}


def _result_info(whose: str) -> Schema:
    members = {
        "code": whole_number(Words("Reason Code", "A number for the reason, such as 603 for declined."), nullable=True),
        "subcode": whole_number(Words("Reason Subcode", "A second, finer number.", "advanced"), nullable=True),
        "message": text(Words("Reason", "The reason in words, as Microsoft Graph gave it."), nullable=True),
    }
    return structure(members, Words("Reason", f"Why {whose} ended as it did, where a reason is known."), nullable=True)


def _identity(prefix: str) -> Schema:
    def kind(name: str, title: str) -> Schema:
        shown: Visibility | None = None if name in ("user", "phone") else "advanced"
        identifier = "the number" if name == "phone" else "the ID"
        members = {
            "id": text(Words(f"{title} ID", f"If it is of this kind, {identifier}.", shown), nullable=True),
            "displayName": text(Words(f"{title} Name", "If it is of this kind, the name.", shown), nullable=True),
        }
        return structure(members, Words(title, "There if the person is of this kind.", shown))

    members = {name: kind(name, f"{prefix} {title}") for name, title in _KINDS.items()}
    return structure(members, Words(f"{prefix} Identity", "Who it is; one of the kinds is there."))


INVITED_PERSON = structure(
    {
        "identity": _identity("Person"),
        "status": choice(Words("Person Status", "How it stands with this person."), _PART_NAMES),
        "presence": choice(
            Words("Person Presence", "Whether this person is in the call, by the list of people in it."),
            PRESENCE_NAMES,
        ),
        "resultInfo": _result_info("the invitation of this person"),
        "replacesCallId": text(Words("Moved From Call ID", "The call that the person was in before.", "advanced")),
        "participantId": text(Words("Participant ID", "Which participant of that call is meant.", "advanced")),
        "hidden": flag(Words("Hidden", "Whether the person was invited unseen by the others.", "advanced")),
        "removeFromDefaultAudioRoutingGroup": flag(
            Words("Without Shared Audio", "Whether the person was kept out of the shared audio.", "advanced")
        ),
        "operationId": text(
            Words("Operation ID", "The ID that Microsoft Graph gave to this part.", "advanced"), nullable=True
        ),
    },
)
OPERATION = structure(
    {
        "id": text(Words("Operation ID", "The ID that Microsoft Graph gave.", "advanced"), nullable=True),
        "clientContext": text(Words("Operation Name", "The name under which Graph reports it.", "advanced")),
        "status": choice(Words("Operation Status", "How it stands with this request.", "advanced"), _PART_NAMES),
        "resultInfo": _result_info("this request"),
    },
)
CALLBACK = structure(
    {
        "status": choice(Words("Flow Told", "How far telling the flow has come.", "advanced"), DELIVERY_NAMES),
        "attempts": whole_number(Words("Times Tried", "How often the app tried to tell the flow.", "advanced")),
        "lastAttemptDateTime": moment(
            Words("Last Tried", "When the app last tried to tell the flow.", "advanced"), nullable=True
        ),
        "lastStatusCode": whole_number(
            Words("Last Answer", "The status with which the flow last answered.", "advanced"), nullable=True
        ),
    },
    Words("Waiting Flow", "There if a flow waits, or waited, for the outcome.", "advanced"),
)
INVITATION = structure(
    {
        "id": text(Words("Invitation ID", "The ID of the invitation, for the other actions.")),
        "status": choice(
            Words("Status", "Completed means that all came in; check it before you go on."),
            STATUS_NAMES,
        ),
        "resultInfo": _result_info("the invitation"),
        "participants": listing(INVITED_PERSON, Words("People", "The people invited, and how it went with each.")),
        "callId": _CALL_ID,
        "clientContext": text(Words("Invitation Name", "The name that you gave, or one that the app made.")),
        "operations": listing(
            OPERATION, Words("Operations", "The requests to Microsoft Graph, mostly just one.", "advanced")
        ),
        "createdDateTime": _CREATED,
        "lastUpdatedDateTime": _UPDATED,
        "callback": CALLBACK,
    }
)
CALL = structure(
    {
        "id": _CALL_ID,
        "state": text(
            Words("Call State", "The state as Microsoft Graph last reported it, such as established or terminated.")
        ),
        "resultInfo": _result_info("the call"),
        "createdDateTime": _CREATED,
        "lastUpdatedDateTime": _UPDATED,
    }
)
PERSON_IN_CALL = structure(
    {
        "id": text(Words("Participant ID", "The ID of the participant, not of the person.", "advanced"), nullable=True),
        "identity": _identity("Participant"),
        "presence": choice(Words("Presence", "Whether the person is in the call."), PRESENCE_NAMES),
        "isInLobby": flag(Words("Is in Lobby", "Whether the person waits to be let in.")),
        "isMuted": flag(Words("Is Muted", "Whether the microphone is off."), nullable=True),
        "joinedDateTime": moment(Words("Joined", "When the person was first seen in the call, in UTC.")),
        "leftDateTime": moment(Words("Left", "When the person left, in UTC.", "advanced"), nullable=True),
    }
)
ANSWERS: dict[str, Schema] = {
    "Invitation": INVITATION,
    "Invitations": structure(
        {
            "value": listing(
                {"$ref": "#/definitions/Invitation"}, Words("Invitations", "All of a call, the newest first.")
            )
        }
    ),
    "Call": CALL,
    "PeopleInCall": structure({"value": listing(PERSON_IN_CALL, Words("People in Call", "Who is in the call."))}),
}
