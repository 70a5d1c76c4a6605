"""Issuing invitations: the row before Graph, repeats, parts of their own, and flows that wait."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from domain.invitation import Invitation, Invitee, Late, Status
from domain.standing import standing
from domain.waiting import Delivery
from flows.webhook import PostResponse
from storage.errors import StorageUnavailable
from tests.never_twice.world import CALL, FLOW, World, operation_item, roster_item
from tests.worlds import pass_time, stored, the_flow, the_invitation
from web.errors import ApiError, Busy, GraphRefused, KeyReused, TooManyFlows

if TYPE_CHECKING:
    from collections.abc import Mapping

ALICE, BOB, CAROL = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
FLOW_HEADERS = {"x-ms-workflow-run-id": "08584000000000000000CU1", "x-ms-workflow-operation-name": "Invite"}


@pytest.fixture
def world() -> World:
    """An empty world."""
    return World()


def invite(
    world: World,
    *people: str | Invitee,
    key: str | None = "context",
    url: str | None = None,
    run: int | None = None,
    headers: Mapping[str, str] | None = None,
    separately: bool = False,
) -> Invitation:
    """Invite people; a flow waits at ``url`` where that is given."""
    invitees = tuple(Invitee("user", {"id": one}) if isinstance(one, str) else one for one in people or (ALICE,))
    named = {} if run is None else {"x-ms-workflow-run-id": f"0858400000000000000{run}CU1"}
    try:
        invitation, _ = world.service.invite(
            world.turn(), CALL, invitees, key, {**named, **(headers or {})}, callback_url=url, separately=separately
        )
    finally:
        world.plan.countdown = 0
    assert isinstance(invitation, Invitation)
    return invitation


def contexts(world: World) -> list[str]:
    """Return the client contexts that Graph took."""
    return [taken["clientContext"] for taken in world.graph.taken]


def status(world: World, invitation: Invitation) -> Status:
    """Return the status of an invitation now."""
    return standing(invitation, None, world.clock.now()).status


def test_alarm_and_row_come_before_graph(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When Graph is asked, the row is there, running, and the message that it names is on the queue."""
    ask = world.graph.invite
    seen: list[tuple[Invitation, dict[str, Any]]] = []

    def asked(*arguments: Any, **named: Any) -> Any:
        (waiting,) = world.queue.waiting
        seen.append((the_invitation(world), waiting.message))
        assert waiting.due == world.clock.now() + timedelta(seconds=120)
        return ask(*arguments, **named)

    monkeypatch.setattr(world.graph, "invite", asked)
    after = invite(world)
    ((before, message),) = seen
    assert status(world, before) is Status.RUNNING
    assert (before.alarm.name, before.id) == (message["alarm"], message["id"])
    assert (after.alarm, after.operations[0].id) == (before.alarm, world.graph.taken[0]["id"])
    assert len(world.queue.waiting) == 1


@pytest.mark.parametrize(("step", "in_a_row"), [(1, 1), (2, 3)], ids=["message", "row, and whether it is there"])
def test_without_alarm_or_row_nobody_is_called(world: World, step: int, in_a_row: int) -> None:
    """503: neither the message nor the row may be missing when Graph is asked."""
    world.plan.kind, world.plan.countdown, world.plan.in_a_row = "storage", step, in_a_row
    with pytest.raises(StorageUnavailable):
        invite(world)
    assert world.graph.taken == []


@pytest.mark.parametrize("after", [False, True])
def test_answer_that_could_not_be_written(world: World, *, after: bool) -> None:
    """Graph was asked, so the flow gets 202, and a repeat calls no one; the report still finds the invitation."""
    world.plan.kind, world.plan.countdown, world.plan.after = "storage", 3, after
    assert status(world, invite(world)) is Status.RUNNING
    world.plan.after = False
    assert status(world, invite(world)) is Status.RUNNING
    assert len(world.graph.taken) == 1
    world.report(operation_item(world.graph.taken[0], "completed"))
    assert status(world, the_invitation(world)) is Status.COMPLETED


