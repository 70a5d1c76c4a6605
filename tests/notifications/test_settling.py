"""Several people in one request: which roster settles who came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.invitation import Invitation, Status
from domain.record import CallRecord
from domain.standing import has_ended, standing
from notifications.applying import apply_reports, needs_of
from notifications.payload import Report, reports_of
from tests import states
from tests.notifications.reports import call_item, delta_item, operation_item, roster_item
from tests.states import CALL, completed, later, operation

if TYPE_CHECKING:
    from typing import Any

R, C, U, F, P = Status.RUNNING, Status.COMPLETED, Status.UNCONFIRMED, Status.FAILED, Status.PARTIALLY_COMPLETED
END = operation_item(CALL, clientContext="context", id="o-1")
FAILURE = operation_item(CALL, "failed", clientContext="context", id="o-1")
BOTH = roster_item(CALL, "alice", "bob")
ALICE = roster_item(CALL, "alice")
LOBBY = roster_item(CALL, "alice", isInLobby=True)


class Story:
    """An invitation with two people under a series of callbacks."""

    def __init__(self) -> None:
        self.record = CallRecord(CALL).with_invitation(states.invitation(operation(0, 1)))

    def reports(self, at: float, *items: dict[str, Any]) -> Story:
        """Apply one callback at a time after noon."""
        found: list[Report] = [report for item in items for report in reports_of(item)]
        self.record = apply_reports(self.record, found, later(at))
        return self

    @property
    def invitation(self) -> Invitation:
        (only,) = self.record.invitations.values()
        return only

    def settling(self) -> tuple[str, ...]:
        return self.record.call.settling if self.record.call is not None else ()

    def shows(self, at: float) -> tuple[Status, tuple[Status, ...]]:
        current = standing(self.invitation, self.record.call, later(at))
        return current.status, current.people


@pytest.mark.parametrize("roster", [ALICE, delta_item(CALL, 1, "alice"), roster_item(CALL, "alice", isInLobby=True)])
def test_first_roster_after_the_end(roster: dict[str, Any]) -> None:
    """A list or a delta settles at once, and the lobby counts; until then everyone is running."""
    story = Story().reports(10, END)
    assert story.shows(11) == (R, (R, R))
    story.reports(11, roster)
    assert story.shows(11) == (P, (C, U))
    assert has_ended(story.invitation, later(11))


@pytest.mark.parametrize("items", [[END, ALICE], [ALICE, END]])
def test_in_one_callback(items: list[dict[str, Any]]) -> None:
    """The order within a callback counts like that of several."""
    story = Story().reports(10, *items)
    assert story.shows(10) == ((P, (C, U)) if items[0] is END else (R, (R, R)))
    assert story.shows(15) == (P, (C, U))


@pytest.mark.parametrize(("end", "status", "unseen"), [(END, C, U), (FAILURE, F, F)])
def test_roster_after_five_seconds(end: dict[str, Any], status: Status, unseen: Status) -> None:
    """It comes too late to settle: the invitation's status, which has been shown, stays."""
    story = Story().reports(10, end)
    assert story.shows(15) == (status, (unseen, unseen))
    story.reports(16, ALICE)
    came = C if end is END else F
    assert story.shows(16) == (status, (came, unseen))
    assert story.invitation.operations[0].state == (
        completed(None, at=later(10), seen=()) if end is END else story.invitation.operations[0].state
    )


def test_roster_before_graph_was_asked() -> None:
    """Who was shown before only proves nothing."""
    story = Story().reports(-5, BOTH).reports(10, END)
    assert story.shows(15) == (C, (U, U))
    again = Story().reports(-5, BOTH).reports(10, END).reports(11, BOTH)
    assert again.shows(11) == (C, (C, C))


def test_who_came_and_left_before_the_end() -> None:
    """A person who was in the call between the invite and its end has come."""
    story = Story().reports(5, BOTH).reports(7, ALICE).reports(10, END).reports(11, roster_item(CALL))
    assert story.shows(11) == (C, (C, C))


def test_who_was_in_the_call_before_and_rang() -> None:
    """A person who was in the call before Graph was asked, and whose device rings now, has not come by it."""
    ringing = roster_item(CALL, "alice", mediaStreams=[])
    story = Story().reports(-9, ALICE).reports(-5, roster_item(CALL)).reports(5, ringing).reports(6, ringing)
    story.reports(10, END).reports(11, roster_item(CALL))
    assert story.shows(11) == (C, (U, U))


def test_who_only_rang() -> None:
    """A person without a media stream has not answered."""
    ringing = roster_item(CALL, "bob", mediaStreams=[])
    both = {**ALICE, "resourceData": [*ALICE["resourceData"], *ringing["resourceData"]]}
    story = Story().reports(10, END, both)
    assert story.shows(10) == (P, (C, U))
    assert story.settling() == ()


def test_the_call_names_what_a_roster_settles() -> None:
    """A roster's report reads these invitations only; settled ones are removed."""
    story = Story().reports(10, END)
    assert story.settling() == (story.invitation.id,)
    story.reports(11, ALICE)
    assert story.settling() == ()


def test_end_of_the_call_while_it_settles() -> None:
    """The call's end settles nothing that Graph called completed; time does."""
    story = Story().reports(9, ALICE).reports(10, END).reports(11, call_item(CALL, "terminated"))
    assert story.shows(11) == (R, (R, R))
    assert story.shows(15) == (P, (C, U))


def test_end_of_the_call_is_final_at_once() -> None:
    """What the end of the call concludes does not settle."""
    story = Story().reports(9, ALICE).reports(10, call_item(CALL, "terminated"))
    assert story.shows(10) == (P, (C, F))
    story.reports(11, END)
    assert story.shows(11)[0] is R
    assert story.shows(16) == (P, (C, U))
    assert Story().reports(9, LOBBY).reports(10, call_item(CALL, "terminated")).shows(10) == (F, (F, F))
    left = Story().reports(7, ALICE).reports(9, roster_item(CALL)).reports(10, call_item(CALL, "terminated"))
    assert left.shows(10) == (P, (C, F))


def test_seen_in_the_lobby_only() -> None:
    """Who is seen in the lobby after the end has completed, and stays so when they leave it."""
    story = Story().reports(10, END).reports(16, LOBBY).reports(17, roster_item(CALL))
    assert story.shows(17) == (C, (C, U))


def test_hidden_identities() -> None:
    """A roster that hides who is in it settles, and the others are unconfirmed."""
    hidden = roster_item(CALL, "somebody", isIdentityAnonymized=True)
    story = Story().reports(9, ALICE).reports(10, END).reports(11, hidden)
    assert story.shows(11) == (P, (C, U))
    assert story.record.call is not None
    assert story.record.call.hides_identities


def test_what_is_read() -> None:
    """A roster needs the call and what it settles, an end its invitation, the call's end all that is open."""
    roster = needs_of(list(reports_of(ALICE)))
    assert (roster.roster, roster.lookups, roster.open_invitations) == (True, (), False)
    end = needs_of(list(reports_of(END)))
    assert (end.roster, [one.context for one in end.lookups], end.call) == (False, ["context"], True)
    assert needs_of(list(reports_of(call_item(CALL, "terminated")))).open_invitations
    assert not needs_of(list(reports_of(call_item(CALL, "established")))).open_invitations
