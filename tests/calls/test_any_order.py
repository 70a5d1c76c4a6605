"""Starts, callbacks, time, faults and crashes in any order: no person is called twice, and no call is left over."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Executor, Future
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from domain.start import Over, StartStatus
from domain.start_progress import is_open
from domain.waiting import Delivery
from storage.errors import StorageError
from tests.calls.fake_graph import THREAD, FakeCall, call_item
from tests.calls.values import ANNA, BEN, BY_ID, CLEO, MEETING_ID, call_of, meeting
from tests.calls.world import World
from web.errors import ApiError

CREATED = (
    "made",
    "made",
    "made",
    "refused",
    "throttled",
    "unavailable",
    "nothing sent",
    "lost before",
    "lost after",
    "error after",
)
INVITED = ("made", "made", "made", "refused", "throttled", "lost before", "lost after")
OTHERS = ("done", "done", "done", "lost before", "throttled", "error before")
# What flows ask for: by key, always the same body, as a flow that repeats itself does.
FLOW = {"x-ms-workflow-run-id": "run", "x-ms-workflow-operation-name": "Start"}
BODIES: dict[str, dict[str, Any]] = {
    "link": meeting(ANNA, BEN, clientContext="link"),
    "link again": meeting(CLEO, clientContext="link again", leaveAfterwards=True),
    "id": {"meeting": BY_ID, **call_of(BEN), "clientContext": "id"},
    "id again": {"meeting": BY_ID, **call_of(CLEO), "clientContext": "id again"},
    "together": meeting(ANNA, CLEO, clientContext="together", separately=False),
    "empty": {**meeting(), "clientContext": "empty"},
    "steps": {**meeting(), "steps": [call_of(BEN), call_of(CLEO)], "clientContext": "steps"},
    "one": call_of(ANNA, clientContext="one"),
    "group": call_of(BEN, CLEO, clientContext="group"),
    "flow": meeting(ANNA),
}
plans = st.tuples(st.integers(0, 14), st.sampled_from(["crash", "storage"]), st.booleans(), st.integers(1, 3))
Fault = tuple[int, str, bool, int]


class Starts(RuleBasedStateMachine):
    """Every step is something that happens outside the app; the invariants are its promises."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.graph.threads[MEETING_ID] = THREAD
        self.finals: dict[str, tuple[StartStatus, int]] = {}
        self.closed: set[str] = set()
        """Calls that are never established: the lobby of their meeting does not let the app in."""

    @rule(
        key=st.sampled_from(sorted(BODIES)),
        answers=st.lists(st.sampled_from(CREATED), max_size=2),
        plan=plans,
        waits=st.booleans(),
        early=st.sampled_from(["", "", "established", "terminated"]),
    )
    def a_flow_starts(self, key: str, answers: list[str], plan: Fault, early: str, *, waits: bool) -> None:
        """A flow starts a call, or repeats that; Graph may report before it answers."""
        world = self.world
        world.graph.answers = list(answers)
        before = len(world.graph.calls)
        if early == "established":
            world.graph.reported_first = world.establish
        elif early == "terminated":
            world.graph.reported_first = world.end
        self._break(plan)
        answer = world.start(BODIES[key], waits=waits, headers=FLOW if key == "flow" else None)
        world.graph.answers, world.graph.reported_first = [], None
        if isinstance(answer, StorageError):
            assert len(world.graph.calls) == before, "once Graph took a create the response is never 503"
        assert not isinstance(answer, ApiError) or answer.status in (409, 422, 429, 503)

    @precondition(lambda self: self.world.graph.calls)
    @rule(data=st.data(), what=st.sampled_from(["establish", "establish", "roster", "end"]), plan=plans)
    def graph_reports(self, data: st.DataObject, what: str, plan: Fault) -> None:
        """Graph reports something of a call."""
        call = data.draw(st.sampled_from(list(self.world.graph.calls.values())))
        self._break(plan)
        self._report(call, what)

    @precondition(lambda self: self.world.graph.calls)
    @rule(data=st.data())
    def lobby_stays_closed(self, data: st.DataObject) -> None:
        """The app is not let into a call."""
        call = data.draw(st.sampled_from(list(self.world.graph.calls.values())))
        if call.state == "establishing":
            self.closed.add(call.id)

    @precondition(lambda self: self.world.graph.operations)
    @rule(
        data=st.data(),
        status=st.sampled_from(["completed", "failed"]),
        answers=st.lists(st.sampled_from(OTHERS), max_size=3),
        plan=plans,
    )
    def people_answer(self, data: st.DataObject, status: str, answers: list[str], plan: Fault) -> None:
        """The people of an operation answer or decline."""
        operation = data.draw(st.sampled_from(self.world.graph.operations))
        self.world.graph.other_answers = list(answers)
        self._break(plan)
        self.world.answer(operation, status)
        self.world.graph.other_answers = []

    @rule(
        seconds=st.sampled_from([1, 11, 25, 130, 320, 700]),
        invited=st.lists(st.sampled_from(INVITED), max_size=3),
        answers=st.lists(st.sampled_from(OTHERS), max_size=3),
        created=st.lists(st.sampled_from(CREATED), max_size=1),
        plan=plans,
    )
    def time_passes(
        self, seconds: int, invited: list[str], answers: list[str], created: list[str], plan: Fault
    ) -> None:
        """Time passes, and messages are handled."""
        graph = self.world.graph
        graph.invite_answers, graph.other_answers, graph.answers = list(invited), list(answers), list(created)
        self._break(plan)
        self.world.pass_time(seconds)
        graph.invite_answers, graph.other_answers, graph.answers = [], [], []

    @precondition(lambda self: self.world.starts())
    @rule(data=st.data(), answers=st.lists(st.sampled_from(OTHERS), max_size=3), plan=plans, lists=st.booleans())
    def somebody_stops_a_start(self, data: st.DataObject, answers: list[str], plan: Fault, *, lists: bool) -> None:
        """A start is stopped."""
        start = data.draw(st.sampled_from([one.id for one in self.world.starts()]))
        self.world.graph.other_answers, self.world.graph.lists_ringing = list(answers), lists
        self._break(plan)
        self.world.stop(start)
        self.world.graph.other_answers, self.world.graph.lists_ringing = [], True

    @precondition(lambda self: self.world.graph.calls)
    @rule(data=st.data(), answers=st.lists(st.sampled_from(OTHERS), max_size=2), plan=plans)
    def somebody_hangs_up(self, data: st.DataObject, answers: list[str], plan: Fault) -> None:
        """The app leaves a call."""
        call = data.draw(st.sampled_from(list(self.world.graph.calls)))
        self.world.graph.other_answers = list(answers)
        self._break(plan)
        self.world.request("hang_up", route={"callId": call})
        self.world.graph.other_answers = []

    @precondition(lambda self: self.world.graph.operations)
    @rule(data=st.data(), answers=st.lists(st.sampled_from(OTHERS), max_size=3), plan=plans)
    def somebody_cancels(self, data: st.DataObject, answers: list[str], plan: Fault) -> None:
        """An invitation is cancelled; who has answered is not removed."""
        world = self.world
        call = world.graph.calls[data.draw(st.sampled_from(world.graph.operations))["call"]]
        found = [view["invitationId"] for view in map(world.view, [one.id for one in world.starts()])]
        known = [one for one in found if one is not None]
        if not known:
            return
        world.graph.other_answers = list(answers)
        self._break(plan)
        present = set(call.present)
        world.request("cancel_invitation", route={"callId": call.id, "invitationId": data.draw(st.sampled_from(known))})
        assert present <= set(call.present) or not call.is_alive
        world.graph.other_answers = []

    @invariant()
    def no_person_is_called_twice(self) -> None:
        """Each attempt of a start creates one call at most, and each invitation calls each person once."""
        assert not [key for key, count in self.world.graph.creates.items() if count > 1]
        assert not [key for key, count in self.world.graph.invited.items() if count > 1]

    @invariant()
    def one_create_for_each_attempt(self) -> None:
        """A create is never repeated, whatever became of it."""
        asked = Counter(body["callbackUri"] for body in self.world.graph.bodies)
        assert not [uri for uri, count in asked.items() if count > 1]

    @invariant()
    def what_is_final_stays(self) -> None:
        """A final start stays as it is, until what Graph refused is started again."""
        for start in self.world.starts():
            if isinstance(start.stage, Over):
                before = self.finals.setdefault(start.id, (start.stage.status, start.attempt))
                assert before[1] < start.attempt or before[0] is start.stage.status
                self.finals[start.id] = (start.stage.status, start.attempt)

    def teardown(self) -> None:
        """Once the faults end, every start ends without a poll, flows are notified, and no call is left over."""
        world = self.world
        world.plan.countdown = 0
        # Graph repeats what was not acknowledged: each call's state is reported in the end.
        for _ in range(3):
            for call in list(world.graph.calls.values()):
                self._report(call, "establish" if call.is_alive else "end")
            world.pass_time(700)
            for operation in world.graph.operations:
                world.answer(operation)
        world.pass_time(1_300)
        for call in world.live():
            world.roster(call)
        world.pass_time(700)
        for start in world.starts():
            assert start.is_final, start
            assert not is_open(start), start
            for flow in start.flows:
                assert flow.state is Delivery.DELIVERED or flow.message_id in world.flows.taken, flow
        wanted = {start.call_id for start in world.starts() if start.call_id is not None}
        stopped = {
            start.call_id
            for start in world.starts()
            if isinstance(start.stage, Over) and start.stage.status is StartStatus.STOPPED
        }
        used = {
            start.call_id
            for start in world.starts()
            if isinstance(start.stage, Over) and start.stage.status is not StartStatus.STOPPED
        }
        live = world.live()
        assert not [call for call in live if call.id not in wanted], "an orphan is left"
        assert not [call for call in live if call.id in stopped - used], "the call of a stopped start is left"
        legs = Counter(call.meeting for call in live if call.meeting is not None)
        assert not [one for one, count in legs.items() if count > 1], "two legs are in one meeting"
        assert sorted(world.listed()) == sorted(call.id for call in live)
        if world.plan.faults == 0:
            posted = Counter(message_id for message_id, _ in world.flows.posted)
            assert not [one for one, count in posted.items() if count > 1], "a flow was notified twice"
        for call in live:
            stored = world.stored_call(call.id)
            assert stored is not None
            assert stored.alarm is not None, "a call is not kept alive"
            names = {str(waiting.message.get("alarm")) for waiting in world.queue.waiting}
            assert stored.alarm.name in names
            assert stored.alarm.time - world.clock.now() < timedelta(minutes=12)
        self.no_person_is_called_twice()
        self.what_is_final_stays()

    def _report(self, call: FakeCall, what: str) -> None:
        if what == "establish" and call.id in self.closed and call.is_alive:
            self.world.report(call.id, call_item(call.id, call.state))
        else:
            getattr(self.world, what)(call)

    def _break(self, plan: Fault) -> None:
        self.world.clock.sleep(0.05)  # no two requests come at the same instant
        faults = self.world.plan
        faults.countdown, faults.kind, faults.after, faults.in_a_row = plan


@pytest.fixture(autouse=True)
def _same_choices_same_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    repeatable(monkeypatch)


def repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do duties one after the other and without jitter, so that the same choices always lead to the same steps."""
    monkeypatch.setattr("flows.duties._SIDE_BY_SIDE", {False: Inline(), True: Inline()})
    monkeypatch.setattr("calls.legs.uniform", lambda low, high: (low + high) / 2)


class Inline(Executor):
    """Runs what it is given at once."""

    def submit(self, fn: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        """Run a function; what it raises is raised by the result."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*arguments, **named))
        except BaseException as error:  # noqa: BLE001 - a crash too
            future.set_exception(error)
        return future


def _run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Starts,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_order() -> None:
    """In any order of events and faults no person is called twice, every start ends, and no call is left over."""
    _run(examples=40, steps=20)


@pytest.mark.prove
def test_any_order_in_two_thousand_runs() -> None:
    """The same, in 2,000 runs of 40 steps."""
    _run(examples=2_000, steps=40)


def test_second_call_is_noticed() -> None:
    """The invariant is real: a world in which Graph called a person twice breaks it."""
    machine = Starts()
    machine.world.graph.invited["context", ANNA] = 2
    with pytest.raises(AssertionError):
        machine.no_person_is_called_twice()
