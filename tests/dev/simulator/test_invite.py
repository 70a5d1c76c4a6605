from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.dev.simulator.caller import ALICE, BOB, CAROL, PHONE, Caller, error_of, participant
from tests.dev.simulator.inbox import people_in

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.simulator.inbox import Inbox


def test_an_invite_has_the_documented_response(graph: Simulator, caller: Caller, call_id: str) -> None:
    """The response is 200 with Location, status Running, and the correlation headers."""
    answer = caller.invite(call_id, ALICE, client_request_id="4d1f", Scenario_Id="9a0b")
    operation = answer.json()
    assert answer.status_code == 200
    assert operation["status"] == "Running"
    assert operation["resultInfo"] is None
    assert answer.headers["Location"] == caller.url(call_id, f"operations/{operation['id']}")
    assert answer.headers["client-request-id"] == "4d1f"
    assert answer.headers["request-id"]
    (entry,) = graph.log.invites
    assert entry.taken
    assert (entry.status, entry.client_request_id, entry.scenario_id) == (200, "4d1f", "9a0b")
    assert (entry.call_id, entry.people, entry.client_context) == (call_id, (ALICE,), "context")
    assert entry.operation_id == operation["id"]
    assert entry.body == {"participants": [participant(ALICE)], "clientContext": "context"}


def test_everybody_in_an_invite_is_called_once(graph: Simulator, caller: Caller, call_id: str) -> None:
    """Each person has one ring in the log, with the operation and the context it came by."""
    operation_id = caller.invite(call_id, ALICE, BOB, PHONE).json()["id"]
    rings = [(ring.person, ring.call_id, ring.operation_id, ring.client_context) for ring in graph.log.rings]
    assert rings == [(person, call_id, operation_id, "context") for person in (ALICE, BOB, PHONE)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "BadRequest"),
        ({}, "8523"),
        ({"participants": []}, "8523"),
        ({"participants": None}, "8523"),
        ({"participants": ["x"]}, "8523"),
        ({"participants": [{}]}, "8523"),
        ({"participants": [{"identity": {"user": {}}}]}, "8523"),
        ({"participants": [participant(ALICE, replacesCallId=1)]}, "8523"),
        ({"participants": [participant(ALICE, hidden="yes")]}, "8523"),
        ({"participants": [participant(ALICE)], "clientContext": 5}, "8523"),
        ({"participants": [participant(ALICE)], "clientContext": "x" * 257}, "8523"),
        ({"participants": [participant(f"+1555000000{number}") for number in range(6)]}, "8523"),
    ],
    ids=[
        "array", "nothing", "empty", "null", "text", "no-identity", "no-id", "replaces-number", "hidden-text",
        "context-number", "context-257", "six",
    ],
)  # fmt: skip
def test_what_graph_refuses_is_400_and_calls_no_one(
    graph: Simulator, caller: Caller, call_id: str, body: object, code: str
) -> None:
    """A malformed invite is refused before anything happens."""
    assert error_of(caller.post(call_id, body)) == (400, code)
    assert graph.log.rings == []
    assert [(entry.taken, entry.error_code) for entry in graph.log.invites] == [(False, code)]


def test_the_limits_themselves_are_accepted(caller: Caller, call_id: str) -> None:
    """Five people and a context of 256 characters are fine."""
    people = [f"+1555000000{number}" for number in range(5)]
    assert caller.invite(call_id, *people, context="x" * 256).status_code == 200


def test_a_body_that_is_not_json_is_400(caller: Caller, call_id: str) -> None:
    """Broken JSON and another content type are refused."""
    url = caller.url(call_id, "participants/invite")
    json_type = {"Content-Type": "application/json"}
    assert error_of(caller.session.post(url, data="{", headers=json_type, timeout=5)) == (400, "BadRequest")
    assert error_of(caller.session.post(url, data="{}", timeout=5)) == (415, "UnsupportedMediaType")


def test_an_unknown_call_is_8522(caller: Caller) -> None:
    """A call that never was is 404."""
    assert error_of(caller.invite("unknown", ALICE)) == (404, "8522")
    assert error_of(caller.get("unknown")) == (404, "8522")


def test_an_ended_call_is_8522(graph: Simulator, caller: Caller, call_id: str) -> None:
    """A call that ended is 404, and no one is called."""
    graph.end_call(call_id)
    assert error_of(caller.invite(call_id, ALICE)) == (404, "8522")
    assert graph.log.rings == []


