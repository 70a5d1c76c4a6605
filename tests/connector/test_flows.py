"""Each sample flow, run as written against the app and a simulated Graph: what a maker sees happen does happen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import requests

from connector.routes import ROOT
from tests.connector.interpreter import FAILED, SKIPPED, SUCCEEDED, TIMED_OUT, printed
from tests.connector.running import KEY

if TYPE_CHECKING:
    from tests.connector.conftest import Running

FLOWS = sorted((ROOT / "connector" / "flows").glob("*.json"))
ANNA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"
CLEO = "33333333-3333-4333-8333-333333333333"
PHONE = "+12065550100"
WAITING = {"invite-and-wait": "Invite_people_and_wait", "http-webhook": "Invite_and_wait"}


def _invited(running: Running, call_id: str) -> list[str]:
    """Ask the app whom the flow has had rung, in order."""
    answer = requests.get(
        f"{running.app}/api/calls/{call_id}/invitations", headers={"x-functions-key": KEY}, timeout=30
    )
    people = [person for entry in reversed(answer.json()["value"]) for person in entry["participants"]]
    return [identity["id"] for person in people for identity in person["identity"].values()]


@pytest.mark.parametrize("name", WAITING)
def test_waiting_flow_goes_on_when_all_answered(running: Running, name: str) -> None:
    """The webhook action pauses until everybody has answered and goes on with the outcome."""
    run = running.run(name, callId=running.new_call(), userIds=[ANNA, BEN])
    assert run.status(WAITING[name]) == SUCCEEDED, printed(run)
    assert run.outputs("All_came") == "All are in the call."
    assert len([sent for sent in run.wire.log if sent.method == "GET"]) == 0, "nothing is polled"


@pytest.mark.parametrize("name", WAITING)
def test_waiting_flow_hears_of_a_decline(running: Running, name: str) -> None:
    """A failure comes as an outcome too: the condition after the action sees it."""
    running.graph.person(ANNA, "declines")
    run = running.run(name, callId=running.new_call(), userIds=[ANNA])
    assert run.status("All_came") == SKIPPED, printed(run)
    assert run.outputs("Not_all_came").startswith("Not all came: failed.")


@pytest.mark.parametrize("name", WAITING)
def test_waiting_flow_hears_of_a_refusal_at_once(running: Running, name: str) -> None:
    """Where Graph knows no such call, the action fails at once, with what to do."""
    run = running.run(name, callId="no-such-call", userIds=[ANNA])
    assert run.status(WAITING[name]) == FAILED, printed(run)
    assert "There is no such call" in run.outputs("Not_invited")
    assert len(run.wire.log) == 1, "it is not retried"


def test_a_flow_that_no_longer_waits_is_not_told(running: Running) -> None:
    """When the action times out, the engine's DELETE ends the waiting, and no outcome is sent."""
    running.graph.person(ANNA, "ringsOut", after=150)
    call_id = running.new_call()
    told = len(running.callbacks.statuses)
    run = running.run("invite-and-wait", longest=0.4, callId=call_id, userIds=[ANNA])
    assert run.status("Invite_people_and_wait") == TIMED_OUT, printed(run)
    assert (run.wire.log[-1].method, run.wire.log[-1].status) == ("DELETE", 204)
    running.graph.wait_idle()
    answer = requests.get(
        f"{running.app}/api/calls/{call_id}/invitations", headers={"x-functions-key": KEY}, timeout=30
    )
    (invitation,) = answer.json()["value"]
    assert (invitation["status"], invitation["callback"]["status"]) == ("failed", "cancelled")
    assert len(running.callbacks.statuses) == told


def test_polling_flow_goes_on_when_all_answered(running: Running) -> None:
    """The HTTP action polls by itself, with none of the maker's headers, and ends with the invitation."""
    run = running.run("invite-and-poll", callId=running.new_call(), userIds=[ANNA, BEN])
    assert run.status("All_came") == SUCCEEDED, printed(run)
    first, *polls = run.wire.log
    assert first.status == 202
    assert polls
    assert all("x-functions-key" not in sent.headers for sent in polls)
    assert [sent.status for sent in polls] == [202] * (len(polls) - 1) + [200]


def test_polling_flow_fails_with_a_reason(running: Running) -> None:
    """A decline fails the action with words for a maker, and the engine does not try again."""
    running.graph.person(ANNA, "declines")
    run = running.run("invite-and-poll", callId=running.new_call(), userIds=[ANNA])
    assert run.status("Invite_people") == FAILED, printed(run)
    assert run.outputs("Nobody_came") == "The person declined. Ring somebody else."
    assert run.wire.log[-1].status == 422
    assert [sent.status for sent in run.wire.log].count(422) == 1


