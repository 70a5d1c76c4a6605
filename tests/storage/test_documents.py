"""Documents of this release, of the one before, and of the one after."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from domain.call import Call, CallState, Presence
from domain.invitation import Asked, Decider, Ended, Invitation, Invitee, KeyKind, Late, Refused, Status
from domain.record import CallRecord, OperationEntry
from domain.results import OperationState, ResultInfo
from domain.standing import has_ended, standing
from domain.waiting import Delivery
from storage import codec, documents, reading, rows, writing
from tests.fakes import MemoryTable
from tests.states import (
    BUSY,
    CALL,
    FLOW,
    NOON,
    call,
    completed,
    entry,
    failed,
    flow,
    invitation,
    later,
    operation,
)
from tests.storage import previous_release
from tests.storage.values import CALLS, ENTRIES, INVITATIONS

if TYPE_CHECKING:
    from domain.roster import RosterEntry

PREVIOUS: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("previous_rows.json").read_text(encoding="utf-8")
)


def _through_json(document: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(document))
    return content


def _written(record: CallRecord) -> dict[str, dict[str, Any]]:
    """Return the rows of a record, by key."""
    changed = writing.rows_of(reading.Held(CallRecord(record.call_id)), record)
    return {row.key: dict(row.entity) for group in changed.groups() for row in group}


def _previous(name: str) -> reading.Held:
    """Return what is read of a row as the previous release wrote it."""
    table = MemoryTable()
    table.write([rows.Row({**PREVIOUS[name], "updated": NOON})])
    reader = reading._Reader(table, CALL)
    reader.keep([table.get(CALL, PREVIOUS[name]["RowKey"])])
    return reader.held()


def _previous_invitation(name: str) -> Invitation:
    (found,) = _previous(name).record.invitations.values()
    return found


@settings(deadline=None)
@given(INVITATIONS)
def test_invitation(value: Invitation) -> None:
    """An invitation comes back as it was, to the microsecond and to the last odd character."""
    assert documents.read_invitation(_through_json(documents.invitation_document(value))) == value


@settings(deadline=None)
@given(ENTRIES)
def test_roster_entry(value: RosterEntry) -> None:
    """A roster entry comes back as it was."""
    assert documents.read_roster_entry(_through_json(documents.roster_document(value))) == value


@settings(deadline=None)
@given(CALLS)
def test_call(value: Call) -> None:
    """A call comes back as it was, everybody's presence included."""
    assert documents.read_call(_through_json(documents.call_document(value))) == value


@settings(deadline=None)
@given(INVITATIONS, ENTRIES, CALLS)
def test_previous_release_reads_it(value: Invitation, person: RosterEntry, state: Call) -> None:
    """The previous release reads every row that is written now, and what it needs is in it."""
    invited = previous_release.read_invitation({"document": json.dumps(documents.invitation_document(value))})
    assert (invited.id, invited.token, invited.watch) == (value.id, value.token, value.alarm.name)
    assert (invited.check_due, invited.asked) == (value.alarm.time, value.asked)
    assert [one.status.value for one in invited.operations] == [one.status.value for one in value.operations]
    assert [one.id for one in invited.operations] == [one.id for one in value.operations]
    assert (invited.callback is None) == (not value.flows)
    if invited.callback is not None:
        assert (invited.callback.url, invited.callback.message_id) == (value.flows[0].url, value.flows[0].message_id)
    listed = previous_release.read_roster_entry({"document": json.dumps(documents.roster_document(person))})
    assert (listed.key, listed.presence.value, listed.left) == (person.key, person.presence.value, person.left)
    reported = previous_release.read_call({"document": json.dumps(documents.call_document(state))})
    assert reported.state == (None if state.state is CallState.UNKNOWN else state.state.value)
    assert {name: one.value for name, one in reported.presence.items()} == dict(state.presence)


