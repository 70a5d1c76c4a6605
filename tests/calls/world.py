"""A small world of flows, app, Graph and queue for starts, in which everything can break between any two steps."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from app import Followers
from calls.assembly import CallTools, assemble
from domain.invitation import Invitee
from domain.record import Needs
from escalation.alarms import EscalationAlarms
from escalation.cancelling import StepCanceller
from escalation.progress import ESCALATION, EscalationProgress
from escalation.routes import EscalationRoutes
from escalation.service import EscalationService
from flows.alarms import Alarms
from flows.delivery import Delivery
from flows.duties import run_duties
from flows.links import Links
from flows.progress import INVITATION, Progress
from flows.publish import Publisher
from flows.queries import Queries
from flows.turn import Turn
from flows.webhook import PostResponse
from flows.work import Kind, Work
from invite.cancelling import Canceller
from invite.roster import RosterReader
from invite.sending import Sender
from invite.service import InvitationService
from notifications.origin import Origin
from notifications.payload import reports_of
from notifications.receiving import NotificationReceiver
from storage.documents import read_start
from storage.errors import StorageUnavailable
from storage.rows import document_of
from storage.singles import SingleRows
from storage.store import TableStore
from tests.calls.fake_graph import FakeCall, FakeGraph, call_item, operation_item, roster_item
from tests.calls.faults import Breaking, Crash, Plan
from tests.configured import CLIENT, TENANT, loaded
from tests.fakes import FakeClock, MemoryQueue, MemoryTable
from watchdog.service import Watchdog
from web.answers import Answer, Request
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.call import Call
    from domain.start import Start

FLOW = "https://prod-01.westeurope.logic.azure.com/workflows/1/runs/2/actions/Wait/run"
_MOST_ROUNDS = 3_000
_HIDDEN = timedelta(minutes=10)


class FakeFlows:
    """Where flows wait; a flow that was notified has gone on, and responds 404."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, dict[str, Any]]] = []
        """Message id and body of each POST."""
        self.taken: set[str] = set()

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> PostResponse:
        """Take an outcome once."""
        message_id = headers["webhook-id"]
        self.posted.append((message_id, json.loads(body)))
        if message_id in self.taken:
            return PostResponse(404)
        self.taken.add(message_id)
        return PostResponse(200)


class Queue(MemoryQueue):
    """A queue in memory that refuses messages of some kinds."""

    refused_kinds: frozenset[str] | set[str] = frozenset()

    def send(self, message: Mapping[str, Any], *, delay_seconds: float) -> None:
        """Take a message."""
        if message["kind"] in self.refused_kinds:
            raise StorageUnavailable
        super().send(message, delay_seconds=delay_seconds)


