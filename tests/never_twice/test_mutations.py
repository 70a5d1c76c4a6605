"""Each rule is broken on purpose, and a short story notices; with the code as it is, the stories keep all promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.never_twice import mutations, stories
from tests.never_twice.test_any_order import run_machine
from tests.never_twice.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    Mutation = Callable[[pytest.MonkeyPatch], None]
    Story = Callable[[World], None]

pytestmark = pytest.mark.usefixtures("one_thread")
STORIES: dict[Mutation, Story] = {
    mutations.post_before_201: stories.a_report_just_after_the_201,
    mutations.first_404_is_final: stories.a_flow_that_is_late_to_listen,
    mutations.replace_drops_claim: stories.subscribed_again_during_the_post,
    mutations.reopened_keeps_alarm: stories.subscribed_to_a_known_outcome,
    mutations.loser_stops: stories.a_response_of_storage_is_lost,
    mutations.no_second_send: stories.a_row_is_written_late,
    mutations.late_over_answer: stories.a_message_takes_over,
    mutations.no_claim: stories.two_reports_overlap,
    mutations.claim_for_ever: stories.killed_at_each_step,
    mutations.mark_before_post: stories.killed_at_each_step,
    mutations.name_before_send: stories.killed_at_each_step,
    mutations.no_successor: stories.killed_at_each_step,
    mutations.young_is_dropped: stories.a_message_before_its_row,
    mutations.asks_again: stories.killed_at_each_step,
    mutations.no_etag: stories.two_writers,
}
# What the state machine finds too, within a minute or two each.
FOUND_IN_ANY_ORDER = (
    mutations.no_claim,
    mutations.claim_for_ever,
    mutations.no_successor,
    mutations.asks_again,
    mutations.reopened_keeps_alarm,
    mutations.name_before_send,
)


@pytest.mark.parametrize(
    "story",
    [
        *dict.fromkeys(STORIES.values()),
        stories.a_report_before_the_answer,
        stories.clocks_that_differ,
        stories.killed_while_it_asks_again,
        stories.a_report_after_the_call_ended,
    ],
    ids=lambda one: one.__name__,
)
def test_story(story: Story) -> None:
    """With the code as it is, every promise is kept."""
    story(World())


@pytest.mark.parametrize("mutation", STORIES, ids=lambda one: one.__name__)
def test_mutation(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a rule broken, a story notices."""
    mutation(monkeypatch)
    with pytest.raises(AssertionError):
        STORIES[mutation](World())


@pytest.mark.prove
@pytest.mark.parametrize("mutation", FOUND_IN_ANY_ORDER, ids=lambda one: one.__name__)
def test_mutation_in_any_order(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a rule broken, the state machine notices."""
    mutation(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_machine(examples=2_000, steps=40)
