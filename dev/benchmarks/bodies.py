"""The bodies that both sides of a benchmark are given, in Graph's documented forms; nothing of the app is imported."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_GRAPH = "#microsoft.graph."
_SOMEBODY = "278405a3-f568-4b3e-b684-009193463064"


def _user(user_id: str, **more: str) -> dict[str, Any]:
    user = {"@odata.type": f"{_GRAPH}identity", "id": user_id, "identityProvider": "AAD", **more}
    return {"@odata.type": f"{_GRAPH}identitySet", "user": user}


def invite_body(client_context: str, user_id: str = _SOMEBODY) -> dict[str, Any]:
    """Return the body of an invite of one person, as a flow sends it."""
    identity = _user(user_id)
    participant = {"@odata.type": f"{_GRAPH}invitationParticipantInfo", "identity": identity}
    return {"participants": [participant], "clientContext": client_context}


def operation_report(call_id: str, client_context: str, operation_id: str, status: str = "completed") -> dict[str, Any]:
    """Return the callback in which an operation has ended."""
    operation = {"@odata.type": f"{_GRAPH}inviteParticipantsOperation", "id": operation_id, "status": status}
    resource = f"/app/calls/{call_id}/operations/{operation_id}"
    return _notification("deleted", resource, {**operation, "clientContext": client_context})


def established_report(call_id: str) -> dict[str, Any]:
    """Return the callback in which a call is established."""
    return _notification("updated", f"/app/calls/{call_id}", {"@odata.type": f"{_GRAPH}call", "state": "established"})


def roster_report(call_id: str, people: int = 50) -> dict[str, Any]:
    """Return the callback with a roster of so many people, all new."""
    return roster_of(call_id, [participant() for _ in range(people)])


def roster_of(call_id: str, people: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the callback with a roster of these people."""
    return _notification("updated", f"/app/calls/{call_id}/participants", list(people))


def participant() -> dict[str, Any]:
    """Return a person of a roster."""
    tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
    identity = _user(str(uuid.uuid4()), displayName="An Invited Person", tenantId=tenant)
    info = {"@odata.type": f"{_GRAPH}participantInfo", "identity": identity, "languageId": "en-US", "region": "EMEA"}
    stream = {"@odata.type": f"{_GRAPH}mediaStream", "mediaType": "audio", "sourceId": "1", "direction": "sendReceive"}
    one = {"@odata.type": f"{_GRAPH}participant", "id": str(uuid.uuid4()), "info": info}
    return {**one, "mediaStreams": [stream], "isMuted": False, "isInLobby": False}


def _notification(change: str, resource: str, data: Any) -> dict[str, Any]:
    item = {"@odata.type": f"{_GRAPH}commsNotification", "changeType": change, "resourceUrl": resource}
    return {"@odata.type": f"{_GRAPH}commsNotifications", "value": [{**item, "resourceData": data}]}
