"""Each sample flow, run as written against the app and a simulated Graph: what a maker sees happen does happen."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import requests

from connector.routes import ROOT
from tests.connector import referee
from tests.connector.interpreter import FAILED, SKIPPED, SUCCEEDED, TIMED_OUT, TriggerRefused, printed
from tests.connector.running import KEY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.connector.conftest import Running

ANNA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"
PHONE = "+12065550100"
WAITING = {"invite-and-wait": "Invite_people_and_wait", "http-webhook": "Invite_and_wait"}


def _invited(running: Running, call_id: str) -> list[str]:
    """Return the people whom the flow has invited, in order."""
    url = f"{running.app}/api/calls/{call_id}/invitations"
    answer = requests.get(url, headers={"x-functions-key": KEY}, timeout=30)
    people = [person for entry in reversed(answer.json()["value"]) for person in entry["participants"]]
    return [identity["id"] for person in people for identity in person["identity"].values()]


@pytest.mark.parametrize("name", WAITING)
def test_waiting_flow_continues(running: Running, name: str) -> None:
    """The webhook action pauses the flow until all people have accepted."""
    run = running.run(name, callId=running.new_call(), userIds=[ANNA, BEN])
    assert run.status(WAITING[name]) == SUCCEEDED, printed(run)
    assert run.outputs("All_accepted") == "All people accepted the call."
    assert len([sent for sent in run.wire.log if sent.method == "GET"]) == 0, "nothing is polled"


@pytest.mark.parametrize("name", WAITING)
def test_waiting_flow_gets_a_decline(running: Running, name: str) -> None:
    """A failure is an outcome too: the condition after the action gets it."""
    running.graph.person(ANNA, "declines")
    run = running.run(name, callId=running.new_call(), userIds=[ANNA])
    assert run.status("All_accepted") == SKIPPED, printed(run)
    assert run.outputs("Not_all_accepted").startswith("Not all people accepted the call: failed.")


@pytest.mark.parametrize("name", WAITING)
def test_waiting_flow_gets_a_refusal(running: Running, name: str) -> None:
    """If the call does not exist, the action fails at once and explains what to do."""
    run = running.run(name, callId="no-such-call", userIds=[ANNA])
    assert run.status(WAITING[name]) == FAILED, printed(run)
    assert "There is no such call" in run.outputs("Not_invited")
    assert len(run.wire.log) == 1, "it is not retried"


def test_cancelled_wait(running: Running) -> None:
    """When the action times out, the DELETE ends the wait, and no outcome is sent."""
    running.graph.person(ANNA, "ringsOut", after=150)
    call_id = running.new_call()
    before = len(running.callbacks.statuses)
    run = running.run("invite-and-wait", longest=0.4, callId=call_id, userIds=[ANNA])
    assert run.status("Invite_people_and_wait") == TIMED_OUT, printed(run)
    assert (run.wire.log[-1].method, run.wire.log[-1].status) == ("DELETE", 204)
    running.graph.wait_idle()
    answer = requests.get(
        f"{running.app}/api/calls/{call_id}/invitations", headers={"x-functions-key": KEY}, timeout=30
    )
    (invitation,) = answer.json()["value"]
    assert (invitation["status"], invitation["callback"]["status"]) == ("failed", "cancelled")
    assert len(running.callbacks.statuses) == before


def test_polling_flow_continues(running: Running) -> None:
    """The HTTP action polls without the maker's headers and ends with the invitation."""
    run = running.run("invite-and-poll", callId=running.new_call(), userIds=[ANNA, BEN])
    assert run.status("All_accepted") == SUCCEEDED, printed(run)
    first, *polls = run.wire.log
    assert first.status == 202
    assert polls
    assert all("x-functions-key" not in sent.headers for sent in polls)
    assert [sent.status for sent in polls] == [202] * (len(polls) - 1) + [200]


def test_polling_flow_fails(running: Running) -> None:
    """A decline fails the action with a message, and it is not retried."""
    running.graph.person(ANNA, "declines")
    run = running.run("invite-and-poll", callId=running.new_call(), userIds=[ANNA])
    assert run.status("Invite_people") == FAILED, printed(run)
    assert run.outputs("No_one_accepted") == "The person declined the call. Try someone else."
    assert run.wire.log[-1].status == 422
    assert [sent.status for sent in run.wire.log].count(422) == 1


