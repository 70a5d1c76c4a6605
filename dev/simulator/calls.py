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


@dataclass(slots=True)
class Call:
    """A call of an app registration, with the URL that its events go to."""

    id: str
    callback_uri: str
    tenant_id: str
    client_id: str
    options: CallOptions
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
    """Set by a reset: no further callback of it is sent."""

    @property
    def present(self) -> list[Participant]:
        """The people in the call or its lobby."""
        return [participant for participant in self.participants if not participant.removed]

    def join(self, identity: Identity, *, in_lobby: bool = False) -> Participant:
        """Put a person on the roster; a person who is there already stays the same participant."""
        for participant in self.present:
            if participant.identity.key == identity.key:
                return participant
        self.sequence += 1
        self.sources += 1
        joined = Participant(identity, self.sources, self.sequence, is_in_lobby=in_lobby)
        self.participants.append(joined)
        return joined

    def leave(self, participant: Participant) -> bool:
        """Remove a person from the roster; return whether they were on it."""
        if participant.removed:
            return False
        self.sequence += 1
        participant.removed, participant.sequence = True, self.sequence
        return True

    def admit(self, participant: Participant) -> bool:
        """Admit a person from the lobby; return whether they waited there."""
        if participant.removed or not participant.is_in_lobby:
            return False
        self.sequence += 1
        participant.is_in_lobby, participant.sequence = False, self.sequence
        return True


@dataclass(slots=True)
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
    joined: list[Participant] = field(default_factory=list)
    rings: dict[int, RingEntry] = field(default_factory=dict)
    """The log's entry for each of ``people``."""
    failures: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    reported: threading.Event = field(default_factory=threading.Event)
    """Set when the first attempt at the final report has ended, or when there will be no report."""
