"""A small world of flows, app, Graph and queue, in which everything can break between any two steps."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app import Followers
from domain.invitation import Decider, Invitee
from domain.progress import is_open
from flows.alarms import Alarms
from flows.delivery import Delivery
from flows.duties import run_duties
from flows.links import Links
from flows.progress import INVITATION, Progress
from flows.publish import Publisher
from flows.queries import Queries
from flows.turn import Turn
from flows.work import Work
from invite.sending import Sender
from invite.service import InvitationService
from notifications.payload import reports_of
from notifications.receiving import NotificationReceiver
from storage.errors import StorageUnavailable
from storage.store import TableStore
from tests.fakes import FakeClock, MemoryQueue, MemoryTable
from tests.never_twice.faults import Breaking, Crash, Interleaving, Plan
from tests.never_twice.outside import (
    CALL,
    FLOW,
    FakeFlows,
    FakeGraph,
    call_item,
    operation_item,
    roster_entry,
    roster_item,
)
from watchdog.service import Watchdog
from web.answers import Request
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from domain.invitation import Invitation
    from domain.waiting import WaitingFlow
    from tests.fakes import Waiting

__all__ = ["CALL", "FLOW", "Crash", "World", "call_item", "operation_item", "roster_entry", "roster_item"]
CHECK_AFTER, GIVE_UP_AFTER = 120.0, 900.0
_HIDDEN = timedelta(minutes=10)


class NoCalls:
    """An app without starts, escalations and calls of its own."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class World:
    """The app's real parts between stand-ins of everything outside.

    Args:
        table: the state table; in memory by default.
        queue: the app's queue; in memory by default.
    """

    def __init__(self, *, table: Any = None, queue: Any = None) -> None:
        self.clock = FakeClock()
        self.plan = Plan()
        self.interleaving = Interleaving()
        self.memory = MemoryTable()
        self.queue, self.poison = MemoryQueue(self.clock), MemoryQueue(self.clock)
        self.graph, self.flows = FakeGraph(self.clock), FakeFlows(self.clock, self.interleaving)
        self.plan.on_fault = self.flows.faulted

        def breaking(target: Any, *, is_storage: bool = True) -> Any:
            return Breaking(target, self.plan, self.interleaving, is_storage=is_storage)

        queue = breaking(queue or self.queue)
        graph, flows = breaking(self.graph, is_storage=False), breaking(self.flows, is_storage=False)
        now = self.clock.now
        self.store = TableStore(breaking(table or self.memory))
        self.alarms = Alarms(queue, now)
        publisher = Publisher()
        self.progress = Progress(self.store, self.alarms, publisher, now=now)
        # One at a time, so that the same choices always lead to the same steps.
        sender = Sender(graph, at_once=1, clock=self.clock.monotonic, sleep=self.clock.sleep)
        self.service = InvitationService(self.store, self.progress, sender, check_after_seconds=CHECK_AFTER, now=now)
        self.delivery = Delivery(self.progress, flows, secrets=(), now=now, sleep=self.clock.sleep)
        calls: Any = NoCalls()
        publisher.followers = Followers(self.delivery, self.service, calls, calls)
        self.watchdog = Watchdog(
            self.store,
            self.progress,
            graph,
            check_after_seconds=CHECK_AFTER,
            give_up_after_seconds=GIVE_UP_AFTER,
            now=now,
        )
        self.work = Work({INVITATION: self.watchdog}, self.alarms, queue, self.poison, now=now)
        self.queries = Queries(self.store, self.progress, Links("https://app.example", ()), now=now)
        validator: Any = None
        self.receiver = NotificationReceiver(validator, self.progress, calls)

    def turn(self, late: float = 0) -> Turn:
        """Return a request that came some seconds ago."""
        return Turn(self.clock.now() - timedelta(seconds=late))

    def invite(
        self,
        people: tuple[str, ...],
        context: str | None,
        headers: Mapping[str, str],
        *,
        waits: bool = False,
        run: str | None = None,
        separately: bool = False,
        late: float = 0,
    ) -> Invitation | ApiError | StorageUnavailable | None:
        """Send a flow's request; return the invitation, the error, or None where the process was killed."""
        invitees = tuple(Invitee("user", {"id": person}) for person in people)
        headers = headers if run is None else {**headers, "x-ms-workflow-run-id": run}
        url = url_of(run)
        with self._turn():
            try:
                invitation, _ = self.service.invite(
                    self.turn(late),
                    CALL,
                    invitees,
                    context,
                    headers,
                    callback_url=url if waits else None,
                    separately=separately,
                )
            except StorageUnavailable as error:
                self.plan.crashes += 1  # the row may be there, and is found as if the process had been killed
                return error
            except ApiError as error:
                return error
            except Crash:
                return None
            if waits and not self.interleaving.is_on:
                self.flows.answered(next(flow.message_id for flow in invitation.flows if flow.url == url))
            return invitation

    def report(self, *items: dict[str, Any], late: float = 0) -> bool:
        """Send a callback of Graph; return whether it was acknowledged."""
        reports = [report for item in items for report in reports_of(item)]
        turn = self.turn(late)
        with self._turn():
            try:
                self.receiver.record(turn, CALL, reports)
                run_duties(turn)
            except (Crash, StorageUnavailable):
                return False
            return True

    def stop_waiting(self, invitation: Invitation, flow: WaitingFlow) -> None:
        """Send a flow's request that it no longer waits."""
        route = {"callId": CALL, "invitationId": invitation.id}
        stored = next(one for one in self.invitations() if one.id == invitation.id)
        claims = [one.claim for one in stored.flows if one.message_id == flow.message_id]
        with self._turn(), suppress(Crash, StorageUnavailable, ApiError):
            self.queries.cancel_wait(Request(route=route, query={"token": flow.token or ""}, arrived=self.clock.now()))
            # A POST that was claimed before goes on.
            if not any(claim is not None and claim.until > self.clock.now() for claim in claims):
                self.flows.cancelled.add(flow.message_id)

    def work_queue(self, *, twice: bool = False) -> None:
        """Let the queue trigger do what is due; what fails comes back, and a message may be delivered twice."""
        for waiting in self.queue.due():
            for _ in range(1 + twice):
                self._run(waiting)
            self.plan.countdown = 0

    def _run(self, waiting: Waiting) -> None:
        waiting.due = self.clock.now() + _HIDDEN  # as long as it runs, and after a kill
        with self._turn(keeps_plan=True):
            try:
                message = self.work.read(waiting.text.encode())
                if message is not None:
                    if message.time > self.clock.now() and not self.interleaving.is_on:
                        self.clock.moment = message.time  # the run waits for its time
                    self.work.act(message)
            except Crash:
                return
            except StorageUnavailable:
                self.plan.crashes += 1
                waiting.due = self.clock.now() + timedelta(seconds=5)
                return
        if waiting in self.queue.waiting:
            self.queue.remove(waiting)

    def at_once(self, actions: Sequence[Callable[[], object]], order: Sequence[int]) -> None:
        """Let several requests and runs overlap; ``order`` names whose step is next."""
        self.interleaving.run(actions, order)
        self.plan.countdown = 0

    @contextmanager
    def _turn(self, *, keeps_plan: bool = False) -> Iterator[None]:
        token = self.flows.in_turn.set(set())
        try:
            yield
        finally:
            self.flows.in_turn.reset(token)
            if not (keeps_plan or self.interleaving.is_on):
                self.plan.countdown = 0

    def report_before_the_answer(self, operation: dict[str, Any]) -> None:
        """Report an end while the request to Graph is in progress, in another request that meets no fault."""
        countdown, self.plan.countdown = self.plan.countdown, 0
        self.report(operation_item(operation, "completed"))
        self.plan.countdown = countdown

    def poll(self) -> None:
        """Poll all invitations."""
        for entry in self.invitations():
            self.queries.invitation(Request(route={"callId": CALL, "invitationId": entry.id}))

    def invitations(self) -> list[Invitation]:
        """Return all invitations, read past the faults."""
        return list(TableStore(self.memory).all_invitations(CALL).invitations.values())

    def without_alarm(self) -> list[str]:
        """Return the open invitations whose alarm is not on the queue."""
        names = {str(waiting.message.get("alarm")) for waiting in self.queue.waiting}
        now = self.clock.now()
        return [one.id for one in self.invitations() if is_open(one, now) and one.alarm.name not in names]

    def says_graph(self) -> dict[str, Any]:
        """Return what Graph has reported for good, by operation."""
        return {
            f"{invitation.id}/{operation.client_context}": (operation.status, operation.result)
            for invitation in self.invitations()
            for operation in invitation.operations
            if operation.decided_by is Decider.GRAPH
        }


def url_of(run: str | None) -> str:
    """Return the URL at which a run of a flow waits."""
    return FLOW if run is None else f"{FLOW}/{run}"
