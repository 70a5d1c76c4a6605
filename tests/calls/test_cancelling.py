"""Cancelling the calls to people of an invitation; who has answered is never removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from graph.participants import read_roster
from tests.calls.fake_graph import FakeCall, entry
from tests.calls.values import ANNA, BEN, meeting
from tests.calls.world import World
from web.answers import Answer
from web.errors import ApiError

if TYPE_CHECKING:
    from domain.sightings import Roster


def running(world: World, *people: str, separately: bool = True) -> tuple[FakeCall, str]:
    """Start a call in which people are called; return it and the invitation."""
    view = world.start(meeting(*people, separately=separately))
    call = world.the_call()
    world.establish(call)
    invitation: str = world.view(view["id"])["invitationId"]
    return call, invitation


def cancel(world: World, call: FakeCall, invitation: str) -> Any:
    """Cancel an invitation; return the view or the error."""
    answer = world.request("cancel_invitation", route={"callId": call.id, "invitationId": invitation})
    return answer.body if isinstance(answer, Answer) else answer


def statuses(view: dict[str, Any]) -> list[str]:
    """Return where the people of an invitation stand."""
    return [person["status"] for person in view["participants"]]


def test_who_rings() -> None:
    """Who rings is deleted and has failed, with a reason; Graph's later report still counts."""
    world = World()
    call, invitation = running(world, ANNA, BEN)
    world.answer(world.graph.operations[0])
    view = cancel(world, call, invitation)
    assert statuses(view) == ["completed", "failed"]
    assert view["participants"][1]["reason"] == "The call to this person was cancelled."
    assert [person["presence"] for person in view["participants"]] == ["inCall", "unknown"]
    assert world.graph.removed == [BEN]
    world.answer(world.graph.operations[1])
    view = cancel(world, call, invitation)
    assert statuses(view) == ["completed", "completed"]


def test_nothing_open() -> None:
    """Nothing is open: 200, and Graph is not asked."""
    world = World()
    call, invitation = running(world, ANNA)
    world.answer(world.graph.operations[0])
    world.graph.asked.clear()
    assert statuses(cancel(world, call, invitation)) == ["completed"]
    assert world.graph.asked == []


@pytest.mark.parametrize("lobby", [False, True])
def test_answered_but_not_reported(*, lobby: bool) -> None:
    """Everybody open has answered, whatever was reported: 200, no person is removed, and the read presence is shown."""
    world = World()
    call, invitation = running(world, ANNA)
    participant = call.ringing.pop(ANNA)
    if lobby:
        world.graph.roster = lambda *_, **__: _roster(entry(ANNA, participant, lobby=True))  # type: ignore[method-assign]
    else:
        call.present[ANNA] = participant
    view = cancel(world, call, invitation)
    assert (statuses(view), view["participants"][0]["presence"]) == (["running"], "inLobby" if lobby else "inCall")
    assert world.graph.removed == []


def test_two_entries() -> None:
    """Of a person with two entries the one with media counts, wherever it stands."""
    world = World()
    call, invitation = running(world, ANNA)
    participant = call.ringing.pop(ANNA)
    entries = [entry(ANNA, participant), entry(ANNA, "other", rings=True)]
    for order in (entries, entries[::-1]):
        world.graph.roster = lambda *_, order=order, **__: _roster(*order)  # type: ignore[method-assign]
        cancel(world, call, invitation)
    assert world.graph.removed == []


def test_in_the_call_without_media() -> None:
    """Who was reported in the call and is listed without media has answered all the same."""
    world = World()
    call, invitation = running(world, ANNA)
    call.present[ANNA] = call.ringing[ANNA]
    world.roster(call)
    call.present.clear()
    cancel(world, call, invitation)
    assert world.graph.removed == []


def test_not_listed_yet() -> None:
    """Graph lists none of them: 409, and nothing changes."""
    world = World()
    call, invitation = running(world, ANNA)
    world.graph.lists_ringing = False
    error = cancel(world, call, invitation)
    assert isinstance(error, ApiError)
    assert (error.status, error.code) == (409, "NotCancellable")
    world.graph.lists_ringing = True
    assert statuses(cancel(world, call, invitation)) == ["failed"]


def test_not_allowed() -> None:
    """Graph's 403: 422 with the command for the administrator."""
    world = World()
    call, invitation = running(world, ANNA)
    world.graph.may_remove = False
    error = cancel(world, call, invitation)
    assert isinstance(error, ApiError)
    assert error.status == 422
    assert "Set-CsApplicationMeetingConfiguration" in error.message


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        (["lost before", "lost before"], 503),  # the roster
        (["done", "lost before", "error before"], 503),  # the removal
        (["throttled"], 429),
        (["done", "throttled"], 429),
        (["unavailable"], 503),
    ],
)
def test_graph_fails(answers: list[str], status: int) -> None:
    """A lost response is repeated once, then 503; nothing changes, and it can be tried again."""
    world = World()
    call, invitation = running(world, ANNA)
    world.graph.other_answers = list(answers)
    error = cancel(world, call, invitation)
    assert isinstance(error, ApiError)
    assert error.status == status
    world.graph.other_answers = ["lost before", "done", "lost before"]
    assert statuses(cancel(world, call, invitation)) == ["failed"]


def test_some_are_cancelled() -> None:
    """Some could be cancelled and others not: 200, and what happened is recorded."""
    world = World()
    call, invitation = running(world, ANNA, BEN)
    world.graph.other_answers = ["done", "done", "throttled"]
    view = cancel(world, call, invitation)
    assert statuses(view) == ["failed", "running"]
    assert statuses(cancel(world, call, invitation)) == ["failed", "failed"]


def test_together() -> None:
    """An operation of several people ends when all of them have."""
    world = World()
    call, invitation = running(world, ANNA, BEN, separately=False)
    call.present[ANNA] = call.ringing.pop(ANNA)
    view = cancel(world, call, invitation)
    assert view["operations"][0]["status"] == "running"
    assert statuses(view) == ["running", "failed"]
    world.answer(world.graph.operations[0])
    world.pass_time(6)
    assert statuses(cancel(world, call, invitation))[0] == "completed"


def test_outcome_of_the_start() -> None:
    """A start whose people were all cancelled has failed, and its flow is notified at once."""
    world = World()
    view = world.start(meeting(ANNA), waits=True)
    call = world.the_call()
    world.pass_time(2)
    world.establish(call)
    cancel(world, call, world.view(view["id"])["invitationId"])
    after = world.view(view["id"])
    assert (after["status"], after["reason"]) == ("failed", "The call to this person was cancelled.")
    assert [body["status"] for _, body in world.flows.posted] == ["failed"]


def test_unknown() -> None:
    """There is no such invitation: 404."""
    world = World()
    call, _ = running(world, ANNA)
    error = cancel(world, call, "A" * 26)
    assert isinstance(error, ApiError)
    assert error.status == 404


def _roster(*entries: dict[str, Any]) -> Roster:
    return read_roster(list(entries))
