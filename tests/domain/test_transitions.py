from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import transitions
from domain.model import Delivery, FlowCallback, Operation, ResultInfo, Status, Verdict
from graph.wire import OperationState
from tests.states import BUSY, FINE, NOON, invitation, later, operation, says

COMPLETED = operation(status=Status.COMPLETED, verdict=Verdict.GRAPH, result=FINE, id="op")
FAILED = operation(status=Status.FAILED, verdict=Verdict.GRAPH, result=BUSY, id="op")
NOT_STARTED = operation(status=Status.NOT_STARTED, refused=True, result=BUSY)
REFUSED = operation(status=Status.FAILED, verdict=Verdict.REFUSAL, refused=True, result=BUSY)
RUNNING = operation()
RUNNING_WITH_ID = operation(id="op")
GIVEN_UP = operation(status=Status.FAILED, verdict=Verdict.WATCHDOG, result=BUSY)
THOUGHT_DONE = operation(status=Status.COMPLETED, verdict=Verdict.WATCHDOG, result=FINE)

OPEN = [RUNNING, RUNNING_WITH_ID, NOT_STARTED]
CONCLUDED = [GIVEN_UP, THOUGHT_DONE, REFUSED]
GRAPHS_OWN = [COMPLETED, FAILED]
WORDS = ["notstarted", "running", "completed", "failed", "unheardof", None]
RESULTS = [None, FINE, BUSY, ResultInfo(), ResultInfo(None, 5, "x"), ResultInfo(299), ResultInfo(300), ResultInfo(199)]


@pytest.mark.parametrize("before", [*OPEN, *CONCLUDED])
@pytest.mark.parametrize(("word", "status"), [("completed", Status.COMPLETED), ("failed", Status.FAILED)])
@pytest.mark.parametrize("result", [None, FINE, BUSY])
def test_graphs_first_final_word_counts(
    before: Operation, word: str, status: Status, result: ResultInfo | None
) -> None:
    """Whatever was thought before, what Graph calls completed or failed is so, with Graph's result."""
    after = transitions.hears(before, says(word, result, id="op"))
    assert (after.status, after.verdict, after.result, after.refused) == (status, Verdict.GRAPH, result, False)
    assert after.id == "op"


@pytest.mark.parametrize("before", GRAPHS_OWN)
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("ended", [False, True])
def test_what_graph_called_final_stays(before: Operation, word: str, result: ResultInfo, *, ended: bool) -> None:
    """A late *Running*, a repeat or a second opinion changes nothing, and neither does anything else."""
    assert transitions.hears(before, says(word, result, id="other"), ended=ended) is before
    assert transitions.refused(before, BUSY, final=True) is before
    assert transitions.refused(before, BUSY, final=False) is before
    assert transitions.concluded(before, Status.FAILED, BUSY) is before
    assert transitions.concluded(before, Status.COMPLETED, FINE) is before


@pytest.mark.parametrize("before", OPEN)
@pytest.mark.parametrize("word", ["running", "notstarted", "unheardof", None])
def test_any_other_word_says_that_graph_took_it(before: Operation, word: str | None) -> None:
    """*Running*, nothing, or a status nobody has heard of: Graph has the request, so it is running."""
    after = transitions.hears(before, says(word, id="op"))
    assert (after.status, after.verdict, after.result, after.refused) == (Status.RUNNING, None, None, False)
    assert after.id == "op"


@pytest.mark.parametrize("before", CONCLUDED)
@pytest.mark.parametrize("word", ["running", "notstarted", "unheardof", None])
def test_a_late_running_does_not_reopen_but_proves_that_graph_took_it(before: Operation, word: str | None) -> None:
    """What was concluded stays so until Graph says how it ended; it is surely not to be sent again."""
    after = transitions.hears(before, says(word, id="op"))
    assert after == replace(before, id="op", refused=False)


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
def test_a_deleted_operation_without_a_status_is_judged_by_its_result(
    result: ResultInfo | None, status: Status
) -> None:
    """Graph deletes an operation when it is over; its result says how, and no result says nothing."""
    assert transitions.hears(RUNNING, says(None, result), ended=True).status is status
    assert transitions.hears(RUNNING, says(None, result), ended=False).status is Status.RUNNING


