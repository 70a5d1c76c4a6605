"""The tests notice when a rule is left out: most in any order of events, the rarest races by their own story."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from domain import steps
from domain.escalation import Escalation
from domain.invitation import Ended, Operation
from domain.waiting import WaitingFlow
from escalation import alarms, progress
from invite import service
from invite.cancelling import Canceller, Result, Tried
from tests.escalation import test_steps
from tests.escalation.conftest import established
from tests.escalation.test_any_order import run
from tests.escalation.test_requests import end_while_something_happens

if TYPE_CHECKING:
    from domain.record import CallRecord
    from domain.sightings import Roster

pytestmark = pytest.mark.usefixtures("in_order")


def without_guard(patch: pytest.MonkeyPatch) -> None:
    """A step's end and the next one's begin hold the escalation's ETag only."""
    patch.setattr(progress, "guarded", lambda _before, after, _name: after)


def without_reading_the_roster(patch: pytest.MonkeyPatch) -> None:
    """Everybody who is listed is removed."""

    def cancel(self: Canceller, call_id: str, roster: Roster, _call: Any, people: list[str], **_: Any) -> list[Tried]:
        listed = {one.identity["id"]: one for one in roster.people}
        return [self._remove_all(call_id, [listed[one]]) if one in listed else Tried(Result.GONE) for one in people]

    patch.setattr(Canceller, "cancel", cancel)


def with_lost_requests_sent_again(patch: pytest.MonkeyPatch) -> None:
    """What another run may have sent is sent again with what Graph throttled."""

    def anew(operation: Operation) -> Operation:
        if isinstance(operation.state, Ended):
            return operation
        return Operation(operation.client_context, operation.people)

    patch.setattr(steps, "_anew", anew)


def without_naming_the_run(patch: pytest.MonkeyPatch) -> None:
    """Every run that reads a step sends its requests."""
    for module in (progress, service):
        patch.setattr(module, "asking_places", lambda invitation, _: range(len(invitation.operations)))


def without_alarms(patch: pytest.MonkeyPatch) -> None:
    """Time brings nothing."""
    patch.setattr(progress, "earliest", lambda *_, **__: None)


def without_claims(patch: pytest.MonkeyPatch) -> None:
    """Two runs notify a flow at the same time."""
    patch.setattr(WaitingFlow, "may_be_claimed", lambda *_, **__: True)


def with_a_stop_that_ends_nothing(patch: pytest.MonkeyPatch) -> None:
    """Steps go on after a stop."""
    patch.setattr(Escalation, "is_final", property(lambda self: self.status in ("completed", "failed")))


def open_without_cancelling(patch: pytest.MonkeyPatch) -> None:
    """An escalation is closed with its flows, also while a device rings."""

    def is_open(escalation: Escalation, _: CallRecord) -> bool:
        return not escalation.is_final or any(flow.is_waiting for flow in escalation.flows)

    for module in (progress, alarms):
        patch.setattr(module, "is_open", is_open)


MUTATIONS = (
    without_reading_the_roster,
    with_lost_requests_sent_again,
    without_naming_the_run,
    without_alarms,
    with_a_stop_that_ends_nothing,
)


@pytest.mark.prove
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.__name__)
def test_noticed(mutation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some order of events breaks a promise."""
    mutation(monkeypatch)
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        run(examples=1_500, steps=40, shrink=False)


def races() -> None:
    """Let a report come between each two steps of the request that ends a step."""
    for learnt_by, step in itertools.product(("operation", "roster"), range(1, 9)):
        test_steps.test_won_while_the_step_ends(established(), learnt_by, step)


def test_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a step begins after the win, at some step of the race."""
    without_guard(monkeypatch)
    with pytest.raises(AssertionError):
        races()


def test_the_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them a flow gets its outcome twice at once."""
    without_claims(monkeypatch)
    with pytest.raises(AssertionError):
        end_while_something_happens(established())


def test_open_until_everybody_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that, who is listed after the end is left ringing."""
    open_without_cancelling(monkeypatch)
    with pytest.raises(AssertionError):
        test_steps.test_stopped_before_a_person_is_listed(established())
