"""Asking Graph for a call: once, whatever is repeated, lost or refused."""

from __future__ import annotations

import pytest

from domain.start import Accepted, Creating, InCall, Over
from storage.errors import StorageUnavailable
from tests.calls.fake_graph import FakeCall, call_item
from tests.calls.values import ANNA, BEN, BY_ID, FLOW_HEADERS, MEETING_ID, call_of, meeting
from tests.calls.world import World
from web.errors import ApiError

KEY = {"clientContext": "key"}


def test_callback_uri_names_start_and_attempt() -> None:
    """A lost response is found by the start and the attempt in callbackUri."""
    world = World()
    view = world.start(meeting())
    (body,) = world.graph.bodies
    assert body["callbackUri"] == f"https://app.azurewebsites.net/api/notifications?start={view['id']}&attempt=1"
    assert body["tenantId"] == world.settings.tenant_id


@pytest.mark.parametrize("answer", ["lost after", "error after"])
def test_lost_response(answer: str) -> None:
    """A create whose response is lost is never repeated; its first callback gives the call's id."""
    world = World()
    world.graph.answers = [answer]
    view = world.start(call_of(ANNA, **KEY))
    assert (view["status"], view["callId"], view["participants"][0]["status"]) == ("starting", None, "running")
    assert world.start(call_of(ANNA, **KEY))["status"] == "starting"
    call = world.the_call()
    world.establish(call)
    after = world.view(view["id"])
    assert (after["status"], after["callId"]) == ("completed", call.id)
    assert world.graph.asked.count("create") == 1


@pytest.mark.parametrize("answer", ["lost before", "error before"])
def test_response_that_never_comes(answer: str) -> None:
    """Without a callback the start has failed after the give-up time, with a reason that names Graph's code."""
    world = World(START_GIVE_UP_AFTER_SECONDS="60")
    world.graph.answers = [answer]
    view = world.start(call_of(ANNA, **KEY), waits=True)
    world.pass_time(59)
    assert world.view(view["id"])["status"] == "starting"
    world.pass_time(2)
    after = world.view(view["id"])
    assert (after["status"], after["participants"][0]["status"]) == ("failed", "failed")
    assert "never confirmed" in after["reason"]
    assert ("9999" in after["reason"]) == (answer == "error before")
    assert [body["status"] for _, body in world.flows.posted] == ["failed"]


def test_call_that_turns_up_too_late() -> None:
    """A call that turns up for a start that has failed is hung up at once."""
    world = World()
    world.graph.answers = ["lost after"]
    view = world.start(call_of(ANNA))
    world.pass_time(125)
    assert world.view(view["id"])["status"] == "failed"
    call = world.the_call()
    world.establish(call)
    assert not call.is_alive
    assert world.listed() == []


def test_call_of_a_stopped_start() -> None:
    """A call that turns up for a start that was stopped is hung up at once."""
    world = World()
    world.graph.answers = ["lost after"]
    view = world.start(call_of(ANNA))
    assert world.stop(view["id"])["status"] == "stopped"
    call = world.the_call()
    world.establish(call)
    assert not call.is_alive


def test_stray_that_cannot_be_left_at_once() -> None:
    """Where Graph is busy, leaving is tried again by the start's alarm."""
    world = World()
    world.graph.answers = ["lost after"]
    view = world.start(call_of(ANNA))
    world.stop(view["id"])
    call = world.the_call()
    world.graph.other_answers = ["unavailable"]
    world.establish(call)
    assert call.is_alive
    world.pass_time(30)
    assert not call.is_alive


def test_second_call_for_one_start() -> None:
    """A second call for one start is hung up; the first stays."""
    world = World()
    view = world.start(meeting())
    first = world.the_call()
    second = FakeCall("second", view["id"], 1, None, ())
    world.graph.calls["second"] = second
    world.report("second", call_item("second", "establishing"))
    assert (first.is_alive, second.is_alive) == (True, False)
    assert world.view(view["id"])["callId"] == first.id


def test_first_callback_before_the_response() -> None:
    """Graph may report before it answers."""
    world = World()
    world.graph.reported_first = world.establish
    view = world.start(meeting(ANNA))
    call = world.the_call()
    assert (view["status"], view["callId"]) == ("running", call.id)
    assert len(world.graph.operations) == 1
    stored = world.stored_call(call.id)
    assert stored is not None
    assert stored.start_id == view["id"]
    assert stored.alarm is not None


def test_ended_before_the_response() -> None:
    """A person who declines at once: the start has failed, with the reason of the end code."""
    world = World()
    world.graph.reported_first = lambda call: world.end(call, code=603, subcode=0, message="declined")
    view = world.start(call_of(ANNA))
    assert view["status"] == "failed"
    assert view["participants"][0]["reason"] == view["reason"]
    assert "declined" in view["reason"].casefold()
    assert world.listed() == []


@pytest.mark.parametrize(
    ("answer", "status"), [("refused", 422), ("throttled", 429), ("unavailable", 503), ("nothing sent", 503)]
)
def test_refusals(answer: str, status: int) -> None:
    """A refusal is the response; under an explicit key the same start begins its next attempt."""
    world = World()
    world.graph.answers = [answer]
    error = world.start(meeting(**KEY))
    assert isinstance(error, ApiError)
    assert error.status == status
    (refused,) = world.starts()
    assert isinstance(refused.stage, Over)
    view = world.start(meeting(**KEY))
    assert (view["id"], view["status"]) == (refused.id, "starting")
    assert world.the_call().attempt == 2


