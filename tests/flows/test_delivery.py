"""Notifying waiting flows: in the request that learns the outcome, once each, and again where that failed."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from domain.waiting import RETRY_SECONDS, Delivery
from flows.duties import run_duties
from flows.turn import Turn
from flows.urls import UrlRefused
from flows.webhook import PostResponse
from notifications.payload import reports_of
from tests.never_twice.world import CALL, World, call_item, operation_item, roster_item
from tests.worlds import pass_time, stored, the_flow, the_invitation
from web.answers import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PERSON, OTHER = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
CUT = PostResponse(None, was_cut=True)


@dataclass
class Posted:
    """One POST that reached a flow."""

    url: str
    message_id: str
    body: dict[str, Any]
    at: datetime
    seconds: float


@dataclass
class Flows:
    """Flows that respond by a script, 200 by default, and keep what they got."""

    world: World
    script: list[PostResponse | Exception] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> PostResponse:
        at = self.world.clock.now()
        self.posted.append(Posted(url, headers["webhook-id"], json.loads(body), at, seconds))
        self.meanwhile()
        response = self.script.pop(0) if self.script else PostResponse(200)
        if isinstance(response, Exception):
            raise response
        return response


@pytest.fixture
def world() -> World:
    """A flow has been waiting for one person for ten seconds."""
    world = World()
    world.invite((PERSON,), "context", {}, waits=True)
    world.clock.moment += timedelta(seconds=10)
    return world


@pytest.fixture
def flows(world: World, monkeypatch: pytest.MonkeyPatch) -> Flows:
    """The flows of the world."""
    return listening(world, monkeypatch)


def listening(world: World, monkeypatch: pytest.MonkeyPatch) -> Flows:
    """Put flows with a script into a world."""
    flows = Flows(world)
    monkeypatch.setattr(world.flows, "post", flows.post)
    return flows


def ends(world: World, status: str = "completed", place: int = 0) -> dict[str, Any]:
    """Return the report of an operation's end."""
    return operation_item(world.graph.taken[place], status)


def report_late(world: World, seconds: float, *items: dict[str, Any]) -> None:
    """Handle a callback that came some seconds ago."""
    turn = Turn(world.clock.now() - timedelta(seconds=seconds))
    world.receiver.record(turn, CALL, [report for item in items for report in reports_of(item)])
    run_duties(turn)


def test_in_the_request(world: World, flows: Flows) -> None:
    """The request that learns the outcome delivers it, and no message is added; the pending alarm finds nothing."""
    pending = list(world.queue.waiting)
    assert world.report(ends(world))
    (posted,) = flows.posted
    assert (the_flow(world).state, the_flow(world).attempts) == (Delivery.DELIVERED, 1)
    assert posted.body["status"] == "completed"
    assert "callback" not in posted.body
    assert world.queue.waiting == pending
    for _ in range(5):
        pass_time(world, 3600)
    assert len(flows.posted) == 1
    assert world.queue.waiting == []


@pytest.mark.parametrize(("late", "seconds"), [(0, 2.5), (1, 1.5), (1.99, 0.51)])
def test_cut_two_and_a_half_seconds_after_it_came(world: World, flows: Flows, late: float, seconds: float) -> None:
    """A POST gets what is left of the request's time."""
    report_late(world, late, ends(world))
    (posted,) = flows.posted
    assert posted.seconds == pytest.approx(seconds)


@pytest.mark.parametrize("late", [2, 2.4, 60])
def test_not_begun_after_two_seconds(world: World, flows: Flows, late: float) -> None:
    """What a request has no time for goes on the queue, visible at once; a message's POST has 25 seconds."""
    report_late(world, late, ends(world))
    assert flows.posted == []
    assert the_flow(world).claim is None
    pass_time(world, 0)
    assert [posted.seconds for posted in flows.posted] == [25]
    assert the_flow(world).state is Delivery.DELIVERED


