"""What the items of a callback report: distinguished by type and shape, never by their path.

The documented examples show why: a roster list comes under ``.../operations/participants``, and so does an operation
with ``id: null``. Reading is lenient about letter case, nulls, and numbers written as strings; an item that can't be
read is left alone, and its neighbours are not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from domain.call import CallState, call_state
from domain.roster import identity_hash
from graph import wire
from graph.participants import identity_of, read_roster
from web.identifiers import call_id_from_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.results import OperationState, ResultInfo
    from domain.sightings import Roster

_OURS = frozenset({"inviteparticipantsoperation", "commsoperation", ""})


_DIRECTIONS = ("incoming", "outgoing")


@dataclass(frozen=True, slots=True)
class OperationReport:
    """Graph speaks of an invite operation."""

    call_id: str
    state: OperationState
    people: frozenset[str]
    """Hashes of the identities that the report names."""
    ended: bool
    """Reported as deleted, which is how an operation ends, well or badly."""


@dataclass(frozen=True, slots=True)
class RosterReport:
    """Graph gives the whole roster of a call."""

    call_id: str
    roster: Roster


@dataclass(frozen=True, slots=True)
class DeltaReport:
    """Graph reports changes of a call's roster."""

    call_id: str
    roster: Roster
    sequence: int | None


@dataclass(frozen=True, slots=True)
class CallReport:
    """Graph reports a call's state."""

    call_id: str
    state: CallState
    result: ResultInfo | None
    direction: str | None = None
    """``incoming`` or ``outgoing``, which Graph leaves out of most reports."""
    thread_id: str | None = field(default=None, repr=False)
    """The thread of a joined meeting, which Graph reports when the app joins."""


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call comes in, which this app does not answer."""

    call_id: str


Report = OperationReport | RosterReport | DeltaReport | CallReport | IncomingCall


def reports_of(item: object) -> Iterator[Report]:
    """Read one item of a callback's ``value``; an item that concerns nothing here gives nothing."""
    if not isinstance(item, dict):
        return
    call_id = call_id_from_path(item.get("resourceUrl")) or call_id_from_path(item.get("resource"))
    if call_id is None:
        return
    change = wire.text(item.get("changeType")) or ""
    is_deleted = change.casefold() == "deleted"
    data = item.get("resourceData")
    path = wire.text(item.get("resourceUrl")) or wire.text(item.get("resource")) or ""
    if isinstance(data, list):
        yield from _from_list(call_id, data, path)
    elif isinstance(data, dict):
        state = wire.text(data.get("state")) or ""
        if change.casefold() == "created" and state.casefold() == "incoming":
            yield IncomingCall(call_id)
        else:
            yield from _from_entity(call_id, data, path, is_deleted=is_deleted)


def _from_list(call_id: str, entries: list[Any], path: str) -> Iterator[Report]:
    people = []
    for entity in (entry for entry in entries if isinstance(entry, dict)):
        kind = wire.type_name(entity)
        if _is_delta(entity, kind):
            yield _delta(call_id, entity)
        if _is_participant(entity, kind):
            people.append(entity)
    # An empty list has no type and no shape, so only here the path counts: a call's participants, and there are none.
    if people or (not entries and path.rstrip("/").casefold().endswith("/participants")):
        yield RosterReport(call_id, read_roster(people))


def _from_entity(call_id: str, entity: Mapping[str, Any], path: str, *, is_deleted: bool) -> Iterator[Report]:
    kind = wire.type_name(entity)
    if _is_delta(entity, kind):
        yield _delta(call_id, entity)
    elif kind == "call" or (not kind and "state" in entity and "status" not in entity):
        state = wire.text(entity.get("state"))
        # The call object is gone, whatever state it shows.
        known = CallState.TERMINATED if is_deleted else call_state(state)
        direction = (wire.text(entity.get("direction")) or "").casefold()
        result = wire.result_info(entity.get("resultInfo"))
        chat = entity.get("chatInfo")
        thread_id = wire.text(chat.get("threadId")) if isinstance(chat, dict) else None
        yield CallReport(call_id, known, result, direction if direction in _DIRECTIONS else None, thread_id)
    elif _is_participant(entity, kind):
        # One participant by itself: a change of that one, or its end.
        gone = {**entity, "removedState": {}} if is_deleted else entity
        yield DeltaReport(call_id, read_roster([gone]), None)
    elif kind in _OURS and ("status" in entity or "clientContext" in entity or kind):
        yield _operation(call_id, entity, path, ended=is_deleted)


def _operation(call_id: str, entity: Mapping[str, Any], path: str, *, ended: bool) -> OperationReport:
    invited = entity.get("participants")
    people = set()
    for entry in invited if isinstance(invited, list) else []:
        _, identity = identity_of(entry.get("identity") if isinstance(entry, dict) else None)
        if "id" in identity:
            people.add(identity_hash(identity["id"]))
    return OperationReport(call_id, wire.operation_state(entity, location=path), frozenset(people), ended)


def _is_delta(entity: Mapping[str, Any], kind: str) -> bool:
    return kind == "deltaparticipants" or (
        not kind and isinstance(entity.get("participants"), list) and "sequenceNumber" in entity
    )


def _is_participant(entity: Mapping[str, Any], kind: str) -> bool:
    return kind == "participant" or (not kind and isinstance(entity.get("info"), dict))


def _delta(call_id: str, entity: Mapping[str, Any]) -> DeltaReport:
    return DeltaReport(call_id, read_roster(entity.get("participants")), wire.number(entity.get("sequenceNumber")))
