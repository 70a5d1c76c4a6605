from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from domain.model import Delivery, FlowCallback, Invitation, Operation, Presence, ResultInfo, Status, Verdict
from domain.roster import identity_hash
from flows.delivery import Outcomes
from graph.client import CallRead
from graph.errors import GraphError, NothingSent, OutcomeUnknown, Refused, Throttled
from storage import rows
from storage.calls import CallTable, Stored
from tests.fakes import FakeClock, MemoryQueue, MemoryTable
from tests.states import BUSY, CALL, FINE, call_state, entry, invitation, later, operation, participant, says
from watchdog.service import (
    CALL_GONE,
    NEVER_CONFIRMED,
    NEVER_SENT,
    SEEN_IN_CALL,
    Evidence,
    Watchdog,
    call_ended,
    conclude,
)
from web.errors import StorageUnavailable

if TYPE_CHECKING:
    from domain.model import RosterEntry
    from graph.wire import OperationState

ALICE, BOB = identity_hash("alice"), identity_hash("bob")
ESTABLISHED = CallRead("established", None)


@dataclass
class FakeGraph:
    """Graph as the watchdog reads it."""

    the_call: CallRead | GraphError = ESTABLISHED
    people: list[dict[str, Any]] | GraphError = field(default_factory=list)
    operations: dict[str, OperationState | GraphError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def call(self, call_id: str, *, scenario_id: str) -> CallRead:
        self.asked.append("call")
        if isinstance(self.the_call, GraphError):
            raise self.the_call
        return self.the_call

    def participants(self, call_id: str, *, scenario_id: str) -> list[dict[str, Any]]:
        self.asked.append("participants")
        if isinstance(self.people, GraphError):
            raise self.people
        return self.people

    def operation(self, call_id: str, operation_id: str, *, scenario_id: str) -> OperationState:
        self.asked.append(operation_id)
        said = self.operations.get(operation_id, Refused(404))
        if isinstance(said, GraphError):
            raise said
        return said


class NoFlows:
    """Nobody waits at any address."""

    def post(self, url: str, body: bytes, headers: object) -> int | None:
        raise AssertionError("the watchdog itself tells no flow")


class Kennel:
    """A watchdog between a table, a queue and a Graph that can be told what to do."""

    def __init__(self, graph: FakeGraph | None = None) -> None:
        self.clock = FakeClock()
        self.memory = MemoryTable()
        self.table = CallTable(self.memory)
        self.queue, self.outcomes_queue = MemoryQueue(self.clock), MemoryQueue(self.clock)
        self.graph = graph or FakeGraph()
        outcomes = Outcomes(
            self.table, self.outcomes_queue, MemoryQueue(self.clock), NoFlows(), secret=None, now=self.clock.now
        )
        self.watchdog = Watchdog(
            self.table,
            self.queue,
            self.graph,
            outcomes,
            check_after_seconds=120,
            give_up_after_seconds=900,
            now=self.clock.now,
        )

    def keep(self, made: Invitation, *roster: RosterEntry) -> Stored[Invitation]:
        if roster:
            self.table.write([rows.Row(rows.call_entity(call_state())), *(_roster_row(one) for one in roster)])
        return self.table.insert_invitation(made)

    def message(self, **changes: Any) -> dict[str, Any]:
        return {"callId": CALL, "invitationId": invitation().id, "watch": "watch", "looks": 0, **changes}

    def at(self, seconds: float) -> Kennel:
        self.clock.moment = later(seconds)
        return self

    def kept(self) -> Invitation:
        stored = self.table.invitation(CALL, invitation().id)
        assert stored is not None
        return stored.value


def _roster_row(one: RosterEntry) -> rows.Row:
    return rows.Row(rows.roster_entity(CALL, one))


def _verdict(evidence: Evidence, *people: int, given_up: bool = False, **members: Any) -> Operation:
    before = operation(*people, **members)
    return conclude(invitation(before, people=2), before, evidence, given_up=given_up)


SEEN = Evidence(seen=frozenset({ALICE}))
SEEN_BOTH = Evidence(seen=frozenset({ALICE, BOB}))
THERE_BEFORE = Evidence(seen=frozenset({ALICE}), there_before=frozenset({ALICE}))
GONE = Evidence(call_ended=CALL_GONE)


@pytest.mark.parametrize(
    ("evidence", "people", "given_up", "status", "result"),
    [
        (Evidence(), (0,), False, Status.RUNNING, None),
        (Evidence(), (0,), True, Status.FAILED, NEVER_CONFIRMED),
        (SEEN, (0,), False, Status.COMPLETED, SEEN_IN_CALL),
        (SEEN, (0,), True, Status.COMPLETED, SEEN_IN_CALL),
        (SEEN, (1,), False, Status.RUNNING, None),
        (SEEN, (0, 1), False, Status.RUNNING, None),
        (SEEN, (0, 1), True, Status.FAILED, NEVER_CONFIRMED),
        (SEEN_BOTH, (0, 1), False, Status.COMPLETED, SEEN_IN_CALL),
        (THERE_BEFORE, (0,), False, Status.RUNNING, None),
        (THERE_BEFORE, (0,), True, Status.FAILED, NEVER_CONFIRMED),
        (GONE, (0,), False, Status.FAILED, CALL_GONE),
        (replace(GONE, seen=frozenset({ALICE})), (0,), False, Status.COMPLETED, SEEN_IN_CALL),
        (replace(THERE_BEFORE, call_ended=CALL_GONE), (0,), False, Status.FAILED, CALL_GONE),
    ],
)
def test_only_what_can_be_concluded_is(
    evidence: Evidence, people: tuple[int, ...], status: Status, result: ResultInfo | None, *, given_up: bool
) -> None:
    """Seen in the call, and not there before: completed. Call gone: failed. Else it stays open until given up."""
    after = _verdict(evidence, *people, given_up=given_up)
    assert (after.status, after.result) == (status, result)
    assert after.verdict is (Verdict.WATCHDOG if status.is_final else None)


@pytest.mark.parametrize("evidence", [Evidence(), SEEN, GONE])
def test_graphs_own_word_on_the_operation_comes_first(evidence: Evidence) -> None:
    """Where Graph answers a read of the operation with an outcome, circumstances don't count."""
    for said, status, result in (
        (says("completed", FINE), Status.COMPLETED, FINE),
        (says("failed", BUSY), Status.FAILED, BUSY),
    ):
        after = _verdict(replace(evidence, operations={"op": said}), 0, given_up=True, id="op")
        assert (after.status, after.result, after.verdict) == (status, result, Verdict.GRAPH)


def test_an_operation_that_graph_still_calls_running_is_judged_by_circumstances() -> None:
    """*Running* proves nothing, now or after the time is up."""
    running = {"op": says("running", id="op")}
    assert _verdict(Evidence(operations=running), 0, id="op").status is Status.RUNNING
    assert _verdict(replace(SEEN, operations=running), 0, id="op").result == SEEN_IN_CALL
    assert _verdict(Evidence(operations=running), 0, id="op", given_up=True).result == NEVER_CONFIRMED


@pytest.mark.parametrize(("result", "expected"), [(BUSY, BUSY), (None, NEVER_SENT)])
def test_what_graph_refused_and_nobody_sent_again_has_failed(result: ResultInfo | None, expected: ResultInfo) -> None:
    """A flow that gave up on a throttled invitation finds it failed, with the reason, and nobody was rung."""
    after = _verdict(SEEN, 0, status=Status.NOT_STARTED, refused=True, result=result)
    assert (after.status, after.result, after.verdict) == (Status.FAILED, expected, Verdict.WATCHDOG)
    assert after.refused


def test_what_is_final_stays() -> None:
    """The watchdog never changes an outcome."""
    done = operation(status=Status.COMPLETED, verdict=Verdict.GRAPH)
    assert conclude(invitation(done), done, GONE, given_up=True) is done


def test_the_end_of_a_call_keeps_graphs_codes() -> None:
    """Why a call ended is told with Graph's codes and the app's words."""
    assert call_ended(None) == CALL_GONE
    told = call_ended(ResultInfo(200, 5300, "removed 8:orgid:x"))
    assert (told.code, told.subcode, told.message) == (200, 5300, CALL_GONE.message)


def test_a_message_is_sent_for_every_invitation() -> None:
    """The first look comes when ringing is over."""
    kennel = Kennel()
    kennel.watchdog.arm(invitation())
    (waiting,) = kennel.queue.waiting
    assert waiting.message == kennel.message()
    assert waiting.due == later(120)


@pytest.mark.parametrize(
    "graph",
    [
        FakeGraph(people=[participant("ALICE")]),
        FakeGraph(people=[participant("alice", kind="application")]),
        FakeGraph(people=[{"id": "p1"}, participant("bob"), participant("alice", id="p2")]),
    ],
)
def test_somebody_whom_graph_lists_was_brought_in(graph: FakeGraph) -> None:
    """Where the report was lost, the roster that Graph is asked for tells the outcome."""
    kennel = Kennel(graph).at(120)
    kennel.keep(invitation())
    kennel.watchdog.handle(kennel.message())
    (done,) = kennel.kept().operations
    assert (done.status, done.verdict, done.result) == (Status.COMPLETED, Verdict.WATCHDOG, SEEN_IN_CALL)
    assert kennel.queue.waiting == []


@pytest.mark.parametrize("members", [{"isInLobby": True}, {"removedState": {"reason": "x"}}])
def test_the_lobby_or_having_left_proves_nothing(members: dict[str, Any]) -> None:
    """Somebody in the lobby is not in the call."""
    kennel = Kennel(FakeGraph(people=[participant("alice", **members)])).at(120)
    kennel.keep(invitation())
    kennel.watchdog.handle(kennel.message())
    assert kennel.kept().operations[0].status is Status.RUNNING


def test_somebody_who_was_there_before_proves_nothing() -> None:
    """An invitation of somebody already in the call is not completed by their being there."""
    kennel = Kennel(FakeGraph(people=[participant("alice")])).at(120)
    kennel.keep(invitation(), entry("alice", joined=later(-60)))
    kennel.watchdog.handle(kennel.message())
    assert kennel.kept().operations[0].status is Status.RUNNING
    kennel.at(900).watchdog.handle(kennel.message(watch=kennel.kept().watch))
    assert kennel.kept().operations[0].result == NEVER_CONFIRMED


def test_somebody_who_had_left_before_and_is_there_now_was_brought_in() -> None:
    """Having been in the call earlier is no reason to doubt."""
    kennel = Kennel(FakeGraph(people=[participant("alice")])).at(120)
    kennel.keep(invitation(), entry("alice", Presence.LEFT, joined=later(-60), left=later(-30)))
    kennel.watchdog.handle(kennel.message())
    assert kennel.kept().operations[0].status is Status.COMPLETED


def test_a_peer_to_peer_call_is_judged_by_the_roster_that_was_reported() -> None:
    """Graph lists nobody of such a call, but who joined after the invite by a reported roster was brought in."""
    kennel = Kennel(FakeGraph(people=Refused(400))).at(120)
    kennel.keep(invitation(), entry("alice", joined=later(20)))
    kennel.watchdog.handle(kennel.message())
    assert kennel.kept().operations[0].result == SEEN_IN_CALL


@pytest.mark.parametrize("presence", [Presence.IN_LOBBY, Presence.LEFT])
def test_a_reported_roster_proves_only_who_is_in_the_call_now(presence: Presence) -> None:
    """Who came after the invite and waits in the lobby, or is gone again, is not seen in the call."""
    kennel = Kennel(FakeGraph(people=Refused(400))).at(120)
    left = later(60) if presence is Presence.LEFT else None
    kennel.keep(invitation(), entry("alice", presence, joined=later(20), left=left))
    kennel.watchdog.handle(kennel.message())
    assert kennel.kept().operations[0].status is Status.RUNNING


def test_a_call_that_lists_nobody_proves_nothing() -> None:
    """An unreadable roster is no failure."""
    kennel = Kennel(FakeGraph(people=Refused(403))).at(120)
    kennel.keep(invitation())
    kennel.watchdog.handle(kennel.message())
    assert kennel.kept().operations[0].status is Status.RUNNING


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (Refused(404, code="8522"), CALL_GONE),
        (CallRead("terminated", None), CALL_GONE),
        (CallRead("terminated", ResultInfo(200, 4521, "x")), call_ended(ResultInfo(200, 4521))),
    ],
)
def test_an_invitation_into_a_call_that_is_gone_has_failed(call: CallRead | GraphError, result: ResultInfo) -> None:
    """A call that ended, or is not known any more, brings nobody in."""
    kennel = Kennel(FakeGraph(the_call=call)).at(120)
    kennel.keep(invitation())
    kennel.watchdog.handle(kennel.message())
    (failed,) = kennel.kept().operations
    assert (failed.status, failed.result, failed.verdict) == (Status.FAILED, result, Verdict.WATCHDOG)


