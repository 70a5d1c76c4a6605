"""The form of an escalation's body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints

from domain.escalation import Step, StopWhen
from escalation.service import EscalationRequest
from invite.reading import invitees
from invite.request import ClientContext, InvitationParticipantInfo, Model

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_STEPS = 10
MOST_PEOPLE = 10
MOST_ROUNDS = 5


class StepBody(Model):
    """The people who are called together, and for how long the step waits."""

    participants: Annotated[list[InvitationParticipantInfo], Field(min_length=1, max_length=MOST_PEOPLE)]
    waitSeconds: Annotated[int, Field(ge=5, le=300)] = 45  # noqa: N815


Steps = Annotated[list[StepBody], Field(min_length=1, max_length=MOST_STEPS)]
StopsWhen = Literal["anyoneJoins", "wholeStepJoins"]
Rounds = Annotated[int, Field(ge=0, le=MOST_ROUNDS)]


class EscalateBody(Model):
    """The body of an escalation."""

    steps: Steps
    stopWhen: StopsWhen = "anyoneJoins"  # noqa: N815
    repeat: Rounds = 0
    clientContext: ClientContext | None = None  # noqa: N815


class EscalateAndWaitBody(EscalateBody):
    """The body of an escalation whose outcome is sent to the flow."""

    callbackUrl: Annotated[str, StringConstraints(min_length=1)]  # noqa: N815


def steps_of(steps: Iterable[StepBody]) -> tuple[Step, ...]:
    """Return the steps of a body."""
    return tuple(Step(invitees(step.participants), step.waitSeconds) for step in steps)


def asked_for(body: EscalateBody) -> EscalationRequest:
    """Return what a body asks for."""
    return EscalationRequest(
        steps=steps_of(body.steps),
        stop_when=StopWhen(body.stopWhen),
        repeat=body.repeat,
        client_context=body.clientContext,
    )
