"""People inside steps: the same rules as in an invitation, with the path of each fault."""

from __future__ import annotations

from typing import Any

import pytest

from domain.clouds import CLOUDS
from domain.configuration.callers import PhonePrefixes
from escalation.request import EscalateBody
from invite.reading import read_body
from tests.invite.bodies import guid, person, phone, request
from web.errors import BadRequest


def _located(content: Any, cloud: str = "global") -> set[tuple[str, str | None]]:
    with pytest.raises(BadRequest) as caught:
        read_body(request(content), EscalateBody, CLOUDS[cloud], PhonePrefixes())
    assert all(fault.message.endswith(".") for fault in caught.value.details)
    return {(fault.code, fault.target) for fault in caught.value.details}


def steps(*people: list[Any], **more: Any) -> dict[str, Any]:
    """Return a body with these steps."""
    return {"steps": [{"participants": one} for one in people], **more}


def test_valid() -> None:
    """A person may be in several steps, and a phone number comes as people write it."""
    content = steps([person(1), phone("+1 (206) 555-0100")], [person(1)], repeat=5, stopWhen="wholeStepJoins")
    body = read_body(request(content), EscalateBody, CLOUDS["global"], PhonePrefixes())
    assert body.steps[0].participants[1].identity.phone is not None
    assert body.steps[0].participants[1].identity.phone.id == "+12065550100"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (steps([{"identity": {}}]), {("NoIdentity", "steps[0].participants[0].identity")}),
        (
            steps([person(1)], [person(2), {"identity": {"user": {"id": guid(2).upper()}}}]),
            {("SamePersonTwice", "steps[1].participants[1].identity.user.id")},
        ),
        (
            steps([{"identity": {"user": {"id": guid(1)}, "phone": {"id": "+12065550100"}}}]),
            {("SeveralIdentities", "steps[0].participants[0].identity")},
        ),
        (
            steps([phone("+448701234567")]),
            {("NumberNotAllowed", "steps[0].participants[0].identity.phone.id")},
        ),
        (steps([]), {("Empty", "steps[0].participants")}),
        (steps(*[[person()]] * 11), {("TooMany", "steps")}),
        (steps(list(map(person, range(11)))), {("TooMany", "steps[0].participants")}),
        (steps([person()], repeat=6), {("OutOfRange", "repeat")}),
        (steps([person()], repeat=-1), {("OutOfRange", "repeat")}),
        (steps([person()], repeat="1"), {("WrongType", "repeat")}),
        (steps([person()], repeat=1.5), {("WrongType", "repeat")}),
        (steps([person()], stopWhen="everyone"), {("UnknownValue", "stopWhen")}),
        ({"steps": [{"participants": [person()], "waitSeconds": 4}]}, {("OutOfRange", "steps[0].waitSeconds")}),
        ({"steps": [{"participants": [person()], "waitSeconds": 10**30}]}, {("OutOfRange", "steps[0].waitSeconds")}),
        ({"steps": [5, None, "x", []]}, {("WrongType", f"steps[{place}]") for place in range(4)}),
        ({"steps": {"participants": []}}, {("WrongType", "steps")}),
    ],
)
def test_faults(content: Any, expected: set[tuple[str, str]]) -> None:
    """Every fault has its code and its path."""
    assert _located(content) == expected


def test_clouds() -> None:
    """What a cloud lacks is refused inside steps, too."""
    content = steps([person(1, hidden=True)])
    assert _located(content, "us-gov-l4") == {("NotInThisCloud", "steps[0].participants[0].hidden")}


def test_value_of_a_choice_is_not_shown() -> None:
    """The message for a wrong choice has the right ones, and not what came."""
    with pytest.raises(BadRequest) as caught:
        read_body(request(steps([person()], stopWhen="s3cr3t")), EscalateBody, CLOUDS["global"], PhonePrefixes())
    assert "anyoneJoins" in caught.value.message
    assert "s3cr3t" not in str(caught.value.body())
