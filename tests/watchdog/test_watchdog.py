"""The watchdog: what it concludes from what Graph shows, and when it looks."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from domain.call import Presence
from domain.inference import NEVER_CONFIRMED, SEEN_IN_CALL, call_ended
from domain.invitation import Asked, Decider, Invitation, Late, Operation, Refused, Status
from domain.progress import Due, alarm_needed
from domain.record import CallRecord, Needs
from domain.results import ResultInfo
from domain.roster import RosterEntry, identity_hash
from domain.standing import presence_of, standing
from flows.alarms import Alarms, Message
from flows.progress import INVITATION, Progress
from flows.publish import Publisher
from flows.turn import Turn
from flows.work import Work
from graph.calls import CallRead
from graph.errors import GraphError, NothingSent, OutcomeUnknown, Throttled
from graph.errors import Refused as GraphRefused
from graph.participants import read_roster
from storage.store import TableStore
from tests.fakes import FakeClock, MemoryQueue, MemoryTable
from tests.states import (
    BUSY,
    CALL,
    FINE,
    State,
    call,
    completed,
    entry,
    failed,
    flow,
    invitation,
    later,
    operation,
    participant,
    says,
)
from watchdog.evidence import Evidence, conclude
from watchdog.service import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.results import OperationState
    from domain.sightings import Roster

ALICE, BOB = identity_hash("alice"), identity_hash("bob")
ESTABLISHED = CallRead("established", None)
GONE_RESULT = call_ended(None)


@dataclass
class FakeGraph:
    """Graph as the watchdog reads it."""

    the_call: CallRead | GraphError = ESTABLISHED
    people: list[dict[str, Any]] | GraphError = field(default_factory=list)
    operations: dict[str, OperationState | GraphError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def call(self, call_id: str, *, scenario_id: str) -> CallRead:
        self.asked.append("call")
        self.meanwhile()
        if isinstance(self.the_call, GraphError):
            raise self.the_call
        return self.the_call

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        self.asked.append("participants")
        if isinstance(self.people, GraphError):
            raise self.people
        return read_roster(self.people)

    def operation(self, call_id: str, operation_id: str, *, scenario_id: str) -> OperationState:
        self.asked.append(operation_id)
        said = self.operations.get(operation_id, GraphRefused(404))
        if isinstance(said, GraphError):
            raise said
        return said


class Kennel:
    """A watchdog between a table, a queue and a Graph that a test scripts."""

    def __init__(self, graph: FakeGraph | None = None) -> None:
        self.clock = FakeClock()
        self.store = TableStore(MemoryTable())
        self.queue = MemoryQueue(self.clock)
        self.graph = graph or FakeGraph()
        now = self.clock.now
        self.progress = Progress(self.store, Alarms(self.queue, now), Publisher(), now=now)
        self.watchdog = Watchdog(
            self.store, self.progress, self.graph, check_after_seconds=120, give_up_after_seconds=900, now=now
        )
        self.work = Work(
            {INVITATION: self.watchdog}, Alarms(self.queue, now), self.queue, MemoryQueue(self.clock), now=now
        )

    def keep(self, made: Invitation, *roster: RosterEntry) -> Kennel:
        def insert(record: CallRecord) -> CallRecord:
            if roster:
                record = record.with_call(call()).with_roster({one.key: one for one in roster})
            return record.with_invitation(made)

        self.store.update(CALL, Needs(call=True), insert)
        return self

    def looks(self, alarm: str = "watch") -> Kennel:
        """Handle the message of an alarm."""
        self.work.act(Message(INVITATION, CALL, invitation().id, alarm, self.clock.now(), later(0)))
        return self

    def at(self, seconds: float) -> Kennel:
        self.clock.moment = later(seconds)
        return self

    def kept(self) -> Invitation:
        (only,) = self.store.all_invitations(CALL).invitations.values()
        return only

    def state(self) -> tuple[Status, ResultInfo | None, Decider | None]:
        (one,) = self.kept().operations
        return one.status, one.result, one.decided_by


def looked(graph: FakeGraph, *roster: RosterEntry, made: Invitation | None = None) -> Kennel:
    """Return a kennel whose watchdog has looked once, two minutes after the invite."""
    return Kennel(graph).at(120).keep(made or invitation(), *roster).looks()


RUNNING = (Status.RUNNING, None, None)
CAME = (Status.COMPLETED, SEEN_IN_CALL, Decider.WATCHDOG)
GONE = (Status.FAILED, GONE_RESULT, Decider.WATCHDOG)


def _concluded(
    evidence: Evidence, *people: int, given_up: bool = False, state: State | None = None, **members: Any
) -> Operation:
    made = invitation(operation(*people, state=state, **members), people=2)
    (after,) = conclude(made, evidence, later(120), given_up=given_up).operations
    return after


SEEN = Evidence(seen=frozenset({ALICE}))
SEEN_BOTH = Evidence(seen=frozenset({ALICE, BOB}))
BEFORE = Evidence(seen=frozenset({ALICE}), there_before=frozenset({ALICE}))
ENDED = Evidence(call_ended=GONE_RESULT)
LEFT = Evidence(left=frozenset({ALICE}))


@pytest.mark.parametrize(
    ("evidence", "people", "given_up", "statuses", "result"),
    [
        (Evidence(), (0,), False, "R", None),
        (Evidence(), (0,), True, "F", NEVER_CONFIRMED),
        (SEEN, (0,), False, "C", SEEN_IN_CALL),
        (SEEN, (0,), True, "C", SEEN_IN_CALL),
        (SEEN, (1,), False, "R", None),
        (SEEN, (0, 1), False, "RR", None),
        (SEEN, (0, 1), True, "CF", SEEN_IN_CALL),
        (SEEN_BOTH, (0, 1), False, "CC", SEEN_IN_CALL),
        (Evidence(), (0, 1), True, "FF", NEVER_CONFIRMED),
        (BEFORE, (0,), False, "R", None),
        (BEFORE, (0,), True, "F", NEVER_CONFIRMED),
        (ENDED, (0,), False, "F", GONE_RESULT),
        (ENDED, (0, 1), False, "FF", GONE_RESULT),
        (replace(ENDED, seen=frozenset({ALICE})), (0,), False, "C", SEEN_IN_CALL),
        (replace(ENDED, seen=frozenset({ALICE})), (0, 1), False, "CF", SEEN_IN_CALL),
        (replace(BEFORE, call_ended=GONE_RESULT), (0,), False, "F", GONE_RESULT),
        (LEFT, (0,), False, "R", None),
        (LEFT, (0, 1), True, "CF", SEEN_IN_CALL),
        (replace(LEFT, call_ended=GONE_RESULT), (0,), False, "C", SEEN_IN_CALL),
    ],
)
def test_conclusions(
    evidence: Evidence, people: tuple[int, ...], statuses: str, result: ResultInfo | None, *, given_up: bool
) -> None:
    """There, and not there before the invite: completed. Call gone: failed. Of several those seen; else it waits."""
    after = _concluded(evidence, *people, given_up=given_up)
    names = {"R": Status.RUNNING, "C": Status.COMPLETED, "F": Status.FAILED}
    current = standing(invitation(after, people=2), None, later(120))
    assert [current.people[person] for person in people] == [names[letter] for letter in statuses]
    assert (after.result, after.decided_by) == (result, None if "R" in statuses else Decider.WATCHDOG)


@pytest.mark.parametrize("evidence", [Evidence(), SEEN, ENDED])
def test_graphs_own_state_counts_first(evidence: Evidence) -> None:
    """Where a read of the operation gives its end, circumstances don't count."""
    for stated, state in (
        (says("completed", FINE), completed(at=later(120))),
        (says("failed", BUSY), failed(at=later(120))),
    ):
        after = _concluded(replace(evidence, operations={"op": stated}), 0, given_up=True, id="op")
        assert after.state == state


