from __future__ import annotations

import email.utils
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from dev.simulator import OptionError, Simulator
from tests.dev.simulator.caller import ALICE, BOB, Caller, error_of

if TYPE_CHECKING:
    from tests.dev.simulator.inbox import Inbox


def _truth(graph: Simulator) -> list[tuple[int | None, bool, bool]]:
    """Of every invite: the status, whether it was processed, whether the connection was cut."""
    return [(entry.status, entry.taken, entry.cut) for entry in graph.log.invites]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "TooManyRequests"),
        (503, "ServiceUnavailable"),
        (500, "InternalServerError"),
        (502, "BadGateway"),
        (504, "GatewayTimeout"),
    ],
)
def test_a_status_can_come_without_processing_the_invite(
    graph: Simulator, caller: Caller, call_id: str, status: int, code: str
) -> None:
    """The next request is refused and calls no one; the one after is as usual."""
    graph.fault(status=status)
    assert error_of(caller.invite(call_id, ALICE)) == (status, code)
    assert graph.log.rings == []
    assert caller.invite(call_id, ALICE).status_code == 200
    assert _truth(graph) == [(status, False, False), (200, True, False)]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_status_can_come_after_processing_the_invite(
    graph: Simulator, inbox: Inbox, caller: Caller, call_id: str, status: int
) -> None:
    """The response is an error, yet the person is called and the outcome reported."""
    graph.fault(status=status, taken=True)
    assert caller.invite(call_id, ALICE).status_code == status
    assert graph.wait_idle()
    assert _truth(graph) == [(status, True, False)]
    assert [ring.outcome for ring in graph.log.rings] == ["answered"]
    assert inbox.about("operation")[0].data["status"] == "completed"


def test_any_refusal_of_graph_can_be_had(graph: Simulator, caller: Caller, call_id: str) -> None:
    """Status, code and message are those of the fault."""
    graph.fault(status=403, code="7503", message="Application is not registered in our store.")
    answer = caller.invite(call_id, ALICE)
    assert error_of(answer) == (403, "7503")
    assert answer.json()["error"]["message"] == "Application is not registered in our store."


def test_retry_after_is_fractional_and_scaled(graph: Simulator, caller: Caller, call_id: str) -> None:
    """2.128 seconds are sent times the scale, up to three decimals."""
    graph.fault(status=429, retry_after=2.128)
    assert caller.invite(call_id, ALICE).headers["Retry-After"] == "0.021"
    with Simulator(time_scale=1) as unscaled, Caller(unscaled) as other:
        unscaled.fault(status=429, retry_after=2.128)
        assert other.invite("any", ALICE).headers["Retry-After"] == "2.128"


def test_retry_after_can_be_a_date_or_missing(graph: Simulator, caller: Caller, call_id: str) -> None:
    """The other two ways that HTTP allows."""
    graph.fault(status=503, retry_after=300, retry_after_format="date")
    graph.fault(status=503)
    until = email.utils.parsedate_to_datetime(caller.invite(call_id, ALICE).headers["Retry-After"]).timestamp()
    assert 0 < until - time.time() <= 4
    assert "Retry-After" not in caller.invite(call_id, ALICE).headers


@pytest.mark.parametrize(("cut", "taken", "rings"), [("before", False, 0), ("after", True, 1)])
def test_a_connection_can_be_cut(
    graph: Simulator, caller: Caller, call_id: str, *, cut: Any, taken: bool, rings: int
) -> None:
    """The caller can't know whether the invite was processed; the log shows it."""
    graph.fault(cut=cut)
    with pytest.raises(requests.ConnectionError):
        caller.invite(call_id, ALICE)
    assert _truth(graph) == [(None, taken, True)]
    assert len(graph.log.rings) == rings
    assert caller.invite(call_id, ALICE).status_code == 200


