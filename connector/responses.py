# ruff: noqa: N815 - the names on the wire are Graph's
"""What the API returns, one class for each JSON object, with a maker's words for every property.

``flows.views`` and ``web`` build the values; the tests compare them with these classes.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from domain.call import CallState, Presence
from domain.invitation import Status

if TYPE_CHECKING:
    from connector.words import Visibility

_OperationStatus = Literal[Status.NOT_STARTED, Status.RUNNING, Status.COMPLETED, Status.FAILED]
_PersonStatus = Literal[Status.NOT_STARTED, Status.RUNNING, Status.COMPLETED, Status.UNCONFIRMED, Status.FAILED]
_Delivery = Literal["waiting", "due", "delivered", "cancelled", "undeliverable"]
_ID = "^[A-Z2-7]{26}$"


def _shown(summary: str, description: str, visibility: Visibility | None = None, **more: Any) -> Any:
    """Describe a property; with a ``default`` it may be absent from the response."""
    extra: Any = {"x-ms-summary": summary, **({"x-ms-visibility": visibility} if visibility else {})}
    return Field(description=description, json_schema_extra=extra, **more)


class _Object(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AnyIdentity(RootModel[dict[str, dict[str, Any]]]):
    """One property, named after the kind of identity."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})


class ResultInfo(_Object):
    """The result that Microsoft Graph reported."""

    code: int | None = _shown("Result Code", "A number for the reason, such as 603 for declined.")
    subcode: int | None = _shown("Result Subcode", "A second, finer number.", "advanced")
    message: str | None = _shown("Result Message", "The text from Microsoft Graph.")


class InvitedPerson(_Object):
    """A person of an invitation."""

    identity: AnyIdentity = _shown("Person Identity", "The identity of the person; one of the kinds is present.")
    status: _PersonStatus = _shown("Person Status", "The status of this person's invitation.")
    presence: Presence = _shown("Person Presence", "Whether this person is in the call, from the list of people in it.")
    reason: str | None = _shown("Person Reason", "What happened and what to do, if there is something to explain.")
    resultInfo: ResultInfo | None = _shown("Result", "What Microsoft Graph reported for this person.", "advanced")
    replacesCallId: str = _shown(
        "Moved From Call ID", "The call that the person was in before.", "advanced", default=""
    )
    participantId: str = _shown("Participant ID", "The participant of that call.", "advanced", default="")
    hidden: bool = _shown("Hidden", "Whether the person is hidden from the others.", "advanced", default=False)
    removeFromDefaultAudioRoutingGroup: bool = _shown(
        "Without Shared Audio", "Whether the person was kept out of the shared audio.", "advanced", default=False
    )
    operationId: str | None = _shown("Operation ID", "The ID that Microsoft Graph assigned.", "advanced")


class Operation(_Object):
    """A request to Microsoft Graph."""

    id: str | None = _shown("Operation ID", "The ID that Microsoft Graph assigned.", "advanced")
    clientContext: str = _shown("Operation Name", "The name under which Graph reports the outcome.", "advanced")
    status: _OperationStatus = _shown("Operation Status", "The status of this request.", "advanced")
    resultInfo: ResultInfo | None = _shown("Result", "What Microsoft Graph reported for this request.", "advanced")


class Callback(_Object):
    """The flow that waits, or waited; never its URL."""

    status: _Delivery = _shown("Flow Notified", "Whether the outcome has been sent to the flow.", "advanced")
    attempts: int = _shown("Attempts", "How often the app tried to send the outcome.", "advanced", ge=0)
    lastAttemptDateTime: datetime | None = _shown(
        "Last Attempt", "When the app last tried to send the outcome, in UTC.", "advanced"
    )
    lastStatusCode: int | None = _shown("Last Status Code", "The flow's last HTTP status code.", "advanced")


class _Dated(_Object):
    createdDateTime: datetime = _shown("Created", "When the app first stored it, in UTC.", "advanced")
    lastUpdatedDateTime: datetime = _shown("Last Updated", "When it last changed, in UTC.", "advanced")


class Invitation(_Dated):
    """The invitation and its outcome."""

    id: str = _shown("Invitation ID", "The ID of the invitation, for the other actions.", pattern=_ID)
    status: Status = _shown("Status", "Completed means that all people answered. Check it before you go on.")
    reason: str | None = _shown("Reason", "What happened and what to do, if there is something to explain.")
    joinedCount: int = _shown("Joined Count", "How many of the people have joined the call.", ge=0)
    resultInfo: ResultInfo | None = _shown("Result", "What Microsoft Graph reported.", "advanced")
    participants: list[InvitedPerson] = _shown("People", "The people invited, with the outcome for each.", min_length=1)
    callId: str = _shown("Call ID", "The ID of the call.")
    clientContext: str = _shown("Invitation Name", "The name that you gave, or one that the app made.")
    operations: list[Operation] = _shown(
        "Operations", "The requests to Microsoft Graph, usually one.", "advanced", min_length=1
    )
    callback: Callback = _shown(
        "Waiting Flow", "Present if a flow waits, or waited, for the outcome.", "advanced", default=None
    )


class Invitations(_Object):
    """All invitations of the call, newest first."""

    value: list[Invitation] = _shown("Invitations", "All invitations of the call, newest first.")


class Call(_Dated):
    """The call, as Microsoft Graph last reported it."""

    id: str = _shown("Call ID", "The ID of the call.")
    state: CallState = _shown("Call State", "The last reported state.")
    resultInfo: ResultInfo | None = _shown("Result", "What Microsoft Graph reported when the call ended.")


class PersonInCall(_Object):
    """A participant of the call."""

    id: str | None = _shown("Participant ID", "The ID of the participant, not of the person.", "advanced")
    identity: AnyIdentity = _shown("Participant Identity", "The identity; one of the kinds is present.")
    presence: Presence = _shown("Presence", "Whether the person is in the call.")
    isInLobby: bool = _shown("Is in Lobby", "Whether the person waits in the lobby.")
    isMuted: bool | None = _shown("Is Muted", "Whether the microphone is off.")
    joinedDateTime: datetime = _shown("Joined", "When the person was first seen in the call, in UTC.")
    leftDateTime: datetime | None = _shown("Left", "When the person left, in UTC.", "advanced")


class PeopleInCall(_Object):
    """The people in the call."""

    value: list[PersonInCall] = _shown("People in Call", "The people in the call.")


class Check(_Object):
    """One part of the app's health."""

    name: Literal["configuration", "tableStorage", "queueStorage"]
    status: Literal["ok", "failed"]
    faults: list[str]
    warnings: list[str] = []


class Health(_Object):
    """Whether the app can do its work."""

    status: Literal["healthy", "unhealthy"]
    checks: list[Check] = Field(min_length=1)


class Fault(_Object):
    """One fault of a request."""

    code: str
    message: str
    target: str = ""


class ErrorBody(Fault):
    """The error; ``innerError`` holds what Graph returned, or how the invitation ended."""

    details: list[Fault] = Field(default=[], min_length=1)
    innerError: dict[str, str] = {}


class Error(_Object):
    """An error in the form that Microsoft Graph and Azure use."""

    error: ErrorBody


class Notifications(BaseModel):
    """Graph's ``commsNotifications``; items that don't concern the app are ignored."""

    value: list[Any]
