"""Graph and flows as the app sees them; what they took is what the app's promises are judged by."""

from __future__ import annotations

import uuid
from collections import Counter
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from domain.waiting import LISTENS_AFTER
from flows.webhook import PostResponse
from graph import wire
from graph.calls import CallRead
from graph.errors import GraphError, NothingSent, OutcomeUnknown, Refused, Throttled
from graph.participants import read_roster

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from domain.results import OperationState
    from domain.sightings import Roster
    from tests.fakes import FakeClock
    from tests.never_twice.faults import Interleaving

CALL = "ab6233a5-20b7-4c5e-bea2-ce56c9776429"
FLOW = "https://prod-01.westeurope.logic.azure.com/workflows/1/runs/2/actions/Wait/run"
CUT, CUT_BUT_TAKEN = "cut", "cut, but taken"
_GONE = (404, 410)


class FakeGraph:
    """Graph; what it took is kept."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.next_answers: list[str] = []
        self.asked: set[str] = set()
        """The contexts of all requests that reached it."""
        self.taken: list[dict[str, Any]] = []
        self.rings: Counter[tuple[str, str]] = Counter()
        self.ended = False
        self.reachable = True
        self.present: set[str] = set()
        self.reported_first: Callable[[dict[str, Any]], object] = lambda _: None

    def invite(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> Any:
        """Answer as the script says; ``running`` by default."""
        answer = self.next_answers.pop(0) if self.next_answers else "running"
        self.asked.add(body["clientContext"])
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
        if answer == "slow, refused":
            self._clock.sleep(8)
            raise before["refused"]
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
        if answer == "slow":
            self._clock.sleep(8)
        if answer == "reported first":
            self.reported_first(operation)
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
        """Read the call."""
        self._answer()
        if self.ended:
            raise Refused(404, code="8522")
        return CallRead("established", None)

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        """Read who is in the call."""
        self._answer()
        return read_roster([roster_entry(person) for person in sorted(self.present)])

    def operation(self, call_id: str, operation_id: str, *, scenario_id: str) -> OperationState:
        """Graph has no operations to read."""
        self._answer()
        raise Refused(404)

    def _answer(self) -> None:
        if not self.reachable:
            raise OutcomeUnknown("no answer")


class FakeFlows:
    """Where flows wait; what each of them got is judged at once."""

    def __init__(self, clock: FakeClock, interleaving: Interleaving) -> None:
        self._clock = clock
        self._interleaving = interleaving
        self.statuses: list[int | str | None] = []
        """The next responses: a status, None for no response, or ``CUT`` and ``CUT_BUT_TAKEN``; 200 by default."""
        self.posted: list[tuple[str, str]] = []
        self.taken: set[str] = set()
        """The message ids that a flow took."""
        self.cut: set[str] = set()
        self.gone: Counter[str] = Counter()
        self.excused: set[str] = set()
        """Ids that may come again: after a fault between POST and mark, or a response after the cut."""
        self.listens: dict[str, datetime] = {}
        """By message id, when the flow's last 201 was surely there."""
        self.cancelled: set[str] = set()
        self.meanwhile: Callable[[], object] | None = None
        """Done once, while the next POST is in progress."""
        self.broken: list[str] = []
        """The promises that were not kept."""
        self.in_turn: ContextVar[set[str]] = ContextVar("in_turn")

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> PostResponse:
        """Respond as the script says; a flow that was notified has gone on, and responds 404."""
        message_id = headers["webhook-id"]
        self.posted.append((url, message_id))
        self.in_turn.get(set()).add(message_id)
        self._judge(message_id)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        response = self.statuses.pop(0) if self.statuses else 200
        if response == CUT_BUT_TAKEN:
            self.taken.add(message_id)
            self.excused.add(message_id)
        if response in (CUT, CUT_BUT_TAKEN):
            self.cut.add(message_id)
            if not self._interleaving.is_on:
                self._clock.sleep(seconds)
            return PostResponse(None, was_cut=True)
        if response == 200 and message_id in self.taken:
            response = 404
        if response == 200:
            self.taken.add(message_id)
        if response in _GONE:
            self.gone[message_id] += 1
        return PostResponse(response if isinstance(response, int) else None)

    def faulted(self) -> None:
        """A run failed: what it POSTed may not be marked, and comes again with the same id."""
        self.excused |= self.in_turn.get(set())

    def _judge(self, message_id: str) -> None:
        if message_id in self.taken and message_id not in self.excused:
            self.broken.append(f"{message_id} is POSTed again")
        if self._interleaving.is_on:
            return  # other runs' 201 and 204 are on their way
        if message_id in self.cancelled:
            self.broken.append(f"{message_id} is POSTed after the flow stopped waiting")
        listens = self.listens.get(message_id)
        if listens is not None and self._clock.now() < listens:
            self.broken.append(f"{message_id} is POSTed before its flow listens")

    def answered(self, message_id: str) -> None:
        """A flow got its 201."""
        self.listens[message_id] = self._clock.now() + LISTENS_AFTER


def _invited(identity_set: Mapping[str, Any]) -> str:
    found: str = next(identity["id"] for identity in identity_set.values() if isinstance(identity, dict))
    return found


def operation_item(
    operation: Mapping[str, Any], status: str, *, with_id: bool = True, with_context: bool = True
) -> dict[str, Any]:
    """Return a report about an operation, in the documented form."""
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


def roster_entry(person: str, *, rings: bool = False) -> dict[str, Any]:
    """Return a participant of a roster."""
    return {
        "@odata.type": "#microsoft.graph.participant",
        "id": None,
        "isInLobby": False,
        "mediaStreams": [] if rings else [{"mediaType": "audio", "direction": "sendReceive"}],
        "info": {"identity": {"user": {"id": person}}},
    }


def roster_item(people: set[str], ringing: AbstractSet[str] = frozenset()) -> dict[str, Any]:
    """Return a roster, in the documented form."""
    return {
        "changeType": "updated",
        "resourceUrl": f"/communications/calls/{CALL}/participants",
        "resourceData": [roster_entry(one, rings=one in ringing) for one in sorted({*people, *ringing})],
    }


def call_item(state: str) -> dict[str, Any]:
    """Return a report about the call itself."""
    return {
        "changeType": "updated",
        "resourceUrl": f"/communications/calls/{CALL}",
        "resourceData": {"@odata.type": "#microsoft.graph.call", "state": state},
    }
