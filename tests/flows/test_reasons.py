"""The sentence for a maker: what happened, what to do, the same everywhere."""

from __future__ import annotations

import pytest

from domain.call import Call, Presence
from domain.inference import NEVER_CONFIRMED, SEEN_IN_CALL, call_ended
from domain.invitation import Asked, Decider, Invitation, Late, Refused
from domain.results import ResultInfo
from domain.standing import standing
from flows.advice import advice_for_outcome
from flows.reasons import JOINED, invitation_reason, person_message, person_reason
from tests.states import BUSY, State, call_with, completed, failed, invitation, later, operation

PERSONAL = "addParticipants failed for participant 4:+12345678901: busy"
ADVICE = ResultInfo(403, 7504, "Grant consent.")


def reasons(made: Invitation, of: Call | None = None) -> list[str | None]:
    """Return the reason of each person, a minute after noon."""
    current = standing(made, of, later(60))
    return [person_reason(current, place, of) for place in range(len(made.participants))]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (failed(BUSY), "The line was busy."),
        (failed(ResultInfo(999, 9, PERSONAL)), "code 999, subcode 9"),
        (failed(None), "gave no reason"),
        (failed(NEVER_CONFIRMED, by=Decider.WATCHDOG), "never confirmed"),
        (failed(call_ended(ResultInfo(200, 4521, PERSONAL)), by=Decider.WATCHDOG), "The call ended before"),
        (failed(ResultInfo(404, 8522, None), by=Decider.WATCHDOG), "gave no reason"),
        (Refused(ADVICE, final=True), "Grant consent."),
        (Refused(ResultInfo(429, None, "Graph is busy."), final=False), "Graph is busy."),
        (Late(), "has not sent this request"),
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_one_sentence_for_each_state(state: State, words: str, count: int) -> None:
    """This app's own words as they are, Graph's explained, without naming anyone; the whole has the same."""
    made = invitation(operation(*range(count), state=state))
    found = reasons(made)
    assert all(reason is not None and words in reason and reason.endswith(".") for reason in found)
    assert "12345678901" not in str(found)
    assert invitation_reason(made, standing(made, None, later(60)), None) == found[0]


@pytest.mark.parametrize("state", [Asked(), completed(), completed(SEEN_IN_CALL, by=Decider.WATCHDOG, seen=(0,))])
def test_nothing_to_explain(state: State) -> None:
    """What runs or went well has no reason."""
    made = invitation(operation(state=state))
    assert reasons(made) == [None]
    assert invitation_reason(made, standing(made, None, later(60)), None) is None


@pytest.mark.parametrize("hides", [False, True])
def test_unconfirmed(*, hides: bool) -> None:
    """People whom no roster showed have a reason, which says so where the call hides who is in it."""
    made = invitation(operation(0, 1, state=completed()))
    of = Call("call", later(0), later(0), hides_identities=hides)
    found = reasons(made, of)
    assert found[0] == found[1]
    assert found[0] is not None
    assert ("hides" in found[0]) is hides
    assert "separately" in found[0]
    whole = invitation_reason(made, standing(made, of, later(60)), of)
    assert whole is not None
    assert "separately" in whole
    assert "this person" not in whole


def test_different_failures() -> None:
    """Where people failed for different reasons, none of them stands for all."""
    made = invitation(operation(0, state=failed(BUSY)), operation(1, state=failed(None)))
    assert invitation_reason(made, standing(made, None, later(60)), None) == (
        "None of the 2 people accepted the call. Check the reason of each person."
    )
    assert None not in reasons(made)


def test_partly() -> None:
    """A partial completion counts who came; each of the others has a reason."""
    made = invitation(operation(0, state=completed()), operation(1, state=failed(BUSY)), operation(2, state=failed()))
    current = standing(made, None, later(60))
    assert invitation_reason(made, current, None) == (
        "1 of 3 people accepted the call. Check the reason of each person."
    )
    assert reasons(made)[1] == advice_for_outcome(BUSY)


def test_seen_and_not_seen_by_the_watchdog() -> None:
    """Of several people the watchdog saw one: the other was never confirmed."""
    made = invitation(operation(0, 1, state=completed(SEEN_IN_CALL, by=Decider.WATCHDOG, seen=(0,))))
    assert reasons(made)[0] is None
    assert "never confirmed this person" in str(reasons(made)[1])


@pytest.mark.parametrize(
    ("presence", "message"),
    [(Presence.IN_CALL, JOINED), (Presence.LEFT, JOINED), (Presence.UNKNOWN, JOINED), (Presence.IN_LOBBY, "lobby")],
)
def test_message_for_a_person_who_came(presence: Presence, message: str) -> None:
    """In the details of a failed invitation everyone has a sentence."""
    current = standing(invitation(operation(state=completed())), call_with(alice=presence), later(60))
    assert message in person_message(current, 0, None)
