"""Bad items among good ones, many items, many calls."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from domain.invitation import Status
from tests.notifications.reports import (
    DECLINED,
    call_item,
    kept,
    operation_item,
    roster_item,
    statuses_of,
)

if TYPE_CHECKING:
    from tests.notifications.conftest import Door


_DEEP = '{"a":' * 900 + "1" + "}" * 900
_BAD_ITEMS: dict[str, Any] = {
    "null": None,
    "number": 5,
    "list": [],
    "empty": {},
    "no data": {"resourceUrl": "/communications/calls/CALL/operations/x"},
    "no call": {"resourceUrl": "/users/u", "resourceData": {"status": "completed"}},
    "bad address": {
        "resourceUrl": "https://[/communications/calls/CALL/operations/o",
        "resourceData": {"status": "failed"},
    },
    "people as text": {
        "resourceUrl": "/communications/calls/CALL",
        "resourceData": {"status": "x", "participants": "y"},
    },
    "half a character as context": operation_item("CALL", clientContext="\ud800", id="\udfff"),
    "half a character as kind": {
        "resourceUrl": "/communications/calls/CALL/participants",
        "resourceData": [{"info": {"identity": {"\ud800": {"id": "surrogate"}}}}],
    },
    "half a character as state": call_item("CALL", "\ud800"),
    "half a character as name": {
        "resourceUrl": "/communications/calls/CALL/participants",
        "resourceData": [{"info": {"identity": {"user": {"id": "\ud800", "displayName": "\udc00"}}}}],
    },
    "control characters as id": operation_item("CALL", id="a/\\#?\x00\n", status="completed"),
    "long id": operation_item("CALL", id="x" * 200_000, status="completed"),
    "long context": operation_item("CALL", clientContext="x" * 200_000),
    "long kind": {
        "resourceUrl": "/communications/calls/CALL/participants",
        "resourceData": [{"info": {"identity": {"k" * 1_000_000: {"id": "long kind"}}}}],
    },
    "long name": {
        "resourceUrl": "/communications/calls/CALL/participants",
        "resourceData": [
            {"id": "p" * 1_000_000, "info": {"identity": {"user": {"id": "u", "displayName": "n" * 1_000_000}}}}
        ],
    },
    "long state": call_item("CALL", "s" * 1_000_000),
    "long reason": call_item("CALL", "established", resultInfo={"message": "m" * 1_000_000}),
    "numbers without end": roster_item("CALL", "bob", rosterSequenceNumber=10**300),
    "no numbers": roster_item("CALL", "bob", rosterSequenceNumber=float("nan"), isMuted=float("inf")),
    "deep": {"resourceUrl": "/communications/calls/CALL/operations/d", "resourceData": {"deep": "DEEP"}},
    "deep result": operation_item("CALL", "failed", id="deep-result", resultInfo={"deep": "DEEP"}),
}


@pytest.mark.parametrize("name", _BAD_ITEMS)
def test_bad_item_among_good_ones(name: str, door: Door, call_id: str) -> None:
    """The good ones before and after it are written down, and the whole is acknowledged."""
    one, other = kept(door, call_id), kept(door, call_id)
    items = [
        operation_item(call_id, clientContext=one.client_context, id="o-1"),
        _BAD_ITEMS[name],
        operation_item(call_id, "failed", clientContext=other.client_context, id="o-2", resultInfo=DECLINED),
        roster_item(call_id, "alice"),
    ]
    text = json.dumps({"value": items}).replace("CALL", call_id).replace('"DEEP"', _DEEP)
    answer = door.post(text.encode())
    assert answer.status == 202
    assert statuses_of(door.invitation(one)) == ["completed"]
    assert statuses_of(door.invitation(other)) == ["failed"]
    assert door.presence(one) == ["inCall"]


def test_long_message(door: Door, call_id: str) -> None:
    """A message of megabytes is cut and stored, instead of being refused by storage forever."""
    invitation = kept(door, call_id)
    result = {"code": 500, "message": "m" * 3_000_000}
    door.accept([operation_item(call_id, "failed", clientContext=invitation.client_context, resultInfo=result)])
    (operation,) = door.invitation(invitation).operations
    assert operation.status is Status.FAILED
    assert operation.result is not None
    assert operation.result.code == 500


def test_hundreds_of_items(door: Door) -> None:
    """All are written down, each in its own call, within Graph's patience."""
    calls = [str(uuid.uuid4()) for _ in range(4)]
    invitations = [kept(door, calls[number % 4]) for number in range(60)]
    items: list[Any] = []
    for number, invitation in enumerate(invitations):
        items.append(
            operation_item(
                invitation.call_id,
                "completed" if number % 3 else "failed",
                clientContext=invitation.client_context,
                id=f"o-{number}",
            )
        )
        items += [roster_item(invitation.call_id, "alice", f"person-{number}"), None, {"unknown": number}]
    started = time.perf_counter()
    door.accept(items)
    assert time.perf_counter() - started < 5
    for number, invitation in enumerate(invitations):
        assert statuses_of(door.invitation(invitation)) == ["completed" if number % 3 else "failed"]
    for number, call in enumerate(calls):
        present = {entry["identity"]["user"]["id"] for entry in door.roster(call)}
        assert present == {"alice", f"person-{56 + number}"}


def test_a_roster_of_hundreds_is_kept_whole(door: Door, call_id: str) -> None:
    """More people than a transaction has rows."""
    people = [f"person-{number}" for number in range(350)]
    invitation = kept(door, call_id)
    door.accept([roster_item(call_id, *people, "alice")])
    assert len(door.roster(call_id)) == 351
    assert door.presence(invitation) == ["inCall"]
    door.accept([roster_item(call_id, *people[:10])])
    assert len(door.roster(call_id)) == 10
    assert door.presence(invitation) == ["left"]
