"""Invitations, calls and rosters as this app's JSON: Graph's property names, times in ISO 8601 UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from domain.call import Presence, title
from domain.standing import has_ended, result_of, standing
from flows.advice import advice_for_call_end
from flows.reasons import invitation_reason, person_reason
from observability.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from domain.call import Call
    from domain.index import CallEntry
    from domain.invitation import Invitation, Invitee
    from domain.results import ResultInfo
    from domain.roster import RosterEntry
    from domain.standing import Standing
    from domain.waiting import WaitingFlow


def iso_time(value: datetime) -> str:
    """Return a time as ``2026-01-31T12:00:00.000Z``."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def invitation_view(
    invitation: Invitation, call: Call | None, now: datetime, *, flow: WaitingFlow | None = None
) -> dict[str, Any]:
    """Return an invitation as a flow sees it.

    Args:
        invitation: as stored.
        call: its call as stored, for presence.
        now: the time for which it is computed.
        flow: whose notification is shown; the first one's by default.
    """
    current = standing(invitation, call, now)
    view: dict[str, Any] = {
        "id": invitation.id,
        "callId": invitation.call_id,
        "clientContext": invitation.client_context,
        "status": current.status.value,
        "reason": invitation_reason(invitation, current, call),
        "resultInfo": result_view(result_of(invitation.operations)),
        "participants": [
            person_view(invitee, person, current, call) for person, invitee in enumerate(invitation.participants)
        ],
        "operations": [
            {
                "id": operation.id,
                "clientContext": operation.client_context,
                "status": operation.status.value,
                "resultInfo": result_view(operation.result),
            }
            for operation in invitation.operations
        ],
        "joinedCount": current.joined_count,
        "createdDateTime": iso_time(invitation.created),
        "lastUpdatedDateTime": iso_time(invitation.updated),
    }
    shown = flow or next(iter(invitation.flows), None)
    return view if shown is None else view | {"callback": _callback_view(invitation, shown, now)}


def _callback_view(invitation: Invitation, flow: WaitingFlow, now: datetime) -> dict[str, Any]:
    """Return how far notifying a flow has come, without its URL, which opens the flow."""
    return {
        "status": "due" if flow.is_waiting and has_ended(invitation, now) else flow.state.value,
        "attempts": flow.attempts,
        "lastAttemptDateTime": iso_time(flow.last_attempt) if flow.last_attempt else None,
        "lastStatusCode": flow.last_status,
    }


def invitee_view(invitee: Invitee) -> dict[str, Any]:
    """Return who is invited, and how."""
    view: dict[str, Any] = {"identity": {invitee.kind: dict(invitee.identity)}}
    optional = {
        "replacesCallId": invitee.replaces_call_id,
        "participantId": invitee.participant_id,
        "hidden": invitee.hidden,
        "removeFromDefaultAudioRoutingGroup": invitee.remove_from_default_audio_routing_group,
    }
    return view | {name: value for name, value in optional.items() if value is not None}


def person_view(invitee: Invitee, person: int, current: Standing, call: Call | None) -> dict[str, Any]:
    """Return a person of an invitation, given with the index in it."""
    operation = current.operations[person]
    return invitee_view(invitee) | {
        "operationId": operation.id,
        "status": current.people[person].value,
        "reason": person_reason(current, person, call),
        "resultInfo": result_view(operation.result),
        "presence": current.presence[person].value,
    }


def result_view(result: ResultInfo | None) -> dict[str, Any] | None:
    """Return Graph's codes and its text, redacted."""
    if result is None:
        return None
    message = redact(result.message) if result.message else None
    return {"code": result.code, "subcode": result.subcode, "message": message}


def call_view(call: Call) -> dict[str, Any]:
    """Return a call as Graph last reported it."""
    view: dict[str, Any] = {
        "id": call.call_id,
        "title": title(call),
        "state": call.state.value,
        "direction": call.direction,
        "subject": call.subject,
        "createdDateTime": iso_time(call.created),
        "lastUpdatedDateTime": iso_time(call.updated),
        "resultInfo": result_view(call.result),
        "reason": None if call.result is None or not call.has_ended else advice_for_call_end(call.result),
    }
    if call.start_id is not None:
        view["startId"] = call.start_id
    if call.ended_at is not None:
        view["endedDateTime"] = iso_time(call.ended_at)
    return view


def entry_view(entry: CallEntry) -> dict[str, Any]:
    """Return an open call of the index."""
    view: dict[str, Any] = {
        "id": entry.call_id,
        "title": entry.title,
        "state": entry.state.value,
        "direction": entry.direction,
        "subject": entry.subject,
        "createdDateTime": iso_time(entry.created),
        "lastUpdatedDateTime": iso_time(entry.updated),
        "resultInfo": None,
        "reason": None,
    }
    return view if entry.start_id is None else view | {"startId": entry.start_id}


def roster_view(
    roster: Iterable[RosterEntry], is_app: Callable[[RosterEntry], bool], *, include_left: bool
) -> list[dict[str, Any]]:
    """Return who is in a call, those who came first before the others; on request also who left."""
    shown = [entry for entry in roster if entry.is_listed or (include_left and entry.presence is Presence.LEFT)]
    shown.sort(key=lambda entry: (not entry.is_listed, entry.joined, entry.key))
    return [
        {
            "id": entry.id,
            "identity": {entry.kind: dict(entry.identity)},
            "presence": entry.presence.value,
            "isInLobby": entry.presence is Presence.IN_LOBBY,
            "isMuted": entry.is_muted,
            "isSelf": is_app(entry),
            "joinedDateTime": iso_time(entry.joined),
            "leftDateTime": iso_time(entry.left) if entry.left else None,
        }
        for entry in shown
    ]
