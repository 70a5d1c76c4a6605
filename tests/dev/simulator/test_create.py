"""Creating calls: every variant, and everything that Graph refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.dev.simulator.caller import (
    ALICE,
    BOB,
    MEDIA,
    PHONE,
    Caller,
    by_id,
    by_token,
    coordinates,
    error_of,
    participant,
    targets,
)

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.simulator.inbox import Inbox

_ROOM = "3d913abb-aec0-4964-8fa6-3c6850c4f278"


def _source(**identity: object) -> dict[str, Any]:
    return {"source": {"@odata.type": "#microsoft.graph.participantInfo", "identity": identity}}


def _states(inbox: Inbox) -> list[str]:
    return [received.data["state"] for received in inbox.about("call")]


def test_one_user_is_called(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """201 comes at once, the call rings, and is established when the person answers."""
    graph.person(ALICE, after=30)
    answer = caller.create(graph, inbox, targets=targets(ALICE))
    call = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == caller.url(call["id"], "")
    assert (call["state"], call["direction"], call["callbackUri"]) == ("establishing", "outgoing", inbox.url)
    assert call["tenantId"] == graph.tenant_id
    assert call["myParticipantId"]
    assert call["ringingTimeoutInSeconds"] is None
    assert call["targets"][0]["identity"]["user"]["id"] == ALICE
    assert [(ring.person, ring.outcome, ring.operation_id) for ring in graph.log.rings] == [(ALICE, "ringing", None)]
    assert graph.wait_idle()
    assert _states(inbox) == ["establishing", "established", "established"]
    assert inbox.about("roster") == inbox.about("operation") == []
    assert caller.get(call["id"]).json()["state"] == "established"
    assert caller.get(call["id"], "participants").json() == {"value": []}
    assert [ring.outcome for ring in graph.log.rings] == ["answered"]
    assert [(entry.people, entry.call_id, entry.taken) for entry in graph.log.creates] == [((ALICE,), call["id"], True)]


@pytest.mark.parametrize(
    ("outcome", "options", "code", "subcode"),
    [("declines", {}, 603, 0), ("ringsOut", {}, 487, 10004), ("declines", {"code": 200, "subcode": 5002}, 200, 5002)],
    ids=["declines", "ringsOut", "code"],
)
def test_one_user_does_not_answer(
    graph: Simulator, inbox: Inbox, caller: Caller, *, outcome: Any, options: dict[str, Any], code: int, subcode: int
) -> None:
    """The call ends without ever having been established, sometimes with code 200."""
    graph.person(ALICE, outcome, **options)
    call_id = caller.create(graph, inbox, targets=targets(ALICE)).json()["id"]
    assert graph.wait_idle()
    assert _states(inbox) == ["establishing", "terminated"]
    info = inbox.received[-1].data["resultInfo"]
    assert (info["code"], info["subcode"]) == (code, subcode)
    assert ALICE not in info["message"]
    assert error_of(caller.get(call_id)) == (404, "8522")


def test_one_to_one_calls_end_with_the_other_party(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """When the person hangs up the call is over."""
    graph.person(ALICE, leaves_after=5)
    caller.create(graph, inbox, targets=targets(ALICE), tenantId=None)
    assert graph.wait_idle()
    assert inbox.received[-1].data["resultInfo"]["subcode"] == 4521


def test_several_users_are_called(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A group call is established at once; its rosters show the app, and who answers."""
    graph.person(BOB, "declines")
    caller.create(graph, inbox, targets=targets(ALICE, BOB))
    assert graph.wait_idle()
    assert _states(inbox) == ["establishing", "established", "established"]
    rosters = inbox.about("roster")
    assert [len(received.people) for received in rosters] == [0, 1]
    assert "application" in str(rosters[0].data)
    assert inbox.about("operation") == []
    assert {ring.person: ring.outcome for ring in graph.log.rings} == {ALICE: "answered", BOB: "declined"}


