"""What all tests share: one real Azurite for a whole run, and names in it for each test alone."""

from __future__ import annotations

import logging
import os
import sys
import uuid
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from dev.azurite import azurite as run_azurite
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.storage_fixtures"]
os.environ.pop("CONTAINER_NAME", None)  # a sign of Azure for the app, and this machine may be a container too
# Storage that fails is raised on, logged, or left to an alarm, as documented.
_EXPECTED = (StorageError,)
_for_workers = ExitStack()
_shared: dict[str, str] = {}


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Under pytest-xdist, start Azurite in the controlling process and tell every worker where it is."""
    if "azurite" not in _shared:
        _shared["azurite"] = _for_workers.enter_context(run_azurite())
    node.workerinput["azurite"] = _shared["azurite"]


def pytest_unconfigure() -> None:
    """Stop the Azurite that the workers shared."""
    _for_workers.close()


@pytest.fixture(scope="session")
def azurite(request: pytest.FixtureRequest) -> Iterator[str]:
    """The connection string of a real Azurite, the same for the whole run: use names of your own in it."""
    workerinput = getattr(request.config, "workerinput", None)
    if workerinput is not None:
        yield workerinput["azurite"]
    else:
        with run_azurite() as connection_string:
            yield connection_string


@pytest.fixture
def storage_name() -> str:
    """A name for a table or a queue that no other test uses."""
    return f"t{uuid.uuid4().hex}"


class _Swallowed(logging.Handler):
    """Keeps errors of the app's own code that were logged instead of raised."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # The app redacts a record as it is made, which leaves the trace as text; the exception is still being handled.
        kind = sys.exc_info()[0] if record.exc_info or record.exc_text else None
        if kind is not None and not issubclass(kind, _EXPECTED):
            self.kept.append(self.format(record))


@pytest.fixture(autouse=True)
def _nothing_swallowed(request: pytest.FixtureRequest) -> Iterator[None]:
    """An error that the app logs and goes on from fails the test, unless the test is marked to look at that."""
    handler, app = _Swallowed(), logging.getLogger("call_invites")
    app.addHandler(handler)
    yield
    app.removeHandler(handler)
    assert not handler.kept or request.node.get_closest_marker("swallows"), handler.kept[0]