def test_separately(world: World) -> None:
    """One Graph request for each person, and an outcome for each at once."""
    invite(world, ALICE, BOB, CAROL, separately=True)
    assert contexts(world) == ["context~1of3", "context~2of3", "context~3of3"]
    world.report(operation_item(world.graph.taken[0], "completed"), operation_item(world.graph.taken[1], "failed"))
    current = standing(the_invitation(world), None, world.clock.now())
    assert current.people == (Status.COMPLETED, Status.FAILED, Status.RUNNING)


def test_repeat(world: World) -> None:
    """The same key answers with the state of the first request, and calls no one."""
    first = invite(world)
    world.report(operation_item(world.graph.taken[0], "failed"))
    for _ in range(3):
        assert status(world, invite(world)) is Status.FAILED
    assert (the_invitation(world).token, len(world.graph.taken)) == (first.token, 1)


@pytest.mark.parametrize(
    ("people", "separately", "differs"),
    [
        ((BOB,), False, "participants[0].identity.user.id"),
        ((ALICE, BOB), False, "number"),
        ((ALICE,), True, "separately"),
    ],
)
def test_key_with_another_body(world: World, people: tuple[str, ...], differs: str, *, separately: bool) -> None:
    """409 that names where the two differ, and no value."""
    invite(world)
    with pytest.raises(KeyReused, match=differs.replace("[", r"\[")) as caught:
        invite(world, *people, separately=separately)
    assert caught.value.target == "clientContext"
    assert ALICE not in caught.value.message
    assert len(world.graph.taken) == 1


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "k"}])
def test_display_name_is_not_compared(world: World, headers: dict[str, str]) -> None:
    """A repeat with another name, or without one, is the same body, under every kind of key."""
    key = None if headers else "context"
    for name in ({"displayName": "Alice"}, {"displayName": "A."}, {}):
        invite(world, Invitee("user", {"id": ALICE, **name}), key=key, headers=headers)
    assert len(world.graph.taken) == 1
    world = World()
    for name in ({"displayName": "Alice"}, {"displayName": "A."}, {}):
        invite(world, Invitee("user", {"id": ALICE, **name}), key=None, headers=FLOW_HEADERS)
    assert len(world.graph.taken) == 1


@pytest.mark.parametrize(("answer", "error"), [("throttled", Busy), ("refused", GraphRefused)])
def test_refused_request_may_be_sent_again(world: World, answer: str, error: type[ApiError]) -> None:
    """What Graph definitely refused is sent again under the same key."""
    world.graph.next_answers = [answer]
    with pytest.raises(error):
        invite(world)
    assert status(world, invite(world)) is Status.RUNNING
    assert contexts(world) == ["context"]


def test_only_the_refused_part_is_sent_again(world: World) -> None:
    """Of a split, what Graph took, or may have taken, is not sent again."""
    world.graph.next_answers = ["running", "refused", "lost after", "lost before"]
    people = [ALICE, BOB, CAROL, "00000000-0000-4000-8000-000000000004"]
    first = invite(world, *people, separately=True)
    statuses = [operation.status for operation in first.operations]
    assert statuses == [Status.RUNNING, Status.FAILED, Status.RUNNING, Status.RUNNING]
    again = invite(world, *people, separately=True)
    assert [operation.status for operation in again.operations] == [Status.RUNNING] * 4
    assert contexts(world) == ["context~1of4", "context~3of4", "context~2of4"]


def test_new_attempt_of_a_flow(world: World) -> None:
    """A flow's own headers try a failed invitation again, an explicit key does not; running or completed ones stay."""
    first = invite(world, key=None, headers=FLOW_HEADERS)
    assert invite(world, key=None, headers=FLOW_HEADERS).id == first.id
    world.report(operation_item(world.graph.taken[0], "failed"))
    second = invite(world, key=None, headers=FLOW_HEADERS)
    assert second.id != first.id
    world.report(operation_item(world.graph.taken[1], "completed"))
    assert invite(world, key=None, headers=FLOW_HEADERS).id == second.id
    assert len(world.graph.taken) == 2


