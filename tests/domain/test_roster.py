"""What a list, a delta or a participant's end makes of a call's roster."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from domain.call import Call, Presence
from domain.roster import RosterEntry, apply_delta, apply_list, identity_hash, stronger
from domain.standing import presence_of
from graph.participants import read_roster
from tests.states import call, entry, later, participant


class Roster:
    """A call's roster under a series of notifications, as the app keeps it."""

    def __init__(self, *entries: RosterEntry, of: Call | None = None) -> None:
        self.call = of or call()
        self.known = {one.key: one for one in entries}
        self.now = 0.0

    def reports(
        self, *people: dict[str, Any], delta: int | None = None, is_delta: bool = False
    ) -> dict[str, RosterEntry]:
        """Apply a list, or a delta, ten seconds after the last; return what changed."""
        self.now += 10
        seen = read_roster(list(people))
        if is_delta or delta is not None:
            self.call, changed = apply_delta(self.call, self.known, seen, later(self.now), sequence=delta)
        else:
            self.call, changed = apply_list(self.call, self.known, seen, later(self.now))
        self.known |= changed
        return changed

    def presence(self, *names: str) -> list[Presence]:
        return [presence_of(self.call, name) for name in names]


RINGS: dict[str, Any] = {"mediaStreams": []}
GONE: dict[str, Any] = {"removedState": {"reason": "x"}}
LOBBY: dict[str, Any] = {"isInLobby": True}


def test_list_replaces_the_roster() -> None:
    """People in the list are there, people no longer in it have left, and both keep their times."""
    roster = Roster()
    roster.reports(participant("alice"), participant("bob"))
    roster.reports(participant("bob"), participant("carol"))
    assert {one.identity["id"]: (one.presence, one.joined, one.left) for one in roster.known.values()} == {
        "alice": (Presence.LEFT, later(10), later(20)),
        "bob": (Presence.IN_CALL, later(10), None),
        "carol": (Presence.IN_CALL, later(20), None),
    }
    assert roster.presence("alice", "bob", "carol", "dave") == [
        Presence.LEFT,
        Presence.IN_CALL,
        Presence.IN_CALL,
        Presence.UNKNOWN,
    ]


def test_who_was_read_only() -> None:
    """Who was there before the app may be missing in Graph's rosters until something about them changes."""
    roster = Roster()
    alice = read_roster([participant("alice")])
    roster.call, roster.known = apply_list(roster.call, {}, alice, later(1), is_read=True)
    roster.reports(participant("bob"))
    assert roster.presence("alice", "bob") == [Presence.IN_CALL, Presence.IN_CALL]
    bob = read_roster([participant("bob")])
    assert presence_of(apply_list(roster.call, roster.known, bob, later(11), is_read=True)[0], "alice") == Presence.LEFT
    roster.reports(participant("alice"), participant("bob"))
    roster.reports(participant("bob"))
    assert roster.presence("alice", "bob") == [Presence.LEFT, Presence.IN_CALL]


def test_empty_list() -> None:
    """Everybody has left a call whose roster is empty."""
    roster = Roster()
    roster.reports(participant("alice"))
    roster.reports()
    assert roster.presence("alice") == [Presence.LEFT]


def test_coming_back() -> None:
    """Who left and came back is in the call, since the time of coming back."""
    roster = Roster()
    for people in ([participant("alice")], [], [participant("alice")]):
        roster.reports(*people)
    (alice,) = roster.known.values()
    assert (alice.presence, alice.joined, alice.left) == (Presence.IN_CALL, later(30), None)


def test_time_of_leaving() -> None:
    """A later list that shows somebody as removed does not move the time of leaving."""
    roster = Roster()
    gone = participant("alice", **GONE)
    for people in ([participant("alice")], [], [gone], [gone]):
        roster.reports(*people)
    (alice,) = roster.known.values()
    assert (alice.joined, alice.left) == (later(10), later(20))


