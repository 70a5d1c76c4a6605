"""What becomes of open invitations when their call ends."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from domain.model import Delivery, FlowCallback, Invitation, Operation, Status
from notifications.applying import Applying
from notifications.payload import reports_of
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


def test_the_state_of_a_call_can_be_read(door: Door, call_id: str) -> None:
    """From incoming to terminated, in the documented spelling, with how it ended."""
    for state in ("Incoming", "ESTABLISHING", "established", "transferaccepted"):
        door.accept([call_item(call_id, state)])
    assert door.call(call_id)["state"] == "transferAccepted"
    door.accept([call_item(call_id, "established", toneInfo={"tone": "tone1"}), call_item(call_id, "Terminated")])
    door.accept([call_item(call_id, "established")])
    assert door.call(call_id)["state"] == "terminated", "a call that ended does not begin again"


def test_the_end_of_a_call_settles_what_is_open(door: Door, call_id: str) -> None:
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


def test_what_ends_with_the_call_was_reported(door: Door, call_id: str, caplog: pytest.LogCaptureFixture) -> None:
    """An operator who looks for lost reports does not find it: Graph said that the call ended."""
    kept(door, call_id)
    with caplog.at_level(logging.INFO):
        door.accept([terminated_item(call_id)])
    (line,) = [one for one in caplog.messages if one.startswith("concluded ")]
    assert " status=failed decided-by=graph code=200 subcode=5001 " in line


def test_graph_has_the_last_word_after_the_calls_end(door: Door, call_id: str) -> None:
    """A report that comes after the call's end still says how the invitation ended."""
    invitation = kept(door, call_id)
    door.accept([terminated_item(call_id)])
    door.accept([operation_item(call_id, "Running", clientContext=invitation.client_context)])
    assert statuses_of(door.invitation(invitation)) == ["failed"]
    door.accept([operation_item(call_id, clientContext=invitation.client_context)])
    assert statuses_of(door.invitation(invitation)) == ["completed"]


def test_within_one_callback_too(door: Door, call_id: str) -> None:
    """The call's end and an operation's end in one POST, in either order."""
    for reverse in (False, True):
        call = f"{call_id}-{reverse}"
        invitation = kept(door, call)
        items = [terminated_item(call), operation_item(call, clientContext=invitation.client_context)]
        door.accept(items[::-1] if reverse else items)
        (operation,) = door.invitation(invitation).operations
        assert (operation.status, operation.decided_by) == (Status.COMPLETED, Decider.GRAPH)


def test_more_open_invitations_than_a_transaction_takes_are_settled(door: Door, call_id: str) -> None:
    """A hundred rows are the limit of storage, not of a call."""
    invitations = many_kept(door, call_id, 230)
    door.accept([terminated_item(call_id)])
    assert door.table.open_invitations(call_id) == []
    assert statuses_of(door.invitation(invitations[-1])) == ["failed"]


def test_what_storage_interrupted_is_made_up_for_when_graph_sends_again(door: Door, call_id: str) -> None:
    """503, so Graph sends the call's end again; the invitations that were not settled the first time are then."""
    many_kept(door, call_id, 150)
    door.transport.breaks_after = 3  # the two reads and the first of two transactions
    try:
        answer = door.post([terminated_item(call_id)])
    finally:
        door.transport.breaks_after = None
    assert answer.status == 503
    left = len(door.table.open_invitations(call_id))
    assert 0 < left < 150
    door.accept([terminated_item(call_id)])
    assert door.table.open_invitations(call_id) == []


def test_a_flow_that_waits_is_due_to_be_told_in_the_same_write(door: Door, call_id: str) -> None:
    """Whoever dies between the two, the row says that the flow has not been told yet."""
    told: list[Invitation] = []

    class Recorder:
        def announce(self, invitation: Invitation) -> None:
            told.append(invitation)

    waiting = FlowCallback("https://prod-1.logic.azure.com/x", "m-1", Delivery.WAITING)
    invitation = kept(door, call_id, callback=waiting)
    recorder: Any = Recorder()
    reports = list(reports_of(operation_item(call_id, clientContext=invitation.client_context)))
    Applying(door.table, recorder).apply(call_id, reports)
    assert door.invitation(invitation).callback == replace(waiting, state=Delivery.DUE)
    assert [entry.id for entry in told] == [invitation.id]
