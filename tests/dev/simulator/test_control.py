from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from dev.simulator.client import SimulatorClient, SimulatorError
from tests.dev.simulator.caller import ALICE, BOB, Caller
from tests.dev.simulator.inbox import people_in

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.simulator.inbox import Inbox


@pytest.fixture
def client(graph: Simulator) -> SimulatorClient:
    """A client of ``graph`` as another process would have it."""
    return SimulatorClient(graph.base_url, graph.ca_file)


def _ask(graph: Simulator, method: str, path: str, body: object = None) -> requests.Response:
    url = f"{graph.base_url}/simulator/{path}"
    return requests.request(method, url, json=body, verify=graph.ca_file, timeout=10)


def test_everything_can_be_controlled_from_another_process(
    client: SimulatorClient, inbox: Inbox, caller: Caller
) -> None:
    """Call, people, faults, log and end have the same names over HTTPS as in process."""
    call_id = client.create_call(inbox.url, participants=[BOB], behaviour={"outcome": "lobby", "admitted_after": 1})
    client.person(BOB, "declines", after=1, operation_id_null=True)
    number = client.fault(status=429, retry_after=2.128)
    assert [caller.invite(call_id, BOB).status_code for _ in range(2)] == [429, 200]
    assert caller.invite(call_id, ALICE).status_code == 200
    assert client.wait_idle(5)
    log = client.log()
    invites = [(entry["fault"], entry["taken"]) for entry in log["requests"] if entry["route"] == "invite"]
    assert invites == [(number, False), (None, True), (None, True)]
    assert [ring["outcome"] for ring in log["rings"]] == ["declined", "inLobby"]
    assert inbox.about("operation")[0].data["id"] is None
    assert len(people_in(client.call(call_id)["participants"])) == 2
    client.leave(call_id, BOB)
    client.end_call(call_id)
    assert client.wait_idle(5)
    assert inbox.received[-1].data["state"] == "terminated"
    client.reset()
    assert client.log(bodies=False)["requests"] == []


def test_settings_are_those_of_the_simulator(client: SimulatorClient, graph: Simulator) -> None:
    """Another process can configure the app by them."""
    assert client.settings() == graph.settings()
    assert set(graph.settings()) == {
        "GRAPH_ENDPOINT",
        "GRAPH_AUTHORITY",
        "GRAPH_TENANT_ID",
        "GRAPH_CLIENT_ID",
        "GRAPH_CLIENT_SECRET",
        "CALLBACK_OPENID_CONFIGURATION",
        "REQUESTS_CA_BUNDLE",
    }


def test_keys_tokens_and_roles_can_be_changed(client: SimulatorClient, graph: Simulator, call_id: str) -> None:
    """Rotation, revocation, failing keys, minted tokens and roles are there too."""
    assert client.rotate_keys() == graph.keys.current.kid
    client.revoke_tokens()
    assert client.post_notification(call_id, [], token=graph.token(tid=None)) == 202
    assert client.rotate_keys(kind="entra", kid="k1") == graph.entra.keys.current.kid == "k1"
    assert client.post_notification(call_id, [], token=client.token(kind="entra", claims={"appid": "x"})) == 202
    assert _ask(graph, "POST", "tokens", {"claims": {"kind": "x"}}).status_code == 400
    assert _ask(graph, "PUT", "keys", {"failing": 503}).status_code == 204
    assert _ask(graph, "PUT", "keys", {"failing": 500, "kind": "entra"}).status_code == 204
    assert (graph.keys.failing, graph.entra.keys.failing) == (503, 500)
    assert _ask(graph, "POST", "tokens", {"claims": {"tid": None}, "algorithm": "none"}).json()["token"].endswith(".")
    roles = graph.entra.roles
    assert _ask(graph, "PUT", "roles", {"roles": ["Calls.Initiate.All"]}).status_code == 204
    assert graph.entra.roles == ("Calls.Initiate.All",)
    graph.entra.roles = roles


def test_faults_can_be_listed_and_removed(client: SimulatorClient, graph: Simulator, caller: Caller) -> None:
    """Each is listed with how often it was applied."""
    client.fault(status=503, times=2)
    caller.invite("any", ALICE)
    (listed,) = _ask(graph, "GET", "faults").json()["value"]
    assert (listed["status"], listed["times"], listed["played"]) == (503, 2, 1)
    client.remove_faults()
    assert _ask(graph, "GET", "faults").json() == {"value": []}


