"""All that was read of one call for one change: what a change takes and returns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from domain.call import Call
from domain.contexts import invitation_id, unsplit_context
from domain.roster import apply_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from domain.escalation import Escalation
    from domain.invitation import Invitation
    from domain.results import OperationState
    from domain.roster import RosterEntry
    from domain.sightings import Roster
    from domain.timeline import Event


@dataclass(frozen=True, slots=True)
class OperationEntry:
    """What is known under Graph's id of an operation: its invitation, or a report that came before Graph's answer."""

    invitation: str | None = None
    report: OperationState | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """How an operation is found: by its context, else by its id."""

    context: str | None = None
    operation_id: str | None = None

    def candidates(self) -> tuple[str, ...]:
        """Return the ids of invitations that the context can lead to, the likelier first.

        A caller's own context never ends like a part's (``invite.rules``), so the unsplit one saves a read.
        """
        if self.context is None:
            return ()
        return tuple(invitation_id(context) for context in dict.fromkeys((unsplit_context(self.context), self.context)))


@dataclass(frozen=True, slots=True)
class Needs:
    """What a change has to read of a call."""

    invitations: frozenset[str] = frozenset()
    lookups: tuple[Lookup, ...] = ()
    operations: frozenset[str] = frozenset()
    """Graph's operation ids of which the entries are read."""
    call: bool = False
    roster: bool = False
    """With the call, and with the invitations that a roster settles."""
    open_invitations: bool = False
    escalations: frozenset[str] = frozenset()
    """With the call and all its invitations, the steps' among them."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What is known of one call, as far as it was read."""

    call_id: str
    call: Call | None = None
    invitations: Mapping[str, Invitation] = field(default_factory=dict)
    roster: Mapping[str, RosterEntry] = field(default_factory=dict)
    operations: Mapping[str, OperationEntry] = field(default_factory=dict)
    """By Graph's operation id."""
    escalations: Mapping[str, Escalation] = field(default_factory=dict)
    guarded: tuple[str, ...] = ()
    """Invitations that are written as they are, so that another writer's change makes the write a conflict."""
    events: tuple[Event, ...] = ()
    """What happened: what a change adds, or what is kept, where it was read."""
    guards_call: bool = False
    """Whether the call's row is written for the same reason, though it has not changed."""

    def with_invitation(self, invitation: Invitation) -> CallRecord:
        """Return the record with an invitation as it is now."""
        if self.invitations.get(invitation.id) is invitation:
            return self
        return replace(self, invitations={**self.invitations, invitation.id: invitation})

    def with_escalation(self, escalation: Escalation) -> CallRecord:
        """Return the record with an escalation as it is now."""
        if self.escalations.get(escalation.id) == escalation:
            return self
        return replace(self, escalations={**self.escalations, escalation.id: escalation})

    def with_call(self, call: Call) -> CallRecord:
        """Return the record with its call as it is now."""
        return self if call is self.call else replace(self, call=call)

    def with_roster(self, changed: Mapping[str, RosterEntry]) -> CallRecord:
        """Return the record with the roster entries that changed."""
        return replace(self, roster={**self.roster, **changed}) if changed else self

    def with_roster_read(self, roster: Roster, now: datetime) -> CallRecord:
        """Return the record with a whole roster that the app has read itself, which settles nothing."""
        call = self.call_or_new(now)
        after, changed = apply_list(call, self.roster, roster, now, is_read=True)
        return self.with_call(replace(after, roster_at=call.roster_at)).with_roster(changed)

    def with_operations(self, entries: Mapping[str, OperationEntry]) -> CallRecord:
        """Return the record with further entries of its operations."""
        return replace(self, operations={**self.operations, **entries}) if entries else self

    def call_or_new(self, now: datetime) -> Call:
        """Return the call, or a new one that nothing is known of."""
        return self.call or Call(self.call_id, now, now)

    def changed_invitations(self, before: CallRecord) -> Iterable[tuple[Invitation | None, Invitation]]:
        """Return each invitation that differs from an earlier record, as it was and as it is."""
        for key, after in self.invitations.items():
            earlier = before.invitations.get(key)
            if earlier is not after and earlier != after:
                yield earlier, after


def place_of(invitation: Invitation, lookup: Lookup) -> int | None:
    """Return the index of the operation that is meant: by its id, else by its exact context."""
    operations = invitation.operations
    for place, operation in enumerate(operations):
        if lookup.operation_id is not None and operation.id == lookup.operation_id:
            return place
    for place, operation in enumerate(operations):
        if lookup.context is not None and operation.client_context == lookup.context:
            return place
    return None


def is_settled_by_context(invitation: Invitation, lookup: Lookup) -> bool:
    """Return whether the context leads to an operation that the id does not contradict."""
    place = place_of(invitation, lookup)
    if place is None:
        return False
    known = invitation.operations[place].id
    return lookup.operation_id is None or known is None or known == lookup.operation_id
