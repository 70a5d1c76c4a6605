"""Valid bodies of invites, to be broken one property at a time, and how reading them went."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from domain.clouds import CLOUDS
from domain.configuration.callers import PhonePrefixes
from invite.reading import invitees, read_body
from invite.request import InviteBody
from invite.splitting import split
from tests import states
from web.answers import Request
from web.errors import BadRequest, Fault

if TYPE_CHECKING:
    from domain.invitation import Invitation, Invitee

GUID = "278405a3-f568-4b3e-b684-009193463064"
CALL = "57dab8b1-894c-409a-b240-bd8beae78896"
GLOBAL = CLOUDS["global"]


def guid(number: int) -> str:
    """Return a GUID that differs from those of all other numbers."""
    return f"{number:08x}-f568-4b3e-b684-009193463064"


def person(number: int = 0, **members: Any) -> dict[str, Any]:
    """Return a participant who is a user of Entra ID."""
    return {"identity": {"user": {"id": guid(number)}}, **members}


def phone(number: str = "+12345678901", **members: Any) -> dict[str, Any]:
    """Return a participant who is a phone."""
    return {"identity": {"phone": {"id": number}}, **members}


def body(*participants: Any, **members: Any) -> dict[str, Any]:
    """Return the body of an invite."""
    return {"participants": list(participants or (person(),)), **members}


def request(content: Any, content_type: str | None = "application/json") -> Request:
    """Return the request that carries a body: bytes as they are, everything else as JSON."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Request(headers={} if content_type is None else {"content-type": content_type}, body=raw)


def read(content: Any, cloud: str = "global") -> InviteBody:
    """Read a body that is valid."""
    return read_body(request(content), InviteBody, CLOUDS[cloud], PhonePrefixes())


def people(content: Any) -> tuple[Invitee, ...]:
    """Return the people of a body that is valid."""
    return invitees(read(content).participants)


def refused(content: Any, cloud: str = "global", content_type: str | None = "application/json") -> BadRequest:
    """Read a body that is invalid, and return the error."""
    with pytest.raises(BadRequest) as caught:
        read_body(request(content, content_type), InviteBody, CLOUDS[cloud], PhonePrefixes())
    return caught.value


def faults(content: Any, cloud: str = "global") -> tuple[Fault, ...]:
    """Return the faults of a body that is invalid."""
    return refused(content, cloud).details


def fault(content: Any, cloud: str = "global") -> Fault:
    """Return the one fault of a body that has one."""
    (only,) = faults(content, cloud)
    return only


def invitation(participants: tuple[Invitee, ...], client_context: str) -> Invitation:
    """Return the invitation of some people, split as it is before Graph is asked."""
    return states.invitation(
        *split(participants, client_context),
        people=len(participants),
        call_id="call",
        client_context=client_context,
        participants=participants,
    )