def test_running_proves_nothing() -> None:
    """An operation that Graph still calls running is judged by circumstances."""
    running = {"op": says("running", id="op")}
    assert _concluded(Evidence(operations=running), 0, id="op").status is Status.RUNNING
    assert _concluded(replace(SEEN, operations=running), 0, id="op").result == SEEN_IN_CALL
    assert _concluded(Evidence(operations=running), 0, id="op", given_up=True).result == NEVER_CONFIRMED


@pytest.mark.parametrize("roster", [(), (entry("alice", presence=Presence.UNKNOWN),)])
def test_presence_of_who_was_seen(roster: tuple[RosterEntry, ...]) -> None:
    """Who is in the call, in its lobby or called, by what the watchdog read; that settles nothing."""
    bob = participant("bob", isInLobby=True)
    graph = FakeGraph(people=[participant("alice"), bob, participant("carol", mediaStreams=[])])
    settling = replace(completed(), at=later(119))
    kennel = looked(graph, *roster, made=invitation(operation(0), operation(1, 2, state=settling), people=3))
    current = standing(kennel.kept(), kennel.store.read(CALL, Needs(call=True)).record.call, later(120))
    assert current.presence == (Presence.IN_CALL, Presence.IN_LOBBY, Presence.UNKNOWN)
    assert (current.people, current.joined_count) == ((Status.COMPLETED, Status.RUNNING, Status.RUNNING), 1)