def test_another_apps_call_is_8522(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A call of another registration is as unknown as one that never was."""
    call_id = graph.create_call(inbox.url, client_id="00000000-0000-0000-0000-000000000002", announce=False)
    assert error_of(caller.invite(call_id, ALICE)) == (404, "8522")


def test_another_tenants_call_is_7505(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A call in another tenant than the token's is 403."""
    call_id = graph.create_call(inbox.url, tenant_id="00000000-0000-0000-0000-000000000003", announce=False)
    assert error_of(caller.invite(call_id, ALICE)) == (403, "7505")


def test_a_missing_role_is_7504(graph: Simulator, caller: Caller, call_id: str) -> None:
    """A token without Calls.InitiateGroupCall.All may not invite."""
    token = graph.entra.access_token(roles=["Calls.Initiate.All"])
    caller.session.headers["Authorization"] = f"Bearer {token}"
    assert error_of(caller.invite(call_id, ALICE)) == (403, "7504")


def test_a_one_to_one_call_accepts_one_more_person(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """One person can be invited into a peer-to-peer call, two cannot: 8548."""
    call_id = graph.create_call(inbox.url, kind="peerToPeer", announce=False)
    assert error_of(caller.invite(call_id, ALICE, BOB)) == (400, "8548")
    assert caller.invite(call_id, ALICE).status_code == 200


@pytest.mark.parametrize("member", ["replacesCallId", "participantId"])
def test_with_a_replacement_only_the_first_person_is_read(
    graph: Simulator, caller: Caller, call_id: str, member: str
) -> None:
    """The others are dropped silently; the log names them."""
    people = [participant(ALICE, **{member: "x"}), participant(BOB, **{member: "x"}), participant(CAROL)]
    answer = caller.post(call_id, {"participants": people})
    assert [person["identity"]["user"]["id"] for person in answer.json()["participants"]] == [ALICE]
    assert [ring.person for ring in graph.log.rings] == [ALICE]
    (entry,) = graph.log.invites
    assert (entry.people, entry.dropped) == ((ALICE,), (BOB, CAROL))


def test_unknown_members_are_ignored_silently(graph: Simulator, caller: Caller, call_id: str) -> None:
    """Mistyped properties count as undeclared ones; the log names them."""
    body = {
        "participants": [{"identity": {"user": {"id": ALICE, "ID": 1}, "usr": {}}, "hiden": True}],
        "clientcontext": "x",
    }
    assert caller.post(call_id, body).json()["clientContext"] is None
    (entry,) = graph.log.invites
    assert set(entry.ignored) == {
        "clientcontext",
        "participants[0].hiden",
        "participants[0].identity.usr",
        "participants[0].identity.user.ID",
    }


@pytest.mark.parametrize(
    "kind",
    ["user", "phone", "guest", "encrypted", "onPremises", "applicationInstance", "azureCommunicationServicesUser"],
)
def test_every_identity_kind_can_be_invited(graph: Simulator, caller: Caller, call_id: str, kind: str) -> None:
    """People are called, whatever kind of identity they have."""
    answer = caller.post(call_id, {"participants": [{"identity": {kind: {"id": "x1"}}}]})
    assert answer.json()["participants"][0]["identity"][kind]["id"] == "x1"
    assert [ring.person for ring in graph.log.rings] == ["x1"]


def test_a_call_can_be_read(graph: Simulator, caller: Caller, call_id: str) -> None:
    """A call shows its state, and once it ended either that or 404."""
    assert caller.get(call_id).json()["state"] == "established"
    graph.end_call(call_id, forget=False)
    assert caller.get(call_id).json()["state"] == "terminated"
    assert error_of(caller.invite(call_id, ALICE)) == (404, "8522")


def test_the_roster_of_a_group_call_can_be_read(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Everybody in the call is listed with an id by which they can be read alone."""
    call_id = graph.create_call(inbox.url, participants=[BOB, PHONE], announce=False)
    caller.invite(call_id, ALICE)
    assert graph.wait_idle()
    roster: list[dict[str, Any]] = caller.get(call_id, "participants").json()["value"]
    assert len(people_in(roster)) == 3
    assert caller.get(call_id, f"participants/{roster[0]['id']}").json() == roster[0]
    assert error_of(caller.get(call_id, "participants/none")) == (404, "8522")


def test_the_roster_of_a_one_to_one_call_cannot_be_read(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """It is empty, or an error on request."""
    empty = graph.create_call(inbox.url, kind="peerToPeer", participants=[BOB], announce=False)
    assert caller.get(empty, "participants").json() == {"value": []}
    refusing = graph.create_call(inbox.url, kind="peerToPeer", roster_read="error", announce=False)
    assert error_of(caller.get(refusing, "participants")) == (400, "BadRequest")


def test_an_operation_can_be_read_only_on_request(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """No page documents that invites can be read, so the default is 404."""
    silent = graph.create_call(inbox.url, announce=False)
    operation_id = caller.invite(silent, ALICE).json()["id"]
    assert error_of(caller.get(silent, f"operations/{operation_id}")) == (404, "NotFound")
    readable = graph.create_call(inbox.url, operations_readable=True, announce=False)
    operation_id = caller.invite(readable, ALICE).json()["id"]
    assert caller.get(readable, f"operations/{operation_id}").json()["status"] == "running"
    assert graph.wait_idle()
    assert caller.get(readable, f"operations/{operation_id}").json()["status"] == "completed"


def test_unknown_urls_and_methods_are_refused_as_graph_does(caller: Caller, call_id: str) -> None:
    """Calls can't be listed or changed."""
    root = caller.url(call_id, "").removesuffix(f"/{call_id}")
    assert error_of(caller.session.get(root, timeout=5)) == (405, "MethodNotAllowed")
    assert error_of(caller.session.patch(caller.url(call_id, ""), timeout=5)) == (405, "MethodNotAllowed")
    assert error_of(caller.get(call_id, "something")) == (404, "ResourceNotFound")


def test_call_ids_of_any_characters_are_one_path_segment(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A percent-encoded id is decoded for the look-up and kept encoded in Location."""
    graph.create_call(inbox.url, call_id="a b:c", announce=False)
    answer = caller.invite("a%20b%3Ac", ALICE)
    assert answer.status_code == 200
    assert "/calls/a%20b%3Ac/" in answer.headers["Location"]
