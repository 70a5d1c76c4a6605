"""Graph's reports in every order: what becomes of an invitation is what Graph's documentation states, and nothing else.

    A   Graph's answer to the invite: Running        P   a roster with the person in it
    C   the operation is reported as completed       W   a roster without
    F   the operation is reported as failed          T   the call is reported as terminated

A sequence may hold an event several times, so duplicates are in it. What a sequence must lead to is stated by
``_dictated``, which shares nothing with the app.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from domain import roster, transitions
from domain.call import Call, CallState, Presence
from domain.inference import SEEN_IN_CALL, call_ended
from domain.invitation import Decider, Operation, Status
from domain.results import OperationState, ResultInfo
from domain.standing import presence_of
from graph.participants import read_roster
from notifications.applying import apply_reports, needs_of
from notifications.payload import CallReport, OperationReport, Report, RosterReport
from storage.store import TableStore
from tests import states
from tests.fakes import FakeClock, MemoryTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from domain.record import CallRecord
    from domain.roster import RosterEntry
    from domain.sightings import Roster

EVENTS = "ACFPWT"
LONGEST = 6
ALL = sum(len(EVENTS) ** length for length in range(1, LONGEST + 1))

_PERSON = "alice"
_DECLINED = ResultInfo(603, 0, "Declined")
_HUNG_UP = ResultInfo(200, 5001, None)
_PARTICIPANT = {**states.participant(_PERSON), "id": None}


def _says(event: str) -> OperationState:
    status = {"A": "running", "C": "completed", "F": "failed"}[event]
    return OperationState("o-1", "context", status, _DECLINED if event == "F" else None)


@dataclass(frozen=True)
class _Outcome:
    """What can be seen of an invitation of one person."""

    status: Status
    result: ResultInfo | None
    presence: Presence
    by_graph: bool


def _dictated(sequence: str, *, call_ends: bool = True) -> _Outcome:
    """Return what a sequence must lead to; ``call_ends`` is false where T ends the operation alone.

    The first end of an operation that Graph reports is final, since its object is gone then. A running that comes
    late was sent before. The end of a call ends what is open, until Graph itself says how it ended: who was in the
    call has come. The last roster shows who is there; it ends nothing. With a call's end everybody in it has left.
    """
    ends = [event for event in sequence if event in "CF"]
    rosters = [event for event in sequence if event in "PW"]
    if ends:
        status, result = (Status.COMPLETED, None) if ends[0] == "C" else (Status.FAILED, _DECLINED)
    elif call_ends and "P" in sequence.partition("T")[0] and "T" in sequence:
        status, result = Status.COMPLETED, SEEN_IN_CALL
    elif "T" in sequence:
        status, result = Status.FAILED, call_ended(_HUNG_UP)
    else:
        status, result = Status.RUNNING, None
    if not rosters or (rosters[-1] == "W" and "P" not in rosters):
        presence = Presence.UNKNOWN
    else:
        presence = Presence.IN_CALL if rosters[-1] == "P" and not (call_ends and "T" in sequence) else Presence.LEFT
    return _Outcome(status, result, presence, bool(ends))


@dataclass(frozen=True)
class _State:
    operation: Operation
    call: Call
    known: Mapping[str, RosterEntry]


def _seen(event: str) -> Roster:
    return read_roster([_PARTICIPANT] if event == "P" else [])


def _after(state: _State, event: str) -> _State:
    """Apply one event by the app's pure functions."""
    if event in "ACF":
        after = transitions.apply_graph_state(state.operation, _says(event), states.NOON, ended=event in "CF")
        return replace(state, operation=after)
    if event == "T":
        ended = transitions.concluded(state.operation, Status.FAILED, call_ended(_HUNG_UP), states.NOON)
        return replace(state, operation=ended)
    call, changed = roster.apply_list(state.call, state.known, _seen(event), states.NOON)
    return _State(state.operation, call, {**state.known, **changed})


def _outcome(operation: Operation, call: Call | None) -> _Outcome:
    return _Outcome(
        operation.status, operation.result, presence_of(call, _PERSON), operation.decided_by is Decider.GRAPH
    )


