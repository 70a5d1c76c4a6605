"""What the app asks of Graph, and what it makes of every kind of answer, against the simulated Graph."""

from __future__ import annotations

import json
import logging
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from domain.results import OperationState
from graph.client import GraphClient
from graph.credentials import TokenSource
from graph.errors import NothingSent, OutcomeUnknown, Refused, Throttled, TokenUnavailable
from graph.participants import invite_body
from graph.permissions import lacks, needed_to_create
from invite.reading import invitees, read_body
from invite.request import InviteBody
from invite.splitting import split
from tests.graph.servers import answer, closed_port, listening, read_request, tls
from tests.graph.tokens import SCENARIO, FixedToken
from web.answers import Request

if TYPE_CHECKING:
    import socket

    import requests

    from dev.simulator.simulator import Simulator
    from settings import Settings

_PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"
_BODY = {
    "participants": [{"identity": {"phone": {"id": "+12345678901"}}}],
    "clientContext": "f2fa86af-3c51-4bc2-8fc0-475452d9764f",
}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _invite(client: GraphClient, call_id: str, body: Any = None, read_seconds: float = 5) -> OperationState:
    return client.invite(call_id, body or _BODY, scenario_id=SCENARIO, read_seconds=read_seconds)


def test_an_invite_that_graph_takes_is_running(client: GraphClient, call_id: str, simulator: Simulator) -> None:
    """The response holds the operation's id and status, and the context comes back."""
    state = _invite(client, call_id)
    (invite,) = simulator.log.invites
    assert state == OperationState(invite.operation_id, _BODY["clientContext"], "running", None)  # type: ignore[arg-type]
    assert invite.body == _BODY
    assert [ring.person for ring in simulator.log.rings] == ["+12345678901"]


@pytest.mark.parametrize("status", ["Completed", "failed", None])
def test_an_answer_may_be_final_or_silent(
    status: str | None, client: GraphClient, call_id: str, simulator: Simulator
) -> None:
    """A final status in the answer is kept, since no report follows it; null means that updates come."""
    simulator.fault(response_status=status)
    assert _invite(client, call_id).status == (status.casefold() if status else None)


def test_an_answer_without_a_body_still_has_its_address(
    client: GraphClient, call_id: str, simulator: Simulator
) -> None:
    """``Location`` names the operation where the body does not."""
    simulator.fault(response_empty=True)
    state = _invite(client, call_id)
    assert state.id == simulator.log.invites[0].operation_id
    assert state.status is None


def test_support_can_follow_a_request(client: GraphClient, call_id: str, simulator: Simulator) -> None:
    """Each request carries an id of its own, and the scenario that joins several."""
    _invite(client, call_id)
    _invite(client, call_id)
    one, other = simulator.log.invites
    assert one.scenario_id == other.scenario_id == SCENARIO
    assert one.client_request_id != other.client_request_id
    assert _GUID.fullmatch(str(one.client_request_id))


@pytest.mark.parametrize(
    ("roles", "missing"),
    [(["Calls.JoinGroupCall.All"], "Calls.InitiateGroupCall.All"), (["Calls.InitiateGroupCall.All"], None)],
)
def test_the_permission_that_the_token_lacks(
    settings: Settings,
    session: requests.Session,
    call_id: str,
    simulator: Simulator,
    *,
    roles: list[str],
    missing: str | None,
) -> None:
    """It is known by the token's own roles, as is that another cause was meant."""
    simulator.fault(status=403, code="7504")
    token = FixedToken(simulator.entra.access_token(roles=roles))
    with pytest.raises(Refused) as caught:
        _invite(GraphClient(settings.graph_endpoint, token, session), call_id)
    assert caught.value.lacks == missing


@pytest.mark.parametrize(
    ("body", "needs"),
    [
        ({"meetingInfo": {}}, "Calls.JoinGroupCall.All"),
        ({"targets": [{}]}, "Calls.Initiate.All"),
        ({"targets": [{}, {}]}, "Calls.InitiateGroupCall.All"),
    ],
)
def test_what_a_create_needs(body: dict[str, Any], needs: str) -> None:
    """A meeting, one person, several: a permission each."""
    assert needed_to_create(body) == needs
    assert lacks("no token", needs) is None


@pytest.mark.parametrize(
    ("status", "code"), [(400, "8523"), (403, "7504"), (404, "8522"), (409, "8519"), (410, "x"), (412, "y"), (415, "z")]
)
def test_a_client_error_is_a_refusal(
    status: int, code: str, client: GraphClient, call_id: str, simulator: Simulator
) -> None:
    """Graph's code, words and ids are kept for the maker and for support; no person was called."""
    simulator.fault(status=status, code=code, message="No.")
    with pytest.raises(Refused) as caught:
        _invite(client, call_id)
    error = caught.value
    assert (error.status, error.code, error.message) == (status, code, "No.")
    assert error.client_request_id == simulator.log.invites[0].client_request_id
    assert _GUID.fullmatch(str(error.request_id))
    assert simulator.log.rings == []


