"""The app between real storage behind the faulty proxy, and stand-ins of Graph, flows and time."""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from domain.invitation import Invitee, Status
from domain.progress import is_open
from domain.results import OperationState
from domain.sightings import Roster
from domain.standing import standing
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
from graph.calls import CallRead
from graph.errors import Refused
from invite.sending import Sender
from invite.service import InvitationService
from notifications.payload import reports_of
from notifications.receiving import NotificationReceiver
from storage import rows
from storage.budget import CALLBACK_SECONDS, REQUEST_SECONDS, budget
from storage.errors import StorageError, StorageUnavailable
from storage.probe import queue_faults, table_faults
from storage.queue import StorageQueue
from storage.store import TableStore
from storage.table import StorageTable, table_client
from tests.fakes import FakeClock, Waiting
from watchdog.service import Watchdog
from web.answers import Request
from web.errors import ApiError
from web.health import Health

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from domain.invitation import Invitation
    from domain.waiting import Delivery as DeliveryState
    from settings import Settings
    from tests.storage.faulty import Plan

CALL = "ab6233a5-20b7-4c5e-bea2-ce56c9776429"
FLOW = "https://prod-01.westeurope.logic.azure.com/workflows/1/runs/2/actions/Wait/run"
CHECK_AFTER = 120.0
PEOPLE = ("alice", "bob")
_MOST_REPEATS = 4


