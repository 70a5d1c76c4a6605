"""The sample flows that create a meeting and get people into it, run as written: what the channel reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.connector.interpreter import FAILED, SKIPPED, SUCCEEDED, printed
from tests.connector.teams import Teams

if TYPE_CHECKING:
    from tests.connector.conftest import Running
    from tests.connector.interpreter import Run

ANNA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"
PHONE = "+12065550100"
ALERT: dict[str, Any] = {"title": "Checkout is down", "engineer": ANNA, "deputy": BEN, "phoneNumber": PHONE}
LIST: dict[str, Any] = {
    "title": "Checkout is down",
    "oncalls": [
        {"escalation_level": 1, "user": {"summary": "Anna", "contact": ANNA}},
        {"escalation_level": 2, "user": {"summary": "Ben", "contact": BEN}},
        {"escalation_level": 3, "user": {"summary": "Duty phone", "contact": PHONE}},
    ],
}
ACTION = "Join_the_meeting_and_call_until_somebody_joins"
FLOWS = {"p1-alert": ALERT, "on-call-list": LIST}
NAMES = {
    "p1-alert": ("Engineer on call", "Deputy", "Phone"),
    "on-call-list": ("Anna", "Ben", "Duty phone"),
}


def _run(running: Running, name: str, trigger: dict[str, Any], **options: Any) -> tuple[Run, list[str]]:
    teams = Teams(running.graph, **options)
    run = running.run(name, teams=teams, **trigger)
    return run, teams.messages


def _rung(running: Running) -> list[str]:
    return [entry.person for entry in running.graph.log.rings]


def test_meeting_and_invite(running: Running) -> None:
    """The channel reads where to join and to watch first of all, then who accepted."""
    run, messages = _run(running, "meeting-and-invite", {"title": "Review", "userIds": [ANNA, BEN]})
    where, message = messages
    assert where.startswith("Meeting: Review. Join: https://teams.microsoft.com/l/meetup-join/"), printed(run)
    assert "/api/page#call=" in where
    assert len(running.graph.log.creates) == 1
    assert message.startswith(f"Meeting: Review. Accepted: {ANNA}, {BEN}. "), printed(run)
    assert "https://teams.microsoft.com/l/meetup-join/" in message
    assert "/api/page#call=" in message
    assert sorted(_rung(running)) == [ANNA, BEN]


def test_meeting_and_invite_with_a_decline(running: Running) -> None:
    """Who declined is not among those who accepted, and the reason is posted."""
    running.graph.person(BEN, "declines")
    run, messages = _run(running, "meeting-and-invite", {"title": "Review", "userIds": [ANNA, BEN]})
    assert f"Accepted: {ANNA}. " in messages[1], printed(run)
    assert f"{BEN}: The person declined the call. Try someone else." in messages[1]


def test_meeting_that_cannot_be_joined(running: Running) -> None:
    """If the app can't join, the channel reads why."""
    running.graph.fault(route="create", status=403, times=0)
    run, messages = _run(running, "meeting-and-invite", {"title": "Review", "userIds": [ANNA]})
    assert "Accepted: no one. Microsoft Graph " in messages[1], printed(run)


def test_meeting_and_invite_with_no_one(running: Running) -> None:
    """If no one accepts, the flow still posts."""
    running.graph.everyone("declines")
    run, messages = _run(running, "meeting-and-invite", {"title": "Review", "userIds": [ANNA]})
    assert f"Accepted: no one. {ANNA}: The person declined the call." in messages[1], printed(run)


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("answers", [1, 2, 3])
def test_alert_is_answered(running: Running, name: str, answers: int) -> None:
    """The channel reads where to join, then one action joins and calls until somebody joins, and no one after them."""
    people = (ANNA, BEN, PHONE)
    for person in people[: answers - 1]:
        running.graph.person(person, "ringsOut")
    run, messages = _run(running, name, FLOWS[name])
    assert run.status(ACTION) == SUCCEEDED, printed(run)
    where, message = messages
    assert where.startswith("P1: Checkout is down. Join: https://teams.microsoft.com/l/meetup-join/")
    assert message.startswith(f"P1: Checkout is down. In the meeting: {NAMES[name][answers - 1]}. Join: https://teams.")
    assert "/api/page#call=" in message
    assert _rung(running) == list(people[:answers])


@pytest.mark.parametrize("name", FLOWS)
def test_alert_is_not_answered(running: Running, name: str) -> None:
    """If no one answers, the channel reads that, why, and where the meeting is."""
    running.graph.everyone("ringsOut")
    run, messages = _run(running, name, FLOWS[name])
    _, message = messages
    assert message.startswith("P1: Checkout is down. No one joined. "), printed(run)
    assert " Join: https://teams.microsoft.com/l/meetup-join/" in message
    assert _rung(running) == [ANNA, BEN, PHONE]


def test_alert_with_a_wrong_number(running: Running) -> None:
    """If the request is refused, no one is called, and the channel reads what to correct."""
    run, messages = _run(running, "p1-alert", {**ALERT, "phoneNumber": "555"})
    assert run.status(ACTION) == FAILED, printed(run)
    assert messages[1].startswith("P1: Checkout is down. No one joined. ")
    assert "phone" in messages[1]
    assert _rung(running) == []


def test_alert_that_cannot_be_joined(running: Running) -> None:
    """If the meeting can't be joined, no one is called, and the channel reads why."""
    running.graph.fault(route="create", status=403)
    run, messages = _run(running, "p1-alert", ALERT)
    assert messages[1].startswith("P1: Checkout is down. No one joined. Microsoft Graph "), printed(run)
    assert _rung(running) == []


def test_alert_without_a_meeting(running: Running) -> None:
    """If the meeting can't be created, the channel reads at least that."""
    run, messages = _run(running, "p1-alert", ALERT, refuses=frozenset({"CreateTeamsMeeting"}))
    assert run.status(ACTION) == SKIPPED
    (message,) = messages
    assert message.startswith("P1: Checkout is down. No one joined. "), printed(run)
    assert "there is no meeting" in message


@pytest.mark.parametrize("name", FLOWS)
def test_refused_post(running: Running, name: str) -> None:
    """The post of the meeting's link comes before the call, and doesn't stop it where Teams refuses the post."""
    run, _ = _run(running, name, FLOWS[name], refuses=frozenset({"PostMessageToConversation"}))
    steps = [step.name for step in run.steps]
    assert steps.index("Post_where") == steps.index("Create_a_Teams_meeting") + 1
    assert steps.index("Post_where") < steps.index(ACTION)
    assert (run.status("Post_where"), run.status(ACTION)) == (FAILED, SUCCEEDED), printed(run)
    assert _rung(running) == [ANNA]


def test_call_without_a_meeting(running: Running) -> None:
    """*Start a call (waits)* has a path of its own in the connector, which a policy routes to the app's."""
    people = [{"identity": {"user": {"id": person}}} for person in (ANNA, BEN)]
    run = running.act("StartCallAndWait", body__participants=people, body__separately=True)
    assert run.status("Act") == SUCCEEDED, printed(run)
    outcome = run.outputs("Act")["body"]
    assert [person["status"] for person in outcome["participants"]] == ["completed", "completed"]
    assert sorted(_rung(running)) == [ANNA, BEN]
