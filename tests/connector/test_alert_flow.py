"""The flow that starts with an alert, whatever sends it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tests.connector.alerts import ALERTMANAGER, AZURE, GRAFANA, KNOWN, PAGERDUTY
from tests.connector.conftest import Engine
from tests.connector.instant import Instant
from tests.connector.interpreter import printed
from tests.connector.teams import Teams

if TYPE_CHECKING:
    from tests.connector.conftest import Running

ANNA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"
PEOPLE = [{"name": "Anna", "user": ANNA}, {"name": "Ben", "user": BEN}]


SETTINGS = {"people": PEOPLE, "team": "t", "channel": "c"}


def _run(bench: Instant, body: Any, **settings: Any) -> list[str]:
    before = len(bench.teams.messages)
    bench.run("alert-to-call", body, SETTINGS | settings)
    return bench.teams.messages[before:]


def _fresh(body: dict[str, Any], number: int) -> dict[str, Any]:
    """Return another firing of an alert."""
    made = copy.deepcopy(body)
    essentials = made.get("data", {}).get("essentials", {})
    essentials["alertId"] = f"/subscriptions/s/alerts/{number}"
    for alert in made.get("alerts", []):
        alert["startsAt"] = f"2026-03-01T02:03:{number:02}Z"
    if "event" in made:
        made["event"]["data"]["id"] = f"Q{number}"
    return made


def test_alert_to_call(running: Running) -> None:
    """With the app and the simulated Graph: people are called until somebody joins, and the same alert calls no one."""
    running.graph.person(ANNA, "ringsOut")
    teams, body = Teams(running.graph), _fresh(AZURE, 1)
    run = running.run_with("alert-to-call", body, Engine(teams=teams, settings=SETTINGS))
    where, who = teams.messages
    assert where.startswith("Azure Monitor: Checkout is down (sev1). Join: https://teams.microsoft.com/l/meetup-join/")
    assert "/api/page#call=" in where, printed(run)
    assert who.startswith("Azure Monitor: Checkout is down (sev1). In the meeting: Ben. Anna: ")
    running.run_with("alert-to-call", body, Engine(teams=teams, settings=SETTINGS))
    assert teams.messages[2:] == [
        "Azure Monitor: Checkout is down (sev1). This alert came before, and its call is open: no one is called again."
    ]
    assert [entry.person for entry in running.graph.log.rings] == [ANNA, BEN]


@pytest.mark.parametrize("source", KNOWN)
def test_known_forms(source: str) -> None:
    """Title and severity come from each sender's own properties."""
    bench = Instant(not_joining={ANNA: "No."})
    where, who = _run(bench, KNOWN[source])
    title = "[FIRING:1] Checkout is down" if source == "Grafana" else "Checkout is down"
    severity = {"Azure Monitor": "sev1", "PagerDuty": "p1"}.get(source, "critical")
    assert where.startswith(f"{source}: {title} ({severity}). Join: https://teams.microsoft.com/l/meetup-join/")
    assert who == f"{source}: {title} ({severity}). In the meeting: Ben. Anna: No."
    assert bench.called == [ANNA, BEN]


@pytest.mark.parametrize("source", KNOWN)
@pytest.mark.parametrize("meeting", ["its own", "standing"])
def test_same_alert_twice(source: str, meeting: str) -> None:
    """The same alert again calls no one, and creates no meeting while its call goes on."""
    bench = Instant()
    settings = {"meeting": bench.app.meeting().join_web_url} if meeting == "standing" else {}
    _run(bench, KNOWN[source], **settings)
    (message,) = _run(bench, KNOWN[source], **settings)
    assert message.endswith("This alert came before, and its call is open: no one is called again.")
    assert bench.called == [ANNA]
    assert bench.teams.meetings == (0 if meeting == "standing" else 1)


@pytest.mark.parametrize("source", KNOWN)
def test_same_alert_after_its_call(source: str) -> None:
    """The same alert after its call's end, or at the same moment, calls no one, and the new meeting is left."""
    bench = Instant()
    _run(bench, KNOWN[source])
    bench.app.open_calls.clear()
    assert _run(bench, KNOWN[source])[-1].endswith(
        "This alert came before: no one is called again. The meeting above is not needed."
    )
    assert (bench.called, bench.app.left) == ([ANNA], 1)


def test_same_alert_in_a_standing_meeting() -> None:
    """There the same alert gets the outcome of the first time, and the app stays, also where Settings has changed."""
    bench = Instant()
    meeting = bench.app.meeting().join_web_url
    first = _run(bench, AZURE, meeting=meeting)
    bench.app.open_calls.clear()
    assert _run(bench, AZURE, meeting=meeting) == first
    assert _run(bench, AZURE, meeting=meeting, waitSeconds=60)[-1].endswith(
        "and its call is open: no one is called again."
    )
    assert (bench.called, bench.app.left) == ([ANNA], 0)