@pytest.mark.parametrize("name", [*WAITING, "invite-and-poll"])
def test_one_joins_one_declines(running: Running, name: str) -> None:
    """The flow goes on, and names who declined and why; who joined has their own status."""
    running.graph.person(BEN, "declines")
    call_id = running.new_call()
    run = running.run(name, callId=call_id, userIds=[ANNA, BEN])
    assert run.status({**WAITING, "invite-and-poll": "Invite_people"}[name]) == SUCCEEDED, printed(run)
    text = run.outputs("Not_all_accepted")
    assert re.fullmatch(
        "Not all people accepted the call: partiallyCompleted. Joined so far: [01]. "
        rf"{BEN}: The person declined the call. Try someone else.",
        text,
    )


@pytest.mark.parametrize("status", [429, 503])
def test_retries_call_once(running: Running, status: int) -> None:
    """Graph is busy for longer than the app waits: the default retry sends the action again."""
    running.graph.fault(route="invite", status=status, retry_after=12_000)
    call_id = running.new_call()
    run = running.run("invite-and-poll", scale=0.005, callId=call_id, userIds=[ANNA])
    assert run.status("All_accepted") == SUCCEEDED, printed(run)
    assert [sent.status for sent in run.wire.log[:2]] == [status, 202]
    assert _invited(running, call_id) == [ANNA]


def test_lost_response_calls_once(running: Running) -> None:
    """An action repeated because its response was lost gets the same invitation, and no person is called again."""
    call_id = running.new_call()
    run = running.run("invite-and-poll", callId=call_id, userIds=[ANNA])
    first = run.wire.log[0]
    body = {"participants": [{"identity": {"user": {"id": ANNA}}}], "separately": True}
    again = run.wire.request("POST", first.url, first.headers, body)
    assert again.status == 202
    assert again.headers["Location"] == run.wire.log[1].url
    assert _invited(running, call_id) == [ANNA]
    assert [entry.person for entry in running.graph.log.rings if entry.call_id == call_id] == [ANNA]


def test_polling_action(running: Running) -> None:
    """An action of the connector that polls does so through the connection."""
    call_id = running.new_call()
    run = running.act("InvitePhoneNumber", waits=False, callId=call_id, body__phoneNumber=PHONE)
    assert run.status("Act") == SUCCEEDED, printed(run)
    assert _invited(running, call_id) == [PHONE]
    polls = [sent for sent in run.wire.log if sent.method == "GET"]
    assert polls
    assert all(sent.headers["x-functions-key"] == KEY for sent in polls)


@pytest.mark.parametrize("path", referee.FLOWS, ids=lambda path: path.stem)
def test_trigger_checks_its_schema(running: Running, path: Path) -> None:
    """A request without a required property doesn't start the flow."""
    (trigger,) = json.loads(path.read_text(encoding="utf-8"))["definition"]["triggers"].values()
    if trigger["inputs"].get("schema", {}).get("required"):
        with pytest.raises(TriggerRefused):
            running.run(path.stem, callId="c")
    else:
        assert path.stem in ("alert-to-call", "call-into-my-meeting"), "these take anything, and an event"


@pytest.mark.parametrize("path", referee.FLOWS, ids=lambda path: path.stem)
def test_file(path: Path) -> None:
    """A sample is on the makers' page, has its schema, and its connections come with the flow.

    A flow that an HTTP request or an event starts can't take the connections of the caller.
    """
    assert f"`{path.stem}`" in (ROOT / "docs" / "makers.md").read_text(encoding="utf-8")
    flow = json.loads(path.read_text(encoding="utf-8"))
    assert flow["definition"]["$schema"].endswith("/2016-06-01/workflowdefinition.json#")
    assert {trigger.get("kind", "Http") for trigger in flow["definition"]["triggers"].values()} == {"Http"}
    for reference in flow.get("connectionReferences", {}).values():
        assert (reference["source"], reference["tier"]) == ("Embedded", "NotSpecified")


def test_logic_apps_standard(running: Running) -> None:
    """A flow in Logic Apps Standard is called back at its own host: the refusal names the setting that allows it."""
    body = {
        "participants": [{"identity": {"user": {"id": ANNA}}}],
        "callbackUrl": "https://contoso.azurewebsites.net/x",
    }
    url = f"{running.app}/api/calls/{running.new_call()}/participants/invite-and-wait"
    answer = requests.post(url, json=body, headers={"x-functions-key": KEY}, timeout=30)
    assert answer.status_code == 400
    assert "FLOW_CALLBACK_HOSTS" in answer.json()["error"]["message"]
