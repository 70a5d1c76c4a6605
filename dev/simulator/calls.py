"""Calls and the operations that invite people into them: state without behaviour."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dev.simulator.people import Participant

if TYPE_CHECKING:
    from dev.simulator.callback_tokens import Kind
    from dev.simulator.log import RingEntry
    from dev.simulator.options import Reporting
    from dev.simulator.people import Identity, Invitee
    from dev.simulator.scripts import CallOptions


@dataclass(frozen=True, slots=True)
class Notice:
    """One callback to be sent, with the state at the time it was written."""

    about: str
    body: dict[str, object]
    operation_id: str | None = None
    lost: bool = False
    tokens: Kind = "older"
    """The kind of token it is sent with."""
    attempted: threading.Event | None = None
    """Set when the first attempt has ended."""


@dataclass(slots=True, eq=False)
class Conversation:
    """What the legs in one meeting or call share: who is in it."""

    legs: list[Call] = field(default_factory=list)
    participants: list[Participant] = field(default_factory=list)
    """Everybody who ever was in it, people who are still being called, and the app once for each leg."""
    sequence: int = 0
    """Counts changes of the roster."""
    sources: int = 0

    @property
    def listed(self) -> list[Participant]:
        """Everybody in it, the app and people who are still being called included."""
        return [participant for participant in self.participants if not participant.removed]

    @property
    def present(self) -> list[Participant]:
        """The people in it or its lobby."""
        return [someone for someone in self.listed if not someone.is_app and not someone.is_ringing]

    def enter(self, leg: Call, identity: Identity) -> Participant:
        """Add a leg of the app."""
        self.sequence += 1
        # The number is that of recorded rosters; people are counted from 1.
        leg.me = Participant(identity, 200 + len(self.legs), self.sequence, leg.tenant_id, is_app=True)
        self.participants.append(leg.me)
        self.legs.append(leg)
        return leg.me

    def add(self, identity: Identity, tenant_id: str, *, is_ringing: bool = False) -> Participant:
        """Add a person; a person who is there already stays the same participant."""
        for participant in self.listed:
            if participant.identity.key == identity.key:
                return participant
        self.sequence += 1
        self.sources += 1
        added = Participant(identity, self.sources, self.sequence, tenant_id, is_ringing=is_ringing)
        self.participants.append(added)
        return added

    def answer(self, participant: Participant, *, in_lobby: bool) -> None:
        """Move a person who rings into the call or its lobby."""
        if participant.is_ringing:
            self.sequence += 1
            participant.is_ringing, participant.is_in_lobby = False, in_lobby
            participant.sequence = self.sequence

    def leave(self, participant: Participant) -> bool:
        """Remove a person; return whether they were there."""
        if participant.removed:
            return False
        self.sequence += 1
        participant.removed, participant.sequence = True, self.sequence
        if participant.is_ringing:
            self.participants.remove(participant)
        return True

    def admit(self, participant: Participant) -> bool:
        """Admit a person from the lobby; return whether they waited there."""
        if participant.removed or not participant.is_in_lobby:
            return False
        self.sequence += 1
        participant.is_in_lobby, participant.sequence = False, self.sequence
        return True


@dataclass(slots=True, eq=False)
class Call:
    """One leg of an app registration, with the URL that its events go to."""

    id: str
    callback_uri: str
    tenant_id: str
    client_id: str
    options: CallOptions
    conversation: Conversation = field(default_factory=Conversation)
    me: Participant | None = None
    """The app's own entry on the roster."""
    state: str = "established"
    forgotten: bool = False
    chain_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    operations: dict[str, Operation] = field(default_factory=dict)
    outbox: deque[Notice] = field(default_factory=deque)
    sending: bool = False
    abandoned: bool = False
    """Set by a reset: no further callback of it is sent."""

    @property
    def present(self) -> list[Participant]:
        """The people in the call or its lobby."""
        return self.conversation.present


@dataclass(slots=True, eq=False)
class Operation:
    """An accepted invite."""

    id: str
    call: Call
    people: tuple[Invitee, ...]
    client_context: str | None
    reporting: Reporting
    status: str = "running"
    result: tuple[int, int, str] | None = None
    """Code, subcode and message."""
    waiting: set[int] = field(default_factory=set)
    """Indexes in ``people`` of those who are still being called."""
    entries: dict[int, Participant] = field(default_factory=dict)
    """The roster's entry for each of ``people``."""
    joined: list[Participant] = field(default_factory=list)
    rings: dict[int, RingEntry] = field(default_factory=dict)
    """The log's entry for each of ``people``."""
    failures: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    reported: threading.Event = field(default_factory=threading.Event)
    """Set when the first attempt at the final report has ended, or when there will be no report."""