@pytest.mark.parametrize(
    "call",
    [
        Refused(403),
        Refused(400),
        Throttled(429),
        NothingSent("x"),
        OutcomeUnknown("x"),
        CallRead(None, None),
        CallRead("hold", None),
    ],
)
def test_a_call_that_can_not_be_read_proves_nothing(call: CallRead | GraphError) -> None:
    """Only a call that is surely gone counts as gone."""
    kennel = Kennel(FakeGraph(the_call=call)).at(120)
    kennel.keep(invitation(operation(id="op")))
    kennel.watchdog.handle(kennel.message())
    assert kennel.kept().operations[0].status is Status.RUNNING


@pytest.mark.parametrize("error", [Refused(404), Refused(405), OutcomeUnknown("x")])
def test_an_operation_that_can_not_be_read_proves_nothing(error: GraphError) -> None:
    """Whether Graph answers such a read is not documented, so 404 is no outcome."""
    kennel = Kennel(FakeGraph(operations={"op": error})).at(120)
    kennel.keep(invitation(operation(id="op")))
    kennel.watchdog.handle(kennel.message())
    assert kennel.kept().operations[0].status is Status.RUNNING


@pytest.mark.parametrize("call", [ESTABLISHED, CallRead("terminated", None)])
def test_an_operation_that_graph_tells_is_taken_at_its_word(call: CallRead) -> None:
    """Also after the call ended, Graph's own outcome is the better one."""
    kennel = Kennel(FakeGraph(the_call=call, operations={"op": says("completed", FINE)})).at(120)
    kennel.keep(invitation(operation(id="op")))
    kennel.watchdog.handle(kennel.message())
    (done,) = kennel.kept().operations
    assert (done.status, done.verdict) == (Status.COMPLETED, Verdict.GRAPH)


