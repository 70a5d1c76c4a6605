"""Where an outcome becomes known: it is logged and counted once, and what follows is noted for the end of the turn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from domain.call import Presence, title
from domain.contexts import call_hash
from domain.invitation import Late, Refused
from domain.progress import asking_places
from domain.standing import needs_settling, result_of, standing
from observability import tracing
from observability.events import Events

if TYPE_CHECKING:
    from domain.call import Call
    from domain.invitation import Invitation, Status
    from domain.record import CallRecord
    from flows.turn import Turn
    from storage.reading import Held
    from storage.store import Updated

_events = Events("outcomes")


class Followers(Protocol):
    """What follows from a change, handed in by the composition root."""

    def post(self, turn: Turn, held: Held, invitation: Invitation, message_id: str) -> None:
        """Notify a flow whose POST this turn has claimed."""

    def ask(self, turn: Turn, held: Held, invitation: Invitation) -> None:
        """Send the requests to Graph that this turn has taken over."""

    def advance(self, turn: Turn, start_id: str) -> None:
        """Take a start as far as it can go."""

    def escalate(self, turn: Turn, call_id: str, escalation_id: str) -> None:
        """Take an escalation as far as it can go."""

    def call_changed(self, turn: Turn, call: Call, *, has_ended: bool) -> None:
        """Bring the index of open calls up to date, and free the meeting of a call that has ended."""

    def nothing_left(self, turn: Turn, call_id: str) -> None:
        """Leave a call on which nothing is open any more, if that was asked for."""


class Publisher:
    """Publishes what an update made known; see ``flows.progress.Publish``."""

    def __init__(self) -> None:
        self.followers: Followers | None = None
        """Set by the composition root, since what follows is built on what publishes."""

    def __call__(self, turn: Turn, updated: Updated, decided_by: str) -> None:
        """Log each outcome that became known, and note the duties of the turn."""
        turn.learnt(updated.held)
        log_conclusions(updated, decided_by)
        for invitation in updated.after.invitations.values():
            self._note_duties(turn, updated.held, updated.before.invitations.get(invitation.id), invitation)
        if updated.after.call is not None and self.followers is not None:
            self._note_call(turn, self.followers, updated.before, updated.after)

    def _note_duties(self, turn: Turn, held: Held, before: Invitation | None, invitation: Invitation) -> None:
        followers = self.followers
        if followers is None:
            return
        for flow in invitation.flows:
            if flow.is_waiting and flow.claim is not None and flow.claim.owner == turn.me:
                duty = partial(followers.post, turn, held, invitation, flow.message_id)
                turn.note(f"post {flow.message_id} {flow.attempts}", duty)
        # What was not late is sent by the run that has begun it.
        was_late = before is not None and any(isinstance(one.state, Late) for one in before.operations)
        if turn.is_message and invitation.escalation_id is None and was_late and asking_places(invitation, turn.me):
            turn.note(f"ask {invitation.id}", partial(followers.ask, turn, held, invitation))

    @staticmethod
    def _note_call(turn: Turn, followers: Followers, earlier: CallRecord, record: CallRecord) -> None:
        before, call = earlier.call, record.call
        if call is None:
            return
        has_ended = call.has_ended and not (before is not None and before.has_ended)
        # An end that is reported again may not have reached the index the first time.
        if before is None or before.state is not call.state or title(before) != title(call) or call.has_ended:
            name = f"call {call.call_id} {call.state}"
            turn.note(name, partial(followers.call_changed, turn, call, has_ended=has_ended))
        for start_id in _concerned_starts(earlier, record, call):
            turn.note(f"start {start_id}", partial(followers.advance, turn, start_id))
        was_in = set() if before is None else _in_call(before)
        has_newcomers = bool(_in_call(call) - was_in)
        for name in (*call.escalations, *(call.escalated if has_newcomers else ())):
            turn.note(f"escalation {name}", partial(followers.escalate, turn, call.call_id, name))
        is_quiet = all(_known_status(one, record) is not None for one in record.invitations.values())
        if call.leave_afterwards and not call.has_ended and not call.starts and record.invitations and is_quiet:
            turn.note(f"leave {call.call_id}", partial(followers.nothing_left, turn, call.call_id))


def _concerned_starts(earlier: CallRecord, record: CallRecord, call: Call) -> list[str]:
    """Return the starts that may wait for what an update wrote; where it wrote nothing, for what it read.

    A start waits for its call, the people in it, and its invitation. Its escalation notifies it itself.
    """
    changed = {after.start_id for _, after in record.changed_invitations(earlier)}
    is_news = _waited_for(earlier.call) != _waited_for(call) or (earlier.call == call and not changed)
    return [one for one in call.starts if is_news or one in changed]


def _waited_for(call: Call | None) -> tuple[object, ...] | None:
    if call is None:
        return None
    answered = {name: (one, call.shown.get(name)) for name, one in call.presence.items() if one.has_answered}
    return call.state, call.result, call.established_at, call.roster_at, call.hides_identities, answered


def _in_call(call: Call) -> set[str]:
    return {name for name, presence in call.presence.items() if presence is Presence.IN_CALL}


def _known_status(invitation: Invitation | None, record: CallRecord) -> Status | None:
    """Return the status of an invitation where it is final and all of it is written down, else None."""
    if invitation is None or any(map(needs_settling, invitation.operations)):
        return None
    status = standing(invitation, record.call, invitation.updated).status
    return status if status.is_final else None


def log_conclusions(updated: Updated, decided_by: str) -> None:
    """Log and count each outcome that an update made known."""
    for before, after in updated.after.changed_invitations(updated.before):
        _log_conclusion(before, after, updated.after, decided_by)


def _log_conclusion(before: Invitation | None, after: Invitation, record: CallRecord, decided_by: str) -> None:
    """Log and count an outcome; one that replaces what the watchdog inferred is *corrected* and not counted again."""
    status, earlier = _known_status(after, record), _known_status(before, record)
    if status is None or status is earlier:
        return
    if decided_by == "graph" and all(isinstance(operation.state, Refused) for operation in after.operations):
        decided_by = "refusal"
    result = result_of(after.operations)
    seconds = max((after.updated - after.asked).total_seconds(), 0.0)
    _events.info(
        "concluded" if earlier is None else "corrected",
        invitation=after.id,
        call=call_hash(after.call_id),
        status=status.value,
        decided_by=decided_by,
        code=result and result.code,
        subcode=result and result.subcode,
        seconds=round(seconds, 1),
    )
    if earlier is None:
        tracing.count("invitations", status=status.value, decided_by=decided_by)
        tracing.record("time_to_outcome", seconds, status=status.value)
