"""The questions of docs/operate.md, asked of what a real run told: the app's own exporter, and queries that run."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.conftest import run_host
from tests.end_to_end.test_telemetry import ingestion
from tests.infra.asking import Insights
from tests.infra.events import events
from tests.infra.queries import alerts, documented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host
    from tests.end_to_end.test_telemetry import Ingestion

pytestmark = pytest.mark.prove
RUN = "08584737551867954143243946780CU130"
DECLINES = "+4915112345678"
MAIN_PATH = ["inviting", "graph invite", "graph read call", "callback", "concluded", "watchdog", "outcome"]


@dataclass
class Told:
    """What a run told, and the invitations that were made in it."""

    taken: Ingestion
    insights: Insights
    completed: str
    waiting: str
    found_by_watchdog: list[str]

    def ask(self, question: str, **instead: str) -> list[dict[str, Any]]:
        """Ask a question of the page, with another value than the page's where one is given."""
        query = documented()[question]
        for shown, value in instead.items():
            assert f'let {shown} = "' in query
            before, _, rest = query.partition(f'let {shown} = "')
            query = f'{before}let {shown} = "{value}"{rest.partition(chr(34))[2]}'
        return self.insights.ask(query)


@pytest.fixture(scope="module")
def told(
    storage: str, graph: Simulator, tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]
) -> Iterator[Told]:
    """One comes, one declines, two reports are lost, Graph refuses three, a flow is not there, a callback is forged."""
    with ingestion() as taken, Insights() as insights:
        switched_on = {
            **settings,
            "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": taken.connection_string,
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "FLOW_CALLBACK_LOCAL_HOSTS": "127.0.0.1:9",
            "INVITATION_CHECK_AFTER_SECONDS": "1",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BLRP_SCHEDULE_DELAY": "100",
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "OTEL_TRACES_SAMPLER": "microsoft.fixed_percentage",
            "OTEL_TRACES_SAMPLER_ARG": "1",
        }
        with run_host(switched_on, tmp_path_factory.mktemp("queries")) as host:
            made = _play(host, graph)
            _wait(lambda: len(taken.events("outcome")) > 0 and bool(taken.points("call_invites.deliveries")))
            _wait(lambda: sum(taken.points("call_invites.invitations").values()) >= 8)
        insights.take(list(taken.items))
        yield Told(taken, insights, **made)


def _play(host: Host, graph: Simulator) -> dict[str, Any]:
    call_id = graph.create_call(host.callback_uri)
    came = host.invite(call_id, _somebody(), **{"x-ms-workflow-run-id": RUN})
    assert host.outcome(came).status_code == 200
    graph.person(DECLINES, "declines")
    assert host.outcome(host.invite(call_id, _somebody(phone=DECLINES))).status_code == 422
    lost = [_somebody(), _somebody()]
    for body in lost:
        graph.person(body["participants"][0]["identity"]["user"]["id"], "answers", lost="all")
    unreported = [host.invite(call_id, body) for body in lost]
    assert [host.outcome(one).status_code for one in unreported] == [200, 200]
    graph.fault(status=403, code="7504", times=3)
    assert [host.invite(call_id, _somebody()).status_code for _ in range(3)] == [422] * 3
    waiting = {**_somebody(), "callbackUrl": "http://127.0.0.1:9/run?sig=c2lnbmF0dXJl"}
    accepted = host.request("POST", f"/calls/{call_id}/participants/invite-and-wait", json=waiting)
    assert accepted.status_code == 201
    assert graph.post_notification(call_id, [], token=graph.token(aud="another")) == 401
    return {
        "completed": came.json()["id"],
        "waiting": accepted.json()["id"],
        "found_by_watchdog": [one.json()["id"] for one in unreported],
    }


def _somebody(**identity: str) -> dict[str, Any]:
    kind, value = next(iter(identity.items()), ("user", str(uuid.uuid4())))
    return {"participants": [{"identity": {kind: {"id": value}}}]}