@pytest.mark.parametrize("word", ["running", "notstarted", "unheardof"])
def test_a_deleted_operation_with_another_status_is_not_judged(word: str) -> None:
    """Where Graph names a status that is not final, its result is no verdict."""
    assert transitions.hears(RUNNING, says(word, BUSY), ended=True).status is Status.RUNNING


def test_an_id_once_known_is_kept() -> None:
    """The first operation id that Graph gave stays, whatever a later report shows in its place."""
    assert transitions.hears(RUNNING_WITH_ID, says("running", id=None)).id == "op"
    assert transitions.hears(RUNNING_WITH_ID, says("completed", id="other")).id == "op"


@pytest.mark.parametrize("before", [RUNNING, NOT_STARTED])
def test_a_refusal_may_be_sent_again(before: Operation) -> None:
    """What Graph surely did not take is not started; where nobody will send it again by itself, it has failed."""
    soon = transitions.refused(before, BUSY, final=False)
    assert (soon.status, soon.verdict, soon.refused, soon.result) == (Status.NOT_STARTED, None, True, BUSY)
    never = transitions.refused(before, BUSY, final=True)
    assert (never.status, never.verdict, never.refused) == (Status.FAILED, Verdict.REFUSAL, True)


@pytest.mark.parametrize("before", [RUNNING_WITH_ID, GIVEN_UP, THOUGHT_DONE])
def test_a_refusal_that_comes_after_graphs_word_changes_nothing(before: Operation) -> None:
    """Graph has spoken of the operation, or it is concluded: it was taken after all."""
    assert transitions.refused(before, BUSY, final=True) is before


@pytest.mark.parametrize("before", OPEN)
def test_the_watchdog_concludes_what_is_open(before: Operation) -> None:
    """A conclusion is final for the flow, and marked as not Graph's own."""
    after = transitions.concluded(before, Status.FAILED, BUSY)
    assert (after.status, after.result, after.verdict) == (Status.FAILED, BUSY, Verdict.WATCHDOG)


@pytest.mark.parametrize("before", CONCLUDED)
def test_the_watchdog_does_not_think_twice(before: Operation) -> None:
    """What was concluded once is not concluded again."""
    assert transitions.concluded(before, Status.COMPLETED, FINE) is before


def test_only_what_was_refused_is_asked_again() -> None:
    """A repeat claims the refused requests anew, and leaves what Graph took, or may have taken, alone."""
    before = invitation(
        replace(COMPLETED, people=(0,)), replace(REFUSED, people=(1,)), replace(RUNNING, people=(2,)), NOT_STARTED
    )
    after = transitions.asked_again(before, later(60), watch="next", check_due=later(180))
    assert after.operations == (
        before.operations[0],
        Operation("context", (1,)),
        before.operations[2],
        Operation("context", (0,)),
    )
    assert (after.asked, after.updated, after.watch, after.check_due) == (later(60), later(60), "next", later(180))
    assert (after.created, after.token, after.id) == (before.created, before.token, before.id)


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ("R", Status.RUNNING),
        ("N", Status.NOT_STARTED),
        ("C", Status.COMPLETED),
        ("F", Status.FAILED),
        ("RR", Status.RUNNING),
        ("NN", Status.NOT_STARTED),
        ("NR", Status.RUNNING),
        ("CR", Status.RUNNING),
        ("CN", Status.RUNNING),
        ("FR", Status.RUNNING),
        ("FN", Status.RUNNING),
        ("CFR", Status.RUNNING),
        ("CC", Status.COMPLETED),
        ("FF", Status.FAILED),
        ("CF", Status.PARTIALLY_COMPLETED),
        ("FFC", Status.PARTIALLY_COMPLETED),
    ],
)
def test_an_invitation_is_as_far_as_all_its_parts(statuses: str, status: Status) -> None:
    """As long as one part is open the invitation is; then it is completed, failed, or both in part."""
    words = {"R": Status.RUNNING, "N": Status.NOT_STARTED, "C": Status.COMPLETED, "F": Status.FAILED}
    operations = [operation(place, status=words[letter]) for place, letter in enumerate(statuses)]
    assert transitions.status_of(operations) is status
    assert transitions.is_open(invitation(*operations)) == (not status.is_final)