@dataclass
class FakeGraph:
    """Takes every invite; what it took is the truth."""

    taken: list[dict[str, Any]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    """How often each person was called."""
    has_ended: bool = False

    def invite(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> OperationState:
        """Take an invite."""
        operation = {"id": f"op{len(self.taken)}", "clientContext": body["clientContext"]}
        self.taken.append(operation)
        self.calls.update(entry["identity"]["user"]["id"] for entry in body["participants"])
        return OperationState(operation["id"], operation["clientContext"], "running", None)

    def call(self, call_id: str, *, scenario_id: str) -> CallRead:
        """Read the call."""
        if self.has_ended:
            raise Refused(404, code="8522")
        return CallRead("established", None)

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        """Read who is in the call."""
        return Roster((), hides_people=False)

    def operation(self, call_id: str, operation_id: str, *, scenario_id: str) -> OperationState:
        """Read an operation, which Graph does not offer."""
        raise Refused(404)


@dataclass
class FakeFlow:
    """The flow that waits."""

    statuses: list[int] = field(default_factory=list)
    notified: Counter[str] = field(default_factory=Counter)
    """How often each message was accepted, by its id."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> PostResponse:
        """Take an outcome."""
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.notified[headers["webhook-id"]] += 1
        return PostResponse(status)


class NoCalls:
    """The app's own calls, of which there are none."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


class DelayedQueue:
    """Stores messages in the real queue at once, with the time at which they are to become visible."""

    def __init__(self, queue: StorageQueue, behind: QueueClient, clock: FakeClock) -> None:
        self._queue, self._behind, self._clock = queue, behind, clock
        self._numbers = itertools.count()
        self._waiting: list[Waiting] = []

    def send(self, message: Mapping[str, Any], *, delay_seconds: float) -> None:
        """Send a message."""
        due = self._clock.now() + timedelta(seconds=max(delay_seconds, 0))
        self._queue.send({"due": due.isoformat(), "message": message}, delay_seconds=0)

    @property
    def waiting(self) -> list[Waiting]:
        """All messages, with those that the real queue holds."""
        with suppress(ResourceNotFoundError):
            while page := list(self._behind.receive_messages(max_messages=32)):
                for one in page:
                    stored = json.loads(base64.b64decode(one.content))
                    due, text = datetime.fromisoformat(stored["due"]), json.dumps(stored["message"])
                    self._waiting.append(Waiting(due, next(self._numbers), text))
                    self._behind.delete_message(one)
        return self._waiting

    def due(self) -> list[Waiting]:
        """Return the messages that a queue trigger would get now, oldest first."""
        return sorted(one for one in self.waiting if one.due <= self._clock.now())

    def remove(self, waiting: Waiting) -> None:
        """Remove a message, since its function ended well."""
        self._waiting.remove(waiting)


class Story:
    """One app with a table, a queue, a Graph and a flow of its own."""

    def __init__(self, settings: Settings, azurite: str, name: str, plan: Plan) -> None:
        self.plan, self.clock = plan, FakeClock()
        self.graph, self.flow = FakeGraph(), FakeFlow()
        self.patience = REQUEST_SECONDS
        """Seconds of storage for a request while there are faults."""
        self.failed = 0
        """How many runs of messages failed, so that the host counted them."""
        self.longest = 0.0
        """Seconds that the longest request took."""
        self._behind = QueueClient.from_connection_string(azurite, name)
        now = self.clock.now
        self._client = table_client(settings)
        self._table = StorageTable(self._client)
        self.store = TableStore(self._table)
        real = StorageQueue(settings, name)
        self._queue = queue = DelayedQueue(real, self._behind, self.clock)
        alarms = Alarms(queue, now)
        publisher = Publisher()
        progress = Progress(self.store, alarms, publisher, now=now)
        sender = Sender(self.graph, at_once=1, clock=self.clock.monotonic, sleep=self.clock.sleep)
        self._service = InvitationService(self.store, progress, sender, check_after_seconds=CHECK_AFTER, now=now)
        delivery = Delivery(progress, self.flow, now=now, sleep=self.clock.sleep)
        followers: Any = NoCalls()
        followers.post, followers.ask = delivery.post, self._service.ask
        publisher.followers = followers
        watchdog = Watchdog(
            self.store, progress, self.graph, check_after_seconds=CHECK_AFTER, give_up_after_seconds=900, now=now
        )
        self._work = Work({INVITATION: watchdog}, alarms, queue, queue, now=now)
        self._queries = Queries(self.store, progress, Links("https://app.example", ()), now=now)
        anybody: Any = NoCalls()
        self._receiver = NotificationReceiver(anybody, progress, anybody)
        self._health = Health(
            {"table": partial(table_faults, settings, None), "queue": partial(queue_faults, settings, name, None)}, []
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._behind.close()

    def invite(self, *people: str, waits: bool = False, context: str = "context") -> str:
        """A flow invites people and repeats its request while it gets 503; return each response."""
        invitees = tuple(Invitee("user", {"id": person}) for person in people or PEOPLE[:1])
        callback_url = FLOW if waits else None

        def once() -> None:
            turn = Turn(self.clock.now())
            self._service.invite(turn, CALL, invitees, context, {}, callback_url=callback_url)

        return self._repeated(once)

    def report(self, *items: dict[str, Any]) -> str:
        """Graph reports, and repeats its callback while it gets 503."""
        reports = [report for item in items for report in reports_of(item)]

        def once() -> None:
            turn = Turn(self.clock.now())
            self._receiver.record(turn, CALL, reports)
            run_duties(turn)

        return self._repeated(once, seconds=CALLBACK_SECONDS)

    def ends(self, place: int = 0, status: str = "completed") -> str:
        """Graph reports the end of an operation."""
        return self.report(operation_item(self.graph.taken[place], status))

    def cancel(self) -> str:
        """The flow says that it no longer waits."""
        (flow,) = self.invitation().flows
        return self._repeated(lambda: self._queries.cancel_wait(self._request(flow.token or "")))

    def poll(self) -> str:
        """The flow polls."""
        return self._repeated(lambda: self._queries.result(self._request(self.invitation().token)))

    def health(self) -> str:
        """Somebody asks for the app's health."""
        return self._repeated(self._health.answer)

    def work(self, seconds: float = 0.0) -> None:
        """Let time pass, and each message that is due be handled once; one that fails comes back."""
        self.clock.moment += timedelta(seconds=seconds)
        for waiting in self._queue.due():
            message = self._work.read(waiting.text.encode())
            if message is None:
                self._queue.remove(waiting)
                continue
            self.clock.moment = max(self.clock.moment, message.time)  # a run that is early waits for its time
            try:
                self._timed(lambda message=message: self._work.act(message))  # type: ignore[misc]
            except StorageUnavailable:
                self.failed += 1
                waiting.due = self.clock.now() + timedelta(seconds=30)
            else:
                self._queue.remove(waiting)

    def settle(self, seconds: float) -> None:
        """Let time pass from message to message, without faults and without a poll."""
        self.plan.begin()
        end = self.clock.now() + timedelta(seconds=seconds)
        while due := min((one.due for one in self._queue.waiting if one.due <= end), default=None):
            self.clock.moment = max(self.clock.moment, due)
            self.work()
        self.clock.moment = max(self.clock.moment, end)

    def invitation(self) -> Invitation:
        """Return the one invitation, as stored."""
        (found,) = self.store.all_invitations(CALL).invitations.values()
        return found

    def status(self) -> Status:
        """Return the invitation's status."""
        record = self.store.all_invitations(CALL)
        (found,) = record.invitations.values()
        return standing(found, record.call, self.clock.now()).status

    def is_open(self) -> bool:
        """Return whether anything is still to happen."""
        return is_open(self.invitation(), self.clock.now())

    def alarms(self) -> list[str]:
        """Return the names of all pending messages."""
        return [one.message["alarm"] for one in self._queue.waiting]

    def is_noted(self) -> bool:
        """Return whether the call will be removed when its time is over."""
        today = self.clock.now()
        days = (rows.retention_day(today - timedelta(days=back)) for back in range(3))
        return any(self._table.get(day, CALL) is not None for day in days)

    def lacks_alarm(self) -> bool:
        """Return whether something is open, and no message will bring it further."""
        return bool(self.graph.taken) and self.is_open() and not self.alarms()

    def most_calls(self) -> int:
        """Return how often the person was called who was called most often."""
        return max(self.graph.calls.values(), default=0)

    def delivery(self) -> DeliveryState:
        """Return how far notifying the flow has come."""
        (flow,) = self.invitation().flows
        return flow.state

    def _request(self, token: str) -> Request:
        route = {"callId": CALL, "invitationId": self.invitation().id}
        return Request(route=route, query={"token": token}, arrived=self.clock.now())

    def _repeated(self, once: Callable[[], object], *, seconds: float | None = None) -> str:
        """Send a request until its response is not 503; return the responses."""
        responses = []
        for _ in range(_MOST_REPEATS):
            asked = len(self.graph.taken)
            try:
                self._timed(once, seconds)
            except StorageError:
                responses.append("503")
                assert len(self.graph.taken) == asked, "after Graph was asked the response is never 503"
                self.clock.moment += timedelta(seconds=5)
            except ApiError as error:
                return " ".join([*responses, str(int(error.status))])
            else:
                return " ".join([*responses, "ok"])
        return " ".join(responses)

    def _timed(self, once: Callable[[], object], seconds: float | None = None) -> None:
        started = time.monotonic()
        try:
            patience = self.patience if self.plan.numbers else REQUEST_SECONDS
            with budget(min(seconds or REQUEST_SECONDS, patience)):
                once()
        finally:
            self.longest = max(self.longest, time.monotonic() - started)


def operation_item(operation: Mapping[str, Any], status: str) -> dict[str, Any]:
    """Return a report about an operation, in the documented form."""
    result = {"code": 603, "subcode": 0, "message": "declined"} if status == "failed" else None
    return {
        "changeType": "deleted",
        "resourceUrl": f"/communications/calls/{CALL}/operations/{operation['id']}",
        "resourceData": {
            "@odata.type": "#microsoft.graph.inviteParticipantsOperation",
            "id": operation["id"],
            "clientContext": operation["clientContext"],
            "status": status,
            "resultInfo": result,
        },
    }


def roster_item(people: Sequence[str]) -> dict[str, Any]:
    """Return a report of the roster, in the documented form."""
    entries = [
        {
            "@odata.type": "#microsoft.graph.participant",
            "id": f"participant-{person}",
            "isInLobby": False,
            "mediaStreams": [{"mediaType": "audio", "direction": "sendReceive"}],
            "info": {"identity": {"user": {"id": person}}},
        }
        for person in people
    ]
    return {
        "changeType": "updated",
        "resourceUrl": f"/communications/calls/{CALL}/participants",
        "resourceData": entries,
    }


def call_item(state: str) -> dict[str, Any]:
    """Return a report about the call itself."""
    return {
        "changeType": "updated",
        "resourceUrl": f"/communications/calls/{CALL}",
        "resourceData": {"@odata.type": "#microsoft.graph.call", "state": state},
    }