@pytest.mark.parametrize(("options", "rings"), [({"delay_before": 30}, 0), ({"delay_after": 30}, 1)], ids=str)
def test_an_invite_can_be_slow(graph: Simulator, caller: Caller, call_id: str, options: Any, rings: int) -> None:
    """A caller that gives up early has called the person all the same, sooner or later."""
    graph.fault(**options)
    url = caller.url(call_id, "participants/invite")
    body = {"participants": [{"identity": {"user": {"id": ALICE}}}]}
    with pytest.raises(requests.ReadTimeout):
        caller.session.post(url, json=body, timeout=0.15)
    assert len(graph.log.rings) == rings
    assert graph.wait_idle()
    assert len(graph.log.rings) == 1
    assert [entry.taken for entry in graph.log.invites] == [True]


def test_a_fault_can_be_about_one_call_or_person(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """It isn't applied to others."""
    other = graph.create_call(inbox.url, announce=False)
    graph.fault(status=500, call_id=other, times=0)
    graph.fault(status=429, person=BOB.upper(), times=0)
    assert [caller.invite(call_id, ALICE).status_code, caller.invite(other, ALICE).status_code] == [200, 500]
    assert [caller.invite(call_id, ALICE, BOB).status_code, caller.invite(call_id, BOB).status_code] == [429, 429]


def test_a_fault_can_wait_for_the_nth_request(graph: Simulator, caller: Caller, call_id: str) -> None:
    """It is applied to the third of three matching requests."""
    number = graph.fault(status=503, nth=3)
    assert [caller.invite(call_id, ALICE).status_code for _ in range(4)] == [200, 200, 503, 200]
    assert [entry.fault for entry in graph.log.invites] == [None, None, number, None]


def test_a_fault_can_be_applied_several_times(graph: Simulator, caller: Caller, call_id: str) -> None:
    """Twice, or without limit until it is removed."""
    graph.fault(status=429, times=2)
    assert [caller.invite(call_id, ALICE).status_code for _ in range(3)] == [429, 429, 200]
    number = graph.fault(status=503, times=0)
    assert [caller.invite(call_id, ALICE).status_code for _ in range(3)] == [503, 503, 503]
    graph.faults.remove(number)
    assert caller.invite(call_id, ALICE).status_code == 200


def test_a_rate_is_repeatable() -> None:
    """The same seed gives the same faults, another seed gives others."""

    def statuses(seed: int) -> list[int]:
        with Simulator(seed=seed) as graph, Caller(graph) as caller:
            graph.fault(status=500, rate=0.5)
            return [caller.invite("any", ALICE).status_code for _ in range(24)]

    first = statuses(1)
    assert first == statuses(1)
    assert first != statuses(2)
    assert 4 <= first.count(500) <= 20


@pytest.mark.parametrize(("options", "answers"), [({"lost": "operation"}, 0), ({"copies": 3}, 3)], ids=str)
def test_a_fault_can_concern_the_callback(
    graph: Simulator, inbox: Inbox, caller: Caller, call_id: str, *, options: Any, answers: int
) -> None:
    """One invite's report is lost or repeated, the next one's is not."""
    graph.fault(**options)
    caller.invite(call_id, ALICE)
    assert graph.wait_idle()
    assert len(inbox.about("operation")) == answers
    caller.invite(call_id, BOB)
    assert graph.wait_idle()
    assert len(inbox.about("operation")) == answers + 1


@pytest.mark.parametrize("route", ["call", "participants", "operation"])
def test_reads_can_fail_too(graph: Simulator, caller: Caller, call_id: str, route: Any) -> None:
    """A fault can be about any route."""
    graph.fault(route=route, status=503)
    path = {"call": "", "participants": "participants", "operation": "operations/x"}[route]
    assert caller.invite(call_id, ALICE).status_code == 200
    assert caller.get(call_id, path).status_code == 503
    assert caller.get(call_id, path).status_code != 503


@pytest.mark.parametrize(
    "options",
    [{}, {"status": 200}, {"rate": 2}, {"nth": 0, "status": 500}, {"taken": True, "cut": "after"}, {"cut": "maybe"}],
    ids=str,
)
def test_invalid_faults_are_refused(graph: Simulator, options: Any) -> None:
    """A fault that would never do anything is an error."""
    with pytest.raises(OptionError):
        graph.fault(**options)
