"""The five documented uses, from Graph's own bodies to what a flow reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from domain.contexts import invitation_id
from domain.invitation import Decider, Invitation
from invite.reading import invitees, read_body
from invite.request import InviteBody
from invite.splitting import split
from tests import states
from tests.notifications.reports import (
    graph_answered,
    payload,
    statuses_of,
)
from web.answers import Request

if TYPE_CHECKING:
    from tests.notifications.conftest import Door


_CALLS = ("ab6233a5-20b7-4c5e-bea2-ce56c9776429", "7531d31f-d10d-44de-802f-c569dbca451c")
_REPLACED = "a7ebfb2d-871e-419c-87af-27290b22e8db"


def _example(name: str, call_id: str) -> Any:
    """Return a documented body, about a call of the test's own."""
    text = json.dumps(payload(name))
    for documented in _CALLS:
        text = text.replace(documented, call_id)
    return json.loads(text)


def _invitation(door: Door, body: Any, call_id: str) -> Invitation:
    """Return the invitation of a documented request, as it is before Graph's answer."""
    request = Request(body=json.dumps(body).encode())
    people = invitees(
        read_body(request, InviteBody, door.app.settings.cloud, door.app.settings.phone_prefixes).participants
    )
    context = body["clientContext"]
    return states.invitation(
        *split(people, context),
        people=len(people),
        id=invitation_id(context),
        call_id=call_id,
        client_context=context,
        participants=people,
    )


@pytest.mark.parametrize("answered_first", [True, False], ids=["answer first", "report first"])
@pytest.mark.parametrize("roster_first", [True, False], ids=["roster first", "operation first"])
@pytest.mark.parametrize("example", [1, 2, 3, 4, 5])
def test_each_documented_use_ends_well(
    example: int, door: Door, call_id: str, *, roster_first: bool, answered_first: bool
) -> None:
    """Graph's own bodies lead from running to completed and to who is there, in whatever order they come."""
    invitation = door.keep(_invitation(door, payload(f"{example}-request"), call_id))
    answer = payload(f"{example}-response")
    if example == 2:
        # Both people replace a call, so this is two requests, and the one documented answer belongs to neither.
        assert len(invitation.operations) == 2
    elif answered_first:
        graph_answered(door, invitation, answer)
    bodies = [_example(f"{example}-completed", call_id), _example(f"{example}-roster", call_id)]
    for body in reversed(bodies) if roster_first else bodies:
        door.accept(body)
    if example != 2 and not answered_first:
        graph_answered(door, invitation, answer)
    ended = door.invitation(invitation)
    assert set(statuses_of(ended)) == {"completed"}
    assert {operation.decided_by for operation in ended.operations} == {Decider.GRAPH}
    if example != 2:
        assert ended.operations[0].id == answer["id"]
    if example == 3:
        # The documented roster is of the call that was replaced; presence is read from the invitation's own.
        assert door.presence(ended) == ["unknown"]
        assert [entry["presence"] for entry in door.roster(_REPLACED)] == ["inCall"]
    else:
        assert set(door.presence(ended)) == {"inCall"}
        assert len(door.roster(call_id)) == len(ended.participants)


def test_second_use_without_a_replaced_call(door: Door, call_id: str) -> None:
    """Two people in one request: the report has id null, and its context is exactly the invitation's."""
    body = payload("2-request")
    for person in body["participants"]:
        del person["replacesCallId"]
    invitation = door.keep(_invitation(door, body, call_id))
    assert len(invitation.operations) == 1
    graph_answered(door, invitation, payload("2-response"))
    door.accept(_example("2-completed", call_id))
    assert statuses_of(door.invitation(invitation)) == ["completed"]
    door.accept(_example("2-roster", call_id))
    assert door.presence(invitation) == ["inCall", "inCall"]