class World:
    """The app's real parts between stand-ins of everything outside."""

    def __init__(
        self, *, clock: FakeClock | None = None, stored: Any = None, queue: Any = None, **settings: str
    ) -> None:
        self.clock = clock or FakeClock()
        self.plan = Plan()
        self.memory = MemoryTable()
        self.queue: Queue = queue or Queue(self.clock)
        self.poison = MemoryQueue(self.clock)
        self.graph, self.flows = FakeGraph(), FakeFlows()
        self.table = Breaking(stored or self.memory, self.plan)
        self.messages = Breaking(self.queue, self.plan)
        graph = Breaking(self.graph, self.plan, is_storage=False)
        flows = Breaking(self.flows, self.plan, is_storage=False)
        now = self.clock.now
        self.settings = loaded(**settings)
        table, queue, rows = self.table, self.messages, SingleRows(self.table)
        self.store = TableStore(table)
        self.alarms = Alarms(queue, now)
        publisher = Publisher()
        self.progress = Progress(self.store, self.alarms, publisher, now=now)
        # One at a time, so that the same choices always lead to the same steps.
        sender = Sender(graph, at_once=1, clock=self.clock.monotonic, sleep=self.clock.sleep)
        self.service = InvitationService(self.store, self.progress, sender, check_after_seconds=120, now=now)
        delivery = Delivery(self.progress, flows, now=now, sleep=self.clock.sleep)
        links = Links("https://app.example", ())
        rosters = RosterReader(graph, self.progress)
        canceller = Canceller(graph, client_id=CLIENT, at_once=1)
        steps = EscalationProgress(
            self.store,
            self.alarms,
            delivery,
            publisher,
            invitations=self.service,
            canceller=StepCanceller(canceller, rosters, now=now),
            links=links,
            check_after_seconds=120,
            now=now,
        )
        escalations = EscalationService(steps, rosters, now=now)
        self.escalations = EscalationRoutes(escalations, steps, links, self.settings, now=now)
        tools = CallTools(
            graph,
            self.store,
            rows,
            self.progress,
            self.alarms,
            delivery,
            self.service,
            escalations,
            canceller,
            links,
            now=now,
        )
        self.parts = assemble(self.settings, tools)
        publisher.followers = Followers(delivery, self.service, self.parts.hooks, escalations)
        watchdog = Watchdog(
            self.store, self.progress, graph, check_after_seconds=120, give_up_after_seconds=900, now=now
        )
        alarms = EscalationAlarms(steps, watchdog, now=now)
        kinds: dict[str, Kind] = {INVITATION: watchdog, ESCALATION: alarms, **self.parts.kinds}
        self.work = Work(kinds, self.alarms, queue, self.poison, now=now)
        self.queries = Queries(self.store, self.progress, links, client_id=CLIENT, now=now)
        validator: Any = None
        self.receiver = NotificationReceiver(validator, self.progress, self.parts.hooks)

    def request(self, handler: str, body: Any = None, *, wide: bool = False, **more: Any) -> Answer | Exception | None:
        """Send a request to a route of calls; return the answer, the error, or None where the process was killed."""
        request = Request(
            route=more.get("route", {}),
            query=more.get("query", {}),
            headers={"content-type": "application/json", **more.get("headers", {})},
            body=b"" if body is None else json.dumps(body).encode(),
            arrived=self.clock.now(),
        )
        owner: Any = self.queries if wide else self.parts.routes
        if handler == "call":
            owner = self.parts.page
        with self._turn():
            try:
                answer: Answer = getattr(owner, handler)(request)
            except (ApiError, StorageUnavailable) as error:
                return error
            except Crash:
                return None
            else:
                return answer

    def start(self, body: Any, *, waits: bool = False, headers: Mapping[str, str] | None = None) -> Any:
        """Start a call; return the view, the error, or None."""
        if waits:
            answer = self.request("start_and_wait", {**body, "callbackUrl": FLOW}, headers=headers or {})
        else:
            answer = self.request("start", body, headers=headers or {})
        return answer.body if isinstance(answer, Answer) else answer

    def view(self, start_id: str) -> dict[str, Any]:
        """Read a start."""
        answer = self.request("get", route={"startId": start_id})
        assert isinstance(answer, Answer), answer
        return dict(answer.body or {})

    def stop(self, start_id: str) -> Any:
        """Stop a start."""
        answer = self.request("stop", route={"startId": start_id})
        return answer.body if isinstance(answer, Answer) else answer

    def report(self, call_id: str, *items: dict[str, Any], origin: Origin | None = None) -> bool:
        """Send a callback of Graph; return whether it was acknowledged."""
        reports = [report for item in items for report in reports_of(item)]
        turn = Turn(self.clock.now())
        known = self.graph.calls.get(call_id)
        if origin is None and known is not None:
            origin = Origin(known.start, known.attempt)
        with self._turn():
            try:
                self.receiver.record(turn, call_id, reports, origin)
                run_duties(turn)
            except (Crash, StorageUnavailable):
                return False
            return True

    def establish(self, call: FakeCall) -> bool:
        """Establish a call, and report it."""
        if call.state == "establishing":
            call.state = "established"
        return self.report(call.id, call_item(call.id, call.state))

    def end(self, call: FakeCall, **result: Any) -> bool:
        """End a call, and report it."""
        call.state = "terminated"
        return self.report(call.id, call_item(call.id, "terminated", **result))

    def answer(self, operation: dict[str, Any], status: str = "completed") -> bool:
        """Let the people of an operation answer or decline, and report it."""
        call = self.graph.calls[operation["call"]]
        for person in operation["people"]:
            participant = call.ringing.pop(person, None)
            if participant is not None and status == "completed":
                call.present[person] = participant
        return self.report(call.id, operation_item(operation, status))

    def roster(self, call: FakeCall) -> bool:
        """Report who is in a call."""
        return self.report(call.id, roster_item(call))

    def pass_time(self, seconds: float) -> None:
        """Let time pass in steps, and the queue's messages be handled when they are due."""
        end = self.clock.now() + timedelta(seconds=seconds)
        for _ in range(_MOST_ROUNDS):
            due = min((waiting.due for waiting in self.queue.waiting), default=end)
            if due >= end:
                break
            self.clock.moment = max(self.clock.now(), due)
            self.work_queue()
        else:
            raise AssertionError([waiting.text for waiting in self.queue.due()])
        self.clock.moment = max(self.clock.now(), end)
        self.work_queue()

    def work_queue(self) -> None:
        """Let the queue trigger do what is due; what fails comes back."""
        for waiting in self.queue.due():
            waiting.due = self.clock.now() + _HIDDEN  # as long as it runs, and after a kill
            with self._turn(), suppress(Crash):
                try:
                    message = self.work.read(waiting.text.encode())
                    if message is not None:
                        self.clock.moment = max(self.clock.now(), message.time)  # the run waits for its time
                        self.work.act(message)
                except StorageUnavailable:
                    waiting.due = self.clock.now() + timedelta(seconds=5)
                    continue
                self.queue.remove(waiting)
        self.plan.countdown = 0  # also where nothing was due

    @contextmanager
    def _turn(self) -> Iterator[None]:
        try:
            yield
        finally:
            self.plan.countdown = 0

    def the_call(self) -> FakeCall:
        """Return the only call that is alive."""
        (call,) = self.live()
        return call

    def live(self) -> list[FakeCall]:
        """Return the calls that are alive."""
        return [call for call in self.graph.calls.values() if call.is_alive]

    def starts(self) -> list[Start]:
        """Return all starts, read past the faults."""
        found = [row for (partition, _), row in self.memory.rows.items() if partition.startswith("~start|")]
        return [read_start(document_of(row)) for row in found]

    def turn(self) -> Turn:
        """Return a request that has just arrived."""
        return Turn(self.clock.now())

    def invite(self, call_id: str, person: str, context: str) -> None:
        """Invite a person into a call, without a start."""
        self.service.invite(self.turn(), call_id, (Invitee("user", {"id": person}),), context, {})

    def stored_call(self, call_id: str) -> Call | None:
        """Return a call as stored."""
        return TableStore(self.memory).read(call_id, Needs(call=True)).record.call

    def listed(self) -> list[str]:
        """Return the calls of the index."""
        return [one.value.call_id for one in SingleRows(self.memory).open_calls() if one.value is not None]


def link(thread: str) -> str:
    """Return a meeting's link."""
    context = json.dumps({"Tid": TENANT, "Oid": "88888888-7777-8888-9999-000000000000"})
    return f"https://teams.microsoft.com/l/meetup-join/{quote(thread)}/0?context={quote(context)}"


def user(person: str) -> dict[str, Any]:
    """Return a person who can be called."""
    return {"identity": {"user": {"id": person}}}