@pytest.mark.parametrize(
    ("state", "status", "verdict", "is_refused"),
    [
        (Asked(), "running", None, False),
        (Asked(answered=False), "running", None, False),
        (Late(), "notStarted", None, True),
        (Refused(BUSY, final=False), "notStarted", None, True),
        (Refused(BUSY, final=True), "failed", "refusal", True),
        (completed(), "completed", "graph", False),
        (failed(by=Decider.WATCHDOG), "failed", "watchdog", False),
    ],
)
def test_states_for_the_previous_release(state: Any, status: str, verdict: str | None, *, is_refused: bool) -> None:
    """Each state has the status, verdict and refusal by which the previous release acts rightly."""
    (written,) = _written(CallRecord(CALL, invitations={"x": invitation(operation(state=state))})).values()
    (found,) = previous_release.read_invitation(written).operations
    assert (found.status.value, found.verdict and found.verdict.value, found.refused) == (status, verdict, is_refused)


@pytest.mark.parametrize(
    ("operations", "state"),
    [
        ((operation(),), "waiting"),
        ((operation(state=completed()),), "due"),
        ((operation(0, 1, state=failed()),), "waiting"),
    ],
)
def test_due_for_the_previous_release(operations: Any, state: str) -> None:
    """A flow whose outcome is known is due for the previous release, which has a state for that."""
    document = documents.invitation_document(invitation(*operations, flows=(flow(),)))
    assert document["callback"]["state"] == state
    assert documents.read_invitation(document).flows[0].state is Delivery.WAITING


def test_previous_running() -> None:
    """An invitation of the previous release that runs goes on: its watchdog's message is its alarm."""
    found = _previous_invitation("running")
    assert [one.state for one in found.operations] == [Asked(), Asked()]
    assert [one.id for one in found.operations] == ["op-1", None]
    assert (found.alarm.name, found.alarm.time, found.watch_at) == ("watch", later(120), later(120))
    assert (found.asked_by, found.flows, found.key_kind) == ("", (), KeyKind.CLIENT_CONTEXT)


def test_previous_delivered() -> None:
    """An outcome that the previous release delivered stays as it was."""
    found = _previous_invitation("completed by Graph, delivered")
    (state,) = (one.state for one in found.operations)
    assert isinstance(state, Ended)
    assert (state.status, state.by, state.seen) == (Status.COMPLETED, Decider.GRAPH, (0,))
    (waiting,) = found.flows
    assert (waiting.state, waiting.attempts, waiting.last_status) == (Delivery.DELIVERED, 1, 202)
    assert has_ended(found, NOON)


def test_previous_due() -> None:
    """An outcome that the previous release had still to deliver is due."""
    found = _previous_invitation("failed by the watchdog, due")
    (waiting,) = found.flows
    assert waiting.may_be_claimed(NOON, until=later(1))
    assert found.operations[0].decided_by is Decider.WATCHDOG


@pytest.mark.parametrize(("name", "is_final"), [("refused for now", False), ("refused", True)])
def test_previous_refused(name: str, *, is_final: bool) -> None:
    """What Graph refused may be asked again by the same key."""
    (state,) = (one.state for one in _previous_invitation(name).operations)
    assert isinstance(state, Refused)
    assert state.final is is_final


def test_previous_mixed() -> None:
    """Several people with every property come through."""
    found = _previous_invitation("mixed")
    first = Invitee(
        "user", {"id": "alice", "displayName": "Ålice 愛"}, "c2", "p", True, False, "#microsoft.graph.identitySet"
    )
    assert found.participants == (first, Invitee("phone", {"id": "+12065550100"}))
    assert standing(found, None, NOON).status is Status.PARTIALLY_COMPLETED


def test_previous_rest() -> None:
    """A call, its roster, an operation and an early report of the previous release are read."""
    found = _previous("call").record.call
    assert found is not None
    assert (found.state, found.roster_sequence, found.shown) == (CallState.ESTABLISHED, 7, {})
    assert found.presence == {
        "aa": Presence.IN_CALL,
        "bb": Presence.LEFT,
        "cc": Presence.IN_LOBBY,
        "dd": Presence.UNKNOWN,
    }
    ended = _previous("call ended").record.call
    assert ended is not None
    assert (ended.has_ended, ended.result) == (True, ResultInfo(200, 5010, "ended"))
    (person,) = _previous("participant").record.roster.values()
    assert (person.presence, person.was_in, person.left, person.sequence) == (Presence.LEFT, True, later(5), 3)
    assert _previous("operation").record.operations == {"op-1": OperationEntry("ABC")}
    report = OperationState("op-2", None, "completed", None)
    assert _previous("early report").record.operations == {"op-2": OperationEntry(None, report)}


