"""What a change means for the timeline: by the record before and after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.call import CallKind, CallState, Presence, reported
from domain.inference import CANCELLED, NEVER_CONFIRMED
from domain.invitation import Asked, Decider, Ended, Late, Refused, Status
from domain.record import CallRecord
from domain.results import ResultInfo
from domain.roster import identity_hash
from domain.timeline import MOST_EVENTS, Event, EventKind, noted, shown
from tests.states import CALL, NOON, call, completed, entry, failed, invitation, later, operation, user

if TYPE_CHECKING:
    from domain.invitation import Invitation

OPEN = invitation(operation(state=Asked()))
NOTHING = CallRecord(CALL)


def kinds(before: CallRecord, after: CallRecord) -> list[str]:
    """The events of a change, by kind."""
    return [event.kind.value for event in noted(before, after, later(12)).events]


def of(*invitations: Invitation) -> CallRecord:
    """A record of invitations."""
    return replace(NOTHING, invitations={one.id: one for one in invitations})


@pytest.mark.parametrize("state", [Late(), Asked(answered=False), Asked(), Refused(ResultInfo(429), final=False)])
def test_invited(state: Late | Asked | Refused) -> None:
    """Whatever became of the request in the same change."""
    assert kinds(NOTHING, of(invitation(operation(state=state)))) == ["invited"]


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (completed(), "answered"),
        (failed(), "notReached"),
        (Refused(ResultInfo(403), final=True), "notReached"),
        (Ended(Status.FAILED, NEVER_CONFIRMED, Decider.WATCHDOG, later(9)), "neverConfirmed"),
        (Ended(Status.FAILED, ResultInfo(404, 8522, "The call ended."), Decider.WATCHDOG, later(9)), "notReached"),
    ],
)
def test_outcome(state: Ended | Refused, kind: str) -> None:
    """Once: the same outcome read and written again is no further event."""
    ended = invitation(operation(state=state))
    assert kinds(of(OPEN), of(ended)) == [kind]
    assert kinds(of(ended), of(replace(ended, updated=later(99)))) == []


def test_cancelled() -> None:
    """Whose call was cancelled was not merely not reached."""
    state = Ended(Status.FAILED, CANCELLED, Decider.WATCHDOG, later(9))
    assert kinds(of(OPEN), of(invitation(operation(state=state, cancelled=(0,))))) == ["cancelled"]


def test_several_people() -> None:
    """One event for each kind names all its people; who is unconfirmed has none."""
    before = invitation(operation(0, 1, 2), people=3)
    ended = replace(before, operations=(operation(0, 1, 2, state=completed()),))
    assert kinds(of(before), of(ended)) == []
    settled = replace(before, operations=(operation(0, 1, 2, state=replace(completed(), seen=(0, 2))),))
    (event,) = noted(of(ended), of(settled), later(12)).events
    assert (event.kind, len(event.people)) == (EventKind.ANSWERED, 2)
    assert event.invitation_id == before.id


def test_corrected() -> None:
    """Graph's end of a request for several people, after it was inferred, settles without inviting anybody again."""
    inferred = invitation(operation(0, 1, state=failed(NEVER_CONFIRMED, by=Decider.WATCHDOG)), people=2)
    ended = replace(inferred, operations=(operation(0, 1, state=completed()),))
    assert kinds(of(inferred), of(ended)) == []
    settled = replace(inferred, operations=(operation(0, 1, state=completed(seen=(0,))),))
    assert kinds(of(ended), of(settled)) == ["answered"]


def test_asked_again() -> None:
    """After a refusal the same key asks again, and that is an event of its own."""
    refused = invitation(operation(state=Refused(ResultInfo(403), final=True)))
    assert kinds(of(refused), of(OPEN)) == ["invited"]


