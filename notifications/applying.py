"""Applies what Graph reports of one call to what is known of it: pure changes of a record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from domain.call import CallState
from domain.ending import apply_call_state, with_settling, without_people
from domain.record import CallRecord, Lookup, Needs, OperationEntry, place_of
from domain.roster import apply_delta, apply_list, identity_hash
from domain.standing import settle
from domain.transitions import apply_graph_state, with_operations
from notifications.payload import CallReport, DeltaReport, OperationReport, Report, RosterReport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.invitation import Invitation

_FINAL = frozenset({"completed", "failed"})


def needs_of(reports: Sequence[Report]) -> Needs:
    """Return what has to be read to apply reports."""
    states = {report.state for report in reports if isinstance(report, CallReport)}
    ends = CallState.TERMINATED in states
    shows_people = any(isinstance(report, RosterReport | DeltaReport) for report in reports)
    return Needs(
        lookups=tuple(_lookup(report) for report in reports if isinstance(report, OperationReport)),
        call=True,
        # Before people are called into a call that is established, Graph's roster is applied to what is known of it.
        roster=ends or shows_people or CallState.ESTABLISHED in states,
        open_invitations=ends,
    )


def apply_reports(record: CallRecord, reports: Sequence[Report], now: datetime) -> CallRecord:
    """Return the record after all reports of one callback, in their order."""
    for report in reports:
        match report:
            case OperationReport():
                record = _apply_operation(record, report, now)
            case RosterReport():
                record = _settled(record, now, by_roster=False)
                call = record.call_or_new(now)
                after, changed = apply_list(call, record.roster, report.roster, now)
                record = without_people(record.with_call(after).with_roster(changed), now)
                record = _settled(record, now, by_roster=True)
            case DeltaReport():
                record = _settled(record, now, by_roster=False)
                call = record.call_or_new(now)
                after, changed = apply_delta(call, record.roster, report.roster, now, sequence=report.sequence)
                record = without_people(record.with_call(after).with_roster(changed), now)
                record = _settled(record, now, by_roster=True)
            case CallReport():
                record = apply_call_state(record, report.state, report.result, now)
                call = record.call_or_new(now)
                if call.direction is None and report.direction is not None:
                    record = record.with_call(replace(call, direction=report.direction))
    return with_settling(record, now)


def _lookup(report: OperationReport) -> Lookup:
    return Lookup(report.state.client_context, report.state.id)


def _apply_operation(record: CallRecord, report: OperationReport, now: datetime) -> CallRecord:
    lookup, state = _lookup(report), report.state
    invitation, place = _find(record, lookup)
    if invitation is None:
        return _keep_for_later(record, report)
    if place is not None:
        places = [place]
    elif state.client_context == invitation.client_context:
        places = _places_of(invitation, report.people)
    else:
        places = []
    operations = list(invitation.operations)
    for each in places:
        operations[each] = apply_graph_state(operations[each], state, now, ended=report.ended)
    return record.with_invitation(with_operations(invitation, operations, now))


def _find(record: CallRecord, lookup: Lookup) -> tuple[Invitation | None, int | None]:
    """Find the invitation and the operation that a report means: by its context, unless its id leads elsewhere."""
    by_context, place = None, None
    for candidate in lookup.candidates():
        by_context = record.invitations.get(candidate)
        if by_context is not None:
            place = place_of(by_context, lookup)
            break
    known = by_context.operations[place].id if by_context is not None and place is not None else None
    contradicts = known is not None and lookup.operation_id is not None and known != lookup.operation_id
    if by_context is not None and place is not None and not contradicts:
        return by_context, place
    entry = record.operations.get(lookup.operation_id or "")
    by_id = record.invitations.get(entry.invitation or "") if entry is not None else None
    if by_id is not None:
        place_by_id = place_of(by_id, Lookup(operation_id=lookup.operation_id))
        if place_by_id is not None:
            return by_id, place_by_id
    return by_context, place


def _keep_for_later(record: CallRecord, report: OperationReport) -> CallRecord:
    """Keep a report that came before Graph's answer to the invite and names only the operation's id."""
    state = report.state
    if state.id is None or state.client_context is not None or state.id in record.operations:
        return record
    if not report.ended and state.status not in _FINAL:
        return record  # it states nothing that the answer does not
    return record.with_operations({state.id: OperationEntry(report=state)})


def _places_of(invitation: Invitation, people: frozenset[str]) -> list[int]:
    """Return the operations whose people a report of the unsplit context names."""
    return [
        place
        for place, operation in enumerate(invitation.operations)
        if all(identity_hash(invitation.participants[person].id) in people for person in operation.people)
    ]


def _settled(record: CallRecord, now: datetime, *, by_roster: bool) -> CallRecord:
    """Settle the operations that had ended; before a roster is applied those only whose time for that is over."""
    for invitation in list(record.invitations.values()):
        record = record.with_invitation(settle(invitation, record.call, now, by_roster=by_roster))
    return record