def test_polling_flow_sees_who_is_missing(running: Running) -> None:
    """Where some came and others did not, the action succeeds and the condition sees it."""
    running.graph.person(PHONE, "declines")
    people = [f"{number:08d}-1111-4111-8111-111111111111" for number in range(6)]
    running.graph.person(people[5], "declines")
    run = running.run("invite-and-poll", callId=running.new_call(), userIds=people)
    assert run.status("Invite_people") == SUCCEEDED, printed(run)
    assert run.outputs("Not_all_came").startswith("Not all came: partiallyCompleted.")


@pytest.mark.parametrize("status", [429, 503])
def test_the_engines_own_retries_ring_once(running: Running, status: int) -> None:
    """Graph is busy for longer than the app waits: the engine sends the action again, as it does by default."""
    running.graph.fault(route="invite", status=status, retry_after=12_000)
    call_id = running.new_call()
    run = running.run("invite-and-poll", scale=0.005, callId=call_id, userIds=[ANNA])
    assert run.status("All_came") == SUCCEEDED, printed(run)
    assert [sent.status for sent in run.wire.log[:2]] == [status, 202]
    assert _invited(running, call_id) == [ANNA]


def test_an_answer_lost_on_the_way_rings_once(running: Running) -> None:
    """An action sent again because its answer was lost is told of the same invitation, and nobody is rung again."""
    call_id = running.new_call()
    run = running.run("invite-and-poll", callId=call_id, userIds=[ANNA])
    first = run.wire.log[0]
    body = {"participants": [{"identity": {"user": {"id": ANNA}}}]}
    again = run.wire.request("POST", first.url, first.headers, body)
    assert again.status == 202
    assert again.headers["Location"] == run.wire.log[1].url
    assert _invited(running, call_id) == [ANNA]
    assert [entry.person for entry in running.graph.log.rings if entry.call_id == call_id] == [ANNA]


def test_on_call_stops_at_the_first_who_answers(running: Running) -> None:
    """People are rung one after the other until somebody answers; nobody after that is rung."""
    running.graph.person(ANNA, "declines")
    call_id = running.new_call()
    run = running.run("ring-on-call", callId=call_id, onCall=[ANNA, BEN, CLEO], phoneNumber=PHONE)
    assert run.outputs("Who_answered") == BEN, printed(run)
    assert _invited(running, call_id) == [ANNA, BEN]


def test_on_call_rings_the_phone_last(running: Running) -> None:
    """Where nobody answers, the phone is rung, through the connector's polling action."""
    for person in (ANNA, BEN):
        running.graph.person(person, "ringsOut")
    call_id = running.new_call()
    run = running.run("ring-on-call", callId=call_id, onCall=[ANNA, BEN], phoneNumber=PHONE)
    assert run.outputs("Phone_answered") == PHONE, printed(run)
    assert _invited(running, call_id) == [ANNA, BEN, PHONE]
    polls = [sent for sent in run.wire.log if sent.method == "GET"]
    assert polls
    assert all(sent.headers["x-functions-key"] == KEY for sent in polls), "polls go through the connection"


def test_on_call_says_why_nobody_answered(running: Running) -> None:
    """Where the phone is not answered either, the flow ends with the reason."""
    running.graph.everyone("busy")
    run = running.run("ring-on-call", callId=running.new_call(), onCall=[ANNA], phoneNumber=PHONE)
    assert run.status("Ring_the_phone") == FAILED, printed(run)
    assert run.outputs("Nobody_answered").startswith("The line was busy")


def test_on_call_goes_on_after_a_wrong_id(running: Running) -> None:
    """An entry of the list that can't be rung does not keep the others from being rung."""
    run = running.run("ring-on-call", callId=running.new_call(), onCall=["not-an-id", BEN], phoneNumber=PHONE)
    assert run.outputs("Who_answered") == BEN, printed(run)


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_sample_is_told_to_makers(file: object) -> None:
    """Every sample flow is explained on the makers' page, and its definition names its schema."""
    name = getattr(file, "name", "")
    assert name in (ROOT / "docs" / "makers.md").read_text(encoding="utf-8")
    flow = json.loads((ROOT / "connector" / "flows" / name).read_text(encoding="utf-8"))
    assert flow["definition"]["$schema"].endswith("/2016-06-01/workflowdefinition.json#")


def test_messages_told_to_makers_are_the_apps() -> None:
    """Each message of the makers' page is one that the app has."""
    page = (ROOT / "docs" / "makers.md").read_text(encoding="utf-8")
    rows = page.partition("| message begins |")[2].partition("\n\n")[0].splitlines()[2:]
    beginnings = [begins for row in rows for begins in row.split("|")[1].strip().split("; ")]
    rooms = ("flows", "graph", "invite", "notifications", "watchdog", "web")
    sources = [path.read_text(encoding="utf-8") for room in rooms for path in (ROOT / room).glob("*.py")]
    assert len(beginnings) > 10
    assert [begins for begins in beginnings if not any(f'"{begins}' in source for source in sources)] == []
