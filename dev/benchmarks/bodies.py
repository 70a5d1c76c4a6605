"""The bodies that both sides of a benchmark are given; nothing of the app is imported here."""

from __future__ import annotations

import uuid
from typing import Any


def invite_body(client_context: str) -> dict[str, Any]:
    """Return the body of an invite of one person, as a flow sends it."""
    return {
        "participants": [
            {
                "@odata.type": "#microsoft.graph.invitationParticipantInfo",
                "identity": {
                    "@odata.type": "#microsoft.graph.identitySet",
                    "user": {
                        "@odata.type": "#microsoft.graph.identity",
                        "id": "278405a3-f568-4b3e-b684-009193463064",
                        "identityProvider": "AAD",
                    },
                },
            }
        ],
        "clientContext": client_context,
    }


def operation_report(call_id: str, client_context: str, operation_id: str) -> dict[str, Any]:
    """Return the callback in which an operation has completed, as Graph documents it."""
    return _notification(
        "deleted",
        f"/app/calls/{call_id}/operations/{operation_id}",
        {
            "@odata.type": "#microsoft.graph.inviteParticipantsOperation",
            "id": operation_id,
            "status": "completed",
            "clientContext": client_context,
        },
    )


def roster_report(call_id: str, people: int = 50) -> dict[str, Any]:
    """Return the callback with a roster of so many people."""
    return _notification("updated", f"/app/calls/{call_id}/participants", [_participant() for _ in range(people)])


def _participant() -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.participant",
        "id": str(uuid.uuid4()),
        "info": {
            "@odata.type": "#microsoft.graph.participantInfo",
            "identity": {
                "@odata.type": "#microsoft.graph.identitySet",
                "user": {
                    "@odata.type": "#microsoft.graph.identity",
                    "id": str(uuid.uuid4()),
                    "displayName": "Somebody Invited",
                    "tenantId": "72f988bf-86f1-41af-91ab-2d7cd011db47",
                    "identityProvider": "AAD",
                },
            },
            "languageId": "en-US",
            "region": "EMEA",
        },
        "mediaStreams": [
            {
                "@odata.type": "#microsoft.graph.mediaStream",
                "mediaType": "audio",
                "label": "main-audio",
                "sourceId": "1",
                "direction": "sendReceive",
                "serverMuted": False,
            }
        ],
        "isMuted": False,
        "isInLobby": False,
    }


def _notification(change: str, resource: str, data: Any) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.commsNotifications",
        "value": [
            {
                "@odata.type": "#microsoft.graph.commsNotification",
                "changeType": change,
                "resourceUrl": resource,
                "resourceData": data,
            }
        ],
    }
