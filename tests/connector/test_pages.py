"""The pages of the sample flows: short, complete, with the picture of the flow as it is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from connector.package import STANDARD
from connector.routes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = sorted((ROOT / "docs" / "flows").glob("*.md"))
MOST_LINES = 55
# learn.microsoft.com/power-automate/limits-and-config
LONGEST_EXPRESSION, LONGEST_NAME = 8_192, 80
PREMIUM, WITHOUT_THE_CONNECTOR = "Premium: the connector", "Premium: the action"
NAMES = {"shared_teams": "Teams", "shared_office365": "Outlook", "shared_shifts": "Shifts"}


def _actions(actions: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, action in actions.items():
        yield name, action
        yield from _actions(action.get("actions", {}))
        yield from _actions(action.get("else", {}).get("actions", {}))


def _flow(page: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "connector/flows" / f"{page.stem}.json").read_text(encoding="utf-8"))
    return found


def test_every_flow_has_a_page() -> None:
    """README.md leads to the page for makers, and that to the page of each sample."""
    samples = {path.stem for path in (ROOT / "connector" / "flows").glob("*.json")}
    assert {page.stem for page in PAGES} == samples
    assert "(docs/makers.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    makers = (ROOT / "docs" / "makers.md").read_text(encoding="utf-8")
    assert [name for name in sorted(samples) if f"(flows/{name}.md)" not in makers] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page: Path) -> None:
    """A page has its picture, says what to change, which rights and licenses it needs, and what was never tried."""
    text = page.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert f"({page.stem}.svg)" in text
    for part in ("**Change first", "**Rights.**", "**Cost.**", "**Never tried on the real platform:**"):
        assert part in text
    (cost,) = re.findall(r"\*\*Cost\.\*\* (.*?)\n\n", text, re.DOTALL)
    flow = _flow(page)
    assert cost.startswith(PREMIUM if "connectionReferences" in flow else WITHOUT_THE_CONNECTOR)
    is_http = any(trigger.get("kind") == "Http" for trigger in flow["definition"]["triggers"].values())
    assert ("*When an HTTP request is received*" in cost) == is_http
    standard = [NAMES.get(key, STANDARD.get(key, "")) for key in flow.get("connectionReferences", {})]
    assert [name for name in standard if name not in cost] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_settings(page: Path) -> None:
    """What is left to fill in is in the step *Settings*, which the page explains."""
    flow, text = _flow(page), page.read_text(encoding="utf-8")
    settings = flow["definition"]["actions"].get("Settings", {"inputs": {}})["inputs"]
    unexplained = {name for name in settings if f"`{name}`" not in text}
    assert unexplained <= {"calendar"}, "makers.md explains the calendar"
    rest = {name: action for name, action in flow["definition"]["actions"].items() if name != "Settings"}
    assert not re.search(r"\b[A-Z]+-ID\b", json.dumps(rest))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_look_into_loops(page: Path) -> None:
    """No step refers to a step inside a loop that it isn't in, which Power Automate refuses to save."""
    actions = dict(_actions(_flow(page)["definition"]["actions"]))
    for loop, action in actions.items():
        if action["type"] != "Foreach":
            continue
        inside = dict(_actions(action["actions"]))
        outside = {
            name: {key: value for key, value in one.items() if key not in ("actions", "else")}
            for name, one in actions.items()
            if name not in inside and name != loop
        }
        text = json.dumps(outside)
        assert [name for name in inside if f"'{name}'" in text] == []


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_limits_of_power_automate(page: Path) -> None:
    """No expression and no name of a step is longer than Power Automate allows."""
    definition = _flow(page)["definition"]
    assert max(map(len, _texts(definition))) <= LONGEST_EXPRESSION
    assert max(len(name) for name, _ in _actions(definition["actions"])) <= LONGEST_NAME


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_variables(page: Path) -> None:
    """Variables begin at the top, and each is used."""
    definition = _flow(page)["definition"]
    text = json.dumps(definition)
    for name, action in _actions(definition["actions"]):
        if action["type"] == "InitializeVariable":
            assert name in definition["actions"]
            (variable,) = action["inputs"]["variables"]
            assert f"variables('{variable['name']}')" in text
