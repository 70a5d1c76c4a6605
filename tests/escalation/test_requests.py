"""Keys, headers, tokens and the form of an escalation, and what each thing costs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.call import CallKind
from domain.record import Needs
from graph.errors import Refused
from storage.store import TableStore
from tests.escalation.test_steps import body_of, joined, view
from tests.escalation.world import CALL, FLOW, EscalationWorld, entry, person

if TYPE_CHECKING:
    from domain.record import CallRecord
    from web.answers import Answer

FLOW_RUN = {"x-ms-workflow-run-id": "run-1", "x-ms-workflow-operation-name": "Escalate"}


def steps(*people: int) -> dict[str, Any]:
    """A body with one person in each step."""
    return {"steps": [{"participants": [entry(person(one))]} for one in people]}


def status_of(answer: Answer | None) -> int:
    """The status of an answer."""
    assert answer is not None
    return int(answer.status)


def token_of(answer: Answer | None) -> str:
    """The token in an answer's Location."""
    assert answer is not None
    return parse_qs(urlsplit(answer.headers["Location"]).query)["token"][0]


def test_accepted(world: EscalationWorld) -> None:
    """202 with the URL to poll, how soon, and where to look."""
    answer = world.post(steps(1))
    assert answer is not None
    name = body_of(answer)["id"]
    root = f"https://app.example/api/calls/{CALL}/escalations/{name}"
    assert answer.status == 202
    assert answer.headers["Operation-Location"] == root
    assert answer.headers["Location"].startswith(f"{root}/result?token=")
    assert int(answer.headers["Retry-After"]) > 0
    assert status_of(world.get(token=token_of(answer))) == 202
    assert status_of(world.get(token="wrong")) == 404
    world.answers(1)
    assert status_of(world.get(token=token_of(answer))) == 200


def test_subscribed(world: EscalationWorld) -> None:
    """201 with the URL that ends the waiting, whose token polls nothing."""
    answer = world.post(steps(1), wait=True)
    assert answer is not None
    assert answer.status == 201
    assert "/callback?token=" in answer.headers["Location"]
    assert answer.headers["Operation-Location"].endswith(body_of(answer)["id"])
    assert status_of(world.get(token=token_of(answer))) == 404


def test_the_form(world: EscalationWorld) -> None:
    """Exactly the documented properties."""
    world.post({**steps(1, 2), "clientContext": "incident 4711"})
    body = view(world)
    assert set(body) == {
        "id", "callId", "clientContext", "status", "reason", "stopWhen", "round", "currentStep", "joined", "steps",
        "pageUrl", "createdDateTime", "lastUpdatedDateTime",
    }  # fmt: skip
    assert (body["clientContext"], body["callId"], len(body["id"])) == ("incident 4711", CALL, 26)
    assert (body["round"], body["currentStep"], body["joined"]) == (1, 1, [])
    first, second = body["steps"]
    members = {"status", "waitSeconds", "startedDateTime", "endedDateTime", "invitationId", "participants"}
    assert set(first) == set(second) == members
    people = {"identity", "operationId", "status", "reason", "resultInfo", "presence"}
    assert set(first["participants"][0]) == set(second["participants"][0]) == people
    assert (second["startedDateTime"], second["invitationId"]) == (None, None)
    assert first["participants"][0]["operationId"] == world.graph.taken[0]["id"]
    world.answers(1)
    assert set(view(world)["joined"][0]) == {"identity", "round", "step"}


def test_failed(world: EscalationWorld) -> None:
    """422 on the result with every person's status and reason; 200 on the escalation itself."""
    answer = world.post(steps(1, 2))
    world.declines(1)
    world.declines(2)
    result = world.get(token=token_of(answer))
    assert status_of(result) == 422
    error = body_of(result)["error"]
    assert [one["target"] for one in error["details"]] == ["steps[0].participants[0]", "steps[1].participants[0]"]
    assert [one["code"] for one in error["details"]] == ["failed", "failed"]
    assert all(one["message"] for one in error["details"])
    assert error["message"] == view(world)["reason"]


