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
    """People are called until somebody joins, and no one after them; the channel reads where, then who joined."""
    people = (ANNA, BEN, PHONE)
    for person in people[: answers - 1]:
        running.graph.person(person, "ringsOut")
    run, messages = _run(running, name, FLOWS[name])
    assert run.status("Call_people_until_somebody_joins") == SUCCEEDED, printed(run)
    where, who = messages
    assert where.startswith("P1: Checkout is down. Join: https://teams.microsoft.com/l/meetup-join/")
    assert "/api/page#call=" in where
    assert who == f"P1: Checkout is down. In the meeting: {NAMES[name][answers - 1]} (step {answers})."
    assert _rung(running) == list(people[:answers])


@pytest.mark.parametrize("name", FLOWS)
def test_alert_is_not_answered(running: Running, name: str) -> None:
    """If no one answers, the channel reads that, and why."""
    running.graph.everyone("ringsOut")
    run, messages = _run(running, name, FLOWS[name])
    assert messages[-1].startswith("P1: Checkout is down. No one joined. "), printed(run)
    assert len(messages) == 2
    assert _rung(running) == [ANNA, BEN, PHONE]


@pytest.mark.parametrize("name", FLOWS)
def test_alert_is_called_without_a_channel(running: Running, name: str) -> None:
    """A message that can't be posted doesn't keep anyone from being called."""
    run, messages = _run(running, name, FLOWS[name], refuses=frozenset({"PostMessageToConversation"}))
    assert run.status("Post_where") == FAILED
    assert run.status("Call_people_until_somebody_joins") == SUCCEEDED, printed(run)
    assert messages == []
    assert _rung(running) == [ANNA]


def test_alert_with_a_wrong_number(running: Running) -> None:
    """If the calls are refused, the channel reads what to correct."""
    run, messages = _run(running, "p1-alert", {**ALERT, "phoneNumber": "555"})
    assert run.status("Names") == SKIPPED, printed(run)
    assert messages[-1].startswith("P1: Checkout is down. The calls failed. ")
    assert "phone" in messages[-1]
    assert _rung(running) == []


def test_alert_without_the_meeting(running: Running) -> None:
    """If the meeting can't be joined, no one is called, and the channel reads why."""
    running.graph.fault(route="create", status=403)
    run, messages = _run(running, "p1-alert", ALERT)
    assert messages[-1].startswith("P1: Checkout is down. The calls failed. "), printed(run)
    assert _rung(running) == []