def _walk(start: _State) -> Iterator[tuple[str, _State, _State]]:
    """Give every sequence with the state before its last event and the one after; shared beginnings are walked once."""
    pending = [("", start)]
    while pending:
        sequence, state = pending.pop()
        for event in EVENTS:
            after = _after(state, event)
            yield sequence + event, state, after
            if len(sequence) + 1 < LONGEST:
                pending.append((sequence + event, after))


def _start() -> _State:
    return _State(Operation("context", (0,)), states.call(), {})


def test_every_order(record_property: Callable[[str, object], None]) -> None:
    """All sequences of up to six events, duplicates among them: status, result, presence and who concluded it."""
    count = 0
    for sequence, _, state in _walk(_start()):
        assert _outcome(state.operation, state.call) == _dictated(sequence, call_ends=False), sequence
        count += 1
    record_property("sequences", count)
    assert count == ALL == 55_986


def test_no_step_goes_back() -> None:
    """What Graph called final never changes again, nothing final reopens, and an id once known stays."""
    steps = 0
    for sequence, before, after in _walk(_start()):
        if before.operation.decided_by is Decider.GRAPH:
            assert after.operation == before.operation, sequence
        if before.operation.status.is_final:
            assert after.operation.status.is_final, sequence
        if before.operation.id is not None:
            assert after.operation.id == before.operation.id, sequence
        if sequence[-1] == "T" and before.operation.status.is_final:
            assert after.operation == before.operation, sequence
        if sequence[-1] in "PW":
            assert after.operation == before.operation, sequence
        steps += 1
    assert steps == ALL


def test_repeats() -> None:
    """Every event twice in a row is as good as once, after every sequence."""
    for sequence, _, state in _walk(_start()):
        again = _after(state, sequence[-1])
        assert again.operation == state.operation, sequence
        assert again.call.presence == state.call.presence, sequence
        assert again.known == state.known, sequence


def test_orders_differ() -> None:
    """The stated outcomes differ by order: a state that took the last report instead of the first would fail."""
    assert _dictated("CF") != _dictated("FC")
    assert _dictated("TC") == _dictated("C")
    assert _dictated("TA") == _dictated("T") != _dictated("A")
    assert _dictated("PT").status is not _dictated("TP").status
    assert len({_dictated(sequence) for sequence, _, _ in _walk(_start())}) == 12


_CALL_REPORT = CallReport(states.CALL, CallState.TERMINATED, _HUNG_UP)


def _report(event: str) -> Report:
    if event in "PW":
        return RosterReport(states.CALL, _seen(event))
    if event == "T":
        return _CALL_REPORT
    return OperationReport(states.CALL, _says(event), frozenset(), ended=event in "CF")


def _applied(sequence: str, *, together: bool) -> _Outcome:
    """Apply a sequence through the app's storage, as one callback or as one for each event."""
    store, clock = TableStore(MemoryTable()), FakeClock()
    made = states.invitation()
    store.update(
        states.CALL,
        needs_of([]),
        lambda record: record.with_invitation(made),
        held=store.nothing_yet(states.CALL),
    )
    reports = [_report(event) for event in sequence]
    for group in [reports] if together else [[report] for report in reports]:
        clock.sleep(1)

        def change(record: CallRecord, group: list[Report] = group) -> CallRecord:
            return apply_reports(record, group, clock.now())

        store.update(states.CALL, needs_of(group), change)
    record = store.all_invitations(states.CALL)
    return _outcome(record.invitations[made.id].operations[0], record.call)


def _sequences(longest: int) -> Iterator[str]:
    for sequence, _, _ in _walk(_start()):
        if len(sequence) <= longest:
            yield sequence


@pytest.mark.parametrize("together", [True, False], ids=["one callback", "a callback each"])
def test_every_order_of_three_in_storage(*, together: bool) -> None:
    """Read, decided and written, the outcome is the same, whether events come in one callback or in several."""
    count = 0
    for sequence in _sequences(3):
        assert _applied(sequence, together=together) == _dictated(sequence), sequence
        count += 1
    assert count == 258


@pytest.mark.prove
@pytest.mark.parametrize("together", [True, False], ids=["one callback", "a callback each"])
def test_every_order_of_six_in_storage(*, together: bool) -> None:
    """The same for all sequences of up to six."""
    count = 0
    for sequence in _sequences(LONGEST):
        assert _applied(sequence, together=together) == _dictated(sequence), sequence
        count += 1
    assert count == ALL
