"""The same invitation, many times at once, in several processes."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.conftest import run_host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host


def person(number: int = 0) -> dict[str, Any]:
    """Return a person who can be invited."""
    return {"identity": {"user": {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number}"))}}}


@pytest.fixture
def hosts(settings: dict[str, str], tmp_path: Path) -> Iterator[list[Host]]:
    """Two processes of the app on the same storage."""
    with run_host(settings, tmp_path) as one, run_host(settings, tmp_path) as other:
        yield [one, other]


def test_a_hundred_at_once(hosts: list[Host], graph: Simulator) -> None:
    """One of a hundred simultaneous requests asks Graph; all hundred answer the same invitation."""
    call_id = graph.create_call(hosts[0].callback_uri)
    body = {"participants": [person()], "clientContext": str(uuid.uuid4())}
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda number: hosts[number % 2].invite(call_id, body), range(100)))
    assert Counter(answer.status_code for answer in answers) == {202: 100}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len({answer.headers["Location"].partition("/api/")[2] for answer in answers}) == 1
    assert len([entry for entry in graph.log.invites if entry.call_id == call_id]) == 1
    assert hosts[1].outcome(answers[-1]).json()["status"] == "completed"
    assert len([ring for ring in graph.log.rings if ring.call_id == call_id]) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency-Key": '"8e03978e"'},
        {"Repeatability-Request-ID": "8e03978e"},
        {"x-ms-workflow-run-id": "0858", "x-ms-workflow-operation-name": "Invite"},
    ],
    ids=["Idempotency-Key", "Repeatability-Request-ID", "flow"],
)
def test_kinds_of_key(host: Host, graph: Simulator, headers: dict[str, str]) -> None:
    """Sent again under the same key, the first answer comes again and no person is called."""
    call_id = graph.create_call(host.callback_uri)
    answers = [host.invite(call_id, {"participants": [person()]}, **headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len([entry for entry in graph.log.invites if entry.call_id == call_id]) == 1


def test_key_without_quotes(host: Host, graph: Simulator) -> None:
    """Makers type the key bare, libraries quote it."""
    call_id = graph.create_call(host.callback_uri)
    bare = host.invite(call_id, {"participants": [person()]}, **{"Idempotency-Key": "abc"})
    quoted = host.invite(call_id, {"participants": [person()]}, **{"Idempotency-Key": '"abc"'})
    assert bare.json()["id"] == quoted.json()["id"]


def test_no_key(host: Host, graph: Simulator) -> None:
    """Without a key each request invites anew."""
    call_id = graph.create_call(host.callback_uri)
    ids = {host.invite(call_id, {"participants": [person(number)]}).json()["id"] for number in range(2)}
    assert len(ids) == 2


def test_order_of_keys(host: Host, graph: Simulator) -> None:
    """With a clientContext in the body, an Idempotency-Key makes no difference."""
    call_id = graph.create_call(host.callback_uri)
    body = {"participants": [person()], "clientContext": str(uuid.uuid4())}
    ids = {host.invite(call_id, body, **{"Idempotency-Key": key}).json()["id"] for key in ("one", "other")}
    assert len(ids) == 1


def test_another_body(host: Host, graph: Simulator) -> None:
    """409, with the paths that differ and not their values; no person is called."""
    call_id = graph.create_call(host.callback_uri)
    headers = {"Idempotency-Key": "k"}
    host.invite(call_id, {"participants": [person(1)]}, **headers)
    conflict = host.invite(call_id, {"participants": [person(2)]}, **headers)
    assert conflict.status_code == 409
    assert "participants[0].identity.user.id" in conflict.json()["error"]["message"]
    assert person(2)["identity"]["user"]["id"] not in conflict.text
    assert len([entry for entry in graph.log.invites if entry.call_id == call_id]) == 1


def test_loop(host: Host, graph: Simulator) -> None:
    """An Apply to each has one run and one action for all its rounds, which differ in their people."""
    call_id = graph.create_call(host.callback_uri)
    headers = {"x-ms-workflow-run-id": "1", "x-ms-workflow-operation-name": "Invite"}
    ids = {host.invite(call_id, {"participants": [person(number)]}, **headers).json()["id"] for number in range(3)}
    assert len(ids) == 3


def test_new_attempt(host: Host, graph: Simulator) -> None:
    """After a failed invitation the same action is a new attempt, with its own reports."""
    call_id = graph.create_call(host.callback_uri)
    a_person = person(99)["identity"]["user"]["id"]
    headers = {"x-ms-workflow-run-id": "2", "x-ms-workflow-operation-name": "Invite"}
    graph.person(a_person, "declines")
    first = host.invite(call_id, {"participants": [person(99)]}, **headers)
    assert host.outcome(first).status_code == 422
    graph.person(a_person, "answers")
    second = host.invite(call_id, {"participants": [person(99)]}, **headers)
    assert host.outcome(second).json()["status"] == "completed"
    third = host.invite(call_id, {"participants": [person(99)]}, **headers)
    assert third.json()["id"] == second.json()["id"] != first.json()["id"]
    assert len([entry for entry in graph.log.invites if entry.call_id == call_id]) == 2


def test_refused_is_sent_again(host: Host, graph: Simulator) -> None:
    """After a refusal for lack of consent, the same request goes through once consent is there."""
    call_id = graph.create_call(host.callback_uri)
    body = {"participants": [person()], "clientContext": str(uuid.uuid4())}
    graph.fault(call_id=call_id, status=403, code="7504")
    refused = host.invite(call_id, body)
    assert refused.status_code == 422
    assert refused.json()["error"]["innerError"]["code"] == "7504"
    assert "consent" in refused.json()["error"]["message"]
    assert host.outcome(host.invite(call_id, body)).json()["status"] == "completed"
    assert len([ring for ring in graph.log.rings if ring.call_id == call_id]) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_long_wait(host: Host, graph: Simulator, status: int) -> None:
    """A wait beyond the budget is passed on to the flow, whose retry calls the person once."""
    call_id = graph.create_call(host.callback_uri)
    body = {"participants": [person()], "clientContext": str(uuid.uuid4())}
    graph.fault(call_id=call_id, status=status, retry_after=6000)
    busy = host.invite(call_id, body)
    assert (busy.status_code, busy.headers["Retry-After"]) == (status, "60")
    assert host.outcome(host.invite(call_id, body)).json()["status"] == "completed"
    assert len([ring for ring in graph.log.rings if ring.call_id == call_id]) == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_short_wait(host: Host, graph: Simulator, form: Any) -> None:
    """A Retry-After within the budget, whole, fractional or a date, is kept and the invite goes through."""
    call_id = graph.create_call(host.callback_uri)
    graph.fault(call_id=call_id, status=429, retry_after=21.28, retry_after_format=form)
    assert host.outcome(host.invite(call_id, {"participants": [person()]})).json()["status"] == "completed"


@pytest.mark.parametrize("taken", [False, True], ids=["not taken", "taken"])
@pytest.mark.parametrize("fault", [500, 502, 504, "cut"])
def test_unknown_outcome(host: Host, graph: Simulator, fault: Any, *, taken: bool) -> None:
    """500, 502, 504 or a broken connection: 202, never repeated; where Graph took it, its report completes it."""
    call_id = graph.create_call(host.callback_uri)
    body = {"participants": [person()], "clientContext": str(uuid.uuid4())}
    if fault == "cut":
        graph.fault(call_id=call_id, cut="after" if taken else "before")
    else:
        graph.fault(call_id=call_id, status=fault, taken=taken)
    accepted = host.invite(call_id, body)
    assert accepted.status_code == 202
    assert host.invite(call_id, body).json()["id"] == accepted.json()["id"]
    assert len([entry for entry in graph.log.invites if entry.call_id == call_id]) == 1
    if taken:
        assert host.outcome(accepted).json()["status"] == "completed"


def test_revoked_token(host: Host, graph: Simulator) -> None:
    """Graph's 401 costs one fresh token and one more request."""
    call_id = graph.create_call(host.callback_uri)
    host.outcome(host.invite(call_id, {"participants": [person(1)]}))
    graph.revoke_tokens()
    assert host.outcome(host.invite(call_id, {"participants": [person(2)]})).json()["status"] == "completed"
    mine = [entry.status for entry in graph.log.invites if entry.call_id == call_id]
    assert mine == [200, 401, 200]


def test_parts(host: Host, graph: Simulator) -> None:
    """Graph accepts one request and refuses the other; a repeat sends only the refused one."""
    call_id = graph.create_call(host.callback_uri)
    people = [person(number) for number in range(6)]
    body = {"participants": people, "clientContext": str(uuid.uuid4())}
    graph.fault(call_id=call_id, person=people[5]["identity"]["user"]["id"], status=400, code="8523")
    first = host.invite(call_id, body)
    assert host.outcome(first).json()["status"] == "partiallyCompleted"
    again = host.invite(call_id, body)
    assert again.json()["id"] == first.json()["id"]
    assert host.outcome(again).json()["status"] == "completed"
    called = Counter(ring.person for ring in graph.log.rings if ring.call_id == call_id)
    assert set(called.values()) == {1}
    assert len(called) == 6
