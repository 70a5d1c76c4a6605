# ruff: noqa: N815 - the names on the wire are Graph's
"""What the API returns, one class for each JSON object, with a maker's words for every property.

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

    code: int | None = _shown("Result Code", "Microsoft Graph's code, such as 603 for declined.")
    subcode: int | None = _shown("Result Subcode", "Microsoft Graph's second code.", "advanced")
    message: str | None = _shown("Result Message", "The text of Microsoft Graph.")


class InvitedPerson(_Object):
    """A person of an invitation."""

    identity: AnyIdentity = _shown("Person Identity", "The person. Only one of the IDs has a value.")
    status: _PersonStatus = _shown(
        "Person Status", "completed: the person accepted. failed: they did not. unconfirmed: they may be in the call."
    )
    presence: Presence = _shown(
        "Person Presence", "Where the person is now: in the call, in the lobby, left, or unknown."
    )
    reason: str | None = _shown(
        "Person Reason", "Why the person isn't in the call, and what to do. Empty if they accepted."
    )
    resultInfo: ResultInfo | None = _shown("Result", "What Microsoft Graph reported for this person.", "advanced")
    replacesCallId: str = _shown("Moved From Call ID", "The call the person was moved from.", "advanced", default="")
    participantId: str = _shown("Participant ID", "The person's ID in that call.", "advanced", default="")
    hidden: bool = _shown("Hidden", "Whether the person is hidden from the others.", "advanced", default=False)
    removeFromDefaultAudioRoutingGroup: bool = _shown(
        "Without Shared Audio", "Whether the person is kept out of the shared audio.", "advanced", default=False
    )
    operationId: str | None = _shown("Operation ID", "Microsoft Graph's ID of the request.", "advanced")


class Operation(_Object):
    """A request to Microsoft Graph."""

    id: str | None = _shown("Operation ID", "Microsoft Graph's ID of the request.", "advanced")
    clientContext: str = _shown("Operation Name", "The name of the request.", "advanced")
    status: _OperationStatus = _shown("Operation Status", "The status of the request.", "advanced")
    resultInfo: ResultInfo | None = _shown("Result", "What Microsoft Graph reported for this request.", "advanced")


class Callback(_Object):
    """The flow that waits, or waited; never its URL."""

    status: _Delivery = _shown("Delivery Status", "Whether the outcome was sent to the flow.", "advanced")
    attempts: int = _shown("Delivery Attempts", "How many times the app sent the outcome.", "advanced", ge=0)
    lastAttemptDateTime: datetime | None = _shown(
        "Last Attempt", "When the app last sent the outcome, in UTC.", "advanced"
    )
    lastStatusCode: int | None = _shown("Last Status Code", "The HTTP status that the flow returned.", "advanced")


class _Dated(_Object):
    createdDateTime: datetime = _shown("Created", "When it was created, in UTC.", "advanced")
    lastUpdatedDateTime: datetime = _shown("Last Updated", "When it last changed, in UTC.", "advanced")


class Invitation(_Dated):
    """The invitation and its outcome."""

    id: str = _shown("Invitation ID", "The ID of the invitation. Use it in Get invitation.", pattern=_ID)
    status: Status = _shown(
        "Status", "completed: all accepted. partiallyCompleted: some. failed: no one. Check it before you go on."
    )
    reason: str | None = _shown("Reason", "What happened and what to do. Empty if all people accepted.")
    joinedCount: int = _shown(
        "Joined Count", "How many of these people are, or were, in the call. The lobby doesn't count.", ge=0
    )
    resultInfo: ResultInfo | None = _shown("Result", "What Microsoft Graph reported.", "advanced")
    participants: list[InvitedPerson] = _shown(
        "People", "The invited people, each with status, presence and reason.", min_length=1
    )
    callId: str = _shown("Call ID", "The ID of the call.")
    clientContext: str = _shown("Invitation Name", "Your name for the invitation, or one that the app generated.")
    operations: list[Operation] = _shown(
        "Operations", "The requests to Microsoft Graph, usually one.", "advanced", min_length=1
    )
    callback: Callback = _shown(
        "Waiting Flow", "Empty unless a flow waits, or waited, for the outcome.", "advanced", default=None
    )


class Invitations(_Object):
    """All invitations of the call, newest first."""

    value: list[Invitation] = _shown("Invitations", "All invitations of the call, newest first.")


class Call(_Dated):
    """The call, as Microsoft Graph last reported it."""

    id: str = _shown("Call ID", "The ID of the call.")
    title: str = _shown("Call Title", "The subject of the call, or what it is and when it began.")
    state: CallState = _shown("Call State", "The state of the call, such as establishing, established or terminated.")
    direction: str | None = _shown("Direction", "outgoing for a call that the app started.", "advanced")
    subject: str | None = _shown("Subject", "The subject of the call, if it has one.", "advanced")
    resultInfo: ResultInfo | None = _shown("Result", "What Microsoft Graph reported when the call ended.", "advanced")
    reason: str | None = _shown("Call Reason", "Why the call ended, and what to do.")
    startId: str = _shown("Start ID", "The ID of the start that made the call.", "advanced", default="")
    endedDateTime: datetime = _shown("Ended", "When the call ended, in UTC.", "advanced", default=None)
    pageUrl: str | None = _shown(
        "Page Link", "A page that shows the call live. Anyone with the link can watch.", default=None
    )


class Calls(_Object):
    """The open calls, newest first."""

    value: list[Call] = _shown("Calls", "The open calls, newest first.")


class CalledPerson(_Object):
    """A person of a start."""

    identity: AnyIdentity = _shown("Person Identity", "The person. Only one of the IDs has a value.")
    status: _PersonStatus = _shown(
        "Person Status", "completed: the person accepted. failed: they did not. unconfirmed: they may be in the call."
    )
    presence: Presence = _shown(
        "Person Presence", "Where the person is now: in the call, in the lobby, left, or unknown."
    )
    reason: str | None = _shown(
        "Person Reason", "Why the person isn't in the call, and what to do. Empty if they accepted."
    )


class Start(_Dated):
    """The start of a call and its outcome."""

    id: str = _shown("Start ID", "The ID of the start. Use it in Get start.", pattern=_ID)
    callId: str | None = _shown("Call ID", "The ID of the call, once it is known. Use it in the other actions.")
    status: StartStatus = _shown(
        "Status",
        "completed: all accepted. partiallyCompleted: some. failed: no call, or no one. stopped: by Stop start.",
    )
    reason: str | None = _shown("Reason", "What happened and what to do. Empty if all people accepted.")
    joinedCount: int = _shown(
        "Joined Count", "How many of these people are, or were, in the call. The lobby doesn't count.", ge=0
    )
    participants: list[CalledPerson] = _shown("People", "The called people, each with status, presence and reason.")
    call: Call | None = _shown("Call", "The call, once it is known.")
    resultInfo: ResultInfo | None = _shown("Result", "What Microsoft Graph reported.", "advanced")
    clientContext: str = _shown("Start Name", "Your name for the start, or one that the app generated.", "advanced")
    invitationId: str | None = _shown("Invitation ID", "The invitation that followed, if there is one.", "advanced")
    escalationId: str | None = _shown("Escalation ID", "The escalation that followed, if there is one.", "advanced")


class JoinedPerson(_Object):
    """A person who joined."""

    identity: AnyIdentity = _shown("Joined Person", "The person. Only one of the IDs has a value.")
    round: int = _shown("Joined in Round", "The round in which the person was called, from 1.", "advanced", ge=1)
    step: int = _shown("Joined in Step", "The step in which the person was called, from 1.", ge=1)


class Step(_Object):
    """The people who are called together, as they stand in the current round."""

    status: StepStatus = _shown("Step Status", "completed: enough people joined. failed: not.")
    waitSeconds: float = _shown("Step Wait Seconds", "How long the step waits for an answer.", "advanced")
    startedDateTime: datetime | None = _shown("Step Started", "When the step began, in UTC.", "advanced")
    endedDateTime: datetime | None = _shown("Step Ended", "When the step ended, in UTC.", "advanced")
    invitationId: str | None = _shown("Step Invitation ID", "The invitation of the step.", "advanced")
    participants: list[InvitedPerson] = _shown("Step People", "The people of the step, each with status and reason.")


class Escalation(_Dated):
    """The escalation and its outcome."""

    id: str = _shown("Escalation ID", "The ID of the escalation. Use it in Get escalation.", pattern=_ID)
    status: EscalationStatus = _shown(
        "Status", "completed: someone joined. failed: no one did. stopped: by Stop escalation."
    )
    reason: str | None = _shown("Reason", "What happened and what to do. Empty if someone joined.")
    joined: list[JoinedPerson] = _shown("Joined People", "The people who joined, in order.")
    steps: list[Step] = _shown("Steps", "The steps, as they stand in the current round.", min_length=1)
    round: int = _shown("Round", "The current round, from 1.", "advanced", ge=1)
    currentStep: int = _shown("Current Step", "The current step, from 1.", "advanced", ge=1)
    stopWhen: StopWhen = _shown("Stop When", "Whether one person is enough, or a whole step must join.", "advanced")
    callId: str = _shown("Call ID", "The ID of the call.")
    clientContext: str = _shown("Escalation Name", "Your name for it, or one that the app generated.", "advanced")
    pageUrl: str | None = _shown(
        "Page Link", "A page that shows the call live. Anyone with the link can watch.", default=None
    )


class PersonInCall(_Object):
    """A participant of the call."""

    id: str | None = _shown("Participant ID", "The person's ID in this call. It is not the User ID.", "advanced")
    identity: AnyIdentity = _shown("Participant Identity", "The person. Only one of the IDs has a value.")
    presence: Presence = _shown("Presence", "Where the person is now: in the call, in the lobby, or left.")
    isInLobby: bool = _shown("Is in Lobby", "Whether the person waits in the lobby.")
    isMuted: bool | None = _shown("Is Muted", "Whether the microphone is off.")
    joinedDateTime: datetime = _shown("Joined", "When the person joined, in UTC.")
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
