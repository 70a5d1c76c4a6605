"""Microsoft's connectors for people, shifts and calendars, as far as the sample flows use them.

Operations, parameters and properties are those of Microsoft's published SDKs for connectors; each has its own page on
Microsoft Learn (``learn.microsoft.com/connectors``: shifts, office365, office365groups, office365users).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.connector.engine_http import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.connector.connections import Connection

MOST_IN_A_PAGE = 999


@dataclass(frozen=True, slots=True)
class _Connection:
    operations: Mapping[str, Callable[[Mapping[str, Any]], Reply]]
    office: Office

    def call(self, operation_id: str, given: Mapping[str, Any]) -> Reply:
        if operation_id in self.office.answers:
            return self.office.answers[operation_id]
        if operation_id in self.office.refuses:
            return Reply(403, {}, {"error": {"code": "Forbidden", "message": "Access is denied."}})
        return self.operations[operation_id](given)


@dataclass(slots=True)
class Office:
    """A tenant's directory, shifts, calendars and mail.

    Args:
        users: by id: displayName, mail and so on; the value None is a deleted account.
        managers: a user's id and the manager's.
        groups: the members' ids by a group's.
        scheduling_groups: the names of those of the team in Shifts, by id.
        shifts: those of the team.
        events: those of the calendar.
        schedules: by mail address, as *getSchedule* has them.
        refuses: operations that fail.
    """

    users: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    managers: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    scheduling_groups: dict[str, str] = field(default_factory=dict)
    shifts: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuses: frozenset[str] = frozenset()
    answers: dict[str, Reply] = field(default_factory=dict)
    """What comes back in place of an operation's own response."""
    mails: list[dict[str, Any]] = field(default_factory=list)
    """What was sent, in order."""
    asked_schedules: list[int] = field(default_factory=list)
    """How many people each *getSchedule* was about."""

    @property
    def connections(self) -> dict[str, Connection]:
        """The connections by their keys in a flow."""
        operations: dict[str, dict[str, Callable[[Mapping[str, Any]], Reply]]] = {
            "shared_office365users": {"UserProfile_V2": self._profile, "Manager_V2": self._manager},
            "shared_office365groups": {"ListGroupMembers": self._members},
            "shared_shifts": {"ListShifts": self._shifts, "ListSchedulingGroups": self._scheduling_groups},
            "shared_office365": {
                "GetEventsCalendarViewV3": self._calendar,
                "HttpRequest": self._schedule,
                "SendEmailV2": self._send,
            },
        }
        return {key: _Connection(found, self) for key, found in operations.items()}

    def _profile(self, given: Mapping[str, Any]) -> Reply:
        user_id = self._found(given["id"])
        if user_id is None:
            return _not_found(f"Resource '{given['id']}' does not exist.")
        return Reply(200, {}, self._shown(user_id, given.get("$select", "")))

    def _manager(self, given: Mapping[str, Any]) -> Reply:
        found = self._found(self.managers.get(self._found(given["id"]) or "", ""))
        if found is None:
            return _not_found("Resource 'manager' does not exist.")
        return Reply(200, {}, self._shown(found, given.get("$select", "")))

    def _found(self, name: str) -> str | None:
        """Return the id of a user, given that or the user principal name, which here is the mail address."""
        known = ((user_id, user["mail"]) for user_id, user in self.users.items() if user is not None)
        return next((one for one, mail in known if name.casefold() in (one.casefold(), mail.casefold())), None)

    def _shown(self, user_id: str, select: str) -> dict[str, Any]:
        whole = {"id": user_id, "accountEnabled": True, "mobilePhone": None, **(self.users[user_id] or {})}
        return {name: whole[name] for name in select.split(",") if name in whole} if select else whole

    def _members(self, given: Mapping[str, Any]) -> Reply:
        if given["groupId"] not in self.groups:
            return _not_found("Resource does not exist.")
        assert given["$top"] <= MOST_IN_A_PAGE
        people = [(user_id, self.users.get(user_id) or {}) for user_id in self.groups[given["groupId"]]]
        # Pages are joined by the engine, which the flow's setting asks for.
        return Reply(200, {}, {"value": [{"id": user_id} | user for user_id, user in people]})

    def _scheduling_groups(self, given: Mapping[str, Any]) -> Reply:
        assert given["teamId"]
        groups = [
            {"id": key, "displayName": name, "isActive": True, "userIds": []}
            for key, name in self.scheduling_groups.items()
        ]
        return Reply(200, {}, {"value": groups})

    def _shifts(self, given: Mapping[str, Any]) -> Reply:
        assert given["teamId"]
        assert given["startTime"] < given["endTime"]
        return Reply(200, {}, {"value": self.shifts})

    def _calendar(self, given: Mapping[str, Any]) -> Reply:
        assert given["calendarId"]
        assert given["startDateTimeUtc"] < given["endDateTimeUtc"]
        shown = [one for one in self.events if one["end"] > given["startDateTimeUtc"][:19]]
        return Reply(200, {}, {"value": shown})

    def _schedule(self, given: Mapping[str, Any]) -> Reply:
        assert given["Uri"] == "https://graph.microsoft.com/v1.0/me/calendar/getSchedule"
        assert (given["Method"], given["ContentType"]) == ("POST", "application/json")
        mails = given["Body"]["schedules"]
        self.asked_schedules.append(len(mails))
        unknown = {"error": {"responseCode": "ErrorMailRecipientNotFound", "message": "The address can't be resolved."}}
        return Reply(200, {}, {"value": [{"scheduleId": one} | self.schedules.get(one, unknown) for one in mails]})

    def _send(self, given: Mapping[str, Any]) -> Reply:
        self.mails.append({name.removeprefix("emailMessage/"): value for name, value in given.items()})
        return Reply(200, {}, None)


def _not_found(message: str) -> Reply:
    return Reply(404, {}, {"error": {"code": "Request_ResourceNotFound", "message": message}})
