from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.dev.simulator.caller import ALICE, BOB, PHONE, Caller

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.simulator.inbox import Inbox


def _operation(graph: Simulator, inbox: Inbox) -> dict[str, Any]:
    """The one finished operation that was reported."""
    assert graph.wait_idle()
    (received,) = inbox.about("operation")
    data: dict[str, Any] = received.data
    return data


def _lobby(received: Any) -> list[bool]:
    return [someone["isInLobby"] for someone in received.people]


def test_by_default_people_answer(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """The operation completes without a result, then the roster shows the person."""
    operation_id = caller.invite(call_id, ALICE).json()["id"]
    operation = _operation(graph, inbox)
    assert (operation["id"], operation["status"]) == (operation_id, "completed")
    assert "resultInfo" not in operation
    assert [received.items[0]["changeType"] for received in inbox.received] == ["deleted", "updated"]
    (someone,) = inbox.about("roster")[0].people
    assert someone["info"]["identity"]["user"]["id"] == ALICE
    assert [ring.outcome for ring in graph.log.rings] == ["answered"]


@pytest.mark.parametrize(
    ("outcome", "code", "subcode", "logged"),
    [
        ("declines", 603, 0, "declined"),
        ("busy", 486, 560486, "busy"),
        ("ringsOut", 487, 10004, "rangOut"),
        ("fails", 500, 0, "failed"),
    ],
)
def test_a_person_who_does_not_come_fails_the_operation(
    graph: Simulator, inbox: Inbox, caller: Caller, call_id: str, *, outcome: Any, code: int, subcode: int, logged: str
) -> None:
    """The failure has code, subcode and a message that names the person; the roster stays as it is."""
    graph.person(PHONE, outcome, after=1)
    caller.invite(call_id, PHONE)
    operation = _operation(graph, inbox)
    assert operation["status"] == "failed"
    info = operation["resultInfo"]
    assert (info["code"], info["subcode"]) == (code, subcode)
    assert info["message"].startswith(f"addParticipants failed for participant 4:{PHONE}. Underlying reason: ")
    assert info["message"].endswith(f". DiagCode: {code}#{subcode}.@")
    assert inbox.about("roster") == []
    assert [ring.outcome for ring in graph.log.rings] == [logged]


def test_a_failure_can_have_any_code_and_text(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """Code, subcode and reason are those of the options."""
    graph.person(ALICE, "fails", code=412, subcode=9999, reason="Could not find the PSTN content")
    caller.invite(call_id, ALICE)
    info = _operation(graph, inbox)["resultInfo"]
    assert (info["code"], info["subcode"]) == (412, 9999)
    assert "Could not find the PSTN content. DiagCode: 412#9999.@" in info["message"]


def test_a_phone_rings_for_sixty_scaled_seconds(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """An unanswered call is reported after 60 seconds times the scale, not before."""
    graph.person(ALICE, "ringsOut")
    began = time.monotonic()
    caller.invite(call_id, ALICE)
    assert not graph.wait_idle(0.3)
    assert [ring.outcome for ring in graph.log.rings] == ["ringing"]
    assert _operation(graph, inbox)["status"] == "failed"
    assert 0.6 <= time.monotonic() - began < 6


def test_a_person_can_wait_in_the_lobby(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """The operation completes all the same; the roster shows the person in the lobby."""
    graph.person(ALICE, "lobby")
    caller.invite(call_id, ALICE)
    assert _operation(graph, inbox)["status"] == "completed"
    assert [_lobby(received) for received in inbox.about("roster")] == [[True]]


def test_a_person_can_be_admitted_later(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """A second roster shows the person in the call, and only that."""
    graph.person(ALICE, "lobby", admitted_after=5)
    caller.invite(call_id, ALICE)
    assert _operation(graph, inbox)["status"] == "completed"
    assert [_lobby(received) for received in inbox.about("roster")] == [[True], [False]]


def test_a_person_can_leave_again(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """A later roster lacks who left after a while, or was made to leave."""
    graph.person(ALICE, leaves_after=5)
    caller.invite(call_id, ALICE, BOB)
    assert graph.wait_idle()
    assert graph.leave(call_id, BOB)
    assert not graph.leave(call_id, BOB)
    assert graph.wait_idle()
    assert [len(received.people) for received in inbox.about("roster")][-3:] == [2, 1, 0]


def test_a_call_can_have_a_behaviour_of_its_own(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """It holds for people without a behaviour of their own."""
    call_id = graph.create_call(inbox.url, behaviour={"outcome": "declines", "after": 1}, announce=False)
    graph.person(BOB, "answers", after=1)
    caller.invite(call_id, ALICE)
    caller.invite(call_id, BOB)
    assert graph.wait_idle()
    assert {ring.person: ring.outcome for ring in graph.log.rings} == {ALICE: "declined", BOB: "answered"}


def test_everyone_can_behave_alike(graph: Simulator, caller: Caller, call_id: str) -> None:
    """A behaviour can be given to all people at once; ids are compared without case."""
    graph.everyone("busy", after=1)
    graph.person(BOB.upper(), "declines", after=1)
    caller.invite(call_id, ALICE)
    caller.invite(call_id, BOB)
    assert graph.wait_idle()
    assert [ring.outcome for ring in graph.log.rings] == ["busy", "declined"]


def test_an_operation_ends_with_the_last_person(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """It runs while a person rings; who answered earlier is on the roster already."""
    graph.person(ALICE, after=1)
    graph.person(BOB, after=20)
    caller.invite(call_id, ALICE, BOB)
    assert _operation(graph, inbox)["status"] == "completed"
    assert [("operation" if "deleted" in str(received.body) else "roster") for received in inbox.received] == [
        "roster",
        "operation",
        "roster",
    ]


def test_a_call_announces_itself(graph: Simulator, inbox: Inbox) -> None:
    """By default a new call reports that it is established, and who is in it."""
    call_id = graph.create_call(inbox.url, participants=[ALICE, PHONE])
    assert graph.wait_idle()
    assert inbox.about("call")[0].data["state"] == "established"
    assert len(inbox.about("roster")[0].people) == 2
    assert f"/communications/calls/{call_id}" in inbox.received[0].items[0]["resourceUrl"]


def test_an_ended_call_reports_its_end_and_rings_no_more(
    graph: Simulator, inbox: Inbox, caller: Caller, call_id: str
) -> None:
    """The ringing ends, and nothing more is reported of the operation."""
    caller.invite(call_id, ALICE)
    graph.end_call(call_id)
    assert graph.wait_idle()
    assert [ring.outcome for ring in graph.log.rings] == ["callEnded"]
    (received,) = inbox.received
    assert received.items[0]["changeType"] == "deleted"
    assert received.data["state"] == "terminated"
    assert (received.data["resultInfo"]["code"], received.data["resultInfo"]["subcode"]) == (200, 5001)
    assert "id" not in received.data


def test_an_ended_call_can_fail_its_operations(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """On request what still rang is reported as failed before the call's end."""
    caller.invite(call_id, ALICE)
    graph.end_call(call_id, report_pending=True)
    operation = _operation(graph, inbox)
    assert (operation["status"], operation["resultInfo"]["subcode"]) == ("failed", 8522)
    assert len(inbox.about("call")) == 1


def test_a_replaced_one_to_one_call_is_dropped(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """Once the person is in the new call the one they were in ends, as replacesCallId means it."""
    old = graph.create_call(inbox.url, kind="peerToPeer", participants=[ALICE], announce=False)
    body = {"participants": [{"identity": {"user": {"id": ALICE}}, "replacesCallId": old}]}
    caller.post(call_id, body)
    assert graph.wait_idle()
    assert graph.call(old).state == "terminated"
    assert [received.data["state"] for received in inbox.about("call")] == ["terminated"]


def test_a_moved_person_leaves_the_other_meeting(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """A meeting that a person is moved from continues without them."""
    old = graph.create_call(inbox.url, participants=[ALICE, BOB], announce=False)
    moved = {"identity": {"user": {"id": ALICE}}, "replacesCallId": old, "participantId": "p1"}
    caller.post(call_id, {"participants": [moved]})
    assert graph.wait_idle()
    assert [someone.identity.id for someone in graph.call(old).present] == [BOB]
    assert [someone.identity.id for someone in graph.call(call_id).present] == [ALICE]
