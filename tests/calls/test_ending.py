"""Leaving a call, stopping a start, removing a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from domain.start import Over
from graph.errors import Throttled
from tests.calls.fake_graph import FakeCall, call_item
from tests.calls.values import ANNA, BEN, CLEO, call_of, meeting
from tests.calls.world import World
from web.answers import Answer
from web.errors import ApiError

if TYPE_CHECKING:
    from flows.turn import Turn


def hang_up(world: World, call_id: str) -> Any:
    """Hang up; return the status."""
    answer = world.request("hang_up", route={"callId": call_id})
    return answer.status if isinstance(answer, Answer | ApiError) else answer


def remove(world: World, call_id: str, participant_id: str) -> Any:
    """Remove a person; return the status."""
    answer = world.request("remove", route={"callId": call_id, "participantId": participant_id})
    return answer.status if isinstance(answer, Answer | ApiError) else answer


def test_hang_up() -> None:
    """Everything settles at once; Graph's later report adds its result and reason."""
    world = World()
    view = world.start(meeting(ANNA, BEN, CLEO), waits=True)
    call = world.the_call()
    world.establish(call)
    world.answer(world.graph.operations[0])
    call.present[BEN] = call.ringing.pop(BEN)
    world.roster(call)
    world.pass_time(2)
    assert hang_up(world, call.id) == 204
    after = world.view(view["id"])
    assert (after["status"], after["call"]["state"], after["call"]["reason"]) == (
        "partiallyCompleted",
        "terminated",
        None,
    )
    came = [(person["status"], person["presence"]) for person in after["participants"]]
    assert came == [("completed", "left"), ("completed", "left"), ("failed", "unknown")]
    assert len(world.flows.posted) == 1
    assert world.listed() == []
    world.report(call.id, call_item(call.id, "terminated", code=200, subcode=7000, message="text"))
    call_view = world.view(view["id"])["call"]
    assert (call_view["resultInfo"]["subcode"], bool(call_view["reason"])) == (7000, True)
    assert hang_up(world, call.id) == 204
    assert world.start(meeting(clientContext="again"))["callId"] not in (None, call.id)


def test_hang_up_unknown() -> None:
    """A call that the app doesn't know: 404, and Graph is not asked."""
    world = World()
    assert hang_up(world, "unknown") == 404
    assert world.graph.asked == []


def test_hang_up_gone() -> None:
    """Graph's 404 is 204: the call is over."""
    world = World()
    world.report("of-others", call_item("of-others", "established"))
    assert hang_up(world, "of-others") == 204
    assert world.listed() == []


def test_hang_up_known_by_an_invitation() -> None:
    """A call into which people were invited is known, though Graph has reported nothing."""
    world = World()
    world.graph.calls["other"] = FakeCall("other", "", 0, None, (), state="established")
    world.invite("other", ANNA, "key")
    assert hang_up(world, "other") == 204
    assert not world.graph.calls["other"].is_alive


@pytest.mark.parametrize(
    ("answers", "status", "asked"),
    [
        (["lost before"], 204, 2),
        (["error before", "lost before"], 503, 2),
        (["throttled"], 429, 1),
        (["unavailable"], 503, 1),
        (["refused"], 422, 1),
        (["nothing sent"], 503, 1),
    ],
)
def test_graph_fails(answers: list[str], status: int, asked: int) -> None:
    """A lost response is repeated once, then 503; what Graph refuses is 422."""
    world = World()
    view = world.start(meeting())
    call = world.the_call()
    world.establish(call)
    world.graph.asked.clear()
    world.graph.other_answers = list(answers)
    assert hang_up(world, view["callId"]) == status
    assert world.graph.asked == ["hang up"] * asked
    assert call.is_alive == (status != 204)
    world.graph.other_answers = []
    assert hang_up(world, view["callId"]) == 204


def test_hang_up_before_established() -> None:
    """A start whose call is hung up has failed, and who was not called is notStarted."""
    world = World()
    view = world.start(meeting(ANNA), waits=True)
    world.pass_time(2)
    assert hang_up(world, view["callId"]) == 204
    after = world.view(view["id"])
    assert (after["status"], after["participants"][0]["status"]) == ("failed", "notStarted")
    assert after["reason"]
    assert len(world.flows.posted) == 1


def test_remove() -> None:
    """Graph's id from the roster; Graph's 404 to the first attempt is 404."""
    world = World()
    world.start(meeting())
    call = world.the_call()
    world.establish(call)
    call.present = {ANNA: "p-anna", BEN: "p-ben"}
    assert remove(world, call.id, "p-anna") == 204
    assert remove(world, call.id, "p-anna") == 404
    assert remove(world, "unknown", "p-ben") == 404
    world.graph.other_answers = ["lost before", "lost before"]
    assert remove(world, call.id, "p-ben") == 503
    world.graph.other_answers = ["lost before"]
    assert remove(world, call.id, "p-ben") == 204
    world.graph.other_answers = ["lost before"]
    assert remove(world, call.id, "p-ben") == 204  # done by the first, whose response was lost
    assert world.graph.removed == [ANNA, BEN]


