"""People whom the create itself calls: in a one-to-one call, and in a group call."""

from __future__ import annotations

from typing import Any

import pytest

from domain.timeline import shown
from tests.calls.fake_graph import call_item
from tests.calls.values import ANNA, BEN, call_of
from tests.calls.world import World
from tests.configured import CLIENT
from web.answers import Answer


def participants(world: World, call_id: str, **query: str) -> list[dict[str, Any]]:
    """List the participants of a call."""
    answer = world.request("participants", wide=True, route={"callId": call_id}, query=query)
    assert isinstance(answer, Answer)
    found: list[dict[str, Any]] = (answer.body or {})["value"]
    return found


def test_one_to_one() -> None:
    """The other person rings, has completed with established, and stays completed."""
    world = World()
    view = world.start(call_of(ANNA), waits=True)
    call = world.the_call()
    assert view["participants"] == [
        {"identity": {"user": {"id": ANNA}}, "status": "running", "reason": None, "presence": "unknown"}
    ]
    world.pass_time(2)
    world.establish(call)
    after = world.view(view["id"])
    (anna,) = after["participants"]
    assert (after["status"], after["joinedCount"]) == ("completed", 1)
    assert (anna["status"], anna["presence"], anna["reason"]) == ("completed", "inCall", None)
    assert [body["status"] for _, body in world.flows.posted] == ["completed"]
    world.end(call, code=200, subcode=4521)
    (anna,) = world.view(view["id"])["participants"]
    assert (anna["status"], anna["presence"]) == ("completed", "left")


def test_only_other_person_is_listed() -> None:
    """A one-to-one call has no roster: its other person is listed from established to the end."""
    world = World()
    world.start(call_of(ANNA))
    call = world.the_call()
    assert participants(world, call.id) == []
    world.establish(call)
    (anna,) = participants(world, call.id)
    assert (anna["identity"], anna["presence"], anna["isSelf"]) == ({"user": {"id": ANNA}}, "inCall", False)
    assert anna["leftDateTime"] is None
    world.end(call)
    assert participants(world, call.id) == []
    (anna,) = participants(world, call.id, includeLeft="true")
    assert anna["presence"] == "left"
    assert anna["leftDateTime"] is not None


def test_established_before_the_response() -> None:
    """The other person is present also where the report came before Graph's response."""
    world = World()
    world.graph.reported_first = world.establish
    view = world.start(call_of(ANNA))
    assert view["participants"][0]["presence"] == "inCall"
    assert len(participants(world, view["callId"])) == 1


def timeline(world: World, call_id: str) -> list[str]:
    """Return the events of a call that name people."""
    return [event.kind.value for event in shown(world.store.timeline(call_id).events) if event.people]


@pytest.mark.parametrize("response", ["made", "lost after"])
def test_timeline_of_an_early_report(response: str) -> None:
    """The timeline shows who answered, or was not reached, also where Graph reported it before its response."""
    for report, event in (("establish", "answered"), ("end", "notReached")):
        world = World()
        world.graph.answers, world.graph.reported_first = [response], getattr(world, report)
        world.start(call_of(ANNA))
        (call,) = world.graph.calls.values()
        assert timeline(world, call.id) == ["invited", event]
        getattr(world, report)(call)
        assert timeline(world, call.id) == ["invited", event]


def test_terminating_is_not_established() -> None:
    """A call that ends while it rings was never answered, though Graph reports terminating."""
    world = World()
    view = world.start(call_of(ANNA))
    call = world.the_call()
    world.report(call.id, call_item(call.id, "terminating"))
    world.end(call, code=200, subcode=7000)
    assert world.view(view["id"])["participants"][0]["status"] == "failed"


def test_declined() -> None:
    """A call that ends before it is established: failed, with the reason of the end code."""
    world = World()
    view = world.start(call_of(ANNA))
    world.end(world.the_call(), code=486, subcode=560486)
    after = world.view(view["id"])
    assert (after["status"], after["resultInfo"]["code"]) == ("failed", 486)
    assert after["participants"][0]["reason"] == after["reason"]


def test_recorded_end_of_an_unanswered_call() -> None:
    """200/5002 was recorded for a one-to-one call that never connected: it is no success."""
    world = World()
    view = world.start(call_of(ANNA))
    world.end(world.the_call(), code=200, subcode=5002)
    assert world.view(view["id"])["status"] == "failed"


