from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.model import CallState, Presence, RosterEntry
from domain.roster import (
    Sighting,
    apply_delta,
    apply_list,
    identity_hash,
    identity_of,
    presence_of,
    sighting,
    stronger,
)
from tests.states import NOON, call_state, entry, later, participant

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"
ALICE, BOB = identity_hash("alice"), identity_hash("bob")


class Roster:
    """A call's roster under a row of notifications, as the app keeps it."""

    def __init__(self, *entries: RosterEntry, call: CallState | None = None) -> None:
        self.call = call or call_state()
        self.known = {one.key: one for one in entries}
        self.now = 0.0

    def hears(
        self, *people: dict[str, Any], delta: int | None = None, is_delta: bool = False
    ) -> dict[str, RosterEntry]:
        """Apply a list, or a delta, ten seconds after the last; return what changed."""
        self.now += 10
        seen = [one for one in map(sighting, people) if one is not None]
        if is_delta or delta is not None:
            self.call, changed = apply_delta(self.call, self.known, seen, later(self.now), sequence=delta)
        else:
            self.call, changed = apply_list(self.call, self.known, seen, later(self.now))
        self.known |= changed
        return changed

    def presence(self, name: str) -> Presence:
        return presence_of(self.call.presence, name)


def _saw(**members: Any) -> Sighting:
    seen = sighting(participant("alice", **members))
    assert seen is not None
    return seen


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_the_documented_rosters_show_everybody_in_the_call(number: int) -> None:
    """Each roster on Graph's page, whatever it calls its people, is read in full."""
    (item,) = json.loads((PAYLOADS / f"{number}-roster.json").read_text(encoding="utf-8"))["value"]
    sightings = [sighting(one) for one in item["resourceData"]]
    assert all(one is not None and one.presence is Presence.IN_CALL and one.identity["id"] for one in sightings)


@pytest.mark.parametrize(
    ("members", "presence"),
    [
        ({}, Presence.IN_CALL),
        ({"isInLobby": True}, Presence.IN_LOBBY),
        ({"isInLobby": None}, Presence.IN_CALL),
        ({"isInLobby": "true"}, Presence.IN_CALL),
        ({"removedState": {"reason": "Removed"}}, Presence.LEFT),
        ({"removedState": {}}, Presence.LEFT),
        ({"removedState": None}, Presence.IN_CALL),
        ({"removedState": {"reason": "x"}, "isInLobby": True}, Presence.LEFT),
    ],
)
def test_presence_is_read_from_lobby_and_removal(members: dict[str, Any], presence: Presence) -> None:
    """Who waits in the lobby is not in the call, and who was removed has left."""
    assert _saw(**members).presence is presence


@pytest.mark.parametrize(("value", "number"), [(7, 7), ("7", 7), (None, None), ("x", None), (7.0, 7), (True, None)])
def test_sequence_numbers_come_as_numbers_or_texts(value: object, number: int | None) -> None:
    """Graph writes 64-bit numbers as texts in places."""
    assert _saw(rosterSequenceNumber=value).sequence == number


@pytest.mark.parametrize("muted", [True, False, None, "yes"])
def test_muted_is_true_false_or_unknown(muted: object) -> None:
    """Anything but a truth value is unknown."""
    assert _saw(isMuted=muted).is_muted == (muted if isinstance(muted, bool) else None)


@pytest.mark.parametrize("empty_id", [None, "", 5, []])
def test_people_without_a_participant_id_are_known_by_their_identity(empty_id: object) -> None:
    """The documented participants have ``id: null``; they are told apart all the same."""
    seen = _saw(id=empty_id)
    assert (seen.key, seen.id) == (ALICE, None)


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"info": None},
        {"info": []},
        {"info": {"identity": []}},
        {"info": {"identity": {"user": None}}},
        {"info": {"identity": {"user": {"id": ""}}}},
        {"info": {"identity": {"user": {"id": 5}}}},
    ],
)
def test_nobody_is_nobody(odd: dict[str, Any]) -> None:
    """A participant without any id is left out, however odd, and spoils nothing."""
    assert sighting(odd) is None
    kept = sighting({**odd, "id": "p1"})
    assert kept is not None
    assert (kept.key, kept.kind, dict(kept.identity)) == ("p1", "unknown", {})


def test_an_identity_is_the_first_member_with_an_id() -> None:
    """Annotations and empty members of an identity set are passed over."""
    found = identity_of({"@odata.type": "x", "user": None, "phone": {}, "guest": {"id": "g", "displayName": 5}})
    assert found == ("guest", {"id": "g"})


