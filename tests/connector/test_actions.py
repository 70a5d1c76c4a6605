"""The page of the connector's actions and what they return."""

from __future__ import annotations

import re
from typing import Any

import pytest

from connector import actions, swagger
from connector.words import KINDS, MEMBERS


def _section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^#+ |\Z)", actions.written(), re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def test_every_action_is_on_the_page() -> None:
    """Each action that the designer shows has a section with its text and what it returns, and no other has one."""
    page = actions.written()
    shown: list[dict[str, Any]] = []
    hidden: list[dict[str, Any]] = []
    for path in swagger.definition()["paths"].values():
        for operation in path.values():
            if "operationId" in operation:
                is_hidden = operation.get("x-ms-visibility") == "internal"
                (hidden if is_hidden else shown).append(operation)
    for operation in shown:
        section = _section(operation["summary"])
        assert operation["description"] in section
        returns_something = any("schema" in each for each in operation["responses"].values())
        assert ("Returns [" in section) or not returns_something
    assert hidden
    assert not any(f"## {operation['summary']}\n" in page for operation in hidden)
    assert page.count("\n## ") == len(shown) + 1 + len(swagger.definition()["definitions"])


def test_waiting_actions_return_the_outcome() -> None:
    """An action that waits returns what is posted later."""
    assert "Returns [Start](#start)." in _section("Join a meeting and invite people (waits)")
    assert "Returns [Invitation](#invitation)." in _section("Invite people (waits)")
    assert "Returns nothing." in _section("Hang up")


def _names(schema: dict[str, Any], above: str = "") -> set[str]:
    found = set()
    for name, inner in schema.get("properties", {}).items():
        of = inner.get("items", inner)
        path = f"{above}{name}" + ("[]" if "items" in inner else "")
        found |= _names(of, f"{path}.") if "properties" in of else {f"{above}{name}"}
    return found


@pytest.mark.parametrize("name", ["Start", "Invitation", "Escalation"])
def test_every_return_value_has_a_row(name: str) -> None:
    """Each output is in the table with its path; of identities those of users and phones."""
    wanted = {
        path
        for path in _names(swagger.definition()["definitions"][name])
        if ".identity." not in path or re.search(r"\.identity\.(user|phone)\.", path)
    }
    section = _section(name)
    assert [path for path in sorted(wanted) if f"| `{path}` |" not in section] == []


def test_people_have_one_table() -> None:
    """What is filled in for a person is on the page once."""
    assert f"| User ID | {KINDS['user'].members['id'].description} |" in _section("A person")
    assert actions.written().count(f"| {MEMBERS['hidden'].summary} | {MEMBERS['hidden'].description} |") == 1
