"""Graph as starts see it: calls that it created, who is in them, and whom it called; the truth to judge by."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from graph import wire
from graph.calls import CallRead
from graph.errors import GraphError, NothingSent, OutcomeUnknown, Refused, Throttled
from graph.participants import read_roster

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.results import OperationState
    from domain.sightings import Roster

GONE = Refused(404, code="8522")
NOT_TAKEN: dict[str, GraphError] = {
    "refused": Refused(403, code="7504"),
    "throttled": Throttled(429, retry_after=5.0),
    "unavailable": Throttled(503),
    "nothing sent": NothingSent("no connection"),
    "lost before": OutcomeUnknown("cut"),
    "error before": OutcomeUnknown("500", status=500, code="9999"),
}
TAKEN: dict[str, GraphError] = {
    "lost after": OutcomeUnknown("cut"),
    "error after": OutcomeUnknown("504", status=504),
}
THREAD = "19:meeting_M2E@thread.v2"


@dataclass
class FakeCall:
    """A call that Graph has created for the app."""

    id: str
    start: str
    attempt: int
    meeting: str | None
    """The meeting's thread."""
    targets: tuple[str, ...]
    state: str = "establishing"
    ringing: dict[str, str] = field(default_factory=dict)
    """Participant ids by person."""
    present: dict[str, str] = field(default_factory=dict)

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self.state != "terminated"


