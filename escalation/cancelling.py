"""What an escalation notes of cancelling the calls to people of its steps: who is done, and who is tried once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.escalation import was_cancelled
from domain.transitions import cancelled, with_operations
from flows.turn import utc_now
from invite.cancelling import CMDLET, Result, Tried
from observability.events import Events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from domain.escalation import Cancelling
    from domain.record import CallRecord
    from flows.turn import Turn
    from invite.cancelling import Canceller
    from invite.roster import RosterReader

    Key = tuple[str, int]

_events = Events("escalation")
_ENDED = (Result.CANCELLED, Result.ANSWERED, Result.GONE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try to cancel, as the invitation's id and the person's index in it."""

    done: frozenset[Key] = frozenset()
    """Needs no further try."""
    again: frozenset[Key] = frozenset()
    """Not listed yet, or Graph did not answer."""
    cancelled: frozenset[Key] = frozenset()
    """Of those done: whose call was cancelled."""


class StepCanceller:
    """Cancels the calls to people of steps that have ended."""

    def __init__(self, canceller: Canceller, rosters: RosterReader, *, now: Callable[[], datetime] = utc_now) -> None:
        self._canceller = canceller
        self._rosters = rosters
        self._now = now

    def cancel(self, turn: Turn, record: CallRecord, wanted: Sequence[Cancelling]) -> Outcome:
        """Cancel the calls to people, as far as there is time.

        The roster that is read for it is written down: who is found in the call has joined.

        Raises:
            StorageUnavailable: no call was cancelled.
        """
        keys = [(one.invitation_id, one.person) for one in wanted]
        if turn.seconds_left(self._now()) <= 0:
            return Outcome()
        found = self._rosters.read(turn, record.call_id)
        if found is None:
            return Outcome(again=frozenset(keys))
        roster, call = found
        people = [record.invitations[name].participants[person].id for name, person in keys]
        results = self._canceller.cancel(
            record.call_id,
            roster,
            call or record.call,
            people,
            may_begin=lambda: turn.seconds_left(self._now()) > 0,
        )
        tried = dict(zip(keys, results, strict=True))
        for error in filter(None, (one.error for one in results)):
            is_forbidden = error.code == "RemoveNotAllowed"
            reason = (error.inner or {}).get("code")
            _events.warning(
                "a call was not cancelled", code=error.code, graph=reason, cmdlet=CMDLET if is_forbidden else None
            )
        return Outcome(
            done=frozenset(key for key, one in tried.items() if one.result in _ENDED or _is_refused(one)),
            again=frozenset(key for key, one in tried.items() if _is_to_be_repeated(one)),
            cancelled=frozenset(key for key, one in tried.items() if one.result is Result.CANCELLED),
        )


def with_outcome(record: CallRecord, name: str, me: str, outcome: Outcome, now: datetime) -> CallRecord:
    """Return the record after a try to cancel."""
    escalation = record.escalations.get(name)
    if escalation is None:
        return record
    record = record.with_escalation(was_cancelled(escalation, me, outcome.done, outcome.again, now))
    for key in {key for key, _ in outcome.cancelled}:
        invitation = record.invitations.get(key)
        if invitation is None:
            continue
        people = [person for one, person in outcome.cancelled if one == key]
        operations = [cancelled(operation, people, now) for operation in invitation.operations]
        record = record.with_invitation(with_operations(invitation, operations, now))
    return record


def _is_refused(tried: Tried) -> bool:
    return tried.error is not None and tried.error.retry_after is None


def _is_to_be_repeated(tried: Tried) -> bool:
    return tried.result is Result.NOT_LISTED or (tried.error is not None and tried.error.retry_after is not None)
