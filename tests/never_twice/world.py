"""A small world of flow, app, Graph and queue, in which everything can break between any two steps."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app import Followers
from domain.invitation import Decider, Invitee
from flows.alarms import Alarms
from flows.delivery import Delivery
from flows.duties import run_duties
from flows.links import Links
from flows.progress import INVITATION, Progress
from flows.publish import Publisher
from flows.queries import Queries
from flows.turn import Turn
from flows.webhook import PostResponse
from flows.work import Work
from graph import wire
from graph.client import CallRead
from graph.errors import GraphError, NothingSent, OutcomeUnknown, Refused, Throttled
from invite.sending import Sender
from invite.service import InvitationService
from notifications.payload import reports_of
from notifications.receiving import NotificationReceiver
from storage.errors import StorageUnavailable
from storage.store import TableStore
from storage.table import WriteUnknown
from tests.fakes import FakeClock, MemoryQueue, MemoryTable
from watchdog.service import Watchdog
from web.answers import Request
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.invitation import Invitation
    from domain.results import OperationState

CHECK_AFTER, GIVE_UP_AFTER = 120.0, 900.0
CALL = "ab6233a5-20b7-4c5e-bea2-ce56c9776429"
FLOW = "https://prod-01.westeurope.logic.azure.com/workflows/1/runs/2/actions/Wait/run"


class Crash(BaseException):
    """The process dies here; nothing catches it."""


@dataclass
class Plan:
    """What goes wrong, and at which input or output from now on."""

    countdown: int = 0
    """The how-manieth step from now fails; 0 for none."""
    kind: str = "crash"
    """``crash`` or ``storage``."""
    after: bool = False
    """Fail when the step is done instead of before it: its effect stays, its response is lost."""
    in_a_row: int = 1
    """How many steps fail, one after the other."""

    def wrap(self, step: Callable[..., Any], *arguments: Any, is_storage: bool = True, **named: Any) -> Any:
        if self.countdown == 0:
            return step(*arguments, **named)
        if self.kind == "storage" and not is_storage:
            return step(*arguments, **named)
        self.countdown -= 1
        if self.countdown > 0:
            return step(*arguments, **named)
        if self.in_a_row > 1 and self.kind == "storage":
            self.in_a_row -= 1
            self.countdown = 1
        if self.after:
            step(*arguments, **named)
        if self.kind == "crash":
            raise Crash
        raise WriteUnknown if step.__name__ == "write" else StorageUnavailable


class Breaking:
    """Passes every method call on, through the plan."""

    def __init__(self, target: Any, plan: Plan, *, is_storage: bool = True) -> None:
        self._target, self._plan, self._is_storage = target, plan, is_storage

    def __getattr__(self, name: str) -> Callable[..., Any]:
        step = getattr(self._target, name)

        def broken(*arguments: Any, **named: Any) -> Any:
            return self._plan.wrap(step, *arguments, is_storage=self._is_storage, **named)

        return broken


class FakeGraph:
    """Graph as the app sees it; what it took is the truth that the app's promises are judged by."""

    def __init__(self) -> None:
        self.next_answers: list[str] = []
        self.taken: list[dict[str, Any]] = []
        self.rings: Counter[tuple[str, str]] = Counter()
        self.ended = False
        self.reachable = True
        self.present: set[str] = set()

    def invite(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> Any:
        answer = self.next_answers.pop(0) if self.next_answers else "running"
        if self.ended:
            raise Refused(404, code="8522")
        before: dict[str, GraphError] = {
            "refused": Refused(403, code="7504"),
            "throttled": Throttled(429, retry_after=30.0),
            "throttled briefly": Throttled(429, retry_after=2.128),
            "unavailable": Throttled(503),
            "nothing sent": NothingSent("no connection"),
            "lost before": OutcomeUnknown("cut"),
        }
        if answer in before:
            raise before[answer]
        operation = {
            "id": str(uuid.uuid4()),
            "clientContext": body["clientContext"],
            "people": [_invited(entry["identity"]) for entry in body["participants"]],
            "call": call_id,
        }
        self.taken.append(operation)
        for person in operation["people"]:
            self.rings[operation["clientContext"], person] += 1
        if answer == "lost after":
            raise OutcomeUnknown("cut")
        status = {"completed at once": "Completed", "no id": None}.get(answer, "Running")
        return wire.operation_state(
            {
                "id": None if answer == "no id" else operation["id"],
                "status": status,
                "clientContext": operation["clientContext"],
            }
        )

    def call(self, call_id: str, *, scenario_id: str) -> CallRead:
        self._answer()
        if self.ended:
            raise Refused(404, code="8522")
        return CallRead("established", None)

    def participants(self, call_id: str, *, scenario_id: str) -> list[dict[str, Any]]:
        self._answer()
        return [roster_entry(person) for person in sorted(self.present)]

    def operation(self, call_id: str, operation_id: str, *, scenario_id: str) -> OperationState:
        self._answer()
        raise Refused(404)

    def _answer(self) -> None:
        if not self.reachable:
            raise OutcomeUnknown("no answer")


class FakeFlows:
    """Where flows wait."""

    def __init__(self) -> None:
        self.statuses: list[int | None] = []
        self.posted: list[tuple[str, str]] = []

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> PostResponse:
        status = self.statuses.pop(0) if self.statuses else 200
        self.posted.append((url, headers["webhook-id"]))
        return PostResponse(status)


class World:
    """The app's real parts between stand-ins of everything outside."""

    def __init__(self, *, table: Any = None, queue: Any = None) -> None:
        self.clock = FakeClock()
        self.plan = Plan()
        self.memory = MemoryTable()
        self.queue, self.poison = MemoryQueue(self.clock), MemoryQueue(self.clock)
        self.graph, self.flows = FakeGraph(), FakeFlows()
        table = Breaking(table or self.memory, self.plan)
        queue = Breaking(queue or self.queue, self.plan)
        graph: Any = Breaking(self.graph, self.plan, is_storage=False)
        flows: Any = Breaking(self.flows, self.plan, is_storage=False)
        now = self.clock.now
        self.store = TableStore(table)
        self.alarms = Alarms(queue, now)
        publisher = Publisher()
        self.progress = Progress(self.store, self.alarms, publisher, now=now)
        # One at a time, so that the same choices always lead to the same story.
        sender = Sender(graph, at_once=1, clock=self.clock.monotonic, sleep=self.clock.sleep)
        self.service = InvitationService(self.store, self.progress, sender, check_after_seconds=CHECK_AFTER, now=now)
        delivery = Delivery(self.progress, flows, secrets=(), now=now, sleep=self.clock.sleep)
        publisher.followers = Followers(delivery, self.service)
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
        anybody: Any = None
        self.receiver = NotificationReceiver(anybody, self.store, self.progress, now=now)

    def turn(self) -> Turn:
        """A request that has just arrived."""
        return Turn(self.clock.now())

    def invite(
        self,
        people: tuple[str, ...],
        context: str | None,
        headers: Mapping[str, str],
        *,
        waits: bool = False,
        separately: bool = False,
    ) -> Invitation | ApiError | StorageUnavailable | None:
        """A flow's request: the invitation, the error answered, or None where the process died."""
        invitees = tuple(Invitee("user", {"id": person}) for person in people)
        try:
            invitation, _ = self.service.invite(
                self.turn(),
                CALL,
                invitees,
                context,
                headers,
                callback_url=FLOW if waits else None,
                separately=separately,
            )
        except (ApiError, StorageUnavailable) as error:
            return error
        except Crash:
            return None
        else:
            return invitation
        finally:
            self.plan.countdown = 0

    def report(self, *items: dict[str, Any]) -> bool:
        """A callback of Graph; whether it was acknowledged."""
        reports = [report for item in items for report in reports_of(item)]
        turn = self.turn()
        try:
            self.receiver.record(turn, CALL, reports)
            run_duties(turn)
        except (Crash, StorageUnavailable):
            return False
        finally:
            self.plan.countdown = 0
        return True

    def work_queue(self) -> None:
        """Let the queue trigger do what is due, once each; what fails comes back."""
        for waiting in self.queue.due():
            try:
                message = self.work.read(waiting.text.encode())
                if message is not None:
                    if message.time > self.clock.now():
                        self.clock.moment = message.time  # the run waits for its time
                    self.work.act(message)
            except Crash:
                waiting.due = self.clock.now() + timedelta(minutes=10)  # a killed run hides its message
            except StorageUnavailable:
                waiting.due = self.clock.now() + timedelta(seconds=5)
            else:
                self.queue.remove(waiting)
            finally:
                self.plan.countdown = 0

    def poll(self) -> None:
        """Flows look at all their invitations."""
        for entry in self.invitations():
            self.queries.invitation(Request(route={"callId": CALL, "invitationId": entry.id}))

    def invitations(self) -> list[Invitation]:
        """All invitations, read past the faults."""
        return list(TableStore(self.memory).all_invitations(CALL).invitations.values())

    def says_graph(self) -> dict[str, Any]:
        """What Graph has said for good, by operation."""
        return {
            f"{invitation.id}/{operation.client_context}": (operation.status, operation.result)
            for invitation in self.invitations()
            for operation in invitation.operations
            if operation.decided_by is Decider.GRAPH
        }


def _invited(identity_set: Mapping[str, Any]) -> str:
    found: str = next(identity["id"] for identity in identity_set.values() if isinstance(identity, dict))
    return found


def operation_item(
    operation: Mapping[str, Any], status: str, *, with_id: bool = True, with_context: bool = True
) -> dict[str, Any]:
    """A report about an operation, in the documented form."""
    final = status.casefold() in ("completed", "failed")
    result = {"code": 603, "subcode": 0, "message": "declined"} if status.casefold() == "failed" else None
    return {
        "changeType": "deleted" if final else "updated",
        "resourceUrl": f"/communications/calls/{CALL}/operations/{operation['id']}",
        "resourceData": {
            "@odata.type": "#microsoft.graph.inviteParticipantsOperation",
            "id": operation["id"] if with_id else None,
            "clientContext": operation["clientContext"] if with_context else None,
            "status": status,
            "resultInfo": result,
        },
    }


def roster_entry(person: str) -> dict[str, Any]:
    """A participant of a roster."""
    return {
        "@odata.type": "#microsoft.graph.participant",
        "id": None,
        "isInLobby": False,
        "mediaStreams": [{"mediaType": "audio", "direction": "sendReceive"}],
        "info": {"identity": {"user": {"id": person}}},
    }


def roster_item(people: set[str]) -> dict[str, Any]:
    """A roster, in the documented form."""
    return {
        "changeType": "updated",
        "resourceUrl": f"/communications/calls/{CALL}/participants",
        "resourceData": [roster_entry(person) for person in sorted(people)],
    }


def call_item(state: str) -> dict[str, Any]:
    """A report about the call itself."""
    return {
        "changeType": "updated",
        "resourceUrl": f"/communications/calls/{CALL}",
        "resourceData": {"@odata.type": "#microsoft.graph.call", "state": state},
    }
