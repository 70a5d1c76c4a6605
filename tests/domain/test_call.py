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


@pytest.mark.parametrize("order", list(itertools.permutations(ORDER)))
def test_any_order(order: tuple[CallState, ...]) -> None:
    """A state never goes back, so that the last one counts in any order of reports."""
    current = call()
    for place, state in enumerate(order, start=1):
        before = current.state
        current = reported(current, state, None, later(place))
        assert ORDER.index(current.state) == max(ORDER.index(before), ORDER.index(state))
        assert current.has_ended == (CallState.TERMINATED in order[:place])


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
