"""Calls and operations as Graph shows them.

The shapes and their oddities are those of the examples on
https://learn.microsoft.com/graph/api/participant-invite and of the resource pages it links to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.simulator.rosters import TYPE, Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.simulator.calls import Call, Operation
    from dev.simulator.options import Reporting
    from dev.simulator.people import Invitee

_ECHOED = ("application", "device", "phone")
# Example 4, a phone, prints more of the identity types that its target is not.
_ECHOED_FOR_OTHERS = ("user", "guest", "encrypted", "onPremises", "applicationInstance", *_ECHOED)
_CASINGS: dict[str, Callable[[str], str]] = {
    "documented": str,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
}


def invite_answer(operation: Operation) -> Json:
    """Return the body that answers a taken invite."""
    status = operation.reporting.response_status
    return {
        TYPE: "#microsoft.graph.inviteParticipantsOperation",
        "id": operation.id,
        "status": None if status is None else cased(operation.reporting, status),
        "clientContext": operation.client_context,
        "resultInfo": None,
        "participants": [_echo(invitee, operation.call) for invitee in operation.people],
    }


def operation_read(operation: Operation) -> Json:
    """Return an operation as a GET would."""
    return {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#commsOperation",
        TYPE: "#microsoft.graph.inviteParticipantsOperation",
        "id": operation.id,
        "status": operation.status,
        "clientContext": operation.client_context,
        "resultInfo": result_info(operation, always=False),
        "participants": [_echo(invitee, operation.call) for invitee in operation.people],
    }


def call_read(call: Call) -> Json:
    """Return a call as a GET does, and as the response to its creation: what the app sent, and much that is null."""
    chat = call.joined_by.get("chatInfo")
    if chat is None and call.kind == "group" and not call.details:
        chat = {TYPE: "#microsoft.graph.chatInfo", "threadId": f"19:meeting_{call.chain_id}@thread.v2"}
    return {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#communications/calls/$entity",
        "activeModalities": [],
        "answeredBy": None,
        "meetingCapability": None,
        "ringingTimeoutInSeconds": None,
        "routingPolicies": [],
        "terminationReason": None,
        "toneInfo": None,
        **call.details,
        TYPE: "#microsoft.graph.call",
        "id": call.id,
        "state": call.state,
        "direction": call.direction,
        "callbackUri": call.callback_uri,
        "callChainId": call.chain_id,
        "tenantId": call.tenant_id,
        "myParticipantId": call.me.id,
        "chatInfo": chat,
    }


def result_info(operation: Operation, *, always: bool) -> Json | None:
    """Return the result of an operation that failed; with ``always`` also of one that did not."""
    result = operation.result or ((200, 0, "") if always else None)
    if result is None:
        return None
    code, subcode, message = result
    as_text = operation.reporting.string_codes
    return {
        TYPE: "#microsoft.graph.resultInfo",
        "code": str(code) if as_text else code,
        "subcode": str(subcode) if as_text else subcode,
        "message": message,
    }


def _echo(invitee: Invitee, call: Call) -> Json:
    identity = invitee.identity
    moved = invitee.participant_id is not None
    members = dict(identity.members)
    echo: Json = {"endpointType": None}
    if moved or identity.kind != "user":
        echo["id"] = None
    echo["replacesCallId"] = invitee.replaces_call_id
    if moved:
        echo["participantId"] = invitee.participant_id
        members = {**_with_tenant(members, call), "displayName": members.get("displayName", "Participant")}
        members.pop(TYPE, None)
    elif identity.kind == "user":
        members.setdefault("displayName", "Participant")
    nulls = _ECHOED if identity.kind == "user" else _ECHOED_FOR_OTHERS
    echo["identity"] = {**dict.fromkeys(nulls), identity.kind: members}
    return echo


def invited(invitee: Invitee, call: Call) -> Json:
    """Return who was invited, as a finished operation names them."""
    members = dict(invitee.identity.members)
    return _identity_set(
        invitee.identity.kind, _with_tenant(members, call) if invitee.participant_id is not None else members
    )


def _with_tenant(members: dict[str, object], call: Call) -> Json:
    return {**members, "tenantId": members.get("tenantId", call.tenant_id)}


def _identity_set(kind: str, members: Json) -> Json:
    return {
        TYPE: "#microsoft.graph.identitySet",
        kind: {TYPE: "#microsoft.graph.identity", **members},
    }


def cased(chosen: Reporting, word: str) -> str:
    """Write an enumeration's member in the letter case chosen."""
    return _CASINGS[chosen.casing](word)
