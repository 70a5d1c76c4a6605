"""Calls to the app."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.dev.simulator.caller import ALICE, BOB, MEDIA, Caller, error_of

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.simulator.inbox import Inbox


def _answer(inbox: Inbox, **members: object) -> dict[str, Any]:
    """A body that answers a call, as Microsoft's SDK writes it."""
    media = {**MEDIA, "preFetchMedia": []}
    body = {"acceptedModalities": ["Audio"], "callbackUri": f"{inbox.url}?own", "mediaConfig": media}
    return {**body, "participantCapacity": 0, **members}


def _arrived(graph: Simulator, inbox: Inbox, *, seconds: float = 600, **options: Any) -> str:
    """Call the app, which has so many seconds to answer, and return the call's id."""
    graph.limits(answer=seconds)
    call_id = graph.incoming_call(inbox.url, ALICE, **options)
    assert graph.wait_idle()
    return call_id


def test_an_incoming_call_is_notified_at_the_webhook(graph: Simulator, inbox: Inbox) -> None:
    """``created`` and ``incoming``, with id, tenant, source and target."""
    call_id = _arrived(graph, inbox)
    (received,) = inbox.received
    (item,) = received.items
    assert received.claims is not None
    assert (item["changeType"], item["resourceUrl"]) == ("created", f"/communications/calls/{call_id}")
    data = item["resourceData"]
    assert (data["id"], data["state"], data["direction"]) == (call_id, "incoming", "incoming")
    assert (data["tenantId"], data["callbackUri"]) == (graph.tenant_id, inbox.url)
    assert data["source"]["identity"]["user"]["id"] == ALICE
    assert data["targets"][0]["identity"]["application"]["id"] == graph.client_id
    assert data["targets"][0]["id"] == data["myParticipantId"]
    assert "chatInfo" not in data


def test_an_invitation_into_a_group_call_names_it(graph: Simulator, inbox: Inbox) -> None:
    """With chatInfo and meetingInfo; it can be for a resource account."""
    _arrived(graph, inbox, kind="group", app="applicationInstance")
    data = inbox.received[0].data
    assert data["chatInfo"]["threadId"]
    assert data["meetingInfo"]
    assert "applicationInstance" in data["targets"][0]["identity"]


def test_a_call_is_answered(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """202; what follows goes to the callbackUri of the answer, and the call needs to be kept alive."""
    call_id = _arrived(graph, inbox)
    answered = caller.act(call_id, "answer", _answer(inbox))
    assert (answered.status_code, answered.content) == (202, b"")
    assert graph.wait_idle()
    assert [received.data["state"] for received in inbox.received[1:]] == ["establishing", "established", "established"]
    assert all(received.path.endswith("?own") for received in inbox.received[1:])
    assert inbox.received[2].data["direction"] == "incoming"
    assert error_of(caller.act(call_id, "answer", _answer(inbox))) == (400, "8585")
    assert caller.act(call_id, "keepAlive").status_code == 200
    assert caller.invite(call_id, BOB).status_code == 200


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"callbackUri": None}, "8523"),
        ({"acceptedModalities": []}, "8523"),
        ({"mediaConfig": {}}, "8523"),
        ({"callOptions": {"@odata.type": "#microsoft.graph.incomingCallOptions", "x": 1}}, "BadRequest"),
        ({"participantCapacity": "many"}, "8523"),
    ],
    ids=str,
)
def test_a_wrong_answer_is_refused(
    graph: Simulator, inbox: Inbox, caller: Caller, members: dict[str, Any], code: str
) -> None:
    """And the call still rings."""
    call_id = _arrived(graph, inbox)
    assert error_of(caller.act(call_id, "answer", _answer(inbox, **members))) == (400, code)
    assert graph.call(call_id).state == "incoming"


@pytest.mark.parametrize("reason", ["busy", "None", None])
def test_a_call_is_rejected(graph: Simulator, inbox: Inbox, caller: Caller, reason: str | None) -> None:
    """202, then a ``deleted`` with neither state nor result."""
    call_id = _arrived(graph, inbox)
    assert caller.act(call_id, "reject", {"reason": reason, "callbackUri": inbox.url}).status_code == 202
    assert graph.wait_idle()
    (item,) = inbox.received[-1].items
    assert item["changeType"] == "deleted"
    assert set(item["resourceData"]) == {"@odata.type", "@odata.id"}
    assert error_of(caller.act(call_id, "reject", {"reason": "busy"})) == (404, "8522")


def test_a_wrong_reason_is_refused(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Only none, busy and forbidden."""
    assert error_of(caller.act(_arrived(graph, inbox), "reject", {"reason": "asleep"})) == (400, "8523")


def test_a_call_that_is_ignored_ends(graph: Simulator, inbox: Inbox) -> None:
    """After 15 scaled seconds: 408/8544."""
    call_id = _arrived(graph, inbox, seconds=15)
    time.sleep(0.3)
    assert graph.wait_idle()
    assert graph.call(call_id).has_ended
    info = inbox.received[-1].data["resultInfo"]
    assert (info["code"], info["subcode"]) == (408, 8544)


@pytest.mark.parametrize(("status", "posts"), [(204, 2), (202, 1)])
def test_the_old_form_comes_first_on_request(graph: Simulator, inbox: Inbox, status: int, posts: int) -> None:
    """204 asks for Graph's form; with another status that never comes."""
    inbox.statuses = [status]
    _arrived(graph, inbox, old_form=True)
    assert len(inbox.received) == posts
    assert inbox.received[0].claims is not None
    assert "@odata.type" not in inbox.received[0].body
    assert inbox.received[0].body["callState"] == "incoming"


def test_a_group_call_is_answered_with_a_role_for_joining(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Calls.JoinGroupCall.All is needed; then rosters come."""
    call_id = _arrived(graph, inbox, kind="group")
    good = caller.session.headers["Authorization"]
    token = graph.entra.access_token(roles=["Calls.Initiate.All"])
    caller.session.headers["Authorization"] = f"Bearer {token}"
    assert error_of(caller.act(call_id, "answer", _answer(inbox))) == (403, "7504")
    caller.session.headers["Authorization"] = good
    assert caller.act(call_id, "answer", _answer(inbox)).status_code == 202
    assert graph.wait_idle()
    assert len(inbox.about("roster")[0].data) == 2
