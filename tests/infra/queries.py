"""The queries of docs/operate.md, the alerts and the workbook, and what can be asked of Kusto's own parser."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

from dev.azurite import node
from tests.infra.reading import ROOT, body, resources, text

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = "docs/operate.md"
_ASKED = re.compile(
    r"^### (?P<question>[^\n]+)\n(?:(?!^#)[^\n]*\n)*?```kusto\n(?P<query>.*?)\n```$", re.MULTILINE | re.DOTALL
)


def documented() -> dict[str, str]:
    """Return the page's queries by their headings."""
    return {found["question"]: found["query"] for found in _ASKED.finditer(text(PAGE))}


def alerts() -> dict[str, dict[str, Any]]:
    """Return the properties of the alerts, by what they are called in the portal."""
    rules = (body(one)["properties"] for kind, one in resources("infra/app/alerts.bicep") if "QueryRules" in kind)
    return {rule["displayName"].removeprefix("Call Invites: "): rule for rule in rules}


def alert_query(rule: Mapping[str, Any]) -> str:
    """Return the one query of an alert."""
    (condition,) = rule["criteria"]["allOf"]
    return str(condition["query"]).strip("\n")


def workbook() -> list[dict[str, Any]]:
    """Return the workbook's items."""
    items: list[dict[str, Any]] = json.loads(text("infra/workbook.json"))["items"]
    return items


@cache
def tables() -> dict[str, dict[str, str]]:
    """Return the columns and types of Application Insights' tables, as they are documented."""
    known = json.loads(text("tests/infra/insights.json"))
    return {name: known["common"] | columns for name, columns in known["tables"].items()}


def faults(queries: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what Kusto's own parser finds wrong with each query."""
    columns = {
        name: f"({', '.join(f'{one}: {kind}' for one, kind in known.items())})" for name, known in tables().items()
    }
    answered = subprocess.run(
        [str(node()), str(ROOT / "tests" / "infra" / "check_kusto.cjs")],
        input=json.dumps({"tables": columns, "queries": dict(queries)}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answered.returncode == 0, answered.stderr
    found: dict[str, list[str]] = json.loads(answered.stdout)
    return found