def test_no_time_to_begin(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a request has no time for is ``notStarted``, and a message at once sends it, each once."""
    ask = world.graph.invite

    def slow(*arguments: Any, **named: Any) -> Any:
        world.clock.sleep(11)
        return ask(*arguments, **named)

    monkeypatch.setattr(world.graph, "invite", slow)
    first = invite(world, ALICE, BOB, CAROL, separately=True)
    assert [operation.status for operation in first.operations] == [Status.RUNNING, Status.RUNNING, Status.NOT_STARTED]
    assert isinstance(the_invitation(world).operations[2].state, Late)
    pass_time(world, 0)
    assert contexts(world) == ["context~1of3", "context~2of3", "context~3of3"]
    assert {operation.status for operation in the_invitation(world).operations} == {Status.RUNNING}
    for _ in range(3):
        pass_time(world, 60)
        invite(world, ALICE, BOB, CAROL, separately=True)
    assert len(world.graph.taken) == 3


# Flows that wait


@dataclass
class Posts:
    """What reached the flows, and what they respond."""

    script: list[PostResponse] = field(default_factory=list)
    outcome: str = "completed"
    posted: list[tuple[str, str]] = field(default_factory=list)
    meanwhile: Any = None

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> PostResponse:
        self.posted.append((url, headers["webhook-id"]))
        assert json.loads(body)["status"] == self.outcome
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return self.script.pop(0) if self.script else PostResponse(200)


@pytest.fixture
def posts(world: World, monkeypatch: pytest.MonkeyPatch) -> Posts:
    """The flows of the world."""
    posts = Posts()
    monkeypatch.setattr(world.flows, "post", posts.post)
    return posts


def test_flows_of_several_runs(world: World, posts: Posts) -> None:
    """Each run's flow is added, with an id and a token of its own; the sixth gets 409; each is notified once."""
    for run in range(5):
        invite(world, url=f"{FLOW}{run}", run=run)
    with pytest.raises(TooManyFlows):
        invite(world, url=f"{FLOW}5", run=5)
    flows = the_invitation(world).flows
    assert len({flow.token for flow in flows} | {the_invitation(world).token}) == 6
    world.clock.moment += timedelta(seconds=5)
    world.report(operation_item(world.graph.taken[0], "completed"))
    assert sorted(url for url, _ in posts.posted) == [f"{FLOW}{run}" for run in range(5)]
    assert len({message_id for _, message_id in posts.posted}) == 5
    assert len(world.graph.taken) == 1


def test_flow_that_has_cancelled(world: World, posts: Posts) -> None:
    """Of five flows the one that no longer waits gives its place to a further one, only once."""
    *_, invitation = [invite(world, url=f"{FLOW}{run}", run=run) for run in range(5)]
    world.stop_waiting(invitation, invitation.flows[1])
    invite(world, url=f"{FLOW}5", run=5)
    with pytest.raises(TooManyFlows):
        invite(world, url=f"{FLOW}6", run=6)
    world.clock.moment += timedelta(seconds=5)
    world.report(operation_item(world.graph.taken[0], "completed"))
    assert sorted(url for url, _ in posts.posted) == [f"{FLOW}{run}" for run in (0, 2, 3, 4, 5)]


def test_flow_after_five_have_the_outcome(world: World, posts: Posts) -> None:
    """A further run gets the outcome too, also at the URL of an earlier one."""
    for run in range(5):
        invite(world, url=f"{FLOW}{run}", run=run)
    world.clock.moment += timedelta(seconds=5)
    world.report(operation_item(world.graph.taken[0], "completed"))
    assert len(posts.posted) == 5
    invite(world, url=f"{FLOW}0", run=5)
    pass_time(world, 5)
    assert [url for url, _ in posts.posted[5:]] == [f"{FLOW}0"]


@pytest.mark.parametrize(
    ("runs", "urls"),
    [
        (("1", "1"), ["b"]),
        (("", ""), ["b"]),
        (("08584CU1", "08584CU2"), ["a", "b"]),
        (("any text", "another"), ["a", "b"]),
        (("x" * 300, "x" * 300), ["b"]),
        (("", "1"), ["a", "b"]),
        (("1", " "), ["a", "b"]),
    ],
)
def test_further_url(world: World, posts: Posts, runs: tuple[str, str], urls: list[str]) -> None:
    """A further URL of the same run, or where neither names one, replaces the earlier one; else it is added."""
    for run, url in zip(runs, "ab", strict=True):
        invite(world, url=FLOW + url, headers={"x-ms-workflow-run-id": run})
    world.clock.moment += timedelta(seconds=5)
    world.report(operation_item(world.graph.taken[0], "completed"))
    assert sorted(url.removeprefix(FLOW) for url, _ in posts.posted) == urls


def test_same_url_again(world: World) -> None:
    """A flow that repeats its request keeps its message id and token, and is waited for anew."""
    first = invite(world, url=FLOW).flows
    world.clock.moment += timedelta(seconds=3)
    (again,) = invite(world, url=FLOW).flows
    assert (again.message_id, again.token) == (first[0].message_id, first[0].token)
    assert again.not_before == world.clock.now() + timedelta(seconds=1)


@pytest.mark.parametrize("url", [FLOW, FLOW + "/other"])
def test_repeat_while_its_post_is_under_way(world: World, posts: Posts, url: str) -> None:
    """The claim stays in force: no second POST beside the first, whose 404 then does not count."""
    invite(world, url=FLOW)
    world.clock.moment += timedelta(seconds=5)
    posts.script = [PostResponse(404)]

    def repeats() -> None:
        world.clock.moment += timedelta(seconds=0.5)
        before = the_flow(world).claim
        invite(world, url=url)
        assert the_flow(world).claim == before is not None
        world.report(operation_item(world.graph.taken[0], "completed"))
        world.work_queue()
        assert len(posts.posted) == 1

    posts.meanwhile = repeats
    world.report(operation_item(world.graph.taken[0], "completed"))
    # The flow listens again within the request's time, which therefore notifies it.
    assert [posted for posted, _ in posts.posted] == [FLOW, url]
    assert (the_flow(world).state, the_flow(world).doubted) == (Delivery.DELIVERED, False)
    assert len(world.graph.taken) == 1


def test_repeat_after_delivery(world: World, posts: Posts) -> None:
    """The same URL was notified and is not again; another URL of the run is, with another id."""
    invite(world, url=FLOW)
    world.clock.moment += timedelta(seconds=5)
    world.report(operation_item(world.graph.taken[0], "completed"))
    invite(world, url=FLOW)
    pass_time(world, 5)
    assert len(posts.posted) == 1
    invite(world, url=FLOW + "/other")
    pass_time(world, 1)
    assert [url for url, _ in posts.posted] == [FLOW, FLOW + "/other"]
    assert len({message_id for _, message_id in posts.posted}) == 2


def test_refusal_and_a_waiting_flow(world: World, posts: Posts) -> None:
    """A flow that got the refusal as its response does not wait; its repeat does."""
    world.graph.next_answers = ["refused"]
    with pytest.raises(GraphRefused):
        invite(world, url=FLOW)
    assert the_invitation(world).flows == ()
    pass_time(world, 300)
    assert posts.posted == []
    invite(world, url=FLOW)
    assert the_flow(world).state is Delivery.WAITING


def test_without_waiting_nothing_is_posted(world: World, posts: Posts) -> None:
    """A flow that polls has no URL to notify."""
    invite(world)
    world.report(operation_item(world.graph.taken[0], "completed"))
    assert (posts.posted, stored(world)[0].flows) == ([], ())


def test_the_log_names_phones_and_the_run(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The line before Graph is asked counts the phones that are called now, and names the flow's run."""
    phones = [Invitee("phone", {"id": f"+1206555010{number}"}) for number in range(2)]
    with caplog.at_level("INFO", "call_invites"):
        invite(world, ALICE, *phones, run=1)
        invite(world, ALICE, *phones, run=2)
    (line,) = [text for text in caplog.messages if text.startswith("inviting ")]
    assert " people=3 phones=2 requests=1 " in line
    assert " flow-run-id=08584000000000000001CU1 " in line
    assert "206555" not in caplog.text


@pytest.mark.parametrize(
    ("asks", "run", "answer"),
    [(FLOW, 1, "refused"), (FLOW, 2, "refused"), (None, 2, "refused"), (FLOW, 1, "throttled"), (FLOW, 2, "throttled")],
)
def test_flow_that_subscribes_before_the_refusal(
    world: World, posts: Posts, *, asks: str | None, run: int, answer: str
) -> None:
    """A flow that got its 201 while Graph was asked is notified of the refusal; the flow that asked has it already."""
    ask = world.graph.invite

    def subscribes_then_asks(*arguments: Any, **named: Any) -> Any:
        world.clock.moment += timedelta(seconds=1)
        invite(world, url=f"{FLOW}/later", run=run)
        return ask(*arguments, **named)

    world.graph.invite = subscribes_then_asks  # type: ignore[method-assign]
    world.graph.next_answers, posts.outcome = [answer], "failed"
    with pytest.raises((GraphRefused, Busy)):
        invite(world, url=asks, run=1)
    for _ in range(3):
        pass_time(world, 120)
    assert [url for url, _ in posts.posted] == [f"{FLOW}/later"]
    assert the_flow(world).state is Delivery.DELIVERED
    assert world.graph.taken == []


def test_refused_later() -> None:
    """What a message sends and Graph refuses has failed, and the flow that got its 201 before is notified."""
    world = World()
    ask, answers = world.graph.invite, iter(["refused", "throttled", "refused"])

    def slowly(*arguments: Any, **named: Any) -> Any:
        world.clock.sleep(8)
        world.graph.next_answers = [next(answers, "throttled")]
        return ask(*arguments, **named)

    world.graph.invite = slowly  # type: ignore[method-assign]
    people = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(5)]
    after = invite(world, *people, url=FLOW, separately=True)
    assert [isinstance(one.state, Late) for one in after.operations] == [False] * 3 + [True] * 2
    for _ in range(4):
        pass_time(world, 1)
    assert status(world, the_invitation(world)) is Status.FAILED
    assert len(world.flows.posted) == 1


def test_answer_that_is_an_end_settles_by_a_roster() -> None:
    """Where Graph's answer is the end already, the next roster settles who came."""
    world = World()
    world.graph.next_answers = ["completed at once"]
    invite(world, ALICE, BOB, url=FLOW)
    world.clock.sleep(2)
    world.report(roster_item({ALICE}))
    call = world.store.all_invitations(CALL).call
    people = standing(the_invitation(world), call, world.clock.now()).people
    assert people == (Status.COMPLETED, Status.UNCONFIRMED)
    assert len(world.flows.posted) == 1


def test_throttled_key_after_the_watchdog() -> None:
    """A key that Graph was too busy for may be sent again, also minutes later."""
    world = World()
    world.graph.next_answers = ["throttled"]
    with pytest.raises(Busy):
        invite(world)
    pass_time(world, 130)
    assert status(world, the_invitation(world)) is Status.FAILED
    assert status(world, invite(world)) is Status.RUNNING
    assert len(world.graph.taken) == 1
