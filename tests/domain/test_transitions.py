"""How the operations of an invitation change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import transitions
from domain.invitation import Asked, Decider, Ended, Late, Operation, Refused, Status
from domain.results import OperationState, ResultInfo
from tests.states import BUSY, FINE, NOON, completed, failed, invitation, later, operation, says

UNANSWERED = operation(state=Asked(answered=False))
RUNNING = operation()
RUNNING_WITH_ID = operation(id="op")
LATE = operation(state=Late())
THROTTLED = operation(state=Refused(BUSY, final=False))
REFUSED = operation(state=Refused(BUSY, final=True))
GIVEN_UP = operation(state=failed(by=Decider.WATCHDOG))
SEEN = operation(state=completed(by=Decider.WATCHDOG))
COMPLETED = operation(state=completed(), id="op")
FAILED = operation(state=failed(), id="op")

OPEN = [UNANSWERED, RUNNING, RUNNING_WITH_ID, LATE, THROTTLED]
INFERRED = [GIVEN_UP, SEEN]
FINAL_BY_GRAPH = [COMPLETED, FAILED]
STATUSES = ["notstarted", "running", "completed", "failed", "unheardof", None]
RESULTS = [None, FINE, BUSY, ResultInfo(), ResultInfo(None, 5, "x"), ResultInfo(299), ResultInfo(300), ResultInfo(199)]


@pytest.mark.parametrize("before", [*OPEN, *INFERRED, REFUSED])
@pytest.mark.parametrize(("reported", "status"), [("completed", Status.COMPLETED), ("failed", Status.FAILED)])
@pytest.mark.parametrize("result", [None, FINE, BUSY])
def test_first_final_report_counts(before: Operation, reported: str, status: Status, result: ResultInfo | None) -> None:
    """Whatever was inferred before, Graph's first final status counts, with its result and time."""
    after = transitions.apply_graph_state(before, says(reported, result, id="op"), later(5))
    assert after == replace(before, id="op", state=Ended(status, result, Decider.GRAPH, later(5)))


@pytest.mark.parametrize("before", FINAL_BY_GRAPH)
@pytest.mark.parametrize("reported", STATUSES)
@pytest.mark.parametrize("ended", [False, True])
def test_final_stays(before: Operation, reported: str, *, ended: bool) -> None:
    """A late *running*, a repeat or a second opinion changes nothing, and neither does anything else."""
    for result in RESULTS:
        state = says(reported, result, id="other")
        assert transitions.apply_graph_state(before, state, later(9), ended=ended) is before
    assert transitions.refused(before, BUSY, final=True) is before
    assert transitions.concluded(before, Status.FAILED, BUSY, later(9)) is before
    assert transitions.not_begun(before) is before
    assert transitions.unanswered(before) is before


@pytest.mark.parametrize("before", OPEN)
@pytest.mark.parametrize("reported", ["running", "notstarted", "unheardof", None])
def test_any_other_status_is_running(before: Operation, reported: str | None) -> None:
    """*Running*, nothing, or an unknown status: Graph has the request, so nothing sends it again."""
    after = transitions.apply_graph_state(before, says(reported, id="op"), later(1))
    assert after == replace(before, id="op", state=Asked())
    assert after.status is Status.RUNNING


@pytest.mark.parametrize("before", INFERRED)
def test_late_running_reopens_nothing(before: Operation) -> None:
    """What was inferred stays until Graph reports the end."""
    after = transitions.apply_graph_state(before, says("running", id="op"), later(1))
    assert after == replace(before, id="op")


def test_running_after_a_refusal() -> None:
    """Graph took the request after all: it stays failed, and nothing may send it again."""
    after = transitions.apply_graph_state(REFUSED, says("running", id="op"), later(1))
    assert (after.status, after.result, after.decided_by) == (Status.FAILED, BUSY, Decider.WATCHDOG)
    again = transitions.asked_again(invitation(after), later(2), "me")
    assert again.operations == (after,)


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (FINE, Status.COMPLETED),
        (ResultInfo(299), Status.COMPLETED),
        (ResultInfo(300), Status.FAILED),
        (ResultInfo(199), Status.FAILED),
        (BUSY, Status.FAILED),
        (ResultInfo(None, 5), Status.RUNNING),
        (ResultInfo(), Status.RUNNING),
        (None, Status.RUNNING),
    ],
)
def test_deleted_without_a_status(result: ResultInfo | None, status: Status) -> None:
    """The result of a deleted operation implies how it ended; without a code nothing is implied."""
    assert transitions.apply_graph_state(RUNNING, says(None, result), NOON, ended=True).status is status
    assert transitions.apply_graph_state(RUNNING, says(None, result), NOON).status is Status.RUNNING
    for reported in ("running", "notstarted", "unheardof"):
        assert transitions.apply_graph_state(RUNNING, says(reported, result), NOON, ended=True).status is Status.RUNNING


def test_first_id_is_kept() -> None:
    """The first operation id that Graph gave stays."""
    assert transitions.apply_graph_state(RUNNING_WITH_ID, says("running", id=None), NOON).id == "op"
    assert transitions.apply_graph_state(RUNNING_WITH_ID, says("completed", id="other"), NOON).id == "op"


