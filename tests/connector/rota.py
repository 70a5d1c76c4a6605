"""The people of the flows about who is on call, and what the two flows have in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.connector.office import Office

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.connector.instant import Instant

ANNA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"
CLEO = "33333333-3333-4333-8333-333333333333"
PHONE = "+12065550100"
USERS: dict[str, dict[str, Any]] = {
    ANNA: {"displayName": "Anna", "mail": "anna@contoso.com", "mobilePhone": PHONE},
    BEN: {"displayName": "Ben", "mail": "ben@contoso.com", "mobilePhone": "+12065550101"},
    CLEO: {"displayName": "Cleo", "mail": "cleo@contoso.com", "mobilePhone": "+12065550102"},
}
SETTINGS = {"team": "t", "channel": "c", "shiftsTeam": "s"}
TITLE = {"title": "P1"}


def at(hours: float) -> str:
    """Return the time in some hours, in UTC without a zone, as Outlook's events have it."""
    return f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}.0000000"


def shift(user: str | None, start: float, end: float, group: str = "TAG_1", **more: Any) -> dict[str, Any]:
    """Return a shift from and to some hours from now."""
    times = {"startDateTime": f"{at(start)[:-8]}Z", "endDateTime": f"{at(end)[:-8]}Z"}
    return {
        "id": "SHFT_1",
        "userId": user,
        "schedulingGroupId": group,
        "sharedShift": times,
        "draftShift": None,
        **more,
    }


def event(attendees: str | None, start: float, end: float, subject: str = "On call") -> dict[str, Any]:
    """Return an event from and to some hours from now."""
    return {"subject": subject, "start": at(start), "end": at(end), "requiredAttendees": attendees, "isAllDay": False}


def office(changes: Mapping[str, Any] | None = None, **more: Any) -> Office:
    """Return a tenant; Cleo is everybody's manager.

    Args:
        changes: to a user's properties by id; None for a deleted account.
        more: what else is in it.
    """
    users: dict[str, Any] = dict(USERS)
    for user, change in (changes or {}).items():
        users[user] = None if change is None else USERS[user] | change
    groups = {"TAG_0": "Support", "TAG_1": "On Call"}
    return Office(users=users, managers={ANNA: CLEO, BEN: CLEO}, scheduling_groups=groups, **more)


def run(name: str, bench: Instant) -> list[str]:
    """Run one of the flows, and return the channel's messages."""
    bench.run(name, TITLE, SETTINGS)
    return bench.teams.messages
