"""Removing people, and cancelling the calls to people who have not answered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.dev.simulator.caller import ALICE, BOB, Caller, coordinates, error_of, targets

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.dev.simulator.inbox import Inbox


def _entry(caller: Caller, call_id: str, identity_id: str) -> str:
    """A participant's id."""
    for someone in caller.get(call_id, "participants").json()["value"]:
        if identity_id in str(someone["info"]["identity"]):
            return str(someone["id"])
    raise AssertionError("not on the roster")


def test_a_person_is_removed(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """204, and a roster without them; a second time it is 404."""
    call_id = graph.create_call(inbox.url, participants=[ALICE, BOB], announce=False)
    alice = _entry(caller, call_id, ALICE)
    assert caller.delete(call_id, f"participants/{alice}").status_code == 204
    assert graph.wait_idle()
    assert [someone["info"]["identity"]["user"]["id"] for someone in inbox.about("roster")[0].people] == [BOB]
    assert error_of(caller.delete(call_id, f"participants/{alice}")) == (404, "8522")


@pytest.mark.parametrize("others", [False, True])
def test_a_call_to_a_person_is_cancelled(
    graph: Simulator, inbox: Inbox, caller: Caller, call_id: str, *, others: bool
) -> None:
    """The phone stops ringing, and the operation fails with 8542 once everybody in it has an outcome."""
    graph.everyone("ringsOut", after=200)
    graph.person(BOB, "answers", after=50)
    caller.invite(call_id, ALICE, *([BOB] if others else []))
    assert caller.delete(call_id, f"participants/{_entry(caller, call_id, ALICE)}").status_code == 204
    assert graph.wait_idle()
    assert [ring.outcome for ring in graph.log.rings] == ["cancelled", *(["answered"] if others else [])]
    operation = inbox.about("operation")[0].data
    assert operation["status"] == "failed"
    assert (operation["resultInfo"]["code"], operation["resultInfo"]["subcode"]) == (487, 8542)


def test_a_target_is_cancelled(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """People called by the creation of a group call can be cancelled likewise; nothing reports it but the roster."""
    graph.person(BOB, "ringsOut", after=200)
    call_id = caller.create(graph, inbox, targets=targets(ALICE, BOB)).json()["id"]
    time.sleep(0.1)
    caller.delete(call_id, f"participants/{_entry(caller, call_id, BOB)}")
    assert graph.wait_idle()
    assert [ring.outcome for ring in graph.log.rings] == ["answered", "cancelled"]
    assert inbox.about("operation") == []


def test_people_who_are_not_listed_cannot_be_cancelled(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Where ringing people are unlisted there is no id to delete."""
    graph.everyone("ringsOut", after=2000)
    call_id = graph.create_call(inbox.url, announce=False, ringing="unlisted")
    caller.invite(call_id, ALICE)
    with pytest.raises(AssertionError):
        _entry(caller, call_id, ALICE)


def test_removal_needs_the_tenants_setting_and_a_role(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """403 without either, and the person stays."""
    call_id = graph.create_call(inbox.url, participants=[ALICE], announce=False)
    path = f"participants/{_entry(caller, call_id, ALICE)}"
    graph.limits(removal_allowed=False)
    assert error_of(caller.delete(call_id, path)) == (403, "Forbidden")
    graph.limits(removal_allowed=True)
    token = graph.entra.access_token(roles=["Calls.Initiate.All"])
    caller.session.headers["Authorization"] = f"Bearer {token}"
    assert error_of(caller.delete(call_id, path)) == (403, "7504")
    assert len(graph.call(call_id).present) == 1


def test_the_organizer_cannot_be_removed(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """8552."""
    meeting = graph.meeting(organizer=ALICE, participants=[ALICE])
    call_id = caller.create(graph, inbox, **coordinates(meeting)).json()["id"]
    assert graph.wait_idle()
    assert error_of(caller.delete(call_id, f"participants/{_entry(caller, call_id, ALICE)}")) == (403, "8552")


def test_the_app_can_remove_itself(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Its leg ends with 5000."""
    call_id = caller.create(graph, inbox, **coordinates(graph.meeting(participants=[ALICE]))).json()["id"]
    assert graph.wait_idle()
    assert caller.delete(call_id, f"participants/{_entry(caller, call_id, graph.client_id)}").status_code == 204
    assert graph.wait_idle()
    assert inbox.received[-1].data["resultInfo"]["subcode"] == 5000


def test_a_one_to_one_call_has_no_participants_to_remove(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """404, whatever id is tried."""
    call_id = graph.create_call(inbox.url, kind="peerToPeer", participants=[ALICE], announce=False)
    alice = graph.call(call_id).present[0].id
    assert error_of(caller.delete(call_id, f"participants/{alice}")) == (404, "8522")


def test_a_target_is_cancelled_before_the_call_is_established(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """People ring from the creation on."""
    graph.everyone("ringsOut", after=100)
    call_id = caller.create(graph, inbox, targets=targets(ALICE, BOB)).json()["id"]
    assert caller.delete(call_id, f"participants/{_entry(caller, call_id, BOB)}").status_code == 204
    assert {ring.person: ring.outcome for ring in graph.log.rings}[BOB] == "cancelled"
