"""Many invitations and starts through every real part, with faults of every kind that the simulator knows.

Flows behave as the flow engine does: they repeat a POST on 408, 429, 5xx and broken connections; then they poll, or
wait at a URL of their own. Every outcome is judged by the simulator's log.
"""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dev.simulator import Simulator
    from dev.simulator.options import Outcome
    from tests.end_to_end.conftest import Host
    from tests.end_to_end.waiting_flow import WaitingFlow

_RETRIED = {408, 429, *range(500, 600)}
_MOST_TRIES = 9
_WAIT = 0.5
# Creates that are refused, whose response is lost, or that are slow; the second start of a meeting may meet them, too.
CREATE_FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 429, "retry_after": 2},
    {"status": 503},
    {"status": 500, "taken": True},
    {"status": 504},
    {"cut": "before"},
    {"cut": "after"},
    {"delay_after": 30},
    {"status": 409, "code": "8519"},
)
# What a share of the requests meets; each is one fault, played for one invitation.
REQUEST_FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 429, "retry_after": 2.128},
    {"status": 429, "retry_after": 40, "retry_after_format": "date"},
    {"status": 429},
    {"status": 503, "retry_after": 5},
    {"status": 503},
    {"status": 500},
    {"status": 500, "taken": True},
    {"status": 502, "taken": True},
    {"status": 504},
    {"status": 504, "taken": True},
    {"cut": "before"},
    {"cut": "after"},
    {"delay_before": 20},
    {"delay_after": 30},
    {"status": 403, "code": "7504"},
    {"status": 409, "code": "8519"},
)
REPORT_FAULTS: tuple[dict[str, Any], ...] = (
    {"lost": "operation"},
    {"lost": "roster"},
    {"lost": "all"},
    {"late": 300},
    {"copies": 3},
    {"before_response": True},
    {"roster_first": True},
    {"together": True},
    {"running": "late"},
    {"operation_id_null": True},
    {"without_client_context": True},
    {"string_codes": True},
    {"casing": "upper"},
    {"foreign_items": True},
    {"response_empty": True},
)
BEHAVIOURS: tuple[Outcome, ...] = ("answers", "answers", "answers", "declines", "ringsOut", "busy", "fails", "lobby")


@dataclass
class Flow:
    """One flow that invites one person, and the outcome that it got."""

    call_id: str = field(repr=False)
    """Empty where it starts with a meeting."""
    person: str = field(repr=False)
    behaviour: Outcome
    faults: list[dict[str, Any]]
    meeting: str = field(default="", repr=False)
    """The link of the meeting that it joins."""
    waits: bool = False
    """Whether it waits at a URL of its own instead of polling."""
    context: str = field(default_factory=lambda: str(uuid.uuid4()), repr=False)
    outcome: str = ""
    reason: str = ""
    """Why it failed, as the app says it."""
    tries: int = 0


@dataclass
class Tally:
    """What came of a soak."""

    flows: list[Flow]
    lost: list[Flow] = field(default_factory=list)
    twice: list[Flow] = field(default_factory=list)
    wrong: list[Flow] = field(default_factory=list)
    repeated: list[Flow] = field(default_factory=list)
    """Flows that were notified more than once."""
    seconds: float = 0

    def summary(self) -> str:
        """The figures on one line."""
        outcomes = Counter(flow.outcome for flow in self.flows)
        faulty = sum(bool(flow.faults) for flow in self.flows)
        return (
            f"{len(self.flows)} invitations and starts, {faulty} with faults, {self.seconds:.0f} s: "
            f"{len(self.lost)} lost, {len(self.twice)} called twice, {len(self.wrong)} wrong, "
            f"{len(self.repeated)} notified twice; outcomes {dict(outcomes)}"
        )


