"""Asking Graph: each request once, within its time, and never again where Graph may have taken it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from graph.errors import (
    CredentialRefused,
    GraphError,
    NothingSent,
    OutcomeUnknown,
    Refused,
    Throttled,
    TokenUnavailable,
)
from graph.participants import invite_body
from invite.sending import BUDGET_SECONDS, Sender, Sent
from tests.invite.bodies import body, invitation, people, person
from tests.invite.fakes import TAKEN, Clock, ScriptedGraph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.invitation import Invitation
    from domain.results import OperationState

ONE = invitation(people(body(person(1))), "x")


def _parts(count: int) -> Invitation:
    return invitation(people(body(*(person(place, participantId="p") for place in range(count)))), "x")


def _send_one(graph: ScriptedGraph, clock: Clock) -> Sent:
    (sent,) = Sender(graph, clock=clock, sleep=clock.sleep).send(ONE, [0], "scenario")
    return sent


def _throttled(seconds: float | None, status: int = 429) -> Throttled:
    return Throttled(status, retry_after=seconds)


def test_one_request() -> None:
    """The request has the call, the documented body, a scenario id and 15 seconds to be answered."""
    graph, clock = ScriptedGraph(TAKEN), Clock()
    sent = _send_one(graph, clock)
    assert (sent.place, sent.answer, sent.error, sent.was_refused) == (0, TAKEN, None, False)
    (asked,) = graph.asked
    assert (asked.call_id, asked.scenario_id, asked.read_seconds) == ("call", "scenario", 15.0)
    assert asked.body == invite_body(ONE.participants, "x")
    assert clock.slept == []


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("seconds", [0.0, 1.0, 2.128, 14.9, 15.0])
def test_retry_after_that_fits(status: int, seconds: float) -> None:
    """A ``Retry-After`` that fits into 20 seconds is waited, whole or fractional, and the request sent again."""
    graph, clock = ScriptedGraph(_throttled(seconds, status), TAKEN), Clock()
    assert _send_one(graph, clock).answer is TAKEN
    assert clock.slept == [seconds]
    assert len(graph.asked) == 2
    assert graph.asked[0].body == graph.asked[1].body


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("seconds", [15.1, 20.0, 60.0, 86_400.0])
def test_retry_after_that_does_not_fit(status: int, seconds: float) -> None:
    """A ``Retry-After`` that does not fit is passed on at once, without a call to anyone."""
    graph, clock = ScriptedGraph(_throttled(seconds, status)), Clock()
    sent = _send_one(graph, clock)
    assert isinstance(sent.error, Throttled)
    assert sent.error.retry_after == seconds
    assert sent.was_refused
    assert sent.may_be_repeated_soon
    assert (clock.slept, len(graph.asked)) == ([], 1)


def test_waits_have_a_budget() -> None:
    """However often Graph throttles, one invite ends within its budget."""
    graph, clock = ScriptedGraph(_throttled(4.0)), Clock()
    assert _send_one(graph, clock).was_refused
    assert clock.slept == [4.0, 4.0, 4.0]
    assert clock.seconds - 1000.0 <= 20.0


@pytest.mark.parametrize("error", [_throttled(None), NothingSent("no connection"), TokenUnavailable("no token")])
def test_backoff(error: GraphError) -> None:
    """Where no time is named, the app waits longer each time, within the budget."""
    graph, clock = ScriptedGraph(error), Clock()
    sent = _send_one(graph, clock)
    assert sent.error is error
    assert sent.may_be_repeated_soon
    assert clock.slept == [0.5, 1.0, 2.0, 4.0]
    assert all(0 < asked.read_seconds <= 15.0 for asked in graph.asked)


def test_nothing_sent() -> None:
    """A refused connection called no one, so the app tries again by itself."""
    graph, clock = ScriptedGraph(NothingSent("no"), TokenUnavailable("no"), TAKEN), Clock()
    assert _send_one(graph, clock).answer is TAKEN


def test_refused_credential() -> None:
    """Waiting does not fix an expired secret."""
    graph, clock = ScriptedGraph(CredentialRefused("no", code="AADSTS7000222")), Clock()
    sent = _send_one(graph, clock)
    assert sent.was_refused
    assert (len(graph.asked), clock.slept) == (1, [])


@pytest.mark.parametrize("error", [OutcomeUnknown("time-out"), OutcomeUnknown("Microsoft Graph answered 500")])
def test_unknown_outcome(error: GraphError) -> None:
    """After a time-out or a 5xx it is unknown, so the request is neither repeated nor counted as refused."""
    graph, clock = ScriptedGraph(error, TAKEN), Clock()
    sent = _send_one(graph, clock)
    assert (sent.error, sent.was_refused, sent.may_be_repeated_soon) == (error, False, False)
    assert (len(graph.asked), clock.slept) == (1, [])


def test_unknown_outcome_after_a_wait() -> None:
    """Also the second try of a request may have called a person."""
    graph, clock = ScriptedGraph(_throttled(1.0), OutcomeUnknown("reset"), TAKEN), Clock()
    assert not _send_one(graph, clock).was_refused
    assert len(graph.asked) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418])
def test_definite_refusal(status: int) -> None:
    """A 4xx is not repeated."""
    graph, clock = ScriptedGraph(Refused(status), TAKEN), Clock()
    sent = _send_one(graph, clock)
    assert (sent.was_refused, sent.may_be_repeated_soon) == (True, False)
    assert (len(graph.asked), clock.slept) == (1, [])


def test_time_to_answer() -> None:
    """A repeated request gets what is left of the budget, and enough for Graph to answer."""
    graph, clock = ScriptedGraph(_throttled(14.0), TAKEN), Clock()
    assert _send_one(graph, clock).answer is TAKEN
    assert [asked.read_seconds for asked in graph.asked] == [15.0, 6.0]


def test_each_request_by_itself() -> None:
    """Of three requests one is taken, one refused, one unknown, each at its place."""
    refusal, unknown = Refused(403, code="7504"), OutcomeUnknown("?")
    graph = ScriptedGraph(x_1of3=[refusal], x_2of3=[TAKEN], x_3of3=[unknown])
    sent = Sender(graph).send(_parts(3), [0, 1, 2], "s")
    assert [(entry.place, entry.answer, entry.error) for entry in sent] == [
        (0, None, refusal),
        (1, TAKEN, None),
        (2, None, unknown),
    ]


def test_some_requests_only() -> None:
    """A repeat sends what was refused, and nothing else."""
    graph = ScriptedGraph(TAKEN)
    sent = Sender(graph).send(_parts(4), [1, 3], "s")
    assert [entry.place for entry in sent] == [1, 3]
    assert sorted(asked.body["clientContext"] for asked in graph.asked) == ["x~2of4", "x~4of4"]


class CountingGraph:
    """Counts how many requests are under way at once."""

    def __init__(self, together: int) -> None:
        self._barrier = threading.Barrier(together)
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def invite(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> OperationState:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self._barrier.wait(10)  # broken, and so a failure, unless that many come together
        with self._lock:
            self._now -= 1
        return TAKEN


def test_four_at_once() -> None:
    """An invitation of fifty requests is quick, and never more than four are under way."""
    graph = CountingGraph(together=4)
    sent = Sender(graph).send(_parts(48), range(48), "s")
    assert len(sent) == 48
    assert graph.most == 4


def test_no_time_to_begin() -> None:
    """Where the first requests use up the time, the last are not begun, and each that is begun has time enough."""
    clock = Clock()
    graph = ScriptedGraph(TAKEN, clock=clock, takes_seconds=2.0)
    sent = Sender(graph, at_once=1, clock=clock, sleep=clock.sleep).send(_parts(50), range(50), "s")
    begun = [entry.was_begun for entry in sent]
    assert begun == [True] * 10 + [False] * 40
    assert len(graph.asked) == 10 == BUDGET_SECONDS / 2
    assert all(entry.answer is TAKEN for entry in sent if entry.was_begun)
    assert not any(entry.was_refused for entry in sent)
    assert min(asked.read_seconds for asked in graph.asked) == 5.0
