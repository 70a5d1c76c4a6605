"""The sample flows and the tests' interpreter, held by the answers of Microsoft's own engine."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from connector.routes import ROOT
from tests.connector import expressions, referee
from tests.connector.expressions import Context
from tests.connector.workflow_engine import Engine, NotInstallable, install

if TYPE_CHECKING:
    from collections.abc import Iterator

STORED: dict[str, Any] = json.loads(referee.TABLE.read_text(encoding="utf-8"))


def test_interpreter_agrees() -> None:
    """The interpreter gives every stored answer of the engine, and the table has every expression of the samples.

    After a change of a sample: ``python -m tests.connector.referee``.
    """
    assert json.dumps(referee.table(expressions)) == json.dumps(STORED)


def test_no_response_breaks_a_sample() -> None:
    """No expression of a sample fails, whatever an action received."""
    broken = [
        (place, kind)
        for place, entry in STORED["samples"].items()
        for kind, answer in entry["answers"].items()
        if answer == "error"
    ]
    assert broken == []


def test_nothing_teaches_the_breaking_form() -> None:
    """A property of ``body('...')`` fails where the body is text; ``outputs('...')?['body/...']`` does not."""
    pages = [*referee.FLOWS, *(ROOT / "docs").rglob("*.md"), *(ROOT / "connector").rglob("*.md"), ROOT / "README.md"]
    found = [path.name for path in pages if re.search(r"body\('[^']+'\)\??\[", path.read_text(encoding="utf-8"))]
    assert found == []


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
def test_table_is_true(engine: Engine) -> None:
    """The engine still gives the stored answers."""
    assert json.dumps(referee.table(engine)) == json.dumps(STORED)


@pytest.mark.prove
@pytest.mark.parametrize("path", referee.FLOWS, ids=lambda path: path.stem)
def test_definitions_are_valid(engine: Engine, path: Any) -> None:
    """The engine takes each definition, and not one that waits for an action that isn't there."""
    definition = json.loads(path.read_text(encoding="utf-8"))["definition"]
    engine.validate(definition)
    next(iter(definition["actions"].values()))["runAfter"] = {"Nothing": ["Succeeded"]}
    with pytest.raises(ValueError, match="non-existent action"):
        engine.validate(definition)


@pytest.mark.prove
def test_date_in_a_card(engine: Engine) -> None:
    """The makers' page shows a timestamp in the one form that cards can read: whole seconds, in UTC."""
    page = (ROOT / "docs" / "makers.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"`(\{\{TIME\(.*?\)\}\})`", page)
    known = Context({"Get_call": {"body": {"createdDateTime": "2026-01-31T12:00:00.123Z"}}})
    assert engine.evaluate(shown, known) == "{{TIME(2026-01-31T12:00:00Z)}}"
