"""Calls, the people in them, and the operations that invite more: state without behaviour."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev.simulator.log import RingEntry
    from dev.simulator.options import Behaviour, CallKind, Reporting

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
    """Somebody who can be rung: which kind of identity, its id, and all members it was given with."""

    kind: str
    members: Mapping[str, object]

    @classmethod
    def of(cls, identity_set: object) -> Identity | None:
        """Return the identity that Graph reads from an identitySet, or None where there is none with an id."""
        if not isinstance(identity_set, dict):
            return None
        for kind in _KINDS:
            members = identity_set.get(kind)
            if isinstance(members, dict) and isinstance(members.get("id"), str) and members["id"]:
                return cls(kind, members)
        return None

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
    hidden: bool | None = None
    remove_from_default_audio_routing_group: bool | None = None


@dataclass(slots=True)
class Participant:
    """Somebody in a call."""

    identity: Identity
    source_id: int
    sequence: int
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    is_in_lobby: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One callback to be sent, with what was true when it was written."""

    about: str
    body: dict[str, object]
    operation_id: str | None = None
    lost: bool = False
    attempted: threading.Event | None = None
    """Set when the first attempt has ended."""


@dataclass(slots=True)
class Call:
    """A call of an app registration, with the address that its events go to."""

    id: str
    callback_uri: str
    tenant_id: str
    client_id: str
    kind: CallKind = "group"
    delta_roster: bool = False
    operations_readable: bool = False
    roster_read: str = "empty"
    """What reading the roster of a peer-to-peer call gives: ``empty`` or ``error``."""
    mixed: str = "failed"
    """How an operation ends of which some came and some did not."""
    behaviour: Behaviour | None = None
    reporting: Mapping[str, object] = field(default_factory=dict)
    state: str = "established"
    forgotten: bool = False
    chain_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    sequence: int = 0
    """Counts changes of the roster."""
    sources: int = 0
    participants: list[Participant] = field(default_factory=list)
    operations: dict[str, Operation] = field(default_factory=dict)
    outbox: deque[Notice] = field(default_factory=deque)
    sending: bool = False
    abandoned: bool = False
    """Set by a reset: nothing of it is sent any more."""

    @property
    def present(self) -> list[Participant]:
        """Those who are in the call or its lobby."""
        return [participant for participant in self.participants if not participant.removed]

    def join(self, identity: Identity, *, in_lobby: bool = False) -> Participant:
        """Put somebody on the roster; who is there already stays the same participant."""
        for participant in self.present:
            if participant.identity.key == identity.key:
                return participant
        self.sequence += 1
        self.sources += 1
        joined = Participant(identity, self.sources, self.sequence, is_in_lobby=in_lobby)
        self.participants.append(joined)
        return joined

    def leave(self, participant: Participant) -> bool:
        """Take somebody off the roster; say whether they were on it."""
        if participant.removed:
            return False
        self.sequence += 1
        participant.removed, participant.sequence = True, self.sequence
        return True

    def admit(self, participant: Participant) -> bool:
        """Let somebody in from the lobby; say whether they waited there."""
        if participant.removed or not participant.is_in_lobby:
            return False
        self.sequence += 1
        participant.is_in_lobby, participant.sequence = False, self.sequence
        return True


@dataclass(slots=True)
class Operation:
    """An invite that was taken."""

    id: str
    call: Call
    people: tuple[Invitee, ...]
    client_context: str | None
    reporting: Reporting
    status: str = "running"
    result: tuple[int, int, str] | None = None
    """Code, subcode and message."""
    waiting: set[int] = field(default_factory=set)
    """Positions in ``people`` of those who are still being rung."""
    joined: list[Participant] = field(default_factory=list)
    rings: dict[int, RingEntry] = field(default_factory=dict)
    """The log's entry for each of ``people``."""
    failures: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    reported: threading.Event = field(default_factory=threading.Event)
    """Set when the first attempt at the final report has ended, and when there will be none."""