def test_refused_under_flow_headers() -> None:
    """Under a flow's own headers a refused start is followed by a new one."""
    world = World()
    world.graph.answers = ["refused"]
    world.start(meeting(), headers=FLOW_HEADERS)
    view = world.start(meeting(), headers=FLOW_HEADERS)
    assert len(world.starts()) == 2
    assert world.start(meeting(), headers=FLOW_HEADERS)["id"] == view["id"]
    assert world.graph.asked.count("create") == 2


def test_waiting_flow_of_a_refused_start() -> None:
    """A flow whose request was refused does not wait: nothing is sent to it."""
    world = World()
    world.graph.answers = ["refused"]
    assert isinstance(world.start(meeting(**KEY), waits=True), ApiError)
    world.pass_time(600)
    assert world.flows.posted == []


def test_same_key_with_another_body() -> None:
    """Another meeting, passcode, person or option is another body; a display name is not."""
    world = World()
    people = [{"identity": {"user": {"id": ANNA, "displayName": "Anna"}}}]
    world.start({"meeting": BY_ID, "participants": people, **KEY})
    assert world.start({"meeting": BY_ID, **call_of(ANNA), **KEY})["id"]
    others = (
        {"meeting": BY_ID, **call_of(BEN)},
        meeting(ANNA),
        {"meeting": {**BY_ID, "passcode": "other"}, **call_of(ANNA)},
        {"meeting": BY_ID, **call_of(ANNA), "separately": False},
        {"meeting": BY_ID, **call_of(ANNA), "leaveAfterwards": True},
        {"meeting": BY_ID, **call_of(ANNA), "subject": "Other"},
    )
    for other in others:
        error = world.start({**other, **KEY})
        assert isinstance(error, ApiError)
        assert (error.status, error.target) == (409, "clientContext")


@pytest.mark.parametrize("steps", range(1, 12))
def test_storage_fails(steps: int) -> None:
    """Wherever storage fails, a 503 means that no call was made, and a repeat makes one."""
    world = World()
    world.plan.countdown, world.plan.kind, world.plan.in_a_row = steps, "storage", 3
    first = world.start({"meeting": BY_ID, **call_of(ANNA), **KEY})
    if isinstance(first, StorageUnavailable):
        assert world.graph.asked == []
    else:
        assert not isinstance(first, Exception)
    view = world.start({"meeting": BY_ID, **call_of(ANNA), **KEY})
    assert view["status"] == "starting"
    assert world.graph.asked.count("create") == 1
    world.establish(world.the_call())
    world.pass_time(60)
    assert len(world.graph.operations) == 1


@pytest.mark.parametrize("steps", range(2, 12))
def test_response_of_storage_is_lost(steps: int) -> None:
    """Where storage did what it was asked and its response is lost, the start goes on."""
    world = World()
    world.plan.countdown, world.plan.kind, world.plan.after = steps, "storage", True
    assert world.start({"meeting": BY_ID, **call_of(ANNA), **KEY})["status"] == "starting"
    world.pass_time(25)
    assert world.graph.asked.count("create") == 1
    world.establish(world.the_call())
    world.pass_time(60)
    assert len(world.graph.operations) == 1


def test_503_is_not_begun_later() -> None:
    """A start that was answered 503 and is not repeated calls no person, and has failed after a while."""
    world = World()
    world.plan.countdown, world.plan.kind, world.plan.in_a_row = 3, "storage", 3
    assert isinstance(world.start(meeting(ANNA)), StorageUnavailable)
    (start,) = world.starts()
    assert isinstance(start.stage, Accepted)
    world.pass_time(600)
    (start,) = world.starts()
    assert isinstance(start.stage, Over)
    assert world.graph.asked == []


def test_no_message_no_call() -> None:
    """Without a message on the queue Graph is not asked."""
    world = World()
    world.plan.countdown, world.plan.kind = 1, "storage"
    assert isinstance(world.start(meeting()), StorageUnavailable)
    assert world.starts() == []
    assert world.graph.asked == []


@pytest.mark.parametrize("steps", range(1, 30))
@pytest.mark.parametrize("after", [False, True])
def test_killed(steps: int, *, after: bool) -> None:
    """Killed at any step, the start ends, Graph is asked at most once, and no call is left over."""
    world = World()
    world.graph.threads[MEETING_ID] = "19:meeting_X@thread.v2"
    world.plan.countdown, world.plan.kind, world.plan.after = steps, "crash", after
    world.start({"meeting": BY_ID, **call_of(ANNA), **KEY})
    for call in world.live():
        world.establish(call)
    world.pass_time(700)
    for operation in world.graph.operations:
        world.answer(operation)
    world.pass_time(60)
    assert world.graph.asked.count("create") <= 1
    assert len(world.graph.operations) <= 1
    for start in world.starts():
        assert start.is_final, start
        status = world.view(start.id)["status"]
        live = [call.id for call in world.live()]
        assert live == ([start.call_id] if status == "completed" else [])


def test_stages() -> None:
    """Accepted, asked, in the call."""
    world = World()
    seen: list[type] = []
    world.graph.reported_first = lambda _: seen.extend(type(start.stage) for start in world.starts())
    world.start(meeting())
    assert seen == [Creating]
    assert [type(start.stage) for start in world.starts()] == [InCall]


def test_the_log_names_the_end_once(caplog: pytest.LogCaptureFixture) -> None:
    """One line says how a start ended and how long it took, whatever is repeated."""
    world = World()
    with caplog.at_level("INFO", "call_invites"):
        view = world.start(meeting(ANNA))
        call = world.the_call()
        world.end(call, code=403, subcode=7504, message="no permission")
        world.end(call)
        world.pass_time(60)
    (line,) = [text for text in caplog.messages if text.startswith("start ended ")]
    assert f" start={view['id']} " in line
    assert " status=failed code=403 subcode=7504 seconds=" in line
