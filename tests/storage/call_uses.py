"""Starts and escalations between real storage behind the faulty proxy, and stand-ins of Graph, flows and time."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from azure.storage.queue import QueueClient

from domain import start_progress
from domain.record import Needs
from storage import rows
from storage.budget import CALLBACK_SECONDS, REQUEST_SECONDS, budget
from storage.errors import StorageError
from storage.queue import StorageQueue
from storage.singles import SingleRows
from storage.store import TableStore
from storage.table import StorageTable, table_client
from tests.calls.values import ANNA, BEN, CLEO, FLOW_HEADERS, meeting
from tests.calls.world import FLOW, World, user
from tests.fakes import FakeClock
from tests.storage.use_cases import DelayedQueue
from web.answers import Request
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.escalation import Escalation
    from domain.record import CallRecord
    from domain.start import Start
    from settings import Settings
    from tests.storage.faulty import Plan

_MOST_REPEATS = 4
_STEP_SECONDS = 300


class CallStory:
    """One app with a table, a queue, a Graph and flows of its own, in which one call is started."""

    def __init__(self, settings: Settings, azurite: str, name: str, plan: Plan) -> None:
        self.plan, self.clock = plan, FakeClock()
        self.longest = 0.0
        """Seconds that the longest request took."""
        self.start_id = self.escalation_id = ""
        self._behind = QueueClient.from_connection_string(azurite, name)
        self._client = table_client(settings)
        self._table = StorageTable(self._client)
        self._queue = DelayedQueue(StorageQueue(settings, name), self._behind, self.clock)
        self.world = World(clock=self.clock, stored=self._table, queue=self._queue)
        self.graph = self.world.graph

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._behind.close()

    def begin(self, *people: str) -> str:
        """A flow joins a meeting, and waits for the people whom it has called there."""
        return self._repeated(lambda: self.world.start(meeting(*people), waits=bool(people), headers=FLOW_HEADERS))

    def establish(self) -> str:
        """Graph reports that the call is established."""
        return self._reported(lambda: self.world.establish(self._call()))

    def answer(self, person: str, status: str = "completed") -> str:
        """A person answers or declines, and Graph reports it."""
        (operation,) = (one for one in self.graph.operations if person in one["people"])
        return self._reported(lambda: self.world.answer(operation, status))

    def stop(self) -> str:
        """Somebody stops the start."""
        return self._repeated(lambda: self.world.stop(self.start_id))

    def cancel(self) -> str:
        """Somebody cancels the invitation that followed the start."""
        (name,) = self.record().invitations
        route = {"callId": self._call().id, "invitationId": name}
        return self._repeated(lambda: self.world.request("cancel_invitation", route=route))

    def escalate(self, *steps: list[str]) -> str:
        """A flow calls people step by step, and waits."""
        given = [{"participants": [user(one) for one in step], "waitSeconds": _STEP_SECONDS} for step in steps]
        body = json.dumps({"steps": given, "callbackUrl": FLOW}).encode()
        headers = {"content-type": "application/json", **FLOW_HEADERS}
        route = {"callId": self._call().id}

        def send() -> object:
            try:
                return self.world.escalations.escalate_and_wait(
                    Request(route, {}, headers, body, arrived=self.clock.now())
                ).body
            except (ApiError, StorageError) as error:
                return error

        return self._repeated(send)

    def work(self) -> None:
        """Each message that is due is handled once; one that fails comes back."""
        self._timed(self.world.work_queue, REQUEST_SECONDS)

    def settle(self, seconds: float) -> None:
        """Let time pass from message to message, without faults and without a poll."""
        self.plan.begin()
        self.world.pass_time(seconds)

    def start(self) -> Start:
        """Return the start, as stored."""
        found = SingleRows(self._table).start(self.start_id).value
        assert found is not None
        return found

    def record(self) -> CallRecord:
        """Return what is stored of the call."""
        names = frozenset({self.escalation_id} if self.escalation_id else ())
        needs = Needs(call=True, escalations=names, open_invitations=True)
        return TableStore(self._table).read(self._call().id, needs).record

    def escalation(self) -> Escalation:
        """Return the escalation, as stored."""
        return self.record().escalations[self.escalation_id]

    def lacks_alarm(self) -> bool:
        """Return whether something is open whose row names no message that will come."""
        coming = {waiting.message["alarm"] for waiting in self._queue.waiting}
        start = self.start()
        named = {start.alarm.name} if start_progress.is_open(start) else set()
        if self.escalation_id:
            escalation = self.escalation()
            if not escalation.is_final or any(flow.is_waiting for flow in escalation.flows):
                named.add(escalation.alarm.name)
        return not named <= coming

    def most_calls(self) -> int:
        """Return how often the person was called who was called most often, or how often the call was created."""
        people = [one for operation in self.graph.operations for one in operation["people"]]
        return max([len(self.graph.calls), *(people.count(one) for one in people)])

    def is_noted(self) -> bool:
        """Return whether the start and the call will be removed when their time is over."""
        days = [rows.retention_day(self.clock.now() - timedelta(days=back)) for back in range(3)]
        names = (f"~start|{self.start_id}", rows.partition_key(self._call().id))
        return all(any(self._table.get(day, name) is not None for day in days) for name in names)

    def notified(self) -> list[str]:
        """Return the status of each outcome that a flow has taken, once each."""
        posted = {message_id: str(body["status"]) for message_id, body in self.world.flows.posted}
        assert posted.keys() == self.world.flows.taken
        return list(posted.values())

    def _call(self) -> Any:
        (call,) = self.graph.calls.values()
        return call

    def _reported(self, send: Callable[[], bool]) -> str:
        return self._repeated(send, seconds=CALLBACK_SECONDS)

    def _repeated(self, send: Callable[[], object], *, seconds: float = REQUEST_SECONDS) -> str:
        """Send a request until its response is not 503; return the responses."""
        responses = []
        for _ in range(_MOST_REPEATS):
            asked = self._changes()
            answer = self._timed(send, seconds)
            if isinstance(answer, StorageError) or answer is False:
                responses.append("503")
                assert self._changes() == asked, "after Graph was asked the response is never 503"
                self.clock.sleep(5)
                continue
            if isinstance(answer, ApiError):
                return " ".join([*responses, str(int(answer.status))])
            if isinstance(answer, dict) and "steps" in answer:
                self.escalation_id = answer["id"]
            elif isinstance(answer, dict):
                self.start_id = answer["id"]
            return " ".join([*responses, "ok"])
        return " ".join(responses)

    def _changes(self) -> tuple[int, int, int]:
        """Return how much Graph has done."""
        return len(self.graph.calls), len(self.graph.operations), len(self.graph.removed)

    def _timed(self, send: Callable[[], object], seconds: float) -> object:
        started = time.monotonic()
        try:
            with budget(seconds):
                return send()
        finally:
            self.longest = max(self.longest, time.monotonic() - started)


def begun(story: CallStory) -> None:
    """A flow has started a call with one person."""
    assert story.begin(ANNA) == "ok"
    story.clock.sleep(2)


def established(story: CallStory) -> None:
    """The person is being called."""
    begun(story)
    assert story.establish() == "ok"
    story.clock.sleep(2)


def joined(story: CallStory) -> None:
    """The app is in a meeting, and has called no person."""
    assert story.begin() == "ok"
    story.clock.sleep(2)
    assert story.establish() == "ok"


def escalated(story: CallStory) -> None:
    """Two people are being called, and a third is the second step."""
    joined(story)
    assert story.escalate([ANNA, BEN], [CLEO]) == "ok"
    story.clock.sleep(2)


def declined_once(story: CallStory) -> None:
    """One of two people has declined."""
    escalated(story)
    assert story.answer(ANNA, "failed") == "ok"
    story.clock.sleep(2)


def step_over(story: CallStory) -> None:
    """The first step's time is over."""
    escalated(story)
    story.clock.sleep(_STEP_SECONDS)


