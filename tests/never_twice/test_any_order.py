"""Flow, Graph, callbacks, crashes and the watchdog in any order: no person is called twice, nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domain.invitation import Status
from domain.progress import is_open
from domain.waiting import Delivery
from storage.errors import StorageError
from tests.never_twice.world import (
    CHECK_AFTER,
    GIVE_UP_AFTER,
    World,
    call_item,
    operation_item,
    roster_item,
)
from web.errors import ApiError

PEOPLE = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(8))
ANSWERS = (
    "running",
    "running",
    "completed at once",
    "no id",
    "refused",
    "throttled",
    "throttled briefly",
    "unavailable",
    "nothing sent",
    "lost before",
    "lost after",
)
# What flows ask for: by key, always the same people, as a flow that repeats itself does. The last needs two requests.
KEYS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "context-one": ({}, PEOPLE[:1]),
    "idempotency": ({"idempotency-key": '"k"'}, PEOPLE[1:3]),
    "split": ({}, PEOPLE[:7]),
    "flow": ({"x-ms-workflow-run-id": "run", "x-ms-workflow-operation-name": "Invite"}, PEOPLE[2:3]),
}
plans = st.tuples(st.integers(0, 9), st.sampled_from(["crash", "storage"]), st.booleans(), st.integers(1, 3))
Fault = tuple[int, str, bool, int]


class AnyOrder(RuleBasedStateMachine):
    """Every step is something that happens outside the app; the invariants are its promises."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.graph_said: dict[str, Any] = {}

    @initialize()
    def begin(self) -> None:
        self.world.report(call_item("established"))

    @rule(
        key=st.sampled_from(sorted(KEYS)),
        answers=st.lists(st.sampled_from(ANSWERS), max_size=3),
        plan=plans,
        waits=st.booleans(),
    )
    def a_flow_invites(self, key: str, answers: list[str], plan: Fault, *, waits: bool) -> None:
        headers, people = KEYS[key]
        self._break(plan)
        self.world.graph.next_answers = list(answers)
        before = len(self.world.graph.taken)
        context = key if key in ("context-one", "split") else None
        answer = self.world.invite(people, context, headers, waits=waits)
        self.world.graph.next_answers = []
        if isinstance(answer, StorageError):
            assert len(self.world.graph.taken) == before, "after Graph was asked the response is never 503"
        assert not isinstance(answer, ApiError) or answer.status in (404, 422, 429, 503)

    @precondition(lambda self: self.world.graph.taken)
    @rule(
        data=st.data(),
        status=st.sampled_from(["completed", "Failed", "Running", "completed"]),
        with_id=st.booleans(),
        repeats=st.integers(1, 2),
        plan=plans,
    )
    def graph_reports(self, data: st.DataObject, status: str, repeats: int, plan: Fault, *, with_id: bool) -> None:
        operation = data.draw(st.sampled_from(self.world.graph.taken))
        # A report names its operation by id, by context, or by both.
        with_context = data.draw(st.booleans()) if with_id else True
        item = operation_item(operation, status, with_id=with_id, with_context=with_context)
        self._break(plan)
        self.world.report(*[item] * repeats)

    @rule(people=st.sets(st.sampled_from(PEOPLE)), plan=plans)
    def the_roster_changes(self, people: set[str], plan: Fault) -> None:
        self.world.graph.present = set(people)
        self._break(plan)
        self.world.report(roster_item(people))

    @rule(seconds=st.sampled_from([1, 10, 60, 130, 300]), plan=plans, reachable=st.booleans())
    def time_passes(self, seconds: int, plan: Fault, *, reachable: bool) -> None:
        self.world.clock.moment += timedelta(seconds=seconds)
        self.world.graph.reachable = reachable
        self._break(plan)
        self.world.work_queue()

    @rule(statuses=st.lists(st.sampled_from([200, 500, None, 404, 429]), max_size=3))
    def flows_answer(self, statuses: list[int | None]) -> None:
        self.world.flows.statuses = list(statuses)

    @precondition(lambda self: len(self.world.graph.taken) > 1)
    @rule(plan=plans)
    def the_call_ends(self, plan: Fault) -> None:
        self.world.graph.ended = True
        self._break(plan)
        self.world.report(call_item("terminated"))

    @invariant()
    def nobody_is_rung_twice(self) -> None:
        """Each context that Graph knows belongs to one key and one attempt, so this is once per key and person."""
        assert all(count == 1 for count in self.world.graph.rings.values()), self.world.graph.rings

    @invariant()
    def what_graph_said_stays(self) -> None:
        now = self.world.says_graph()
        for operation, word in self.graph_said.items():
            assert now[operation] == word
        self.graph_said = now

    @invariant()
    def final_states_have_a_reason(self) -> None:
        for invitation in self.world.invitations():
            for operation in invitation.operations:
                if operation.status.is_final:
                    assert operation.decided_by is not None
                    assert operation.status is Status.COMPLETED or operation.result is not None

    def _break(self, plan: Fault) -> None:
        faults = self.world.plan
        faults.countdown, faults.kind, faults.after, faults.in_a_row = plan

    def teardown(self) -> None:
        """Once the faults end, every invitation gets its outcome in bounded time, and every waiting flow gets it."""
        world = self.world
        world.plan.countdown = 0
        world.graph.reachable = True
        world.flows.statuses = []
        step = timedelta(seconds=CHECK_AFTER)
        end = world.clock.now() + 2 * timedelta(seconds=GIVE_UP_AFTER) + timedelta(days=2)
        while world.clock.now() < end:
            world.clock.moment += step
            step = min(step * 2, timedelta(hours=8)) if world.clock.now() > end - timedelta(days=2) else step
            world.work_queue()
        for invitation in world.invitations():
            assert not is_open(invitation, world.clock.now()), invitation
            for flow in invitation.flows:
                assert flow.state in (Delivery.DELIVERED, Delivery.UNDELIVERABLE), flow
        self.nobody_is_rung_twice()
        self.what_graph_said_stays()


def _run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_nothing_rings_twice_or_is_lost_whatever_the_order() -> None:
    """In any order of events and faults nobody is rung twice, Graph's word stays, and every invitation ends."""
    _run(examples=60, steps=30)


@pytest.mark.prove
def test_nothing_rings_twice_or_is_lost_in_two_thousand_runs() -> None:
    """The same, in 2,000 runs of 50 steps."""
    _run(examples=2_000, steps=50)


def test_the_proof_would_notice_a_second_ring() -> None:
    """The invariant is real: a world in which Graph takes the same request twice breaks it."""
    machine = AnyOrder()
    machine.world.graph.rings["context", PEOPLE[0]] = 2
    with pytest.raises(AssertionError):
        machine.nobody_is_rung_twice()