def _wait(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not there():
        time.sleep(0.1)
    assert there()


@pytest.mark.parametrize("what", MAIN_PATH)
def test_lines_of_the_log_are_as_the_page_has_them(told: Told, what: str) -> None:
    """Each line of the main path was written with the keys that are documented, in that order, and as dimensions."""
    (event,) = (one for one in events() if one.line.startswith(f"{what} {one.keys[0]}=" if one.keys else what))
    lines = [one for one in told.taken.of("Message") if one["message"].startswith(f"{what} {event.keys[0]}=")]
    assert lines
    for line in lines:
        words = line["message"].removeprefix(f"{what} ").split(" ")
        assert [word.partition("=")[0] for word in words] == list(event.keys)
        assert {key: line["properties"][key] for key in event.keys} == dict(word.split("=", 1) for word in words)


def test_one_invitation_is_told_from_the_beginning_to_the_end(told: Told) -> None:
    """By its id an operator reads what was asked, what Graph answered, and the outcome, in this order."""
    rows = told.ask("What became of one invitation?", invitation=told.completed)
    lines = [row["line"] for row in rows]
    assert [line.partition("=")[0].rpartition(" ")[0] for line in lines] == ["inviting", "graph invite", "concluded"]


def test_a_flow_s_run_leads_to_its_invitations(told: Told) -> None:
    """By the run's id an operator finds what it invited and how that ended."""
    (row,) = told.ask("What did one run of a flow do?", run=RUN)
    assert (row["invitation"], row["status"], row["decided_by"]) == (told.completed, "completed", "graph")
    assert row["outcome"] > row["asked"]


def test_outcomes_are_counted_with_their_causes(told: Told) -> None:
    """How many ended how, why they failed, how long it took."""
    ended: dict[str, int] = {}
    for row in told.ask("How do invitations end, hour by hour?"):
        ended[row["status"]] = ended.get(row["status"], 0) + row["invitations"]
    assert ended == {"completed": 4, "failed": 4}
    failed = told.ask("Why do invitations fail?")
    assert [(row["decided_by"], row["code"], row["subcode"], row["invitations"]) for row in failed] == [
        ("refusal", "403", "7504", 3),
        ("graph", "603", "0", 1),
    ]
    times = {row["status"]: row for row in told.ask("How long does an outcome take?")}
    assert times["completed"]["invitations"] == 4
    assert 0 <= times["completed"]["p50"] <= times["completed"]["p95"] <= times["completed"]["slowest"]
    assert times["completed"]["slowest"] >= 1


def test_what_did_not_come_from_graph_is_seen(told: Told) -> None:
    """The watchdog's share and forged callbacks."""
    by_watchdog = sum(row["by_watchdog"] for row in told.ask("What did the watchdog have to find out?"))
    assert by_watchdog == len(told.found_by_watchdog)
    (refused,) = told.ask("Which callbacks were refused, and why?")
    assert (refused["reason"], refused["callbacks"]) == ("audience", 1)


def test_graph_s_answers_are_there_with_their_ids(told: Told) -> None:
    """Counts and times of every answer, and the ids of those that were none or a refusal."""
    answers = {(row["request"], row["status"]): row for row in told.ask("What does Graph answer, and how fast?")}
    assert (answers["invite", "200"]["requests"], answers["invite", "403"]["requests"]) == (5, 3)
    assert ("read call", "200") in answers
    assert all(0 <= row["p50"] <= row["p95"] <= row["slowest"] for row in answers.values())
    for_support = [row for row in told.ask("Which ids does Microsoft's support want?") if row["request"] == "invite"]
    assert [row["status"] for row in for_support] == ["403"] * 3
    for row in for_support:
        assert len({uuid.UUID(row[name]) for name in ("request_id", "client_request_id", "scenario_id")}) == 3


def test_a_flow_that_is_not_there_is_seen(told: Told) -> None:
    """An operator finds the invitation whose flow was not told, and what its address answered."""
    (row,) = told.ask("Which flows were not told?")
    assert (row["invitation"], row["status"], row["delivery"]) == (told.waiting, "-", "retried")
    assert row["attempt"] >= 1


def test_what_the_app_waits_for_is_seen(told: Told) -> None:
    """Each service has its requests, failures and times."""
    rows = {row["name"]: row for row in told.ask("What does the app wait for?")}
    assert {row["type"] for row in rows.values()} == {
        "microsoft.graph",
        "microsoft.entra",
        "microsoft.tables",
        "microsoft.queues",
        "flow",
    }
    assert (rows["graph invite"]["requests"], rows["graph invite"]["failed"]) == (8, 3)
    assert all(0 < row["p50"] <= row["slowest"] for row in rows.values())


def test_days_are_counted_by_the_metric(told: Told) -> None:
    """The metric and the lines of the log agree."""
    rows = told.ask("How has it gone, day by day?")
    counted = {(row["status"], row["decided_by"]): row["invitations"] for row in rows}
    assert counted == {
        ("completed", "graph"): 2,
        ("completed", "watchdog"): 2,
        ("failed", "graph"): 1,
        ("failed", "refusal"): 3,
    }


def test_a_quiet_app_has_no_errors(told: Told) -> None:
    """Storage did not fail and the app had no fault of its own, and both questions say so."""
    assert told.ask("Does storage fail?") == []
    assert told.ask("What went wrong in the app itself?") == []


def test_the_text_of_the_lines_is_enough(told: Told) -> None:
    """Where telemetry is off only the text arrives, and all questions but the last two are answered as before."""
    *from_lines, spans, metrics = (question for question in documented() if question not in alerts())
    assert (spans, metrics) == ("What does the app wait for?", "How has it gone, day by day?")
    with Insights() as text_alone:
        for item in told.taken.items:
            if item["data"]["baseType"] == "MessageData":
                text_alone.take([{"time": item["time"], "data": _without_values(item["data"])}])
        for question in [*from_lines, *alerts()]:
            assert _rows(replace(told, insights=text_alone).ask(question)) == _rows(told.ask(question)), question


def _without_values(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "baseData": {**data["baseData"], "properties": {}}}


def _rows(found: list[dict[str, Any]]) -> list[str]:
    arbitrary = ("example", "operation_Id")
    return sorted(str({name: value for name, value in row.items() if name not in arbitrary}) for row in found)


def test_both_alerts_fire_for_what_happened(told: Told) -> None:
    """Two of five outcomes had to be found, and Graph refused thrice for want of consent: both are alerts."""
    (missing,) = told.ask("Reports of Graph are missing")
    assert (missing["invitations"], missing["by_watchdog"]) == (5, 2)
    (hindered,) = told.ask("The app cannot do its work")
    assert (hindered["fault"], hindered["lines"]) == ("permission", 3)
