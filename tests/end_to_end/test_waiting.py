"""How a flow waits: by polling, and by being told at an address of its own."""

from __future__ import annotations

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.conftest import run_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host

GATEWAY = "https://europe-002.azure-apihub.net/apim/callinvites/0123456789abcdef"


@dataclass
class Flow:
    """A flow's own address, and what was sent to it."""

    server: ThreadingHTTPServer
    statuses: list[int] = field(default_factory=list)
    told: list[tuple[dict[str, str], Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/run?sig=secret"

    def hears(self, count: int = 1, seconds: float = 15) -> list[tuple[dict[str, str], Any]]:
        """Wait until the flow was told ``count`` times, and a moment longer."""
        deadline = time.monotonic() + seconds
        while len(self.told) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        return self.told


@pytest.fixture
def flow(listening: Flow) -> Flow:
    """A flow that waits on this machine and was told nothing yet."""
    listening.statuses.clear()
    listening.told.clear()
    return listening


@pytest.fixture(scope="module")
def listening() -> Iterator[Flow]:
    """The address at which flows wait, the same for all tests here."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            waiting.told.append(({name.casefold(): value for name, value in self.headers.items()}, body))
            self.send_response(waiting.statuses.pop(0) if waiting.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    waiting = Flow(server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield waiting
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def app(settings: dict[str, str], listening: Flow, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The app, for which the flow's address on this machine is open."""
    own = {**settings, "FLOW_CALLBACK_LOCAL_HOSTS": f"127.0.0.1:{listening.server.server_port}"}
    with run_host(
        {**own, "FLOW_CALLBACK_SECRET": "whsec_c2VjcmV0LW9mLXRoZS1mbG93cy1vbi1vbmUtbWFjaGluZQ=="},
        tmp_path_factory.mktemp("host"),
    ) as running:
        yield running


def subscribe(app: Host, call_id: str, flow: Flow, *, context: str | None = None) -> requests.Response:
    """What the webhook action of a flow sends."""
    body = {
        "participants": [{"identity": {"user": {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, context or "x"))}}}],
        "callbackUrl": flow.url,
    } | ({"clientContext": context} if context else {})
    return app.request("POST", f"/calls/{call_id}/participants/invite-and-wait", json=body)


def test_a_waiting_flow_is_told_once_and_signed(app: Host, graph: Simulator, flow: Flow) -> None:
    """201 at once, then one POST of the invitation with Standard Webhooks headers; the invitation shows it."""
    call_id = graph.create_call(app.callback_uri)
    created = subscribe(app, call_id, flow)
    assert created.status_code == 201
    assert created.headers["Location"].startswith(f"{app.api}/calls/{call_id}/invitations/")
    assert "/callback?token=" in created.headers["Location"]
    assert "sig=" not in created.text
    ((headers, body),) = flow.hears()
    assert body["status"] == "completed"
    assert body["id"] == created.json()["id"]
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["webhook-id"].startswith("msg_")
    assert headers["webhook-signature"].startswith("v1,")
    shown = app.get(f"/calls/{call_id}/invitations/{body['id']}")["callback"]
    assert (shown["status"], shown["attempts"], shown["lastStatusCode"]) == ("delivered", 1, 200)


def test_a_flow_that_repeats_its_subscription_is_still_told_once(app: Host, graph: Simulator, flow: Flow) -> None:
    """The retry of a subscription rings nobody again and tells nobody twice."""
    call_id = graph.create_call(app.callback_uri)
    context = str(uuid.uuid4())
    ids = {subscribe(app, call_id, flow, context=context).json()["id"] for _ in range(3)}
    assert len(ids) == 1
    assert len(flow.hears()) == 1
    assert subscribe(app, call_id, flow, context=context).status_code == 201
    assert len(flow.hears()) == 1
    assert len([ring for ring in graph.log.rings if ring.call_id == call_id]) == 1


