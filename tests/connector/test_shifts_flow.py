"""The flow that calls who is on call by Shifts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.connector.conftest import Engine
from tests.connector.instant import PAGE, Instant
from tests.connector.interpreter import printed
from tests.connector.rota import ANNA, BEN, CLEO, PHONE, SETTINGS, TITLE, USERS, office, run, shift
from tests.connector.teams import Teams

if TYPE_CHECKING:
    from tests.connector.conftest import Running

NAME = "on-call-from-shifts"
SHIFTS = [shift(BEN, 5, 9), shift(ANNA, -3, 5), shift(CLEO, -9, -3), shift(CLEO, -3, 5, "TAG_0")]
NO_ONE = {ANNA: "No.", PHONE: "No.", BEN: "No.", "+12065550101": "No.", CLEO: "No.", "+12065550102": "No."}


def _bench(changes: dict[str, Any] | None = None, shifts: Any = None, **more: Any) -> Instant:
    return Instant(office(changes, shifts=SHIFTS if shifts is None else shifts, **more), dict(NO_ONE))


def test_on_call_from_shifts(running: Running) -> None:
    """With the app and the simulated Graph: the shift that runs, then the next one's person, until somebody joins."""
    running.graph.person(ANNA, "declines")
    running.graph.person(PHONE, "declines")
    teams = Teams(running.graph)
    done = running.run_with(NAME, TITLE, Engine(teams=teams, office=office(shifts=SHIFTS), settings=SETTINGS))
    where, who = teams.messages
    assert where.startswith("P1. Join: https://teams.microsoft.com/l/meetup-join/"), printed(done)
    assert "/api/page#call=" in where
    assert who.startswith("P1. In the meeting: Ben")
    assert "Anna: The person declined the call." in who
    called = [entry.person for entry in running.graph.log.rings]
    assert set(called[:2]) == {ANNA, PHONE}
    assert set(called[2:]) <= {BEN, USERS[BEN]["mobilePhone"]}


def test_steps() -> None:
    """The shift that runs now, the next shift, then the manager, each in Teams and on the phone."""
    bench = _bench()
    where, who = run(NAME, bench)
    assert bench.app.calls == [[user, USERS[user]["mobilePhone"]] for user in (ANNA, BEN, CLEO)]
    assert where.endswith(f"Watch: {PAGE}")
    assert who.startswith("P1. No one joined. Anna: No. Anna (phone): No. Ben: No. ")


def test_no_shift_now() -> None:
    """In a gap the next shift's person comes first, and the channel reads that."""
    bench = _bench(shifts=[shift(BEN, 5, 9), shift(ANNA, 9, 12)])
    assert run(NAME, bench)[0].startswith("P1. No shift runs now in On call. Join: ")
    assert [together[0] for together in bench.app.calls] == [BEN, CLEO]


def test_no_one_on_call() -> None:
    """Without any shift no meeting is created."""
    bench = _bench(shifts=[])
    assert run(NAME, bench) == ["P1. No shift runs now in On call. There is no one to call."]
    assert bench.teams.meetings == 0


def test_two_shifts_at_once() -> None:
    """People whose shifts run at once are called one after the other, in the order in which the shifts began."""
    bench = _bench(shifts=[shift(BEN, -1, 5), shift(ANNA, -3, 5)])
    assert "Several shifts run now: their people are called one after the other." in run(NAME, bench)[0]
    assert [together[0] for together in bench.app.calls] == [ANNA, BEN, CLEO]


def test_two_shifts_of_one_person() -> None:
    """Two shifts of one person are one step."""
    bench = _bench(shifts=[shift(ANNA, -1, 5), shift(ANNA, -3, 5), shift(ANNA, 5, 6)])
    assert run(NAME, bench)[0].startswith("P1. Join: ")
    assert [together[0] for together in bench.app.calls] == [ANNA, CLEO]


@pytest.mark.parametrize(
    ("change", "sentence", "called"),
    [
        ({"assignedLicenses": []}, "Anna (on call) has no license and is not called in Teams. ", [PHONE]),
        (
            {"mobilePhone": None},
            "Anna (on call) has no mobile phone with + and country code in the directory. ",
            [ANNA],
        ),
        (
            {"mobilePhone": "555 0100"},
            "Anna (on call) has no mobile phone with + and country code in the directory. ",
            [ANNA],
        ),
    ],
    ids=["no license", "no phone", "phone without country code"],
)
def test_people(change: Any, sentence: str, called: list[str]) -> None:
    """Who can't be called, or in one way only, is a sentence; the others are called."""
    bench = _bench({ANNA: change})
    assert run(NAME, bench)[0].startswith(f"P1. {sentence}Join: ")
    assert bench.app.calls == [called, [BEN, "+12065550101"], [CLEO, "+12065550102"]]


def test_blocked_account() -> None:
    """A blocked account is a sentence; the others are called."""
    bench = _bench({ANNA: {"accountEnabled": False}})
    assert run(NAME, bench)[0].startswith("P1. Anna (on call) has a blocked account and is not called. Join: ")
    assert [together[0] for together in bench.app.calls] == [BEN, CLEO]


def test_deleted_account() -> None:
    """A deleted account, whose manager isn't known either, is a sentence; the next shift's person is called."""
    bench = _bench({ANNA: None})
    assert run(NAME, bench)[0].startswith(f"P1. No manager was found. {ANNA} (on call) is not in the directory. Join: ")
    assert bench.app.calls == [[BEN, "+12065550101"]]


def test_wrong_phone() -> None:
    """If the app refuses a number, everybody is called in Teams, and the channel reads why."""
    bench = _bench({BEN: {"mobilePhone": "+1 555 ext. 5"}})
    who = run(NAME, bench)[-1]
    assert "phone" in who
    assert "No one joined. Anna: No." in who
    assert bench.app.calls == [[ANNA], [BEN], [CLEO]]


def test_no_manager() -> None:
    """Without a manager there are two steps."""
    bench = _bench()
    bench.office.managers.clear()
    assert run(NAME, bench)[0].startswith("P1. No manager was found. Join: ")
    assert [together[0] for together in bench.app.calls] == [ANNA, BEN]


def test_manager_is_next() -> None:
    """A manager who has the next shift is called once."""
    bench = _bench(shifts=[shift(ANNA, -1, 5), shift(CLEO, 5, 9)])
    run(NAME, bench)
    assert [together[0] for together in bench.app.calls] == [ANNA, CLEO]


def test_other_shifts() -> None:
    """Drafts, open shifts and other groups don't count."""
    draft = shift(ANNA, -1, 5, sharedShift=None)
    assert run(NAME, _bench(shifts=[draft, shift(None, -1, 5), shift(BEN, -1, 5, "TAG_0")]))[0].endswith("one to call.")


def test_no_scheduling_group() -> None:
    """A group that isn't there is a sentence."""
    bench = _bench()
    bench.office.scheduling_groups.clear()
    assert run(NAME, bench) == ["P1. There is no scheduling group On call. There is no one to call."]


def test_shifts_that_cannot_be_read() -> None:
    """If Shifts refuses, the channel reads that."""
    (message,) = run(NAME, _bench(refuses=frozenset({"ListShifts"})))
    assert message.startswith("P1. The shifts could not be read. ")


def test_calls_fail() -> None:
    """If the app can't join, the channel reads why."""
    bench = _bench()
    bench.app.refuses = (422, "The app may not join this meeting.")
    (message,) = run(NAME, bench)
    assert message.endswith("The app is not in the meeting, so no one was called. The app may not join this meeting.")
