"""The notifications that Graph sends to a call's ``callbackUri``, in each printed shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.simulator.entities import cased, invited, result_info
from dev.simulator.rosters import TYPE, Json, delta, roster

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    """Return the notification of the roster: the whole of it, or what ``changed`` for a call with delta rosters."""
    call_id = call.id
    if operation and chosen.replaced_call_id != "none":
        call_id = _reported_call_id(operation)
    path = f"{call_id}/{'operations/' if chosen.roster_under_operations else ''}participants"
    shown = [delta(call, chosen, changed)] if call.options.delta_roster else roster(call, chosen, operation)
    return _item(chosen, "updated", path, chosen.roster_resource, shown)


def call_item(
    call: Call, chosen: Reporting, state: str, result: tuple[int, int, str] | None, extras: Mapping[str, object]
) -> Json:
    """Return the notification of a call's state."""
    documented = chosen.call_form == "documented"
    data: Json = {
        TYPE: "#microsoft.graph.call",
        "state": cased(chosen, state),
        **({"id": call.id, "tenantId": call.tenant_id} if documented else {}),
        "callChainId": call.chain_id,
        **(call.joined_by if chosen.chat_info == "early" else {}),
        **extras,
    }
    if result is None:
        return _item(chosen, "updated", call.id, "app", data)
    code, subcode, text = result
    as_text = chosen.string_codes or documented
    data["resultInfo"] = {
        TYPE: "#microsoft.graph.resultInfo",
        "code": str(code) if as_text else code,
        "subcode": str(subcode) if as_text else subcode,
        "message": f"{text}. DiagCode: 0#{subcode}.@",
    }
    # The sample on the page about ending a call has no ``resource``.
    return _item(chosen, "deleted", call.id, "none" if documented else "app", data)


def bare_end(call: Call, chosen: Reporting) -> Json:
    """Return the end of a call as it is documented for a rejected one: without state and result."""
    data: Json = {TYPE: "#microsoft.graph.call", "@odata.id": f"{_ROOTS['communications']}{call.id}"}
    return _item(chosen, "deleted", call.id, "none", data)


def media_state(chosen: Reporting) -> Json:
    """Return what a call's state has once audio flows; recordings also have properties that no schema declares."""
    undeclared: Json = {"meetingCapability": {TYPE: "#microsoft.graph.meetingCapability"}, "coOrganizers": []}
    state: Json = {"mediaState": {TYPE: "#microsoft.graph.callMediaState", "audio": "active"}}
    return state if chosen.undeclared == "never" else {**state, **undeclared}


def incoming_item(call: Call, chosen: Reporting) -> Json:
    """Return the notification of an incoming call."""
    path = f"{_ROOTS['communications']}{call.id}"
    data: Json = {
        TYPE: "#microsoft.graph.call",
        "@odata.id": path,
        "@odata.etag": 'W/"5445"',
        "id": call.id,
        "state": cased(chosen, "incoming"),
        "direction": "incoming",
        "callbackUri": call.callback_uri,
        "callChainId": call.chain_id,
        **call.joined_by,
        **call.details,
    }
    return _item(chosen, "created", call.id, "none", data)


def old_form(call: Call) -> Json:
    """Return an incoming call as the Bot Framework had it before Graph."""
    return {
        "id": call.id,
        "participants": [
            {"identity": someone.identity.mri, "languageId": "en-US", "originator": not someone.is_app}
            for someone in (*call.present, call.me)
        ],
        "isMultiparty": call.kind == "group",
        "threadId": None,
        "subject": None,
        "callState": "incoming",
        "links": {"call": "https://call.example.com"},
        "presentedModalityTypes": ["audio"],
    }


def foreign_items(call: Call, chosen: Reporting) -> list[Json]:
    """Return items of other kinds that the same URL gets."""
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
