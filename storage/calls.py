"""All that is known of calls, read and written as the app means it; everything about a call is one partition."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from storage import documents, rows
from web.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from domain.model import CallState, Invitation, Presence, RosterEntry
    from storage.rows import Row
    from storage.table import Table

T = TypeVar("T")
# An entity-group transaction takes 100 rows and 4 MiB; documents are counted in characters of up to four bytes.
_MOST_ROWS = 100
_MOST_CHARACTERS = 800_000
_CALL = (rows.CALL, None)
_PARTICIPANTS = (rows.PARTICIPANTS, rows.AFTER_PARTICIPANTS)


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A value as it was read, with the ETag that guards its replacement."""

    value: T
    etag: str


@dataclass(frozen=True, slots=True)
class OperationIndex:
    """What is known under an operation id: the invitation it belongs to, or a report that came before its answer."""

    invitation_id: str | None
    report: dict[str, Any] | None


class CallTable:
    """Reads and writes calls, their invitations and their rosters.

    Every method raises ``StorageUnavailable`` where storage fails; a write may then be written or not.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def insert_invitation(self, invitation: Invitation) -> Stored[Invitation]:
        """Insert a new invitation: one request.

        Raises:
            AlreadyThere: an invitation with this id exists; it may be this very one, if storage answered late.
        """
        etags = self._table.write([rows.Row(rows.invitation_entity(invitation), is_new=True)])
        return Stored(invitation, etags[0])

    def replace_invitation(self, stored: Stored[Invitation], invitation: Invitation) -> Stored[Invitation]:
        """Replace an invitation that nobody changed since it was read: one request.

        Raises:
            Conflict: somebody did, or this very replacement succeeded and storage answered late.
        """
        etags = self._table.write([rows.Row(rows.invitation_entity(invitation), etag=stored.etag)])
        return Stored(invitation, etags[0])

    def invitation(self, call_id: str, invitation_id: str) -> Stored[Invitation] | None:
        """Read one invitation: one request."""
        entity = self._table.get(rows.partition_key(call_id), rows.INVITATIONS + invitation_id)
        return None if entity is None else _invitation(entity)

    def invitation_and_presence(
        self, call_id: str, invitation_id: str
    ) -> tuple[Stored[Invitation] | None, Mapping[str, Presence]]:
        """Read one invitation and who is in its call: one request."""
        found = self._table.query(rows.partition_key(call_id), _CALL, (rows.INVITATIONS + invitation_id, None))
        invitations, presence = _apart(found)
        return (invitations[0] if invitations else None), presence

    def invitations_and_presence(self, call_id: str) -> tuple[list[Stored[Invitation]], Mapping[str, Presence]]:
        """Read all invitations of a call and who is in it: one request for each thousand invitations."""
        return _apart(self._table.query(rows.partition_key(call_id), (rows.CALL, rows.AFTER_INVITATIONS)))

    def open_invitations(self, call_id: str) -> list[Stored[Invitation]]:
        """Read the invitations of a call whose outcome is still to come."""
        span = (rows.INVITATIONS, rows.AFTER_INVITATIONS)
        return [_invitation(entity) for entity in self._table.query(rows.partition_key(call_id), span, open_only=True)]

    def operation(self, call_id: str, operation_id: str) -> OperationIndex | None:
        """Read what is known under Graph's operation id: one request."""
        entity = self._table.get(rows.partition_key(call_id), rows.OPERATIONS + rows.safe_key(operation_id))
        if entity is None:
            return None
        report = entity.get("report")
        return OperationIndex(entity.get("invitation"), json.loads(report) if report else None)

    def call(self, call_id: str) -> Stored[CallState] | None:
        """Read a call: one request."""
        entity = self._table.get(rows.partition_key(call_id), rows.CALL)
        return None if entity is None else _call(entity)

    def call_and_roster(self, call_id: str) -> tuple[Stored[CallState] | None, dict[str, RosterEntry]]:
        """Read a call and its roster: one request for each thousand participants."""
        call, roster = None, {}
        for entity in self._table.query(rows.partition_key(call_id), _CALL, _PARTICIPANTS):
            if entity["RowKey"] == rows.CALL:
                call = _call(entity)
            else:
                entry = documents.read_roster_entry(rows.document_of(entity))
                roster[entry.key] = entry
        return call, roster

    def write(self, changes: Sequence[Row], *, guard: Row | None = None) -> None:
        """Write rows of one call, in one entity-group transaction where they fit into one.

        Args:
            changes: the rows; each is guarded by its own ETag or by its being new.
            guard: a row that is part of every transaction and replaced under its ETag in each, so that nobody else
                can come between them.

        Raises:
            AlreadyThere: a row that had to be new was there; nothing of its transaction was written.
            Conflict: a row was changed by somebody else; nothing of its transaction was written.
        """
        for group in _groups(changes, _MOST_ROWS - (guard is not None)):
            etags = self._table.write([*([guard] if guard else []), *group])
            if guard is not None:
                guard = rows.Row(guard.entity, etag=etags[0])

    def is_reachable(self) -> bool:
        """Tell whether the table can be read: one request."""
        try:
            self._table.get("health", "health")
        except StorageUnavailable:
            return False
        return True

    def remember(self, partition: str, day: datetime) -> None:
        """Note that something of a partition is kept since a day, so that it can be found when its time is over."""
        self._table.write([rows.Row({"PartitionKey": rows.retention_day(day), "RowKey": partition})])

    def partitions_kept_since_before(self, moment: datetime) -> Iterator[tuple[str, str]]:
        """Name the partitions that were noted before a day, oldest first: the note's day and the partition."""
        return self._table.keys_in(rows.RETENTION, rows.retention_day(moment))

    def last_change(self, partition: str) -> datetime | None:
        """Return when an invitation or the call of a partition last changed; None where nothing is left of it."""
        found = self._table.query(partition, (rows.CALL, rows.AFTER_INVITATIONS), select=["updated"])
        return max((entity["updated"] for entity in found if entity.get("updated")), default=None)

    def forget(self, partition: str) -> None:
        """Remove all rows of a partition, a hundred at a time."""
        found = self._table.query(partition, (rows.CALL, rows.AFTER_PARTICIPANTS), select=["RowKey"])
        for start in range(0, len(found), _MOST_ROWS):
            self._table.delete(partition, [entity["RowKey"] for entity in found[start : start + _MOST_ROWS]])

    def forget_note(self, note: tuple[str, str]) -> None:
        """Remove the note that something of a partition is kept."""
        day, partition = note
        self._table.delete(day, [partition])


def _groups(changes: Sequence[Row], most: int) -> Iterator[list[Row]]:
    group: list[Row] = []
    characters = 0
    for row in changes:
        size = sum(len(value) for value in row.entity.values() if isinstance(value, str))
        if group and (len(group) == most or characters + size > _MOST_CHARACTERS):
            yield group
            group, characters = [], 0
        group.append(row)
        characters += size
    if group:
        yield group


def _apart(entities: Sequence[dict[str, Any]]) -> tuple[list[Stored[Invitation]], Mapping[str, Presence]]:
    """Tell the call's row from the invitations'."""
    presence: Mapping[str, Presence] = {}
    invitations = []
    for entity in entities:
        if entity["RowKey"] == rows.CALL:
            presence = _call(entity).value.presence
        else:
            invitations.append(_invitation(entity))
    return invitations, presence


def _invitation(entity: dict[str, Any]) -> Stored[Invitation]:
    return Stored(documents.read_invitation(rows.document_of(entity)), entity["etag"])


def _call(entity: dict[str, Any]) -> Stored[CallState]:
    return Stored(documents.read_call(rows.document_of(entity)), entity["etag"])
