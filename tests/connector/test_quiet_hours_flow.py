"""The flow that calls people in their working hours only, except for severity 1."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.connector.conftest import Engine
from tests.connector.functions import ZONES
from tests.connector.instant import Instant
from tests.connector.interpreter import printed
from tests.connector.rota import ANNA, BEN, SETTINGS, office
from tests.connector.teams import Teams

if TYPE_CHECKING:
    from tests.connector.conftest import Running
    from tests.connector.office import Office

NAME = "quiet-hours"
ANNAS, BENS = "anna@contoso.com", "ben@contoso.com"
BODY: dict[str, Any] = {"title": "Disk is 80% full", "severity": "3", "people": [ANNAS, BENS]}
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEST, EAST = "Pacific Standard Time", "India Standard Time"


def _hours(zone: str, begin: float, end: float, days: list[str] | None = None) -> dict[str, Any]:
    """Return somebody's working hours, which begin and end some hours from now where they are."""
    now = datetime.now(UTC).astimezone(ZoneInfo(ZONES.get(zone, "UTC")))
    times = [f"{now + timedelta(hours=hours):%H:%M:%S}.0000000" for hours in (begin, end)]
    kept = {"startTime": times[0], "endTime": times[1], "timeZone": {"name": zone}}
    return {"availabilityView": "0", "workingHours": {"daysOfWeek": DAYS if days is None else days, **kept}}


AT_WORK, OFF = _hours(WEST, -4, 4), _hours(EAST, 6, 12)


def _office(anna: Any = None, ben: Any = None, **more: Any) -> Office:
    return office(schedules={ANNAS: anna or AT_WORK, BENS: ben or AT_WORK}, **more)


def _run(bench: Instant, **changes: Any) -> list[str]:
    bench.run(NAME, BODY | changes, SETTINGS)
    return bench.teams.messages


def test_quiet_hours(running: Running) -> None:
    """With the app and the simulated Graph: who is off reads a message, who is at work is called."""
    teams = Teams(running.graph)
    engine = Engine(teams=teams, office=_office(anna=OFF), settings=SETTINGS)
    run = running.run_with(NAME, BODY, engine)
    where, who = teams.messages
    off = "Anna is outside working hours and is not called, but got a message. "
    assert where.startswith(f"Disk is 80% full. {off}Join: https://teams.microsoft.com/"), printed(run)
    assert who == "Disk is 80% full. In the meeting: Ben. "
    ((to, text),) = teams.chats
    assert to == ANNAS
    assert re.search(r"\(\d\d:\d\d where you are\)", text)
    assert [entry.person for entry in running.graph.log.rings] == [BEN]


@pytest.mark.parametrize("severity", ["1", 1, "Sev1", "P1", "critical"])
def test_severity_1(severity: Any) -> None:
    """With severity 1 everybody is called at any time."""
    bench = Instant(_office(anna=OFF, ben=OFF), {ANNA: "No."})
    assert _run(bench, severity=severity)[0].startswith("Disk is 80% full. Join: ")
    assert (bench.called, bench.teams.chats) == ([ANNA, BEN], [])


@pytest.mark.parametrize(
    ("hours", "is_called"),
    [
        (_hours(WEST, -4, 4), True),
        (_hours(EAST, -4, 4), True),
        (_hours(WEST, 1, 9), False),
        (_hours(EAST, -9, -1), False),
        (_hours(EAST, -13, 9), True),
        (_hours(EAST, 1, 23), False),
        (_hours(WEST, -4, 4, []), False),
    ],
    ids=["west", "east", "before", "after", "around midnight", "most of the day", "no working day"],
)
def test_hours(hours: dict[str, Any], is_called: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Working hours count where the person is, also around midnight, on the person's days."""
    bench = Instant(_office(anna=hours))
    _run(bench, people=[ANNAS])
    assert bench.called == ([ANNA] if is_called else [])


@pytest.mark.parametrize(
    "schedule",
    [
        {"error": {"message": "Not found."}},
        _hours("Customized Time Zone", 1, 9),
        {"workingHours": None},
        {"workingHours": {"daysOfWeek": None, "timeZone": {"name": WEST}}},
    ],
    ids=["no calendar", "a zone of their own", "none", "incomplete"],
)
def test_unknown_hours(schedule: dict[str, Any]) -> None:
    """Somebody whose hours aren't known is called, and the channel reads that."""
    bench = Instant(_office(anna=schedule))
    sentence = "The working hours of Anna are not known, so this person is called. "
    assert _run(bench)[0].startswith(f"Disk is 80% full. {sentence}Join: ")
    assert bench.called == [ANNA]


def test_calendars_that_cannot_be_read() -> None:
    """If the calendars can't be read, everybody is called."""
    bench = Instant(_office(refuses=frozenset({"HttpRequest"})), {ANNA: "No."})
    assert "The working hours of Ben are not known" in _run(bench)[0]
    assert bench.called == [ANNA, BEN]


def test_everybody_is_off() -> None:
    """If everybody is off, no one is called, and the channel reads where the meeting is."""
    bench = Instant(_office(anna=OFF, ben=OFF))
    bench.teams.unreachable = frozenset({BENS})
    (message,) = _run(bench)
    assert "Ben is outside working hours and is not called; the message could not be sent." in message
    assert "There is no one to call. " in message
    assert bench.called == []


def test_unknown_person() -> None:
    """Somebody who isn't in the directory is a sentence; the others are called."""
    bench = Instant(_office(changes={ANNA: None}))
    assert _run(bench)[0].startswith(f"Disk is 80% full. {ANNAS} is not in the directory and is not called. ")
    assert bench.called == [BEN]


def test_no_people() -> None:
    """An empty list is a sentence."""
    (message,) = _run(Instant(_office()), people=[])
    assert message.startswith("Disk is 80% full. No people were given. There is no one to call. ")


def test_many_people() -> None:
    """Of more than ten people the first ten are considered."""
    bench = Instant(_office(), {ANNA: "No."})
    assert "12 people were given: only the first 10 are considered. " in _run(bench, people=[ANNAS, *["x"] * 11])[0]


def test_calls_fail() -> None:
    """If the app can't join, the channel reads why."""
    bench = Instant(_office())
    bench.app.refuses = (422, "The app may not join this meeting.")
    assert _run(bench)[-1].endswith("not in the meeting, so no one was called. The app may not join this meeting.")
