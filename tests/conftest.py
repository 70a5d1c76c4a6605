"""What all tests share: one real Azurite for a whole run, and names in it for each test alone."""

from __future__ import annotations

import os
import uuid
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from dev.azurite import azurite as run_azurite

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.storage_fixtures"]
os.environ.pop("CONTAINER_NAME", None)  # a sign of Azure for the app, and this machine may be a container too
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
