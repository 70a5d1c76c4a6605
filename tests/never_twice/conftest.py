"""These tests run on the same machine as the end-to-end ones."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest

from flows import duties
from tests.end_to_end.conftest import graph, host, settings, storage

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["graph", "host", "settings", "storage"]


class Inline:
    """Does what is submitted at once, so that the same choices always lead to the same steps."""

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Do it."""
        future: Future[Any] = Future()
        future.set_result(work(*arguments))
        return future


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The duties of a turn are done one after the other."""
    monkeypatch.setattr(duties, "_SIDE_BY_SIDE", {False: Inline(), True: Inline()})