def test_previous_release_reads_operations() -> None:
    """The previous release finds an invitation by its operation, and an early report."""
    early = OperationState("op-2", None, "failed", ResultInfo(1, 2, "x"))
    record = CallRecord(CALL, operations={"op-1": OperationEntry("ABC"), "op-2": OperationEntry(None, early)})
    one, two = _written(record).values()
    assert previous_release.read_operation(one) == ("ABC", None)
    result = {"code": 1, "subcode": 2, "message": "x"}
    assert previous_release.read_operation(two) == (None, {"id": "op-2", "status": "failed", "resultInfo": result})


def test_written_back_by_the_previous_release() -> None:
    """What an older writer drops is derived again, and only further flows are lost."""
    ended = operation(0, 1, state=completed(seen=(0,)), id="op")
    value = invitation(ended, flows=(flow(), flow(url=FLOW + "2", run_id="2")), asked_by="me")
    document = documents.invitation_document(value)
    known = (*(json.loads(PREVIOUS["running"]["document"])), "callback")
    kept = {name: document[name] for name in known}
    older = ("clientContext", "people", "status", "id", "result", "verdict", "refused")
    kept["operations"] = [{name: one[name] for name in older} for one in document["operations"]]
    found = documents.read_invitation(kept)
    assert [one.url for one in found.flows] == [FLOW]
    assert has_ended(found, NOON)
    assert standing(found, None, NOON).status is Status.COMPLETED


def test_newer_release() -> None:
    """Properties that only a newer release knows are ignored, wherever they stand."""
    value = invitation(operation(state=completed()), flows=(flow(),))
    document = documents.invitation_document(value)
    for one in (document, document["participants"][0], document["operations"][0], document["callback"]):
        one["newer"] = {"a": [1]}
    assert documents.read_invitation(document) == value
    state = call(presence={"a": Presence.IN_CALL})
    assert documents.read_call({**documents.call_document(state), "newer": 1}) == state
    person = entry("a")
    assert documents.read_roster_entry({**documents.roster_document(person), "newer": 1}) == person


def test_version() -> None:
    """Every document has the version of its form."""
    made = (
        documents.invitation_document(invitation()),
        documents.call_document(call()),
        documents.roster_document(entry("a")),
    )
    assert {document["v"] for document in made} == {1}


def test_presence_letters() -> None:
    """No two presences are mixed up by being written short."""
    letters = documents.call_document(call(presence={one.value: one for one in Presence}))["presence"]
    assert len(set(letters.values())) == len(Presence)
    assert {len(letter) for letter in letters.values()} == {1}


@dataclass(frozen=True)
class _Form:
    needed: int
    optional: str | None = None
    number: int = 7


def test_codec() -> None:
    """An absent property has its default, one without a default is an error, and a default of None is left out."""
    assert codec.encode(_Form(1)) == {"needed": 1, "number": 7}
    assert codec.decode(_Form, {"needed": 1}) == _Form(1)
    assert codec.decode(_Form, {"needed": 1, "optional": None, "number": 2}) == _Form(1, number=2)
    with pytest.raises(KeyError):
        codec.decode(_Form, {"optional": "x"})


def test_long_results_are_cut() -> None:
    """Graph's text has no limit, and a row has."""
    said = replace(BUSY, message="DiagCode: " + "🙂" * 1_000_000)
    document = documents.invitation_document(invitation(operation(state=failed(said))))
    (found,) = documents.read_invitation(document).operations
    assert found.result is not None
    assert (found.result.code, found.result.subcode) == (BUSY.code, BUSY.subcode)
    assert found.result.message is not None
    assert found.result.message.startswith("DiagCode: 🙂")
    assert len(json.dumps(document)) < 20_000
