"""What the app requests of Graph about a call as a whole, and what it reads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from domain.call import Presence
from domain.invitation import Invitee
from domain.sightings import Roster
from graph.calls import CallRead, Targets, create_body
from graph.client import GraphClient
from graph.errors import OutcomeUnknown, Refused, Throttled
from tests.graph.servers import Recorder, answer, drip, listening, read_request, tls
from tests.graph.tokens import SCENARIO, FixedToken

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    import requests

    from dev.simulator.simulator import Simulator
    from domain.results import OperationState
    from settings import Settings


def _invite(client: GraphClient, call_id: str) -> OperationState:
    body = {"participants": [{"identity": {"phone": {"id": "+12345678901"}}}], "clientContext": "context"}
    return client.invite(call_id, body, scenario_id=SCENARIO, read_seconds=5)


def test_a_call_is_read_with_its_state(client: GraphClient, call_id: str, simulator: Simulator) -> None:
    """The state comes in lower case; a call that ended says how, where Graph still knows it."""
    read = client.call(call_id, scenario_id=SCENARIO)
    assert (read.state, read.result, read.id) == ("established", None, call_id)
    assert str(read.thread_id).startswith("19:meeting_")
    assert str(read.thread_id) not in repr(read)
    simulator.end_call(call_id, announce=False, forget=False)
    assert client.call(call_id, scenario_id=SCENARIO).state == "terminated"
    other = simulator.create_call("https://localhost:9/unread", announce=False)
    simulator.end_call(other, announce=False)
    with pytest.raises(Refused) as caught:
        client.call(other, scenario_id=SCENARIO)
    assert caught.value.status == 404


def test_roster_is_read(client: GraphClient, simulator: Simulator) -> None:
    """Everybody in the call is listed; of a one-to-one call Graph lists no person."""
    call_id = simulator.create_call("https://localhost:9/unread", announce=False, participants=["user-1", "+123456789"])
    roster = client.roster(call_id, scenario_id=SCENARIO)
    found = sorted(person.identity["id"] for person in roster.people)
    assert found == sorted(["user-1", "+123456789", simulator.client_id])
    assert not roster.hides_people
    pair = simulator.create_call("https://localhost:9/unread", announce=False, kind="peerToPeer")
    assert client.roster(pair, scenario_id=SCENARIO).people == ()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"value": null}', b'{"value": {"a": 1}}', b'{"value": [5]}'])
def test_an_odd_list_has_nobody_in_it(content: bytes, trusting: requests.Session) -> None:
    """What can't be read proves nothing about anybody."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        answer(connection, 200, content)

    with listening(tls(serve)) as port:
        client = GraphClient(f"https://localhost:{port}", FixedToken(), trusting)
        assert client.roster("call", scenario_id=SCENARIO) == Roster((), hides_people=False)


def test_an_operation_is_read_where_graph_allows_it(client: GraphClient, simulator: Simulator) -> None:
    """A 404 comes as a refusal, which proves nothing about the operation."""
    simulator.everyone("ringsOut", after=1e6)
    readable = simulator.create_call("https://localhost:9/unread", announce=False, operations_readable=True)
    operation = _invite(client, readable)
    assert client.operation(readable, str(operation.id), scenario_id=SCENARIO).status == "running"
    other = simulator.create_call("https://localhost:9/unread", announce=False)
    with pytest.raises(Refused):
        client.operation(other, str(_invite(client, other).id), scenario_id=SCENARIO)


def test_a_call_is_made_kept_and_left(client: GraphClient, simulator: Simulator, settings: Settings) -> None:
    """With the real bodies, against the simulated Graph."""
    simulator.everyone("ringsOut", after=1e6)
    body = create_body(
        Targets((Invitee("user", {"id": "user-1"}), Invitee("user", {"id": "user-2"}))),
        callback_uri="https://localhost:9/unread",
        tenant_id=settings.tenant_id,
        client_id=settings.client_id,
    )
    made = client.create(body, scenario_id=SCENARIO, read_seconds=5)
    assert made.state == "establishing"
    assert made.id is not None
    client.keep_alive(made.id, scenario_id=SCENARIO)
    (person, *_) = (one for one in client.roster(made.id, scenario_id=SCENARIO).people if one.kind == "user")
    assert person.presence is Presence.UNKNOWN
    client.hang_up(made.id, scenario_id=SCENARIO)
    with pytest.raises(Refused):
        client.keep_alive(made.id, scenario_id=SCENARIO)


