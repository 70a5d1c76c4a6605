"""Calls that the app made: lobby, keep-alive, being alone, hanging up, growing, and odd reports."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.dev.simulator.caller import ALICE, BOB, Caller, by_id, by_token, coordinates, error_of, targets

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.simulator.inbox import Inbox, Received


def _joined(graph: Simulator, inbox: Inbox, caller: Caller, **options: Any) -> str:
    """Join a meeting, with Alice in it unless the options say otherwise, and return the call's id."""
    meeting = graph.meeting(**{"participants": [ALICE], **options})
    call_id: str = caller.create(graph, inbox, **coordinates(meeting)).json()["id"]
    assert graph.wait_idle()
    return call_id


def _end(inbox: Inbox) -> tuple[int, int]:
    """Code and subcode of the one call that ended."""
    (end,) = (received for received in inbox.about("call") if received.items[0]["changeType"] == "deleted")
    return end.data["resultInfo"]["code"], end.data["resultInfo"]["subcode"]


def _ended(graph: Simulator, call_id: str, seconds: float = 5) -> bool:
    """Wait until a call has ended."""
    call = graph.call(call_id)
    for _ in range(int(seconds / 0.02)):
        if call.has_ended:
            return graph.wait_idle()
        graph.wait_idle()
        time.sleep(0.02)
    return False


def _states(received: list[Received]) -> list[str]:
    return [one.data.get("state", "-") for one in received]


