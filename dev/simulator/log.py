"""What happened, as the simulator saw it: the truth that a test compares with what the app reports.

Entries are appended under one lock and handed out as copies, so that a reader never sees one change under it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import TypeVar

from pydantic.alias_generators import to_camel


@dataclass(slots=True, kw_only=True)
class RequestEntry:
    """One HTTP request to Graph, Entra ID or the callback keys.

    ``taken`` is whether Graph processed it: people are called by an invite that was taken, whatever the response was.
    """

    number: int
    at: float = field(default_factory=time.time)
    method: str
    path: str
    route: str = "unknown"
    status: int | None = None
    """The status of the response; None while being handled, and for a connection that was cut."""
    taken: bool = False
    cut: bool = False
    fault: int | None = None
    """The number of the fault that was applied, if any."""
    error_code: str | None = None
    call_id: str | None = None
    operation_id: str | None = None
    client_request_id: str | None = None
    scenario_id: str | None = None
    client_context: str | None = None
    people: tuple[str, ...] = ()
    """Identity ids that Graph read."""
    dropped: tuple[str, ...] = ()
    """Identity ids that Graph silently did not read."""
    ignored: tuple[str, ...] = ()
    """Paths of members that Graph silently ignored."""
    body: object = None
    """The JSON received, or its text where it is no JSON."""


@dataclass(slots=True, kw_only=True)
class RingEntry:
    """One call to one person."""

    number: int
    at: float = field(default_factory=time.time)
    call_id: str
    person: str
    client_context: str | None
    operation_id: str | None
    """None for a target of a call that the app made."""
    outcome: str = "ringing"
    """Then ``answered``, ``inLobby``, ``declined``, ``rangOut``, ``busy``, ``failed``, ``cancelled``, ``callEnded``."""
    ended_at: float | None = None


@dataclass(slots=True, kw_only=True)
class CallbackEntry:
    """One attempt at delivering a callback, or one that was lost on purpose."""

    number: int
    at: float = field(default_factory=time.time)
    call_id: str
    about: str
    """``running``, ``operation``, ``roster``, ``call``, several joined by ``+``, or ``custom``."""
    operation_id: str | None = None
    attempt: int = 1
    status: int | None = None
    """The status of the response; None where the app could not be reached or the callback was lost on purpose."""
    lost: bool = False
    error: str | None = None
    body: object = None


@dataclass(slots=True, kw_only=True)
class TokenEntry:
    """One token request to Entra ID."""

    number: int
    at: float = field(default_factory=time.time)
    status: int
    client_id: str | None = None
    proof: str = "none"
    """``secret``, ``certificate``, ``federated`` or ``none``."""
    error: str | None = None


@dataclass(slots=True, kw_only=True)
class CallEntry:
    """A call's new state."""

    number: int
    at: float = field(default_factory=time.time)
    call_id: str
    state: str
    direction: str = "outgoing"
    thread_id: str | None = None
    """The meeting, where it has joined one."""
    is_duplicate: bool = False
    """Another leg of the app is in the same meeting."""
    code: int | None = None
    subcode: int | None = None
    """Of its end."""


Entry = RequestEntry | RingEntry | CallbackEntry | TokenEntry | CallEntry
Listener = Callable[[Entry], None]
_E = TypeVar("_E", RequestEntry, RingEntry, CallbackEntry, TokenEntry, CallEntry)


class EventLog:
    """Everything that happened since the start or the last reset; safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._entries: list[Entry] = []
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Have ``listener`` called with a copy of every entry: when it is added, and when it has ended."""
        self._listeners.append(listener)

    def number(self) -> int:
        """Return the next entry's number; numbers show the order of entries of all kinds."""
        with self._lock:
            self._number += 1
            return self._number

    def add(self, entry: _E, *, quietly: bool = False) -> _E:
        """Append ``entry`` and return it, to be changed later; ``quietly`` does not notify listeners yet."""
        with self._lock:
            self._entries.append(entry)
            copy = replace(entry)
        if not quietly:
            self._notify(copy)
        return entry

    def change(self, entry: Entry, **members: object) -> None:
        """Set members of an entry that was added before."""
        with self._lock:
            for name, value in members.items():
                setattr(entry, name, value)
            copy = replace(entry)
        self._notify(copy)

    def note(self, entry: Entry, **members: object) -> None:
        """Set members of an entry without notifying listeners: it has not ended yet."""
        with self._lock:
            for name, value in members.items():
                setattr(entry, name, value)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    @property
    def requests(self) -> list[RequestEntry]:
        """Every request, oldest first."""
        return self._copies(RequestEntry)

    @property
    def invites(self) -> list[RequestEntry]:
        """Every request to ``participant: invite``, processed or not."""
        return [entry for entry in self.requests if entry.route == "invite"]

    @property
    def creates(self) -> list[RequestEntry]:
        """Every request to create a call, processed or not."""
        return [entry for entry in self.requests if entry.route == "create"]

    @property
    def rings(self) -> list[RingEntry]:
        """Every call to a person: one entry each time their device would have rung."""
        return self._copies(RingEntry)

    @property
    def callbacks(self) -> list[CallbackEntry]:
        """Every attempt at a callback."""
        return self._copies(CallbackEntry)

    @property
    def tokens(self) -> list[TokenEntry]:
        """Every token request."""
        return self._copies(TokenEntry)

    @property
    def key_fetches(self) -> list[RequestEntry]:
        """Every read of keys of either kind and of the older kind's metadata."""
        return [entry for entry in self.requests if entry.route in {"configuration", "keys", "signingKeys"}]

    @property
    def calls(self) -> list[CallEntry]:
        """Every new state of a call."""
        return self._copies(CallEntry)

    def as_json(self, *, bodies: bool = True) -> dict[str, list[dict[str, object]]]:
        """Return the whole log with camelCase members, by kind."""
        kinds: dict[str, list[Entry]] = {
            "requests": [*self.requests],
            "rings": [*self.rings],
            "callbacks": [*self.callbacks],
            "tokens": [*self.tokens],
            "keyFetches": [*self.key_fetches],
            "calls": [*self.calls],
        }
        return {kind: [_json(entry, bodies=bodies) for entry in entries] for kind, entries in kinds.items()}

    def _copies(self, kind: type[_E]) -> list[_E]:
        with self._lock:
            return [replace(entry) for entry in self._entries if isinstance(entry, kind)]

    def _notify(self, entry: Entry) -> None:
        for listener in self._listeners:
            listener(entry)


def _json(entry: Entry, *, bodies: bool) -> dict[str, object]:
    members = {to_camel(name): value for name, value in asdict(entry).items()}
    if not bodies:
        members.pop("body", None)
    return members
