"""What a body may hold: every fault at once, with its path and never the value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.escalation.world import entry, person

if TYPE_CHECKING:
    from tests.escalation.world import EscalationWorld

ONE = {"participants": [entry(person(1))]}


def step(*numbers: int, **more: Any) -> dict[str, Any]:
    """A step of people, given by number."""
    return {"participants": [entry(person(number)) for number in numbers], **more}


def faults(world: EscalationWorld, body: Any) -> dict[str, str]:
    """The faults of a body: each path with its code."""
    answer = world.post(body)
    assert answer is not None
    assert answer.status == 400, answer.body
    assert answer.body is not None
    assert not world.graph.taken
    assert not world.queue.waiting
    details = answer.body["error"]["details"]
    assert all(one["message"] for one in details)
    return {one["target"]: one["code"] for one in details}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"steps": "Missing"}),
        ({"steps": []}, {"steps": "Empty"}),
        ({"steps": [step(number) for number in range(11)]}, {"steps": "TooMany"}),
        ({"steps": [{}]}, {"steps[0].participants": "Missing"}),
        ({"steps": [step()]}, {"steps[0].participants": "Empty"}),
        ({"steps": [step(*range(11))]}, {"steps[0].participants": "TooMany"}),
        ({"steps": [step(1, 2, 1)]}, {"steps[0].participants[2].identity.user.id": "SamePersonTwice"}),
        ({"steps": [step(1, waitSeconds=4)]}, {"steps[0].waitSeconds": "OutOfRange"}),
        ({"steps": [step(1, waitSeconds=301)]}, {"steps[0].waitSeconds": "OutOfRange"}),
        ({"steps": [step(1, waitSeconds="45")]}, {"steps[0].waitSeconds": "WrongType"}),
        ({"steps": [step(1, waitSeconds=True)]}, {"steps[0].waitSeconds": "WrongType"}),
        ({"steps": [ONE], "stopWhen": "everybodyJoins"}, {"stopWhen": "UnknownValue"}),
        ({"steps": [ONE], "repeat": 6}, {"repeat": "OutOfRange"}),
        ({"steps": [ONE], "repeat": -1}, {"repeat": "OutOfRange"}),
        ({"steps": [ONE], "repeat": "1"}, {"repeat": "WrongType"}),
        ({"steps": [ONE], "participants": []}, {"participants": "UnknownMember"}),
        ({"steps": [{**ONE, "wait": 5}]}, {"steps[0].wait": "UnknownMember"}),
        ({"steps": [ONE], "clientContext": "a~1of2"}, {"clientContext": "ReservedEnding"}),
        (
            {"steps": [ONE, {"participants": [{"identity": {}}, {"identity": {"user": {"id": "x"}}}]}], "repeat": 9},
            {
                "steps[1].participants[0].identity": "NoIdentity",
                "steps[1].participants[1].identity.user.id": "NotAGuid",
                "repeat": "OutOfRange",
            },
        ),
    ],
)
def test_faults(world: EscalationWorld, body: Any, expected: dict[str, str]) -> None:
    """Each is named with its path, all at once, and no person is called."""
    assert faults(world, body) == expected


def test_no_value_is_shown(world: EscalationWorld) -> None:
    """A fault names a place, not what stands there."""
    answer = world.post({"steps": [{"participants": [{"identity": {"user": {"id": "secret-thing"}}}]}]})
    assert answer is not None
    assert "secret-thing" not in json.dumps(answer.body)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"stopWhen": None, "repeat": None, "clientContext": None},
        {"stopWhen": "", "repeat": ""},
        {"stopWhen": "wholeStepJoins", "repeat": 5},
    ],
)
def test_members_that_may_be_left_out(world: EscalationWorld, more: dict[str, Any]) -> None:
    """Absent, null and blank are the same, and have their defaults."""
    answer = world.post({"steps": [step(1, waitSeconds=None), step(1, waitSeconds=300)], **more})
    assert answer is not None
    assert answer.status == 202
    assert answer.body is not None
    assert [one["waitSeconds"] for one in answer.body["steps"]] == [45, 300]
    assert answer.body["stopWhen"] == (more.get("stopWhen") or "anyoneJoins")


def test_no_url_to_wait_at(world: EscalationWorld) -> None:
    """A flow waits at its own URL, which has to be one."""
    for url in ("", "http://127.0.0.1/", "https://example.com/x"):
        answer = world.post({"steps": [ONE], "callbackUrl": url}, wait=True)
        assert answer is not None
        assert answer.status == 400
        assert answer.body is not None
        assert answer.body["error"]["target"] == "callbackUrl"
    assert not world.graph.taken