def test_a_flow_that_fails_to_listen_is_told_again_with_the_same_id(app: Host, graph: Simulator, flow: Flow) -> None:
    """A 500 is tried again some seconds later, under the same webhook-id."""
    flow.statuses = [500]
    call_id = graph.create_call(app.callback_uri)
    created = subscribe(app, call_id, flow)
    told = flow.hears(2)
    assert len({headers["webhook-id"] for headers, _ in told}) == 1
    assert len(told) == 2
    shown = app.get(f"/calls/{call_id}/invitations/{created.json()['id']}")["callback"]
    assert (shown["status"], shown["attempts"]) == ("delivered", 2)


@pytest.mark.parametrize("status", [404, 410])
def test_a_flow_that_is_gone_is_given_up(app: Host, graph: Simulator, flow: Flow, status: int) -> None:
    """404 and 410 mean that the run is over: it is not tried again, and the invitation says so."""
    flow.statuses = [status]
    call_id = graph.create_call(app.callback_uri)
    created = subscribe(app, call_id, flow)
    assert len(flow.hears()) == 1
    shown = app.get(f"/calls/{call_id}/invitations/{created.json()['id']}")["callback"]
    assert (shown["status"], shown["lastStatusCode"]) == ("undeliverable", status)


def test_a_flow_can_stop_waiting_any_number_of_times(app: Host, graph: Simulator, flow: Flow) -> None:
    """DELETE is 204 each time, the flow hears nothing any more, and a wrong token is 404."""
    call_id = graph.create_call(app.callback_uri, behaviour={"outcome": "answers", "after": 100})
    location = subscribe(app, call_id, flow).headers["Location"]
    assert [app.request("DELETE", location).status_code for _ in range(3)] == [204, 204, 204]
    assert app.request("DELETE", location + "x").status_code == 404
    assert app.request("DELETE", location.partition("?")[0]).status_code == 404
    assert graph.wait_idle()
    assert flow.hears(1, seconds=1) == []


def test_behind_a_connectors_gateway_the_flow_polls_through_it(host: Host, graph: Simulator) -> None:
    """Location is the gateway's address if, and only if, its host is one of a connector's gateways."""
    call_id = graph.create_call(host.callback_uri)
    body = {"participants": [{"identity": {"user": {"id": str(uuid.uuid4())}}}]}
    through = host.invite(call_id, body, **{"X-MS-APIM-Referrer-Prefix": GATEWAY})
    location = through.headers["Location"]
    assert location.startswith(f"{GATEWAY}/calls/{call_id}/invitations/")
    direct = location.replace(GATEWAY, host.api)
    polled = host.request("GET", direct, headers={"X-MS-APIM-Referrer-Prefix": GATEWAY})
    assert polled.status_code == 200 or polled.headers["Location"] == location
    for prefix in ("https://evil.example/apim", "https://evil.example/.azure-apihub.net", GATEWAY.replace("s:", ":")):
        answer = host.invite(call_id, body, **{"X-MS-APIM-Referrer-Prefix": prefix, "X-Forwarded-Host": "evil.example"})
        assert answer.headers["Location"].startswith(f"{host.api}/calls/")


@pytest.mark.parametrize("route", ["result", "callback"])
@pytest.mark.parametrize("what", ["token", "no token", "invitation", "call", "no invitation's id"])
def test_a_wrong_address_does_not_tell_what_is_wrong(host: Host, graph: Simulator, route: str, what: str) -> None:
    """A wrong token, invitation or call are the same 404."""
    call_id = graph.create_call(host.callback_uri)
    accepted = host.invite(call_id, {"participants": [{"identity": {"user": {"id": str(uuid.uuid4())}}}]})
    address = accepted.headers["Location"].replace("/result?", f"/{route}?")
    identifier = accepted.json()["id"]
    wrong = {
        "token": address[:-1] + ("A" if address[-1] != "A" else "B"),
        "no token": address.partition("?")[0],
        "invitation": address.replace(identifier, "A" * 26),
        "call": address.replace(call_id, str(uuid.uuid4())),
        "no invitation's id": address.replace(identifier, "nonsense"),
    }[what]
    answer = host.request("GET" if route == "result" else "DELETE", wrong)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "InvitationNotFound"
