"""Starts and calls as this app's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from calls.outcomes import (
    escalation_of,
    invitation_of,
    people_in_steps,
    people_of,
    result_of_outcome,
    standing_of,
    status_of,
)
from domain.invitation import Status
from domain.standing import presence_of
from domain.start import Over, StartStatus
from flows.advice import advice_for_call_end
from flows.reasons import person_reason
from flows.views import call_view, iso_time, result_view

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.call import Call
    from domain.record import CallRecord
    from domain.results import ResultInfo
    from domain.start import Start

    PageUrl = Callable[[Call], str | None]

ALREADY_IN = "Was in the call already, so this person was not called."
_NOT_CALLED = "This person was not called, because the start ended before."
_CALL_ENDED = "The call ended before this person joined. Start a new call, then invite."
_UNCONFIRMED = (
    "Microsoft Graph has not shown this person in the call. Check who is in the call before you call them again."
)
_HIDDEN = "The call hides who is in it. Check who is in the call before you call this person again."
_STOPPED = "The start was stopped. Start again to call the people who have not joined."


def start_view(start: Start, record: CallRecord | None, now: datetime, *, page_url: PageUrl) -> dict[str, Any]:
    """Return a start as a flow sees it.

    Args:
        start: as stored.
        record: its call with the invitation that followed; None where there is no call.
        now: the time for which it is computed.
        page_url: returns the URL of a call's page.
    """
    call = record.call if record is not None else None
    statuses = people_of(start, record, now)
    presences = [presence_of(call, invitee.id) for invitee in start.participants]
    invitation, escalation = invitation_of(start, record), escalation_of(start, record)
    status = status_of(start, record, now)
    return {
        "id": start.id,
        "callId": start.call_id,
        "clientContext": start.client_context,
        "status": status.value,
        "reason": reason_of(start, record, now),
        "resultInfo": result_view(_result(start, record, status)),
        "call": None if call is None else call_view(call) | {"pageUrl": page_url(call)},
        "participants": [
            {
                "identity": {invitee.kind: dict(invitee.identity)},
                "status": statuses[person].value,
                "reason": _person_reason(start, record, person, statuses[person], now),
                "presence": presences[person].value,
            }
            for person, invitee in enumerate(start.participants)
        ],
        "joinedCount": sum(presence.value in ("inCall", "left") for presence in presences),
        "invitationId": None if invitation is None else invitation.id,
        "escalationId": None if escalation is None else escalation.id,
        "createdDateTime": iso_time(start.created),
        "lastUpdatedDateTime": iso_time(start.updated),
    }


def reason_of(start: Start, record: CallRecord | None, now: datetime) -> str | None:
    """Return the sentence about a start; None where there is nothing to explain."""
    status = status_of(start, record, now)
    result = _result(start, record, status)
    if not status.is_final:
        return None
    if status is StartStatus.STOPPED:
        return _STOPPED
    statuses = people_of(start, record, now)
    if status is StartStatus.PARTIALLY_COMPLETED:
        came = statuses.count(Status.COMPLETED)
        return f"{came} of {len(statuses)} people came. Look at each participant's reason for the others."
    if status is StartStatus.FAILED and invitation_of(start, record) is None and (own := _failure(result, record)):
        return own
    if status is StartStatus.COMPLETED and Status.UNCONFIRMED not in statuses:
        return None
    reasons = (_person_reason(start, record, person, one, now) for person, one in enumerate(statuses))
    return next((reason for reason in reasons if reason is not None), result.message if result is not None else None)


def _result(start: Start, record: CallRecord | None, status: StartStatus) -> ResultInfo | None:
    """Return the result of a start, the same before and after its outcome is written down."""
    if isinstance(start.stage, Over):
        return start.stage.result
    return result_of_outcome(start, record, status) if status.is_final else None


def _failure(result: ResultInfo | None, record: CallRecord | None) -> str | None:
    """Return why a start failed before people were invited: the advice for its call's end, else the app's own words."""
    call = record.call if record is not None else None
    if call is not None and call.has_ended and call.result is not None and result in (None, call.result):
        return advice_for_call_end(call.result)
    return None if result is None else result.message


def _person_reason(start: Start, record: CallRecord | None, person: int, status: Status, now: datetime) -> str | None:
    if start.steps:
        view = people_in_steps(start, record, now)[person]
        return view["reason"] if view is not None else _NOT_CALLED if status_of(start, record, now).is_final else None
    found = standing_of(start, record, now)
    call = record.call if record is not None else None
    if found is not None:
        current, indexes = found
        index = indexes[person]
        return ALREADY_IN if index is None else person_reason(current, index, call)
    if status is Status.COMPLETED and not start.calls_targets:
        return ALREADY_IN
    if status is Status.UNCONFIRMED:
        return _HIDDEN if call is not None and call.hides_identities else _UNCONFIRMED
    if status is Status.FAILED:
        result = start.stage.result if isinstance(start.stage, Over) else None
        return _failure(result, record) or (_STOPPED if start.is_stopped else _CALL_ENDED)
    return _NOT_CALLED if status is Status.NOT_STARTED and start.is_final else None
