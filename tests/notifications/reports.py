"""Graph's reports as items of a callback, and invitations for them to be about."""

from __future__ import annotations

import json
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain import transitions
from domain.model import Invitation, Operation
from graph import wire
from storage import rows
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
    """Note Graph's answer to the invite."""
    stored = door.table.invitation(invitation.call_id, invitation.id)
    assert stored is not None
    state = wire.operation_state(body)
    changed = transitions.change_operations(
        stored.value, states.NOON, lambda operation: transitions.hears(operation, state)
    )
    if changed is not stored.value:
        index = rows.operation_entity(invitation.call_id, str(state.id), invitation=invitation.id, report=None)
        door.table.write([rows.Row(rows.invitation_entity(changed), etag=stored.etag), rows.Row(index)])


def statuses_of(invitation: Invitation) -> list[str]:
    """Return the status of each of an invitation's requests."""
    return [operation.status.value for operation in invitation.operations]


def kept(door: Door, call_id: str, *operations: Operation, **members: Any) -> Invitation:
    """Keep an invitation of one person, or with these operations."""
    context = members.pop("client_context", f"context-{uuid.uuid4()}")
    made = operations or (Operation(context, (0,)),)
    return door.keep(
        states.invitation(*made, call_id=call_id, client_context=context, id=rows.invitation_id(context), **members)
    )


def many_kept(door: Door, call_id: str, count: int) -> list[Invitation]:
    """Keep many open invitations of one call, a hundred at a time."""
    made = [
        states.invitation(
            Operation(context, (0,)), call_id=call_id, client_context=context, id=rows.invitation_id(context)
        )
        for context in (f"context-{number}" for number in range(count))
    ]
    door.table.write([rows.Row(rows.invitation_entity(invitation), is_new=True) for invitation in made])
    return made


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
    """Do all of these at the same moment, and return what each gave."""
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
