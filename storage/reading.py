"""What is read of a call for a change, in as few requests as the change needs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from domain.record import CallRecord, Lookup, Needs, OperationEntry, is_settled_by_context
from domain.results import OperationState, ResultInfo
from storage import documents, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from domain.timeline import Event
    from storage.table import Table

_CALL = (rows.CALL, None)
_PARTICIPANTS = (rows.PARTICIPANTS, rows.AFTER_PARTICIPANTS)
_EVENTS = (rows.EVENTS, rows.AFTER_EVENTS)


@dataclass(frozen=True, slots=True)
class Held:
    """A record as it was read or written, with the ETags that guard its replacement."""

    record: CallRecord
    etags: Mapping[str, str] = field(default_factory=dict)
    """By row key."""
    has_roster: bool = False
    """Whether the roster was read: without it an empty one means nothing."""

    def now(self, record: CallRecord, etags: Mapping[str, str]) -> Held:
        """Return what is held after a write."""
        return replace(self, record=record, etags={**self.etags, **etags})

    def after(self, earlier: Held | None) -> Held:
        """Return what is held of a call together with what was held earlier, where this was read without its call."""
        if earlier is None or self.record.call is not None:
            return self
        invitations = {**earlier.record.invitations, **self.record.invitations}
        return earlier.now(replace(earlier.record, invitations=invitations), self.etags)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a call as they were read, decoded only where that is asked for."""

    call_id: str
    entities: Sequence[Mapping[str, Any]]

    def stamp(self) -> str:
        """Return what differs whenever a row does: keys and ETags."""
        stamps = sorted((str(entity["RowKey"]), str(entity["etag"])) for entity in self.entities)
        return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()

    def record(self) -> CallRecord:
        """Return what they say."""
        return _kept(CallRecord(self.call_id), self.entities)


def read(table: Table, call_id: str, needs: Needs) -> Held:
    """Read what a change needs."""
    reader = _Reader(table, call_id)
    if needs.open_invitations:
        reader.open_invitations()
    if needs.escalations:
        reader.escalations(needs.escalations)
    if needs.roster:
        reader.roster()
        reader.invitations(reader.settling())
    wanted = set(needs.invitations)
    for lookup in needs.lookups:
        reader.look_up(lookup, with_call=needs.call)
    reader.invitations(wanted, with_call=needs.call)
    for operation_id in needs.operations:
        reader.operation(operation_id)
    if needs.call and not reader.has_read_call:
        reader.call()
    return reader.held()


def read_all(table: Table, call_id: str) -> Held:
    """Read a call and all its invitations."""
    reader = _Reader(table, call_id)
    reader.keep(table.query(rows.partition_key(call_id), (rows.CALL, rows.AFTER_INVITATIONS)))
    return reader.held()


def read_live(table: Table, call_id: str) -> Rows:
    """Read a call with all that belongs to it, in one request for each thousand rows."""
    escalations = (rows.ESCALATIONS, rows.AFTER_ESCALATIONS)
    spans = ((rows.CALL, rows.AFTER_INVITATIONS), _PARTICIPANTS, escalations, _EVENTS)
    return Rows(call_id, table.query(rows.partition_key(call_id), *spans))


def read_timeline(table: Table, call_id: str) -> CallRecord:
    """Read the events of a call, and the roster for its names."""
    reader = _Reader(table, call_id)
    reader.keep(table.query(rows.partition_key(call_id), _PARTICIPANTS, _EVENTS))
    return reader.held().record


