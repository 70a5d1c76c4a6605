"""What callbacks say of who is in a call: lists, changes, and single participants."""

from __future__ import annotations

from typing import Any

import pytest

from domain.call import Presence
from domain.roster import identity_hash
from domain.sightings import Roster, Sighting
from notifications.payload import DeltaReport, Report, RosterReport, reports_of

CALL = "ab6233a5-20b7-4c5e-bea2-ce56c9776429"
ALICE, BOB = "7e1b4346-85a6-4bdd-abe3-d11c5d420efe", "1e126418-44a0-4a94-a6f8-0efe1ad71acb"


def _one(item: Any) -> Report:
    (report,) = reports_of(item)
    return report


def _item(data: Any, path: str = "operations/o-1", change: Any = "updated", **members: Any) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.commsNotification",
        "changeType": change,
        "resource": f"/app/calls/{CALL}/{path}".rstrip("/"),
        "resourceUrl": f"/communications/calls/{CALL}/{path}".rstrip("/"),
        "resourceData": data,
        **members,
    }


def _participant(person: str = ALICE, **members: Any) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.participant",
        "id": None,
        "isInLobby": False,
        "isMuted": False,
        "info": {"identity": {"user": {"id": person}}},
        "mediaStreams": [{"mediaType": "audio"}],
        **members,
    }


def _seen(report: Report) -> dict[str, Presence]:
    assert isinstance(report, (RosterReport, DeltaReport))
    return {str(entry.identity.get("id") or entry.id): entry.presence for entry in report.roster.people}


@pytest.mark.parametrize("path", ["participants", "operations/participants", "operations/o-1", "", "anything"])
@pytest.mark.parametrize("typed", [True, False])
def test_list_under_any_path(path: str, *, typed: bool) -> None:
    """Graph itself sends one under an operation's path."""
    person = _participant()
    if not typed:
        del person["@odata.type"]
    report = _one(_item([person], path=path))
    assert isinstance(report, RosterReport)
    assert _seen(report) == {ALICE: Presence.IN_CALL}


@pytest.mark.parametrize("path", ["participants", "Participants/", "operations/participants"])
def test_an_empty_roster_has_nobody_in_it(path: str) -> None:
    """The last one left."""
    assert _one(_item([], path=path)) == RosterReport(CALL, Roster((), hides_people=False))


@pytest.mark.parametrize("path", ["operations/o-1", "audioRoutingGroups", ""])
def test_empty_list_of_something_else(path: str) -> None:
    """Without a type, only the path can tell what there is none of."""
    assert list(reports_of(_item([], path=path))) == []


@pytest.mark.parametrize(
    ("members", "presence"),
    [
        ({}, Presence.IN_CALL),
        ({"mediaStreams": [{"direction": "inactive"}]}, Presence.IN_CALL),  # on hold
        ({"mediaStreams": []}, Presence.UNKNOWN),
        ({"mediaStreams": None}, Presence.UNKNOWN),
        ({"mediaStreams": "audio"}, Presence.UNKNOWN),
        ({"isInLobby": True}, Presence.IN_LOBBY),
        ({"isInLobby": True, "mediaStreams": []}, Presence.IN_LOBBY),
        ({"isInLobby": None}, Presence.IN_CALL),
        ({"isInLobby": "true"}, Presence.IN_CALL),
        ({"removedState": {"reason": "Removed"}}, Presence.LEFT),
        ({"removedState": {}, "isInLobby": True}, Presence.LEFT),
        ({"removedState": None}, Presence.IN_CALL),
    ],
)
def test_presence(members: dict[str, Any], presence: Presence) -> None:
    """In the call, ringing, in the lobby, or removed."""
    assert _seen(_one(_item([_participant(**members)]))) == {ALICE: presence}


def _sighting(**members: Any) -> Sighting:
    report = _one(_item([_participant(**members)]))
    assert isinstance(report, RosterReport)
    (seen,) = report.roster.people
    return seen


@pytest.mark.parametrize(("value", "number"), [(7, 7), ("7", 7), (None, None), ("x", None), (7.0, 7), (True, None)])
def test_sequence_numbers(value: object, number: int | None) -> None:
    """Graph writes 64-bit numbers as strings in places."""
    assert _sighting(rosterSequenceNumber=value).sequence == number


@pytest.mark.parametrize("muted", [True, False, None, "yes"])
def test_muted(muted: object) -> None:
    """True, false or unknown."""
    assert _sighting(isMuted=muted).is_muted == (muted if isinstance(muted, bool) else None)


@pytest.mark.parametrize("given", [None, "", 5, []])
def test_key_without_a_participant_id(given: object) -> None:
    """The documented participants have ``id: null``; the identity's hash identifies them."""
    assert (_sighting(id=given).key, _sighting(id=given).id) == (identity_hash(ALICE), None)
    assert (_sighting(id="p1").key, _sighting(id="p1").id) == ("p1", "p1")