def test_a_full_list_replaces_the_roster() -> None:
    """People in the list are there, people no longer in it have left, and both keep their times."""
    roster = Roster()
    roster.hears(participant("alice"), participant("bob"))
    roster.hears(participant("bob"), participant("carol"))
    assert {one.identity["id"]: (one.presence, one.joined, one.left) for one in roster.known.values()} == {
        "alice": (Presence.LEFT, later(10), later(20)),
        "bob": (Presence.IN_CALL, later(10), None),
        "carol": (Presence.IN_CALL, later(20), None),
    }
    assert [roster.presence(name) for name in ("alice", "bob", "carol", "dave")] == [
        Presence.LEFT,
        Presence.IN_CALL,
        Presence.IN_CALL,
        Presence.UNKNOWN,
    ]


def test_an_empty_list_says_that_everybody_left() -> None:
    """Nobody stays in a call of which Graph says that it is empty."""
    roster = Roster()
    roster.hears(participant("alice"))
    roster.hears()
    assert roster.presence("alice") is Presence.LEFT


def test_somebody_who_comes_back_joined_again() -> None:
    """Who left and came back is in the call, since the time of coming back."""
    roster = Roster()
    for people in ([participant("alice")], [], [participant("alice")]):
        roster.hears(*people)
    (alice,) = roster.known.values()
    assert (alice.presence, alice.joined, alice.left) == (Presence.IN_CALL, later(30), None)


def test_the_time_of_leaving_is_the_first_that_was_told() -> None:
    """A later list that shows somebody as removed does not move the time of leaving."""
    roster = Roster()
    gone = participant("alice", removedState={"reason": "x"})
    for people in ([participant("alice")], [], [gone], [gone]):
        roster.hears(*people)
    (alice,) = roster.known.values()
    assert (alice.joined, alice.left) == (later(10), later(20))


def test_an_unchanged_list_changes_nobody() -> None:
    """A repeat costs no rows."""
    roster = Roster()
    roster.hears(participant("alice"), participant("bob", isInLobby=True))
    assert roster.hears(participant("alice"), participant("bob", isInLobby=True)) == {}


def test_from_the_lobby_into_the_call() -> None:
    """Somebody let in from the lobby is in the call, and joined when first seen."""
    roster = Roster()
    roster.hears(participant("alice", isInLobby=True))
    assert roster.presence("alice") is Presence.IN_LOBBY
    roster.hears(participant("alice"))
    assert roster.presence("alice") is Presence.IN_CALL
    assert next(iter(roster.known.values())).joined == later(10)


def test_an_older_list_does_not_overwrite_a_newer_one() -> None:
    """Lists that overtake each other are told apart by their highest sequence number."""
    roster = Roster()
    roster.hears(participant("alice", rosterSequenceNumber=4), participant("bob", rosterSequenceNumber=7))
    before = dict(roster.known), roster.call
    assert roster.hears(participant("alice", rosterSequenceNumber=6)) == {}
    assert (roster.known, roster.call) == before
    roster.hears(participant("alice", rosterSequenceNumber=7))
    assert roster.presence("bob") is Presence.LEFT
    assert roster.call.roster_sequence == 7


def test_a_list_without_numbers_is_taken_as_it_comes() -> None:
    """Clouds that send no sequence number still have rosters, also in between numbered ones."""
    roster = Roster()
    roster.hears(participant("alice", rosterSequenceNumber=9), participant("bob", rosterSequenceNumber=9))
    roster.hears(participant("bob"))
    assert roster.presence("alice") is Presence.LEFT
    assert roster.call.roster_sequence == 9


def test_a_delta_speaks_only_of_the_people_it_names() -> None:
    """Deltas add and change; nobody leaves because a delta is silent about them."""
    roster = Roster()
    roster.hears(participant("alice"), participant("bob"))
    changed = roster.hears(participant("bob", isInLobby=True), participant("carol"), delta=1)
    assert sorted(one.identity["id"] for one in changed.values()) == ["bob", "carol"]
    assert [roster.presence(name) for name in ("alice", "bob", "carol")] == [
        Presence.IN_CALL,
        Presence.IN_LOBBY,
        Presence.IN_CALL,
    ]
    roster.hears(participant("carol", removedState={"reason": "Left"}), delta=2)
    assert roster.presence("carol") is Presence.LEFT


def test_an_older_delta_about_somebody_is_left_out_and_about_others_is_not() -> None:
    """Deltas that overtake each other are judged person by person, so that neither news nor order is lost."""
    roster = Roster()
    roster.hears(participant("alice", removedState={"reason": "x"}), delta=5)
    changed = roster.hears(participant("alice"), participant("bob"), delta=4)
    assert [one.identity["id"] for one in changed.values()] == ["bob"]
    assert roster.presence("alice") is Presence.LEFT
    assert roster.hears(participant("alice"), delta=4) == {}
    roster.hears(participant("alice"), delta=6)
    assert roster.presence("alice") is Presence.IN_CALL


