"""Rosters as Graph's pages show them and as the real service sends them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.call import Presence
from domain.roster import identity_hash
from graph.participants import identity_of, read_roster, sighting

_PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"
_AUDIO = [{"mediaType": "audio", "direction": "sendReceive", "label": "main-audio", "sourceId": "1"}]


def _person(**properties: Any) -> dict[str, Any]:
    """Return a participant as recorded from the real service."""
    return {
        "@odata.type": "#microsoft.graph.participant",
        "id": "p-1",
        "info": {
            "@odata.type": "#microsoft.graph.participantInfo",
            "participantId": "p-1",
            "identity": {
                "@odata.type": "#microsoft.graph.communicationsIdentitySet",
                "user": {"id": "u-1", "displayName": "Alice", "tenantId": "t-1", "identityProvider": "AAD"},
            },
        },
        "isInLobby": False,
        "isMuted": True,
        "mediaStreams": _AUDIO,
        "rosterSequenceNumber": 7,
        "replacementLink": "https://secret.example/capability",
        **properties,
    }


def test_a_recorded_participant_is_read() -> None:
    """With its own id, and nothing of what Graph does not document."""
    (person,) = read_roster([_person()]).people
    assert (person.key, person.id, person.kind) == ("p-1", "p-1", "user")
    assert person.identity == {"id": "u-1", "displayName": "Alice", "tenantId": "t-1", "identityProvider": "AAD"}
    assert (person.presence, person.is_muted, person.sequence) == (Presence.IN_CALL, True, 7)
    assert "secret" not in repr(person)


@pytest.mark.parametrize("participant_id", [None, ""])
def test_a_documented_participant_has_no_id(participant_id: str | None) -> None:
    """Then the identity's id is what it is recognised by."""
    person = sighting(_person(id=participant_id))
    assert person is not None
    assert (person.key, person.id) == (identity_hash("u-1"), None)


@pytest.mark.parametrize(
    ("properties", "presence"),
    [
        ({}, Presence.IN_CALL),
        ({"mediaStreams": [{"mediaType": "audio", "direction": "inactive"}]}, Presence.IN_CALL),
        ({"mediaStreams": []}, Presence.UNKNOWN),
        ({"mediaStreams": None}, Presence.UNKNOWN),
        ({"mediaStreams": 5}, Presence.UNKNOWN),
        ({"mediaStreams": None, "isInLobby": True}, Presence.IN_LOBBY),
        ({"isInLobby": True}, Presence.IN_LOBBY),
        ({"isInLobby": "yes"}, Presence.IN_CALL),
        ({"removedState": {"reason": "removed"}, "isInLobby": True}, Presence.LEFT),
        ({"removedState": None}, Presence.IN_CALL),
    ],
)
def test_presence(properties: dict[str, Any], presence: Presence) -> None:
    """A device that rings has no media stream; on hold there are some, and the lobby needs none."""
    person = sighting(_person(**properties))
    assert person is not None
    assert person.presence is presence


def test_without_the_property_a_device_rings() -> None:
    """Absent is as good as null."""
    participant = _person()
    del participant["mediaStreams"]
    person = sighting(participant)
    assert person is not None
    assert person.presence is Presence.UNKNOWN


@pytest.mark.parametrize(
    ("participant", "hides"),
    [
        (_person(), False),
        (_person(isIdentityAnonymized=False), False),
        (_person(isIdentityAnonymized=True), True),
        (_person(info=None), True),
        (_person(info={"identity": {"user": {"displayName": "Somebody"}}}), True),
        (_person(id=None, info={"identity": {"user": {"id": ""}}}), True),
        (_person(info={"identity": {"user": None, "application": {"id": "a"}}}), False),
    ],
)
def test_a_roster_may_hide_people(participant: dict[str, Any], *, hides: bool) -> None:
    """One entry that can't be recognised is enough: any absence may be of that person."""
    assert read_roster([_person(id="p-0"), participant]).hides_people is hides


@pytest.mark.parametrize("garbage", [None, 5, "x", {}, [], [None], [5], [[]], ["x"]])
def test_garbage_is_nobody(garbage: object) -> None:
    """And it hides no person either."""
    roster = read_roster(garbage)
    assert (roster.people, roster.hides_people) == ((), False)


def test_a_neighbour_does_not_spoil_the_others() -> None:
    """What can't be read is left out."""
    entries = [None, {}, {"info": 5}, {"info": {"identity": [1]}}, _person(id=5), _person(id="p-2")]
    assert [person.key for person in read_roster(entries).people] == [identity_hash("u-1"), "p-2"]


@pytest.mark.parametrize(
    ("identity_set", "expected"),
    [
        ({"phone": {"id": "+12065550100"}}, ("phone", {"id": "+12065550100"})),
        ({"user": {"displayName": "A"}, "guest": {"id": "g"}}, ("guest", {"id": "g"})),
        ({"user": {"displayName": "A"}, "guest": {"displayName": "B"}}, ("user", {"displayName": "A"})),
        ({"user": {"id": 5, "secret": "x"}}, ("unknown", {})),
        ({"no name": {"id": "x"}, "é": {"id": "y"}, "x" * 65: {"id": "z"}}, ("unknown", {})),
        ({"@odata.type": "#microsoft.graph.identitySet"}, ("unknown", {})),
        (None, ("unknown", {})),
        ([], ("unknown", {})),
    ],
)
def test_an_identity_of_any_kind_is_read(identity_set: object, expected: tuple[str, dict[str, str]]) -> None:
    """The first with an id counts; an identity set is an open type."""
    assert identity_of(identity_set) == expected


@pytest.mark.parametrize("example", [1, 2, 3, 4, 5])
def test_documented_rosters_are_read(example: int) -> None:
    """Everybody on Graph's page is in the call, with an identity and without an id."""
    (item,) = json.loads((_PAYLOADS / f"{example}-roster.json").read_bytes())["value"]
    roster = read_roster(item["resourceData"])
    assert len(roster.people) == len(item["resourceData"])
    assert {(person.presence, person.id) for person in roster.people} == {(Presence.IN_CALL, None)}
    assert not roster.hides_people
