"""Flows, Graph, callbacks, crashes and the queue in any order: no person is called twice, nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.never_twice.machine import PEOPLE, AnyOrder

pytestmark = pytest.mark.usefixtures("one_thread")


def run_machine(examples: int, steps: int) -> None:
    """Run the state machine so many times."""
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_order() -> None:
    """In any order of events and faults all promises are kept."""
    run_machine(examples=45, steps=25)


@pytest.mark.prove
def test_two_thousand_orders() -> None:
    """The same, in 2,000 runs of 50 steps."""
    run_machine(examples=2_000, steps=50)


def test_second_call_is_noticed() -> None:
    """A world in which Graph takes the same request twice breaks the invariant."""
    machine = AnyOrder()
    machine.world.graph.rings["context", PEOPLE[0]] = 2
    with pytest.raises(AssertionError):
        machine.no_person_is_called_twice()
