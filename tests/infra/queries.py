"""The queries of docs/operate.md, the workbook and the alerts, and what Microsoft's parser finds wrong with them."""

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
_ASKED = re.compile(r"^### ([^\n]+)\n(?:(?!^#)[^\n]*\n)*?```kusto\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def queries() -> dict[str, str]:
    """Return all queries by their heading, tile or alert."""
    tiles = {tile["title"]: tile["query"] for tile in workbook()}
    return dict(_ASKED.findall(text(PAGE))) | tiles | {name: alert_query(rule) for name, rule in alerts().items()}


def alerts() -> dict[str, dict[str, Any]]:
    """Return the properties of the alerts by their names in the portal."""
    rules = (body(one)["properties"] for kind, one in resources("infra/app/alerts.bicep") if "QueryRules" in kind)
    return {rule["displayName"].removeprefix("Call Invites: "): rule for rule in rules}


def alert_query(rule: Mapping[str, Any]) -> str:
    """Return the one query of an alert."""
    (condition,) = rule["criteria"]["allOf"]
    return str(condition["query"]).strip("\n")


def workbook() -> list[dict[str, Any]]:
    """Return the workbook's tiles."""
    items = json.loads(text("infra/workbook.json"))["items"]
    return [item["content"] for item in items if "query" in item["content"]]


@cache
def _tables() -> dict[str, str]:
    known = json.loads(text("tests/infra/insights.json"))
    return {
        name: f"({', '.join(f'{column}: {kind}' for column, kind in (known['common'] | columns).items())})"
        for name, columns in known["tables"].items()
    }


def faults(asked: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what the parser finds wrong with each query, against the documented tables of Application Insights."""
    answered = subprocess.run(
        [str(node()), str(ROOT / "tests" / "infra" / "check_kusto.cjs")],
        input=json.dumps({"tables": _tables(), "queries": dict(asked)}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answered.returncode == 0, answered.stderr
    found: dict[str, list[str]] = json.loads(answered.stdout)
    return found