def test_what_graph_tells_the_watchdog_was_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    """An operator who looks for lost reports finds it, though the outcome is Graph's own word."""
    kennel = Kennel(FakeGraph(operations={"op": says("completed", FINE)})).at(120)
    kennel.keep(invitation(operation(id="op")))
    with caplog.at_level(logging.INFO):
        kennel.watchdog.handle(kennel.message())
    (line,) = [one for one in caplog.messages if one.startswith("concluded ")]
    assert " status=completed decided-by=watchdog " in line


def test_each_part_of_an_invitation_is_judged_by_its_own_people() -> None:
    """Of three parts one is there, one is open, and one was final and is not asked about."""
    graph = FakeGraph(people=[participant("alice")])
    kennel = Kennel(graph).at(120)
    done = operation(2, status=Status.FAILED, verdict=Verdict.GRAPH, id="op3")
    kennel.keep(invitation(operation(0, id="op1"), operation(1, id="op2"), done))
    kennel.watchdog.handle(kennel.message())
    statuses = [one.status for one in kennel.kept().operations]
    assert statuses == [Status.COMPLETED, Status.RUNNING, Status.FAILED]
    assert graph.asked == ["call", "participants", "op1", "op2"]
    assert len(kennel.queue.waiting) == 1


def test_graph_is_not_asked_about_what_it_never_took() -> None:
    """A refused invitation that nobody repeated is settled without a question."""
    kennel = Kennel().at(120)
    kennel.keep(invitation(operation(status=Status.NOT_STARTED, refused=True)))
    kennel.watchdog.handle(kennel.message())
    assert kennel.graph.asked == []
    assert kennel.kept().operations[0].result == NEVER_SENT


