"""docs/operate.md, the workbook and the alerts fit each other and what the app logs."""

from __future__ import annotations

import json
import re

import pytest

from tests.infra.events import Event, events, matches, metrics, spans
from tests.infra.queries import PAGE, alert_query, alerts, faults, queries, workbook
from tests.infra.reading import ROOT, body, resources, text

QUERIES = queries()
ALERT = "The app cannot do its work"
MISUSE = "The app may be misused"


def table(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its first row."""
    section = text(PAGE).partition(f"\n{heading}\n")[2].partition("\n#")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def quoted(cell: str) -> list[str]:
    """Return what a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def documented() -> set[Event]:
    """Return the page's lines; one that ends with a lone ``…`` has the keys of the line before it."""
    found, keys = set(), ""
    for lines, level, _ in table("### Lines of the log"):
        for line in quoted(lines):
            event = Event(re.sub(r"(?<!:) …$", f" {keys}", line), level)
            keys = " ".join(f"{key}=…" for key in event.keys)
            found.add(event)
    return found


def test_queries_are_kusto() -> None:
    """Microsoft's parser knows every operator, function, table and column of every query."""
    assert len(QUERIES) > 12
    assert {name: found for name, found in faults(QUERIES).items() if found} == {}


def test_a_broken_query_is_found() -> None:
    """The parser finds faults of syntax, names and types."""
    broken = {
        "trace | count": "'trace' does not refer to any known table",
        "traces | where mesage has 'x'": "'mesage' does not refer to any known column",
        "traces | summarise count()": "Query operator expected",
        "traces | summarize percentil(itemCount, 95)": "'percentil' does not refer to any known function",
        "traces | where message > 3": "The operator '>' is not defined",
    }
    found = faults({query: query for query in broken})
    assert [query for query, fault in broken.items() if not any(fault in one for one in found[query])] == []


@pytest.mark.parametrize("name", QUERIES)
def test_queries_find_what_is_logged(name: str) -> None:
    """The lines, keys, metrics, dimensions and types of a query are the page's."""
    query = QUERIES[name]
    begins = re.findall(r'\b(?:message|line) startswith "([^"]*)"', query)
    begins += re.findall(r'parse line with "([a-z]+ )"', query)
    found = {begin: [event for event in documented() if event.line.startswith(begin)] for begin in begins}
    assert all(found.values()), found
    keys = {key for events_of_one in found.values() for event in events_of_one for key in event.keys}
    assert set(re.findall(r'([\w-]+)="', query)) <= keys
    assert set(re.findall(r'"(call_invites\.\w+)"', query)) <= metrics().keys()
    assert set(re.findall(r"customDimensions\.(\w+)", query)) <= set().union(*metrics().values())
    assert set(re.findall(r'"(microsoft\.\w+)"', query)) <= {system for _, system in spans()}


def test_lines() -> None:
    """The page has each line that the code logs, with its keys in their order and its level, and no other."""

    def is_one(logged: Event, explained: Event) -> bool:
        has_its_keys = logged.keys == explained.keys or "…=" in logged.line
        return logged.level == explained.level and has_its_keys and matches(logged.line, explained.line)

    assert [one.line for one in events() if not any(is_one(one, other) for other in documented())] == []
    assert [other.line for other in documented() if not any(is_one(one, other) for one in events())] == []


def test_spans() -> None:
    """The page has each span under its system."""
    rows = {(name, quoted(system)[0]) for names, system, _ in table("### Spans") for name in quoted(names)}
    for name, system in spans():
        assert any(matches(name, one) and system == kind for one, kind in rows), name
    for one, kind in rows:
        assert any(matches(name, one) and system == kind for name, system in spans()), one


def test_metrics() -> None:
    """The page has each metric with everything that it is counted by."""
    rows = table("### Metrics")
    assert {quoted(name)[0]: set(quoted(attributes)) for name, attributes, _ in rows} == metrics()


def test_reasons() -> None:
    """The page explains each reason for which a callback is refused before its signature is checked."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "notifications").glob("token*.py"))
    known = {reason for row in table("### Callbacks are refused") for reason in quoted(row[0])}
    assert len(known) > 7
    assert {reason for reason in known if f'"{reason}"' not in code} == set()


def test_workbook() -> None:
    """The page explains each tile, and each tile uses the time range that is chosen above."""
    assert [tile["title"] for tile in workbook()] == [row[0] for row in table("## Queries")]
    items = json.loads(text("infra/workbook.json"))["items"]
    (chosen,) = (one for item in items for one in item["content"].get("parameters", ()))
    for tile in workbook():
        assert tile["timeContextFromParameter"] == chosen["name"]
        assert (tile["queryType"], tile["resourceType"]) == (0, "microsoft.insights/components")
    names = [item["name"] for item in items]
    assert len(names) == len(set(names))


def test_workbook_is_deployed() -> None:
    """Opened from anywhere, the workbook queries the component that it was deployed with."""
    assert json.loads(text("infra/workbook.json"))["fallbackResourceIds"] == ["<insightsId>"]
    assert "loadTextContent('../workbook.json'), '<insightsId>', insightsId)" in text("infra/app/workbook.bicep")


def test_alerts() -> None:
    """Each alert is on the page with their times, and fire when their query finds anything."""
    expected = {
        "Reports of Graph are missing": ("PT15M", "PT6H", "Every 15 minutes, over the last six hours"),
        ALERT: ("PT5M", "PT15M", "Every 5 minutes, over the last 15"),
        MISUSE: ("PT5M", "PT15M", "Every 5 minutes, over the last 15"),
    }
    assert alerts().keys() == expected.keys()
    for name, (every, over, words) in expected.items():
        rule = alerts()[name]
        assert (rule["evaluationFrequency"], rule["windowSize"]) == (every, over)
        assert f"**{name}.** {words}" in text(PAGE)
        (condition,) = rule["criteria"]["allOf"]
        fires = (condition["timeAggregation"], condition["operator"], condition["threshold"])
        assert fires == ("Count", "GreaterThan", 0)
        assert rule["scopes"] == ["insightsId"]
        assert rule["enabled"] is rule["autoMitigate"] is True


def test_every_error_is_an_alert() -> None:
    """Each error that the app logs fires the alert, and each fault of the alert is on the page."""
    query = alert_query(alerts()[ALERT])
    begins = re.findall(r'line startswith "([^"]*)"[^,\n]*, "(\w+)"', query)
    for event in events():
        if event.level == "error":
            assert any(event.line.startswith(begin) for begin, _ in begins), event.line
    section = text(PAGE).partition(f"**{ALERT}.**")[2].partition("\n**")[0]
    assert {fault for _, fault in begins} | {"permission"} == set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))


def test_what_misuse_is() -> None:
    """The page has each thing that the alert counts, and how many of it fire."""
    found = re.findall(r'what = "(\w+)", most = (\d+)', alert_query(alerts()[MISUSE]))
    section = text(PAGE).partition(f"**{MISUSE}.**")[2].partition("\n## ")[0]
    assert found == re.findall(r"^\| `(\w+)` \| (\d+) ", section, re.MULTILINE)


def test_alerts_by_mail() -> None:
    """Without an address there is no action group, and the alerts still stand."""
    (group,) = (
        one for kind, one in resources("infra/app/alerts.bicep") if kind.startswith("Microsoft.Insights/actionG")
    )
    assert "if (!empty(email))" in text("infra/app/alerts.bicep")
    (receiver,) = body(group)["properties"]["emailReceivers"]
    assert receiver["emailAddress"] == "email"
    assert len(body(group)["properties"]["groupShortName"]) <= 12
    assert "empty(email) ? [] : [operators.id]" in text("infra/app/alerts.bicep")
