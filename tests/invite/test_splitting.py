from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.contexts import looks_like_part, unsplit_context
from domain.invitation import Invitee
from graph.participants import invite_body
from invite.splitting import split
from tests.invite.bodies import body, guid, invitation, people, person

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"


def _bodies(content: Any) -> list[dict[str, Any]]:
    """Return what Graph is sent for a body."""
    made = invitation(people(content), content["clientContext"])
    return [
        invite_body((made.participants[person] for person in operation.people), operation.client_context)
        for operation in made.operations
    ]


@pytest.mark.parametrize("number", [1, 3, 4, 5])
def test_documented_bodies(number: int) -> None:
    """What Graph's page shows as a request is what Graph is sent, in the same order of properties."""
    documented = json.loads((PAYLOADS / f"{number}-request.json").read_text(encoding="utf-8"))
    assert json.dumps(_bodies(documented)) == json.dumps([documented])


def test_several_people_in_one_body() -> None:
    """Two people who replace no call are one request, in the documented form."""
    documented = json.loads((PAYLOADS / "2-request.json").read_text(encoding="utf-8"))
    for participant in documented["participants"]:
        del participant["replacesCallId"]
    assert _bodies(documented) == [documented]


def test_replacing_a_call() -> None:
    """Two people with ``replacesCallId``, of whom Graph would drop the second, become two requests."""
    documented = json.loads((PAYLOADS / "2-request.json").read_text(encoding="utf-8"))
    context = documented["clientContext"]
    assert _bodies(documented) == [
        {"participants": [participant], "clientContext": f"{context}~{number}of2"}
        for number, participant in enumerate(documented["participants"], start=1)
    ]


def test_types_are_added() -> None:
    """A short body becomes the documented one: ``@odata.type`` members are always sent on."""
    short = {"participants": [{"identity": {"phone": {"id": "+12345678901"}}}]}
    documented = json.loads((PAYLOADS / "4-request.json").read_text(encoding="utf-8"))
    assert _bodies({**short, "clientContext": documented["clientContext"]}) == [documented]


def test_types_are_kept() -> None:
    """A derived type that the caller names is sent on."""
    identity = {
        "@odata.type": "#microsoft.graph.communicationsIdentitySet",
        "user": {"@odata.type": "#microsoft.graph.communicationsUserIdentity", "id": guid(1), "tenantId": guid(2)},
    }
    (sent,) = _bodies(body({"identity": identity}, clientContext="x"))
    assert sent["participants"][0]["identity"] == identity


def test_flags() -> None:
    """``hidden: false`` is something else than no ``hidden``."""
    flags = {"hidden": False, "removeFromDefaultAudioRoutingGroup": True}
    (sent,) = _bodies(body(person(1, **flags), clientContext="x"))
    assert {name: sent["participants"][0].get(name) for name in flags} == flags
    (plain,) = _bodies(body(person(1), clientContext="x"))
    assert not flags.keys() & plain["participants"][0].keys()


@pytest.mark.parametrize(("count", "groups"), [(1, [1]), (5, [5]), (6, [5, 1]), (10, [5, 5]), (11, [5, 5, 1])])
def test_groups_of_up_to_five(count: int, groups: list[int]) -> None:
    """People who replace nothing go five at a time, as many as Graph takes; separately each goes alone."""
    invited = people(body(*map(person, range(count))))
    assert [len(operation.people) for operation in split(invited, "x")] == groups
    alone = split(invited, "x", separately=True)
    assert [operation.people for operation in alone] == [(place,) for place in range(count)]
    contexts = ["x"] if count == 1 else [f"x~{number}of{count}" for number in range(1, count + 1)]
    assert [operation.client_context for operation in alone] == contexts


def test_client_contexts() -> None:
    """The context is touched only where it must be."""
    assert [part.client_context for part in split(people(body(*map(person, range(5)))), "mine")] == ["mine"]
    assert [part.client_context for part in split(people(body(*map(person, range(12)))), "mine")] == [
        "mine~1of3",
        "mine~2of3",
        "mine~3of3",
    ]


def test_one_who_goes_alone() -> None:
    """A person to be moved in the middle of a list leaves the group around them whole."""
    moved = person(2, participantId="p")
    operations = split(people(body(person(0), person(1), moved, person(3), person(4))), "x")
    assert [operation.people for operation in operations] == [(0, 1, 3, 4), (2,)]


ALONE = st.sampled_from([{}, {"replaces_call_id": "c"}, {"participant_id": "p"}])


@settings(deadline=None, max_examples=200)
@given(
    st.lists(ALONE, min_size=1, max_size=50),
    st.text("ab~1of2", min_size=1, max_size=9).filter(lambda c: not looks_like_part(c)),
)
def test_everyone_is_in_one_request(members: list[dict[str, str]], context: str) -> None:
    """Whatever the mix, each person is in exactly one request, in order, and Graph reads all of them."""
    everybody = tuple(
        replace(Invitee("user", {"id": guid(place)}), **more)  # type: ignore[arg-type]
        for place, more in enumerate(members)
    )
    operations = split(everybody, context)
    assert sorted(place for operation in operations for place in operation.people) == list(range(len(everybody)))
    for operation in operations:
        assert list(operation.people) == sorted(operation.people)
        assert 1 <= len(operation.people) <= 5
        if any(everybody[place].goes_alone for place in operation.people):
            assert len(operation.people) == 1
        assert operation.client_context == context or unsplit_context(operation.client_context) == context
    assert [operation.people[0] for operation in operations] == sorted(operation.people[0] for operation in operations)
    contexts = [operation.client_context for operation in operations]
    assert len(set(contexts)) == len(contexts)
    assert (contexts == [context]) == (len(contexts) == 1)
    groups = sum(not everybody[operation.people[0]].goes_alone for operation in operations)
    assert groups == -(-sum(not one.goes_alone for one in everybody) // 5)