def test_an_unknown_call_is_a_refusal(client: GraphClient, simulator: Simulator) -> None:
    """The simulated Graph's own 404, with the calling service's code."""
    with pytest.raises(Refused) as caught:
        _invite(client, "00000000-0000-0000-0000-000000000009")
    assert (caught.value.status, caught.value.code) == (404, "8522")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("wait", [(None, None), (300, 3.0), (212.8, 2.128)])
def test_a_busy_graph_says_when_to_come_back(
    status: int, wait: tuple[float | None, float | None], client: GraphClient, call_id: str, simulator: Simulator
) -> None:
    """429 and 503 were not taken, so they may be sent again, after as long as Graph says; fractions count."""
    seconds, expected = wait
    simulator.fault(status=status, retry_after=seconds)
    with pytest.raises(Throttled) as caught:
        _invite(client, call_id)
    assert caught.value.retry_after == expected
    assert caught.value.status == status


def test_a_busy_graph_may_say_a_date(client: GraphClient, call_id: str, simulator: Simulator) -> None:
    """An HTTP date is turned into seconds."""
    simulator.fault(status=429, retry_after=1000, retry_after_format="date")
    with pytest.raises(Throttled) as caught:
        _invite(client, call_id)
    assert caught.value.retry_after == pytest.approx(10, abs=2)


@pytest.mark.parametrize("called", [0, 1])
@pytest.mark.parametrize("status", [408, 500, 501, 502, 504])
def test_a_server_error_leaves_the_outcome_unknown(
    status: int, called: int, client: GraphClient, call_id: str, simulator: Simulator
) -> None:
    """Somebody may have been called or not: both look the same from here, so it is never called a refusal."""
    simulator.fault(status=status, taken=bool(called))
    with pytest.raises(OutcomeUnknown):
        _invite(client, call_id)
    assert len(simulator.log.rings) == called
    assert len(simulator.log.invites) == 1


@pytest.mark.parametrize(("cut", "called"), [("before", 0), ("after", 1)])
def test_a_cut_connection_leaves_the_outcome_unknown(
    cut: Any, called: int, client: GraphClient, call_id: str, simulator: Simulator
) -> None:
    """Whether the request was taken before the connection broke can't be seen; it is tried once only."""
    _invite(client, call_id)
    simulator.log.clear()
    simulator.fault(cut=cut)
    with pytest.raises(OutcomeUnknown):
        _invite(client, call_id)
    assert len(simulator.log.invites) == 1
    assert len(simulator.log.rings) == called


def test_a_slow_answer_leaves_the_outcome_unknown(client: GraphClient, call_id: str, simulator: Simulator) -> None:
    """After the time that the caller allows, the request may still be taken."""
    simulator.fault(delay_before=60)
    with pytest.raises(OutcomeUnknown):
        _invite(client, call_id, read_seconds=0.2)
    deadline = time.monotonic() + 5
    while not simulator.log.rings and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(simulator.log.rings) == 1


def test_an_answer_within_the_time_is_waited_for(client: GraphClient, call_id: str, simulator: Simulator) -> None:
    """Slow is not lost."""
    simulator.fault(delay_after=20)
    assert _invite(client, call_id, read_seconds=5).status == "running"


def test_a_revoked_token_is_replaced_once(client: GraphClient, call_id: str, simulator: Simulator) -> None:
    """A 401 is answered with one fresh token; the invitation goes out, and rings once."""
    _invite(client, call_id)
    simulator.log.clear()
    simulator.revoke_tokens()
    assert _invite(client, call_id).status == "running"
    assert [entry.status for entry in simulator.log.invites] == [401, 200]
    assert len(simulator.log.tokens) == 1
    assert len(simulator.log.rings) == 1


def test_a_second_401_is_a_refusal(client: GraphClient, call_id: str, simulator: Simulator) -> None:
    """A Graph that refuses every token is not asked without end."""
    simulator.fault(status=401, code="InvalidAuthenticationToken", times=5)
    with pytest.raises(Refused) as caught:
        _invite(client, call_id)
    assert caught.value.status == 401
    assert len(simulator.log.invites) == 2
    assert simulator.log.rings == []


def test_a_401_without_a_fresh_token_was_not_taken(client: GraphClient, call_id: str, simulator: Simulator) -> None:
    """If Entra ID fails just then, the request is known not to have been taken."""
    _invite(client, call_id)
    simulator.revoke_tokens()
    simulator.fault(route="token", status=503)
    with pytest.raises(TokenUnavailable):
        _invite(client, call_id)


