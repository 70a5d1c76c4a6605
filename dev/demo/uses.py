"""The demo's invitations: the five uses that Graph's page on inviting documents, and one that is declined.

https://learn.microsoft.com/graph/api/participant-invite. Its first two examples print a ``replacesCallId`` although
nothing is replaced, and with it Graph reads only the first person; here it stands where a call is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

_ONE_TO_ONE_CALL = "a7ebfb2d-871e-419c-87af-27290b22e8db"
_OTHER_MEETING = "4c2f7a0e-6d35-4f0b-9a53-0d6f1b8e7c42"
_DECLINES = "5e0a3c1d-7b42-4f6a-9d8e-3c2b1a0f9e87"


@dataclass(frozen=True, slots=True)
class OtherCall:
    """The call that the invited person is in now and leaves for the invitation."""

    id: str
    kind: Literal["group", "peerToPeer"]
    name: str


@dataclass(frozen=True, slots=True)
class Use:
    """One invitation and its expected outcome."""

    title: str
    body: Mapping[str, Any]
    comes_from: OtherCall | None = None
    declining: frozenset[str] = field(default_factory=frozenset)
    """Ids of the people who decline the call."""
    answer: int = 200
    """The status of the last poll: 200, or 422 where it failed."""
    status: str = "completed"

    @property
    def people(self) -> dict[str, str]:
        """The invited people: a name to show, by identity id."""
        identities = [next(iter(entry["identity"].values())) for entry in self.body["participants"]]
        return {identity["id"]: _named(identity) for identity in identities}


def short(identifier: str) -> str:
    """Cut a number or an id so that it can be recognised, but not used: ``+1234…``, ``278405a3…``."""
    kept = 5 if identifier.startswith("+") else 8
    return identifier if len(identifier) <= kept else f"{identifier[:kept]}…"


def _named(identity: Mapping[str, str]) -> str:
    name = identity.get("displayName")
    return f"{name} ({short(identity['id'])})" if name else short(identity["id"])


def _user(identity_id: str, name: str, **members: str) -> dict[str, Any]:
    return {"identity": {"user": {"id": identity_id, "displayName": name}}, **members}


USES: tuple[Use, ...] = (
    Use(
        "One user into a group call",
        {"participants": [_user("278405a3-f568-4b3e-b684-009193463064", "Megan Bowen")]},
    ),
    Use(
        "Several users into a group call, in one request",
        {
            "participants": [
                _user("7e1b4346-85a6-4bdd-abe3-d11c5d420efe", "Alex Wilber"),
                _user("1e126418-44a0-4a94-a6f8-0efe1ad71acb", "Adele Vance"),
            ]
        },
    ),
    Use(
        "A user out of a one-to-one call, which is replaced",
        {"participants": [_user("0b1c36f2-9a3b-4a57-8f6e-2a51a7a3c9d8", "Lee Gu", replacesCallId=_ONE_TO_ONE_CALL)]},
        comes_from=OtherCall(_ONE_TO_ONE_CALL, "peerToPeer", "the one-to-one call"),
    ),
    Use(
        "A phone",
        {"participants": [{"identity": {"phone": {"id": "+12345678901"}}}]},
    ),
    Use(
        "A user moved here from another meeting",
        {
            "participants": [
                _user(
                    "682b6c37-0729-4fab-ace6-d730d5d9137e",
                    "Diego Siciliani",
                    replacesCallId=_OTHER_MEETING,
                    participantId="7d501bf1-5ee4-4605-ba92-0ae4513c611c",
                )
            ]
        },
        comes_from=OtherCall(_OTHER_MEETING, "group", "the other meeting"),
    ),
    Use(
        "A user who declines",
        {"participants": [_user(_DECLINES, "Pradeep Gupta")]},
        declining=frozenset({_DECLINES}),
        answer=422,
        status="failed",
    ),
)
