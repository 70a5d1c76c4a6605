"""The notifications that Graph sends to a call's ``callbackUri``, in each printed shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.simulator.entities import cased, invited, result_info
from dev.simulator.rosters import TYPE, Json, delta, roster

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dev.simulator.calls import Call, Operation
    from dev.simulator.options import Reporting
    from dev.simulator.people import Participant

_ROOTS = {"app": "/app/calls/", "communications": "/communications/calls/"}


def operation_item(operation: Operation, status: str) -> Json:
    """Return the notification of an operation: ``updated`` while running, ``deleted`` once it has ended."""
    chosen = operation.reporting
    ended = status != "running"
    call_id = _reported_call_id(operation) if chosen.replaced_call_id == "all" else operation.call.id
    nameless = chosen.operation_id_null and ended
    path = f"{call_id}/operations/{'participants' if nameless else operation.id}"
    data: Json = {
        TYPE: "#microsoft.graph.inviteParticipantsOperation",
        "participants": [
            {
                TYPE: "#microsoft.graph.invitationParticipantInfo",
                "identity": invited(invitee, operation.call),
            }
            for invitee in operation.people
        ],
        "status": cased(chosen, status),
        "clientContext": operation.client_context,
        "id": None if nameless else operation.id,
    }
    if chosen.without_client_context:
        del data["clientContext"]
    info = result_info(operation, always=chosen.result_info == "always")
    if ended and info and chosen.result_info != "never":
        data["resultInfo"] = info
    return _item(chosen, "deleted" if ended else "updated", path, chosen.operation_resource, data)


def roster_item(call: Call, chosen: Reporting, operation: Operation | None, changed: Iterable[Participant]) -> Json:
    """Return the notification of the roster: the whole of it, or what ``changed`` where the call asked for deltas."""
    call_id = call.id
    if operation and chosen.replaced_call_id != "none":
        call_id = _reported_call_id(operation)
    path = f"{call_id}/{'operations/' if chosen.roster_under_operations else ''}participants"
    shown = [delta(call, chosen, changed)] if call.options.delta_roster else roster(call, chosen, operation)
    return _item(chosen, "updated", path, chosen.roster_resource, shown)


def call_item(call: Call, chosen: Reporting, state: str) -> Json:
    """Return the notification of a call's state; that of its end has no ``resource``, as call-delete prints it."""
    data: Json = {
        TYPE: "#microsoft.graph.call",
        "id": call.id,
        "state": cased(chosen, state),
        "callChainId": call.chain_id,
        "tenantId": call.tenant_id,
    }
    if state != "terminated":
        return _item(chosen, "updated", call.id, "app", data)
    # call-delete's own sample sends the codes as text.
    data["resultInfo"] = {
        TYPE: "#microsoft.graph.resultInfo",
        "message": "Call terminated successfully.",
        "code": "200",
        "subcode": "5001",
    }
    return _item(chosen, "deleted", call.id, "none", data)


def foreign_items(call: Call, chosen: Reporting) -> list[Json]:
    """Return items of other kinds that the same address gets."""
    tone: Json = {TYPE: "#microsoft.graph.call", "toneInfo": {"sequenceId": 1, "tone": "tone5"}}
    unknown: Json = {TYPE: "#microsoft.graph.somethingNew", "id": "1"}
    return [
        _item(chosen, "updated", call.id, "app", tone),
        _item(chosen, "created", f"{call.id}/new/1", "app", unknown),
    ]


def envelope(items: Iterable[object]) -> Json:
    """Return the body of one POST."""
    return {TYPE: "#microsoft.graph.commsNotifications", "value": list(items)}


def _item(chosen: Reporting, change: str, path: str, resource: str, data: object) -> Json:
    item: Json = {TYPE: "#microsoft.graph.commsNotification", "changeType": cased(chosen, change)}
    if resource in _ROOTS:
        item["resource"] = _ROOTS[resource] + path
    return {**item, "resourceUrl": _ROOTS["communications"] + path, "resourceData": data}


def _reported_call_id(operation: Operation) -> str:
    return operation.people[0].replaces_call_id or operation.call.id
