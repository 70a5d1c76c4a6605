"""Graph's reports as items of a callback, and invitations for them to be about."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.contexts import invitation_id
from domain.invitation import Alarm, Invitation, Operation
from domain.record import CallRecord, Needs, OperationEntry
from domain.transitions import apply_graph_state, change_operations
from graph import wire
from tests import states

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.notifications.conftest import Door

_PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"
DECLINED = {"code": 603, "subcode": 0, "message": "addParticipants failed for participant 8:orgid:x. Declined"}


def payload(name: str) -> Any:
    """Return one of Graph's documented bodies."""
    return json.loads((_PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))


def graph_answered(door: Door, invitation: Invitation, body: Any) -> None:
    """Store Graph's answer to the invite."""
    state = wire.operation_state(body)
    needs = Needs(invitations=frozenset({invitation.id}), operations=frozenset({str(state.id)}))

    def answered(record: CallRecord) -> CallRecord:
        stored = record.invitations[invitation.id]
        changed = change_operations(
            stored, states.NOON, lambda operation: apply_graph_state(operation, state, states.NOON)
        )
        entry = OperationEntry(invitation=invitation.id)
        return record.with_invitation(changed).with_operations({str(state.id): entry})

    door.store.update(invitation.call_id, needs, answered)


def statuses_of(invitation: Invitation) -> list[str]:
    """Return the status of each of an invitation's requests."""
    return [operation.status.value for operation in invitation.operations]


def kept(door: Door, call_id: str, *operations: Operation, **members: Any) -> Invitation:
    """Store an invitation of one person, or with these operations."""
    context = members.pop("client_context", f"context-{uuid.uuid4()}")
    return door.keep(_sent_now(call_id, context, *(operations or (Operation(context, (0,)),)), **members))


def many_kept(door: Door, call_id: str, count: int) -> list[Invitation]:
    """Store many open invitations of one call."""
    contexts = [f"context-{number}" for number in range(count)]
    made = [_sent_now(call_id, context, Operation(context, (0,))) for context in contexts]
    door.keep(*made)
    return made


def _sent_now(call_id: str, context: str, *operations: Operation, **members: Any) -> Invitation:
    now = datetime.now(UTC)
    check = now + timedelta(seconds=120)
    known = {"created": now, "updated": now, "asked": now, "watch_at": check, "alarm": Alarm("watch", check)}
    return states.invitation(
        *operations,
        **{**known, "call_id": call_id, "client_context": context, "id": invitation_id(context), **members},
    )


def operation_item(call_id: str, status: str | None = "completed", **members: Any) -> dict[str, Any]:
    """Return the report of an operation's end."""
    operation_id = members.get("id") or "participants"
    return {
        "changeType": "deleted" if status in (None, "completed", "failed") else "updated",
        "resourceUrl": f"/communications/calls/{call_id}/operations/{operation_id}",
        "resourceData": {
            "@odata.type": "#microsoft.graph.inviteParticipantsOperation",
            "status": status,
            **members,
        },
    }


def roster_item(call_id: str, *people: str, **members: Any) -> dict[str, Any]:
    """Return a roster with these people in it."""
    return {
        "changeType": "updated",
        "resourceUrl": f"/communications/calls/{call_id}/participants",
        "resourceData": [
            {
                "@odata.type": "#microsoft.graph.participant",
                "id": None,
                "info": {"identity": {"user": {"id": person}}},
                "mediaStreams": [{"mediaType": "audio", "direction": "sendReceive"}],
                **members,
            }
            for person in people
        ],
    }


def call_item(call_id: str, state: str, **members: Any) -> dict[str, Any]:
    """Return a report of the call itself."""
    return {
        "changeType": "updated",
        "resourceUrl": f"/communications/calls/{call_id}",
        "resourceData": {"@odata.type": "#microsoft.graph.call", "state": state, **members},
    }


def terminated_item(call_id: str) -> dict[str, Any]:
    """Return the report of the call's end."""
    return call_item(call_id, "terminated", resultInfo={"code": "200", "subcode": "5001", "message": "ended"})


def delta_item(call_id: str, number: object, *people: str, **members: Any) -> dict[str, Any]:
    """Return a change of the roster that names these people."""
    item = roster_item(call_id, *people, **members)
    delta = {"@odata.type": "#microsoft.graph.deltaParticipants", "sequenceNumber": number}
    return {**item, "resourceData": [{**delta, "participants": item["resourceData"]}]}


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do all of these at the same time, and return what each gave."""
    results: list[Any] = []
    ready = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> None:
        ready.wait(10)
        results.append(work())

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == len(works)
    return results