def test_a_phone_is_called_by_a_resource_account(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """With an applicationInstance the phone rings; without one the call ends unanswered."""
    both = {"application": {"id": graph.client_id}, "applicationInstance": {"id": _ROOM, "displayName": "Room"}}
    caller.create(graph, inbox, targets=targets(PHONE), **_source(**both))
    assert graph.wait_idle()
    assert _states(inbox)[-1] == "established"
    caller.create(graph, inbox, targets=targets(PHONE))
    assert graph.wait_idle()
    assert inbox.received[-1].data["resultInfo"]["code"] == 480
    assert len(graph.log.rings) == 1


@pytest.mark.parametrize("way", ["coordinates", "id", "token", "unknown thread"])
def test_a_meeting_is_joined(graph: Simulator, inbox: Inbox, caller: Caller, way: str) -> None:
    """By coordinates, id and passcode or token; the 201 and the notifications name its thread."""
    meeting = graph.meeting(participants=[BOB])
    body = {"coordinates": coordinates(meeting), "id": by_id(meeting), "token": by_token(meeting.token)}.get(
        way, coordinates(meeting)
    )
    if way == "unknown thread":
        body["chatInfo"]["threadId"] = "19:meeting_unknown@thread.v2"
    answer = caller.create(graph, inbox, **body)
    assert answer.status_code == 201
    thread = body.get("chatInfo", {}).get("threadId", meeting.thread_id)
    assert answer.json()["chatInfo"]["threadId"] == thread
    assert graph.wait_idle()
    assert [received.data["chatInfo"]["threadId"] for received in inbox.about("call")] == [thread] * 3
    info = "tokenMeetingInfo" if way == "token" else "MeetingInfo"
    assert inbox.received[0].data["meetingInfo"]["@odata.type"].endswith(info)
    assert len(inbox.about("roster")[0].people) == (0 if way == "unknown thread" else 1)
    assert [(entry.state, entry.is_duplicate) for entry in graph.log.calls] == [
        ("establishing", False),
        ("established", False),
    ]
    assert graph.log.calls[0].thread_id == thread


def test_a_guest_joins_with_the_role_for_guests(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """``source.guest`` needs Calls.JoinGroupCallAsGuest.All, and is what rosters show."""
    guest = {"guest": {"id": "g1", "displayName": "Guest"}, "application": {"id": graph.client_id}}
    body = {**coordinates(graph.meeting()), **_source(**guest)}
    assert error_of(caller.create(graph, inbox, **body)) == (403, "7504")
    token = graph.entra.access_token(roles=["Calls.JoinGroupCallAsGuest.All"])
    caller.session.headers["Authorization"] = f"Bearer {token}"
    assert caller.create(graph, inbox, **body).status_code == 201
    assert graph.wait_idle()
    assert "guest" in inbox.about("roster")[0].data[0]["info"]["identity"]


def test_a_resource_account_is_what_rosters_show(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A leg with ``applicationInstance`` in its source appears as one."""
    instance = {"applicationInstance": {"id": _ROOM, "displayName": "Room"}}
    caller.create(graph, inbox, **coordinates(graph.meeting()), **_source(**instance))
    assert graph.wait_idle()
    app = inbox.about("roster")[0].data[0]
    assert app["info"]["identity"]["applicationInstance"]["id"] == _ROOM
    assert app["id"] == caller.get(graph.log.calls[0].call_id).json()["myParticipantId"]


_MEETING = "#microsoft.graph.organizerMeetingInfo"


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({}, 400, "8523"),
        ({"targets": targets(ALICE), "callbackUri": None}, 400, "8523"),
        ({"targets": targets(ALICE), "callbackUri": "http://app.example.com/"}, 400, "8523"),
        ({"targets": targets(ALICE), "callbackUri": 5}, 400, "8523"),
        ({"targets": targets(ALICE), "requestedModalities": None}, 400, "8523"),
        ({"targets": targets(ALICE), "requestedModalities": []}, 400, "8523"),
        ({"targets": targets(ALICE), "requestedModalities": ["smell"]}, 400, "8523"),
        ({"targets": targets(ALICE), "mediaConfig": None}, 400, "8523"),
        ({"targets": targets(ALICE), "mediaConfig": {}}, 400, "8523"),
        ({"targets": targets(ALICE), "mediaConfig": {**MEDIA, "removeFromDefaultAudioGroup": 1}}, 400, "BadRequest"),
        ({"targets": targets(ALICE), "callOptions": {"isDeltaRosterEnabled": True}}, 400, "8523"),
        ({"targets": targets(ALICE), "chatInfo": {"thread": "x"}}, 400, "BadRequest"),
        ({"targets": targets(ALICE), "@odata.type": "#microsoft.graph.event"}, 400, "8523"),
        ({"targets": targets(*(f"user-{number}" for number in range(6)))}, 400, "8523"),
        ({"targets": targets(ALICE, PHONE)}, 400, "8523"),
        ({"targets": [{"identity": {"user": {}}}]}, 400, "8523"),
        ({"targets": targets(ALICE), "tenantId": "another"}, 403, "7505"),
        ({"targets": targets(ALICE, BOB), "tenantId": None}, 403, "7505"),
        ({"targets": targets(ALICE), **_source(application={"id": "another"})}, 403, "7507"),
        ({"targets": targets(ALICE), "source": {"identity": {}, "name": "x"}}, 400, "BadRequest"),
        ({"meetingInfo": {"joinMeetingId": "1"}}, 400, "8523"),
        ({"meetingInfo": {"@odata.type": _MEETING, "organizer": {"user": {"id": ALICE}}}}, 400, "8523"),
        ({"meetingInfo": {"@odata.type": _MEETING, "organizer": {}}}, 400, "8523"),
        (by_token("unknown"), 400, "8526"),
        ({"meetingInfo": {**by_token("x")["meetingInfo"], "allowConversationWithoutHost": True}}, 400, "BadRequest"),
    ],
    ids=str,
)
def test_what_graph_refuses(
    graph: Simulator, inbox: Inbox, caller: Caller, *, members: dict[str, Any], status: int, code: str
) -> None:
    """Before anything happens; undeclared properties only where the type is closed."""
    assert error_of(caller.create(graph, inbox, **members)) == (status, code)
    assert graph.wait_idle()
    assert [*graph.log.rings, *graph.log.calls, *inbox.received] == []
    assert [(entry.taken, entry.error_code) for entry in graph.log.creates] == [(False, code)]


def test_undeclared_properties_of_open_types_are_ignored(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """The log names them."""
    people = [participant(ALICE, colour="red")]
    assert caller.create(graph, inbox, targets=people, clientContext="x").status_code == 201
    assert set(graph.log.creates[0].ignored) == {"clientContext", "targets[0].colour"}


def test_what_a_meeting_refuses(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A wrong passcode, id, thread, organizer or tenant, and a locked meeting."""
    meeting, locked = graph.meeting(), graph.meeting(locked=True)
    elsewhere = graph.meeting(tenant_id="00000000-0000-0000-0000-000000000009")
    link = coordinates(meeting)
    link["chatInfo"]["threadId"] = "general"
    unknown = by_id(meeting)
    unknown["meetingInfo"]["joinMeetingId"] = "1"
    for body, refusal in (
        (by_id(meeting, "wrong"), (400, "8561")),
        (unknown, (400, "8561")),
        (link, (400, "8527")),
        (coordinates(meeting, id=BOB), (403, "7504")),
        (coordinates(elsewhere), (403, "7505")),
        (by_id(locked), (403, "8560")),
        ({**coordinates(meeting), "tenantId": None}, (403, "7505")),
        ({**coordinates(meeting), "targets": targets(ALICE)}, (400, "8523")),
    ):
        assert error_of(caller.create(graph, inbox, **body)) == refusal
    assert graph.log.calls == []


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ("Calls.Initiate.All", "group join"),
        ("Calls.InitiateGroupCall.All", "one join"),
        ("Calls.JoinGroupCall.All", "one group"),
    ],
)
def test_each_variant_needs_its_role(graph: Simulator, inbox: Inbox, caller: Caller, role: str, refused: str) -> None:
    """One user, several, and a meeting: 7504 without the permission."""
    token = graph.entra.access_token(roles=[role])
    caller.session.headers["Authorization"] = f"Bearer {token}"
    bodies = {
        "one": {"targets": targets(ALICE)},
        "group": {"targets": targets(ALICE, BOB)},
        "join": coordinates(graph.meeting()),
    }
    for variant, body in bodies.items():
        answer = caller.create(graph, inbox, **body)
        assert answer.status_code == (403 if variant in refused else 201)
        assert answer.status_code == 201 or error_of(answer) == (403, "7504")


def test_refusals_on_demand(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """An app that isn't registered is 7503, and any code can be had as a fault."""
    graph.limits(registered=False)
    assert error_of(caller.create(graph, inbox, targets=targets(ALICE))) == (403, "7503")
    graph.limits(registered=True)
    for status, code in ((403, "7504"), (403, "7505"), (403, "7507"), (400, "8526"), (400, "8527"), (400, "8561")):
        graph.fault(route="create", status=status, code=code)
        assert error_of(caller.create(graph, inbox, targets=targets(ALICE))) == (status, code)
    graph.fault(route="create", person=BOB, status=429, retry_after=2.128)
    assert caller.create(graph, inbox, targets=targets(ALICE)).status_code == 201
    assert caller.create(graph, inbox, targets=targets(BOB)).headers["Retry-After"] == "0.021"


def test_the_answer_can_be_lost_or_an_error_after_the_call_was_made(
    graph: Simulator, inbox: Inbox, caller: Caller
) -> None:
    """The person is called all the same, and the first callback has the call's id."""
    graph.fault(route="create", cut="after")
    with pytest.raises(requests.ConnectionError):
        caller.create(graph, inbox, targets=targets(ALICE), callbackUri=f"{inbox.url}?start=s1&attempt=1")
    assert graph.wait_idle()
    graph.fault(route="create", status=504, taken=True)
    assert caller.create(graph, inbox, targets=targets(ALICE)).status_code == 504
    assert graph.wait_idle()
    assert [(entry.status, entry.taken, entry.cut) for entry in graph.log.creates] == [
        (None, True, True),
        (504, True, False),
    ]
    assert inbox.received[0].path.endswith("?start=s1&attempt=1")
    assert inbox.received[0].items[0]["resourceUrl"] == f"/communications/calls/{graph.log.creates[0].call_id}"
    assert [ring.outcome for ring in graph.log.rings] == ["answered", "answered"]


def test_the_answer_can_come_after_the_first_callback(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """The 201 is held back until the first callback was delivered, or for some seconds."""
    graph.fault(route="create", before_response=True)
    assert caller.create(graph, inbox, targets=targets(ALICE)).status_code == 201
    assert _states(inbox)[0] == "establishing"
    graph.fault(route="create", delay_after=10)
    assert caller.create(graph, inbox, targets=targets(BOB)).elapsed.total_seconds() >= 0.1


def test_two_legs_in_one_meeting_are_seen_in_the_log(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """The second is marked, both share the roster, and each reports it."""
    meeting = graph.meeting(participants=[ALICE])
    first = caller.create(graph, inbox, **coordinates(meeting)).json()["id"]
    second = caller.create(graph, inbox, **by_id(meeting)).json()["id"]
    assert graph.wait_idle()
    began = [(entry.call_id, entry.is_duplicate) for entry in graph.log.calls if entry.state == "establishing"]
    assert began == [(first, False), (second, True)]
    roster = caller.get(first, "participants").json()["value"]
    assert len(roster) == 3
    assert caller.get(second, "participants").json()["value"] == roster
    before = len(inbox.about("roster"))
    graph.leave(first, ALICE)
    assert graph.wait_idle()
    assert len(inbox.about("roster")) == before + 2
    caller.delete(first)
    caller.delete(second)
    caller.create(graph, inbox, **by_id(meeting))
    assert [entry.is_duplicate for entry in graph.log.calls if entry.state == "establishing"] == [False, True, False]
