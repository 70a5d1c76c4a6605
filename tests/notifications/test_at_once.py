"""Callbacks that come at the same moment, on real storage."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from domain.invitation import Operation
from tests.notifications.reports import (
    at_once,
    call_item,
    delta_item,
    kept,
    operation_item,
    roster_item,
    statuses_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.notifications.conftest import Door


def test_one_invitation(door: Door, call_id: str) -> None:
    """Eight parts of one invitation end at the same moment: all eight outcomes are in the one row."""
    context = f"many-{uuid.uuid4()}"
    parts = [Operation(f"{context}~{number}of8", (number - 1,)) for number in range(1, 9)]
    invitation = kept(door, call_id, *parts, client_context=context)

    def report(number: int) -> Callable[[], int]:
        status = "failed" if number % 2 else "completed"
        item = operation_item(call_id, status, clientContext=f"{context}~{number}of8", id=f"o-{number}")
        return lambda: int(door.post([item]).status)

    assert at_once(*(report(number) for number in range(1, 9))) == [202] * 8
    assert statuses_of(door.invitation(invitation)) == ["failed", "completed"] * 4


def test_one_call(door: Door, call_id: str) -> None:
    """Rosters, the call's state and outcomes come together, and each finds its place."""
    invitations = [kept(door, call_id) for _ in range(3)]
    bodies: list[list[Any]] = [
        [operation_item(call_id, clientContext=invitation.client_context)] for invitation in invitations
    ]
    bodies += [
        [roster_item(call_id, "alice", "bob")],
        [call_item(call_id, "established")],
        [delta_item(call_id, 1, "carol")],
    ]
    answers = at_once(*(lambda body=body: int(door.post(body).status) for body in bodies))
    assert answers == [202] * len(bodies)
    assert [statuses_of(door.invitation(invitation)) for invitation in invitations] == [["completed"]] * 3
    assert door.call(call_id)["state"] == "established"
    assert door.presence(invitations[0]) == ["inCall"]
    # Carol is there or has left, as her delta came after or before the list.
    people = {entry["identity"]["user"]["id"] for entry in door.roster(call_id, includeLeft="true")}
    assert people == {"alice", "bob", "carol"}


def test_same_callback(door: Door, call_id: str) -> None:
    """Copies that arrive together leave one outcome and one roster."""
    invitation = kept(door, call_id)
    body = [operation_item(call_id, clientContext=invitation.client_context, id="o-1"), roster_item(call_id, "alice")]
    assert at_once(*[lambda: int(door.post(body).status)] * 6) == [202] * 6
    assert statuses_of(door.invitation(invitation)) == ["completed"]
    assert len(door.roster(call_id, includeLeft="true")) == 1