def test_removal_is_not_allowed() -> None:
    """Graph's 403 is 422, with the command that the administrator has to run."""
    world = World()
    world.start(meeting())
    call = world.the_call()
    world.establish(call)
    call.present = {ANNA: "p-anna"}
    world.graph.may_remove = False
    error = world.request("remove", route={"callId": call.id, "participantId": "p-anna"})
    assert isinstance(error, ApiError)
    assert error.status == 422
    assert "Set-CsApplicationMeetingConfiguration -AllowRemoveParticipantAppIds" in error.message
    assert world.settings.client_id in error.message


@pytest.mark.parametrize("name", ["..", ".", "a/b", "ä?#%", "x" * 5_000, "\\", " "])
def test_odd_participant_ids(name: str) -> None:
    """Participant ids of any characters are 404 where Graph has none."""
    world = World()
    world.start(meeting())
    call = world.the_call()
    world.establish(call)
    assert remove(world, call.id, name) == 404
    assert call.is_alive


class TestStop:
    """Ending an open start, in every stage."""

    def test_waiting(self) -> None:
        """One that waits for another ends, and the other goes on."""
        world = World()
        world.graph.answers = ["lost after"]
        first = world.start(meeting(ANNA))
        second = world.start(meeting(BEN, clientContext="second"))
        assert world.stop(second["id"])["status"] == "stopped"
        world.establish(world.the_call())
        world.pass_time(30)
        assert world.view(first["id"])["status"] == "running"
        assert [operation["people"] for operation in world.graph.operations] == [[ANNA]]

    def test_before_established(self) -> None:
        """The call is left, and no person is called."""
        world = World()
        view = world.start(meeting(ANNA), waits=True)
        call = world.the_call()
        world.pass_time(2)
        stopped = world.stop(view["id"])
        assert (stopped["status"], stopped["participants"][0]["status"]) == ("stopped", "notStarted")
        assert stopped["reason"]
        assert not call.is_alive
        assert [body["status"] for _, body in world.flows.posted] == ["stopped"]
        world.report(call.id, call_item(call.id, "established"))
        assert world.graph.operations == []

    def test_ringing_one_to_one(self) -> None:
        """The device stops ringing with the call."""
        world = World()
        view = world.start(call_of(ANNA))
        stopped = world.stop(view["id"])
        assert not world.live()
        assert stopped["participants"][0]["status"] == "failed"
        assert stopped["participants"][0]["reason"]

    def test_running(self) -> None:
        """Who rings is cancelled, who has answered is not removed, and the call is left."""
        world = World()
        view = world.start(meeting(ANNA, BEN))
        call = world.the_call()
        world.establish(call)
        world.answer(world.graph.operations[0])
        stopped = world.stop(view["id"])
        assert world.graph.removed == [BEN]
        assert [person["status"] for person in stopped["participants"]] == ["completed", "failed"]
        assert "cancelled" in stopped["participants"][1]["reason"]
        assert not call.is_alive

    def test_another_invitation_is_open(self) -> None:
        """The call stays while another invitation on it is open; what could not be cancelled is tried once more."""
        world = World()
        view = world.start(meeting(ANNA))
        call = world.the_call()
        world.establish(call)
        world.invite(call.id, CLEO, "plain")
        world.graph.lists_ringing = False
        world.stop(view["id"])
        assert call.is_alive
        assert world.graph.removed == []
        world.graph.lists_ringing = True
        world.pass_time(6)
        assert world.graph.removed == [ANNA]
        world.pass_time(600)
        assert world.graph.removed == [ANNA]
        assert all(start.cancel_at is None for start in world.starts())

    def test_own_open_invitation(self) -> None:
        """People of its own whom Graph does not list yet don't keep the call."""
        world = World()
        view = world.start(meeting(ANNA))
        call = world.the_call()
        world.establish(call)
        world.graph.lists_ringing = False
        world.stop(view["id"])
        assert not call.is_alive

    def test_final(self) -> None:
        """A start that is final stays as it is, and so does its call."""
        world = World()
        view = world.start(meeting())
        call = world.the_call()
        world.establish(call)
        assert world.stop(view["id"])["status"] == "completed"
        assert call.is_alive

    def test_twice(self) -> None:
        """Stopping is idempotent; result is 200 with it, and it is posted once."""
        world = World()
        view = world.start(meeting(ANNA), waits=True)
        world.pass_time(2)
        first, second = world.stop(view["id"]), world.stop(view["id"])
        assert first == second
        token = world.starts()[0].token
        result = world.request("result", route={"startId": view["id"]}, query={"token": token})
        assert isinstance(result, Answer)
        assert (result.status, (result.body or {})["status"]) == (200, "stopped")
        world.pass_time(600)
        assert len(world.flows.posted) == 1

    def test_unknown(self) -> None:
        """There is no such start: 404."""
        error = World().stop("A" * 26)
        assert isinstance(error, ApiError)
        assert error.status == 404

    def test_while_people_are_called(self) -> None:
        """Stopped while its people are being called: they are cancelled once Graph has answered."""
        world = World()
        view = world.start(meeting(ANNA))
        call = world.the_call()
        world.invite(call.id, CLEO, "plain")
        original = world.graph.invite

        def invite(*arguments: Any, **named: Any) -> Any:
            answer = original(*arguments, **named)
            world.graph.invite = original  # type: ignore[method-assign]
            world.graph.lists_ringing = False
            world.stop(view["id"])
            world.graph.lists_ringing = True
            return answer

        world.graph.invite = invite  # type: ignore[method-assign]
        world.establish(call)
        assert world.graph.removed == [ANNA]
        assert world.view(view["id"])["status"] == "stopped"

    @pytest.mark.parametrize("step", range(1, 16))
    @pytest.mark.parametrize("after", [False, True])
    def test_killed(self, step: int, *, after: bool) -> None:
        """Killed at any step of stopping, the call is left in the end."""
        world = World()
        view = world.start(meeting(ANNA), waits=True)
        call = world.the_call()
        world.establish(call)
        world.pass_time(2)
        world.plan.countdown, world.plan.kind, world.plan.after = step, "crash", after
        world.stop(view["id"])
        (start,) = world.starts()
        if not isinstance(start.stage, Over):
            world.stop(view["id"])
        world.pass_time(700)
        assert world.view(view["id"])["status"] == "stopped"
        assert not call.is_alive
        assert world.flows.posted


