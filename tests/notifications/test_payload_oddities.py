"""Anything may stand anywhere in a callback, and nothing of it is an error."""

from __future__ import annotations

import copy
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from notifications.payload import DeltaReport, Report, RosterReport, reports_of
from tests.notifications.reports import payload

if TYPE_CHECKING:
    from domain.call import Presence

CALL = "ab6233a5-20b7-4c5e-bea2-ce56c9776429"
ALICE, BOB = "7e1b4346-85a6-4bdd-abe3-d11c5d420efe", "1e126418-44a0-4a94-a6f8-0efe1ad71acb"


def _reports(body: Any) -> list[Report]:
    return [report for item in body["value"] for report in reports_of(item)]


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


@pytest.mark.parametrize("item", [None, 5, "x", [], [[]], True, 1.5, {}, {"resourceData": {}}, {"value": []}])
def test_what_is_no_item_says_nothing(item: object) -> None:
    """Any JSON may stand there."""
    assert list(reports_of(item)) == []


@pytest.mark.parametrize("data", [None, 5, "x", True, {}, [None], [[]], [[_participant()]], {"a": 1}])
def test_data_of_no_form_says_nothing(data: object) -> None:
    """The same inside an item."""
    assert list(reports_of(_item(data, path="participants"))) == []


_LEAVES: list[Any] = [None, True, False, 0, -1, 1.5, 1e300, "", "x", "\ud800", "é", [], [None], {}, {"": None}]


@pytest.mark.parametrize("name", [f"{example}-{kind}" for example in range(1, 6) for kind in ("completed", "roster")])
def test_every_property_replaced(name: str) -> None:
    """Every member, at every depth, replaced by every kind of value, or left out: it is read or left alone."""
    body = payload(name)
    broken = 0
    for path in list(_paths(body["value"])):
        for leaf in [*_LEAVES, _Missing]:
            changed = _with(body, path, leaf)
            for report in _reports(changed):
                json.dumps(repr(report)).encode()
                broken += 1
    assert broken > 100


class _Missing:
    """Stands for a member that is left out."""


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Any:
    if path:
        yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from _paths(member, (*path, name))


def _with(body: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    changed = copy.deepcopy(body)
    place = changed["value"]
    for step in path[:-1]:
        place = place[step]
    if leaf is _Missing:
        del place[path[-1]]
    else:
        place[path[-1]] = leaf
    return changed


def test_five_thousand_participants() -> None:
    """A large meeting costs no more than its size."""
    people = [_participant(f"person {number}") for number in range(5000)]
    started = time.perf_counter()
    report = _one(_item(people, path="participants"))
    assert time.perf_counter() - started < 2
    assert len(_seen(report)) == 5000