def test_a_call_lives_while_it_is_kept_alive(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A keepAlive is 200 without a body; 45 scaled minutes without one end the call with 408/8537."""
    graph.limits(keep_alive=100)
    call_id = _joined(graph, inbox, caller)
    for _ in range(4):
        time.sleep(0.3)
        answer = caller.act(call_id, "keepAlive")
        assert (answer.status_code, answer.content) == (200, b"")
    assert not graph.call(call_id).has_ended
    assert _ended(graph, call_id)
    assert _end(inbox) == (408, 8537)
    assert error_of(caller.act(call_id, "keepAlive")) == (404, "8522")


def test_by_default_a_call_lives_for_45_minutes(graph: Simulator) -> None:
    """The limit is the documented one."""
    assert graph.world.limits.keep_alive == 45 * 60


def test_calls_of_others_need_no_keep_alive(graph: Simulator, inbox: Inbox) -> None:
    """A call that a test makes has no end of its own, unless asked for."""
    graph.limits(keep_alive=1, alone=1)
    mine = graph.create_call(inbox.url, managed=True)
    others = graph.create_call(inbox.url)
    assert not _ended(graph, others, 0.3)
    assert not graph.call(mine).has_ended


@pytest.mark.parametrize(("people", "subcode"), [([], 5013), ([ALICE], 5010)])
def test_a_call_ends_when_the_app_is_alone(
    graph: Simulator, inbox: Inbox, caller: Caller, people: list[str], subcode: int
) -> None:
    """Whatever keepAlive does: 5013 where no one ever came, 5010 after everybody left."""
    graph.limits(alone=20)
    call_id = _joined(graph, inbox, caller, participants=people)
    for person in people:
        graph.leave(call_id, person)
    assert _ended(graph, call_id)
    assert _end(inbox) == (200, subcode)


def test_people_who_ring_keep_the_app_company(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A call isn't empty while a person is being called."""
    graph.limits(alone=60)
    graph.person(BOB, "answers", after=130)
    call_id = _joined(graph, inbox, caller, participants=[])
    caller.invite(call_id, BOB)
    assert graph.wait_idle()
    assert not graph.call(call_id).has_ended
    assert [len(received.people) for received in inbox.about("roster")] == [0, 1]


def test_the_app_hangs_up(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """204, terminating and terminated with 7000; the others stay; a second time it is 404."""
    call_id = _joined(graph, inbox, caller)
    assert caller.delete(call_id).status_code == 204
    assert graph.wait_idle()
    assert _states(inbox.about("call")) == ["establishing", "established", "established", "terminating", "terminated"]
    assert _end(inbox) == (200, 7000)
    assert error_of(caller.delete(call_id)) == (404, "8522")
    assert [someone.identity.id for someone in graph.call(call_id).present] == [ALICE]


def test_hanging_up_stops_the_ringing(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A one-to-one call that rings, and invitations into a meeting, end with the leg."""
    graph.everyone("ringsOut", after=100)
    one = caller.create(graph, inbox, targets=targets(ALICE)).json()["id"]
    caller.delete(one)
    call_id = _joined(graph, inbox, caller)
    caller.invite(call_id, BOB)
    caller.delete(call_id)
    assert graph.wait_idle()
    assert [ring.outcome for ring in graph.log.rings] == ["callEnded", "callEnded"]
    assert inbox.about("operation") == []


def test_the_app_can_wait_in_the_lobby(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Until it is admitted the call is being established, and no one can be invited."""
    meeting = graph.meeting(lobby=True, admitted_after=100)
    call_id = caller.create(graph, inbox, **coordinates(meeting)).json()["id"]
    assert caller.get(call_id).json()["state"] == "establishing"
    assert error_of(caller.invite(call_id, ALICE)) == (400, "8501")
    assert graph.wait_idle()
    assert caller.get(call_id).json()["state"] == "established"


def test_the_lobby_ends(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """An app that is never admitted is removed: 5855."""
    graph.limits(lobby=10)
    call_id = caller.create(graph, inbox, **coordinates(graph.meeting(lobby=True))).json()["id"]
    assert _ended(graph, call_id)
    assert _end(inbox) == (200, 5855)


def test_a_join_can_fail_after_it_was_accepted(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """201, establishing, and then an end with any code."""
    _joined(graph, inbox, caller, code=500, subcode=7117)
    assert _states(inbox.about("call")) == ["establishing", "terminated"]
    assert _end(inbox) == (500, 7117)


def test_people_come_and_go_by_themselves(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A roster follows each change; a person may wait in the lobby."""
    call_id = _joined(graph, inbox, caller)
    graph.join(call_id, BOB, in_lobby=True)
    graph.leave(call_id, ALICE)
    assert graph.wait_idle()
    assert [len(received.people) for received in inbox.about("roster")] == [1, 2, 1]
    assert inbox.about("roster")[-1].people[0]["isInLobby"] is True


def test_people_who_were_there_before_may_never_be_reported(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Notified rosters lack them, reads don't, and a change brings them up."""
    call_id = _joined(graph, inbox, caller, earlier_people="hidden")
    assert [len(received.people) for received in inbox.about("roster")] == [0]
    assert len(caller.get(call_id, "participants").json()["value"]) == 2
    caller.invite(call_id, ALICE)
    assert graph.wait_idle()
    assert len(inbox.about("roster")[-1].people) == 1


def test_a_meetings_end_ends_every_leg(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """The conversation ends for all people in it."""
    meeting = graph.meeting(participants=[ALICE])
    legs = [caller.create(graph, inbox, **by_id(meeting)).json()["id"] for _ in range(2)]
    assert graph.wait_idle()
    graph.end_call(legs[0])
    assert graph.wait_idle()
    assert all(graph.call(leg).has_ended for leg in legs)
    assert _states(inbox.about("call")).count("terminated") == 2
    assert meeting.conversation.listed == []


def test_a_one_to_one_call_grows(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Its thread comes late, then a token that joins it again; from then on it has a roster."""
    call_id = caller.create(graph, inbox, targets=targets(ALICE)).json()["id"]
    assert graph.wait_idle()
    inbox.received.clear()
    caller.invite(call_id, BOB)
    assert graph.wait_idle()
    thread, token = (received.data for received in inbox.about("call"))
    assert thread["state"] == token["state"] == "established"
    assert "meetingInfo" not in thread
    assert thread["chatInfo"]["threadId"].startswith("19:")
    assert [len(received.people) for received in inbox.about("roster")] == [2]
    assert len(caller.get(call_id, "participants").json()["value"]) == 3
    assert caller.create(graph, inbox, **by_token(token["meetingInfo"]["token"])).status_code == 201


@pytest.mark.parametrize(
    ("options", "states"),
    [
        ({}, ["establishing", "established", "established"]),
        ({"established": 3}, ["establishing", "established", "established", "established"]),
        ({"established": 1, "establishing": "never"}, ["established"]),
        ({"establishing": "late"}, ["established", "established", "establishing"]),
        ({"lost": "call"}, []),
        ({"copies": 2, "established": 1}, ["establishing", "establishing", "established", "established"]),
    ],
    ids=str,
)
def test_states_come_repeated_reordered_or_not_at_all(
    graph: Simulator, inbox: Inbox, caller: Caller, options: dict[str, Any], states: list[str]
) -> None:
    """As chosen for the meeting."""
    _joined(graph, inbox, caller, **options)
    assert _states(inbox.about("call")) == states


def test_states_have_no_id_and_media_comes_later(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """As recorded: the first established names the direction, the second has active audio; nothing has an id."""
    call_id = _joined(graph, inbox, caller)
    establishing, first, second = (received.data for received in inbox.about("call"))
    assert not any("id" in data for data in (establishing, first, second))
    assert (first["direction"], "mediaState" in first) == ("outgoing", False)
    assert second["mediaState"]["audio"] == "active"
    assert "coOrganizers" in second
    assert inbox.received[0].items[0]["resourceUrl"] == f"/communications/calls/{call_id}"


def test_states_can_be_as_documented(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """With id, and with codes as strings at the end."""
    call_id = _joined(graph, inbox, caller, call_form="documented")
    caller.delete(call_id)
    assert graph.wait_idle()
    assert {received.data["id"] for received in inbox.about("call")} == {call_id}
    assert inbox.received[-1].data["resultInfo"]["subcode"] == "7000"
    assert "resource" not in inbox.received[-1].items[0]


@pytest.mark.parametrize(("chat", "shown"), [("early", [1, 1, 1]), ("late", [0, 0, 1]), ("never", [0, 0, 0])])
def test_the_thread_can_come_late(graph: Simulator, inbox: Inbox, caller: Caller, chat: str, shown: list[int]) -> None:
    """With every state, with the last established, or never."""
    _joined(graph, inbox, caller, chat_info=chat)
    assert ["chatInfo" in received.data for received in inbox.about("call")] == list(map(bool, shown))


def test_an_end_can_come_without_state_or_not_at_all(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A deleted with nothing in it; or none, and only 404 shows that the call is over."""
    call_id = _joined(graph, inbox, caller, bare_end=True)
    caller.delete(call_id)
    assert graph.wait_idle()
    assert inbox.received[-1].data == {
        "@odata.type": "#microsoft.graph.call",
        "@odata.id": f"/communications/calls/{call_id}",
    }
    silent = _joined(graph, inbox, caller, lost="end")
    before = len(inbox.received)
    graph.end_call(silent)
    assert graph.wait_idle()
    assert len(inbox.received) == before
    assert error_of(caller.act(silent, "keepAlive")) == (404, "8522")


def test_everything_can_be_reported_otherwise_from_now_on(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """The simulator's own choice can change, until a reset."""
    graph.report(established=1)
    graph.report(callback_tokens="entra")
    _joined(graph, inbox, caller)
    assert _states(inbox.about("call")) == ["establishing", "established"]
    assert all(received.claims and "appid" in received.claims for received in inbox.received)
    graph.reset()
    assert graph.world.reports.defaults.established == 2