@pytest.mark.parametrize(
    ("members", "hides"),
    [
        ({}, False),
        ({"isIdentityAnonymized": False}, False),
        ({"isIdentityAnonymized": True}, True),
        ({"id": "p1", "info": {"identity": {"user": {"id": None, "displayName": "Guest"}}}}, True),
        ({"id": "p1", "info": {"identity": {}}}, True),
        ({"id": "p1", "info": None}, True),
        ({"info": {"identity": {"user": {"id": ""}}}}, True),
    ],
)
@pytest.mark.parametrize("is_delta", [False, True])
def test_hidden_identities(members: dict[str, Any], *, hides: bool, is_delta: bool) -> None:
    """An anonymized entry, or an identity without id, makes absence from the roster prove nothing."""
    people = [_participant(BOB), _participant(**members)]
    report = _one(_item({"sequenceNumber": 1, "participants": people} if is_delta else people, path="participants"))
    assert isinstance(report, RosterReport | DeltaReport)
    assert report.roster.hides_people is hides


@pytest.mark.parametrize(
    "identity",
    [
        {"user": {"id": ALICE}, "application": None, "device": None, "phone": None},
        {"application": {"id": ALICE}},
        {"@odata.type": "#microsoft.graph.communicationsIdentitySet", "guest": {"id": ALICE, "email": "a@b.example"}},
        {"endpointType": "default", "onPremises": {"id": ALICE}},
        {"user": {"displayName": "nameless"}, "encrypted": {"id": ALICE}},
        {"somethingNew": {"id": ALICE}},
    ],
)
def test_identity_sets(identity: dict[str, Any]) -> None:
    """Among nulls, under any kind, also one that Graph invents tomorrow."""
    assert _seen(_one(_item([_participant(info={"identity": identity})]))) == {ALICE: Presence.IN_CALL}


@pytest.mark.parametrize(
    "spoilt",
    [
        None,
        5,
        "x",
        [],
        {},
        {"@odata.type": "#microsoft.graph.participant"},
        _participant(info=None),
        _participant(info=[]),
        _participant(info={"identity": None}),
        _participant(info={"identity": {"user": None}}),
        _participant(info={"identity": {"user": {"id": 5}}}),
        {"@odata.type": "#microsoft.graph.call", "state": "established"},
    ],
)
def test_bad_participant(spoilt: Any) -> None:
    """Those around it are read all the same."""
    report = _one(_item([_participant(ALICE), spoilt, _participant(BOB)]))
    assert _seen(report) == {ALICE: Presence.IN_CALL, BOB: Presence.IN_CALL}


@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("number", [7, "7", 7.0])
def test_a_delta_is_told_from_a_list(number: object, *, as_list: bool, typed: bool) -> None:
    """``deltaParticipants`` comes inside a list or by itself, and its number is read in any form."""
    delta: dict[str, Any] = {"sequenceNumber": number, "participants": [_participant(), None, _participant(BOB)]}
    if typed:
        delta["@odata.type"] = "#microsoft.graph.deltaParticipants"
    report = _one(_item([delta] if as_list else delta, path="participants"))
    assert isinstance(report, DeltaReport)
    assert report.sequence == 7
    assert set(_seen(report)) == {ALICE, BOB}


def test_empty_delta() -> None:
    """A delta that names no people removes none."""
    entity = {"@odata.type": "#microsoft.graph.deltaParticipants", "participants": None}
    assert _one(_item([entity], path="participants")) == DeltaReport(CALL, Roster((), hides_people=False), None)


def test_several_deltas() -> None:
    """Each is a report of its own."""
    deltas: list[dict[str, Any]] = [
        {"@odata.type": "#microsoft.graph.deltaParticipants", "sequenceNumber": number, "participants": []}
        for number in (3, 4)
    ]
    assert [report.sequence for report in reports_of(_item(deltas)) if isinstance(report, DeltaReport)] == [3, 4]


def test_single_participant() -> None:
    """A change of one is a delta: the others stay."""
    report = _one(_item(_participant(id="p-1", isInLobby=True), path="participants/p-1"))
    assert isinstance(report, DeltaReport)
    assert _seen(report) == {ALICE: Presence.IN_LOBBY}


@pytest.mark.parametrize("removed", [None, {}, {"reason": "x"}, "Removed", 5])
def test_a_deleted_participant_has_left(removed: object) -> None:
    """Whatever its last state says."""
    item = _item(_participant(id="p-1", removedState=removed), path="participants/p-1", change="deleted")
    assert _seen(_one(item)) == {ALICE: Presence.LEFT}
