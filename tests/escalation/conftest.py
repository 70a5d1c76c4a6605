"""These tests run on the same machine as the end-to-end ones, or in a world of their own."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest

from flows import duties
from tests.end_to_end.conftest import graph, host, settings, storage
from tests.escalation.world import EscalationWorld
from tests.never_twice.world import call_item

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["graph", "host", "settings", "storage"]


class OneAfterTheOther:
    """Runs what is submitted at once, so that the same choices always lead to the same story."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(function(*arguments))
        return done


@pytest.fixture
def in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Duties are done one after the other."""
    one = OneAfterTheOther()
    monkeypatch.setattr(duties, "_SIDE_BY_SIDE", {False: one, True: one})


@pytest.fixture
def world(in_order: None) -> EscalationWorld:
    """A meeting that the app is in."""
    return established()


def established() -> EscalationWorld:
    """Return a world with a call that is established."""
    made = EscalationWorld()
    made.report(call_item("established"))
    return made
