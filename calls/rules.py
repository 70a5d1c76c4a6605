"""What a start's form alone does not state: rules across its properties, so that every fault is reported at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from calls.links import MeetingRefused, parse_meeting
from flows.urls import UrlRefused, check_url
from invite.request import MOST_PEOPLE
from web.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.meeting import Meeting
    from settings import Settings

_MOST_TARGETS = 5
_MEETING = ("joinWebUrl", "joinMeetingId", "passcode")


def start_faults(body: Mapping[str, Any], settings: Settings, *, waits: bool) -> Iterator[Fault]:
    """Yield what is wrong across the properties of a start.

    Args:
        body: as it was parsed from JSON; its own form is checked elsewhere, so that anything may stand in it.
        settings: the tenant, the cloud and where flows are.
        waits: whether a flow waits at ``callbackUrl``.
    """
    meeting, people = _present(body.get("meeting")), body.get("participants")
    steps = _present(body.get("steps"))
    count = len(people) if isinstance(people, list) else 0
    yield from _step_faults(body, count, has_meeting=meeting is not None)
    if isinstance(meeting, dict):
        yield from _meeting_faults(meeting, settings)
    elif meeting is None and count == 0 and steps is None:
        message = "Give a meeting to join, or one to five users to call."
        yield Fault("NothingToStart", message, "meeting")
    elif meeting is None and isinstance(people, list):
        yield from _target_faults(people)
    if body.get("leaveAfterwards") is True:
        if meeting is None:
            message = (
                "A call without a meeting may end when the app leaves. Leave leaveAfterwards out, or join a meeting."
            )
            yield Fault("MeetingNeeded", message, "leaveAfterwards")
        elif count == 0 and steps is None:
            message = "No one is invited before the app leaves. Add participants, or remove leaveAfterwards."
            yield Fault("NobodyToInvite", message, "leaveAfterwards")
    url = body.get("callbackUrl")
    if waits and isinstance(url, str) and url:
        try:
            check_url(url, settings.flow_callback_hosts, settings.flow_callback_local_hosts)
        except UrlRefused as error:
            message = f"This can't be the URL of a waiting flow: {error}. Give what listCallbackUrl() returns."
            yield Fault("InvalidCallbackUrl", message, "callbackUrl")


def meeting_of(link: str | None, meeting_id: str | None, passcode: str | None, settings: Settings) -> Meeting:
    """Return the meeting that a start joins.

    Raises:
        MeetingRefused: it can't be joined; the message states what to use instead.
    """
    return parse_meeting(link, meeting_id, passcode, tenant_id=settings.tenant_id, cloud=settings.cloud)


def _meeting_faults(meeting: Mapping[str, Any], settings: Settings) -> Iterator[Fault]:
    link, meeting_id, passcode = (_present(meeting.get(name)) for name in _MEETING)
    if not all(value is None or isinstance(value, str) for value in (link, meeting_id, passcode)):
        return  # a fault of the form
    try:
        meeting_of(link, meeting_id, passcode, settings)
    except MeetingRefused as error:
        yield Fault(error.code, error.message, error.target)


def _step_faults(body: Mapping[str, Any], people: int, *, has_meeting: bool) -> Iterator[Fault]:
    if _present(body.get("steps")) is None:
        for name in ("stopWhen", "repeat"):
            if _present(body.get(name)) is not None:
                yield Fault("StepsNeeded", "This is about steps. Give steps, or leave it out.", name)
        return
    if not has_meeting:
        message = "People are called step by step into a meeting only. Give the meeting to join."
        yield Fault("MeetingNeeded", message, "meeting")
    if people > 0:
        message = "People are called at once, or step by step. Leave out participants, or steps."
        yield Fault("ParticipantsAndSteps", message, "participants")


def _target_faults(people: list[Any]) -> Iterator[Fault]:
    sets = [person.get("identity") for person in people if isinstance(person, dict)]
    named = [one for one in sets if isinstance(one, dict) and any(map(_present, one.values()))]
    if not all(_present(one.get("user")) for one in named):
        message = "Without a meeting only users can be called. Join a meeting to call phones and others."
        yield Fault("MeetingNeeded", message, "meeting")
    elif len(people) > _MOST_TARGETS:
        message = "Without a meeting at most five users can be called. Join a meeting to call more people."
        yield Fault("MeetingNeeded", message, "meeting")
    for place, person in enumerate(people[:MOST_PEOPLE]):
        for name in ("replacesCallId", "participantId"):
            if isinstance(person, dict) and _present(person.get(name)) is not None:
                message = "A person can be moved into a call that is there only. Join a meeting, or leave this out."
                yield Fault("MeetingNeeded", message, f"participants[{place}].{name}")


def _present(value: Any) -> Any:
    """Return a value; None for one that counts as absent: an empty string, or null."""
    return None if value == "" else value
