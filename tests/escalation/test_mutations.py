"""The proof in ``test_any_order`` notices when a rule is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from domain import steps
from domain.escalation import Escalation
from domain.invitation import Ended, Operation
from domain.roster import identity_hash
from domain.waiting import WaitingFlow
from escalation import cancelling, progress
from invite import service
from tests.escalation.test_any_order import run

if TYPE_CHECKING:
    from domain.sightings import Roster

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("in_order")]


def without_guard(patch: pytest.MonkeyPatch) -> None:
    """A step's end and the next one's begin hold the escalation's ETag only."""
    patch.setattr(progress, "guarded", lambda _before, after, _name: after)


def without_reading_the_roster(patch: pytest.MonkeyPatch) -> None:
    """Everybody who is listed is removed."""

    def listed(roster: Roster) -> dict[str, tuple[str, ...]]:
        return {identity_hash(one.identity["id"]): (one.id or "",) for one in roster.people}

    def cancel(self: Any, _turn: Any, name: str, people: dict[str, tuple[str, ...]], call: Any) -> Any:
        return self._remove(call.call_id, people[name][0]) if name in people else cancelling._Result.DONE

    patch.setattr(cancelling, "_listed", listed)
    patch.setattr(cancelling.Canceller, "_cancel", cancel)


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


MUTATIONS = (
    without_guard,
    without_reading_the_roster,
    with_lost_requests_sent_again,
    without_naming_the_run,
    without_alarms,
    without_claims,
    with_a_stop_that_ends_nothing,
)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.__name__)
def test_noticed(mutation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some order of events breaks a promise."""
    mutation(monkeypatch)
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        run(examples=1_500, steps=40, shrink=False)
