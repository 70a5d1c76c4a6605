"""Calls and the operations that invite people into them: state without behaviour."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dev.simulator.people import Identity, Participant

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.simulator.callback_tokens import Kind
    from dev.simulator.log import RingEntry
    from dev.simulator.meetings import Meeting
    from dev.simulator.options import Reporting
    from dev.simulator.people import Invitee
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

    legs: list[Call] = field(default_factory=list, repr=False)
    participants: list[Participant] = field(default_factory=list)
    """Everybody who ever was in it, people who are still being called, and the app once for each leg."""
    sequence: int = 0
    """Counts changes of the roster."""
    sources: int = 0
    had_people: bool = False
    """A person has been in it, or in its lobby."""

    @property
    def listed(self) -> list[Participant]:
        """Everybody in it, the app and people who are still being called included."""
        return [participant for participant in self.participants if not participant.removed]

    @property
    def is_empty(self) -> bool:
        """Whether the app is alone: without people who are in it, or still being called."""
        return all(someone.is_app for someone in self.listed)

    @property
    def present(self) -> list[Participant]:
        """The people in it or its lobby."""
        return [someone for someone in self.listed if not someone.is_app and not someone.is_ringing]

    def find(self, key: str) -> Participant | None:
        """Return the person with this identity id who is in it or its lobby."""
        return next((someone for someone in self.present if someone.identity.key == key.casefold()), None)

    def enter(self, leg: Call) -> None:
        """Add a leg of the app."""
        self.sequence += 1
        leg.me.sequence = self.sequence
        self.participants.append(leg.me)
        self.legs.append(leg)

    def add(self, identity: Identity, tenant_id: str, *, is_ringing: bool = False) -> Participant:
        """Add a person; a person who is there already stays the same participant."""
        for participant in self.listed:
            if participant.identity.key == identity.key:
                return participant
        self.sequence += 1
        self.sources += 1
        added = Participant(identity, self.sources, self.sequence, tenant_id, is_ringing=is_ringing)
        self.participants.append(added)
        self.had_people = self.had_people or not is_ringing
        return added

    def answer(self, participant: Participant, *, in_lobby: bool) -> None:
        """Move a person who rings into the call or its lobby."""
        if participant.is_ringing:
            self.sequence += 1
            participant.is_ringing, participant.is_in_lobby = False, in_lobby
            self.had_people = True
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
    me: Participant
    """The app's own entry on the roster."""
    kind: str = "group"
    state: str = "established"
    direction: str = "outgoing"
    conversation: Conversation = field(default_factory=Conversation)
    meeting: Meeting | None = None
    """The meeting that it has joined, or tries to."""
    details: dict[str, object] = field(default_factory=dict)
    """The properties that the app sent to create it, or that an incoming call shows."""
    joined_by: dict[str, object] = field(default_factory=dict)
    """``chatInfo`` and ``meetingInfo`` as its notifications show them."""
    keeps: int = 0
    """Counts how often it was kept alive."""
    first_reported: threading.Event = field(default_factory=threading.Event)
    """Set when the first attempt at its first report has ended."""
    forgotten: bool = False
    chain_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    operations: dict[str, Operation] = field(default_factory=dict)
    outbox: deque[Notice] = field(default_factory=deque)
    sending: bool = False
    abandoned: bool = False
    """Set by a reset: no further callback of it is sent."""

    @classmethod
    def make(cls, options: CallOptions, tenant_id: str, client_id: str, *, app: Identity | None = None) -> Call:
        """Make a call of ``options`` in which the app is ``app``."""
        tenant_id, client_id = options.tenant_id or tenant_id, options.client_id or client_id
        if app is None:
            # A resource account has an id of its own.
            is_app = options.app == "application"
            own_id = client_id if is_app else str(uuid.uuid5(uuid.NAMESPACE_URL, client_id))
            app = Identity(options.app, {"id": own_id, "displayName": f"28:{own_id}"})
        return cls(
            id=options.id or str(uuid.uuid4()),
            callback_uri=options.callback_uri,
            tenant_id=tenant_id,
            client_id=client_id,
            options=options,
            me=Participant(app, 200, 0, tenant_id, is_app=True),
            kind=options.kind,
        )

    @property
    def has_ended(self) -> bool:
        """Whether it is over."""
        return self.state == "terminated"

    @property
    def present(self) -> list[Participant]:
        """The people in the call or its lobby."""
        return self.conversation.present


@dataclass(slots=True, eq=False)
class Operation:
    """An accepted invite."""

    id: str
    call: Call = field(repr=False)
    people: tuple[Invitee, ...]
    client_context: str | None
    reporting: Reporting
    when_ended: Callable[[Operation], None] | None = None
    """Called at the end, instead of a report, where Graph itself calls people as a call's ``targets``."""
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
