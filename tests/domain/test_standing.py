"""Where people, and the whole invitation, stand: every combination that DESIGN's rules name."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from domain.call import Call, Presence
from domain.invitation import Asked, Decider, Ended, Invitation, Late, Operation, Refused, Status
from domain.results import ResultInfo
from domain.standing import (
    SETTLE,
    asked_at,
    concluded_at,
    has_ended,
    is_settled,
    needs_settling,
    presence_of,
    result_of,
    settle,
    settles_at,
    standing,
)
from domain.transitions import asked_again
from tests.states import BUSY, FINE, State, call_with, completed, failed, invitation, later, operation

R, C, U, F = Status.RUNNING, Status.COMPLETED, Status.UNCONFIRMED, Status.FAILED
N, P = Status.NOT_STARTED, Status.PARTIALLY_COMPLETED
END = later(40)
SETTLED = END + SETTLE
IN, LOBBY, LEFT, UNKNOWN = Presence.IN_CALL, Presence.IN_LOBBY, Presence.LEFT, Presence.UNKNOWN
OPEN_STATES: dict[str, tuple[State, Status]] = {
    "asked": (Asked(), R),
    "unanswered": (Asked(answered=False), R),
    "late": (Late(), N),
    "throttled": (Refused(BUSY, final=False), N),
    "refused": (Refused(BUSY, final=True), F),
}


def people(made: Invitation, of: Call | None, now: float) -> tuple[Status, ...]:
    """Return the status of each person."""
    return standing(made, of, later(now)).people


@pytest.mark.parametrize("name", OPEN_STATES)
@pytest.mark.parametrize("count", [1, 2])
def test_people_before_an_end(name: str, count: int) -> None:
    """Before Graph's end, everyone of an operation has its status, whatever the roster shows."""
    state, status = OPEN_STATES[name]
    made = invitation(operation(*range(count), state=state))
    for of in (None, call_with(later(20), alice=IN, bob=IN)):
        assert people(made, of, 100) == (status,) * count


@pytest.mark.parametrize("presence", [*Presence, None])
@pytest.mark.parametrize(("end", "status"), [(completed(at=END), C), (failed(at=END), F)])
def test_one_person(end: Ended, status: Status, presence: Presence | None) -> None:
    """An operation with one person needs no roster: their status is its own, at once."""
    of = None if presence is None else call_with(later(20), alice=presence)
    made = invitation(operation(0, state=end))
    current = standing(made, of, END)
    assert (current.people, current.status) == ((status,), status)
    assert not needs_settling(made.operations[0])


# What a roster states about a person, and when it showed them (Graph was asked at noon), and whether that counts.
SIGHTINGS = [
    (IN, 10, True),
    (LOBBY, 10, True),
    (LEFT, 10, True),
    (UNKNOWN, 10, True),  # they waited in the lobby, and left it
    (IN, 0, True),
    (IN, -1, False),
    (LOBBY, -1, False),
    (LEFT, -1, False),
]


@pytest.mark.parametrize(("presence", "shown", "counts"), SIGHTINGS)
@pytest.mark.parametrize(("end", "unseen"), [(completed(at=END), U), (failed(at=END), F)])
def test_several_people(end: Ended, unseen: Status, presence: Presence, shown: float, *, counts: bool) -> None:
    """Running until settled; then those have come whom a roster has shown since Graph was asked."""
    of = call_with(later(shown), alice=presence)
    made = invitation(operation(0, 1, state=end))
    before = SETTLED.replace(microsecond=0) - (SETTLE / 5)
    assert standing(made, of, before).people == (R, R)
    assert standing(made, of, before).status is R
    assert not has_ended(made, before)
    assert standing(made, of, SETTLED).people == (C if counts else unseen, unseen)
    assert has_ended(made, SETTLED)


def test_each_operation_has_its_own_time() -> None:
    """Who was seen stays so when a request of other people, which was refused, is asked again."""
    refused = operation(2, state=Refused(BUSY, final=True))
    before = invitation(operation(0, 1, state=completed(at=END, seen=())), refused)
    again = asked_again(before, later(60), "me")
    assert people(again, call_with(later(50), alice=IN), 60)[:2] == (C, U)
    ended = replace(again, operations=(again.operations[0], replace(again.operations[1], state=failed(at=later(70)))))
    assert asked_at(ended, ended.operations[0]) == ended.created
    assert asked_at(ended, ended.operations[1]) == later(60)


@pytest.mark.parametrize("end", [completed(at=END), failed(at=END)])
def test_settled_by_a_roster(end: Ended) -> None:
    """A roster that is reported after the end settles at once; what is settled stays, presence moves on."""
    made = invitation(operation(0, 1, state=end))
    settled = settle(made, call_with(later(41), alice=IN), later(41), by_roster=True)
    assert settled.operations[0].state == replace(end, seen=(0,))
    unseen = U if end.status is C else F
    assert people(settled, call_with(later(41), alice=IN), 41) == (C, unseen)
    assert settle(settled, call_with(later(42), bob=IN), later(42), by_roster=True) is settled
    both = call_with(later(50), alice=LEFT, bob=IN)
    current = standing(settled, both, later(50))
    # Of a completed request who is seen later has come after all; a person who failed stays so.
    assert current.people == (C, C if end.status is C else F)
    assert current.status is P
    assert current.joined_count == 2


def test_not_settled_too_early() -> None:
    """Without a roster nothing settles before five seconds are over, and nothing is to be written then either."""
    made = invitation(operation(0, 1, state=completed(at=END)))
    assert settles_at(made) == SETTLED
    early = SETTLED - SETTLE / 100
    assert settle(made, call_with(later(1), alice=IN), early) is made
    assert settle(made, None, SETTLED).operations[0].state == completed(at=END, seen=())
    assert settles_at(settle(made, None, SETTLED)) is None