def test_the_log_can_be_narrowed(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """By kind and by call."""
    other = graph.create_call(inbox.url, announce=False)
    caller.invite(call_id, ALICE)
    caller.invite(other, BOB)
    rings = _ask(graph, "GET", f"log?kind=rings&callId={other}").json()["value"]
    assert [ring["person"] for ring in rings] == [BOB]
    assert _ask(graph, "GET", "log?kind=wrong").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", "calls", {}, 400, "callbackUri: Missing required argument"),
        ("POST", "calls", {"callbackUri": 5}, 400, "callbackUri: Input should be a valid string"),
        ("POST", "calls", {"callbackUri": "https://a", "kind": "two", "colour": 1}, 400, "colour: not an option"),
        ("POST", "meetings", {"lobby": 1}, 400, "lobby: Input should be a valid boolean"),
        ("PUT", "limits", {"keepAlive": -1}, 400, "keepAlive: Input should be greater than or equal to 0"),
        ("POST", "incoming", {"callbackUri": "https://a", "source": ""}, 400, "source: must be a user id"),
        ("POST", "calls", {"callbackUri": "https://a", "participants": [5]}, 400, "participants[0]: must be"),
        ("POST", "calls", [], 400, "must be an object"),
        ("PUT", "people/x", {"outcome": "sings"}, 400, "outcome: Input should be 'answers'"),
        ("POST", "faults", {"status": 700}, 400, "status: Input should be less than or equal to 599"),
        ("POST", "faults", {"reporting": {}}, 400, "reporting"),
        ("POST", "calls/none/end", {}, 404, "The call none does not exist"),
        ("POST", "calls/none/end", {"quick": True}, 400, "quick: not an option"),
        ("GET", "idle?timeout=soon", None, 400, "timeout"),
        ("POST", "tokens", {"algorithm": "ES256"}, 400, "algorithm"),
        ("PATCH", "calls", {}, 405, "accepts GET, POST"),
        ("GET", "nothing", None, 404, "No such control route"),
    ],
)
def test_a_wrong_request_lists_its_faults(
    graph: Simulator, *, method: str, path: str, body: Any, status: int, text: str
) -> None:
    """Every fault of a control request is named, in one answer."""
    answer = _ask(graph, method, path, body)
    assert answer.status_code == status
    assert text in answer.json()["error"]["message"]


def test_a_call_cannot_be_made_twice(client: SimulatorClient, call_id: str) -> None:
    """The second one with the same id is a conflict."""
    with pytest.raises(SimulatorError, match="already"):
        client.create_call("https://app.example/api/notifications", call_id=call_id)


def test_a_simulator_that_does_not_run_is_reported(graph: Simulator) -> None:
    """The client reports it, instead of failing in its HTTP library."""
    with pytest.raises(SimulatorError, match="no simulator answers"):
        SimulatorClient("https://localhost:9", graph.ca_file).settings()


def test_a_reset_forgets_everything(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """Ringing, repeats of callbacks and faults are forgotten with the calls."""
    inbox.statuses = [500] * 10
    graph.create_call(inbox.url)
    caller.invite(call_id, ALICE)
    graph.fault(status=500, times=0)
    graph.reset()
    inbox.empty(graph)
    assert graph.wait_idle()
    assert inbox.received == []
    assert graph.faults.all() == []
    assert not any(graph.log.as_json().values())


def test_calls_of_the_app_can_be_prepared_from_another_process(
    client: SimulatorClient, graph: Simulator, inbox: Inbox, caller: Caller
) -> None:
    """Meetings, incoming calls, people who come, limits and reporting."""
    meeting = client.meeting(participants=[ALICE], passcode="psw123")
    assert meeting["shortUrl"] == f"https://teams.microsoft.com/meet/{meeting['joinMeetingId']}?p=psw123"
    assert quote(meeting["threadId"], safe="") in meeting["joinWebUrl"]
    client.report(established=1)
    client.limits(registered=False)
    info = {"@odata.type": "#microsoft.graph.tokenMeetingInfo", "token": meeting["token"]}
    assert caller.create(graph, inbox, meetingInfo=info).status_code == 403
    client.limits(registered=True)
    call_id = caller.create(graph, inbox, meetingInfo=info).json()["id"]
    assert client.wait_idle(5)
    client.join(call_id, BOB)
    assert client.wait_idle(5)
    assert [received.data["state"] for received in inbox.about("call")] == ["establishing", "established"]
    assert len(inbox.about("roster")[-1].people) == 2
    incoming = client.incoming_call(inbox.url, ALICE)
    assert client.call(incoming)["direction"] == "incoming"
    assert [entry["isDuplicate"] for entry in client.log()["calls"]] == [False] * 3
