"""Participants as Graph shows them, in notifications and in reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.dev.simulator.caller import ALICE, BOB, PHONE, Caller

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.simulator.inbox import Inbox

Entry = dict[str, Any]


def _identity(someone: Entry) -> tuple[str, Entry]:
    """The kind of a participant's identity, and its properties."""
    ((kind, members),) = ((k, v) for k, v in someone["info"]["identity"].items() if k != "@odata.type")
    return kind, members


def _by_id(roster: list[Entry]) -> dict[str, Entry]:
    return {str(_identity(someone)[1].get("id")): someone for someone in roster}


def test_a_roster_is_as_recorded(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """Everybody, the app too, has an id, and an identity with name, tenant and provider."""
    graph.person(ALICE, display_name="Alice")
    caller.invite(call_id, ALICE)
    assert graph.wait_idle()
    app, alice = inbox.about("roster")[0].data
    for someone in (app, alice):
        assert someone["id"] == someone["info"]["participantId"]
        assert someone["mediaStreams"][0]["direction"] == "sendReceive"
    assert _identity(app) == (
        "application",
        {
            "@odata.type": "#microsoft.graph.identity",
            "id": graph.client_id,
            "displayName": f"28:{graph.client_id}",
            "tenantId": graph.tenant_id,
            "identityProvider": "AAD",
        },
    )
    kind, members = _identity(alice)
    assert (kind, members["id"], members["displayName"]) == ("user", ALICE, "Alice")
    assert (members["tenantId"], members["identityProvider"]) == (graph.tenant_id, "AAD")


def test_ids_stay_for_the_whole_stay(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """From the ringing to the end everybody keeps their id; a person who comes again has a new one."""
    graph.person(ALICE, after=50)
    caller.invite(call_id, ALICE)
    ringing = _by_id(caller.get(call_id, "participants").json()["value"])
    assert graph.wait_idle()
    joined = _by_id(inbox.about("roster")[0].data)
    assert joined[ALICE]["id"] == ringing[ALICE]["id"]
    assert joined[graph.client_id]["id"] == ringing[graph.client_id]["id"]
    graph.leave(call_id, ALICE)
    caller.invite(call_id, ALICE)
    assert graph.wait_idle()
    again = _by_id(inbox.about("roster")[-1].data)
    assert again[ALICE]["id"] != joined[ALICE]["id"]
    assert again[graph.client_id]["id"] == joined[graph.client_id]["id"]


def test_the_app_can_be_a_resource_account(graph: Simulator, inbox: Inbox) -> None:
    """A call can show the app as an application instance, whose id is not the app's."""
    graph.create_call(inbox.url, participants=[PHONE], app="applicationInstance")
    assert graph.wait_idle()
    app, phone = inbox.about("roster")[0].data
    assert _identity(app)[0] == "applicationInstance"
    assert _identity(app)[1]["id"] != graph.client_id
    assert _identity(phone)[1]["identityProvider"] == "None"


def test_some_participants_have_undeclared_properties(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Now and then, always or never there are properties that no schema declares."""
    shown = {}
    for undeclared in ("sometimes", "always", "never"):
        call_id = graph.create_call(inbox.url, participants=[ALICE, BOB], undeclared=undeclared, announce=False)
        roster = caller.get(call_id, "participants").json()["value"]
        shown[undeclared] = ["replacementLink" in someone for someone in roster]
    assert shown == {"sometimes": [True, False, True], "always": [True] * 3, "never": [False] * 3}


def test_the_documented_form_has_no_ids(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Without ids and without the app; an invited user is shown as an application on request."""
    call_id = graph.create_call(inbox.url, announce=False, roster="documented", as_application="all")
    caller.invite(call_id, ALICE)
    assert graph.wait_idle()
    (alice,) = inbox.about("roster")[0].data
    assert alice["id"] is None
    assert "participantId" not in alice["info"]
    assert _identity(alice) == ("application", {"@odata.type": "#microsoft.graph.identity", "id": ALICE})


@pytest.mark.parametrize(
    ("streams", "shown"), [("empty", {"mediaStreams": []}), ("null", {"mediaStreams": None}), ("absent", {})]
)
def test_people_who_ring_are_listed_without_media(
    graph: Simulator, inbox: Inbox, caller: Caller, streams: str, shown: Entry
) -> None:
    """They are not in the lobby, and have no media stream: absent, null or empty."""
    graph.person(BOB, "ringsOut")
    call_id = graph.create_call(inbox.url, announce=False, ringing_streams=streams)
    caller.invite(call_id, ALICE, BOB)
    bob = _by_id(caller.get(call_id, "participants").json()["value"])[BOB]
    assert bob["isInLobby"] is False
    assert {name: bob[name] for name in bob if name == "mediaStreams"} == shown
    assert graph.wait_idle()
    first, last = inbox.about("roster")
    assert BOB in _by_id(first.data)
    assert BOB not in _by_id(last.data)


@pytest.mark.parametrize(("ringing", "rosters", "listed"), [("reported", 2, True), ("unlisted", 0, False)])
def test_ringing_can_be_reported_or_kept_off_rosters(
    graph: Simulator, inbox: Inbox, caller: Caller, ringing: str, *, rosters: int, listed: bool
) -> None:
    """Its begin and end can have rosters of their own; or people are listed only once they have answered."""
    graph.person(ALICE, "declines", after=50)
    call_id = graph.create_call(inbox.url, announce=False, ringing=ringing)
    caller.invite(call_id, ALICE)
    assert (ALICE in _by_id(caller.get(call_id, "participants").json()["value"])) is listed
    assert graph.wait_idle()
    assert len(inbox.about("roster")) == rosters


@pytest.mark.parametrize("hidden", ["marked", "withoutId"])
def test_identities_can_be_hidden(graph: Simulator, inbox: Inbox, caller: Caller, hidden: str) -> None:
    """Marked as anonymized with an alias, or without an id; others, and the app, are shown as they are."""
    graph.person(ALICE, hidden_identities=hidden)
    call_id = graph.create_call(inbox.url, announce=False, participants=[BOB])
    caller.invite(call_id, ALICE)
    assert graph.wait_idle()
    roster = inbox.about("roster")[0].data
    assert ALICE not in str(roster)
    assert BOB in str(roster)
    (alice,) = (someone for someone in roster if _identity(someone)[1]["id"] not in {BOB, graph.client_id})
    assert alice.get("isIdentityAnonymized", False) is (hidden == "marked")
    assert alice["id"] == alice["info"]["participantId"]


def test_participants_can_carry_sequence_numbers(graph: Simulator, inbox: Inbox) -> None:
    """Full rosters then show which of them is newer."""
    graph.create_call(inbox.url, participants=[BOB], roster_sequence=True)
    assert graph.wait_idle()
    assert [someone["rosterSequenceNumber"] for someone in inbox.about("roster")[0].data] == [1, 2]
