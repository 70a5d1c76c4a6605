"""Flow, Graph, queue, storage faults and crashes in any order: the promises of escalations hold all the same."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domain.escalation import EscalationStatus, is_open
from domain.step_results import is_won, joined_people
from domain.waiting import Delivery
from tests.escalation.world import GIVE_UP_AFTER, EscalationWorld, person
from tests.never_twice.world import call_item

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.escalation import Escalation, Joined

pytestmark = pytest.mark.usefixtures("in_order")
PEOPLE = range(1, 6)
ANSWERS = ("running",) * 4 + (
    "completed at once",
    "no id",
    "refused",
    "throttled",
    "throttled briefly",
    "nothing sent",
    "lost before",
    "lost after",
)
REQUESTS = (
    {"steps": ([1], [2], [3])},
    {"steps": ([1, 2], [3]), "repeat": 1},
    {"steps": ([1, 2], [3, 4]), "stopWhen": "wholeStepJoins"},
    {"steps": ([1], [2], [1]), "repeat": 2},
)
KINDS = ("crash", "storage", "meanwhile", "meanwhile")
plans = st.tuples(
    st.integers(0, 14),
    st.sampled_from(["crash", "storage", "meanwhile", "meanwhile"]),
    st.booleans(),
    st.integers(1, 4),
)
Fault = tuple[int, str, bool, int]
people = st.sampled_from(PEOPLE)


class AnyOrder(RuleBasedStateMachine):
    """Every step is something that happens outside the app; the invariants are its promises."""

    def __init__(self) -> None:
        super().__init__()
        self.world = EscalationWorld()
        self.world.plan.elapse = lambda: self.world.clock.sleep(0.01)
        self.request: dict[str, object] = {}
        self.over: tuple[object, ...] | None = None
        self.joined: tuple[Joined, ...] = ()
        self.came: set[str] = set()
        """Who was in the call at any time."""

    @initialize(request=st.sampled_from(REQUESTS), answers=st.lists(st.sampled_from(ANSWERS), min_size=2, max_size=4))
    def a_flow_escalates(self, request: dict[str, object], answers: list[str]) -> None:
        self.world.report(call_item("established"))
        self.request = {"seconds": 20, "clientContext": "incident", **request}
        self.world.graph.next_answers = list(answers)
        self._escalate()

    @rule(plan=plans, run=st.sampled_from([None, "second", "third"]))
    def a_flow_asks_again(self, plan: Fault, run: str | None) -> None:
        self._break(plan)
        self._escalate(run)

    @rule(answers=st.lists(st.sampled_from(ANSWERS), max_size=4), statuses=st.lists(st.sampled_from([500, None, 404])))
    def what_comes_next(self, answers: list[str], statuses: list[int | None]) -> None:
        self.world.graph.next_answers = list(answers)
        self.world.flows.statuses = list(statuses[:1])

    @rule(number=people, plan=plans, is_reported=st.booleans())
    def a_person_answers(self, number: int, plan: Fault, *, is_reported: bool) -> None:
        if person(number) in self.world.graph.ringing.values():
            self._break(plan)
            self.world.answers(number, is_reported=is_reported)
            self.world.plan.countdown = 0

    @rule(number=people, plan=plans, late=st.sampled_from([0, 0, 3]))
    def a_person_declines(self, number: int, plan: Fault, late: int) -> None:
        if person(number) in self.world.graph.ringing.values():
            self.world.graph.stops_ringing(person(number))
            self._break(plan)
            self.world.report(self.world.operation(number, "failed"), late_seconds=late)

    @rule(number=people, status=st.sampled_from(["completed", "failed", "Running"]), plan=plans)
    def graph_reports_once_more(self, number: int, status: str, plan: Fault) -> None:
        """A report comes late or twice; what it states is what has happened."""
        has_answered = person(number) in self.world.graph.present
        is_true = {"completed": has_answered, "failed": not self._rings(number) and not has_answered}
        if self.world.graph.calls[person(number)] and is_true.get(status, True):
            self._break(plan)
            self.world.report(self.world.operation(number, status))

    @rule(plan=plans)
    def the_roster_is_reported(self, plan: Fault) -> None:
        self._break(plan)
        self.world.report(self.world.roster())

    @rule(number=people, to_lobby=st.booleans())
    def a_person_comes_by_themselves(self, number: int, *, to_lobby: bool) -> None:
        if not self._rings(number):
            (self.world.graph.lobby if to_lobby else self.world.graph.present).add(person(number))
            self.world.graph.lobby -= self.world.graph.present

    @rule(number=people, plan=plans)
    def a_person_leaves(self, number: int, plan: Fault) -> None:
        """They leave the call, or give up waiting in its lobby."""
        if person(number) in self.world.graph.present | self.world.graph.lobby:
            self.came |= self.world.graph.present
            self.world.graph.present.discard(person(number))
            self.world.graph.lobby.discard(person(number))
            self._break(plan)
            self.world.report(self.world.roster())

    @rule(lists=st.booleans(), status=st.sampled_from([None, None, 403]))
    def graph_changes(self, status: int | None, *, lists: bool) -> None:
        self.world.graph.lists_ringing = lists
        self.world.graph.removal_status = status

    @rule(seconds=st.sampled_from([1, 6, 6, 21, 65]), plan=plans, reachable=st.booleans())
    def time_passes(self, seconds: int, plan: Fault, *, reachable: bool) -> None:
        self.world.graph.reachable = reachable
        if seconds > 60:
            self.world.graph.ringing.clear()
        self.world.clock.moment += timedelta(seconds=seconds)
        self._break(plan)
        self.world.work_queue()
        self.world.graph.reachable = True

    @precondition(lambda self: self._exists())
    @rule(plan=plans)
    def it_is_stopped(self, plan: Fault) -> None:
        self._break(plan)
        self.world.stop()

    @precondition(lambda self: len(self.world.graph.taken) > 1)
    @rule(plan=plans)
    def the_call_ends(self, plan: Fault) -> None:
        self.world.graph.ended = True
        self.world.graph.ringing.clear()
        self._break(plan)
        self.world.report(call_item("terminated"))

    @invariant()
    def no_person_is_called_twice_by_a_step(self) -> None:
        """Each context that Graph gets belongs to one person of one step of one round."""
        assert all(count == 1 for count in self.world.graph.rings.values()), self.world.graph.rings
        per_step = Counter(
            (one["clientContext"].partition("~")[0], name) for one in self.world.graph.taken for name in one["people"]
        )
        assert all(count == 1 for count in per_step.values()), per_step

    @invariant()
    def no_person_who_has_answered_is_removed(self) -> None:
        assert not self.world.graph.removed_after_answer

    @invariant()
    def steps_follow_each_other(self) -> None:
        """One after the other, in order, each begun after the end of the one before."""
        if not self._exists():
            return
        escalation = self.world.escalation()
        places = [(one.round, one.step) for one in escalation.begun]
        in_order = [
            (round_, step) for round_ in range(1, escalation.repeat + 2) for step in range(1, len(escalation.steps) + 1)
        ]
        assert places == in_order[: len(places)]
        for before, after in zip(escalation.begun, escalation.begun[1:], strict=False):
            assert before.ended is not None
            assert before.ended <= after.started
        assert all(one.ended is not None for one in escalation.begun) or not escalation.is_final

    @invariant()
    def no_step_begins_after_the_win_or_the_stop(self) -> None:
        """Whatever was stored before a step's begin was written counts."""
        assert not self.world.memory.begun_too_late

    @invariant()
    def no_flow_gets_an_outcome_twice(self) -> None:
        """Except after a fault between the POST and its mark, and then never two at once."""
        assert not self.world.posts.overlaps
        assert not self.world.flows.broken

    @invariant()
    def the_end_stays(self) -> None:
        """After the win, the stop or the failure only who joined may grow."""
        if not self._exists():
            return
        record, escalation = self.world.record(), self.world.escalation()
        joined = joined_people(escalation, record)
        assert set(self.joined) <= set(joined)
        now = (escalation.status, escalation.result, escalation.begun)
        if self.over is not None:
            assert now == self.over
        elif escalation.status is not EscalationStatus.RUNNING:
            self.over = now
            was_won = is_won(replace(escalation, joined=self.joined))
            assert escalation.status is EscalationStatus.COMPLETED or not was_won
        self.joined = joined

    @invariant()
    def who_joined_was_in_the_call(self) -> None:
        """Neither the lobby nor a device that rings is the call."""
        self.came |= self.world.graph.present
        if self._exists():
            steps = self.world.escalation().steps
            assert {steps[one.step - 1].people[one.person].id for one in self.joined} <= self.came

    def teardown(self) -> None:
        """Once the faults end, it ends in bounded time without polls, and the waiting flow is notified once."""
        world = self.world
        world.plan.countdown, world.flows.statuses, world.graph.next_answers = 0, [], []
        world.graph.ringing.clear()
        if not self._exists():
            return
        rounds = len(world.escalation().steps) * (world.escalation().repeat + 1)
        self._pass(seconds=10, until=60 + 25 * rounds + 700)
        escalation = world.escalation()
        assert escalation.is_final, escalation
        self._pass(seconds=120, until=2 * GIVE_UP_AFTER)
        self._pass(seconds=7200, until=200_000)
        escalation = world.escalation()
        assert not is_open(escalation, world.record()), escalation
        assert not escalation.cancelling
        for flow in escalation.flows:
            assert flow.state in (Delivery.DELIVERED, Delivery.UNDELIVERABLE), flow
        self._check_outcome(escalation)
        assert all(count <= 1 + self.crashed for count in Counter(world.flows.delivered).values()), (
            world.flows.delivered
        )
        self.no_person_is_called_twice_by_a_step()
        self.the_end_stays()

    crashed = 0
    """How often a process exited or storage failed, so that a POST may have been repeated."""

    def _check_outcome(self, escalation: Escalation) -> None:
        if escalation.status is EscalationStatus.COMPLETED:
            assert escalation.joined
        if escalation.status is EscalationStatus.FAILED and not self.world.graph.ended:
            assert len(escalation.begun) == len(escalation.steps) * (escalation.repeat + 1)

    def _pass(self, *, seconds: int, until: float) -> None:
        end = self.world.clock.now() + timedelta(seconds=until)
        while self.world.clock.now() < end and self.world.queue.waiting:
            self.world.clock.moment += timedelta(seconds=seconds)
            self.world.work_queue()

    def _escalate(self, run: str | None = None) -> None:
        request = dict(self.request)
        steps: tuple[list[int], ...] = request.pop("steps")  # type: ignore[assignment]
        before = len(self.world.graph.taken)
        answer = self.world.escalate(*steps, wait=True, run=run, **request)  # type: ignore[arg-type]
        assert answer is None or int(answer.status) in (201, 404, 503)
        if answer is not None and int(answer.status) == 404:
            assert len(self.world.graph.taken) == before

    def _exists(self) -> bool:
        return any(key.startswith("~escalation|") for _, key in self.world.memory.rows)

    def _rings(self, number: int) -> bool:
        return person(number) in self.world.graph.ringing.values()

    def _break(self, plan: Fault) -> None:
        self.world.clock.sleep(0.05)  # no two requests come at the same instant
        faults = self.world.plan
        faults.countdown, faults.kind, faults.after, faults.in_a_row = plan
        if faults.kind == "meanwhile":
            # A report or a message arrives while this is under way.
            happens: tuple[Callable[[], object], ...] = (
                lambda: self.world.report(self.world.roster()),
                self.world.work_queue,
                self._a_person_answers_meanwhile,
                self._an_answer_is_only_written,
            )
            faults.meanwhile = happens[plan[3] - 1]
        elif faults.countdown:
            self.crashed += 1

    def _a_person_answers_meanwhile(self) -> None:
        ringing = sorted(self.world.graph.ringing.values())
        if ringing and not self.world.graph.ended:
            self.world.answers(int(ringing[0][-12:]))

    def _an_answer_is_only_written(self) -> None:
        ringing = sorted(self.world.graph.ringing.values())
        if ringing and not self.world.graph.ended:
            number = int(ringing[0][-12:])
            self.world.answers(number, is_reported=False)
            self.world.report_is_only_written(self.world.operation(number, "completed"), self.world.roster())


def run(examples: int, steps: int, machine: type[AnyOrder] = AnyOrder, *, shrink: bool = True) -> None:
    """Run the machine."""
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    logging.disable()  # what is logged of thousands of faults takes longer than the faults
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
                phases=phases,
            ),
        )
    finally:
        logging.disable(logging.NOTSET)


def test_any_order() -> None:
    """In any order of events and faults every promise holds."""
    run(examples=25, steps=20)


@pytest.mark.prove
def test_any_order_in_two_thousand_runs() -> None:
    """The same, in 2,000 runs of 40 steps."""
    run(examples=2_000, steps=40)
