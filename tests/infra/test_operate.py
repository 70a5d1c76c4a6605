"""What an operator asks is answered: queries, alerts and the workbook fit each other and what the app tells."""

from __future__ import annotations

import json
import re

import pytest

from tests.infra.asking import Insights
from tests.infra.events import events, metrics, spans
from tests.infra.queries import PAGE, alert_query, alerts, documented, faults, workbook
from tests.infra.reading import body, resources, text
from tests.infra.references import strange

QUESTIONS = documented()
# An item's type in a workbook: https://github.com/microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json
TEXT, QUERY, PARAMETERS = 1, 3, 9
NOW = "2026-11-24T12:00:00"


def section(heading: str) -> str:
    """Return what stands below a heading of the page, up to the next one."""
    return text(PAGE).partition(f"\n{heading}\n")[2].partition("\n#")[0]


def table(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its first row."""
    rows = [line for line in section(heading).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def quoted(cell: str) -> list[str]:
    """Return what a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def concluded(status: str, decided_by: str, code: int) -> str:
    """Return the line of an outcome."""
    line = next(event.line for event in events() if event.line.startswith("concluded "))
    known = {"status": status, "decided-by": decided_by, "code": code}
    return re.sub(r"([a-z-]+)=…", lambda found: f"{found[1]}={known.get(found[1], 1)}", line)


def test_every_query_is_understood_by_kusto() -> None:
    """An operator pastes a query and it runs: Kusto's own parser knows every operator, function, table and column."""
    assert len(QUESTIONS) > 12
    assert {question: found for question, found in faults(QUESTIONS).items() if found} == {}


def test_a_broken_query_is_found() -> None:
    """The check above can fail: of syntax, names and types."""
    broken = {
        "trace | count": "'trace' does not refer to any known table",
        "traces | where mesage has 'x'": "'mesage' does not refer to any known column",
        "traces | summarise count()": "Query operator expected",
        "traces | summarize percentil(itemCount, 95)": "'percentil' does not refer to any known function",
        "traces | where message > 3": "The operator '>' is not defined",
        "dependencies | project last = 1": "'last' needs to be bracketed",
        "traces | project timestamp, outerMessage": "'outerMessage' does not refer",
    }
    found = faults({query: query for query in broken})
    assert [query for query, fault in broken.items() if not any(fault in one for one in found[query])] == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_queries_ask_for_what_the_app_tells(question: str) -> None:
    """Every line, key, value, span and metric that a query names is one that the code has."""
    assert strange(QUESTIONS[question]) == []


@pytest.mark.parametrize(
    ("query", "stranger"),
    [
        ('traces\n| where message startswith "concludes "', "no line begins with"),
        ('traces\n| parse message with * " status=" status " decided_by=" decided_by " " *', "no line is of the form"),
        ('traces\n| parse message with "outcome attempt=" attempt " " *', "no line is of the form"),
        ('traces\n| where decided_by == "dog"', "decided_by is never 'dog'"),
        ('traces\n| where delivery !in ("delivered", "lost")', "delivery is never 'lost'"),
        ('customMetrics\n| where name == "call_invites.invites"', "name is never"),
        ('customMetrics\n| where name == "call_invites.invitations" and customDimensions.reason == "x"', "dimension"),
        ('dependencies\n| where type == "microsoft.table"', "type is never"),
    ],
)
def test_a_query_of_what_the_app_never_tells_is_found(query: str, stranger: str) -> None:
    """Whoever renames an event, a key, a span or a metric learns which query no longer finds it."""
    assert any(stranger in found for found in strange(query))


def test_every_line_of_the_log_is_explained() -> None:
    """The page has each line with its keys, in their order, and its level; and none that the app does not write."""
    explained, keys = set(), ""
    for lines, level, _ in table("### Lines of the log"):
        for line in quoted(lines):
            if line.endswith(" …") and not line.endswith(": …"):
                explained.add((line.replace("…", keys), level))  # the keys of the line above
            else:
                explained.add((line, level))
                keys = " ".join(word for word in line.split() if word.endswith("=…"))
    assert explained == {(event.line, event.level) for event in events()}


def test_every_span_is_explained() -> None:
    """The page has each span under its system."""
    rows = table("### Spans")
    assert {(name, quoted(system)[0]) for names, system, _ in rows for name in quoted(names)} == spans()


def test_every_metric_is_explained() -> None:
    """The page has each metric with all that it is counted by."""
    rows = table("### Metrics")
    assert {quoted(name)[0]: set(quoted(attributes)) for name, attributes, _ in rows} == metrics()


def test_every_reason_to_refuse_a_callback_is_explained() -> None:
    """An operator who finds a reason in the log finds on the page what it means."""
    reasons = set(re.findall(r'reason = "([^"]+)"', text("notifications/token.py")))
    assert len(reasons) > 5
    assert reasons <= {reason for row in table("### Callbacks are refused") for reason in quoted(row[0])}


def test_alerts_ask_what_the_page_explains() -> None:
    """Both alerts have the page's own queries, and fire when these find anything."""
    assert len(alerts()) == 2
    for name, rule in alerts().items():
        assert alert_query(rule) == QUESTIONS[name]
        (condition,) = rule["criteria"]["allOf"]
        assert (condition["timeAggregation"], condition["operator"], condition["threshold"]) == (
            "Count",
            "GreaterThan",
            0,
        )
        assert rule["scopes"] == ["insightsId"]
        assert rule["severity"] in range(5)
        assert rule["enabled"] is rule["autoMitigate"] is True


def test_alerts_look_as_often_and_as_far_back_as_the_page_says() -> None:
    """What the page says of each alert's times is what is deployed, in values that Azure takes."""
    said = {
        "Reports of Graph are missing": ("PT15M", "PT6H", "**Every 15 minutes, over the last six hours.**"),
        "The app cannot do its work": ("PT5M", "PT15M", "**Every 5 minutes, over the last 15.**"),
    }
    assert alerts().keys() == said.keys()
    for name, (every, over, words) in said.items():
        assert (alerts()[name]["evaluationFrequency"], alerts()[name]["windowSize"]) == (every, over)
        assert words in section(f"### {name}")


@pytest.mark.parametrize(("table", "column"), [("traces", "message"), ("exceptions", "outerMessage")])
def test_every_error_of_the_app_is_an_alert(table: str, column: str) -> None:
    """Each error line that the code has fires at once, also where it comes with an exception."""
    errors = [event.sample for event in events() if event.level == "error"]
    with Insights() as insights:
        for line in errors:
            insights.add(table, {"timestamp": NOW, column: line, "severityLevel": 3})
        rows = insights.ask(QUESTIONS["The app cannot do its work"])
    assert {row["fault"]: row["lines"] for row in rows} == {"settings": 1, "app": len(errors) - 1}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("no token: Entra ID refused the app's credential (AADSTS7000222)", "token"),
        ("table storage failed kind=HttpResponseError status=403 code=AuthorizationFailure", "storage"),
        ("queue storage failed kind=ServiceRequestError status=- code=-", "storage"),
        (concluded("failed", "refusal", 403), "permission"),
        (concluded("failed", "refusal", 401), "permission"),
        (concluded("failed", "refusal", 404), None),
        (concluded("failed", "graph", 403), None),
        ("setting: FLOW_CALLBACK_LOCAL_HOSTS is for one machine only", None),
        ("callback refused reason=no token", None),
    ],
)
def test_what_may_pass_by_itself_is_an_alert_at_the_third_time(line: str, fault: str | None) -> None:
    """A single failure wakes nobody, and what a maker or a stranger does never."""
    with Insights() as insights:
        for _ in range(2):
            insights.add("traces", {"timestamp": NOW, "message": line, "severityLevel": 2})
        assert insights.ask(QUESTIONS["The app cannot do its work"]) == []
        insights.add("traces", {"timestamp": NOW, "message": line, "severityLevel": 2})
        assert [row["fault"] for row in insights.ask(QUESTIONS["The app cannot do its work"])] == (
            [fault] if fault else []
        )


