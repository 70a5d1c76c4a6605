"""The five documented uses of inviting, from a flow's request to its outcome, through every real part."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.conftest import payload

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host

USES = {
    1: "one user",
    2: "several users of a group call",
    3: "replacing a peer-to-peer call",
    4: "a phone",
    5: "moving between meetings",
}


def identity_id(entry: dict[str, Any]) -> str:
    """Return the id of a participant's identity."""
    found: str = next(value["id"] for value in entry["identity"].values() if isinstance(value, dict))
    return found


def request_body(use: int) -> dict[str, Any]:
    """The documented request."""
    body: dict[str, Any] = payload(f"{use}-request")
    return body


@pytest.mark.parametrize("use", USES, ids=USES.get)
def test_documented_uses(host: Host, graph: Simulator, use: int) -> None:
    """A documented request is accepted, polled to 200 completed, and its people are in the call."""
    call_id = graph.create_call(host.callback_uri)
    accepted = host.invite(call_id, request_body(use))
    body = accepted.json()
    assert accepted.headers["Location"].startswith(f"{host.api}/calls/{call_id}/invitations/{body['id']}/result?token=")
    assert accepted.headers["Operation-Location"] == f"{host.api}/calls/{call_id}/invitations/{body['id']}"
    assert body["status"] in ("running", "completed")  # a report can be faster than Graph's answer
    assert body["callId"] == call_id
    assert body["clientContext"] == request_body(use)["clientContext"]

    outcome = host.outcome(accepted)

    assert outcome.status_code == 200
    assert outcome.json()["status"] == "completed"
    assert graph.wait_idle()
    invitation = host.get(f"/calls/{call_id}/invitations/{body['id']}")
    assert [entry["presence"] for entry in invitation["participants"]] == ["inCall"] * len(body["participants"])
    invited = {identity_id(entry) for entry in request_body(use)["participants"]}
    roster = host.get(f"/calls/{call_id}/participants")["value"]
    assert invited <= {identity_id(entry) for entry in roster}
    assert host.get(f"/calls/{call_id}")["state"] == "established"
    assert [entry["id"] for entry in host.get(f"/calls/{call_id}/invitations")["value"]] == [body["id"]]


@pytest.mark.parametrize("use", USES, ids=USES.get)
def test_body_for_graph(host: Host, graph: Simulator, use: int) -> None:
    """What Graph receives is the documented request, annotations included; only what must be split differs."""
    call_id = graph.create_call(host.callback_uri)
    host.outcome(host.invite(call_id, request_body(use)))
    sent = [entry.body for entry in graph.log.invites if entry.call_id == call_id]
    if use == 2:  # replacesCallId on both people, of whom Graph would read only the first
        expected = [
            {"participants": [person], "clientContext": f"{request_body(use)['clientContext']}~{number}of2"}
            for number, person in enumerate(request_body(use)["participants"], start=1)
        ]
        assert sorted(sent, key=str) == sorted(expected, key=str)
    else:
        assert sent == [request_body(use)]


def test_group_call(host: Host, graph: Simulator) -> None:
    """Without a call to replace, up to five people are one request with the caller's own context."""
    call_id = graph.create_call(host.callback_uri)
    body = request_body(2)
    for person in body["participants"]:
        del person["replacesCallId"]
    host.outcome(host.invite(call_id, body))
    assert [entry.body for entry in graph.log.invites if entry.call_id == call_id] == [body]


@pytest.mark.parametrize("use", USES, ids=USES.get)
def test_documented_callbacks(host: Host, graph: Simulator, use: int) -> None:
    """The printed callbacks, complete the invitation and show its people in their call."""
    call_id = graph.create_call(host.callback_uri, lost="all")
    body = request_body(use)
    if use == 2:  # as documented, with one request
        for person in body["participants"]:
            del person["replacesCallId"]
    accepted = host.invite(call_id, body)

    for name in (f"{use}-completed", f"{use}-roster"):
        notification = payload(name)
        for item in notification["value"]:
            for member in ("resource", "resourceUrl"):
                prefix, _, rest = item[member].partition("/calls/")
                own = name.endswith("completed") or use != 3  # its roster is of the replaced call
                item[member] = f"{prefix}/calls/{call_id if own else 'replaced-' + call_id}/{rest.partition('/')[2]}"
        assert graph.post_notification(call_id, notification) == 202

    outcome = host.request("GET", accepted.headers["Location"])
    assert (outcome.status_code, outcome.json()["status"]) == (200, "completed")
    presence = {entry["presence"] for entry in outcome.json()["participants"]}
    if use == 3:
        assert presence == {"unknown"}
        replaced = host.get(f"/calls/replaced-{call_id}/participants")["value"]
        assert [identity_id(entry) for entry in replaced] == [body["participants"][0]["identity"]["user"]["id"]]
    else:
        assert presence == {"inCall"}


