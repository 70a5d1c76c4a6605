"""Applying what Graph reports of one call to what is known of it: read, decide purely, write, all under ETags."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from domain import roster as rosters
from domain import transitions
from domain.contexts import unsplit_context
from domain.model import CallState, Invitation, Operation, Status
from flows.conclusions import tell_conclusion
from notifications.payload import CallReport, DeltaReport, OperationReport, Report, RosterReport
from storage import rows
from storage.table import AlreadyThere, Conflict
from watchdog.service import call_ended
from web.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from domain.model import RosterEntry
    from flows.delivery import Outcomes
    from storage.calls import CallTable, Stored
    from storage.rows import Row

_MOST_CONFLICTS = 20
_FINAL_WORDS = frozenset({"completed", "failed"})


@dataclass
class _Known:
    """What was read of a call for one callback, and what is to be written back."""

    call_id: str
    now: datetime
    invitations: dict[str, Stored[Invitation]] = field(default_factory=dict)
    changed: dict[str, Invitation] = field(default_factory=dict)
    call: Stored[CallState] | None = None
    call_is_read: bool = False
    new_call: CallState | None = None
    roster: dict[str, RosterEntry] = field(default_factory=dict)
    roster_is_read: bool = False
    changed_roster: dict[str, RosterEntry] = field(default_factory=dict)
    early: dict[str, str] = field(default_factory=dict)

    def invitation(self, invitation_id: str) -> Invitation | None:
        stored = self.invitations.get(invitation_id)
        return self.changed.get(invitation_id) or (stored.value if stored else None)

    def state(self) -> CallState:
        known = self.call.value if self.call else None
        return self.new_call or known or CallState(self.call_id, self.now, self.now)


class Applying:
    """Applies the reports of one callback, call by call."""

    def __init__(
        self, table: CallTable, outcomes: Outcomes, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._table = table
        self._outcomes = outcomes
        self._now = now

    def apply(self, call_id: str, reports: Sequence[Report]) -> None:
        """Apply all reports of one call, in their order.

        Raises:
            StorageUnavailable: something may not be written; Graph should send again.
        """
        for _ in range(_MOST_CONFLICTS):
            known = _Known(call_id, self._now())
            for report in reports:
                self._apply(known, report)
            try:
                self._write(known)
            except (Conflict, AlreadyThere):
                continue
            else:
                return
        raise StorageUnavailable

    def _apply(self, known: _Known, report: Report) -> None:
        match report:
            case OperationReport():
                self._apply_operation(known, report)
            case RosterReport():
                self._read_roster(known)
                call, changed = rosters.apply_list(known.state(), self._roster(known), report.people, known.now)
                self._keep(known, call, changed)
            case DeltaReport():
                self._read_roster(known)
                call, changed = rosters.apply_delta(
                    known.state(), self._roster(known), report.people, known.now, sequence=report.sequence
                )
                self._keep(known, call, changed)
            case CallReport():
                self._apply_call(known, report)

    def _apply_operation(self, known: _Known, report: OperationReport) -> None:
        state = report.state
        invitation, place = self._by_context(known, state.client_context, state.id)
        if state.id is not None and (place is None or invitation is None or _is_other(invitation, place, state.id)):
            # By its id: there is no context, or it leads elsewhere.
            index = self._table.operation(known.call_id, state.id)
            if index is None and state.client_context is None:
                self._keep_for_later(known, state.id, report)
            found = self._read_invitation(known, index.invitation_id) if index and index.invitation_id else None
            if found is not None and (found_place := _place(found, None, state.id)) is not None:
                invitation, place = found, found_place
        if invitation is None:
            return
        if place is not None:
            places = [place]
        elif state.client_context == invitation.client_context:
            places = _places_of(invitation, report.people)
        else:
            places = []
        operations = list(invitation.operations)
        for each in places:
            operations[each] = transitions.hears(operations[each], state, ended=report.ended)
        if tuple(operations) != invitation.operations:
            known.changed[invitation.id] = transitions.with_operations(invitation, operations, known.now)

    def _by_context(
        self, known: _Known, context: str | None, operation_id: str | None
    ) -> tuple[Invitation | None, int | None]:
        if context is None:
            return None, None
        # A caller's own context never ends like a part's, so the likelier reading comes first and saves a request.
        for candidate in dict.fromkeys((unsplit_context(context), context)):
            invitation = self._read_invitation(known, rows.invitation_id(candidate))
            if invitation is not None:
                return invitation, _place(invitation, context, operation_id)
        return None, None

    @staticmethod
    def _keep_for_later(known: _Known, operation_id: str, report: OperationReport) -> None:
        """A report can come before Graph's answer to the invite, which then looks for it under the operation's id."""
        state, result = report.state, report.state.result
        if not report.ended and state.status not in _FINAL_WORDS:
            return  # it would stand in the way of the outcome, and says nothing that the answer does not
        early = {
            "id": operation_id,
            "status": state.status,
            "resultInfo": result and {"code": result.code, "subcode": result.subcode, "message": result.message},
        }
        known.early.setdefault(operation_id, json.dumps(early))

    def _read_invitation(self, known: _Known, invitation_id: str) -> Invitation | None:
        if invitation_id not in known.invitations:
            stored = self._table.invitation(known.call_id, invitation_id)
            if stored is None:
                return None
            known.invitations[invitation_id] = stored
        return known.invitation(invitation_id)

    def _apply_call(self, known: _Known, report: CallReport) -> None:
        self._read_call(known)
        before = known.state()
        if before.state != "terminated":
            known.new_call = replace(
                before,
                state=report.state or before.state,
                result=report.result or before.result,
                updated=known.now,
            )
        # A call that ended stays so; whatever else comes later was sent before. Its end may come again because not all
        # of it could be written the first time.
        if report.state == "terminated":
            for stored in self._table.open_invitations(known.call_id):
                known.invitations.setdefault(stored.value.id, stored)
            for invitation_id in known.invitations:
                self._settle(known, invitation_id, report)

    @staticmethod
    def _settle(known: _Known, invitation_id: str, report: CallReport) -> None:
        """An invitation that is open when its call ends has failed, unless Graph says otherwise."""
        before = known.invitation(invitation_id)
        if before is None:
            return

        def settled(operation: Operation) -> Operation:
            return transitions.concluded(operation, Status.FAILED, call_ended(report.result))

        after = transitions.change_operations(before, known.now, settled)
        if after is not before:
            known.changed[invitation_id] = after

    def _read_call(self, known: _Known) -> None:
        if not known.call_is_read:
            known.call = self._table.call(known.call_id)
            known.call_is_read = True

    def _read_roster(self, known: _Known) -> None:
        if not known.roster_is_read:
            known.call, known.roster = self._table.call_and_roster(known.call_id)
            known.call_is_read = known.roster_is_read = True

    @staticmethod
    def _roster(known: _Known) -> dict[str, RosterEntry]:
        return {**known.roster, **known.changed_roster}

    @staticmethod
    def _keep(known: _Known, call: CallState, changed: dict[str, RosterEntry]) -> None:
        if call is not known.state() or known.call is None:
            known.new_call = call
        known.changed_roster.update(changed)

    def _write(self, known: _Known) -> None:
        guard: Row | None = None
        if known.new_call is not None:
            etag = known.call.etag if known.call else None
            guard = rows.Row(rows.call_entity(known.new_call), etag=etag, is_new=etag is None)
        changes = [
            rows.Row(rows.invitation_entity(invitation), etag=known.invitations[invitation_id].etag)
            for invitation_id, invitation in known.changed.items()
        ]
        changes += [rows.Row(rows.roster_entity(known.call_id, entry)) for entry in known.changed_roster.values()]
        changes += [
            rows.Row(
                rows.operation_entity(known.call_id, operation_id, invitation=None, report=report),
                is_new=True,
            )
            for operation_id, report in known.early.items()
        ]
        if guard is not None and not changes:
            changes, guard = [guard], None
        if changes:
            self._table.write(changes, guard=guard)
        if known.new_call is not None and known.call is None:
            self._table.remember(rows.partition_key(known.call_id), known.now)
        for invitation_id, invitation in known.changed.items():
            before = known.invitations[invitation_id].value
            if transitions.became_due(before, invitation):
                self._outcomes.announce(invitation)
            tell_conclusion(before, invitation, decided_by="graph")


def _place(invitation: Invitation, context: str | None, operation_id: str | None) -> int | None:
    """Return which operation a report means: by its id, else by its exact context."""
    operations = invitation.operations
    for place, operation in enumerate(operations):
        if operation_id is not None and operation.id == operation_id:
            return place
    for place, operation in enumerate(operations):
        if context is not None and operation.client_context == context:
            return place
    return None


def _is_other(invitation: Invitation, place: int, operation_id: str) -> bool:
    known = invitation.operations[place].id
    return known is not None and known != operation_id


def _places_of(invitation: Invitation, people: frozenset[str]) -> list[int]:
    """Return the operations whose people a report of the unsplit context names."""
    return [
        place
        for place, operation in enumerate(invitation.operations)
        if all(rosters.identity_hash(invitation.participants[person].id) in people for person in operation.people)
    ]