def test_unchanged_list() -> None:
    """A repeat costs no rows."""
    roster = Roster()
    roster.reports(participant("alice"), participant("bob", **LOBBY))
    assert roster.reports(participant("alice"), participant("bob", **LOBBY)) == {}


def test_from_the_lobby_into_the_call() -> None:
    """A person who is admitted from the lobby is in the call, and joined when first seen."""
    roster = Roster()
    roster.reports(participant("alice", **LOBBY))
    assert roster.presence("alice") == [Presence.IN_LOBBY]
    roster.reports(participant("alice"))
    assert roster.presence("alice") == [Presence.IN_CALL]
    assert next(iter(roster.known.values())).joined == later(10)


def test_older_list() -> None:
    """Of lists that overtake each other the one with the highest sequence number counts."""
    roster = Roster()
    roster.reports(participant("alice", rosterSequenceNumber=4), participant("bob", rosterSequenceNumber=7))
    before = dict(roster.known), roster.call
    assert roster.reports(participant("alice", rosterSequenceNumber=6)) == {}
    assert (roster.known, roster.call) == before
    roster.reports(participant("alice", rosterSequenceNumber=7))
    assert roster.presence("bob") == [Presence.LEFT]
    assert roster.call.roster_sequence == 7


def test_list_without_numbers() -> None:
    """Clouds that send no sequence number still have rosters, also in between numbered ones."""
    roster = Roster()
    roster.reports(participant("alice", rosterSequenceNumber=9), participant("bob", rosterSequenceNumber=9))
    roster.reports(participant("bob"))
    assert roster.presence("alice") == [Presence.LEFT]
    assert roster.call.roster_sequence == 9


def test_delta_names_its_people_only() -> None:
    """Deltas add and change; a person whom a delta does not name stays."""
    roster = Roster()
    roster.reports(participant("alice"), participant("bob"))
    changed = roster.reports(participant("bob", **LOBBY), participant("carol"), delta=1)
    assert sorted(one.identity["id"] for one in changed.values()) == ["bob", "carol"]
    assert roster.presence("alice", "bob", "carol") == [
        Presence.IN_CALL,
        Presence.IN_LOBBY,
        Presence.IN_CALL,
    ]
    roster.reports(participant("carol", removedState={"reason": "Left"}), delta=2)
    assert roster.presence("carol") == [Presence.LEFT]


def test_older_delta() -> None:
    """Deltas that overtake each other are judged person by person."""
    roster = Roster()
    roster.reports(participant("alice", **GONE), delta=5)
    changed = roster.reports(participant("alice"), participant("bob"), delta=4)
    assert {one.identity["id"]: one.presence for one in changed.values()} == {
        "alice": Presence.LEFT,  # the older one proves that she was in
        "bob": Presence.IN_CALL,
    }
    assert roster.presence("alice") == [Presence.LEFT]
    assert roster.reports(participant("alice"), delta=4) == {}
    roster.reports(participant("alice"), delta=6)
    assert roster.presence("alice") == [Presence.IN_CALL]


