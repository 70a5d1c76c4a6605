"""The flow that calls everybody of a team, or of an incident's list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.connector.conftest import Engine
from tests.connector.instant import PAGE, Instant
from tests.connector.interpreter import printed
from tests.connector.office import Office
from tests.connector.teams import Teams

if TYPE_CHECKING:
    from tests.connector.conftest import Running

ANNA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"
USERS: dict[str, Any] = {
    ANNA: {"displayName": "Anna", "mail": "Anna@contoso.com"},
    BEN: {"displayName": "Ben", "mail": "ben@contoso.com"},
}
GROUP = {"title": "Fire drill", "groupId": "g"}
SETTINGS = {"team": "t", "channel": "c"}


def _office(**more: Any) -> Office:
    return Office(users=USERS, groups={"g": [ANNA, BEN]}, **more)


def _person(number: int) -> str:
    return f"33333333-3333-4333-8333-{number:012}"


def _run(bench: Instant, **body: Any) -> list[str]:
    bench.run("call-everybody", body, SETTINGS)
    return bench.teams.messages


def test_call_everybody(running: Running) -> None:
    """With the app and the simulated Graph: the members are called, and the channel reads who joined."""
    running.graph.person(BEN, "declines")
    teams = Teams(running.graph)
    run = running.run_with("call-everybody", GROUP, Engine(teams=teams, office=_office(), settings=SETTINGS))
    where, who = teams.messages
    assert where.startswith("Fire drill. People to call: 2. Join: https://teams.microsoft.com/"), printed(run)
    assert "/api/page#call=" in where
    assert who.startswith("Fire drill. In the meeting: 1 of 2. Anna. Not in the meeting: Ben: The person declined")
    assert {entry.person for entry in running.graph.log.rings} == {ANNA, BEN}


def test_list_of_an_incident() -> None:
    """People of the request are called in place of a group; one without an ID is counted."""
    bench = Instant()
    people = [{"id": BEN, "displayName": "Ben"}, {"displayName": "Cleo"}]
    where, who = _run(bench, title="P1", people=people)
    assert where.endswith(f"Watch: {PAGE}")
    assert who == "P1. People without an ID, who are not called: 1. In the meeting: 1 of 1. Ben. "
    assert bench.called == [BEN]


def test_out_of_office() -> None:
    """Who is out of office now by their calendar is left out and named; a calendar that isn't found counts as in."""
    bench = Instant(_office(schedules={"Anna@contoso.com": {"availabilityView": "3"}}))
    who = _run(bench, **GROUP, leaveOutOutOfOffice=True)[-1]
    assert who == "Fire drill. Out of office and not called: Anna. In the meeting: 1 of 1. Ben. "
    assert bench.called == [BEN]


def test_calendars_that_cannot_be_read() -> None:
    """If the calendars can't be read, everybody is called, and the channel reads that."""
    bench = Instant(_office(refuses=frozenset({"HttpRequest"})))
    who = _run(bench, **GROUP, leaveOutOutOfOffice=True)[-1]
    assert "Calendars that could not be read, so these people are called: 2. In the meeting: 2 of 2." in who
    assert bench.called == [ANNA, BEN]


def test_everybody_is_out() -> None:
    """If everybody is out of office, no meeting is created."""
    out = {"availabilityView": "3"}
    bench = Instant(_office(schedules={"Anna@contoso.com": out, "ben@contoso.com": out}))
    (message,) = _run(bench, **GROUP, leaveOutOutOfOffice=True)
    assert message == "Fire drill. Out of office and not called: Anna, Ben. In the meeting: 0 of 0. "
    assert (bench.called, bench.teams.meetings) == ([], 0)


def test_empty_team() -> None:
    """A team without members is a sentence."""
    bench = Instant(Office(groups={"g": []}))
    assert _run(bench, **GROUP) == ["Fire drill. The group has no members. In the meeting: 0 of 0. "]


def test_no_team() -> None:
    """A group that isn't found, or none at all, is a sentence."""
    (message,) = _run(Instant(), **GROUP)
    assert message.startswith("Fire drill. The group could not be read. Resource does not exist. ")
    (message,) = _run(Instant(), title="Fire drill")
    assert message.startswith("Fire drill. Neither a group nor people were given. ")


def test_group_of_3000() -> None:
    """Of 3,000 members the first 200 are called, in four groups of 50, and the channel reads that."""
    people = [_person(number) for number in range(3_000)]
    bench = Instant(Office(groups={"g": people}))
    where, who = _run(bench, **GROUP)
    assert "There are 3000 people: only the first 200 are called. People to call: 200." in where
    assert "In the meeting: 200 of 200." in who
    assert [len(together) for together in bench.app.calls] == [50, 50, 50, 50]
    assert bench.called == people[:200]


def test_calls_fail() -> None:
    """If the app can't join, the channel reads why."""
    bench = Instant(_office())
    bench.app.refuses = (422, "The app may not join this meeting.")
    (message,) = _run(bench, **GROUP)
    assert message.startswith(
        "Fire drill. The app is not in the meeting, so no one was called. The app may not join this meeting. "
    )


def test_one_group_fails() -> None:
    """If fifty can't be called, the other fifty are."""
    people = [{"id": "not an ID", "displayName": "X"}, *({"id": _person(number)} for number in range(99))]
    bench = Instant()
    who = _run(bench, title="P1", people=people)[-1]
    assert "A group of 50 was not called. " in who
    assert "In the meeting: 50 of 100." in who
