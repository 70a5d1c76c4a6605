"""What the rest of the app hands on to calls: changes of a call's row, and callbacks that name a start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from calls.begun import Begun
from domain.record import Needs
from domain.start import RETRY, InCall, Start
from domain.start_progress import is_open
from graph.calls import CallRead

if TYPE_CHECKING:
    from datetime import datetime

    from calls.advancing import Advancer
    from calls.creating import Creator
    from calls.ending import Endings
    from calls.legs import Legs
    from calls.progress import StartProgress
    from calls.sharing import SharedCalls
    from calls.watching import CallKeeper
    from domain.call import Call
    from flows.alarms import Message
    from flows.turn import Turn
    from storage.store import Store


class CallHooks:
    """Follows what becomes known of calls.

    Args:
        store: where calls are.
        creator: takes calls that callbacks report for a start.
        advancer: takes starts as far as they can go.
        legs: the index, and one leg per meeting.
        shared: the calls that several starts use.
        endings: leaves calls.
        keeper: rejects incoming calls.
        rejects_incoming: whether incoming calls are rejected; otherwise they are left alone.
    """

    def __init__(
        self,
        store: Store,
        creator: Creator,
        advancer: Advancer,
        legs: Legs,
        shared: SharedCalls,
        *,
        endings: Endings,
        keeper: CallKeeper,
        rejects_incoming: bool,
    ) -> None:
        self._store = store
        self._creator = creator
        self._advancer = advancer
        self._legs = legs
        self._shared = shared
        self._endings = endings
        self._keeper = keeper
        self._rejects_incoming = rejects_incoming

    def found(self, turn: Turn, start_id: str, attempt: int, call_id: str, thread_id: str | None) -> None:
        """Take a call that was reported for a start, or leave it where the start has another or is over.

        The thread tells whether another leg is in a meeting that was joined by its ID, as Graph's response would.
        """
        begun = self._creator.link(turn, start_id, attempt, call_id, None)
        if begun is not None and thread_id is not None:
            stage = begun.start.stage
            if isinstance(stage, InCall) and stage.call_id == call_id and not stage.is_sole:
                read = CallRead(None, None, call_id, thread_id)
                known = begun.start
                begun = self._creator.link(turn, start_id, attempt, call_id, read, known=known)
        if begun is not None:
            self._advancer.go_on(turn, Begun(begun.start, held=begun.held))

    def incoming(self, call_id: str) -> None:
        """Leave an incoming call alone, or reject it."""
        if self._rejects_incoming:
            self._keeper.reject(call_id)

    def advance(self, turn: Turn, start_id: str) -> None:
        """Take a start as far as it can go."""
        self._advancer.advance(turn, start_id)

    def nothing_left(self, turn: Turn, call_id: str) -> None:
        """Leave a call on which nothing is open any more."""
        self._endings.leave_if_done(turn, call_id)

    def call_changed(self, turn: Turn, call: Call, *, has_ended: bool) -> None:
        """Bring the index up to date; of a call that has ended free the meeting, for the starts that wait for it."""
        if not call.has_ended:
            # A call of this app is listed before its row is there, and no longer once it has ended.
            if call.start_id is not None and self._legs.is_reindexed(call):
                return
            self._legs.index(call)
            # Its end may have been reported and taken out of the index meanwhile.
            latest = self._store.read(call.call_id, Needs(call=True)).record.call
            if latest is None or not latest.has_ended:
                return
        self._legs.unindex(call.call_id)
        if has_ended:
            for waiting in self._shared.free(call):
                self._advancer.advance(turn, waiting)


@dataclass(frozen=True, slots=True)
class OpenStart:
    """A start as it was read for a message; see ``flows.work.Thing``."""

    start: Start
    is_open: bool

    @property
    def alarm_name(self) -> str:
        """The name of the message that the row names."""
        return self.start.alarm.name


class StartAlarms:
    """The alarms of starts; see ``flows.work.Kind``."""

    def __init__(self, starts: StartProgress, advancer: Advancer) -> None:
        self._starts = starts
        self._advancer = advancer

    def find(self, message: Message) -> OpenStart | None:
        """Read the start of a message; None where there is none."""
        start = self._starts.read(message.id)
        return None if start is None else OpenStart(start, is_open(start))

    def advance(self, turn: Turn, message: Message, thing: OpenStart) -> None:  # noqa: ARG002 - read again
        """Do what is due."""
        self._advancer.advance(turn, message.id)
        # The alarm that the row names sends its successor, also where nothing else has changed; never at once.
        self._starts.save(turn, message.id, _later)


def _later(start: Start | None, now: datetime) -> Start | None:
    if start is None or start.is_final or start.look_at > now:
        return start
    return replace(start, look_at=now + RETRY)
