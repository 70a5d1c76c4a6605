"""One leg per meeting: a start uses the call that another start has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calls.begun import Begun
from domain.record import Needs
from domain.start import Accepted, InCall, Over, Start, StartStatus, Waiting, in_call, listening

if TYPE_CHECKING:
    from datetime import datetime

    from calls.legs import Legs
    from calls.progress import StartProgress
    from domain.call import Call
    from flows.turn import Turn
    from storage.reading import Held
    from storage.singles import HeldOne
    from storage.store import Store


class SharedCalls:
    """Finds the call of a meeting's leg, and has further starts use it."""

    def __init__(self, store: Store, starts: StartProgress, legs: Legs) -> None:
        self._store = store
        self._starts = starts
        self._legs = legs

    def find(self, leader: str, start: Start) -> tuple[Start | None, Held | None]:
        """Return the start that has a leg, and its call for a further start, None before that is known."""
        other = self._starts.read(leader)
        call_id = other.call_id if other is not None else None
        # Graph's roster is applied to what is known of it before people are called.
        needs = Needs(call=True, roster=bool(start.participants))
        return other, None if call_id is None else self._store.read(call_id, needs)

    def use(self, turn: Turn, start: Start, call: Held, held: HeldOne[Start] | None = None) -> Begun | None:
        """Have a start use a call, None where it has ended; what a crash loses is made up for, see ``Advancer``."""
        call_id = call.record.call_id

        def change(current: Start | None, now: datetime) -> Start | None:
            if current is None:
                return None
            return listening(in_call(current, call_id, now, owns=False), turn.may_post, now)

        # The call's row first: after a crash in between no other start's end has the app leave the call.
        record = self._legs.use(turn, start, call_id, held=call)
        if record.call is None or record.call.has_ended:
            return None
        updated = self._starts.save(turn, start.id, change, held=held)
        after = updated.after
        if after is None or not isinstance(after.stage, InCall) or after.stage.call_id != call_id:
            self._legs.release(turn, start.id, call_id)
            return Begun(after or start)
        self._legs.note(after)
        return Begun(after, record, updated.held)

    def unused(self, turn: Turn, start: Start) -> Call | None:
        """Note that a start which ends without a call uses none; return the one in which a crash has left it.

        Args:
            turn: who acts.
            start: as it stood before its end.
        """
        match start.stage:
            case Waiting(on=on):
                leaders: list[str | None] = [on]
            case Accepted():
                leaders = [self._legs.holder(key) for key in self._legs.keys_of(start)]
            case _:
                leaders = []
        for leader in leaders:
            held = None if leader in (None, start.id) else self.find(leader or "", start)[1]
            call = held.record.call if held is not None else None
            if call is not None and start.id in call.starts:
                return self._legs.release(turn, start.id, call.call_id)
        return None

    def free(self, call: Call) -> tuple[str, ...]:
        """Give up the legs of a call that has ended; return the starts that waited for them.

        A start whose call turned out to be the later of two in one meeting keeps the leg: it uses the other call.
        """
        if call.start_id is None or not call.leg_keys:
            return ()
        start = self._starts.read(call.start_id)
        if start is not None and (isinstance(start.stage, Waiting) or start.call_id not in (None, call.call_id)):
            return ()
        return self._legs.free(call.leg_keys, call.start_id)


def is_usable(other: Start | None, held: Held | None) -> bool:
    """Return whether a call goes on, was made by the start that has the leg, and is not about to be left.

    One that may turn out to be the later of two in one meeting is not usable yet.
    """
    call = held.record.call if held is not None else None
    if other is None or call is None or (isinstance(other.stage, InCall) and not other.stage.is_sole):
        return False
    stays = call.call_id not in other.to_leave or any(one != other.id for one in call.starts)
    return call.start_id is not None and not call.has_ended and stays


def has_leg(other: Start | None, held: Held | None) -> bool:
    """Return whether a start still has its leg, or is about to have it; else another start takes it over."""
    call = held.record.call if held is not None else None
    if other is None or other.is_final:
        return is_usable(other, held)
    return call is None or not call.has_ended


def is_stray(start: Start, call_id: str) -> bool:
    """Return whether a call that was created for a start is none that it keeps."""
    if start.call_id != call_id:
        return True
    match start.stage:
        case InCall(owns=owns):
            return not owns
        case Over(status=status):
            return status in (StartStatus.FAILED, StartStatus.STOPPED)
        case _:
            return False