DELTAS = [
    (1, participant("alice", isInLobby=True)),
    (2, participant("alice")),
    (3, participant("bob")),
    (4, participant("alice", removedState={"reason": "x"})),
    (5, participant("carol")),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_deltas_in_any_order_end_in_the_same_roster(order: tuple[int, ...]) -> None:
    """However the network mixes them up, the end is what Graph meant."""
    roster = Roster()
    for place in order:
        sequence, person = DELTAS[place]
        roster.hears(person, delta=sequence)
    assert [roster.presence(name) for name in ("alice", "bob", "carol")] == [
        Presence.LEFT,
        Presence.IN_CALL,
        Presence.IN_CALL,
    ]


def test_a_delta_without_a_number_is_taken_as_it_comes() -> None:
    """A single participant's change carries no number and counts."""
    roster = Roster()
    roster.hears(participant("alice"), delta=9)
    roster.hears(participant("alice", isInLobby=True), is_delta=True)
    assert roster.presence("alice") is Presence.IN_LOBBY


def test_a_delta_that_changes_nothing_leaves_the_call_alone() -> None:
    """A repeat costs no write at all."""
    roster = Roster()
    roster.hears(participant("alice"), delta=1)
    before = roster.call
    assert roster.hears(participant("alice"), delta=1) == {}
    assert roster.call is before


@pytest.mark.parametrize("order", [("in", "lobby"), ("lobby", "in"), ("in", "left"), ("left", "in")])
@pytest.mark.parametrize("ids", [("p1", "p2"), (None, None)])
def test_the_strongest_of_two_endpoints_counts(order: tuple[str, str], ids: tuple[str | None, str | None]) -> None:
    """Somebody in the call with one device is in the call, whatever the other device does."""
    forms: dict[str, dict[str, Any]] = {
        "in": {},
        "lobby": {"isInLobby": True},
        "left": {"removedState": {"reason": "x"}},
    }
    roster = Roster()
    roster.hears(*(participant("alice", id=own, **forms[name]) for name, own in zip(order, ids, strict=True)))
    assert roster.presence("alice") is Presence.IN_CALL


def test_presence_is_ordered_by_strength() -> None:
    """In the call beats the lobby, the lobby beats having left, and anything beats knowing nothing."""
    ordered = [Presence.UNKNOWN, Presence.LEFT, Presence.IN_LOBBY, Presence.IN_CALL]
    for (low, one), (high, other) in itertools.product(enumerate(ordered), repeat=2):
        assert stronger(one, other) is ordered[max(low, high)]


@pytest.mark.parametrize("shown_as", ["user", "application", "guest", "phone", "whoKnows"])
def test_presence_is_found_by_id_whatever_the_kind(shown_as: str) -> None:
    """Graph shows an invited user as an application in places: the id decides, without letter case."""
    roster = Roster()
    roster.hears(participant("AbC-1", kind=shown_as))
    assert roster.presence(" aBc-1") is Presence.IN_CALL


def test_what_is_known_of_an_identity_is_kept_when_a_report_leaves_it_out() -> None:
    """A report by participant id alone does not make somebody nameless."""
    roster = Roster(entry("p1", identity={"id": "alice"}))
    roster.hears(participant(None, id="p1", removedState={"reason": "x"}), is_delta=True)
    assert dict(roster.known["p1"].identity) == {"id": "alice"}
    assert roster.presence("alice") is Presence.LEFT


def test_a_thousand_people_are_one_small_row_of_presence() -> None:
    """A call of a thousand keeps everybody's presence, in a map that fits into one property."""
    roster = Roster()
    changed = roster.hears(*(participant(f"person {number}", id=f"p{number}") for number in range(1000)))
    assert len(changed) == 1000
    assert len(roster.call.presence) == 1000
    assert roster.presence("person 999") is Presence.IN_CALL
    changed = roster.hears(*(participant(f"person {number}", id=f"p{number}") for number in range(1, 1000)))
    assert [one.id for one in changed.values()] == ["p0"]


def test_of_those_who_left_the_last_thousand_are_remembered() -> None:
    """A conference of days does not grow for ever; whoever is in it is never forgotten."""
    gone = [entry(f"p{place}", Presence.LEFT, left=later(-10_000 + place)) for place in range(1_500)]
    roster = Roster(entry("alice"), *gone)
    roster.hears(participant("bob"), delta=1)
    assert len(roster.call.presence) == 1_002
    assert [roster.presence(name) for name in ("alice", "bob", "p1499", "p500", "p499", "p0")] == [
        Presence.IN_CALL,
        Presence.IN_CALL,
        Presence.LEFT,
        Presence.LEFT,
        Presence.UNKNOWN,
        Presence.UNKNOWN,
    ]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "info", "identity", "user", "removedState", "isInLobby", "rosterSequenceNumber", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(st.sampled_from(["id", "info", "removedState", "isInLobby", "isMuted"]), ANYTHING))
def test_any_participant_is_read_or_left_out(odd: dict[str, Any]) -> None:
    """Whatever Graph sends as a participant, reading it never fails."""
    seen = sighting(odd)
    if seen is not None:
        assert seen.key
        _, changed = apply_list(call_state(), {}, [seen], NOON)
        assert list(changed) == [seen.key]