_CREATED = {"id": "c-1", "state": "Establishing", "chatInfo": {"threadId": "19:x"}, "myParticipantId": "p-1"}


@pytest.mark.parametrize(
    ("body", "location", "expected"),
    [
        (_CREATED, "", CallRead("establishing", None, "c-1", "19:x", "p-1")),
        ({}, "Location: https://graph.microsoft.com/v1.0/communications/calls/c-2\r\n", CallRead(None, None, "c-2")),
        (b"<html>", "Location: /communications/calls/c%203/\r\n", CallRead(None, None, "c 3")),
        ([], "Location: https://[\r\n", CallRead(None, None)),
        ({"id": 5, "state": None, "chatInfo": [], "myParticipantId": {}}, "", CallRead(None, None)),
    ],
)
def test_a_created_call_is_read(body: object, location: str, expected: CallRead, trusting: requests.Session) -> None:
    """Its id comes with the body or with ``Location``; a 201 without both is still a call."""
    with listening(tls(Recorder(201, body, location))) as port:
        client = GraphClient(f"https://localhost:{port}", FixedToken(), trusting)
        assert client.create({}, scenario_id=SCENARIO, read_seconds=5) == expected


_ACTIONS: dict[str, Callable[[GraphClient], object]] = {
    "create": lambda client: client.create({}, scenario_id=SCENARIO, read_seconds=0.5),
    "keep alive": lambda client: client.keep_alive("c", scenario_id=SCENARIO),
    "hang up": lambda client: client.hang_up("c", scenario_id=SCENARIO),
    "reject": lambda client: client.reject("c", {}, scenario_id=SCENARIO),
    "remove": lambda client: client.remove_participant("c", "p", scenario_id=SCENARIO),
}


@pytest.mark.parametrize("act", _ACTIONS.values(), ids=_ACTIONS.keys())
@pytest.mark.parametrize(
    ("status", "kind"), [(404, Refused), (403, Refused), (429, Throttled), (503, Throttled), (500, OutcomeUnknown)]
)
def test_each_request_fails_as_an_invite_does(
    act: Callable[[GraphClient], object], status: int, kind: type[Exception], trusting: requests.Session
) -> None:
    """By the same tree, with Graph's status and code."""
    recorder = Recorder(status, {"error": {"code": "8522", "message": "No."}})
    with listening(tls(recorder)) as port, pytest.raises(kind) as caught:
        act(GraphClient(f"https://localhost:{port}", FixedToken(), trusting))
    assert (vars(caught.value)["status"], vars(caught.value)["code"]) == (status, "8522")
    assert len(recorder.requests) == 1


@pytest.mark.parametrize("headers_too", [False, True])
def test_a_dripping_graph_has_a_time_limit(trusting: requests.Session, *, headers_too: bool) -> None:
    """However slowly the response arrives, the caller's limit holds; the outcome is unknown then."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        drip(connection, b" " * 200, every=0.05, headers_too=headers_too)

    with listening(tls(serve)) as port:
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            _ACTIONS["create"](GraphClient(f"https://localhost:{port}", FixedToken(), trusting))
        assert time.monotonic() - started < 2


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_id_that_is_no_segment_is_never_sent(name: str, trusting: requests.Session) -> None:
    """To remove the participant ``..`` would be to end the call: such a path is made plain on its way."""
    recorder = Recorder(204)
    with listening(tls(recorder)) as port:
        client = GraphClient(f"https://localhost:{port}", FixedToken(), trusting)
        for act in (client.hang_up, client.keep_alive, client.call):
            with pytest.raises(Refused) as caught:
                act(name, scenario_id=SCENARIO)
            assert caught.value.status == 404
        with pytest.raises(Refused):
            client.remove_participant("call", name, scenario_id=SCENARIO)
        with pytest.raises(Refused):
            client.operation("call", name, scenario_id=SCENARIO)
    assert recorder.requests == []
