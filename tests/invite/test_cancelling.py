"""Cancelling the calls to people, as all that cancels uses it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from domain.call import Call, Presence
from domain.roster import identity_hash
from domain.sightings import Roster, Sighting
from invite.cancelling import Canceller, Result

NOW = datetime(2026, 5, 1, tzinfo=UTC)
PEOPLE = ["anna", "ben", "carla"]


class MeetingPoint:
    """Graph, where removals wait for each other."""

    def __init__(self, parties: int) -> None:
        self.removed: list[str] = []
        self._barrier = threading.Barrier(parties, timeout=10)

    def remove_participant(self, call_id: str, participant_id: str, *, scenario_id: str) -> None:
        self._barrier.wait()
        self.removed.append(participant_id)

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        raise NotImplementedError


def rings(person: str) -> Sighting:
    """A person who is listed without media."""
    return Sighting(f"p-{person}", "user", {"id": person}, f"p-{person}", Presence.UNKNOWN, None)


def test_side_by_side() -> None:
    """Three people are removed at the same time, and each gets a result."""
    graph = MeetingPoint(3)
    tried = Canceller(graph, client_id="app").cancel(
        "call", Roster(tuple(map(rings, PEOPLE)), hides_people=False), None, PEOPLE
    )
    assert [one.result for one in tried] == [Result.CANCELLED] * 3
    assert sorted(graph.removed) == ["p-anna", "p-ben", "p-carla"]


def test_no_time_left() -> None:
    """Who rings isn't removed when there is no time; who has answered, or isn't listed, is known all the same."""
    graph = MeetingPoint(1)
    call = Call("call", NOW, NOW, presence={identity_hash("ben"): Presence.IN_CALL})
    tried = Canceller(graph, client_id="app").cancel(
        "call", Roster((rings("anna"), rings("ben")), hides_people=False), call, PEOPLE, may_begin=lambda: False
    )
    assert [one.result for one in tried] == [Result.NOT_BEGUN, Result.ANSWERED, Result.NOT_LISTED]
    assert graph.removed == []


def test_reported_and_hidden() -> None:
    """Who was reported in the call has answered, also where the list that is read hides identities."""
    call = Call("call", NOW, NOW, presence={identity_hash("anna"): Presence.IN_CALL})
    roster = Roster((), hides_people=True)
    (tried,) = Canceller(MeetingPoint(1), client_id="app").cancel("call", roster, call, ["anna"])
    assert tried.result is Result.ANSWERED