@pytest.mark.parametrize(
    ("earlier", "presence", "kind"),
    [
        (None, Presence.IN_CALL, ["joined"]),
        (None, Presence.IN_LOBBY, ["inLobby"]),
        (Presence.IN_LOBBY, Presence.IN_CALL, ["joined"]),
        (Presence.IN_CALL, Presence.IN_CALL, []),
        (Presence.IN_CALL, Presence.LEFT, ["left"]),
        (Presence.LEFT, Presence.IN_CALL, ["joined"]),
        (Presence.IN_LOBBY, Presence.UNKNOWN, []),
        (None, Presence.LEFT, []),
    ],
)
def test_roster(earlier: Presence | None, presence: Presence, kind: list[str]) -> None:
    """Coming, waiting and going."""
    before = replace(NOTHING, call=call(), roster={} if earlier is None else {"a": entry("a", earlier)})
    after = replace(before, roster={"a": entry("a", presence)})
    assert kinds(before, after) == kind


def test_call() -> None:
    """From the first report to the end, each state once."""
    established = reported(call(), CallState.ESTABLISHED, None, later(1))
    ended = reported(established, CallState.TERMINATED, ResultInfo(200), later(2))
    records = [replace(NOTHING, call=one) for one in (call(), established, ended)]
    assert kinds(NOTHING, records[0]) == []
    assert kinds(records[0], records[1]) == ["callEstablished"]
    assert kinds(records[1], records[1]) == []
    assert kinds(records[1], records[2]) == ["callEnded"]


def test_details_are_numbered() -> None:
    """A coming or going overwrites the one of a thousand before; the call counts them."""
    before = replace(NOTHING, call=call(details=MOST_EVENTS + 3))
    after = noted(before, replace(before, roster={"a": entry("a")}), later(12))
    assert after.call is not None
    assert after.call.details == MOST_EVENTS + 4
    assert [event.detail for event in after.events] == [3]


@pytest.mark.parametrize(("length", "events"), [(30, 1), (300, 3)])
def test_one_event_names_everybody(length: int, events: int) -> None:
    """However many people come at once; only what no row could hold is parted."""
    roster = {str(one): replace(entry(str(one)), identity={"displayName": "é" * length}) for one in range(1000)}
    after = noted(NOTHING, replace(NOTHING, roster=roster), later(12))
    assert len(after.events) == events
    assert sum(len(event.people) for event in after.events) == 1000


def test_a_thousand_events() -> None:
    """Who came and went is dropped, the oldest first; an outcome never is."""
    joined = [Event(EventKind.JOINED, NOON + timedelta(seconds=one)) for one in range(MOST_EVENTS)]
    answered = [Event(EventKind.ANSWERED, NOON - timedelta(seconds=one)) for one in range(1, 6)]
    kept = shown([*joined, *answered])
    assert len(kept) == MOST_EVENTS
    assert kept[:5] == answered[::-1]
    assert kept[5:] == joined[5:]
    assert len(shown(answered * 300)) == 1500


def test_group_call() -> None:
    """Those whom the create called are invited, have answered once a roster shows them, else were not reached."""
    people = (user("alice"), user("bob"), user("carol"))
    group = replace(call(), kind=CallKind.GROUP, called=people)
    made = replace(NOTHING, call=group)
    established = replace(made, call=reported(group, CallState.ESTABLISHED, None, later(1)))
    presence = {identity_hash("alice"): Presence.IN_CALL, identity_hash("bob"): Presence.UNKNOWN}
    came = established.with_call(replace(established.call_or_new(later(2)), presence=presence))
    ended = came.with_call(reported(came.call_or_new(later(3)), CallState.TERMINATED, None, later(3)))
    assert kinds(NOTHING, made) == ["callStarting", "invited"]
    assert kinds(made, established) == ["callEstablished"]
    assert [one.people[0].identity["id"] for one in noted(established, came, later(12)).events] == ["alice"]
    assert kinds(established, came) == ["answered"]
    absent = noted(came, ended, later(12)).events[0]
    assert (absent.kind.value, [one.identity["id"] for one in absent.people]) == ("notReached", ["bob", "carol"])
    assert [event.kind.value for event in noted(came, ended, later(120)).events] == ["callEnded"]