def test_looks_come_at_growing_distances_and_end() -> None:
    """An invitation of which nothing can be learnt is looked at less and less often, and given up at its time."""
    kennel = Kennel()
    kennel.watchdog.arm(invitation())
    kennel.keep(invitation())
    looks = []
    while kennel.queue.waiting:
        (waiting,) = kennel.queue.waiting
        kennel.clock.moment = waiting.due
        kennel.queue.remove(waiting)
        looks.append((waiting.due - later(0)).total_seconds())
        kennel.watchdog.handle(waiting.message)
    assert looks == [120, 240, 480, 900]
    (failed,) = kennel.kept().operations
    assert (failed.status, failed.result) == (Status.FAILED, NEVER_CONFIRMED)


def test_a_repeated_invitation_has_its_full_time_again() -> None:
    """The clock of an invitation that was sent again starts with that sending."""
    kennel = Kennel().at(1000)
    kennel.keep(invitation(asked=later(950)))
    kennel.watchdog.handle(kennel.message())
    assert kennel.kept().operations[0].status is Status.RUNNING


class RowWatchingQueue:
    """Notes, with each message, what the row said when it was sent."""

    def __init__(self, table: CallTable) -> None:
        self._table = table
        self.rows: list[str] = []
        self.messages: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any], *, delay_seconds: float) -> None:
        stored = self._table.invitation(CALL, invitation().id)
        assert stored is not None
        self.messages.append(message)
        self.rows.append(stored.value.watch)


