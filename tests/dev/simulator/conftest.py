"""A simulator and a URL for its callbacks, both started once and emptied for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dev.simulator import Simulator
from tests.dev.simulator.caller import Caller
from tests.dev.simulator.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def running() -> Iterator[Simulator]:
    """One simulator for the whole run: making its keys and certificates takes longer than most tests."""
    with Simulator(time_scale=0.01) as simulator:
        yield simulator


@pytest.fixture
def graph(running: Simulator) -> Iterator[Simulator]:
    """A simulator without history; what a test started in it is over when the test ends."""
    running.reset()
    yield running
    running.reset()


@pytest.fixture(scope="session")
def listening() -> Iterator[Inbox]:
    """One web server for the whole run."""
    with Inbox() as inbox:
        yield inbox


@pytest.fixture
def inbox(listening: Inbox, graph: Simulator) -> Inbox:
    """Where the calls of ``graph`` report to."""
    listening.empty(graph)
    return listening


@pytest.fixture
def caller(graph: Simulator) -> Iterator[Caller]:
    """An app that calls ``graph`` with a good token."""
    with Caller(graph) as caller:
        yield caller


@pytest.fixture
def call_id(graph: Simulator, inbox: Inbox) -> str:
    """A group call that has reported nothing yet."""
    return graph.create_call(inbox.url, announce=False)