class _Reader:
    def __init__(self, table: Table, call_id: str) -> None:
        self._table = table
        self._partition = rows.partition_key(call_id)
        self._record = CallRecord(call_id)
        self._etags: dict[str, str] = {}
        self._asked: set[str] = set()
        self.has_read_call = False
        self._has_roster = False

    def held(self) -> Held:
        return Held(self._record, self._etags, has_roster=self._has_roster)

    def call(self) -> None:
        self.has_read_call = True
        self.keep([self._table.get(self._partition, rows.CALL)])

    def open_invitations(self) -> None:
        span = (rows.INVITATIONS, rows.AFTER_INVITATIONS)
        self.keep(self._table.query(self._partition, span, open_only=True))

    def escalations(self, ids: Iterable[str]) -> None:
        """Read escalations with the call and all its invitations, in one request."""
        self.has_read_call = True
        spans = [(rows.ESCALATIONS + one, None) for one in ids]
        self.keep(self._table.query(self._partition, (rows.CALL, rows.AFTER_INVITATIONS), *spans))

    def roster(self) -> None:
        self.has_read_call = self._has_roster = True
        self.keep(self._table.query(self._partition, _CALL, _PARTICIPANTS))

    def settling(self) -> tuple[str, ...]:
        call = self._record.call
        return () if call is None else call.settling

    def invitations(self, ids: Iterable[str], *, with_call: bool = False) -> None:
        """Read invitations that were not read yet; the call in the same request as the first of them."""
        for invitation_id in ids:
            if invitation_id in self._record.invitations or invitation_id in self._asked:
                continue
            self._asked.add(invitation_id)
            key = rows.INVITATIONS + invitation_id
            if with_call and not self.has_read_call:
                self.has_read_call = True
                self.keep(self._table.query(self._partition, _CALL, (key, None)))
            else:
                self.keep([self._table.get(self._partition, key)])

    def look_up(self, lookup: Lookup, *, with_call: bool) -> None:
        """Read the invitation of an operation: by its context, else by Graph's id of it."""
        for candidate in lookup.candidates():
            self.invitations([candidate], with_call=with_call)
            invitation = self._record.invitations.get(candidate)
            if invitation is not None:
                if is_settled_by_context(invitation, lookup):
                    return
                break
        if lookup.operation_id is None:
            return
        self.operation(lookup.operation_id)
        entry = self._record.operations.get(lookup.operation_id)
        if entry is not None and entry.invitation is not None:
            self.invitations([entry.invitation], with_call=with_call)

    def operation(self, operation_id: str) -> None:
        """Read what is known under Graph's id of an operation."""
        if operation_id not in self._record.operations:
            self.keep([self._table.get(self._partition, rows.OPERATIONS + rows.safe_key(operation_id))])

    def keep(self, entities: Iterable[Mapping[str, Any] | None]) -> None:
        """Take rows into the record."""
        found = [entity for entity in entities if entity is not None]
        self._etags |= {str(entity["RowKey"]): str(entity["etag"]) for entity in found}
        self._record = _kept(self._record, found)


def _kept(record: CallRecord, entities: Iterable[Mapping[str, Any]]) -> CallRecord:
    """Return a record with further rows."""
    invitations, roster, operations, escalations = {}, {}, {}, {}
    events: list[Event] = []
    for entity in entities:
        key = str(entity["RowKey"])
        if key == rows.CALL:
            record = replace(record, call=documents.read_call(rows.document_of(entity)))
        elif key.startswith(rows.INVITATIONS):
            invitation = documents.read_invitation(rows.document_of(entity))
            invitations[invitation.id] = invitation
        elif key.startswith(rows.PARTICIPANTS):
            person = documents.read_roster_entry(rows.document_of(entity))
            roster[person.key] = person
        elif key.startswith(rows.ESCALATIONS):
            escalation = documents.read_escalation(rows.document_of(entity))
            escalations[escalation.id] = escalation
        elif key.startswith(rows.EVENTS):
            events.append(documents.read_event(rows.document_of(entity)))
        elif key.startswith(rows.OPERATIONS):
            operation_id, entry = _operation_entry(entity)
            operations[operation_id] = entry
    return replace(
        record,
        invitations={**record.invitations, **invitations},
        roster={**record.roster, **roster},
        operations={**record.operations, **operations},
        escalations={**record.escalations, **escalations},
        events=(*record.events, *events),
    )


def _operation_entry(entity: Mapping[str, Any]) -> tuple[str, OperationEntry]:
    report = json.loads(entity["report"]) if entity.get("report") else None
    state = None
    if report is not None:
        info = report.get("resultInfo")
        result = None if info is None else ResultInfo(info["code"], info["subcode"], info["message"])
        state = OperationState(report["id"], None, report["status"], result)
    operation_id = entity.get("id") or (report or {}).get("id") or str(entity["RowKey"]).removeprefix(rows.OPERATIONS)
    return str(operation_id), OperationEntry(entity.get("invitation"), state)
