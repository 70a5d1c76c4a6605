"""Pure rules of escalations that no story reaches easily: what is sent again, what is guarded, how long it is kept."""

from __future__ import annotations

from dataclasses import replace

from domain.escalation import Begun, Cancelling, Escalation, EscalationStatus, Step, everybody, was_cancelled
from domain.invitation import Alarm, Asked, Invitee, KeyKind, Operation, Refused
from domain.record import CallRecord
from domain.results import ResultInfo
from domain.steps import guarded, step_context
from domain.transitions import asked_again
from domain.waiting import Claim
from tests.states import CALL, NOON, completed, invitation, later, operation, user

PEOPLE = (user("alice"), user("bob"))


def escalation(**members: object) -> Escalation:
    """An escalation of one step that has just begun."""
    made = Escalation(
        id="escalation",
        call_id=CALL,
        client_context="context",
        key_kind=KeyKind.FRESH,
        fingerprint="",
        steps=(Step(PEOPLE),),
        token="token",
        created=NOON,
        updated=NOON,
        alarm=Alarm("", NOON),
        begun=(Begun(1, 1, NOON, later(45), "step"),),
    )
    return replace(made, **members)  # type: ignore[arg-type]


def test_what_another_run_may_have_sent_is_not_sent_again() -> None:
    """A throttled request is; one without an answer counts as asked."""
    throttled = Operation("one", (0,), Refused(ResultInfo(429), final=False))
    lost = Operation("two", (1,), Asked(answered=False))
    again = asked_again(invitation(throttled, lost), later(5), "me")
    assert [one.state for one in again.operations] == [Asked(answered=False), Asked()]


def test_contexts() -> None:
    """The same for a step of a round whatever is repeated, and different for each."""
    places = [(round_, step) for round_ in (1, 2) for step in (1, 2)]
    contexts = [step_context("one", place) for place in places]
    assert contexts == [step_context("one", place) for place in places]
    assert len({*contexts, *(step_context("other", place) for place in places)}) == 8


def test_guarded() -> None:
    """The call, and steps of which Graph has not concluded all; nothing where no step begins or ends."""
    open_step = replace(invitation(operation(0)), id="step")
    closed_step = replace(invitation(operation(0, state=completed())), id="closed")
    begun = (Begun(1, 1, NOON, NOON, "closed", ended=NOON), Begun(1, 2, NOON, later(45), "step"))
    before = CallRecord(
        CALL,
        invitations={"step": open_step, "closed": closed_step},
        escalations={"escalation": escalation(begun=begun)},
    )
    same = guarded(before, before, "escalation")
    assert (same.guarded, same.guards_call) == ((), False)
    stopped = escalation(begun=begun, status=EscalationStatus.STOPPED)
    after = guarded(before, before.with_escalation(stopped), "escalation")
    assert (after.guarded, after.guards_call) == (("step",), True)


def test_cancelling_that_was_not_begun_is_free_again() -> None:
    """Who was tried is done or tried once more; another run's claim stays."""
    mine, other = Claim("me", later(8)), Claim("other", later(8))
    wanted = tuple(Cancelling("step", person, 2, NOON, mine if person < 3 else other) for person in range(4))
    after = was_cancelled(
        escalation(cancelling=wanted), "me", frozenset({("step", 0)}), frozenset({("step", 1)}), later(1)
    )
    assert [(one.person, one.tries, one.claim) for one in after.cancelling] == [
        (1, 1, None),
        (2, 2, None),
        (3, 2, other),
    ]
    last = replace(wanted[1], tries=1)
    assert (
        was_cancelled(escalation(cancelling=(last,)), "me", frozenset(), frozenset({("step", 1)}), NOON).cancelling
        == ()
    )


def test_everybody() -> None:
    """Each person once, in the order of the steps; a phone is not a user of the same id."""
    phone = Invitee("phone", {"id": "alice"})
    found = everybody((Step(PEOPLE), Step((user("ALICE"), phone))))
    assert found == (*PEOPLE, phone)