def test_the_first_failure_speaks_for_the_whole() -> None:
    """A reader of the whole sees what went wrong before what went well."""
    other = ResultInfo(603, 0, "declined")
    failed_silently, failed_later = replace(FAILED, result=None), replace(FAILED, result=other)
    assert transitions.result_of([COMPLETED, FAILED, failed_later]) == BUSY
    assert transitions.result_of([COMPLETED, failed_silently, failed_later]) == other
    assert transitions.result_of([COMPLETED, failed_silently]) == FINE
    assert transitions.result_of([RUNNING]) is None


def test_nothing_changed_is_the_very_same_invitation() -> None:
    """A report that changes nothing costs no write."""
    before = invitation(COMPLETED)
    assert transitions.change_operations(before, later(5), lambda one: one) is before
    assert transitions.with_operations(before, list(before.operations), later(5)) is before


def test_a_change_is_dated() -> None:
    """An invitation says when it last changed."""
    after = transitions.with_operations(invitation(), [COMPLETED], later(5))
    assert (after.operations, after.updated, after.created) == ((COMPLETED,), later(5), NOON)


@pytest.mark.parametrize(
    ("state", "status", "expected"),
    [
        (Delivery.WAITING, Status.RUNNING, Delivery.WAITING),
        (Delivery.WAITING, Status.COMPLETED, Delivery.DUE),
        (Delivery.WAITING, Status.FAILED, Delivery.DUE),
        (Delivery.DUE, Status.COMPLETED, Delivery.DUE),
        (Delivery.DELIVERED, Status.COMPLETED, Delivery.DELIVERED),
        (Delivery.CANCELLED, Status.COMPLETED, Delivery.CANCELLED),
        (Delivery.UNDELIVERABLE, Status.COMPLETED, Delivery.UNDELIVERABLE),
    ],
)
def test_a_waiting_flow_is_due_to_be_told_with_the_outcome(state: Delivery, status: Status, expected: Delivery) -> None:
    """Outcome and debt are one state, so that no crash can come between them; who has been told is not told again."""
    waiting = invitation(callback=FlowCallback("https://flow", "m", state))
    after = transitions.with_operations(waiting, [operation(0, status=status)], later(1))
    assert after.callback is not None
    assert after.callback.state is expected


STATES = st.sampled_from([*OPEN, *CONCLUDED, *GRAPHS_OWN])
SAID = st.builds(
    OperationState,
    st.sampled_from([None, "op", "other"]),
    st.none(),
    st.sampled_from(WORDS),
    st.sampled_from(RESULTS),
)


@settings(deadline=None, max_examples=150)
@given(STATES, st.lists(st.tuples(SAID, st.booleans()), max_size=8))
def test_graphs_verdict_is_the_first_one_in_any_order_of_reports(
    before: Operation, reports: list[tuple[OperationState, bool]]
) -> None:
    """However reports are repeated or mixed up, an operation has one final word of Graph, and it never changes."""
    verdicts = set()
    for state, ended in reports:
        after = transitions.hears(before, state, ended=ended)
        assert not (before.status.is_final and not after.status.is_final)
        assert transitions.hears(after, state, ended=ended) == after  # a repeat changes nothing
        if after.verdict is Verdict.GRAPH:
            verdicts.add((after.status, after.result))
        before = after
    assert len(verdicts) <= 1
