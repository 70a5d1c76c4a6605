"""People and their identities: who is invited, and who is in a call."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

# Which identity counts where several are given: the order of Microsoft's own SDK; the last ones it does not name.
_KINDS = {
    "user": "8:orgid:",
    "guest": "8:teamsvisitor:",
    "encrypted": "29:",
    "applicationInstance": "28:orgid:",
    "application": "28:",
    "phone": "4:",
    "onPremises": "8:sfb:",
    "azureCommunicationServicesUser": "8:acs:",
    "device": "8:device:",
    "assertedIdentity": "4:",
    "conversation": "19:",
}
IDENTITY_KINDS = frozenset(_KINDS)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person who can be called: the kind of identity, its id, and all properties it was given with."""

    kind: str
    members: Mapping[str, object]

    @classmethod
    def of(cls, identity_set: object) -> Identity | None:
        """Return the identity that Graph reads from an identitySet, or None where it holds none with an id."""
        if not isinstance(identity_set, dict):
            return None
        for kind in _KINDS:
            members = identity_set.get(kind)
            if isinstance(members, dict) and isinstance(members.get("id"), str) and members["id"]:
                return cls(kind, members)
        return None

    @classmethod
    def named(cls, someone: object) -> Identity:
        """Return the identity of a user id, a phone number (``+...``) or an identitySet; raises ValueError."""
        if isinstance(someone, cls):
            return someone
        if isinstance(someone, str) and someone:
            return cls("phone" if someone.startswith("+") else "user", {"id": someone})
        identity = cls.of(someone)
        if identity is None:
            raise ValueError("must be a user id, a phone number or an identitySet")
        return identity

    @property
    def id(self) -> str:
        """The identity's own id: a GUID, a phone number, ..."""
        return str(self.members["id"])

    @property
    def key(self) -> str:
        """The id as it is compared."""
        return self.id.casefold()

    @property
    def mri(self) -> str:
        """The name that failure messages use."""
        return f"{_KINDS[self.kind]}{self.id}"


@dataclass(frozen=True, slots=True)
class Invitee:
    """One participant of an invite, as Graph read it."""

    identity: Identity
    replaces_call_id: str | None = None
    participant_id: str | None = None


@dataclass(slots=True, eq=False)
class Participant:
    """A person, or the app itself, in a call; the id stays from the ringing to the end of the stay."""

    identity: Identity
    source_id: int
    sequence: int
    tenant_id: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    is_app: bool = False
    is_ringing: bool = False
    is_in_lobby: bool = False
    removed: bool = False
    is_unreported: bool = False
    """Was there before the app, and is not on notified rosters."""
    hidden: Literal["none", "marked", "withoutId"] = "none"
    """How the identity is hidden from rosters."""
    name: str | None = None
    """The name that rosters show where the identity has none."""
