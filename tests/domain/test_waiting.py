"""Flows that wait: who may notify them when, and what their responses mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.waiting import (
    CLAIM_MARGIN,
    RETRY_SECONDS,
    Claim,
    Delivery,
    PostResult,
    WaitingFlow,
    cancelled,
    claimed,
    posted,
)
from tests.states import NOON, flow, later

ME = "me"
CLAIMED = claimed(flow(), ME, later(2.5))


def response(status: int | None, **members: Any) -> PostResult:
    """Return the result of a POST that was claimed at noon."""
    return replace(PostResult("msg_1", status, NOON), **members)


def after(*responses: PostResult | int | None, start: WaitingFlow = CLAIMED) -> WaitingFlow:
    """Return a flow after responses, each to a POST that was claimed anew."""
    for place, one in enumerate(responses):
        result = one if isinstance(one, PostResult) else response(one)
        start = posted(claimed(start, ME, later(place)), ME, result, later(place))
    return start


def test_claim_outlasts_its_post() -> None:
    """No POST runs under a claim that has ended."""
    assert CLAIMED.claim == Claim(ME, later(2.5) + CLAIM_MARGIN)
    assert CLAIM_MARGIN.total_seconds() == 5


@pytest.mark.parametrize(
    ("one", "now", "until", "may"),
    [
        (flow(), 0, 2, True),
        (flow(not_before=later(1)), 0, 2, True),
        (flow(not_before=later(2)), 0, 2, False),
        (flow(not_before=later(1)), 1, 2, True),
        (CLAIMED, 0, 2, False),
        (CLAIMED, 7.4, 9, False),
        (CLAIMED, 7.5, 9, True),
        (flow(state=Delivery.DELIVERED), 0, 2, False),
        (flow(state=Delivery.CANCELLED), 0, 2, False),
        (flow(state=Delivery.UNDELIVERABLE), 0, 2, False),
    ],
)
def test_who_may_claim(one: WaitingFlow, now: float, until: float, *, may: bool) -> None:
    """A flow that waits and is free; one that listens before ``until`` is waited for."""
    assert one.may_be_claimed(later(now), until=later(until)) is may


@pytest.mark.parametrize(
    ("one", "due"),
    [
        (flow(), 5),
        (flow(not_before=later(9)), 9),
        (flow(not_before=later(3)), 5),
        (CLAIMED, 7.5),
        (replace(CLAIMED, not_before=later(8)), 8),
    ],
)
def test_when_it_is_due(one: WaitingFlow, due: float) -> None:
    """Not before the flow listens, nor while another run has claimed it."""
    assert one.due(later(5)) == later(due)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success(status: int) -> None:
    """Any 2xx delivers the outcome and ends the claim."""
    done = posted(CLAIMED, ME, response(status), later(1))
    assert (done.state, done.claim, done.attempts) == (Delivery.DELIVERED, None, 1)
    assert (done.last_attempt, done.last_status) == (later(1), status)


@pytest.mark.parametrize("status", [None, 100, 302, 307, 400, 401, 403, 404, 408, 410, 429, 500, 502, 503])
def test_anything_else_is_repeated(status: int | None) -> None:
    """No response, a redirect, throttling, even a first 404: repeated after the first delay, under the same id."""
    again = posted(CLAIMED, ME, response(status), later(1))
    assert (again.state, again.claim, again.not_before) == (Delivery.WAITING, None, later(1 + RETRY_SECONDS[0]))
    assert again.message_id == CLAIMED.message_id
    assert again.doubted is (status in (404, 410))


@pytest.mark.parametrize("first", [404, 410])
@pytest.mark.parametrize("second", [404, 410])
def test_second_not_found_ends_the_waiting(first: int, second: int) -> None:
    """The first may have come before the flow listened; the second ends it, also with others in between."""
    assert after(first, second).state is Delivery.UNDELIVERABLE
    assert after(first, 503, None, second).state is Delivery.UNDELIVERABLE
    assert after(first, 200).state is Delivery.DELIVERED


@pytest.mark.parametrize("status", [400, 404, 409, 410, 429])
def test_client_error_after_a_cut(status: int) -> None:
    """The flow had accepted a POST that our time limit cut: its URL is used up now."""
    assert after(response(None, was_cut=True), status).state is Delivery.DELIVERED
    assert after(response(None, was_cut=True), 503, None, status).state is Delivery.DELIVERED
    assert after(response(None), status).state is Delivery.WAITING
    assert after(response(None, was_cut=True), 503).state is Delivery.WAITING


def test_not_found_before_a_new_subscription() -> None:
    """A 404 to a POST that was claimed before the flow subscribed again does not count."""
    again = replace(CLAIMED, subscribed=later(1), not_before=later(2))
    for status in (404, 410):
        left = posted(again, ME, response(status), later(1.5))
        assert (left.state, left.doubted, left.not_before) == (Delivery.WAITING, False, later(2))
        doubted = posted(replace(again, doubted=True), ME, response(status), later(1.5))
        assert doubted.state is Delivery.WAITING


def test_result_for_a_replaced_url() -> None:
    """What became of the POST to the earlier URL says nothing of the new one, whose claim ends."""
    new = replace(flow(message_id="msg_2"), claim=CLAIMED.claim)
    assert posted(new, ME, response(200), later(1)) == replace(new, claim=None)


def test_not_begun() -> None:
    """A POST for which there was no time only gives up its claim."""
    assert posted(CLAIMED, ME, response(None, was_begun=False), later(1)) == flow()


@pytest.mark.parametrize("other", [flow(), claimed(flow(), "other", later(9)), flow(state=Delivery.CANCELLED)])
def test_only_the_owner_writes_the_result(other: WaitingFlow) -> None:
    """Another run has taken it over, or the flow no longer waits."""
    for status in (200, 404, None):
        assert posted(other, ME, response(status), later(1)) is other


def test_refused_url() -> None:
    """A URL that may not be a flow's any more is never tried again."""
    assert posted(CLAIMED, ME, response(None, is_refused=True), later(1)).state is Delivery.UNDELIVERABLE


def test_delays() -> None:
    """Each delay is as long as the one before, or longer; in sum more than a day; then it is given up."""
    assert sum(RETRY_SECONDS) > 24 * 3600
    assert list(RETRY_SECONDS) == sorted(RETRY_SECONDS)
    one = flow()
    for attempt, seconds in enumerate(RETRY_SECONDS, start=1):
        one = after(503, start=one)
        assert (one.attempts, one.not_before) == (attempt, later(seconds))
    assert after(503, start=one).state is Delivery.UNDELIVERABLE
    assert after(200, start=one).state is Delivery.DELIVERED


@pytest.mark.parametrize("state", Delivery)
def test_cancelling(state: Delivery) -> None:
    """A flow that no longer waits is not notified; what was delivered stays so."""
    expected = Delivery.CANCELLED if state is Delivery.WAITING else state
    done = cancelled(replace(CLAIMED, state=state))
    assert done.state is expected
    assert cancelled(done) is done
    assert (done.claim is None) == (state is Delivery.WAITING)
