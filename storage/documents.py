"""The documents whose form differs from their dataclass, so that the previous release reads and writes the same rows.

What the previous release needs stays in the documents next to what is new: an operation's ``status``, ``verdict`` and
``refused``, an invitation's alarm as ``watch`` and ``checkDue``, its first flow as ``callback``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

from domain.call import Call, CallState, Presence, call_state
from domain.escalation import Escalation
from domain.invitation import (
    Alarm,
    Asked,
    Decider,
    Ended,
    Invitation,
    Late,
    Operation,
    Refused,
    Status,
)
from domain.results import ResultInfo
from domain.roster import RosterEntry
from domain.standing import has_ended
from domain.start import Stage, Start
from domain.timeline import Event
from domain.waiting import Delivery, WaitingFlow
from storage.codec import VERSION, decode, decode_fields, encode, encode_fields, special

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_MESSAGE = 1_500
_DUE = "due"
_PRESENCE = {Presence.IN_CALL: "c", Presence.IN_LOBBY: "l", Presence.LEFT: "x", Presence.UNKNOWN: "u"}
_OF_LETTER = {letter: presence for presence, letter in _PRESENCE.items()}
_LONG_AGO = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
_VERDICTS = {Decider.GRAPH: "graph", Decider.WATCHDOG: "watchdog", Decider.REFUSAL: "refusal"}


def invitation_document(invitation: Invitation) -> dict[str, Any]:
    """Return the document of an invitation."""
    document = encode_fields(invitation)
    alarm = document.pop("alarm")
    first, *further = document.pop("flows") or [None]
    if first is not None and first["state"] == Delivery.WAITING and has_ended(invitation, invitation.updated):
        first["state"] = _DUE
    document |= {"v": VERSION, "watch": alarm["name"], "checkDue": alarm["time"], "callback": first}
    return document | ({"flows": further} if further else {})


def read_invitation(document: Mapping[str, Any]) -> Invitation:
    """Return the invitation of a document."""
    members = dict(document)
    alarm = Alarm(members["watch"], datetime.fromisoformat(members["checkDue"]))
    first = members.get("callback")
    members["flows"] = [*([first] if first is not None else []), *members.get("flows", [])]
    members["alarm"] = encode(alarm)
    members.setdefault("watchAt", members["checkDue"])
    members.setdefault("askedBy", "")
    return decode(Invitation, members)


def call_document(call: Call) -> dict[str, Any]:
    """Return the document of a call."""
    document = {"v": VERSION, "result": None, "rosterSequence": None, **encode_fields(call)}
    document["presence"] = {name: _PRESENCE[presence] for name, presence in call.presence.items()}
    document["shown"] = {name: round(time.timestamp(), 3) for name, time in call.shown.items()}
    document["state"] = None if call.state is CallState.UNKNOWN else call.state.value
    return document


def read_call(document: Mapping[str, Any]) -> Call:
    """Return the call of a document."""
    members = dict(document)
    zone = datetime.fromisoformat(members["created"]).tzinfo
    presence = {name: _OF_LETTER[letter] for name, letter in members.pop("presence").items()}
    shown = {name: datetime.fromtimestamp(time, zone) for name, time in members.pop("shown", {}).items()}
    state = call_state(members.pop("state", None))
    return replace(decode(Call, members), presence=presence, shown=shown, state=state)


def roster_document(entry: RosterEntry) -> dict[str, Any]:
    """Return the document of a roster entry."""
    return {"v": VERSION, "left": None, "sequence": None, **encode_fields(entry)}


def read_roster_entry(document: Mapping[str, Any]) -> RosterEntry:
    """Return the roster entry of a document."""
    was_in = document["presence"] in (Presence.IN_CALL, Presence.LEFT)
    return decode(RosterEntry, {"wasIn": was_in, **document})


def escalation_document(escalation: Escalation) -> dict[str, Any]:
    """Return the document of an escalation."""
    return {"v": VERSION, **encode_fields(escalation)}


def read_escalation(document: Mapping[str, Any]) -> Escalation:
    """Return the escalation of a document."""
    return decode(Escalation, document)


def event_document(event: Event) -> dict[str, Any]:
    """Return the document of an event."""
    return {"v": VERSION, **encode_fields(event)}


def read_event(document: Mapping[str, Any]) -> Event:
    """Return the event of a document."""
    return decode(Event, document)


def start_document(start: Start) -> dict[str, Any]:
    """Return the document of a start; its stage is tagged with its name."""
    return {"v": VERSION, **encode_fields(start)}


def read_start(document: Mapping[str, Any]) -> Start:
    """Return the start of a document."""
    return decode(Start, document)


def _stage(stage: Stage) -> dict[str, Any]:
    return {"is": type(stage).__name__, **encode_fields(stage)}


def _read_stage(document: Mapping[str, Any]) -> Stage:
    kinds: dict[str, Any] = {kind.__name__: kind for kind in get_args(Stage)}
    stage: Stage = decode_fields(kinds[document["is"]], document)
    return stage


def _operation(operation: Operation) -> dict[str, Any]:
    state = operation.state
    decided_by = operation.decided_by
    document: dict[str, Any] = {
        "clientContext": operation.client_context,
        "people": list(operation.people),
        "status": operation.status.value,
        "id": operation.id,
        "result": encode(operation.result),
        "verdict": None if decided_by is None else _VERDICTS[decided_by],
        "refused": isinstance(state, Refused | Late),
    }
    if operation.cancelled:
        document["cancelled"] = list(operation.cancelled)
    if operation.asked is not None:
        document["asked"] = encode(operation.asked)
    match state:
        case Late():
            document["late"] = True
        case Asked(answered=False):
            document["answered"] = False
        case Ended(at=at, seen=seen):
            document["ended"] = encode(at)
            if seen is not None:
                document["seen"] = list(seen)
    return document


def _read_operation(document: Mapping[str, Any]) -> Operation:
    asked = document.get("asked")
    operation = Operation(
        client_context=document["clientContext"],
        people=tuple(document["people"]),
        id=document["id"],
        cancelled=tuple(document.get("cancelled", ())),
        asked=None if asked is None else datetime.fromisoformat(asked),
    )
    return replace(operation, state=_read_state(document))


def _read_state(document: Mapping[str, Any]) -> Late | Asked | Refused | Ended:
    status, result = Status(document["status"]), _read_result(document["result"])
    is_refused = document["refused"]
    if not status.is_final:
        if is_refused and document.get("late"):
            return Late()
        return Refused(result or ResultInfo(), final=False) if is_refused else Asked(document.get("answered", True))
    if is_refused:
        return Refused(result or ResultInfo(), final=True)
    ended, seen = document.get("ended"), document.get("seen")
    by = Decider.GRAPH if document["verdict"] == "graph" else Decider.WATCHDOG
    if ended is None:
        # A row of the previous release: Graph's result stood for all people of the request.
        everyone = tuple(document["people"]) if status is Status.COMPLETED else ()
        return Ended(status, result, by, _LONG_AGO, everyone)
    return Ended(status, result, by, datetime.fromisoformat(ended), None if seen is None else tuple(seen))


def _flow(flow: WaitingFlow) -> dict[str, Any]:
    document = encode_fields(flow)
    return {"lastAttempt": None, "lastStatus": None, **document}


def _read_flow(document: Mapping[str, Any]) -> WaitingFlow:
    members = dict(document)
    if members["state"] == _DUE:
        members["state"] = Delivery.WAITING.value
    return decode_fields(WaitingFlow, members)


def _result(result: ResultInfo) -> list[Any]:
    # Graph's text has no limit of its own, and a row has.
    return [result.code, result.subcode, result.message and result.message[:_LONGEST_MESSAGE]]


def _read_result(document: list[Any] | None) -> ResultInfo | None:
    return None if document is None else ResultInfo(*document)


special(ResultInfo, _result, _read_result)
special(Operation, _operation, _read_operation)
special(WaitingFlow, _flow, _read_flow)
special(Stage, _stage, _read_stage)
for _kind in get_args(Stage):
    special(_kind, _stage, _read_stage)