@pytest.mark.parametrize(
    ("by_watchdog", "by_graph", "others", "fires"),
    [
        (2, 5, [], True),
        (2, 6, [], False),
        (1, 0, [], False),
        (2, 0, [], True),
        (0, 9, [], False),
        (2, 6, [concluded("failed", "refusal", 404)] * 9, False),
        (2, 5, [concluded("failed", "refusal", 404)] * 9, True),
        (0, 0, [concluded("failed", "watchdog", 503), concluded("failed", "watchdog", 429)] * 9, False),
    ],
)
def test_missing_reports_are_an_alert_from_a_quarter_on(
    by_watchdog: int, by_graph: int, others: list[str], *, fires: bool
) -> None:
    """Two found by the watchdog and more than a quarter; what Graph never took does not count on either side."""
    lines = [concluded("completed", "watchdog", 200)] * by_watchdog + [concluded("completed", "graph", 200)] * by_graph
    with Insights() as insights:
        for line in lines + others:
            insights.add("traces", {"timestamp": NOW, "message": line, "severityLevel": 1})
        assert bool(insights.ask(QUESTIONS["Reports of Graph are missing"])) is fires


def test_failures_of_storage_are_counted_by_their_kind() -> None:
    """An operator sees which service failed, how often, and storage's own code."""
    line = "queue storage failed kind=HttpResponseError status=403 code=AuthorizationPermissionMismatch"
    with Insights() as insights:
        for _ in range(3):
            insights.add("traces", {"timestamp": NOW, "message": line, "severityLevel": 2})
        (row,) = insights.ask(QUESTIONS["Does storage fail?"])
    assert (row["service"], row["error"], row["failures"]) == ("queue", "HttpResponseError", 3)
    assert (row["status"], row["code"]) == ("403", "AuthorizationPermissionMismatch")