def test_group() -> None:
    """Who is shown by the roster has completed; who is not is unconfirmed 90 seconds after established."""
    world = World()
    view = world.start(call_of(ANNA, BEN), waits=True)
    call = world.the_call()
    world.establish(call)
    assert world.view(view["id"])["status"] == "running"
    call.present = {ANNA: "p-anna"}
    world.roster(call)
    world.pass_time(88)
    assert [person["status"] for person in world.view(view["id"])["participants"]] == ["completed", "running"]
    world.pass_time(3)
    after = world.view(view["id"])
    assert [person["status"] for person in after["participants"]] == ["completed", "unconfirmed"]
    assert (after["status"], after["joinedCount"]) == ("partiallyCompleted", 1)
    assert after["participants"][1]["reason"]
    assert [body["status"] for _, body in world.flows.posted] == ["partiallyCompleted"]
    world.end(call)
    after = world.view(view["id"])
    assert [person["status"] for person in after["participants"]] == ["completed", "unconfirmed"]
    assert after["status"] == "partiallyCompleted"


def test_all_unconfirmed() -> None:
    """A group call in which no person was seen has completed, with a reason."""
    world = World()
    view = world.start(call_of(ANNA, BEN))
    world.establish(world.the_call())
    world.pass_time(95)
    after = world.view(view["id"])
    assert (after["status"], {person["status"] for person in after["participants"]}) == ("completed", {"unconfirmed"})
    assert after["reason"]


def test_group_is_seen_late() -> None:
    """Who was unconfirmed and is seen later has completed; the start stays as it is."""
    world = World()
    view = world.start(call_of(ANNA, BEN))
    call = world.the_call()
    world.establish(call)
    world.pass_time(95)
    call.present = {ANNA: "p-anna", BEN: "p-ben"}
    world.roster(call)
    after = world.view(view["id"])
    assert {person["status"] for person in after["participants"]} == {"completed"}
    assert (after["status"], after["reason"]) == ("completed", None)


def test_group_ends_without_some() -> None:
    """A group call that ends without a person: failed for them."""
    world = World()
    view = world.start(call_of(ANNA, BEN))
    call = world.the_call()
    world.establish(call)
    call.present = {ANNA: "p-anna"}
    world.roster(call)
    world.end(call, code=200, subcode=5002)
    after = world.view(view["id"])
    assert [person["status"] for person in after["participants"]] == ["completed", "failed"]
    assert after["status"] == "partiallyCompleted"
    assert [person["presence"] for person in after["participants"]] == ["left", "unknown"]


def test_group_of_which_established_was_lost() -> None:
    """Who was seen has come, though Graph's report that the call was established is lost: no outcome denies it."""
    for seen, status in (([ANNA], "partiallyCompleted"), ([ANNA, BEN], "completed")):
        world = World()
        view = world.start(call_of(ANNA, BEN), waits=True)
        call = world.the_call()
        world.pass_time(2)
        call.present = {person: call.ringing.pop(person) for person in seen}
        world.roster(call)
        world.end(call, code=200, subcode=7000)
        after = world.view(view["id"])
        assert (after["status"], after["joinedCount"]) == (status, len(seen))
        assert [body["status"] for _, body in world.flows.posted] == [status]


def test_group_to_which_nobody_came() -> None:
    """If no person came before the end, it has failed with the codes of the end."""
    world = World()
    view = world.start(call_of(ANNA, BEN))
    call = world.the_call()
    world.establish(call)
    world.end(call, code=200, subcode=5010)
    after = world.view(view["id"])
    assert (after["status"], after["resultInfo"]["subcode"]) == ("failed", 5010)
    assert after["reason"] == after["participants"][0]["reason"]


def test_call_kinds() -> None:
    """A call's title names what it is and when it began; a subject goes before."""
    world = World()
    one = world.start(call_of(ANNA))["call"]
    several = world.start(call_of(ANNA, BEN))["call"]
    titled = world.start(call_of(ANNA, subject="Incident 12"))["call"]
    assert one["title"].startswith("One-to-one call, 2026-01-31 12:00")
    assert several["title"].startswith("Group call, ")
    assert (titled["title"], titled["subject"]) == ("Incident 12", "Incident 12")


def test_app_itself() -> None:
    """The app's own entry has isSelf, by its id or as an application with its client id; no other entry has."""
    world = World()
    world.start(call_of(ANNA, BEN))
    call = world.the_call()
    world.establish(call)
    call.present = {ANNA: "p-anna"}
    world.roster(call)
    assert {one["id"]: one["isSelf"] for one in participants(world, call.id)} == {
        f"app-{call.id}": True,
        "p-anna": False,
    }
    entries = [
        {"id": f"p{number}", "info": {"identity": {"application": {"id": identity_id}}}}
        for number, identity_id in enumerate([CLIENT.upper(), f"28:{CLIENT}", "another"])
    ]
    world.report(
        call.id,
        {
            "changeType": "updated",
            "resourceUrl": f"/communications/calls/{call.id}/participants",
            "resourceData": [{"@odata.type": "#microsoft.graph.participant", **one} for one in entries],
        },
    )
    assert [one["isSelf"] for one in participants(world, call.id)] == [True, True, False]
    stored = world.stored_call(call.id)
    assert stored is not None
    assert stored.my_participant_id == f"app-{call.id}"
