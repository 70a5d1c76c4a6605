"""Actions that repeat others, collect values, or wait, as a run of a flow does them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tests.connector.expressions import ExpressionError
from tests.connector.functions import read, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.connector.interpreter import Action, Run

_SECONDS = {"Second": 1, "Minute": 60, "Hour": 3_600}


def for_each(run: Run, name: str, action: Action) -> str:
    """Run the actions for each item, one after the other; a failed turn fails the loop after its last turn.

    The platform runs turns side by side, up to the ``repetitions`` of the action.

    Raises:
        ExpressionError: it isn't an array.
    """
    items = run.value(action["foreach"])
    if not isinstance(items, list):
        raise ExpressionError("an array is expected")
    statuses = []
    for item in items:
        run.items[name] = item
        statuses.append(run.run_all(action["actions"]))
    run.items.pop(name, None)
    return next((status for status in statuses if status == "Failed"), "Succeeded")


def until(run: Run, action: Action) -> str:
    """Run the actions until the condition holds, which comes after each turn; at its limit the loop has succeeded."""
    status = "Succeeded"
    for _turn in range(action["limit"]["count"]):
        status = run.run_all(action["actions"])
        if run.referee.holds(action["expression"], run.context()):
            break
    return status


def initialize(run: Run, action: Action) -> None:
    """Set variables for the first time; one without a value is empty."""
    empty: dict[str, Any] = {"array": [], "string": "", "integer": 0, "boolean": False}
    for variable in action["inputs"]["variables"]:
        given = variable.get("value", copy.copy(empty.get(variable.get("type", ""))))
        run.variables[variable["name"]] = run.value(given)


def append(run: Run, action: Action) -> None:
    """Append an item to a variable that is an array, or text to one that is a string."""
    name, value = action["inputs"]["name"], run.value(action["inputs"]["value"])
    before = run.variables[name]
    run.variables[name] = [*before, value] if isinstance(before, list) else before + text(value)


def increment(run: Run, action: Action) -> None:
    """Add to a variable that is a number."""
    run.variables[action["inputs"]["name"]] += run.value(action["inputs"]["value"])


def wait(run: Run, action: Action, now: Callable[[], datetime]) -> None:
    """Let the time of a delay pass, or that until a timestamp.

    Raises:
        ValueError: the timestamp isn't one.
    """
    inputs = run.value(action["inputs"])
    if "until" in inputs:
        seconds = max(0.0, (read(inputs["until"]["timestamp"]) - now()).total_seconds())
    else:
        seconds = inputs["interval"]["count"] * _SECONDS[inputs["interval"]["unit"]]
    run.waited.append(seconds)
    run.wire.sleep(min(seconds, 10.0))
