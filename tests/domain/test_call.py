"""The states of a call, reported in any order."""

from __future__ import annotations

import itertools

import pytest

from domain.call import CallState, Presence, call_state, reported
from tests.states import BUSY, FINE, call, later

ORDER = [
    CallState.UNKNOWN,
    CallState.ESTABLISHING,
    CallState.ESTABLISHED,
    CallState.TERMINATING,
    CallState.TERMINATED,
]


@pytest.mark.parametrize(
    ("name", "state"),
    [
        (None, CallState.UNKNOWN),
        ("", CallState.UNKNOWN),
        ("incoming", CallState.ESTABLISHING),
        ("establishing", CallState.ESTABLISHING),
        ("Ringing", CallState.ESTABLISHING),
        ("ESTABLISHED", CallState.ESTABLISHED),
        ("hold", CallState.ESTABLISHED),
        ("transferring", CallState.ESTABLISHED),
        ("transferAccepted", CallState.ESTABLISHED),
        ("redirecting", CallState.ESTABLISHED),
        ("dreaming", CallState.ESTABLISHED),
        ("terminating", CallState.TERMINATING),
        ("Terminated", CallState.TERMINATED),
    ],
)
def test_names(name: str | None, state: CallState) -> None:
    """Graph's names in any case; *ringing* is establishing, its other live states are established."""
    assert call_state(name) is state


def test_any_order() -> None:
    """A state never goes back, in all orders of up to six reports, repeats included: the last one counts."""
    reached = [(call(), CallState.UNKNOWN)]
    steps = 0
    for place in range(1, 7):
        reports = itertools.product(reached, ORDER)
        reached = []
        for (before, highest), state in reports:
            current = reported(before, state, None, later(place))
            highest = max(highest, state, key=ORDER.index)  # noqa: PLW2901
            assert (current.state, current.has_ended) == (highest, highest is CallState.TERMINATED)
            reached.append((current, highest))
            steps += 1
    assert steps == 19_530


def test_end_is_kept_as_first_reported() -> None:
    """What is reported of a call after its end changes nothing."""
    ended = reported(call(), CallState.TERMINATED, BUSY, later(1))
    assert (ended.result, ended.updated) == (BUSY, later(1))
    for state in CallState:
        assert reported(ended, state, FINE, later(2)) is ended


def test_result_is_kept_without_a_newer_one() -> None:
    """A report without a result does not remove the last one."""
    first = reported(call(), CallState.ESTABLISHED, BUSY, later(1))
    assert reported(first, CallState.TERMINATING, None, later(2)).result == BUSY
    assert reported(first, CallState.TERMINATED, FINE, later(2)).result == FINE


def test_who_has_answered() -> None:
    """Who is, or was, in the call, or waits in its lobby."""
    assert {presence for presence in Presence if presence.has_answered} == set(Presence) - {Presence.UNKNOWN}