DELTAS = [
    (1, participant("alice", **LOBBY)),
    (2, participant("alice")),
    (3, participant("bob")),
    (4, participant("alice", **GONE)),
    (5, participant("carol")),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_deltas_in_any_order(order: tuple[int, ...]) -> None:
    """However the network reorders them, the roster is the same in the end."""
    roster = Roster()
    for place in order:
        sequence, person = DELTAS[place]
        roster.reports(person, delta=sequence)
    assert roster.presence("alice", "bob", "carol") == [
        Presence.LEFT,
        Presence.IN_CALL,
        Presence.IN_CALL,
    ]


def test_delta_without_a_number() -> None:
    """A single participant's change carries no number and counts."""
    roster = Roster()
    roster.reports(participant("alice"), delta=9)
    roster.reports(participant("alice", **LOBBY), is_delta=True)
    assert roster.presence("alice") == [Presence.IN_LOBBY]


def test_repeated_delta() -> None:
    """A repeat costs no write at all."""
    roster = Roster()
    roster.reports(participant("alice"), delta=1)
    before = roster.call
    assert roster.reports(participant("alice"), delta=1) == {}
    assert roster.call is before


@pytest.mark.parametrize(
    "order", [("in", "lobby"), ("lobby", "in"), ("in", "left"), ("left", "in"), ("rings", "in"), ("in", "rings")]
)
@pytest.mark.parametrize("ids", [("p1", "p2"), (None, None)])
def test_strongest_of_two_endpoints(order: tuple[str, str], ids: tuple[str | None, str | None]) -> None:
    """A person who is in the call with one device is in the call, whatever the other device does."""
    forms = {"in": {}, "lobby": LOBBY, "left": GONE, "rings": RINGS}
    roster = Roster()
    roster.reports(*(participant("alice", id=own, **forms[name]) for name, own in zip(order, ids, strict=True)))
    assert roster.presence("alice") == [Presence.IN_CALL]


def test_order_of_strength() -> None:
    """In the call beats the lobby, the lobby beats having left, and anything beats knowing nothing."""
    ordered = [Presence.UNKNOWN, Presence.LEFT, Presence.IN_LOBBY, Presence.IN_CALL]
    for (low, one), (high, other) in itertools.product(enumerate(ordered), repeat=2):
        assert stronger(one, other) is ordered[max(low, high)]


@pytest.mark.parametrize("shown_as", ["user", "application", "guest", "phone", "whoKnows"])
def test_presence_by_id_of_any_kind(shown_as: str) -> None:
    """Graph shows an invited user as an application in places: the id decides, without letter case."""
    roster = Roster()
    roster.reports(participant("AbC-1", kind=shown_as))
    assert roster.presence(" aBc-1") == [Presence.IN_CALL]


def test_known_identity_is_kept() -> None:
    """A report by participant id alone does not remove the identity."""
    roster = Roster(entry("p1", identity={"id": "alice"}))
    roster.reports(participant(None, id="p1", removedState={"reason": "x"}), is_delta=True)
    assert dict(roster.known["p1"].identity) == {"id": "alice"}
    assert roster.presence("alice") == [Presence.LEFT]


def test_thousand_people() -> None:
    """A call of a thousand keeps everybody's presence, in a map that fits into one property."""
    roster = Roster()
    changed = roster.reports(*(participant(f"person {number}", id=f"p{number}") for number in range(1000)))
    assert len(changed) == 1000
    assert len(roster.call.presence) == 1000
    assert roster.presence("person 999") == [Presence.IN_CALL]
    changed = roster.reports(*(participant(f"person {number}", id=f"p{number}") for number in range(1, 1000)))
    assert [one.id for one in changed.values()] == ["p0"]


def test_thousand_who_left() -> None:
    """The row of a conference of days stays small; who is in the call is never dropped."""
    gone = [entry(f"p{place}", Presence.LEFT, left=later(-10_000 + place)) for place in range(1_500)]
    roster = Roster(entry("alice"), *gone)
    roster.reports(participant("bob"), delta=1)
    assert len(roster.call.presence) == 1_002
    assert roster.presence("alice", "bob", "p1499", "p500", "p499", "p0") == [
        Presence.IN_CALL,
        Presence.IN_CALL,
        Presence.LEFT,
        Presence.LEFT,
        Presence.UNKNOWN,
        Presence.UNKNOWN,
    ]


@pytest.mark.parametrize(
    ("before", "then", "presence"),
    [
        (RINGS, None, Presence.UNKNOWN),
        (LOBBY, None, Presence.UNKNOWN),
        ({}, None, Presence.LEFT),
        (RINGS, GONE, Presence.UNKNOWN),
        (LOBBY, GONE, Presence.UNKNOWN),
        ({}, GONE, Presence.LEFT),
        (RINGS, RINGS, Presence.UNKNOWN),
        (RINGS, LOBBY, Presence.IN_LOBBY),
        (RINGS, {}, Presence.IN_CALL),
        ({}, RINGS, Presence.IN_CALL),
        ({}, LOBBY, Presence.IN_LOBBY),
        (LOBBY, RINGS, Presence.UNKNOWN),
        (GONE, None, Presence.UNKNOWN),
    ],
)
def test_presence_from_two_lists(before: dict[str, Any], then: dict[str, Any] | None, presence: Presence) -> None:
    """Only a person who was in the call has left it; who only rang or waited in the lobby is unknown again."""
    roster = Roster()
    roster.reports(participant("alice", **before))
    roster.reports(*([] if then is None else [participant("alice", **then)]))
    assert roster.presence("alice") == [presence]


def test_ringing_after_coming_back() -> None:
    """A person who left and whose device rings again has not joined again."""
    roster = Roster()
    for people in ([participant("alice")], []):
        roster.reports(*people)
    for _ in range(3):
        roster.reports(participant("alice", **RINGS))
        assert roster.presence("alice") == [Presence.UNKNOWN]
    roster.reports()
    assert roster.presence("alice") == [Presence.LEFT]


HIDDEN: list[dict[str, Any]] = [
    {"id": "p9", "info": {"identity": {"user": {"id": None, "displayName": "Guest"}}}},
    {"id": "p9", "info": {"identity": {}}},
    {"info": {}},
    participant("somebody else", isIdentityAnonymized=True),
]


@pytest.mark.parametrize("hidden", HIDDEN)
def test_absence_from_a_roster_that_hides_people(hidden: dict[str, Any]) -> None:
    """While an entry hides who it is, a person who is not seen may be that one, and stays as they were."""
    roster = Roster()
    roster.reports(participant("alice"), participant("bob", **LOBBY))
    roster.reports(hidden)
    assert roster.presence("alice", "bob") == [Presence.IN_CALL, Presence.IN_LOBBY]
    assert roster.call.hides_identities
    roster.reports(participant("bob"))
    assert roster.presence("alice", "bob") == [Presence.LEFT, Presence.IN_CALL]
    assert not roster.call.hides_identities


def test_delta_that_hides_people() -> None:
    """A delta adds the doubt; only a full list without hidden entries removes it."""
    roster = Roster()
    roster.reports(HIDDEN[0], delta=1)
    roster.reports(participant("alice"), delta=2)
    assert roster.call.hides_identities
    roster.reports(participant("alice"))
    assert not roster.call.hides_identities


def test_when_a_roster_showed_whom() -> None:
    """Each report that shows a person counts as seeing them then; one that shows them as gone does not."""
    roster = Roster()
    roster.reports(participant("alice"), participant("bob"))
    roster.reports(participant("alice"))
    roster.reports(participant("alice", **GONE), participant("carol", **LOBBY), delta=1)
    assert {name: roster.call.shown[identity_hash(name)] for name in ("alice", "bob", "carol")} == {
        "alice": later(20),
        "bob": later(10),
        "carol": later(30),
    }
    assert roster.call.roster_at == later(30)


def test_ringing_is_not_shown() -> None:
    """Whose device rings was not seen, also where they were in the call before; who waited in the lobby was."""
    roster = Roster()
    roster.reports(participant("alice", id="p1"), participant("bob", **RINGS), participant("carol", **LOBBY))
    roster.reports()
    roster.reports(participant("alice", id="p2", **RINGS))
    assert roster.presence("alice", "carol") == [Presence.LEFT, Presence.UNKNOWN]
    assert roster.call.shown == {identity_hash(name): later(10) for name in ("alice", "carol")}


def test_ringing_shows_no_one() -> None:
    """Who was in the call, left and is called again was not seen again while only their device rings."""
    roster = Roster()
    roster.reports(participant("alice", id="first"))
    roster.reports()
    roster.reports(participant("alice", id="second", **RINGS))
    assert roster.presence("alice") == [Presence.LEFT]
    assert roster.call.shown[identity_hash("alice")] == later(10)
    roster.reports(participant("alice", id="second"))
    assert roster.call.shown[identity_hash("alice")] == later(40)