def test_the_next_message_goes_out_before_the_row_names_it() -> None:
    """Whatever dies between the two, a message that counts is on its way."""
    kennel = Kennel().at(120)
    queue = RowWatchingQueue(kennel.table)
    kennel.watchdog._queue = queue
    kennel.keep(invitation())
    kennel.watchdog.handle(kennel.message())
    assert queue.rows == ["watch"]
    assert kennel.kept().watch == queue.messages[0]["watch"] != "watch"
    assert kennel.kept().check_due == later(240)


class BrokenQueue:
    """A queue that can't be reached."""

    def send(self, message: dict[str, Any], *, delay_seconds: float) -> None:
        raise StorageUnavailable


def test_nobody_is_rung_without_somebody_to_look_after_it() -> None:
    """Where the first message can't be sent, the invite fails before Graph is asked."""
    kennel = Kennel()
    kennel.watchdog._queue = BrokenQueue()
    with pytest.raises(StorageUnavailable):
        kennel.watchdog.arm(invitation())


def test_a_next_message_that_can_not_be_sent_is_made_up_for_by_a_poll() -> None:
    """What was learnt is kept all the same, and the row says when somebody should have looked."""
    kennel = Kennel(FakeGraph(people=[participant("alice")])).at(120)
    kennel.watchdog._queue = BrokenQueue()
    kennel.keep(invitation(operation(0), operation(1)))
    kennel.watchdog.handle(kennel.message())
    assert [one.status for one in kennel.kept().operations] == [Status.COMPLETED, Status.RUNNING]
    assert kennel.kept().check_due == later(240)
    assert kennel.at(301).watchdog.is_overdue(kennel.kept())


@pytest.mark.parametrize("watch", ["older", "", None, 5])
def test_a_message_out_of_date_is_ignored(watch: object) -> None:
    """Only the message that the row names counts, so no invitation is looked after twice over."""
    kennel = Kennel(FakeGraph(the_call=Refused(404))).at(120)
    kennel.keep(invitation())
    kennel.watchdog.handle(kennel.message(watch=watch))
    assert kennel.kept() == invitation()
    assert (kennel.graph.asked, kennel.queue.waiting) == ([], [])


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"callId": CALL},
        {"callId": 1, "invitationId": 2, "watch": 3},
        {"callId": "", "invitationId": "", "watch": ""},
        {"callId": [], "invitationId": {}, "watch": None},
    ],
)
def test_a_message_that_can_not_be_read_is_dropped(message: dict[str, Any]) -> None:
    """A stray message on the queue does not go round for ever."""
    kennel = Kennel()
    kennel.watchdog.handle(message)
    assert (kennel.graph.asked, kennel.queue.waiting) == ([], [])


def test_a_message_that_comes_before_its_row_comes_back_a_few_times() -> None:
    """The message goes out first, so it can find no row yet; an invitation that never came to be is let go."""
    kennel = Kennel()
    kennel.watchdog.handle(kennel.message())
    looks = 1
    while kennel.queue.waiting:
        (waiting,) = kennel.queue.waiting
        kennel.queue.remove(waiting)
        kennel.clock.moment = waiting.due
        kennel.watchdog.handle(waiting.message)
        looks += 1
    assert looks == 3
    kennel.watchdog.handle(kennel.message())
    kennel.keep(invitation(operation(status=Status.NOT_STARTED, refused=True)))
    (waiting,) = kennel.queue.waiting
    kennel.watchdog.handle(waiting.message)
    assert kennel.kept().operations[0].result == NEVER_SENT


