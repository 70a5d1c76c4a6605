"""The form of a start's body."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from escalation.request import Rounds, Steps, StopsWhen  # noqa: TC001 - pydantic reads them
from invite.request import ClientContext, InvitationParticipantInfo, Model
from invite.rules import NO_CONTROLS

MOST_PEOPLE = 50
LONGEST_INVITATION = 65_536


class MeetingBody(Model):
    """The meeting to join: a link or an invitation's text, or a meeting ID and its passcode."""

    joinWebUrl: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_INVITATION)] | None = None  # noqa: N815
    joinMeetingId: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None  # noqa: N815
    passcode: Annotated[str, StringConstraints(max_length=128)] | None = None


class StartBody(Model):
    """The body of a start."""

    meeting: MeetingBody | None = None
    participants: Annotated[list[InvitationParticipantInfo], Field(max_length=MOST_PEOPLE)] = Field(
        default_factory=list
    )
    steps: Steps | None = None
    stopWhen: StopsWhen | None = None  # noqa: N815
    repeat: Rounds | None = None
    separately: bool = True
    leaveAfterwards: bool = False  # noqa: N815
    subject: Annotated[str, StringConstraints(max_length=250, pattern=NO_CONTROLS)] | None = None
    clientContext: ClientContext | None = None  # noqa: N815


class StartAndWaitBody(StartBody):
    """The body of a start whose outcome is sent to the flow."""

    callbackUrl: Annotated[str, StringConstraints(min_length=1)]  # noqa: N815