def test_stopped_is_a_result(world: EscalationWorld) -> None:
    """200 with a reason."""
    answer = world.post(steps(1))
    world.stop()
    result = world.get(token=token_of(answer))
    assert (status_of(result), body_of(result)["status"]) == (200, "stopped")


def test_the_same_key(world: EscalationWorld) -> None:
    """The state of the first request, and no person is called again."""
    body = {**steps(1), "clientContext": "incident 4711"}
    first = body_of(world.post(body))
    named = {"identity": {"user": {"displayName": "Anna", "id": person(1)}}}
    second = body_of(world.post({**body, "steps": [{"participants": [named], "waitSeconds": 45}]}))
    assert first["id"] == second["id"]
    assert world.graph.calls[person(1)] == 1


@pytest.mark.parametrize("change", [{"repeat": 1}, {"stopWhen": "wholeStepJoins"}, steps(2)])
@pytest.mark.parametrize("key", [{"clientContext": "incident"}, {"idempotency-key": '"k"'}])
def test_another_body(world: EscalationWorld, key: dict[str, str], change: dict[str, Any]) -> None:
    """The same explicit key with another body is a conflict."""
    body, headers = (key, {}) if "clientContext" in key else ({}, key)
    assert status_of(world.post({**steps(1), **body}, headers=headers)) == 202
    assert status_of(world.post({**steps(1), **body, **change}, headers=headers)) == 409
    assert world.graph.calls == {person(1): 1}


def test_a_flow_that_runs_its_action_again(world: EscalationWorld) -> None:
    """While it runs and after it is won the first counts; after it has failed there is a new attempt."""
    first = body_of(world.post(steps(1), headers=FLOW_RUN))
    assert body_of(world.post(steps(1), headers=FLOW_RUN))["id"] == first["id"]
    world.declines(1)
    second = body_of(world.post(steps(1), headers=FLOW_RUN))
    assert (second["id"] != first["id"], second["status"]) == (True, "running")
    assert world.graph.calls[person(1)] == 2
    assert len({one["clientContext"] for one in world.graph.taken}) == 2


def test_an_ended_call(world: EscalationWorld) -> None:
    """404 for a new key, the state for a known one."""
    body = {**steps(1), "clientContext": "incident"}
    world.post(body)
    world.ends()
    assert status_of(world.post(steps(1))) == 404
    again = world.post(body)
    assert (status_of(again), body_of(again)["status"]) == (202, "failed")


def test_a_flow_that_runs_its_action_again_after_the_call(world: EscalationWorld) -> None:
    """Its key is known: it gets what became of it, also where its first response was lost."""
    first = body_of(world.post(steps(1), headers=FLOW_RUN))
    world.ends()
    again = world.post(steps(1), headers=FLOW_RUN)
    assert (status_of(again), body_of(again)["id"], body_of(again)["status"]) == (202, first["id"], "failed")


def test_a_slow_request(world: EscalationWorld) -> None:
    """Two seconds after it came no person is called: they are *notStarted*, and the queue calls them at once."""
    step = {"participants": [entry(person(1)), entry(person(2))]}
    request = world.request(json.dumps({"steps": [step]}).encode())
    world.clock.sleep(2.5)
    answer = world.routes.escalate(request)
    assert status_of(answer) == 202
    assert [one["status"] for one in body_of(answer)["steps"][0]["participants"]] == ["notStarted"] * 2
    assert not world.graph.taken
    world.pass_time(1)
    assert world.graph.calls == {person(1): 1, person(2): 1}


def test_an_unknown_call() -> None:
    """404 where Graph doesn't know it either, and nothing is stored."""
    world = EscalationWorld()
    world.graph.ended = True
    answer = world.post(steps(1))
    assert (status_of(answer), body_of(answer)["error"]["code"]) == (404, "CallNotFound")
    assert body_of(answer)["error"]["innerError"]["code"] == "8522"
    assert (world.memory.rows, world.queue.waiting) == ({}, [])
    world.graph.ended = False
    assert status_of(world.post(steps(1))) == 202


