"""How a flow waits: by polling, and at a URL of its own."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conftest import run_host
from tests.end_to_end.waiting_flow import WaitingFlow, waiting_flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
GATEWAY = "https://europe-002.azure-apihub.net/apim/callinvites/0123456789abcdef"


@pytest.fixture(scope="module")
def listening() -> Iterator[WaitingFlow]:
    """The server of all flows here."""
    with waiting_flow() as flow:
        yield flow


@pytest.fixture
def flow(listening: WaitingFlow) -> WaitingFlow:
    """A flow that waits on this machine and was not notified yet."""
    listening.script.clear()
    listening.posted.clear()
    return listening


@pytest.fixture(scope="module")
def app(settings: dict[str, str], listening: WaitingFlow, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The app, which may POST to the flow on this machine."""
    own = {**settings, "FLOW_CALLBACK_LOCAL_HOSTS": listening.local_host}
    with run_host(
        {**own, "FLOW_CALLBACK_SECRET": SECRET},
        tmp_path_factory.mktemp("host"),
    ) as running:
        yield running


def subscribe(
    app: Host, call_id: str, flow: WaitingFlow, *, context: str | None = None, name: str = "run"
) -> requests.Response:
    """Send what the webhook action of a flow sends."""
    body = {
        "participants": [{"identity": {"user": {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, context or "x"))}}}],
        "callbackUrl": flow.url_of(name),
    } | ({"clientContext": context} if context else {})
    return app.request("POST", f"/calls/{call_id}/participants/invite-and-wait", json=body)


def test_notified_once_and_signed(app: Host, graph: Simulator, flow: WaitingFlow) -> None:
    """201 at once, then one POST of the invitation with Standard Webhooks headers; the invitation shows it."""
    call_id = graph.create_call(app.callback_uri)
    created = subscribe(app, call_id, flow)
    assert created.status_code == 201
    assert created.headers["Location"].startswith(f"{app.api}/calls/{call_id}/invitations/")
    assert "/callback?token=" in created.headers["Location"]
    assert "sig=" not in created.text
    (posted,) = flow.posts()
    assert posted.body["status"] == "completed"
    assert posted.body["id"] == created.json()["id"]
    assert posted.headers["content-type"] == "application/json; charset=utf-8"
    assert posted.message_id.startswith("msg_")
    assert posted.headers["webhook-signature"].startswith("v1,")
    shown = app.get(f"/calls/{call_id}/invitations/{posted.body['id']}")["callback"]
    assert (shown["status"], shown["attempts"], shown["lastStatusCode"]) == ("delivered", 1, 200)


def test_repeated_subscription(app: Host, graph: Simulator, flow: WaitingFlow) -> None:
    """The retry of a subscription calls no person again and adds no POST, also after the outcome."""
    call_id = graph.create_call(app.callback_uri)
    context = str(uuid.uuid4())
    ids = {subscribe(app, call_id, flow, context=context).json()["id"] for _ in range(3)}
    assert len(ids) == 1
    assert len(flow.posts()) == 1
    assert subscribe(app, call_id, flow, context=context).status_code == 201
    assert len(flow.posts(2, seconds=1.5)) == 1
    assert len([ring for ring in graph.log.rings if ring.call_id == call_id]) == 1


def test_responses(app: Host, graph: Simulator, flow: WaitingFlow) -> None:
    """A 500, and a first 404 or 410, are repeated some seconds later with the same id; a second 404 or 410 ends it."""
    ends = {"503 200": "delivered", "404 200": "delivered", "404 404": "undeliverable", "410 410": "undeliverable"}
    made = {}
    for script in ends:
        name = script.replace(" ", "-")
        flow.script[name] = [int(status) for status in script.split()]
        call_id = graph.create_call(app.callback_uri)
        made[script] = call_id, name, subscribe(app, call_id, flow, name=name).json()["id"]
    for script, (call_id, name, invitation_id) in made.items():
        posted = flow.posts(2, name=name)
        assert len(posted) == 2, script
        assert len({one.message_id for one in posted}) == 1
        shown = app.get(f"/calls/{call_id}/invitations/{invitation_id}")["callback"]
        found = shown["status"], shown["attempts"], shown["lastStatusCode"]
        assert found == (ends[script], 2, int(script.split()[1])), script


def test_stop_waiting(app: Host, graph: Simulator, flow: WaitingFlow) -> None:
    """DELETE is 204 each time, the flow is not notified any more, and a wrong token is 404."""
    call_id = graph.create_call(app.callback_uri, behaviour={"outcome": "answers", "after": 100})
    location = subscribe(app, call_id, flow).headers["Location"]
    assert [app.request("DELETE", location).status_code for _ in range(3)] == [204, 204, 204]
    assert app.request("DELETE", location + "x").status_code == 404
    assert app.request("DELETE", location.partition("?")[0]).status_code == 404
    assert graph.wait_idle()
    assert flow.posts(1, seconds=1) == []


def test_gateway(host: Host, graph: Simulator) -> None:
    """Location is at the gateway if, and only if, its host is one of a connector's gateways."""
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
def test_wrong_url(host: Host, graph: Simulator, route: str, what: str) -> None:
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