def test_roster_that_is_read() -> None:
    """What is read replaces what was reported: who is listed joined when they did, who isn't has left."""
    before = (entry("bob", joined=later(-60)), entry("carol", joined=later(-60)))
    kennel = looked(FakeGraph(people=[participant("bob", id="bob")]), *before)
    record = kennel.store.read(CALL, Needs(call=True, roster=True)).record
    assert {key: (one.presence, one.joined) for key, one in record.roster.items()} == {
        "bob": (Presence.IN_CALL, later(-60)),
        "carol": (Presence.LEFT, later(-60)),
    }
    assert presence_of(record.call, "carol") is Presence.LEFT


def test_asked_at_different_times() -> None:
    """Who joined before other people of the invitation, who were refused, were asked again has come all the same."""
    again = replace(operation(1), asked=later(60))
    made = invitation(operation(0), again, asked=later(60))
    kennel = looked(FakeGraph(people=[participant("alice", id="alice")]), entry("alice", joined=later(20)), made=made)
    assert [one.status for one in kennel.kept().operations] == [Status.COMPLETED, Status.RUNNING]


@pytest.mark.parametrize("people", [[], OutcomeUnknown("cut")])
def test_presence_where_no_one_is_listed(people: list[dict[str, Any]] | GraphError) -> None:
    """A call without a readable roster says nothing about who has left it."""
    kennel = looked(FakeGraph(people=people), entry("bob", Presence.IN_CALL), made=invitation(operation(0, 1)))
    held = kennel.store.read(CALL, Needs(call=True, roster=True))
    assert [one.presence for one in held.record.roster.values()] == [Presence.IN_CALL]


def test_refused_and_not_repeated() -> None:
    """A throttled invitation that no flow repeated has failed, with Graph's reason; the same key may repeat it."""
    after = _concluded(SEEN, 0, state=Refused(BUSY, final=False))
    assert after.state == Refused(BUSY, final=True)


@pytest.mark.parametrize("state", [completed(), failed(), failed(by=Decider.WATCHDOG), Refused(BUSY, final=True)])
def test_final_stays(state: State) -> None:
    """The watchdog never changes an outcome."""
    done = invitation(operation(state=state))
    assert conclude(done, ENDED, later(120), given_up=True) is done


def test_end_of_a_call_keeps_graphs_codes() -> None:
    """Graph's codes, and the app's sentence, which names no person."""
    ended = call_ended(ResultInfo(200, 5300, "removed 8:orgid:x"))
    assert (ended.code, ended.subcode, ended.message) == (200, 5300, GONE_RESULT.message)


@pytest.mark.parametrize(
    "graph",
    [
        FakeGraph(people=[participant("ALICE")]),
        FakeGraph(people=[participant("alice", kind="application")]),
        FakeGraph(people=[{"id": "p1"}, participant("bob"), participant("alice", id="p2")]),
    ],
)
def test_listed_by_graph(graph: FakeGraph) -> None:
    """The report was lost, and Graph lists the person."""
    kennel = looked(graph)
    assert kennel.state() == CAME
    assert kennel.queue.waiting == []


@pytest.mark.parametrize(
    "members", [{"isInLobby": True}, {"removedState": {"reason": "x"}}, {"mediaStreams": []}, {"mediaStreams": None}]
)
def test_not_in_the_call(members: dict[str, Any]) -> None:
    """A person in the lobby, removed, or whose device rings is not in the call."""
    assert looked(FakeGraph(people=[participant("alice", **members)])).state() == RUNNING


def test_there_before() -> None:
    """The presence of a person who was there before proves nothing, and in the end it is given up."""
    kennel = looked(FakeGraph(people=[participant("alice")]), entry("alice", joined=later(-60)))
    assert kennel.state() == RUNNING
    kennel.at(900).looks(kennel.kept().alarm.name)
    assert kennel.state() == (Status.FAILED, NEVER_CONFIRMED, Decider.WATCHDOG)


def test_left_before_and_there_now() -> None:
    """A person who had left before the invite came by it."""
    earlier = entry("alice", Presence.LEFT, joined=later(-60), left=later(-30))
    assert looked(FakeGraph(people=[participant("alice")]), earlier).state() == CAME


