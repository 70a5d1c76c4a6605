"""Invitations, roster entries and calls as JSON documents, and back.

The document is the state; the few properties beside it in a row are there to be filtered by.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.model import (
    CallState,
    Delivery,
    FlowCallback,
    Invitation,
    Invitee,
    KeyKind,
    Operation,
    Presence,
    ResultInfo,
    RosterEntry,
    Status,
    Verdict,
)

_LONGEST_MESSAGE = 1_500


def invitation_document(invitation: Invitation) -> dict[str, Any]:
    """Return the document of an invitation."""
    return {
        "id": invitation.id,
        "callId": invitation.call_id,
        "clientContext": invitation.client_context,
        "keyKind": invitation.key_kind.value,
        "fingerprint": invitation.fingerprint,
        "participants": [_invitee_document(invitee) for invitee in invitation.participants],
        "operations": [_operation_document(operation) for operation in invitation.operations],
        "created": invitation.created.isoformat(),
        "updated": invitation.updated.isoformat(),
        "asked": invitation.asked.isoformat(),
        "token": invitation.token,
        "watch": invitation.watch,
        "checkDue": invitation.check_due.isoformat(),
        "callback": _callback_document(invitation.callback),
    }


def read_invitation(document: dict[str, Any]) -> Invitation:
    """Return the invitation of a document."""
    return Invitation(
        id=document["id"],
        call_id=document["callId"],
        client_context=document["clientContext"],
        key_kind=KeyKind(document["keyKind"]),
        fingerprint=document["fingerprint"],
        participants=tuple(_read_invitee(entry) for entry in document["participants"]),
        operations=tuple(_read_operation(entry) for entry in document["operations"]),
        created=datetime.fromisoformat(document["created"]),
        updated=datetime.fromisoformat(document["updated"]),
        asked=datetime.fromisoformat(document["asked"]),
        token=document["token"],
        watch=document["watch"],
        check_due=datetime.fromisoformat(document["checkDue"]),
        callback=_read_callback(document["callback"]),
    )


def _callback_document(callback: FlowCallback | None) -> dict[str, Any] | None:
    if callback is None:
        return None
    return {
        "url": callback.url,
        "messageId": callback.message_id,
        "state": callback.state.value,
        "attempts": callback.attempts,
        "lastAttempt": callback.last_attempt.isoformat() if callback.last_attempt else None,
        "lastStatus": callback.last_status,
    }


def _read_callback(document: dict[str, Any] | None) -> FlowCallback | None:
    if document is None:
        return None
    last_attempt = document["lastAttempt"]
    return FlowCallback(
        url=document["url"],
        message_id=document["messageId"],
        state=Delivery(document["state"]),
        attempts=document["attempts"],
        last_attempt=datetime.fromisoformat(last_attempt) if last_attempt else None,
        last_status=document["lastStatus"],
    )


def _invitee_document(invitee: Invitee) -> dict[str, Any]:
    document: dict[str, Any] = {"kind": invitee.kind, "identity": dict(invitee.identity)}
    optional = {
        "replacesCallId": invitee.replaces_call_id,
        "participantId": invitee.participant_id,
        "hidden": invitee.hidden,
        "removeFromDefaultAudioRoutingGroup": invitee.remove_from_default_audio_routing_group,
        "identitySetType": invitee.identity_set_type,
    }
    document.update({name: value for name, value in optional.items() if value is not None})
    return document


def _read_invitee(document: dict[str, Any]) -> Invitee:
    return Invitee(
        kind=document["kind"],
        identity=document["identity"],
        replaces_call_id=document.get("replacesCallId"),
        participant_id=document.get("participantId"),
        hidden=document.get("hidden"),
        remove_from_default_audio_routing_group=document.get("removeFromDefaultAudioRoutingGroup"),
        identity_set_type=document.get("identitySetType"),
    )


def _operation_document(operation: Operation) -> dict[str, Any]:
    return {
        "clientContext": operation.client_context,
        "people": list(operation.people),
        "status": operation.status.value,
        "id": operation.id,
        "result": _result_document(operation.result),
        "verdict": operation.verdict.value if operation.verdict else None,
        "refused": operation.refused,
    }


def _read_operation(document: dict[str, Any]) -> Operation:
    verdict = document["verdict"]
    return Operation(
        client_context=document["clientContext"],
        people=tuple(document["people"]),
        status=Status(document["status"]),
        id=document["id"],
        result=_read_result(document["result"]),
        verdict=Verdict(verdict) if verdict else None,
        refused=document["refused"],
    )


def _result_document(result: ResultInfo | None) -> list[Any] | None:
    if result is None:
        return None
    # Graph's text has no limit of its own, and a row has: what nobody is shown need not be kept.
    return [result.code, result.subcode, result.message and result.message[:_LONGEST_MESSAGE]]


def _read_result(document: list[Any] | None) -> ResultInfo | None:
    return None if document is None else ResultInfo(*document)


def roster_document(entry: RosterEntry) -> dict[str, Any]:
    """Return the document of a roster entry."""
    return {
        "key": entry.key,
        "kind": entry.kind,
        "identity": dict(entry.identity),
        "id": entry.id,
        "presence": entry.presence.value,
        "isMuted": entry.is_muted,
        "joined": entry.joined.isoformat(),
        "left": entry.left.isoformat() if entry.left else None,
        "sequence": entry.sequence,
    }


def read_roster_entry(document: dict[str, Any]) -> RosterEntry:
    """Return the roster entry of a document."""
    left = document["left"]
    return RosterEntry(
        key=document["key"],
        kind=document["kind"],
        identity=document["identity"],
        id=document["id"],
        presence=Presence(document["presence"]),
        is_muted=document["isMuted"],
        joined=datetime.fromisoformat(document["joined"]),
        left=datetime.fromisoformat(left) if left else None,
        sequence=document["sequence"],
    )


# One letter each: a call of a thousand people keeps its presence in one property.
_PRESENCE_LETTERS = {Presence.IN_CALL: "c", Presence.IN_LOBBY: "l", Presence.LEFT: "x", Presence.UNKNOWN: "u"}
_PRESENCES = {letter: presence for presence, letter in _PRESENCE_LETTERS.items()}


def call_document(call: CallState) -> dict[str, Any]:
    """Return the document of a call."""
    return {
        "callId": call.call_id,
        "created": call.created.isoformat(),
        "updated": call.updated.isoformat(),
        "state": call.state,
        "result": _result_document(call.result),
        "rosterSequence": call.roster_sequence,
        "presence": {name: _PRESENCE_LETTERS[presence] for name, presence in call.presence.items()},
    }


def read_call(document: dict[str, Any]) -> CallState:
    """Return the call of a document."""
    return CallState(
        call_id=document["callId"],
        created=datetime.fromisoformat(document["created"]),
        updated=datetime.fromisoformat(document["updated"]),
        state=document["state"],
        result=_read_result(document["result"]),
        roster_sequence=document["rosterSequence"],
        presence={name: _PRESENCES[letter] for name, letter in document["presence"].items()},
    )
