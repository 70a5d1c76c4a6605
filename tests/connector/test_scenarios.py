"""Each long sample flow in one scenario: with every response that an action may get, and with Microsoft's engine."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from connector.routes import ROOT
from tests.connector import expressions, referee
from tests.connector.alerts import AZURE
from tests.connector.engine_http import Reply
from tests.connector.instant import Instant, meeting_link
from tests.connector.interpreter import FAILED, printed
from tests.connector.rota import ANNA, BEN, event, office, shift
from tests.connector.workflow_engine import Engine, NotInstallable, install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.connector.referee import Referee

PEOPLE = ["anna@contoso.com", "ben@contoso.com"]
SHIFTS = [shift(ANNA, -3, 5), shift(BEN, 5, 9)]
EVENTS = [event(PEOPLE[0], -3, 5), event(PEOPLE[1], 5, 9)]
# A zone without a standard name: the engine of the tests has no time zones.
HOURS = {"daysOfWeek": ["monday"], "startTime": "08:00:00.0000000", "timeZone": {"name": "Customized Time Zone"}}
LINK = f'<a href="{meeting_link()}">Join</a>'
MEETING = {"subject": "M", "start": EVENTS[0]["start"], "iCalUId": "u", "requiredAttendees": PEOPLE[0], "body": LINK}
BODIES: dict[str, Any] = {
    "alert-to-call": AZURE,
    "call-everybody": {"title": "T", "groupId": "g", "leaveOutOutOfOffice": True},
    "call-into-my-meeting": MEETING | {"organizer": "olga@contoso.com"},
    "on-call-from-calendar": {"title": "T"},
    "on-call-from-shifts": {"title": "T"},
    "quiet-hours": {"title": "T", "people": PEOPLE},
    "say-why-first": {"title": "T", "people": PEOPLE},
    "timeline-by-mail": {"callId": "c", "to": "ops@contoso.com"},
}
KINDS = {name: found for name, found in referee.RESPONSES.items() if name != "no response"}
# Steps whose failure is an answer: the flow goes on after them.
MAY_FAIL = {"Firing", "Local_time"}


def _bench(evaluator: Referee = expressions) -> Instant:
    schedules = {PEOPLE[0]: {"availabilityView": "3", "workingHours": HOURS}}
    tenant = office(shifts=SHIFTS, events=EVENTS, schedules=schedules)
    tenant.groups["g"] = [ANNA, BEN]
    bench = Instant(tenant, {ANNA: "No."}, evaluator)
    bench.app.states = ["terminated"]
    text = {"event": "answered", "text": "Anna answered."}
    bench.app.timeline = {"value": [text], "csv": {"name": "t.csv", "contentBytes": "YQ=="}}
    return bench


def _actions(actions: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, action in actions.items():
        yield name, action
        yield from _actions(action.get("actions", {}))
        yield from _actions(action.get("else", {}).get("actions", {}))


def _definition(name: str) -> dict[str, Any]:
    path = ROOT / "connector" / "flows" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["definition"]
    return found


def _operations(name: str) -> set[str]:
    found = (action["inputs"] for _, action in _actions(_definition(name)["actions"]) if "inputs" in action)
    return {inputs["host"]["operationId"] for inputs in found if isinstance(inputs, dict) and "host" in inputs}


def test_bodies() -> None:
    """There is a scenario for each long flow."""
    assert sorted(BODIES) == sorted(path.stem for path in referee.FLOWS if path not in referee.SHORT)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("kind", KINDS)
def test_any_response(name: str, kind: str) -> None:
    """Whatever comes back from one operation, no expression fails, and the flow says something at its end."""
    known = dict(_actions(_definition(name)["actions"]))
    for operation in sorted(_operations(name)):
        bench = _bench()
        reply = Reply(KINDS[kind]["statusCode"], {}, KINDS[kind].get("body"))
        for part in (bench.app.answers, bench.office.answers, bench.teams.answers):
            part[operation] = reply
        run = bench.run_any(name, BODIES[name])
        failed = {step.name for step in run.steps if step.status == FAILED}
        broken = {one for one in failed if "host" not in known[one].get("inputs", {}) and "actions" not in known[one]}
        assert broken <= MAY_FAIL, f"{operation}\n{printed(run)}"
        said = bool(bench.teams.messages or bench.teams.chats or bench.office.mails)
        assert said or operation in ("PostMessageToConversation", "SendEmailV2"), f"{operation}\n{printed(run)}"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """The engine, where its packages can be installed."""
    try:
        install(referee.FOLDER)
    except NotInstallable as error:
        pytest.skip(f"Microsoft's workflow engine can't be installed here: {error}")
    with Engine(referee.FOLDER) as running:
        yield running


@pytest.mark.prove
@pytest.mark.parametrize("name", BODIES)
def test_with_microsofts_engine(engine: Engine, name: str) -> None:
    """Each step ends in the same way, and the same is said, where Microsoft's engine evaluates every expression."""

    def outcome(evaluator: Referee) -> Any:
        bench = _bench(evaluator)
        run = bench.run(name, BODIES[name])
        texts = [*bench.teams.messages, *(text for _, text in bench.teams.chats), *map(str, bench.office.mails)]
        steps = [(step.name, step.status) for step in run.steps]
        return steps, bench.app.calls, [re.sub(r"https://\S+", "a link", text) for text in texts]

    assert outcome(engine) == outcome(expressions)
