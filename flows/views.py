"""Invitations, calls and rosters as this app's JSON: Graph's property names, times in ISO 8601 UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from domain.model import Presence, Status, Verdict
from domain.roster import presence_of
from domain.transitions import result_of, status_of
from flows.advice import advice_for_outcome
from observability.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.model import CallState, FlowCallback, Invitation, Invitee, Operation, ResultInfo, RosterEntry


def moment(value: datetime) -> str:
    """Return a time as ``2026-01-31T12:00:00.000Z``."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def invitation_view(invitation: Invitation, presence: Mapping[str, Presence]) -> dict[str, Any]:
    """Return an invitation as a flow sees it."""
    operation_of = {place: operation for operation in invitation.operations for place in operation.people}
    view: dict[str, Any] = {
        "id": invitation.id,
        "callId": invitation.call_id,
        "clientContext": invitation.client_context,
        "status": status_of(invitation.operations).value,
        "resultInfo": _result_view(result_of(invitation.operations)),
        "participants": [
            _participant_view(invitee, operation_of[place], presence)
            for place, invitee in enumerate(invitation.participants)
        ],
        "operations": [
            {
                "id": operation.id,
                "clientContext": operation.client_context,
                "status": operation.status.value,
                "resultInfo": _result_view(operation.result),
            }
            for operation in invitation.operations
        ],
        "createdDateTime": moment(invitation.created),
        "lastUpdatedDateTime": moment(invitation.updated),
    }
    if invitation.callback is not None:
        view["callback"] = _callback_view(invitation.callback)
    return view


def _callback_view(callback: FlowCallback) -> dict[str, Any]:
    """Return how far telling the flow has come, without its address, which opens the flow."""
    return {
        "status": callback.state.value,
        "attempts": callback.attempts,
        "lastAttemptDateTime": moment(callback.last_attempt) if callback.last_attempt else None,
        "lastStatusCode": callback.last_status,
    }


def _participant_view(invitee: Invitee, operation: Operation, presence: Mapping[str, Presence]) -> dict[str, Any]:
    view: dict[str, Any] = {"identity": {invitee.kind: dict(invitee.identity)}}
    if invitee.replaces_call_id is not None:
        view["replacesCallId"] = invitee.replaces_call_id
    if invitee.participant_id is not None:
        view["participantId"] = invitee.participant_id
    if invitee.hidden is not None:
        view["hidden"] = invitee.hidden
    if invitee.remove_from_default_audio_routing_group is not None:
        view["removeFromDefaultAudioRoutingGroup"] = invitee.remove_from_default_audio_routing_group
    return view | {
        "operationId": operation.id,
        "status": operation.status.value,
        "resultInfo": _result_view(operation.result),
        "presence": presence_of(presence, invitee.id).value,
    }


def _result_view(result: ResultInfo | None) -> dict[str, Any] | None:
    if result is None:
        return None
    message = redact(result.message) if result.message else None
    return {"code": result.code, "subcode": result.subcode, "message": message}


def failure_message(invitation: Invitation) -> str:
    """Return one or two sentences for the maker whose invitation failed."""
    failed = next((entry for entry in invitation.operations if entry.status is Status.FAILED), None)
    if failed is not None and failed.verdict is not Verdict.GRAPH and failed.result and failed.result.message:
        return failed.result.message  # the app's own words
    return advice_for_outcome(failed.result if failed else None)


def call_view(call: CallState) -> dict[str, Any]:
    """Return a call as Graph last reported it."""
    return {
        "id": call.call_id,
        "state": call.state or "unknown",
        "resultInfo": _result_view(call.result),
        "createdDateTime": moment(call.created),
        "lastUpdatedDateTime": moment(call.updated),
    }


def roster_view(roster: Iterable[RosterEntry], *, include_left: bool) -> list[dict[str, Any]]:
    """Return who is in a call, those who came first before the others; on request also who left."""
    shown = [entry for entry in roster if include_left or entry.presence is not Presence.LEFT]
    shown.sort(key=lambda entry: (entry.presence is Presence.LEFT, entry.joined, entry.key))
    return [
        {
            "id": entry.id,
            "identity": {entry.kind: dict(entry.identity)},
            "presence": entry.presence.value,
            "isInLobby": entry.presence is Presence.IN_LOBBY,
            "isMuted": entry.is_muted,
            "joinedDateTime": moment(entry.joined),
            "leftDateTime": moment(entry.left) if entry.left else None,
        }
        for entry in shown
    ]