@pytest.mark.parametrize("turns_up_later", [False, True])
def test_left_once(monkeypatch: pytest.MonkeyPatch, *, turns_up_later: bool) -> None:
    """While a request leaves the call of a stopped start, no message does so as well."""
    world = World()
    hang_up, left = world.graph.hang_up, []

    def slowly(call_id: str, *, scenario_id: str) -> None:
        left.append(call_id)
        world.work_queue()
        hang_up(call_id, scenario_id=scenario_id)

    monkeypatch.setattr(world.graph, "hang_up", slowly)
    if turns_up_later:
        world.graph.answers = ["lost after"]
    view = world.start(meeting(ANNA))
    call = world.the_call()
    world.stop(view["id"])
    world.report(call.id, call_item(call.id, "establishing"))
    world.pass_time(30)
    assert left == [call.id]


def test_left_once_by_all_parts_of_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows is done side by side: of two parts of a turn that find a call of no further use, one leaves it."""
    world = World()
    world.start(meeting(ANNA, leaveAfterwards=True))
    call = world.the_call()
    world.establish(call)
    endings: Any = world.parts.routes._endings
    hang_up, leave_if_done = world.graph.hang_up, endings.leave_if_done
    turns: list[Turn] = []
    left: list[str] = []

    def slowly(call_id: str, *, scenario_id: str) -> None:
        left.append(call_id)
        if len(left) == 1:
            leave_if_done(turns[0], call_id)
        hang_up(call_id, scenario_id=scenario_id)

    def noted(turn: Turn, call_id: str) -> None:
        turns.append(turn)
        leave_if_done(turn, call_id)

    monkeypatch.setattr(world.graph, "hang_up", slowly)
    monkeypatch.setattr(endings, "leave_if_done", noted)
    world.answer(world.graph.operations[0])
    assert left == [call.id]


def test_busy_when_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is about leaving the call, not about a person who was not called."""
    world = World()
    world.start(meeting(ANNA))
    call = world.the_call()

    def busy(call_id: str, *, scenario_id: str) -> None:
        raise Throttled(429)

    monkeypatch.setattr(world.graph, "hang_up", busy)
    answer = world.request("hang_up", route={"callId": call.id})
    assert isinstance(answer, ApiError)
    assert str(answer) == "Microsoft Graph is busy, so the call was not left. Try again in a minute."


@pytest.mark.parametrize("participant_id", ["..", ".", "", "a/b", "a%2fb", "a?b", "a\nb", "x" * 257])
def test_remove_no_id(participant_id: str) -> None:
    """What can't be an ID is not sent: an HTTP client would turn ``..`` into the removal of the app's own leg."""
    world = World()
    world.start(meeting())
    world.graph.asked.clear()
    assert remove(world, world.the_call().id, participant_id) == 404
    assert world.graph.asked == []