def ends_established(story: CallStory) -> None:
    """Graph establishes the call and the person answers, after the faults are over.

    Where the response of Graph could not be written, and no report came for minutes, the start has failed by its alarm.
    """
    has_failed = story.start().is_final
    assert story.establish() == "ok"
    if has_failed:
        story.settle(60)
        assert (called(story), story.world.live(), story.notified()) == ([], [], ["failed"])
        return
    story.clock.sleep(2)
    ends_answered(story)


def ends_answered(story: CallStory) -> None:
    """The person answers after the faults are over."""
    assert called(story) == [ANNA]
    assert story.answer(ANNA) == "ok"
    story.settle(200)
    assert story.notified() == ["completed"]
    assert story.start().is_final


def ends_stopped(story: CallStory) -> None:
    """The call is left, and the flow was notified."""
    assert story.start().is_stopped
    assert not story.world.live()
    assert story.graph.removed == [ANNA], "the person's devices ring no longer"
    assert story.notified() == ["stopped"]


def ends_cancelled(story: CallStory) -> None:
    """The person is called no longer, and the flow was notified."""
    assert story.graph.removed == [ANNA]
    assert story.start().is_final
    assert story.notified() == ["failed"]


def ends_escalated(story: CallStory) -> None:
    """The first step's people decline and the second's answers, after the faults are over."""
    assert called(story) == [ANNA, BEN]
    assert story.answer(ANNA, "failed") == "ok"
    assert story.answer(BEN, "failed") == "ok"
    ends_in_second_step(story)


def ends_in_second_step(story: CallStory) -> None:
    """The second step's person is called, and answers."""
    assert called(story) == [ANNA, BEN, CLEO]
    story.clock.sleep(2)
    assert story.answer(CLEO) == "ok"
    story.settle(200)
    ends_won(story, [ANNA, BEN, CLEO])


def ends_won(story: CallStory, people: list[str] | None = None) -> None:
    """No further person is called, no device rings, and the flow was notified."""
    assert called(story) == (people or [ANNA, BEN])
    assert story.notified() == ["completed"]
    assert story.escalation().is_final
    assert not story.world.the_call().ringing


def called(story: CallStory) -> list[str]:
    """Return whom Graph was asked to call, in order."""
    return [person for operation in story.graph.operations for person in operation["people"]]
