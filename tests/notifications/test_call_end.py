"""What becomes of open invitations when their call ends."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from domain.invitation import Decider, Operation, Status
from tests.notifications.reports import (
    call_item,
    kept,
    many_kept,
    operation_item,
    statuses_of,
    terminated_item,
)

if TYPE_CHECKING:
    import pytest

    from tests.notifications.conftest import Door


def test_state(door: Door, call_id: str) -> None:
    """In order of the call's life, whatever Graph's spelling; a call that ended does not begin again."""
    for state, shown in (
        ("Incoming", "establishing"),
        ("ESTABLISHING", "establishing"),
        ("established", "established"),
        ("establishing", "established"),
        ("transferaccepted", "established"),
        ("Terminated", "terminated"),
        ("established", "terminated"),
    ):
        door.accept([call_item(call_id, state, toneInfo={"tone": "tone1"})])
        assert door.call(call_id)["state"] == shown


def test_end_of_a_call(door: Door, call_id: str) -> None:
    """With the call's own codes; what had ended before stays as Graph said."""
    opened = kept(door, call_id)
    split_up = kept(door, call_id, Operation("s~1of2", (0,)), Operation("s~2of2", (1,)), client_context="s")
    ended = kept(door, call_id)
    door.accept(
        [operation_item(call_id, clientContext=ended.client_context), operation_item(call_id, clientContext="s~1of2")]
    )
    door.accept([terminated_item(call_id)])
    (settled,) = door.invitation(opened).operations
    assert (settled.status, settled.decided_by) == (Status.FAILED, Decider.WATCHDOG)
    assert settled.result is not None
    assert (settled.result.code, settled.result.subcode) == (200, 5001)
    assert statuses_of(door.invitation(split_up)) == ["completed", "failed"]
    assert statuses_of(door.invitation(ended)) == ["completed"]
    assert door.call(call_id)["resultInfo"]["subcode"] == 5001


def test_log_of_a_call_end(door: Door, call_id: str, caplog: pytest.LogCaptureFixture) -> None:
    """An operator who looks for lost reports does not find it: Graph said that the call ended."""
    kept(door, call_id)
    with caplog.at_level(logging.INFO):
        door.accept([terminated_item(call_id)])
    (line,) = [one for one in caplog.messages if one.startswith("concluded ")]
    assert " status=failed decided-by=graph code=200 subcode=5001 " in line


def test_report_after_the_end(door: Door, call_id: str) -> None:
    """A report that comes after the call's end still says how the invitation ended."""
    invitation = kept(door, call_id)
    door.accept([terminated_item(call_id)])
    door.accept([operation_item(call_id, "Running", clientContext=invitation.client_context)])
    assert statuses_of(door.invitation(invitation)) == ["failed"]
    door.accept([operation_item(call_id, clientContext=invitation.client_context)])
    assert statuses_of(door.invitation(invitation)) == ["completed"]


def test_both_in_one_callback(door: Door, call_id: str) -> None:
    """The call's end and an operation's end in one POST, in either order."""
    for reverse in (False, True):
        call = f"{call_id}-{reverse}"
        invitation = kept(door, call)
        items = [terminated_item(call), operation_item(call, clientContext=invitation.client_context)]
        door.accept(items[::-1] if reverse else items)
        (operation,) = door.invitation(invitation).operations
        assert (operation.status, operation.decided_by) == (Status.COMPLETED, Decider.GRAPH)


def test_more_than_a_transaction_holds(door: Door, call_id: str) -> None:
    """A hundred rows are the limit of storage, not of a call."""
    invitations = many_kept(door, call_id, 230)
    door.accept([terminated_item(call_id)])
    assert door.open(call_id) == []
    assert statuses_of(door.invitation(invitations[-1])) == ["failed"]


def test_interrupted_by_storage(door: Door, call_id: str) -> None:
    """503, so Graph sends the call's end again; the invitations that were not settled the first time are then."""
    many_kept(door, call_id, 150)
    door.transport.breaks_after = 4  # the two reads, the note of the call, and the first transaction
    try:
        answer = door.post([terminated_item(call_id)])
    finally:
        door.transport.breaks_after = None
    assert answer.status == 503
    left = len(door.open(call_id))
    assert 0 < left < 150
    door.accept([terminated_item(call_id)])
    assert door.open(call_id) == []