@pytest.mark.parametrize("made", [invitation(), invitation(operation(state=completed())), invitation(operation(0, 1))])
@pytest.mark.parametrize("by_roster", [False, True])
def test_nothing_to_settle(made: Invitation, *, by_roster: bool) -> None:
    """Operations with one person, and those that go on, are left alone."""
    assert settle(made, call_with(alice=IN), later(500), by_roster=by_roster) is made


@pytest.mark.parametrize(
    ("state", "statuses"),
    [
        (failed(by=Decider.WATCHDOG, seen=()), (F, F)),
        (failed(by=Decider.WATCHDOG), (F, F)),
        (completed(by=Decider.WATCHDOG, seen=(0,)), (C, F)),
        (completed(by=Decider.WATCHDOG, seen=(0, 1)), (C, C)),
        (Refused(BUSY, final=True), (F, F)),
    ],
)
def test_inferred_ends_are_final_at_once(state: Refused | Ended, statuses: tuple[Status, ...]) -> None:
    """Only an end that Graph reports settles; of several the watchdog names those whom it saw."""
    one = operation(0, 1, state=state)
    assert is_settled(one, END)
    assert not needs_settling(one)
    assert standing(invitation(one), call_with(later(1), bob=IN), END).people == statuses


def expected_together(statuses: tuple[Status, ...]) -> Status:
    """Return the invitation's status, as section 2 of the design states it."""
    if R in statuses:
        return R
    for status in (F, C, N):
        if set(statuses) == {status}:
            return status
    if set(statuses) == {U}:
        return C
    return R if N in statuses else P


STATES: dict[Status, State] = {
    R: Asked(),
    N: Late(),
    C: completed(at=END, seen=tuple(range(8))),
    U: completed(at=END, seen=()),
    F: failed(at=END, seen=()),
}


def _of_statuses(statuses: tuple[Status, ...]) -> Invitation:
    """Return an invitation in which each person has one of the statuses, two people in each operation."""
    operations = [
        operation(place, len(statuses) + place, state=STATES[status]) for place, status in enumerate(statuses)
    ]
    return invitation(*operations, people=2 * len(statuses))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_combination(count: int) -> None:
    """The status of an invitation, for each combination of the statuses of its people."""
    for statuses in itertools.product((R, N, C, U, F), repeat=count):
        current = standing(_of_statuses(statuses), None, later(100))
        assert current.people == statuses * 2
        assert current.status is expected_together(statuses), statuses


def test_status_of_a_final_invitation_stays() -> None:
    """People of a completed request who are seen later change their own status, not the invitation's."""
    made = _of_statuses((U, U))
    assert standing(made, None, later(60)).status is C
    later_on = standing(made, call_with(later(70), alice=IN), later(70))
    assert later_on.people == (C, U, U, U)
    assert later_on.status is C


@pytest.mark.parametrize(
    ("presences", "count"), [((IN, LEFT), 2), ((IN, LOBBY), 1), ((LOBBY, UNKNOWN), 0), ((LEFT, UNKNOWN), 1)]
)
def test_joined_count(presences: tuple[Presence, Presence], count: int) -> None:
    """Who is, or was, in the call has joined; the lobby does not count, whatever the operation's status."""
    alice, bob = presences
    for state in (Asked(), failed(), completed(seen=())):
        made = invitation(operation(0, 1, state=state))
        assert standing(made, call_with(alice=alice, bob=bob), later(1)).joined_count == count


def test_each_person_has_their_own_operation() -> None:
    """People of different operations have different statuses, by their indexes."""
    made = invitation(operation(1, state=failed()), operation(0, 2, state=completed(seen=(2,))))
    current = standing(made, call_with(carol=IN), later(60))
    assert current.people == (U, F, C)
    assert [one.people for one in current.operations] == [(0, 2), (1,), (0, 2)]


def test_presence_by_id_in_any_case() -> None:
    """Graph writes ids in any letter case."""
    assert presence_of(call_with(alice=IN), " ALICE") is IN
    assert presence_of(None, "alice") is UNKNOWN


def test_first_failure_stands_for_the_whole() -> None:
    """The result of an invitation is the first failure's, else the first there is."""
    other = ResultInfo(603, 0, "declined")
    good, bad, silent = (operation(state=state) for state in (completed(), failed(), failed(None)))
    declined = operation(state=failed(other))
    cases: list[tuple[list[Operation], ResultInfo | None]] = [
        ([good, bad, declined], BUSY),
        ([good, silent, declined], other),
        ([good, silent], FINE),
        ([operation()], None),
    ]
    for operations, result in cases:
        assert result_of(operations) == result


@pytest.mark.parametrize(
    ("states", "seconds"),
    [
        ((None,), None),
        ((Late(),), None),
        ((Refused(BUSY, final=False),), None),
        ((completed(), None), None),
        ((completed(at=later(9)), failed(at=later(4))), 9),
        ((Refused(BUSY, final=True),), 0),
        ((Refused(BUSY, final=True), completed(at=later(9))), 9),
    ],
)
def test_concluded_at(states: tuple[State | None, ...], seconds: float | None) -> None:
    """The last end; of a refusal it is when Graph was asked."""
    made = invitation(*(operation(number, state=state) for number, state in enumerate(states)))
    expected = None if seconds is None else later(seconds) if seconds else made.asked
    assert concluded_at(made) == expected
