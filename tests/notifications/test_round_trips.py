"""What a callback costs, counted where the requests leave for storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.invitation import Operation
from tests.notifications.reports import (
    call_item,
    graph_answered,
    kept,
    operation_item,
    roster_item,
)

if TYPE_CHECKING:
    from tests.notifications.conftest import Door


def _counted(door: Door, body: list[Any]) -> list[str]:
    door.post([])  # the keys are there
    door.transport.requests.clear()
    door.accept(body)
    return list(door.transport.requests)


def test_finished_operation(door: Door, call_id: str) -> None:
    """Read the row, write the row."""
    invitation = kept(door, call_id)
    counted = _counted(door, [operation_item(call_id, clientContext=invitation.client_context, id="o-1")])
    assert [request.split()[0] for request in counted] == ["GET", "POST"]


def test_a_finished_part_costs_two_requests(door: Door, call_id: str) -> None:
    """The mark of a part costs nothing more."""
    parts = (Operation("p~1of2", (0,)), Operation("p~2of2", (1,)))
    kept(door, call_id, *parts, client_context="p")
    assert len(_counted(door, [operation_item(call_id, clientContext="p~2of2", id="o-1")])) == 2


def test_without_a_context_it_costs_three(door: Door, call_id: str) -> None:
    """The id leads to the row first."""
    invitation = kept(door, call_id)
    graph_answered(door, invitation, {"id": "o-1", "status": "Running"})
    assert len(_counted(door, [operation_item(call_id, id="o-1")])) == 3


def test_a_repeat_costs_one_request(door: Door, call_id: str) -> None:
    """What is known already is not written again."""
    invitation = kept(door, call_id)
    body = [operation_item(call_id, clientContext=invitation.client_context, id="o-1")]
    door.accept(body)
    assert len(_counted(door, body)) == 1


def test_a_roster_costs_two_requests(door: Door, call_id: str) -> None:
    """And three more the first time, to list the call while it is open and to remember it until its time is over."""
    assert len(_counted(door, [roster_item(call_id, "alice")])) == 5
    assert len(_counted(door, [roster_item(call_id, "alice", "bob")])) == 2


def test_one_transaction(door: Door, call_id: str) -> None:
    """Ten outcomes and a roster: each row is read once, and all are written at once."""
    door.accept([call_item(call_id, "established")])
    invitations = [kept(door, call_id) for _ in range(10)]
    items = [operation_item(call_id, clientContext=invitation.client_context) for invitation in invitations]
    counted = _counted(door, [*items, roster_item(call_id, "alice"), call_item(call_id, "established")])
    assert len(counted) == 10 + 1 + 1
    assert counted[-1] == "POST $batch"


def test_what_concerns_nobody_costs_no_write(door: Door, call_id: str) -> None:
    """Unknown operations are looked for and left alone; foreign kinds are not even looked for."""
    unknown = _counted(door, [operation_item(call_id, clientContext="unknown", id=None)])
    assert [request.split()[0] for request in unknown] == ["GET"]
    foreign = operation_item(call_id, clientContext="x", id="y")
    foreign["resourceData"]["@odata.type"] = "#microsoft.graph.recordOperation"
    assert _counted(door, [foreign]) == []