def test_alert_again_after_a_failure() -> None:
    """If the app couldn't join the first time, the same alert calls people the second time."""
    bench = Instant()
    bench.app.refuses = (422, "The app may not join this meeting.")
    _run(bench, AZURE)
    bench.app.refuses = None
    assert "In the meeting: Anna." in _run(bench, AZURE)[-1]
    assert bench.called == [ANNA]


def test_next_firing() -> None:
    """The next firing of the same rule is another alert."""
    bench = Instant()
    for number in (4, 5):
        _run(bench, _fresh(ALERTMANAGER, number))
    assert bench.called == [ANNA, ANNA]


def _over() -> dict[str, Any]:
    azure, grafana, duty = (copy.deepcopy(body) for body in (AZURE, GRAFANA, PAGERDUTY))
    azure["data"]["essentials"]["monitorCondition"] = "Resolved"
    grafana["status"] = "resolved"
    duty["event"]["event_type"] = "incident.acknowledged"
    return {"azure": azure, "grafana": grafana, "pagerduty": duty}


@pytest.mark.parametrize("name", _over())
def test_over(name: str) -> None:
    """An alert that is over, or that somebody has acknowledged, calls no one."""
    bench = Instant()
    (message,) = _run(bench, _over()[name])
    assert message.endswith("It is over, or somebody works on it already: no one is called.")
    assert bench.called == []


def test_minor() -> None:
    """A severity for which no one is to be called is posted only."""
    bench, body = Instant(), _fresh(AZURE, 6)
    body["data"]["essentials"]["severity"] = "Sev3"
    (message,) = _run(bench, body)
    assert message.endswith("(sev3). Its severity is not one for which Settings calls people.")
    assert bench.called == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        "plain text <b>",
        [],
        5,
        {"alerts": "none", "data": "x", "event": []},
        {"alerts": [{"labels": "x"}, 5], "commonLabels": [], "title": {"a": 1}},
    ],
    ids=["null", "text", "list", "number", "other types", "other items"],
)
def test_none_of_the_four(body: Any) -> None:
    """A body in no known form is posted as such, and people are called."""
    bench = Instant()
    where, who = _run(bench, body)
    assert "This alert has none of the four known forms" in where
    assert "<" not in where
    assert "In the meeting: Anna." in who
    assert bench.called == [ANNA]


def test_no_severity() -> None:
    """An alert without a severity calls people."""
    body = _fresh(ALERTMANAGER, 7)
    for alert in body["alerts"]:
        alert["labels"].pop("severity", None)
    assert _run(Instant(), body)[0].startswith("Alertmanager: Checkout is down. Join: ")


def test_title() -> None:
    """Line ends and tags in a title don't reach the channel, and a long one is cut."""
    body = _fresh(AZURE, 8)
    body["data"]["essentials"]["alertRule"] = "Down\r\n<script>" + "x" * 400
    message = _run(Instant(), body)[0]
    assert message.startswith("Azure Monitor: Down   script>xxx")
    assert "x" * 200 not in message


def test_people_without_a_number() -> None:
    """Somebody with neither user nor phone is a sentence; the others are called."""
    messages = _run(Instant(), AZURE, people=[{"name": "Cleo", "phone": ""}, *PEOPLE])
    assert "In the meeting: Anna. Cleo has neither user nor phone in Settings." in messages[-1]


def test_no_people() -> None:
    """Where Settings names no one, the channel reads that."""
    messages = _run(Instant(), AZURE, people=[{"name": "Cleo"}])
    assert messages[-1].endswith("Cleo has neither user nor phone in Settings. Settings has no one to call. ")


def test_wrong_number() -> None:
    """If a number in Settings can't be called, the channel reads what to correct."""
    messages = _run(Instant(), AZURE, people=[{"name": "Duty phone", "phone": "555"}])
    assert "The calls failed. " in messages[-1]
    assert "phone" in messages[-1]


def test_no_one_joins() -> None:
    """If no one joins, the channel reads why."""
    bench = Instant(not_joining={ANNA: "The person declined.", BEN: "No answer."})
    assert _run(bench, AZURE)[-1].endswith("No one joined. Anna: The person declined. Ben: No answer.")


def test_calls_fail() -> None:
    """If the app can't join the meeting, the channel reads why."""
    bench = Instant()
    bench.app.refuses = (422, "The app may not join this meeting.")
    assert _run(bench, AZURE) == [
        "Azure Monitor: Checkout is down (sev1). The calls failed. The app may not join this meeting."
    ]