@pytest.mark.parametrize("error", [GraphRefused(400), GraphRefused(403), OutcomeUnknown("x")])
@pytest.mark.parametrize(
    ("roster", "state"),
    [
        ([entry("alice", joined=later(20))], CAME),
        ([entry("alice", joined=later(-20))], RUNNING),
        ([entry("alice", Presence.IN_LOBBY, joined=later(20))], RUNNING),
        ([entry("alice", Presence.LEFT, joined=later(20), left=later(60))], RUNNING),
        ([], RUNNING),
    ],
)
def test_unreadable_roster(error: GraphError, roster: list[RosterEntry], state: object) -> None:
    """A one-to-one call: who joined after the invite by a reported roster, and is there, has come."""
    assert looked(FakeGraph(people=error), *roster).state() == state


@pytest.mark.parametrize(
    ("read", "result"),
    [
        (GraphRefused(404, code="8522"), GONE_RESULT),
        (CallRead("terminated", None), GONE_RESULT),
        (CallRead("terminated", ResultInfo(200, 4521, "x")), call_ended(ResultInfo(200, 4521))),
    ],
)
def test_call_that_is_gone(read: CallRead | GraphError, result: ResultInfo) -> None:
    """A call that ended, or is not known any more, fails its invitations."""
    assert looked(FakeGraph(the_call=read)).state() == (Status.FAILED, result, Decider.WATCHDOG)
    assert looked(FakeGraph(the_call=read), entry("alice", joined=later(20))).state() == CAME


@pytest.mark.parametrize(
    "read",
    [
        GraphRefused(403),
        GraphRefused(400),
        Throttled(429),
        NothingSent("x"),
        OutcomeUnknown("x"),
        CallRead(None, None),
        CallRead("hold", None),
    ],
)
def test_call_that_can_not_be_read(read: CallRead | GraphError) -> None:
    """Only a call that is certainly gone counts as gone."""
    assert looked(FakeGraph(the_call=read), made=invitation(operation(id="op"))).state() == RUNNING


@pytest.mark.parametrize("error", [GraphRefused(404), GraphRefused(405), OutcomeUnknown("x")])
def test_operation_that_can_not_be_read(error: GraphError) -> None:
    """Whether Graph answers such a read is not documented, so 404 is no outcome."""
    assert looked(FakeGraph(operations={"op": error}), made=invitation(operation(id="op"))).state() == RUNNING


@pytest.mark.parametrize("read", [ESTABLISHED, CallRead("terminated", None)])
def test_operation_that_can_be_read(read: CallRead, caplog: pytest.LogCaptureFixture) -> None:
    """Graph's own outcome counts, also after the call's end; the log says that no report had come."""
    graph = FakeGraph(the_call=read, operations={"op": says("completed", FINE)})
    with caplog.at_level(logging.INFO):
        kennel = looked(graph, made=invitation(operation(id="op")))
    assert kennel.state() == (Status.COMPLETED, FINE, Decider.GRAPH)
    (line,) = [one for one in caplog.messages if one.startswith("concluded ")]
    assert " status=completed decided-by=watchdog " in line


def test_each_operation_by_its_own_people() -> None:
    """Of three, one is there, one is open, and one was final and is not asked about."""
    graph = FakeGraph(people=[participant("alice")])
    done = operation(2, state=failed(), id="op3")
    kennel = looked(graph, made=invitation(operation(0, id="op1"), operation(1, id="op2"), done))
    statuses = [one.status for one in kennel.kept().operations]
    assert statuses == [Status.COMPLETED, Status.RUNNING, Status.FAILED]
    assert sorted(graph.asked) == ["call", "op1", "op2", "participants"]
    assert len(kennel.queue.waiting) == 1


def test_graph_is_not_asked_about_what_it_never_took() -> None:
    """A refused invitation that no flow repeated is concluded without a request."""
    kennel = looked(FakeGraph(), made=invitation(operation(state=Refused(BUSY, final=False))))
    assert kennel.graph.asked == []
    assert kennel.state() == (Status.FAILED, BUSY, Decider.REFUSAL)


def test_looks_become_rarer_and_end() -> None:
    """Each look is at twice the age, and the last when it is given up; one message at a time."""
    kennel = Kennel().at(120).keep(invitation()).looks()
    looks = [120.0]
    while kennel.queue.waiting:
        (waiting,) = kennel.queue.waiting
        kennel.clock.moment = waiting.due
        kennel.queue.remove(waiting)
        looks.append((waiting.due - later(0)).total_seconds())
        kennel.looks(waiting.message["alarm"])
    assert looks == [120, 240, 480, 900]
    assert kennel.state() == (Status.FAILED, NEVER_CONFIRMED, Decider.WATCHDOG)