def test_errors_are_shown_with_their_kind() -> None:
    """A fault of the app is found with its line, its exception and its request."""
    with Insights() as insights:
        for row in ({"message": "a line", "severityLevel": 2}, {"message": "an error", "severityLevel": 3}):
            insights.add("traces", {"timestamp": NOW, **row})
        fault = {"exceptions": [{"message": "unforeseen", "typeName": "KeyError"}], "severityLevel": 3}
        data = {"baseType": "ExceptionData", "baseData": fault}
        insights.take([{"time": NOW, "tags": {"ai.operation.id": "abc"}, "data": data}])
        rows = insights.ask(QUESTIONS["What went wrong in the app itself?"])
    assert {(row["line"], row["exception"] or "", row["operation_Id"]) for row in rows} == {
        ("an error", "", ""),
        ("unforeseen", "KeyError", "abc"),
    }


def test_alerts_tell_nobody_unless_somebody_is_named() -> None:
    """Without an address there is no action group, and the alerts still stand."""
    (group,) = (
        one for kind, one in resources("infra/app/alerts.bicep") if kind.startswith("Microsoft.Insights/actionG")
    )
    assert "if (!empty(email))" in text("infra/app/alerts.bicep")
    (receiver,) = body(group)["properties"]["emailReceivers"]
    assert receiver["emailAddress"] == "email"
    assert len(body(group)["properties"]["groupShortName"]) <= 12
    assert "empty(email) ? [] : [operators.id]" in text("infra/app/alerts.bicep")


def test_the_workbook_asks_what_the_page_explains() -> None:
    """Each tile is a question of the page with its query, over the time that is chosen above."""
    items = workbook()
    assert {item["type"] for item in items} == {TEXT, QUERY, PARAMETERS}
    (chosen,) = (one for item in items if item["type"] == PARAMETERS for one in item["content"]["parameters"])
    tiles = [item["content"] for item in items if item["type"] == QUERY]
    assert len(tiles) > 8
    for tile in tiles:
        assert tile["query"] == QUESTIONS[tile["title"]]
        assert tile["timeContextFromParameter"] == chosen["name"]
        assert (tile["queryType"], tile["resourceType"]) == (0, "microsoft.insights/components")
    names = [item["name"] for item in items]
    assert len(names) == len(set(names))


def test_the_workbook_is_deployed_over_the_app_s_insights() -> None:
    """Opened from anywhere, the workbook asks the component that it was deployed with."""
    (kind, found) = next(iter(resources("infra/app/workbook.bicep")))
    properties = body(found)["properties"]
    assert kind == "Microsoft.Insights/workbooks@2023-06-01"
    assert (body(found)["kind"], properties["sourceId"]) == ("shared", "insightsId")
    assert "replace(loadTextContent('../workbook.json'), '<insightsId>', insightsId)" in text(
        "infra/app/workbook.bicep"
    )
    assert json.loads(text("infra/workbook.json"))["fallbackResourceIds"] == ["<insightsId>"]
