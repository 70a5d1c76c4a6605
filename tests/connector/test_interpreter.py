"""How the interpreter runs actions, by Microsoft's documentation; expressions are held by ``test_referee``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connector.engine_http import Callbacks, Gateway, Wire
from tests.connector.interpreter import FAILED, SKIPPED, SUCCEEDED, Run

AFTER = ["Succeeded", "Failed", "Skipped", "TimedOut"]
FAILS = {"type": "Compose", "runAfter": {}, "inputs": "@first(null)"}


def _run(**actions: dict[str, Any]) -> Run:
    trigger = {"type": "Request", "kind": "Http", "inputs": {"schema": {}}}
    flow = {"definition": {"triggers": {"manual": trigger}, "actions": actions}}
    definition = {"basePath": "/api", "paths": {}}
    with Callbacks() as callbacks:
        run = Run(
            flow,
            {"list": None},
            Wire(),
            Gateway(definition, {"policyTemplateInstances": []}, "", "", Wire()),
            callbacks,
        )
        run.start()
    return run


def _variable(value: Any) -> dict[str, Any]:
    return {"type": "InitializeVariable", "runAfter": {}, "inputs": {"variables": [{"name": "n", "value": value}]}}


def _count(**after: list[str]) -> dict[str, Any]:
    return {"type": "IncrementVariable", "runAfter": after, "inputs": {"name": "n", "value": 1}}


@pytest.mark.parametrize(
    ("expression", "turns", "status"),
    [("@equals(variables('n'), 2)", 2, SUCCEEDED), ("@equals(variables('n'), 9)", 3, SUCCEEDED)],
)
def test_until(expression: str, turns: int, status: str) -> None:
    """A failed turn does not end the loop; at its limit it has succeeded."""
    loop = {"Fails": FAILS, "Count": _count(Fails=AFTER)}
    until = {
        "type": "Until",
        "expression": expression,
        "limit": {"count": 3},
        "actions": loop,
        "runAfter": {"V": AFTER},
    }
    run = _run(V=_variable(0), Loop=until)
    assert [step.name for step in run.steps].count("Fails") == turns
    assert run.status("Loop") == status


def test_until_ends_with_a_failure() -> None:
    """A failure in the last turn is that of the loop."""
    until = {"type": "Until", "expression": "@true", "limit": {"count": 3}, "actions": {"Fails": FAILS}, "runAfter": {}}
    assert _run(Loop=until).status("Loop") == FAILED


def test_if() -> None:
    """A condition may be one function, and it needs no else branch."""
    inner = {"Then": {"type": "Compose", "runAfter": {}, "inputs": "yes"}}
    action = {"type": "If", "runAfter": {}, "actions": inner}
    run = _run(
        Yes={**action, "expression": {"equals": [1, 1.0]}},
        No={**action, "expression": {"not": {"equals": [1, 1]}}},
        Text={**action, "expression": {"and": ["true"]}},
    )
    assert [run.status(name) for name in ("Yes", "No", "Text")] == [SUCCEEDED, SUCCEEDED, FAILED]


def test_select_of_null() -> None:
    """*Select* needs an array."""
    select = {"type": "Select", "runAfter": {}, "inputs": {"from": "@triggerBody()?['list']", "select": "@item()"}}
    assert _run(Select=select).status("Select") == FAILED


def test_run_after() -> None:
    """Statuses are compared without case, and an action that is not reached is skipped."""
    run = _run(V=_variable(0), Fails=FAILS, Runs=_count(Fails=["FAILED"]), Skipped=_count(Fails=["succeeded"]))
    assert (run.status("Runs"), run.status("Skipped")) == (SUCCEEDED, SKIPPED)
