"""Flows, Graph, callbacks, messages, crashes and the clock in any order: a state machine for hypothesis."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.invitation import Decider, Invitation, Status
from domain.progress import is_open
from domain.standing import standing
from domain.waiting import RETRY_SECONDS, Delivery
from storage.errors import StorageError
from storage.store import TableStore
from tests.never_twice.outside import CUT, CUT_BUT_TAKEN
from tests.never_twice.world import CALL, CHECK_AFTER, GIVE_UP_AFTER, World, call_item, operation_item, roster_item
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

PEOPLE = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(8))
ANSWERS = (
    "running",
    "running",
    "completed at once",
    "reported first",
    "no id",
    "refused",
    "throttled",
    "throttled briefly",
    "unavailable",
    "nothing sent",
    "lost before",
    "lost after",
    "slow",
    "slow, refused",
)
# What flows ask for: by key, always the same people, as a flow that repeats itself does. The third needs two
# requests, the fourth one for each person.
KEYS: dict[str, tuple[str | None, dict[str, str], tuple[str, ...]]] = {
    "one": ("one", {}, PEOPLE[:1]),
    "idempotency": (None, {"idempotency-key": '"k"'}, PEOPLE[1:3]),
    "split": ("split", {}, PEOPLE[:7]),
    "separately": ("separately", {}, PEOPLE[2:7]),
    "flow": (None, {"x-ms-workflow-operation-name": "Invite"}, PEOPLE[2:3]),
}
RUNS = tuple(f"0858400000000000000{number}CU1" for number in range(3))
Fault = tuple[int, str, bool, int]
faults = st.tuples(st.integers(0, 9), st.sampled_from(["crash", "storage"]), st.booleans(), st.integers(1, 3))
statuses = st.lists(st.sampled_from([200, 500, None, 404, 410, 429, CUT, CUT_BUT_TAKEN]), max_size=3)
late = st.sampled_from([0, 0, 0, 1.5, 2.5])


class AnyOrder(RuleBasedStateMachine):
    """Every rule is something that happens outside the app; the invariants are its promises."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.graph.reported_first = self.world.report_before_the_answer
        self.graph_said: dict[str, Any] = {}
        self.became: dict[tuple[str, int], Status] = {}
        self.is_asleep = False

    @initialize()
    def begin(self) -> None:
        self.world.report(call_item("established"))

    @rule(
        key=st.sampled_from(sorted(KEYS)),
        run=st.sampled_from(RUNS),
        answers=st.lists(st.sampled_from(ANSWERS), max_size=4),
        fault=faults,
        waits=st.booleans(),
        seconds=late,
    )
    def a_flow_invites(
        self, key: str, run: str, answers: list[str], fault: Fault, seconds: float, *, waits: bool
    ) -> None:
        self._break(fault)
        graph = self.world.graph
        graph.next_answers = list(answers)
        before, crashes = len(graph.taken), self.world.plan.crashes
        answer = self._invite(key, run, waits=waits, late=seconds)
        graph.next_answers = []
        if isinstance(answer, StorageError):
            assert len(graph.taken) == before, "after Graph was asked the response is never 503"
        assert not isinstance(answer, ApiError) or answer.status in (404, 409, 422, 429, 503)
        if isinstance(answer, Invitation) and crashes == self.world.plan.crashes == 0:
            asked = [one.client_context for one in answer.operations if one.status is not Status.NOT_STARTED]
            assert graph.asked.issuperset(asked), "a request that nothing cut short was not sent"

    @precondition(lambda self: self.world.graph.taken)
    @rule(
        data=st.data(),
        status=st.sampled_from(["completed", "Failed", "Running", "completed"]),
        with_id=st.booleans(),
        repeats=st.integers(1, 2),
        fault=faults,
        seconds=late,
    )
    def graph_reports(
        self, data: st.DataObject, status: str, repeats: int, fault: Fault, seconds: float, *, with_id: bool
    ) -> None:
        operation = data.draw(st.sampled_from(self.world.graph.taken))
        # A report names its operation by id, by context, or by both.
        with_context = data.draw(st.booleans()) if with_id else True
        item = operation_item(operation, status, with_id=with_id, with_context=with_context)
        self._break(fault)
        self.world.report(*[item] * repeats, late=seconds)

    @rule(people=st.sets(st.sampled_from(PEOPLE)), ringing=st.sets(st.sampled_from(PEOPLE)), fault=faults)
    def the_roster_changes(self, people: set[str], ringing: set[str], fault: Fault) -> None:
        self.world.graph.present = set(people)
        self._break(fault)
        self.world.report(roster_item(people, ringing - people))

    @rule(seconds=st.sampled_from([1, 5, 10, 60, 130, 300]), fault=faults, reachable=st.booleans(), twice=st.booleans())
    def time_passes(self, seconds: int, fault: Fault, *, reachable: bool, twice: bool) -> None:
        self.world.clock.moment += timedelta(seconds=seconds)
        self.world.graph.reachable = reachable
        self._break(fault)
        if not self.is_asleep:
            self.world.work_queue(twice=twice)

    @rule()
    def the_queue_falls_asleep_or_wakes(self) -> None:
        self.is_asleep = not self.is_asleep

    @rule(responses=statuses)
    def flows_respond(self, responses: list[int | str | None]) -> None:
        self.world.flows.statuses = list(responses)

    @precondition(lambda self: self._waiting())
    @rule(data=st.data(), fault=faults)
    def a_flow_stops_waiting(self, data: st.DataObject, fault: Fault) -> None:
        stop = data.draw(st.sampled_from(self._waiting()))
        self._break(fault)
        stop()

    @precondition(lambda self: self._waiting())
    @rule(data=st.data())
    def a_flow_stops_waiting_during_the_next_post(self, data: st.DataObject) -> None:
        self.world.flows.meanwhile = data.draw(st.sampled_from(self._waiting()))

    @precondition(lambda self: self.world.graph.taken)
    @rule(
        data=st.data(),
        key=st.sampled_from(sorted(KEYS)),
        run=st.sampled_from(RUNS),
        order=st.lists(st.integers(0, 4), max_size=30),
        fault=faults,
    )
    def things_overlap(self, data: st.DataObject, key: str, run: str, order: list[int], fault: Fault) -> None:
        operation = data.draw(st.sampled_from(self.world.graph.taken))
        report = partial(self.world.report, operation_item(operation, "completed"))
        others: list[Callable[[], object]] = [
            report,
            partial(self._invite, key, run, waits=True),
            self.world.work_queue,
            partial(self.world.report, roster_item(self.world.graph.present)),
            *self._waiting()[:1],
        ]
        actions = data.draw(st.lists(st.sampled_from(others), min_size=1, max_size=3))
        self._break(fault)
        self.world.at_once([report, *actions], order)

    @precondition(lambda self: len(self.world.graph.taken) > 1)
    @rule(fault=faults)
    def the_call_ends(self, fault: Fault) -> None:
        self.world.graph.ended = True
        self._break(fault)
        self.world.report(call_item("terminated"))

    @invariant()
    def no_person_is_called_twice(self) -> None:
        """Each context that Graph gets belongs to one key and one attempt, so this is once for each key and person."""
        assert all(count == 1 for count in self.world.graph.rings.values()), self.world.graph.rings

    @invariant()
    def what_graph_said_stays(self) -> None:
        now = self.world.says_graph()
        for operation, word in self.graph_said.items():
            assert now[operation] == word
        self.graph_said = now

    @invariant()
    def what_became_of_a_person_stays(self) -> None:
        """What Graph reported is final for each of its people, except that the unconfirmed may be seen."""
        record = TableStore(self.world.memory).all_invitations(CALL)
        for invitation in record.invitations.values():
            current = standing(invitation, record.call, self.world.clock.now())
            for person, status in enumerate(current.people):
                key = invitation.id, person
                earlier = self.became.get(key)
                is_seen = earlier is Status.UNCONFIRMED and status is Status.COMPLETED
                assert earlier in (None, status) or is_seen, (earlier, status)
                if status.is_final and current.operations[person].decided_by is Decider.GRAPH:
                    self.became[key] = status

    @invariant()
    def final_states_have_a_reason(self) -> None:
        for invitation in self.world.invitations():
            for operation in invitation.operations:
                if operation.status.is_final:
                    assert operation.decided_by is not None
                    assert operation.status is Status.COMPLETED or operation.result is not None

    @invariant()
    def flows_are_notified_once(self) -> None:
        """Judged at each POST, see ``FakeFlows``."""
        broken = self.world.flows.broken
        assert broken == []

    @invariant()
    def everything_open_has_its_alarm(self) -> None:
        assert self.world.without_alarm() == []

    def _break(self, fault: Fault) -> None:
        self.world.clock.sleep(0.05)  # no two requests come at the same instant
        plan = self.world.plan
        plan.countdown, plan.kind, plan.after, plan.in_a_row = fault

    def _invite(self, key: str, run: str, *, waits: bool, late: float = 0) -> Any:
        context, headers, people = KEYS[key]
        return self.world.invite(
            people, context, headers, waits=waits, run=run, separately=key == "separately", late=late
        )

    def _waiting(self) -> list[Callable[[], object]]:
        """Return what stops each flow that waits."""
        return [
            partial(self.world.stop_waiting, invitation, flow)
            for invitation in self.world.invitations()
            for flow in invitation.flows
            if flow.is_waiting
        ]

    def teardown(self) -> None:
        """Once the faults end, everything ends in bounded time, without a poll, and every waiting flow is notified."""
        world = self.world
        world.plan.countdown = 0
        world.graph.reachable = True
        world.flows.statuses = []
        world.flows.meanwhile = None
        step = timedelta(seconds=CHECK_AFTER)
        end = world.clock.now() + 2 * timedelta(seconds=GIVE_UP_AFTER) + timedelta(days=2)
        while world.clock.now() < end:
            world.clock.moment += step
            step = min(step * 2, timedelta(hours=8)) if world.clock.now() > end - timedelta(days=2) else step
            world.work_queue()
        for invitation in world.invitations():
            assert not is_open(invitation, world.clock.now()), invitation
            if not world.plan.crashes:
                assert world.graph.asked.issuperset(one.client_context for one in invitation.operations)
            for flow in invitation.flows:
                self._is_right(flow.message_id, flow.state, flow.attempts)
        assert world.queue.waiting == []
        self.no_person_is_called_twice()
        self.what_graph_said_stays()
        self.flows_are_notified_once()

    def _is_right(self, message_id: str, state: Delivery, attempts: int) -> None:
        flows = self.world.flows
        match state:
            case Delivery.DELIVERED:
                assert message_id in flows.taken | flows.cut, "a flow counts as notified and was not"
            case Delivery.UNDELIVERABLE:
                assert flows.gone[message_id] > 1 or attempts > len(RETRY_SECONDS), "a flow was given up too early"
            case _:
                assert state is Delivery.CANCELLED
