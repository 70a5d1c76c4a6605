"""Stories of the app between real storage behind a proxy that breaks responses, and stand-ins of all else."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from domain.configuration.storage import StorageLocation
from storage import budget, outcomes
from tests.storage.faulty import faulty
from tests.storage.use_cases import Story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from settings import Settings


@pytest.fixture
def slow_stories(azurite: str, app_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Make stories, each with a table and a queue of its own; storage has the times that it has for real."""
    made: list[Any] = []
    with faulty(azurite, monkeypatch) as (connection_string, plan):

        def story(kind: type[Any] = Story) -> Any:
            name = f"t{uuid.uuid4().hex}"
            location = StorageLocation(connection_string=connection_string)
            made.append(kind(replace(app_settings, storage=location, state_table=name), azurite, name, plan))
            return made[-1]

        yield story
        for one in made:
            one.close()


@pytest.fixture
def stories(slow_stories: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make stories in which storage's waits and limits are a tenth of the real ones."""
    monkeypatch.setattr(budget, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(budget, "_RESPONSE_SECONDS", 0.2)
    monkeypatch.setattr(outcomes, "_LONGEST_WAIT", 0.05)
    return slow_stories