def test_slow_write_of_the_claim(world: World, flows: Flows, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds are over when the claim is written: the POST is not begun, and a message takes it over at once."""
    write = world.memory.write

    def slow(group: Any) -> list[str]:
        world.clock.moment += timedelta(seconds=2.2)
        return write(group)

    monkeypatch.setattr(world.memory, "write", slow)
    world.report(ends(world))
    monkeypatch.undo()
    assert flows.posted == []
    assert (the_flow(world).claim, the_flow(world).attempts) == (None, 0)
    monkeypatch.setattr(world.flows, "post", flows.post)
    pass_time(world, 0)
    assert len(flows.posted) == 1
    assert the_flow(world).state is Delivery.DELIVERED


@pytest.mark.parametrize("already", [0, 0.4, 0.9])
def test_waits_until_the_flow_listens(monkeypatch: pytest.MonkeyPatch, already: float) -> None:
    """No flow is POSTed sooner than a second after the write that its 201 follows."""
    world = World()
    flows = listening(world, monkeypatch)
    world.invite((PERSON,), "context", {}, waits=True)
    subscribed = world.clock.now()
    world.clock.moment += timedelta(seconds=already)
    world.report(ends(world))
    (posted,) = flows.posted
    assert posted.at == subscribed + timedelta(seconds=1)


@pytest.mark.parametrize("answer", ["running", "completed at once"])
def test_outcome_before_the_201(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Graph reports before it answers, or answers with the end: a message comes when the flow listens."""
    world = World()
    flows = listening(world, monkeypatch)
    invite = world.graph.invite

    def reports_first(*arguments: Any, **named: Any) -> Any:
        world.graph.next_answers = [answer]
        response = invite(*arguments, **named)
        if answer == "running":
            world.report(ends(world))
        return response

    monkeypatch.setattr(world.graph, "invite", reports_first)
    world.invite((PERSON,), "context", {}, waits=True)
    assert flows.posted == []
    pass_time(world, 0.9)
    assert flows.posted == []
    pass_time(world, 0.1)
    assert len(flows.posted) == 1
    assert the_flow(world).state is Delivery.DELIVERED


def test_subscribing_to_a_known_outcome(world: World, flows: Flows) -> None:
    """A further flow that subscribes to what is known already is notified by a message, a second later."""
    world.report(ends(world))
    world.invite((PERSON,), "context", {"x-ms-workflow-run-id": "08584000000000000000CU1"}, waits=True)
    assert len(flows.posted) == 1
    pass_time(world, 1)
    assert len({posted.message_id for posted in flows.posted}) == 2
    assert {flow.state for flow in the_invitation(world).flows} == {Delivery.DELIVERED}


def test_several_flows_side_by_side(world: World, flows: Flows) -> None:
    """The flows that wait for two invitations, two each, are notified at the same time, and each once."""
    for context in ("context", "other"):
        for run in ("08584000000000000000CU1", "08584000000000000000CU2"):
            world.invite((PERSON,), context, {"x-ms-workflow-run-id": run}, waits=True)
    world.clock.moment += timedelta(seconds=10)
    together = threading.Barrier(5)
    flows.meanwhile = lambda: together.wait(10)
    world.report(ends(world), ends(world, place=1))
    assert len(flows.posted) == 5
    assert len({posted.message_id for posted in flows.posted}) == 5
    flows_of = [flow for invitation in stored(world) for flow in invitation.flows]
    assert [(flow.state, flow.attempts) for flow in flows_of] == [(Delivery.DELIVERED, 1)] * 5


def test_same_report_at_once(world: World, flows: Flows) -> None:
    """The report comes three times in a row and from three threads at once: one POST."""
    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(lambda _: world.report(ends(world)), range(3)))
    for _ in range(3):
        assert world.report(ends(world))
    assert len(flows.posted) == 1


def test_loser_of_a_conflict_leaves_the_claim(world: World, flows: Flows) -> None:
    """While one request POSTs, others that find the outcome do not."""

    def others() -> None:
        world.report(ends(world), roster_item({PERSON}))
        world.work_queue()

    flows.meanwhile = others
    world.report(ends(world))
    assert len(flows.posted) == 1
    assert the_flow(world).state is Delivery.DELIVERED


@pytest.mark.parametrize("first", [PostResponse(None), PostResponse(503), PostResponse(302), PostResponse(404), CUT])
def test_repeated_with_the_same_id(world: World, flows: Flows, first: PostResponse) -> None:
    """Anything but success is repeated after the first delay, by a message, under the same id."""
    flows.script = [first]
    world.report(ends(world))
    assert (the_flow(world).state, the_flow(world).last_status) == (Delivery.WAITING, first.status)
    pass_time(world, RETRY_SECONDS[0] - 1)
    assert len(flows.posted) == 1
    pass_time(world, 1)
    assert the_flow(world).state is Delivery.DELIVERED
    assert len({posted.message_id for posted in flows.posted}) == 1
    assert len(flows.posted) == 2


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ([PostResponse(404), PostResponse(404)], Delivery.UNDELIVERABLE),
        ([PostResponse(410), PostResponse(404)], Delivery.UNDELIVERABLE),
        ([CUT, PostResponse(404)], Delivery.DELIVERED),
        ([CUT, PostResponse(409)], Delivery.DELIVERED),
    ],
)
def test_second_response_ends_it(world: World, flows: Flows, script: list[Any], state: Delivery) -> None:
    """A second 404 ends the waiting; a 4xx after a POST that was cut means that the flow had it."""
    flows.script = list(script)
    world.report(ends(world))
    for _ in range(5):
        pass_time(world, 7200)
    assert the_flow(world).state is state
    assert len(flows.posted) == 2
    assert world.queue.waiting == []


