"""Which rows a changed record is written to, and in which transactions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.standing import has_ended, standing
from storage import documents, rows
from storage.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.escalation import Escalation
    from domain.invitation import Invitation
    from domain.record import CallRecord, OperationEntry
    from domain.roster import RosterEntry
    from domain.timeline import Event
    from storage.reading import Held

# An entity-group transaction takes 100 rows and 4 MiB.
MOST_ROWS = 100
_MOST_BYTES = 3_500_000


@dataclass(frozen=True, slots=True)
class Changed:
    """The rows that differ; the guard is part of every transaction."""

    changed: list[Row]
    guard: Row | None

    def __bool__(self) -> bool:
        """Return whether anything is to be written."""
        return bool(self.changed) or self.guard is not None

    def groups(self) -> Iterator[list[Row]]:
        """Return the transactions; the call's row is replaced in each, so that no other writer comes between them."""
        guards = [self.guard] if self.guard is not None else []
        group, size = list(guards), sum(row.size() for row in guards)
        start = size
        for row in self.changed:
            if len(group) > len(guards) and (len(group) == MOST_ROWS or size + row.size() > _MOST_BYTES):
                yield group
                group, size = list(guards), start
            group.append(row)
            size += row.size()
        if group:
            yield group


def rows_of(held: Held, after: CallRecord) -> Changed:
    """Return the rows in which a record differs from what is held."""
    partition = rows.partition_key(after.call_id)
    changed: list[Row] = []
    for entity in _changed_entities(partition, held.record, after):
        etag = held.etags.get(entity["RowKey"])
        # A roster entry is under the guard of the call's row, which every change of the roster replaces.
        is_guarded = entity["RowKey"].startswith(rows.PARTICIPANTS)
        changed.append(Row(entity) if is_guarded else Row(entity, etag, is_new=etag is None))
    # What is written with an event guards it, and a coming or going replaces the one of a thousand before.
    changed += [Row(_event_entity(partition, event)) for event in after.events]
    keys = {row.key for row in changed}
    for name in dict.fromkeys(after.guarded):
        key = rows.INVITATIONS + name
        if changed and key not in keys and name in after.invitations:
            changed.append(Row(_invitation_entity(partition, after, after.invitations[name]), held.etags.get(key)))
    guard = None
    if after.call is not None and (after.call != held.record.call or (changed and after.guards_call)):
        etag = held.etags.get(rows.CALL)
        document = documents.call_document(after.call)
        entity = rows.entity(partition, rows.CALL, document, updated=after.call.updated)
        guard = Row(entity, etag, is_new=etag is None)
    return Changed(changed, guard)


def _changed_entities(partition: str, before: CallRecord, after: CallRecord) -> Iterator[dict[str, Any]]:
    for _, invitation in after.changed_invitations(before):
        yield _invitation_entity(partition, after, invitation)
    for escalation in after.escalations.values():
        if before.escalations.get(escalation.id) != escalation:
            yield _escalation_entity(partition, escalation)
    for key, entry in after.roster.items():
        if before.roster.get(key) != entry:
            yield _roster_entity(partition, entry)
    for operation_id, operation in after.operations.items():
        if before.operations.get(operation_id) != operation:
            yield _operation_entity(partition, operation_id, operation)


def _invitation_entity(partition: str, record: CallRecord, invitation: Invitation) -> dict[str, Any]:
    return rows.entity(
        partition,
        rows.INVITATIONS + invitation.id,
        documents.invitation_document(invitation),
        status=standing(invitation, record.call, invitation.updated).status.value,
        open=not has_ended(invitation, invitation.updated),
        updated=invitation.updated,
    )


def _escalation_entity(partition: str, escalation: Escalation) -> dict[str, Any]:
    key = rows.ESCALATIONS + escalation.id
    return rows.entity(partition, key, documents.escalation_document(escalation), updated=escalation.updated)


def _event_entity(partition: str, event: Event) -> dict[str, Any]:
    document = documents.event_document(event)
    if event.detail is not None:
        return rows.entity(partition, f"{rows.EVENTS}{event.detail:04}", document)
    content = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]
    return rows.entity(partition, f"{rows.EVENTS}{event.time:%Y-%m-%dT%H%M%S.%f}|{content}", document)


def _roster_entity(partition: str, entry: RosterEntry) -> dict[str, Any]:
    key = rows.PARTICIPANTS + rows.safe_key(entry.key)
    return rows.entity(partition, key, documents.roster_document(entry))


def _operation_entity(partition: str, operation_id: str, operation: OperationEntry) -> dict[str, Any]:
    key = rows.OPERATIONS + rows.safe_key(operation_id)
    entity: dict[str, Any] = {"PartitionKey": partition, "RowKey": key, "id": operation_id}
    if operation.invitation is not None:
        entity["invitation"] = operation.invitation
    if (state := operation.report) is not None:
        info = state.result
        result = info and {"code": info.code, "subcode": info.subcode, "message": info.message}
        entity["report"] = json.dumps({"id": operation_id, "status": state.status, "resultInfo": result})
    return entity