def test_a_message_about_a_finished_invitation_asks_nothing() -> None:
    """The report came in time: Graph is left in peace."""
    kennel = Kennel().at(120)
    done = invitation(operation(status=Status.COMPLETED, verdict=Verdict.GRAPH))
    kennel.keep(done)
    kennel.watchdog.handle(kennel.message())
    assert (kennel.kept(), kennel.graph.asked, kennel.queue.waiting) == (done, [], [])


@pytest.mark.parametrize("is_open", [True, False])
def test_a_waiting_flow_is_told_what_the_watchdog_finds(*, is_open: bool) -> None:
    """An outcome that the watchdog concludes, or finds untold, is queued for the flow that waits."""
    kennel = Kennel(FakeGraph(people=[participant("alice")])).at(120)
    state = Delivery.WAITING if is_open else Delivery.DUE
    status = Status.RUNNING if is_open else Status.COMPLETED
    kennel.keep(invitation(operation(status=status), callback=FlowCallback("https://flow.example", "m", state)))
    kennel.watchdog.handle(kennel.message())
    (told,) = kennel.outcomes_queue.waiting
    assert told.message["messageId"] == "m"
    callback = kennel.kept().callback
    assert callback is not None
    assert callback.state is Delivery.DUE


def test_the_call_is_noted_for_the_nightly_run() -> None:
    """Every invitation's call is found again when its time is over."""
    kennel = Kennel().at(120)
    kennel.keep(invitation())
    kennel.watchdog.handle(kennel.message())
    assert list(kennel.table.partitions_kept_since_before(later(86_400))) == [("~kept|2026-01-31", CALL)]


def test_a_report_that_comes_while_graph_is_asked_wins() -> None:
    """What Graph reported in the meantime is not overwritten by a conclusion."""
    kennel = Kennel(FakeGraph(the_call=Refused(404))).at(120)
    stored = kennel.keep(invitation())
    reported = invitation(operation(status=Status.COMPLETED, verdict=Verdict.GRAPH, result=FINE))
    kennel.table.replace_invitation(stored, reported)
    assert kennel.watchdog.check(stored) == reported
    assert kennel.kept() == reported


def test_a_report_about_one_part_does_not_stop_the_look_at_the_others() -> None:
    """A row that changed but is still open is judged again as it is now."""
    kennel = Kennel(FakeGraph(the_call=Refused(404))).at(120)
    stored = kennel.keep(invitation(operation(0), operation(1)))
    reported = operation(0, status=Status.COMPLETED, verdict=Verdict.GRAPH)
    kennel.table.replace_invitation(stored, invitation(reported, operation(1)))
    after = kennel.watchdog.check(stored)
    assert [one.status for one in after.operations] == [Status.COMPLETED, Status.FAILED]
    assert after == kennel.kept()


def test_an_invitation_that_was_removed_meanwhile_is_let_go() -> None:
    """The nightly run may be faster; then there is nothing to be written."""
    kennel = Kennel(FakeGraph(the_call=Refused(404))).at(120)
    stored = kennel.keep(invitation())
    kennel.table.forget(CALL)
    assert kennel.watchdog.check(stored) == invitation()
    assert kennel.table.invitation(CALL, invitation().id) is None


@pytest.mark.parametrize(
    ("made", "seconds", "overdue"),
    [
        (invitation(), 0, False),
        (invitation(), 120, False),
        (invitation(), 180, False),
        (invitation(), 181, True),
        (invitation(check_due=later(500)), 181, False),
        (invitation(operation(status=Status.NOT_STARTED, refused=True)), 181, True),
        (invitation(operation(status=Status.FAILED)), 10_000, False),
        (invitation(operation(status=Status.COMPLETED)), 10_000, False),
    ],
)
def test_an_open_invitation_is_overdue_a_minute_after_the_look_it_missed(
    made: Invitation, seconds: float, *, overdue: bool
) -> None:
    """A poll can tell that a message was lost, and does not jump in while it is only late."""
    assert Kennel().at(seconds).watchdog.is_overdue(made) == overdue


def test_a_lost_message_is_made_up_for_by_a_check() -> None:
    """A check without any message concludes and goes on as one with a message does."""
    kennel = Kennel().at(200)
    stored = kennel.keep(invitation())
    after = kennel.watchdog.check(stored)
    (waiting,) = kennel.queue.waiting
    assert (waiting.message["watch"], waiting.due) == (after.watch, later(400))
    assert kennel.kept() == after