def test_repeated_invitation_has_its_full_time() -> None:
    """An invitation that was sent again is not given up before its time from then on."""
    kennel = Kennel().at(1000).keep(invitation(asked=later(950), watch_at=later(1000))).looks()
    assert kennel.state() == RUNNING


def test_not_before_its_time() -> None:
    """A message that comes for something else, or early, asks nothing of Graph."""
    kennel = Kennel().at(60).keep(invitation()).looks()
    assert (kennel.graph.asked, kennel.state()) == ([], RUNNING)


def test_alarm_before_its_row() -> None:
    """The next message is on the queue before the row names it."""
    kennel = Kennel().at(120).keep(invitation())
    sent: list[tuple[str, str]] = []
    send = kennel.queue.send

    def noting(message: Any, *, delay_seconds: float) -> None:
        sent.append((kennel.kept().alarm.name, message["alarm"]))
        send(message, delay_seconds=delay_seconds)

    kennel.queue.send = noting  # type: ignore[method-assign]
    kennel.looks()
    ((named, then),) = sent
    assert (named, kennel.kept().alarm.name) == ("watch", then)
    assert kennel.kept().alarm.time == later(240)


@pytest.mark.parametrize("alarm", ["older", ""])
def test_unnamed_message(alarm: str) -> None:
    """It does what is due, and sends no successor: the named one does."""
    kennel = Kennel().at(120).keep(invitation()).looks(alarm)
    assert kennel.graph.asked == ["call", "participants"]
    assert kennel.queue.waiting == []
    assert kennel.kept().alarm.name == "watch"


@pytest.mark.parametrize("state", [completed(), failed(by=Decider.WATCHDOG)])
def test_finished_invitation(state: State) -> None:
    """The report came in time: Graph is not asked, and nothing is written."""
    done = invitation(operation(state=state))
    kennel = looked(FakeGraph(), made=done)
    assert (kennel.kept(), kennel.graph.asked, kennel.queue.waiting) == (done, [], [])


def test_outcome_for_a_waiting_flow() -> None:
    """What the watchdog concludes is claimed for the flow in the same write."""
    kennel = looked(FakeGraph(people=[participant("alice")]), made=invitation(flows=(flow(),)))
    assert kennel.state() == CAME
    (waiting,) = kennel.kept().flows
    assert waiting.claim is not None


def test_call_is_noted_for_retention() -> None:
    """Each invitation's call is found again when its time is over."""
    kennel = looked(FakeGraph())
    assert list(kennel.store.kept_since_before(later(86_400))) == [("~kept|2026-01-31", CALL)]


def test_report_while_graph_is_asked() -> None:
    """What Graph reported meanwhile is not overwritten; the other operations are judged as they are now."""
    kennel = Kennel(FakeGraph(the_call=GraphRefused(404))).at(120).keep(invitation(operation(0), operation(1)))
    done = operation(0, state=completed())

    def reported() -> None:
        made = invitation(done, operation(1))
        kennel.store.update(CALL, Needs(invitations=frozenset({made.id})), lambda record: record.with_invitation(made))

    kennel.graph.meanwhile = reported
    kennel.looks()
    first, second = kennel.kept().operations
    assert (first, second.status) == (done, Status.FAILED)


def test_removed_meanwhile() -> None:
    """Retention may be faster; then nothing is written."""
    kennel = Kennel(FakeGraph(the_call=GraphRefused(404))).at(120).keep(invitation())
    kennel.graph.meanwhile = lambda: kennel.store.forget(CALL)
    kennel.looks()
    assert kennel.store.all_invitations(CALL).invitations == {}


@pytest.mark.parametrize("state", [Late(), Asked(answered=False)])
def test_open_without_an_answer(state: State) -> None:
    """What was never begun is taken over by the message; what may have been asked is not sent again."""
    kennel = Kennel().at(60).keep(invitation(operation(state=state))).looks()
    (one,) = kennel.kept().operations
    assert one.state == Asked(answered=False)
    assert bool(kennel.kept().asked_by) is isinstance(state, Late)


def test_turn_of_a_message() -> None:
    """The run knows which alarm it handles, so that it alone sends a successor."""
    run = Turn(later(120), is_message=True, alarm="watch").run(later(120))
    due, pending = Due(later(240)), invitation().alarm
    assert alarm_needed(due, run, later(120), pending, was_open=True) == due
    assert alarm_needed(due, replace(run, alarm="other"), later(120), pending, was_open=True) is None