def test_declined(host: Host, graph: Simulator) -> None:
    """Declining gives 422, which no flow retries, with a plain sentence and Graph's codes."""
    person = str(uuid.uuid4())
    graph.person(person, "declines")
    call_id = graph.create_call(host.callback_uri)
    accepted = host.invite(call_id, {"participants": [{"identity": {"user": {"id": person}}}]})
    outcome = host.outcome(accepted)
    assert outcome.status_code == 422
    error = outcome.json()["error"]
    assert outcome.headers["x-ms-error-code"] == error["code"] == "InvitationFailed"
    assert "declined" in error["message"]
    assert person not in outcome.text
    invitation = host.get(f"/calls/{call_id}/invitations/{accepted.json()['id']}")
    assert invitation["status"] == "failed"
    assert invitation["resultInfo"]["code"] in (487, 603)
    assert person not in (invitation["resultInfo"]["message"] or "")


def test_partial_completion(host: Host, graph: Simulator) -> None:
    """Of six people in two requests, the one alone declines: 200 partiallyCompleted, with each one's own status."""
    people = [str(uuid.uuid4()) for _ in range(6)]
    graph.person(people[5], "declines")
    call_id = graph.create_call(host.callback_uri)
    participants = [{"identity": {"user": {"id": person}}} for person in people]
    outcome = host.outcome(host.invite(call_id, {"participants": participants}))
    assert outcome.status_code == 200
    assert outcome.json()["status"] == "partiallyCompleted"
    assert [entry["status"] for entry in outcome.json()["participants"]] == ["completed"] * 5 + ["failed"]


def test_url_of_another_site(host: Host, graph: Simulator) -> None:
    """A URL that is no flow's is refused before anyone is called."""
    call_id = graph.create_call(host.callback_uri)
    body = {**request_body(1), "callbackUrl": "https://example.com/?sig=secret"}
    refused = host.request("POST", f"/calls/{call_id}/participants/invite-and-wait", json=body)
    assert refused.status_code == 400
    assert refused.json()["error"]["target"] == "callbackUrl"
    assert "secret" not in refused.text
    assert not [entry for entry in graph.log.invites if entry.call_id == call_id]


@pytest.mark.parametrize(
    ("route", "body", "use"),
    [
        ("invite-phone", {"phoneNumber": "+12345678901"}, 4),
        (
            "move",
            {
                "userId": "682b6c37-0729-4fab-ace6-d730d5d9137e",
                "fromCallId": "a7ebfb2d-871e-419c-87af-27290b22e8db",
                "participantId": "7d501bf1-5ee4-4605-ba92-0ae4513c611c",
            },
            5,
        ),
    ],
    ids=["a phone", "a move"],
)
def test_flat_bodies(host: Host, graph: Simulator, route: str, body: dict[str, Any], use: int) -> None:
    """A maker who gives only a number, or only whom to move, has Graph asked exactly as documented."""
    call_id = graph.create_call(host.callback_uri)
    context = request_body(use)["clientContext"]
    path = f"/calls/{call_id}/participants/{route}"
    accepted = host.request("POST", path, json={**body, "clientContext": context})
    assert host.outcome(accepted).json()["status"] == "completed"
    assert [entry.body for entry in graph.log.invites if entry.call_id == call_id] == [request_body(use)]
    empty = host.request("POST", path, json={})
    assert empty.status_code == 400
    assert {fault["target"] for fault in empty.json()["error"]["details"]} == set(body) - {"participantId"}