def test_given_up_after_a_day(world: World, flows: Flows) -> None:
    """Each try comes in its time, by one message each; after the last the flow is undeliverable."""
    flows.script = [PostResponse(500)] * 100
    world.report(ends(world))
    for attempts, seconds in enumerate(RETRY_SECONDS, start=1):
        assert the_flow(world).attempts == attempts
        pass_time(world, seconds - 3)  # a run that comes less than two seconds early waits for it
        assert the_flow(world).attempts == attempts
        pass_time(world, 3)
    assert (the_flow(world).state, the_flow(world).attempts) == (Delivery.UNDELIVERABLE, len(RETRY_SECONDS) + 1)
    pass_time(world, 100_000)
    assert world.queue.waiting == []


def test_url_that_is_refused_now(world: World, flows: Flows) -> None:
    """A name that points into a private network by now is not tried again."""
    flows.script = [UrlRefused("its host is not on the public internet")]
    world.report(ends(world))
    assert the_flow(world).state is Delivery.UNDELIVERABLE
    pass_time(world, 7200)
    assert len(flows.posted) == 1


def test_mark_that_could_not_be_written(world: World, flows: Flows) -> None:
    """The POST succeeded and storage failed: when the claim ends it is repeated, with the same id."""

    def storage_fails() -> None:
        # The write, and the two reads that look whether it was stored.
        world.plan.kind, world.plan.countdown, world.plan.in_a_row = "storage", 1, 3

    flows.meanwhile = storage_fails
    assert world.report(ends(world))
    flows.meanwhile = lambda: None
    pass_time(world, 120)
    assert len(flows.posted) == 2
    assert len({posted.message_id for posted in flows.posted}) == 1
    assert the_flow(world).state is Delivery.DELIVERED


def test_cancelled_while_it_was_due(world: World, flows: Flows) -> None:
    """A flow that stops waiting while its POST is under way stays cancelled, and is not notified again."""
    flows.script = [PostResponse(503)]
    flows.meanwhile = lambda: _cancel(world)
    world.report(ends(world))
    assert the_flow(world).state is Delivery.CANCELLED
    pass_time(world, 7200)
    assert len(flows.posted) == 1
    assert world.queue.waiting == []


def _cancel(world: World) -> None:
    invitation = the_invitation(world)
    token = invitation.flows[0].token or ""
    route = {"callId": CALL, "invitationId": invitation.id}
    world.queries.cancel_wait(Request(route=route, query={"token": token}, arrived=world.clock.now()))


def test_failed_together_with_its_call(world: World, flows: Flows) -> None:
    """The call's end makes an outcome known as well."""
    world.report(call_item("terminated"))
    assert [posted.body["status"] for posted in flows.posted] == ["failed"]


@pytest.mark.parametrize("roster_after", [1, 4.9, None])
def test_several_people_are_posted_when_it_is_known_who_came(
    monkeypatch: pytest.MonkeyPatch, roster_after: float | None
) -> None:
    """The outcome is posted with the first roster after the end, or five seconds after it by a waiting message."""
    world = World()
    flows = listening(world, monkeypatch)
    world.invite((PERSON, OTHER), "context", {}, waits=True)
    world.clock.moment += timedelta(seconds=10)
    world.report(ends(world))
    end = world.clock.now()
    assert flows.posted == []
    if roster_after is not None:
        world.clock.moment += timedelta(seconds=roster_after)
        world.report(roster_item({PERSON}))
        assert len(flows.posted) == 1
    world.clock.moment = max(world.clock.moment, end)
    world.work_queue()
    (posted,) = flows.posted
    assert posted.at == end + timedelta(seconds=5 if roster_after is None else roster_after)
    came = "unconfirmed" if roster_after is None else "completed"
    assert [person["status"] for person in posted.body["participants"]] == [came, "unconfirmed"]
    pass_time(world, 7200)
    assert len(flows.posted) == 1


def test_alarm_of_a_settling(world: World, flows: Flows, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is visible at once, since less than thirty seconds are left, and has a second message after its time."""
    world = World()
    listening(world, monkeypatch)
    world.invite((PERSON, OTHER), "context", {}, waits=True)
    before = len(world.queue.waiting)
    world.report(ends(world))
    first, second = world.queue.waiting[before:]
    assert first.message == second.message
    end = world.clock.now()
    assert (first.due, second.due) == (end, end + timedelta(seconds=25))
    assert first.message["time"] == (end + timedelta(seconds=5)).isoformat()


def test_storage_that_fails_in_a_message(world: World) -> None:
    """The message comes back as a new one, which does not count towards the poison queue."""
    world.clock.moment += timedelta(seconds=200)
    (waiting,) = world.queue.due()
    message = world.work.read(waiting.text.encode())
    assert message is not None
    before = len(world.queue.waiting)
    world.plan.kind, world.plan.countdown = "storage", 1
    world.work.act(message)
    assert [one.message["alarm"] for one in world.queue.waiting[before:]] == [message.alarm]