class FakeGraph:
    """Creates calls, calls people, and keeps what it did."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.answers: list[str] = []
        """What the next creates get; ``made`` by default."""
        self.invite_answers: list[str] = []
        self.other_answers: list[str] = []
        """What the next other requests get: ``lost before``, ``throttled``, ... or ``done``."""
        self.calls: dict[str, FakeCall] = {}
        self.threads: dict[str, str] = {}
        """Threads by meeting ID."""
        self.creates: Counter[tuple[str, int]] = Counter()
        """How often each attempt of each start was taken."""
        self.invited: Counter[tuple[str, str]] = Counter()
        """How often each person was called, by context."""
        self.operations: list[dict[str, Any]] = []
        self.bodies: list[Mapping[str, Any]] = []
        self.asked: list[str] = []
        """Every request, by name."""
        self.removed: list[str] = []
        self.rejected: list[str] = []
        self.reported_first: Callable[[FakeCall], object] | None = None
        """Done while a create is in progress, once it is taken."""
        self.lists_ringing = True
        self.may_remove = True

    def _new_id(self) -> str:
        return f"00000000-0000-4000-9000-{next(self._numbers):012}"

    def create(self, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> CallRead:
        """Create a call, or fail as the script says."""
        self.asked.append("create")
        self.bodies.append(body)
        answer = self.answers.pop(0) if self.answers else "made"
        if answer in NOT_TAKEN:
            raise NOT_TAKEN[answer]
        query = parse_qs(urlsplit(body["callbackUri"]).query)
        targets = tuple(entry["identity"]["user"]["id"] for entry in body.get("targets", []))
        meeting = self._meeting(body)
        call = FakeCall(self._new_id(), query["start"][0], int(query["attempt"][0]), meeting, targets)
        call.ringing = {person: self._new_id() for person in targets}
        self.calls[call.id] = call
        self.creates[call.start, call.attempt] += 1
        if self.reported_first is not None:
            self.reported_first(call)
        if answer in TAKEN:
            raise TAKEN[answer]
        return CallRead("establishing", None, call.id, call.meeting, f"app-{call.id}")

    def _meeting(self, body: Mapping[str, Any]) -> str | None:
        info = body.get("meetingInfo")
        if info is None:
            return None
        if "joinMeetingId" in info:
            number: str = info["joinMeetingId"]
            return self.threads.get(number, number)
        thread: str = body["chatInfo"]["threadId"]
        return thread

    def call(self, call_id: str, *, scenario_id: str) -> CallRead:
        """Read a call."""
        call = self._live(call_id, "read call")
        return CallRead(call.state, None, call.id, call.meeting)

    def keep_alive(self, call_id: str, *, scenario_id: str) -> None:
        """Keep a call."""
        self._live(call_id, "keep alive")

    def hang_up(self, call_id: str, *, scenario_id: str) -> None:
        """End the app's leg."""
        self._live(call_id, "hang up").state = "terminated"

    def reject(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str) -> None:
        """Reject an incoming call."""
        self._answer("reject")
        self.rejected.append(call_id)

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        """Read who is in a call."""
        call = self._live(call_id, "roster")
        ringing = call.ringing if self.lists_ringing else {}
        entries = [entry(person, name, rings=True) for person, name in ringing.items()]
        return read_roster(entries + [entry(person, name) for person, name in call.present.items()])

    def participants(self, call_id: str, *, scenario_id: str) -> list[dict[str, Any]]:
        """Read who is in a call, in Graph's own form."""
        call = self._live(call_id, "participants")
        return [entry(person, name) for person, name in call.present.items()]

    def operation(self, call_id: str, operation_id: str, *, scenario_id: str) -> OperationState:
        """Graph has no operations to read."""
        self._answer("operation")
        raise Refused(404)

    def remove_participant(self, call_id: str, participant_id: str, *, scenario_id: str) -> None:
        """Remove a person."""
        call = self._live(call_id, "remove")
        if not self.may_remove:
            raise Refused(403, code="8552")
        people = {name: person for person, name in (call.ringing | call.present).items()}
        if participant_id not in people:
            raise GONE
        self.removed.append(people[participant_id])
        call.ringing.pop(people[participant_id], None)
        call.present.pop(people[participant_id], None)

    def invite(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> OperationState:
        """Call people into a call, or fail as the script says."""
        answer = self.invite_answers.pop(0) if self.invite_answers else "made"
        call = self._live(call_id, "invite")
        if answer in NOT_TAKEN:
            raise NOT_TAKEN[answer]
        people = [one["identity"]["user"]["id"] for one in body["participants"]]
        operation = {"id": self._new_id(), "context": body["clientContext"], "call": call_id, "people": people}
        self.operations.append(operation)
        for person in people:
            self.invited[body["clientContext"], person] += 1
            call.ringing[person] = self._new_id()
        if answer in TAKEN:
            raise TAKEN[answer]
        return wire.operation_state(
            {"id": operation["id"], "status": "Running", "clientContext": body["clientContext"]}
        )

    def _live(self, call_id: str, what: str) -> FakeCall:
        self._answer(what)
        call = self.calls.get(call_id)
        if call is None or not call.is_alive:
            raise GONE
        return call

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        answer = self.other_answers.pop(0) if self.other_answers and what != "invite" else "done"
        if answer in NOT_TAKEN:
            raise NOT_TAKEN[answer]


def entry(person: str, participant_id: str, *, rings: bool = False, lobby: bool = False) -> dict[str, Any]:
    """Return a participant of a roster; one whose device rings has no media stream."""
    return {
        "@odata.type": "#microsoft.graph.participant",
        "id": participant_id,
        "isInLobby": lobby,
        "mediaStreams": [] if rings else [{"mediaType": "audio", "direction": "sendReceive"}],
        "info": {"identity": {"user": {"id": person}}},
    }


def call_item(call_id: str, state: str, **result: Any) -> dict[str, Any]:
    """Return a report about a call; its end is reported as deleted."""
    data: dict[str, Any] = {"@odata.type": "#microsoft.graph.call", "state": state}
    return {
        "changeType": "deleted" if state == "terminated" else "updated",
        "resourceUrl": f"/communications/calls/{call_id}",
        "resourceData": data | ({"resultInfo": result} if result else {}),
    }


def roster_item(call: FakeCall) -> dict[str, Any]:
    """Return a call's roster, the app included."""
    app = entry("app", f"app-{call.id}")
    people = [entry(person, name) for person, name in call.present.items()]
    return {
        "changeType": "updated",
        "resourceUrl": f"/communications/calls/{call.id}/participants",
        "resourceData": [app, *people],
    }


def operation_item(operation: Mapping[str, Any], status: str) -> dict[str, Any]:
    """Return a report about an operation."""
    result = {"code": 603, "subcode": 0, "message": "declined"} if status == "failed" else None
    return {
        "changeType": "deleted",
        "resourceUrl": f"/communications/calls/{operation['call']}/operations/{operation['id']}",
        "resourceData": {
            "@odata.type": "#microsoft.graph.inviteParticipantsOperation",
            "id": operation["id"],
            "clientContext": operation["context"],
            "status": status,
            "resultInfo": result,
        },
    }