@pytest.mark.parametrize(
    ("state", "status", "decided_by"),
    [
        (Late(), Status.NOT_STARTED, None),
        (Asked(answered=False), Status.RUNNING, None),
        (Asked(), Status.RUNNING, None),
        (Refused(BUSY, final=False), Status.NOT_STARTED, None),
        (Refused(BUSY, final=True), Status.FAILED, Decider.REFUSAL),
        (failed(), Status.FAILED, Decider.GRAPH),
        (completed(by=Decider.WATCHDOG), Status.COMPLETED, Decider.WATCHDOG),
    ],
)
def test_one_state_names_status_and_decider(
    state: Late | Asked | Refused | Ended, status: Status, decided_by: Decider | None
) -> None:
    """Status and decider are read from one tagged state, so they cannot contradict each other."""
    one = operation(state=state)
    assert (one.status, one.decided_by) == (status, decided_by)
    assert (one.result is None) == isinstance(state, Late | Asked)


@pytest.mark.parametrize("before", [UNANSWERED, RUNNING, THROTTLED])
@pytest.mark.parametrize("final", [False, True])
def test_refusal(before: Operation, *, final: bool) -> None:
    """What Graph certainly did not take may be sent again under the same key."""
    assert transitions.refused(before, FINE, final=final).state == Refused(FINE, final)


@pytest.mark.parametrize("before", [RUNNING_WITH_ID, *INFERRED])
def test_refusal_after_a_report(before: Operation) -> None:
    """Graph has reported the operation, or it is over: it was taken."""
    assert transitions.refused(before, BUSY, final=True) is before


def test_not_begun_only_without_an_answer() -> None:
    """``notStarted`` is written only where no answer, id or report is there yet."""
    assert transitions.not_begun(UNANSWERED).state == Late()
    for before in (RUNNING, replace(UNANSWERED, id="op"), THROTTLED, REFUSED, *INFERRED, *FINAL_BY_GRAPH):
        assert transitions.not_begun(before) is before


def test_unanswered_is_asked() -> None:
    """A request whose answer never came counts as asked."""
    assert transitions.unanswered(UNANSWERED).state == Asked()
    for before in (LATE, THROTTLED, RUNNING, REFUSED):
        assert transitions.unanswered(before) is before


@pytest.mark.parametrize("before", OPEN)
def test_inference_ends_what_is_open(before: Operation) -> None:
    """An inferred end is final for the flow, and marked as not Graph's own."""
    after = transitions.concluded(before, Status.FAILED, BUSY, later(5))
    assert after.state == Ended(Status.FAILED, BUSY, Decider.WATCHDOG, later(5), ())


@pytest.mark.parametrize("before", [*INFERRED, REFUSED])
def test_inference_happens_once(before: Operation) -> None:
    """What is over is not concluded again."""
    assert transitions.concluded(before, Status.COMPLETED, FINE, later(5)) is before


def test_only_refused_requests_are_asked_again() -> None:
    """A repeat sends the refused requests again, and leaves those alone that Graph took or may have taken."""
    before = invitation(COMPLETED, replace(REFUSED, people=(1,)), replace(RUNNING, people=(2,)), THROTTLED, LATE)
    after = transitions.asked_again(before, later(60), "me")
    fresh = Asked(answered=False)
    assert [one.state for one in after.operations] == [COMPLETED.state, fresh, RUNNING.state, fresh, Late()]
    assert (after.asked, after.updated, after.asked_by) == (later(60), later(60), "me")
    assert (after.created, after.token, after.id) == (before.created, before.token, before.id)


def test_taking_over_what_was_not_begun() -> None:
    """A message's run takes over the late requests only: another run's without an answer is never sent again."""
    before = invitation(COMPLETED, LATE, THROTTLED, UNANSWERED)
    after = transitions.taken_over(before, "me", later(60))
    fresh = Asked(answered=False)
    assert [one.state for one in after.operations] == [COMPLETED.state, fresh, THROTTLED.state, Asked()]
    mine = transitions.taken_over(replace(before, asked_by="me"), "me", later(60))
    assert [one.state for one in mine.operations] == [COMPLETED.state, fresh, THROTTLED.state, fresh]
    assert (after.asked_by, after.asked) == ("me", before.asked)
    assert transitions.taken_over(invitation(COMPLETED), "me", later(60)).asked_by == ""


def test_nothing_changed_is_the_same_object() -> None:
    """A report that changes nothing costs no write; a change has its time."""
    before = invitation(COMPLETED)
    assert transitions.change_operations(before, later(5), lambda one: one) is before
    assert transitions.with_operations(before, list(before.operations), later(5)) is before
    after = transitions.with_operations(invitation(), [COMPLETED], later(5))
    assert (after.operations, after.updated, after.created) == ((COMPLETED,), later(5), NOON)


STATES = st.sampled_from([*OPEN, *INFERRED, REFUSED, *FINAL_BY_GRAPH])
REPORTS = st.builds(
    OperationState,
    st.sampled_from([None, "op", "other"]),
    st.none(),
    st.sampled_from(STATUSES),
    st.sampled_from(RESULTS),
)


@settings(deadline=None, max_examples=150)
@given(STATES, st.lists(st.tuples(REPORTS, st.booleans()), max_size=8))
def test_one_final_report_in_any_order(before: Operation, reports: list[tuple[OperationState, bool]]) -> None:
    """However reports are repeated or reordered, an operation has one final state by Graph, and it never changes."""
    ends = set()
    for place, (state, ended) in enumerate(reports):
        after = transitions.apply_graph_state(before, state, later(place), ended=ended)
        assert not (before.status.is_final and not after.status.is_final)
        assert transitions.apply_graph_state(after, state, later(99), ended=ended) == after
        if after.decided_by is Decider.GRAPH:
            ends.add((after.status, after.result))
        before = after
    assert len(ends) <= 1
