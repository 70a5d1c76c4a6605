"""Graph's words in every order: what an invitation becomes is what Graph's documentation dictates, and nothing else.

    A   Graph's answer to the invite: Running        P   a roster with the person in it
    C   the operation is reported as completed       W   a roster without
    F   the operation is reported as failed          T   the call is reported as terminated

A sequence may hold an event several times, so duplicates are in it. What must come of a sequence is said by
``_dictated``, which knows nothing of the app.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from domain import roster, transitions
from domain.model import CallState, Operation, Presence, RosterEntry, Status, Verdict
from domain.roster import presence_of
from graph.wire import OperationState, ResultInfo
from notifications.applying import Applying
from notifications.payload import CallReport, OperationReport, Report, RosterReport
from storage import rows
from storage.calls import CallTable
from tests import states
from tests.fakes import FakeClock, MemoryTable
from watchdog.service import call_ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EVENTS = "ACFPWT"
LONGEST = 6
ALL = sum(len(EVENTS) ** length for length in range(1, LONGEST + 1))

_PERSON = "alice"
_DECLINED = ResultInfo(603, 0, "Declined")
_HUNG_UP = ResultInfo(200, 5001, None)
_PARTICIPANT = {"id": None, "info": {"identity": {"user": {"id": _PERSON}}}}


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


def _dictated(sequence: str) -> _Outcome:
    """Say what a sequence must lead to.

    The first end of an operation that Graph reports is final, since its object is gone then. A running that comes
    late was sent before. The end of a call ends what is open, until Graph itself says how it ended. The last roster
    tells who is there; it says nothing about the operation.
    """
    ends = [event for event in sequence if event in "CF"]
    rosters = [event for event in sequence if event in "PW"]
    if ends:
        status, result = (Status.COMPLETED, None) if ends[0] == "C" else (Status.FAILED, _DECLINED)
    elif "T" in sequence:
        status, result = Status.FAILED, call_ended(_HUNG_UP)
    else:
        status, result = Status.RUNNING, None
    if not rosters or (rosters[-1] == "W" and "P" not in rosters):
        presence = Presence.UNKNOWN
    else:
        presence = Presence.IN_CALL if rosters[-1] == "P" else Presence.LEFT
    return _Outcome(status, result, presence, bool(ends))


@dataclass(frozen=True)
class _State:
    operation: Operation
    call: CallState
    known: Mapping[str, RosterEntry]


def _after(state: _State, event: str) -> _State:
    """Apply one event by the app's pure functions."""
    if event in "ACF":
        heard = transitions.hears(state.operation, _says(event), ended=event in "CF")
        return replace(state, operation=heard)
    if event == "T":
        return replace(state, operation=transitions.concluded(state.operation, Status.FAILED, call_ended(_HUNG_UP)))
    seen = [roster.sighting(_PARTICIPANT)] if event == "P" else []
    people = [entry for entry in seen if entry is not None]
    call, changed = roster.apply_list(state.call, state.known, people, states.NOON)
    return _State(state.operation, call, {**state.known, **changed})


def _outcome(operation: Operation, presence: Mapping[str, Presence]) -> _Outcome:
    return _Outcome(
        operation.status, operation.result, presence_of(presence, _PERSON), operation.verdict is Verdict.GRAPH
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
    return _State(Operation("context", (0,)), states.call_state(), {})


def test_every_order_ends_as_graph_dictates(record_property: Callable[[str, object], None]) -> None:
    """All sequences of up to six events, duplicates among them: status, result, presence and who said it."""
    count = 0
    for sequence, _, state in _walk(_start()):
        assert _outcome(state.operation, state.call.presence) == _dictated(sequence), sequence
        count += 1
    record_property("sequences", count)
    assert count == ALL == 55_986


def test_no_step_of_any_order_goes_backwards() -> None:
    """What Graph called final never changes again, nothing final reopens, and an id once known stays."""
    steps = 0
    for sequence, before, after in _walk(_start()):
        if before.operation.verdict is Verdict.GRAPH:
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


def test_a_repeat_changes_nothing() -> None:
    """Every event twice in a row is as good as once, after every sequence."""
    for sequence, _, state in _walk(_start()):
        again = _after(state, sequence[-1])
        assert again.operation == state.operation, sequence
        assert again.call.presence == state.call.presence, sequence
        assert again.known == state.known, sequence


def test_the_proof_would_notice_a_wrong_turn() -> None:
    """The dictated outcomes tell orders apart: a state that took the last word instead of the first fails."""
    assert _dictated("CF") != _dictated("FC")
    assert _dictated("TC") == _dictated("C")
    assert _dictated("TA") == _dictated("T") != _dictated("A")
    assert len({_dictated(sequence) for sequence, _, _ in _walk(_start())}) == 12


class _Silent:
    """Nobody waits for these outcomes."""

    def announce(self, invitation: Any) -> None:
        pass


_CALL_REPORT = CallReport(states.CALL, "terminated", _HUNG_UP)


def _report(event: str) -> Report:
    if event in "PW":
        seen = roster.sighting(_PARTICIPANT)
        return RosterReport(states.CALL, (seen,) if seen is not None and event == "P" else ())
    if event == "T":
        return _CALL_REPORT
    return OperationReport(states.CALL, _says(event), frozenset(), ended=event in "CF")


def _applied(sequence: str, *, together: bool) -> _Outcome:
    """Apply a sequence through the app's storage, as one callback or as one for each event."""
    memory: Any = MemoryTable()
    table, silent = CallTable(memory), _Silent()
    clock = FakeClock()
    invitation = table.insert_invitation(states.invitation()).value
    applying = Applying(table, silent, now=clock.now)  # type: ignore[arg-type]
    reports = [_report(event) for event in sequence]
    for group in [reports] if together else [[report] for report in reports]:
        clock.sleep(1)
        applying.apply(states.CALL, group)
    stored, presence = table.invitation_and_presence(states.CALL, rows.invitation_id("context"))
    assert stored is not None
    assert stored.value.id == invitation.id
    return _outcome(stored.value.operations[0], presence)


def _sequences(longest: int) -> Iterator[str]:
    for sequence, _, _ in _walk(_start()):
        if len(sequence) <= longest:
            yield sequence


@pytest.mark.parametrize("together", [True, False], ids=["one callback", "a callback each"])
def test_every_order_of_four_ends_so_in_storage_too(*, together: bool) -> None:
    """Read, decided and written, the outcome is the same, whether events come in one callback or in several."""
    count = 0
    for sequence in _sequences(4):
        assert _applied(sequence, together=together) == _dictated(sequence), sequence
        count += 1
    assert count == 1554


@pytest.mark.prove
@pytest.mark.parametrize("together", [True, False], ids=["one callback", "a callback each"])
def test_every_order_of_six_ends_so_in_storage_too(*, together: bool) -> None:
    """The same for all sequences of up to six."""
    count = 0
    for sequence in _sequences(LONGEST):
        assert _applied(sequence, together=together) == _dictated(sequence), sequence
        count += 1
    assert count == ALL
