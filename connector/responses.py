# ruff: noqa: N815 - the names on the wire are Graph's
"""What the API returns, one class for each JSON object, with a maker's words for each property.

``flows.views`` and ``web`` build the values; the tests compare them with these classes.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from domain.call import CallState, Presence
from domain.escalation import EscalationStatus, StepStatus, StopWhen
from domain.invitation import Status
from domain.start import StartStatus

if TYPE_CHECKING:
    from connector.words import Visibility

_OperationStatus = Literal[Status.NOT_STARTED, Status.RUNNING, Status.COMPLETED, Status.FAILED]
_PersonStatus = Literal[Status.NOT_STARTED, Status.RUNNING, Status.COMPLETED, Status.UNCONFIRMED, Status.FAILED]
_Delivery = Literal["waiting", "due", "delivered", "cancelled", "undeliverable"]
_ID = "^[A-Z2-7]{26}$"


def shown(summary: str, description: str, visibility: Visibility | None = None, **more: Any) -> Any:
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

    code: int | None = shown("Result Code", "Microsoft Graph's code, such as 603 for declined.")
    subcode: int | None = shown("Result Subcode", "Microsoft Graph's second code.", "advanced")
    message: str | None = shown("Result Message", "Microsoft Graph's own text.")


class InvitedPerson(_Object):
    """A person of an invitation."""

    identity: AnyIdentity = shown("Person Identity", "The person. Only one of the IDs has a value.")
    status: _PersonStatus = shown(
        "Person Status", "completed: the person accepted. failed: they did not. unconfirmed: they may be in the call."
    )
    presence: Presence = shown(
        "Person Presence", "Where the person is now: in the call, in the lobby, left, or unknown."
    )
    reason: str | None = shown(
        "Person Reason", "Why the person isn't in the call, and what to do. Empty if they accepted."
    )
    resultInfo: ResultInfo | None = shown("Person Result", "What Microsoft Graph reported for this person.", "advanced")
    replacesCallId: str = shown("Moved From Call ID", "The call the person was moved from.", "advanced", default="")
    participantId: str = shown("Moved Participant ID", "Their ID in that call.", "advanced", default="")
    hidden: bool = shown("Hidden", "Whether the person is hidden from the others.", "advanced", default=False)
    removeFromDefaultAudioRoutingGroup: bool = shown(
        "Without Shared Audio", "Whether the person is kept out of the shared audio.", "advanced", default=False
    )
    operationId: str | None = shown("Person Operation ID", "Microsoft Graph's ID of the request.", "advanced")


class Operation(_Object):
    """A request to Microsoft Graph."""

    id: str | None = shown("Operation ID", "Microsoft Graph's ID of the request.", "advanced")
    clientContext: str = shown("Operation Name", "The name of the request.", "advanced")
    status: _OperationStatus = shown("Operation Status", "The status of the request.", "advanced")
    resultInfo: ResultInfo | None = shown("Operation Result", "What Microsoft Graph reported for it.", "advanced")


class Callback(_Object):
    """The flow that waits, or waited; never its URL."""

    status: _Delivery = shown("Delivery Status", "Whether the outcome was sent to the flow.", "advanced")
    attempts: int = shown("Delivery Attempts", "How many times the app sent the outcome.", "advanced", ge=0)
    lastAttemptDateTime: datetime | None = shown(
        "Last Attempt", "When the app last sent the outcome, in UTC.", "advanced"
    )
    lastStatusCode: int | None = shown("Last Status Code", "The HTTP status that the flow returned.", "advanced")


class _Dated(_Object):
    createdDateTime: datetime = shown("Created", "When it was created, in UTC.", "advanced")
    lastUpdatedDateTime: datetime = shown("Last Updated", "When it last changed, in UTC.", "advanced")


class Invitation(_Dated):
    """The invitation and its outcome."""

    id: str = shown("Invitation ID", "The ID of the invitation. Use it in Get invitation.", pattern=_ID)
    status: Status = shown(
        "Status", "completed: all accepted. partiallyCompleted: some. failed: no one. Check it before you go on."
    )
    reason: str | None = shown("Reason", "What happened and what to do. Empty if Status is completed.")
    joinedCount: int = shown(
        "Joined Count", "How many of these people are, or were, in the call. The lobby doesn't count.", ge=0
    )
    resultInfo: ResultInfo | None = shown("Result", "What Microsoft Graph reported.", "advanced")
    participants: list[InvitedPerson] = shown(
        "People", "The invited people, each with status, presence and reason.", min_length=1
    )
    callId: str = shown("Call ID", "The ID of the call.")
    clientContext: str = shown("Invitation Name", "Your name for the invitation, or one that the app generated.")
    operations: list[Operation] = shown(
        "Operations", "The requests to Microsoft Graph, usually one.", "advanced", min_length=1
    )
    callback: Callback = shown(
        "Waiting Flow", "Empty unless a flow waits, or waited, for the outcome.", "advanced", default=None
    )


class Invitations(_Object):
    """All invitations of the call, newest first."""

    value: list[Invitation] = shown("Invitations", "All invitations of the call, newest first.")


class Call(_Object):
    """The call, as Microsoft Graph last reported it."""

    createdDateTime: datetime = shown("Call Created", "When the app stored the call first, in UTC.", "advanced")
    lastUpdatedDateTime: datetime = shown("Call Last Updated", "When it last changed, in UTC.", "advanced")
    id: str = shown("Call ID", "The ID of the call.")
    title: str = shown("Call Title", "The subject of the call, or what it is and when it began.")
    state: CallState = shown("Call State", "The state of the call, such as establishing, established or terminated.")
    direction: str | None = shown("Call Direction", "outgoing for a call that the app started.", "advanced")
    subject: str | None = shown("Call Subject", "The subject of the call, if it has one.", "advanced")
    resultInfo: ResultInfo | None = shown("Call Result", "What Microsoft Graph reported at its end.", "advanced")
    reason: str | None = shown("Call Reason", "Why the call ended, and what to do.")
    startId: str = shown("Call Start ID", "The ID of the start that made it.", "advanced", default="")
    endedDateTime: datetime = shown("Call Ended", "When the call ended, in UTC.", "advanced", default=None)
    pageUrl: str | None = shown(
        "Page Link", "A page that shows the call live. Anyone with the link can watch.", default=None
    )


class Calls(_Object):
    """The open calls, newest first."""

    value: list[Call] = shown("Calls", "The open calls, newest first.")


class CalledPerson(_Object):
    """A person of a start."""

    identity: AnyIdentity = shown("Person Identity", "The person. Only one of the IDs has a value.")
    status: _PersonStatus = shown(
        "Person Status", "completed: the person accepted. failed: they did not. unconfirmed: they may be in the call."
    )
    presence: Presence = shown(
        "Person Presence", "Where the person is now: in the call, in the lobby, left, or unknown."
    )
    reason: str | None = shown(
        "Person Reason", "Why the person isn't in the call, and what to do. Empty if they accepted."
    )


class Start(_Dated):
    """The start of a call and its outcome."""

    id: str = shown("Start ID", "The ID of this start. Use it in Get start.", pattern=_ID)
    callId: str | None = shown("Call ID", "The ID of the call, once it is known. Use it in the other actions.")
    status: StartStatus = shown(
        "Status",
        "completed: all accepted, or with Steps enough joined. partiallyCompleted: some. failed: no one, or no call.",
    )
    reason: str | None = shown("Reason", "What happened and what to do. Empty if Status is completed.")
    joinedCount: int = shown(
        "Joined Count", "How many of these people are, or were, in the call. The lobby doesn't count.", ge=0
    )
    participants: list[CalledPerson] = shown("People", "The called people, each with status, presence and reason.")
    call: Call | None = shown("Call", "The call, once it is known.")
    resultInfo: ResultInfo | None = shown("Result", "What Microsoft Graph reported.", "advanced")
    clientContext: str = shown("Invitation Name", "Your name for it, or one that the app generated.", "advanced")
    invitationId: str | None = shown("Invitation ID", "The invitation that followed, if there is one.", "advanced")
    escalationId: str | None = shown("Escalation ID", "The escalation that followed, if there is one.", "advanced")


class JoinedPerson(_Object):
    """A person who joined."""

    identity: AnyIdentity = shown("Joined Person", "The person. Only one of the IDs has a value.")
    round: int = shown("Joined in Round", "The round in which the person was called, from 1.", "advanced", ge=1)
    step: int = shown("Joined in Step", "The step in which the person was called, from 1.", ge=1)


class Step(_Object):
    """The people who are called together, as they stand in the current round."""

    status: StepStatus = shown("Step Status", "completed: enough people joined. failed: not enough.")
    waitSeconds: float = shown("Step Wait Seconds", "How long the step waits for an answer.", "advanced")
    startedDateTime: datetime | None = shown("Step Started", "When the step began, in UTC.", "advanced")
    endedDateTime: datetime | None = shown("Step Ended", "When the step ended, in UTC.", "advanced")
    invitationId: str | None = shown("Step Invitation ID", "The invitation of the step.", "advanced")
    participants: list[InvitedPerson] = shown("Step People", "The people of the step, each with status and reason.")


class Escalation(_Dated):
    """The escalation and its outcome."""

    id: str = shown("Escalation ID", "The ID of the escalation. Use it in Get escalation.", pattern=_ID)
    status: EscalationStatus = shown(
        "Status", "completed: enough people joined. failed: not enough. stopped: by Stop an escalation."
    )
    reason: str | None = shown("Reason", "What happened and what to do. Empty if Status is completed.")
    joined: list[JoinedPerson] = shown("Joined People", "The people who joined, in order.")
    steps: list[Step] = shown("Steps", "The steps, as they stand in the current round.", min_length=1)
    round: int = shown("Round", "The current round, from 1.", "advanced", ge=1)
    currentStep: int = shown("Current Step", "The current step, from 1.", "advanced", ge=1)
    stopWhen: StopWhen = shown("Stop When", "Whether one person is enough, or a whole step must join.", "advanced")
    callId: str = shown("Call ID", "The ID of the call.")
    clientContext: str = shown("Invitation Name", "Your name for it, or one that the app generated.", "advanced")
    pageUrl: str | None = shown(
        "Page Link", "A page that shows the call live. Anyone with the link can watch.", default=None
    )


class PersonInCall(_Object):
    """A participant of the call."""

    id: str | None = shown("Participant ID", "The person's ID in this call. It is not the User ID.", "advanced")
    identity: AnyIdentity = shown("Participant Identity", "The person. Only one of the IDs has a value.")
    presence: Presence = shown("Presence", "Where the person is now: in the call, in the lobby, or left.")
    isInLobby: bool = shown("Is in Lobby", "Whether the person waits in the lobby.")
    isMuted: bool | None = shown("Is Muted", "Whether the microphone is off.")
    joinedDateTime: datetime = shown("Joined", "When the person joined, in UTC.")
    leftDateTime: datetime | None = shown("Left", "When the person left, in UTC.", "advanced")
    isSelf: bool = shown("Is This App", "Whether it is the app itself.", "advanced")


class PeopleInCall(_Object):
    """The people in the call."""

    value: list[PersonInCall] = shown("People in Call", "The people in the call.")


class Check(_Object):
    """One part of the app's health."""

    name: Literal["configuration", "tableStorage", "queueStorage"]
    status: Literal["ok", "failed"]
    faults: list[str]
    warnings: list[str] = []


class Health(_Object):
    """Whether the app can do its work."""

    status: Literal["healthy", "unhealthy"]
    version: str
    checks: list[Check] = Field(min_length=1)


class About(_Object):
    """What this app is."""

    name: str
    version: str
    links: dict[str, str]


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
