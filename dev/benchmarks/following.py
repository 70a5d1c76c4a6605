"""How soon the next person is called by the callback that makes it due, with the queue function disabled."""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any

from dev.benchmarks.bodies import established_report, invite_body, operation_report
from dev.benchmarks.callbacks import Posts, running_host
from dev.benchmarks.measure import ROOT, Figure, compared, compared_at_95, in_turn, say, worker
from dev.benchmarks.real_parts import real_parts
from dev.simulator.client import SimulatorClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_AT_MOST, _AT_MOST_95 = 2.2, 3.0


class App:
    """The app on the local host, as a flow and Graph see it."""

    def __init__(self, posts: Posts, graph: SimulatorClient, calls: list[str]) -> None:
        self._posts, self._graph, self._calls = posts, graph, calls
        self._number = 0

    def escalate(self) -> tuple[str, dict[str, Any]]:
        """Call two people one after the other; return the second, and the report that the first has declined."""
        self._number += 1
        people = [str(uuid.uuid4()) for _ in range(2)]
        call_id = self._calls[self._number % len(self._calls)]
        body = {"steps": [{"participants": invite_body("", one)["participants"], "waitSeconds": 300} for one in people]}
        step = self._posts.post(f"/api/calls/{call_id}/escalate", body)["steps"][0]
        invitation = self._posts.get(f"/api/calls/{call_id}/invitations/{step['invitationId']}")
        operation = invitation["operations"][0]
        return people[1], operation_report(call_id, operation["clientContext"], operation["id"], "failed")

    def start(self) -> tuple[str, dict[str, Any]]:
        """Join a meeting to call a person; return them, and the report that the call is established."""
        person = str(uuid.uuid4())
        link = self._graph.meeting()["joinWebUrl"]
        body = {"meeting": {"joinWebUrl": link}, "participants": invite_body("", person)["participants"]}
        return person, established_report(self._posts.post("/api/calls/start", body)["callId"])

    def called(self, prepare: Callable[[], tuple[str, dict[str, Any]]], count: int) -> dict[str, float]:
        """Send each report; return when that began, by the person who is called because of it."""
        began = {}
        for person, report in [prepare() for _ in range(count)]:
            began[person] = time.time()
            self._posts.post("/api/notifications", report)
        return began

    def times(self, began: dict[str, float]) -> list[float]:
        """Return the milliseconds until Graph was asked to call each person."""
        requests = self._graph.log(bodies=False)["requests"]
        asked = {one["people"][0]: one["at"] for one in requests if one["route"] == "invite" and one["people"]}
        return [1000 * (asked[person] - at) for person, at in began.items()]


@contextmanager
def _running() -> Iterator[tuple[App, dict[str, str]]]:
    with ExitStack() as stack:
        shared = stack.enter_context(real_parts())
        own = {"AzureWebJobs.work.Disabled": "true"}
        posts = Posts(stack.enter_context(running_host(ROOT, shared | own)), shared["BENCHMARK_TOKEN"])
        graph = SimulatorClient(shared["GRAPH_ENDPOINT"], shared["REQUESTS_CA_BUNDLE"])
        graph.everyone("ringsOut", after=100_000)  # in a call that is used again no person is in already
        yield App(posts, graph, shared["BENCHMARK_CALLS"].split()), shared


def next_person(*, rounds: int = 9, count: int = 12) -> Iterator[Figure]:
    """Measure from sending the callback that a person declined to the request that calls the next one."""
    what = "from a person who declined to the next person's Graph request"
    yield from _figures("next", what, App.escalate, rounds, count)


def established(*, rounds: int = 9, count: int = 12) -> Iterator[Figure]:
    """Measure from sending the callback that a call is established to the request that calls the first person."""
    what = "from established to the first invitation's Graph request"
    yield from _figures("established", what, App.start, rounds, count)


def _figures(
    bench: str, what: str, prepare: Callable[[App], tuple[str, dict[str, Any]]], rounds: int, count: int
) -> Iterator[Figure]:
    say(what)
    single: tuple[list[float], list[float]] = [], []
    with _running() as (app, shared), worker("bare", shared) as bare:

        def taken(side: int, began: dict[str, float]) -> float:
            times = app.times(began)
            single[side].extend(times)
            return median(times)

        samples = in_turn(
            rounds,
            lambda: taken(0, app.called(lambda: prepare(app), count)),
            lambda: taken(1, bare.ask(bench, count)),
        )
    yield compared(bench, what, samples, "a bare script", at_most=_AT_MOST)
    yield compared_at_95(bench, f"95th percentile {what}", single, "a bare script", at_most=_AT_MOST_95)
