"""Reports come twice, late and in any order; so do rosters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from domain.inference import SEEN_IN_CALL
from domain.invitation import Decider, Operation, Status
from tests.notifications.reports import (
    DECLINED,
    delta_item,
    kept,
    operation_item,
    roster_item,
)
from tests.states import completed

if TYPE_CHECKING:
    from tests.notifications.conftest import Door


def test_repeats_change_nothing(door: Door, call_id: str) -> None:
    """Graph may send everything twice: the row is not even written again."""
    invitation = kept(door, call_id)
    ended = operation_item(call_id, clientContext=invitation.client_context, id="o-1")
    door.accept([ended, ended])
    first = door.held(invitation)
    for body in ([ended], [ended, ended, ended]):
        door.accept(body)
    assert door.held(invitation) == first


def test_late_reports(door: Door, call_id: str) -> None:
    """Graph's first final word stays."""
    invitation = kept(door, call_id)
    context = invitation.client_context
    door.accept([operation_item(call_id, "failed", clientContext=context, id="o-1", resultInfo=DECLINED)])
    first = door.held(invitation)
    for status in ("Running", "notStarted", "completed", "failed", "unknownFutureValue"):
        door.accept([operation_item(call_id, status, clientContext=context, id="o-1")])
    assert door.held(invitation) == first


def test_graphs_word_replaces_a_conclusion(door: Door, call_id: str) -> None:
    """Graph's later report replaces what was inferred."""
    concluded = Operation("context", (0,), completed(SEEN_IN_CALL, by=Decider.WATCHDOG))
    invitation = kept(door, call_id, concluded, client_context="context")
    door.accept([operation_item(call_id, "failed", clientContext="context", id="o-1", resultInfo=DECLINED)])
    (operation,) = door.invitation(invitation).operations
    assert (operation.status, operation.decided_by) == (Status.FAILED, Decider.GRAPH)


def test_coming_and_going(door: Door, call_id: str) -> None:
    """In the lobby, in the call, gone and back again, as the last list says."""
    invitation = kept(door, call_id)
    steps: list[tuple[dict[str, Any], str]] = [
        (roster_item(call_id), "unknown"),
        (roster_item(call_id, "alice", isInLobby=True), "inLobby"),
        (roster_item(call_id, "alice", "bob"), "inCall"),
        (roster_item(call_id, "bob"), "left"),
        (roster_item(call_id, "ALICE"), "inCall"),
        (roster_item(call_id, "alice", removedState={"reason": "Removed"}), "left"),
        (roster_item(call_id, "alice"), "inCall"),
        (roster_item(call_id), "left"),
    ]
    for item, presence in steps:
        door.accept([item])
        assert door.presence(invitation) == [presence]
    assert door.roster(call_id) == []
    assert {entry["presence"] for entry in door.roster(call_id, includeLeft="true")} == {"left"}


@pytest.mark.parametrize("form", [int, str])
@pytest.mark.parametrize("base", [0, 638_000_000_000_000_000])
def test_older_roster(form: Any, base: int, door: Door, call_id: str) -> None:
    """By its sequence number, small or as large as Graph's type allows, written as a number or as text."""
    invitation = kept(door, call_id)
    door.accept([roster_item(call_id, "alice", "bob", rosterSequenceNumber=form(base + 3))])
    door.accept([roster_item(call_id, "bob", rosterSequenceNumber=form(base + 5))])
    assert door.presence(invitation) == ["left"]
    door.accept([roster_item(call_id, "alice", "bob", rosterSequenceNumber=form(base + 4))])
    assert door.presence(invitation) == ["left"]
    door.accept([roster_item(call_id, "alice", rosterSequenceNumber=form(base + 6))])
    assert door.presence(invitation) == ["inCall"]


@pytest.mark.parametrize("form", [int, str])
def test_deltas_out_of_order(form: Any, door: Door, call_id: str) -> None:
    """A delta speaks of the people it names, and an older one does not unsay a newer."""
    invitation = kept(door, call_id)
    base = 638_000_000_000_000_000
    door.accept([delta_item(call_id, form(base + 1), "alice", "bob")])
    door.accept([delta_item(call_id, form(base + 3), "alice", removedState={"reason": "x"})])
    door.accept([delta_item(call_id, form(base + 2), "alice")])
    assert door.presence(invitation) == ["left"]
    assert [entry["identity"]["user"]["id"] for entry in door.roster(call_id)] == ["bob"]
    door.accept([delta_item(call_id, form(base + 4), "alice")])
    assert door.presence(invitation) == ["inCall"]


def test_end_of_one_participant(door: Door, call_id: str) -> None:
    """Only the one who is named has left."""
    door.accept([roster_item(call_id, "alice", "bob")])
    (item,) = [roster_item(call_id, "alice")]
    door.accept([{**item, "changeType": "Deleted", "resourceData": item["resourceData"][0]}])
    assert [entry["identity"]["user"]["id"] for entry in door.roster(call_id)] == ["bob"]