def test_a_one_to_one_call(world: EscalationWorld) -> None:
    """It needs a meeting."""
    store = TableStore(world.memory)

    def is_of_two(record: CallRecord) -> CallRecord:
        assert record.call is not None
        return record.with_call(replace(record.call, kind=CallKind.ONE_TO_ONE))

    store.update(CALL, Needs(call=True), is_of_two)
    answer = world.post(steps(1))
    assert (status_of(answer), body_of(answer)["error"]["code"]) == (400, "MeetingNeeded")
    assert not world.graph.taken


def test_who_was_there_before_is_read_once(world: EscalationWorld) -> None:
    """One read of Graph's participants before the first step."""
    world.post(steps(1, 2))
    assert world.graph.reads == 1
    world.declines(1)
    assert world.graph.reads == 1


def test_participants_that_cannot_be_read(world: EscalationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """People are called all the same."""

    def refused(*_: Any, **__: Any) -> Any:
        raise Refused(403)

    monkeypatch.setattr(world.graph, "roster", refused)
    assert status_of(world.post(steps(1))) == 202
    assert world.graph.calls[person(1)] == 1


def test_waiting_flows(world: EscalationWorld) -> None:
    """Five runs of flows wait and are notified once each; a sixth is a conflict, the same run is not a further one."""
    body = {**steps(1), "clientContext": "incident"}
    answers = [
        world.post({**body, "callbackUrl": f"{FLOW}{run}"}, wait=True, headers={"x-ms-workflow-run-id": f"run-{run}"})
        for run in range(6)
    ]
    assert [status_of(one) for one in answers] == [201] * 5 + [409]
    tokens = {token_of(one) for one in answers[:5]}
    assert len(tokens) == 5
    assert (
        status_of(world.post({**body, "callbackUrl": f"{FLOW}0"}, wait=True, headers={"x-ms-workflow-run-id": "run-0"}))
        == 201
    )
    assert status_of(world.cancel_wait(token_of(answers[1]))) == 204
    assert status_of(world.cancel_wait(token_of(answers[1]))) == 204
    assert status_of(world.cancel_wait("wrong")) == 404
    world.pass_time(2)
    world.answers(1)
    assert sorted(url for url, _ in world.flows.delivered) == [f"{FLOW}{run}" for run in (0, 2, 3, 4)]
    assert len({name for _, name in world.flows.delivered}) == 4
    world.pass_time(120)
    assert len(world.flows.delivered) == 4


@pytest.mark.parametrize("step", range(1, 7))
def test_two_flows_at_the_same_instant(world: EscalationWorld, step: int) -> None:
    """Each waits, with its own token, and is notified; people are called once."""
    body, answers = {**steps(1), "clientContext": "incident"}, []

    def escalate(run: str, given: dict[str, Any]) -> None:
        headers = {"x-ms-workflow-run-id": run}
        answers.append(world.post({**given, "callbackUrl": FLOW + run}, wait=True, headers=headers))

    world.plan.kind, world.plan.countdown = "meanwhile", step
    world.plan.meanwhile = lambda: escalate("second", body)
    escalate("first", body)
    assert [status_of(one) for one in answers] == [201, 201]
    assert len({token_of(one) for one in answers}) == 2
    world.pass_time(2)
    world.answers(1)
    assert sorted(url for url, _ in world.flows.delivered) == [f"{FLOW}first", f"{FLOW}second"]
    assert world.graph.calls == {person(1): 1}


def test_two_bodies_at_the_same_instant(world: EscalationWorld) -> None:
    """The later one with the same key is a conflict."""
    world.plan.kind, world.plan.countdown = "meanwhile", 2
    world.plan.meanwhile = lambda: world.post({**steps(2), "clientContext": "incident"})
    assert status_of(world.post({**steps(1), "clientContext": "incident"})) == 409
    assert world.graph.calls == {person(2): 1}


def test_a_flow_that_waits_gets_the_stop(world: EscalationWorld) -> None:
    """In the same request."""
    world.post(steps(1), wait=True)
    world.pass_time(2)
    world.stop()
    assert [url for url, _ in world.flows.delivered] == [FLOW]


def test_a_flow_is_not_notified_before_it_listens(world: EscalationWorld) -> None:
    """A request that learns the outcome within the first second waits for the rest of it."""
    world.post(steps(1), wait=True)
    began = world.clock.now()
    world.answers(1)
    assert len(world.flows.delivered) == 1
    assert (world.clock.now() - began).total_seconds() >= 1


def test_an_outcome_that_is_there_when_the_flow_subscribes(world: EscalationWorld) -> None:
    """The queue notifies it a second later."""
    world.graph.next_answers = ["refused"]
    answer = world.post(steps(1), wait=True)
    assert (status_of(answer), body_of(answer)["status"]) == (201, "failed")
    assert not world.flows.delivered
    world.pass_time(2)
    assert len(world.flows.delivered) == 1


def test_a_post_under_way_is_not_sent_by_another_run(world: EscalationWorld) -> None:
    """Whatever happens while it is claimed: a further report, a message, a stop."""
    end_while_something_happens(world)


def end_while_something_happens(world: EscalationWorld) -> None:
    """End an escalation for which a flow waits, with another report just before the POST."""
    world.post(steps(1), wait=True)
    world.pass_time(2)
    world.graph.stops_ringing(person(1))
    world.graph.present.add(person(1))
    world.flows.meanwhile = lambda: world.report(world.roster())
    world.report(world.operation(1, "completed"))
    assert not world.posts.overlaps
    assert len(world.flows.delivered) == 1


def test_several_flows_that_the_alarm_notifies(world: EscalationWorld) -> None:
    """Each is notified once, also where one POST ends while another is in progress."""
    for run in ("first", "second", "third"):
        body = {**steps(1), "clientContext": "incident", "callbackUrl": FLOW + run}
        world.post(body, wait=True, headers={"x-ms-workflow-run-id": run})
    world.flows.meanwhile = lambda: world.clock.sleep(0.5)
    world.pass_time(60)
    assert view(world)["status"] == "failed"
    assert sorted(url for url, _ in world.flows.posted) == [f"{FLOW}first", f"{FLOW}second", f"{FLOW}third"]


def test_a_flow_that_does_not_answer(world: EscalationWorld) -> None:
    """The POST is repeated with the same id."""
    world.post(steps(1), wait=True)
    world.pass_time(2)
    world.flows.statuses = [500, None]
    world.answers(1)
    assert not world.flows.delivered
    world.pass_time(30)
    assert len(world.flows.delivered) == 1


def test_what_steps_cost(world: EscalationWorld) -> None:
    """A step begun: two requests to the table and two messages besides what the outcome before it costs."""
    counted: list[str] = []
    wrap = world.plan.wrap

    def counting(step: Any, *arguments: Any, **named: Any) -> Any:
        counted.append(step.__name__)
        return wrap(step, *arguments, **named)

    world.post(steps(1, 2))
    world.plan.wrap = counting  # type: ignore[method-assign]
    world.declines(1)
    requests = [one for one in counted if one in ("get", "query", "write")]
    assert counted.count("send") == 2
    assert counted.count("invite") == 1
    # The finished operation 2, the escalation that waits for it 2, the step begun 2.
    assert requests == ["query", "write", "query", "write", "write", "query"]
    counted.clear()
    view(world)
    assert counted == ["query"]
    world.answers(2)
    assert joined(world) == [(person(2), 1, 2)]


@pytest.mark.parametrize("waits", [True, False])
def test_storage_fails_after_graph_was_asked(*, waits: bool) -> None:
    """The response is never 503 then: a repeat without a key of its own would call people twice."""
    asked = 0
    for step in range(1, 30):
        world = EscalationWorld()
        world.plan.kind, world.plan.countdown, world.plan.in_a_row = "storage", step, 1_000
        answer = world.escalate([1, 2], [3], wait=waits)
        if world.graph.taken:
            asked += 1
            assert status_of(answer) == (201 if waits else 202), step
    assert asked