def test_a_graph_that_is_not_there_was_sent_nothing(settings: Settings, session: requests.Session) -> None:
    """It may be tried again at no risk."""
    client = GraphClient(f"https://localhost:{closed_port()}", TokenSource(settings, session), session)
    with pytest.raises(NothingSent):
        _invite(client, "call")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, trusting: requests.Session) -> None:
    """Neither token nor people's numbers go to another place than the configured one."""
    asked: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        asked.append(read_request(connection))
        answer(connection, status, {}, "Location: /elsewhere\r\n")

    with listening(tls(serve)) as port, pytest.raises(OutcomeUnknown):
        _invite(GraphClient(f"https://localhost:{port}", FixedToken(), trusting), "call")
    assert len(asked) == 1


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"null", b'"x"', b"[" * 5000, b"\xff\xfe", b'{"id": 5}'])
@pytest.mark.parametrize("location", ["", "Location: https://[\r\n", "Location: ?\r\n"])
def test_an_odd_answer_to_a_taken_invite_is_no_error(content: bytes, location: str, trusting: requests.Session) -> None:
    """A 2xx means that Graph took it, whatever else it says: the report will tell the rest."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        answer(connection, 200, content, location)

    with listening(tls(serve)) as port:
        state = _invite(GraphClient(f"https://localhost:{port}", FixedToken(), trusting), "call")
    assert state == OperationState(None, None, None, None)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"null", b"[" * 5000, b'{"error": 5}'])
def test_an_odd_refusal_is_still_a_refusal(content: bytes, trusting: requests.Session) -> None:
    """The status counts; the ids come from the headers where the body has none."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        answer(connection, 403, content, "request-id: r-1\r\nclient-request-id: c-1\r\nRetry-After: soon\r\n")

    with listening(tls(serve)) as port, pytest.raises(Refused) as caught:
        _invite(GraphClient(f"https://localhost:{port}", FixedToken(), trusting), "call")
    error = caught.value
    assert (error.code, error.request_id, error.client_request_id, error.retry_after) == (None, "r-1", "c-1", None)


@pytest.mark.parametrize(
    ("call_id", "path"),
    [
        ("a b", b"/a%20b/"),
        ("19:meeting_x@thread.v2", b"/19%3Ameeting_x%40thread.v2/"),
        ("é", b"/%C3%A9/"),
        ("a/../b", b"/a%2F..%2Fb/"),
    ],
)
def test_a_call_id_is_one_segment_of_the_path(call_id: str, path: bytes, trusting: requests.Session) -> None:
    """Nothing in an id leads to another address of Graph."""
    asked: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        asked.append(read_request(connection))
        answer(connection, 200, {})

    with listening(tls(serve)) as port:
        _invite(GraphClient(f"https://localhost:{port}", FixedToken(), trusting), call_id)
    head = asked[0].split(b"\r\n")[0]
    assert head == b"POST /v1.0/communications/calls" + path + b"participants/invite HTTP/1.1"


@pytest.mark.parametrize("example", [1, 2, 3, 4, 5])
def test_each_documented_request_goes_out_to_the_letter(
    example: int, client: GraphClient, call_id: str, simulator: Simulator, settings: Settings
) -> None:
    """Graph gets the body that its own page shows, member for member."""
    text = (_PAYLOADS / f"{example}-request.json").read_bytes()
    documented = json.loads(text)
    people = invitees(read_body(Request(body=text), InviteBody, settings.cloud, settings.phone_prefixes).participants)
    operations = split(people, documented["clientContext"])
    for operation in operations:
        named = [people[person] for person in operation.people]
        _invite(client, call_id, invite_body(named, operation.client_context))
    sent = [entry.body for entry in simulator.log.invites]
    if example == 2:
        # Both replace a call, and Graph reads only the first of such a request: one request for each.
        assert [part["participants"] for part in sent] == [[person] for person in documented["participants"]]  # type: ignore[index]
        assert [part["clientContext"] for part in sent] == [  # type: ignore[index]
            f"{documented['clientContext']}~{number}of2" for number in (1, 2)
        ]
    else:
        assert sent == [documented]
    assert [(entry.dropped, entry.ignored) for entry in simulator.log.invites] == [((), ())] * len(sent)


def test_the_log_has_ids_and_no_secrets(
    client: GraphClient, call_id: str, simulator: Simulator, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    """Each request can be followed in the log, which holds neither token nor number nor secret."""
    with caplog.at_level(logging.INFO):
        _invite(client, call_id)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "call_invites.graph"]
    assert str(simulator.log.invites[0].client_request_id) in line
    assert SCENARIO in line
    assert "status=200" in line
    for secret in ("Bearer", "+12345678901", str(settings.credential.client_secret), "eyJ"):
        assert secret not in caplog.text
