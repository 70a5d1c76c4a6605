"""Several people in one request: one joins, one declines, and Graph has one result for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.dev.simulator.caller import ALICE, BOB, Caller, coordinates

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.simulator.inbox import Inbox, Received


def _name(received: Received) -> str:
    """``failed`` or ``completed`` for an operation; for a roster who of the two is in the call."""
    if not isinstance(received.data, list):
        return str(received.data["status"])
    return "+".join({ALICE: "Alice", BOB: "Bob"}[str(_user(someone))] for someone in received.people)


def _user(someone: dict[str, Any]) -> object:
    return someone["info"]["identity"]["user"]["id"]


def _played(graph: Simulator, inbox: Inbox, caller: Caller, **options: Any) -> list[str]:
    """Invite Alice, who joins, and Bob, who declines later; return what is reported."""
    graph.person(ALICE, "answers", after=1)
    graph.person(BOB, "declines", after=5)
    call_id = graph.create_call(inbox.url, announce=False, **options)
    caller.invite(call_id, ALICE, BOB)
    assert graph.wait_idle()
    assert [ring.outcome for ring in graph.log.rings] == ["answered", "declined"]
    return [_name(received) for received in inbox.received]


@pytest.mark.parametrize("mixed", ["failed", "completed"])
@pytest.mark.parametrize(
    ("options", "reported"),
    [
        ({}, ["Alice", "end", "Alice"]),
        ({"early_roster": False}, ["end", "Alice"]),
        ({"early_roster": False, "roster_late": 30}, ["end", "Alice"]),
        ({"early_roster": False, "roster_first": True}, ["Alice", "end"]),
        ({"lost": "operation"}, ["Alice", "Alice"]),
        ({"lost": "roster"}, ["end"]),
        ({"lost": "all"}, []),
    ],
    ids=str,
)
def test_rosters_come_before_after_or_without_the_end(
    graph: Simulator, inbox: Inbox, caller: Caller, *, mixed: str, options: dict[str, Any], reported: list[str]
) -> None:
    """The operation ends as the option says; every order of its end and the roster can be had, and each alone."""
    names = _played(graph, inbox, caller, mixed=mixed, **options)
    assert names == [mixed if name == "end" else name for name in reported]


def test_a_roster_can_come_long_after_the_end(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Seconds between the operation's end and the roster are a choice."""
    _played(graph, inbox, caller, early_roster=False, roster_late=30)
    end, roster = graph.log.callbacks
    assert roster.at - end.at >= 0.28


def test_identities_can_be_hidden_from_the_roster_of_both(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Then no roster shows who of the two came."""
    graph.person(ALICE, "answers", after=1)
    graph.person(BOB, "declines", after=2)
    call_id = graph.create_call(inbox.url, announce=False, hidden_identities="marked", mixed="completed")
    caller.invite(call_id, ALICE, BOB)
    assert graph.wait_idle()
    (someone,) = inbox.about("roster")[-1].people
    assert someone["isIdentityAnonymized"] is True
    assert _user(someone) not in {ALICE, BOB}


def test_two_invitations_of_one_person_are_two_calls(
    graph: Simulator, inbox: Inbox, caller: Caller, call_id: str
) -> None:
    """A person who declines one and answers the other is in the call."""
    graph.person(ALICE, "declines", after=3)
    caller.invite(call_id, ALICE)
    graph.person(ALICE, "answers", after=8)
    caller.invite(call_id, ALICE, context="other")
    assert graph.wait_idle()
    assert [ring.outcome for ring in graph.log.rings] == ["declined", "answered"]
    assert [_user(someone) for someone in inbox.about("roster")[-1].people] == [ALICE]


def test_a_meetings_legs_can_end_mixed_operations_either_way(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """What is chosen for a meeting holds for invitations into it."""
    call_id = caller.create(graph, inbox, **coordinates(graph.meeting(mixed="completed"))).json()["id"]
    assert graph.wait_idle()
    graph.person(BOB, "declines")
    caller.invite(call_id, ALICE, BOB)
    assert graph.wait_idle()
    assert inbox.about("operation")[0].data["status"] == "completed"