def soak(
    hosts: Sequence[Host],
    graph: Simulator,
    waiting: WaitingFlow,
    *,
    count: int,
    starts: int,
    share: float,
    seed: int,
    at_once: int = 16,
    say: Callable[[str], None] = print,
) -> Tally:
    """Run ``count`` flows and ``starts`` that join meetings, a ``share`` of them with faults; judge their outcomes."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    flows = [_flow(hosts, graph, chance, share) for _ in range(count)]
    flows += [start for _ in range(starts // 2) for start in _starts_in_one_meeting(graph, chance, share)]
    chance.shuffle(flows)
    started = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        for number, _ in enumerate(
            pool.map(lambda entry: _run(hosts[entry[0] % len(hosts)], entry[1], waiting), enumerate(flows))
        ):
            if number % 100 == 99:
                say(f"{number + 1} of {len(flows)} after {time.monotonic() - started:.0f} s")
    graph.wait_idle(30)
    tally = Tally(flows, seconds=time.monotonic() - started)
    _judge(tally, graph)
    tally.repeated = [flow for flow in flows if len([one for one in waiting.posted if _is_of(flow, one.path)]) > 1]
    return tally


def _flow(hosts: Sequence[Host], graph: Simulator, chance: random.Random, share: float) -> Flow:
    person, behaviour = str(uuid.uuid4()), chance.choice(BEHAVIOURS)
    faults: list[dict[str, Any]] = []
    reporting: dict[str, Any] = {}
    if chance.random() < share:
        kind = chance.randrange(3)
        if kind != 1:
            faults.append(chance.choice(REQUEST_FAULTS))
        if kind != 0:
            reporting = chance.choice(REPORT_FAULTS)
            faults.append(reporting)
    call_id = graph.create_call(chance.choice(list(hosts)).callback_uri, announce=False)
    options: Any = reporting
    graph.person(person, behaviour, **options)
    for fault in faults:
        if fault is not reporting:
            graph.fault(call_id=call_id, **fault)
    return Flow(call_id, person, behaviour, faults, waits=chance.random() < _WAIT)


def _starts_in_one_meeting(graph: Simulator, chance: random.Random, share: float) -> list[Flow]:
    """Return two flows that join the same meeting: they share a call, or one joins after the other's failure."""
    link = graph.meeting().join_web_url
    flows = []
    for _ in range(2):
        flow = Flow("", str(uuid.uuid4()), chance.choice(BEHAVIOURS), [], link, waits=chance.random() < _WAIT)
        reporting: Any = chance.choice(REPORT_FAULTS) if chance.random() < share else {}
        flow.faults += [reporting] if reporting else []
        graph.person(flow.person, flow.behaviour, **reporting)
        if chance.random() < share:
            flow.faults.append(chance.choice(CREATE_FAULTS))
            graph.fault(route="create", **flow.faults[-1])
        flows.append(flow)
    return flows


def _run(host: Host, flow: Flow, waiting: WaitingFlow) -> None:
    body: dict[str, Any] = {
        "participants": [{"identity": {"user": {"id": flow.person}}}],
        "clientContext": flow.context,
    }
    path = f"/calls/{flow.call_id}/participants/invite"
    if flow.meeting:
        path, body["meeting"] = "/calls/start", {"joinWebUrl": flow.meeting}
    if flow.waits:
        path, body["callbackUrl"] = f"{path}-and-wait", waiting.url_of(flow.context)
    wait = 0.1
    for flow.tries in range(1, _MOST_TRIES + 1):
        accepted = None
        with suppress(requests.ConnectionError):
            accepted = host.request("POST", path, json=body)
        if accepted is not None and accepted.status_code == 201:
            _take(flow, _notified(flow, waiting, seconds=60))
            return
        if accepted is not None and accepted.status_code == 202:
            _take(flow, host.outcome(accepted, seconds=60).json())
            return
        if accepted is not None and accepted.status_code not in _RETRIED:
            flow.outcome = f"refused {accepted.status_code}"
            return
        time.sleep(wait)
        wait = min(wait * 2, 2)


def _take(flow: Flow, body: dict[str, Any] | None) -> None:
    if body is not None:
        flow.outcome = body.get("status") or "failed"
        view = body.get("error", body)
        people = [one.get("reason") for one in view.get("participants") or ()]
        flow.reason = f"{view.get('message') or view.get('reason')} {people}"


def _notified(flow: Flow, waiting: WaitingFlow, seconds: float) -> dict[str, Any] | None:
    """Wait until the flow is notified; return the body, or None where none came."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for posted in list(waiting.posted):
            if _is_of(flow, posted.path):
                body: dict[str, Any] = posted.body
                return body
        time.sleep(0.05)
    return None


def _is_of(flow: Flow, path: str) -> bool:
    return path.startswith(f"/{flow.context}?")


def _judge(tally: Tally, graph: Simulator) -> None:
    rings: dict[str, list[str]] = {}
    for ring in graph.log.rings:
        rings.setdefault(ring.person, []).append(ring.outcome)
    for flow in tally.flows:
        mine = rings.get(flow.person, [])
        if not flow.outcome:
            tally.lost.append(flow)
        if len(mine) > 1:
            tally.twice.append(flow)
        if not _is_right(flow, mine):
            tally.wrong.append(flow)


def _is_right(flow: Flow, rings: list[str]) -> bool:
    """Return whether the outcome is what happened, or says that it could not be known where that is so."""
    came = any(ring in ("answered", "inLobby") for ring in rings)
    if flow.outcome == "completed":
        return came
    if flow.outcome.startswith("refused"):
        return not rings
    if flow.outcome == "failed":
        # A person in the lobby whose report was lost looks like one who never came. So does one whose report names
        # no context, where the response that names the operation was lost.
        lost = any(fault.get("lost") in ("operation", "all") for fault in flow.faults)
        nameless = len(flow.faults) > 1 and {"without_client_context": True} in flow.faults
        unknowable = flow.behaviour == "lobby" and (lost or nameless)
        return not came or unknowable
    return False
