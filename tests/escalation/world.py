"""The app's escalations between stand-ins of flow, Graph, queue and storage, in which everything can break."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from app import Followers
from domain.record import CallRecord, Needs
from domain.step_results import is_won, joined_people
from escalation.alarms import EscalationAlarms
from escalation.cancelling import StepCanceller
from escalation.progress import ESCALATION, EscalationProgress
from escalation.routes import EscalationRoutes
from escalation.service import EscalationService
from flows.alarms import Alarms
from flows.delivery import Delivery
from flows.duties import run_duties
from flows.links import Links
from flows.progress import Progress
from flows.publish import Publisher
from flows.turn import Turn
from flows.work import Work
from graph.errors import Refused
from graph.participants import read_roster
from invite.cancelling import Canceller
from invite.roster import RosterReader
from invite.sending import Sender
from invite.service import InvitationService
from notifications.payload import reports_of
from notifications.receiving import NotificationReceiver
from storage import reading
from storage.errors import StorageUnavailable
from storage.store import TableStore
from tests.configured import loaded
from tests.fakes import FakeClock, MemoryQueue, MemoryTable
from tests.never_twice.faults import Breaking, Crash, Interleaving, Plan
from tests.never_twice.outside import CALL, FLOW, FakeFlows, FakeGraph, call_item, operation_item
from tests.never_twice.world import CHECK_AFTER, GIVE_UP_AFTER, NoCalls
from watchdog.service import Watchdog
from web.answers import Answer, Request, error_answer
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from domain.escalation import Escalation
    from domain.sightings import Roster
    from flows.webhook import PostResponse
    from storage.rows import Row

__all__ = ["CALL", "CHECK_AFTER", "FLOW", "GIVE_UP_AFTER", "EscalationWorld", "Interruption", "person"]


def person(number: int) -> str:
    """The id of a user."""
    return f"00000000-0000-4000-8000-{number:012}"


def entry(identity: str) -> dict[str, Any]:
    """A person as a request names them."""
    return {"identity": {"user": {"id": identity}}}


@dataclass
class Interruption(Plan):
    """A fault, or with the kind ``meanwhile`` something that happens before a step: a race."""

    meanwhile: Callable[[], object] | None = None
    elapse: Callable[[], object] = lambda: None
    """Called at each input and output."""

    def wrap(self, step: Callable[..., Any], *arguments: Any, is_storage: bool = True, **named: Any) -> Any:
        self.elapse()
        if self.kind != "meanwhile":
            return super().wrap(step, *arguments, is_storage=is_storage, **named)
        if self.countdown > 0:
            self.countdown -= 1
            if self.countdown == 0 and self.meanwhile is not None:
                happens, self.meanwhile = self.meanwhile, None
                happens()
        return step(*arguments, **named)


class RingingGraph(FakeGraph):
    """Graph with people whose devices ring until they answer, decline or are removed."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.ringing: dict[str, str] = {}
        """Who rings, by participant id."""
        self.lobby: set[str] = set()
        self.lists_ringing = True
        self.removal_status: int | None = None
        self.removed: list[str] = []
        """Whose call was cancelled."""
        self.removed_after_answer: list[str] = []
        self.calls: Counter[str] = Counter()
        """How often each person was called."""
        self.reads = 0

    def invite(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> Any:
        before, answer = len(self.taken), self.next_answers[:1]
        try:
            return super().invite(call_id, body, scenario_id=scenario_id, read_seconds=read_seconds)
        finally:
            for operation in self.taken[before:]:
                for one in operation["people"]:
                    self.calls[one] += 1
                    if answer == ["completed at once"]:
                        self.present.add(one)
                    else:
                        self.ringing[f"participant-{len(self.taken)}"] = one

    def participants(self, call_id: str, *, scenario_id: str) -> list[dict[str, Any]]:
        self._answer()
        self.reads += 1
        if self.ended:
            raise Refused(404, code="8522")
        return self.listed()

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        return read_roster(self.participants(call_id, scenario_id=scenario_id))

    def listed(self) -> list[dict[str, Any]]:
        """Everybody, as a roster lists them."""
        people = [participant(one, one, streams=True) for one in sorted(self.present)]
        people += [participant(one, one, in_lobby=True) for one in sorted(self.lobby)]
        ringing = self.ringing.items() if self.lists_ringing else ()
        return people + [participant(key, one) for key, one in sorted(ringing)]

    def remove_participant(self, call_id: str, participant_id: str, *, scenario_id: str) -> None:
        self._answer()
        if self.removal_status is not None:
            raise Refused(self.removal_status, code="7505")
        if participant_id in self.present | self.lobby:
            self.removed_after_answer.append(participant_id)
        elif participant_id in self.ringing:
            self.removed.append(self.ringing.pop(participant_id))
        else:
            raise Refused(404)

    def stops_ringing(self, identity: str) -> None:
        """A person's devices ring no longer."""
        self.ringing = {key: one for key, one in self.ringing.items() if one != identity}


class WatchedTable(MemoryTable):
    """A table that looks at each begin of a step: nothing stored before may have won or ended the escalation."""

    def __init__(self) -> None:
        super().__init__()
        self.begun_too_late: list[Escalation] = []

    def write(self, group: Sequence[Row]) -> list[str]:
        names = [str(row.entity["RowKey"]) for row in group]
        names = [name.partition("|")[2] for name in names if name.startswith("~escalation|")]
        before = self._read(names)
        etags = super().write(group)
        after = self._read(names)
        for name, earlier in before.escalations.items():
            if len(after.escalations[name].begun) > len(earlier.begun):
                joined = replace(earlier, joined=joined_people(earlier, before))
                if earlier.is_final or is_won(joined):
                    self.begun_too_late.append(earlier)
        return etags

    def _read(self, names: list[str]) -> CallRecord:
        if not names:
            return CallRecord(CALL)
        return reading.read(self, CALL, Needs(call=True, escalations=frozenset(names))).record


def participant(key: str, identity: str, *, streams: bool = False, in_lobby: bool = False) -> dict[str, Any]:
    """A participant of a roster; without media streams their device rings."""
    return {
        "@odata.type": "#microsoft.graph.participant",
        "id": key,
        "isInLobby": in_lobby,
        "mediaStreams": [{"mediaType": "audio", "direction": "sendReceive"}] if streams else None,
        "info": {"identity": {"user": {"id": identity}}},
    }


class OneAtATime:
    """Notes a POST to a flow that is sent while an earlier one of the same outcome is under way."""

    def __init__(self, flows: Any) -> None:
        self._flows = flows
        self._under_way: set[str] = set()
        self.overlaps: list[str] = []

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Any:
        name = headers["webhook-id"]
        if name in self._under_way:
            self.overlaps.append(name)
        self._under_way.add(name)
        try:
            return self._flows.post(url, body, headers, seconds=seconds)
        finally:
            self._under_way.discard(name)


class TakingFlows(FakeFlows):
    """Flows that wait; what they took is kept."""

    def __init__(self, clock: FakeClock, interleaving: Interleaving) -> None:
        super().__init__(clock, interleaving)
        self.delivered: list[tuple[str, str]] = []

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> PostResponse:
        response = super().post(url, body, headers, seconds=seconds)
        if response.status is not None and response.status < HTTPStatus.MULTIPLE_CHOICES:
            self.delivered.append((url, headers["webhook-id"]))
        return response


class EscalationWorld:
    """The app's real parts between stand-ins of everything outside."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.plan = Interruption()
        self.memory = WatchedTable()
        self.queue, self.poison = MemoryQueue(self.clock), MemoryQueue(self.clock)
        interleaving = Interleaving()
        self.graph, self.flows = RingingGraph(self.clock), TakingFlows(self.clock, interleaving)
        # What was POSTed before a fault may not be marked.
        self.plan.on_fault = lambda: self.flows.excused.update(name for _, name in self.flows.posted)
        table: Any = Breaking(self.memory, self.plan, interleaving)
        queue: Any = Breaking(self.queue, self.plan, interleaving)
        graph: Any = Breaking(self.graph, self.plan, interleaving, is_storage=False)
        self.posts = OneAtATime(Breaking(self.flows, self.plan, interleaving, is_storage=False))
        flows: Any = self.posts
        now, calls = self.clock.now, _no_calls()
        store = TableStore(table)
        alarms, publisher = Alarms(queue, now), Publisher()
        progress = Progress(store, alarms, publisher, now=now)
        # One at a time, so that the same choices always lead to the same story.
        sender = Sender(graph, at_once=1, clock=self.clock.monotonic, sleep=self.clock.sleep)
        invitations = InvitationService(store, progress, sender, check_after_seconds=CHECK_AFTER, now=now)
        delivery = Delivery(progress, flows, now=now, sleep=self.clock.sleep)
        rosters = RosterReader(graph, progress)
        links, settings = Links("https://app.example", ()), loaded()
        self.progress = EscalationProgress(
            store,
            alarms,
            delivery,
            publisher,
            invitations=invitations,
            canceller=StepCanceller(Canceller(graph, client_id="client", at_once=1), rosters, now=now),
            links=links,
            check_after_seconds=CHECK_AFTER,
            now=now,
        )
        self.service = EscalationService(self.progress, rosters, now=now)
        publisher.followers = Followers(delivery, invitations, calls, self.service)
        watchdog = Watchdog(
            store, progress, graph, check_after_seconds=CHECK_AFTER, give_up_after_seconds=GIVE_UP_AFTER, now=now
        )
        kinds = {ESCALATION: EscalationAlarms(self.progress, watchdog, now=now)}
        self.work = Work(kinds, alarms, queue, self.poison, now=now)
        self.routes = EscalationRoutes(self.service, self.progress, links, settings, now=now)
        anybody: Any = None
        self.receiver = NotificationReceiver(anybody, progress, calls)

    def post(self, body: Any, *, wait: bool = False, headers: Mapping[str, str] | None = None) -> Answer | None:
        """A flow's request: what it is answered; None where the process exits before."""
        if wait and "callbackUrl" not in body:
            body = {**body, "callbackUrl": FLOW}
        send = self.routes.escalate_and_wait if wait else self.routes.escalate
        return self._answered(send, self.request(json.dumps(body).encode(), headers=headers))

    def escalate(
        self, *steps: list[int], seconds: int = 45, wait: bool = False, run: str | None = None, **more: Any
    ) -> Answer | None:
        """Call people, given by number, step by step; for a run of a flow where one is named."""
        body = {
            "steps": [{"participants": [entry(person(one)) for one in step], "waitSeconds": seconds} for step in steps]
        }
        if run is None:
            return self.post({**body, **more}, wait=wait)
        more["callbackUrl"] = FLOW + run
        return self.post({**body, **more}, wait=wait, headers={"x-ms-workflow-run-id": run})

    def get(self, *, token: str | None = None) -> Answer:
        """Read the one escalation there is; with a token as a flow polls."""
        query = {} if token is None else {"token": token}
        request = self.request(escalation=self.escalation().id, query=query)
        try:
            return self.routes.get(request) if token is None else self.routes.result(request)
        except ApiError as error:
            return error_answer(error)

    def stop(self) -> Answer | None:
        """Stop the one escalation there is."""
        return self._answered(self.routes.stop, self.request(escalation=self.escalation().id))

    def cancel_wait(self, token: str) -> Answer | None:
        """A flow no longer waits."""
        request = self.request(escalation=self.escalation().id, query={"token": token})
        return self._answered(self.routes.cancel_wait, request)

    def request(
        self,
        body: bytes = b"",
        *,
        escalation: str = "",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        """A request that has just arrived."""
        route = {"callId": CALL, "escalationId": escalation}
        return Request(route, query or {}, headers or {}, body, self.clock.now())

    def _answered(self, handler: Callable[[Request], Answer], request: Request) -> Answer | None:
        try:
            return handler(request)
        except ApiError as error:
            return error_answer(error)
        except StorageUnavailable:
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE)
        except Crash:
            return None
        finally:
            self.plan.countdown = 0

    def report(self, *items: dict[str, Any], late_seconds: float = 0) -> bool:
        """A callback of Graph; whether it was acknowledged."""
        reports = [report for item in items for report in reports_of(item)]
        turn = Turn(self.clock.now() - timedelta(seconds=late_seconds))
        try:
            self.receiver.record(turn, CALL, reports)
            run_duties(turn)
        except (Crash, StorageUnavailable):
            return False
        finally:
            self.plan.countdown = 0
        return True

    def report_is_only_written(self, *items: dict[str, Any]) -> None:
        """A callback of Graph whose process exits as soon as it is written."""
        self.receiver.record(Turn(self.clock.now()), CALL, [report for item in items for report in reports_of(item)])

    def answers(self, number: int, *, is_reported: bool = True) -> None:
        """A person answers, which is reported with the operation and the roster."""
        self.graph.stops_ringing(person(number))
        self.graph.present.add(person(number))
        if is_reported:
            self.report(self.operation(number, "completed"), self.roster())

    def declines(self, number: int) -> None:
        """A person declines."""
        self.graph.stops_ringing(person(number))
        self.report(self.operation(number, "failed"))

    def operation(self, number: int, status: str) -> dict[str, Any]:
        """A report about the latest request for a person."""
        found = [one for one in self.graph.taken if person(number) in one["people"]]
        return operation_item(found[-1], status)

    def roster(self) -> dict[str, Any]:
        """A report of everybody who is listed."""
        return {
            "changeType": "updated",
            "resourceUrl": f"/communications/calls/{CALL}/participants",
            "resourceData": self.graph.listed(),
        }

    def ends(self) -> None:
        """The call ends."""
        self.graph.ended = True
        self.report(call_item("terminated"))

    def pass_time(self, seconds: float) -> None:
        """Let time pass in small steps, and the queue's messages be handled."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            self.clock.moment = min(end, self.clock.now() + timedelta(seconds=1 if seconds < 1000 else 300))
            self.work_queue()

    def work_queue(self) -> None:
        """Let the queue trigger do what is due, once each; what fails comes back."""
        for waiting in self.queue.due():
            try:
                message = self.work.read(waiting.text.encode())
                if message is not None and message.time > self.clock.now():
                    continue  # its run waits for its time
                if message is not None:
                    self.work.act(message)
            except Crash:
                waiting.due = self.clock.now() + timedelta(minutes=10)  # a killed run hides its message
            except StorageUnavailable:
                waiting.due = self.clock.now() + timedelta(seconds=5)
            else:
                if waiting in self.queue.waiting:  # it may have been handled twice at the same time
                    self.queue.remove(waiting)
            finally:
                self.plan.countdown = 0

    def record(self) -> CallRecord:
        """All that is stored of the call, read past the faults."""
        names = [key.partition("|")[2] for _, key in self.memory.rows if key.startswith("~escalation|")]
        return TableStore(self.memory).read(CALL, Needs(call=True, escalations=frozenset(names))).record

    def escalation(self) -> Escalation:
        """The one escalation there is."""
        (found,) = self.record().escalations.values()
        return found


def _no_calls() -> Any:
    return NoCalls()
