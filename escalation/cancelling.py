"""Cancels the calls to people whose devices ring; who has answered is never removed."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from domain.call import Presence
from domain.escalation import was_cancelled
from domain.roster import identity_hash
from domain.transitions import cancelled, with_operations
from flows.turn import utc_now
from graph.errors import GraphError, OutcomeUnknown, Refused
from observability.events import Events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from domain.call import Call
    from domain.escalation import Cancelling
    from domain.record import CallRecord
    from domain.sightings import Roster
    from flows.turn import Turn
    from invite.roster import RosterReader

    Key = tuple[str, int]

_events = Events("escalation")
_CMDLET = "Set-CsApplicationMeetingConfiguration -AllowRemoveParticipantAppIds"


class _Result(Enum):
    CANCELLED = auto()
    DONE = auto()
    """No further try: they have answered, or it can't be done."""
    AGAIN = auto()
    NOT_BEGUN = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try to cancel, as the invitation's id and the person's index in it."""

    done: frozenset[Key] = frozenset()
    """Needs no further try."""
    again: frozenset[Key] = frozenset()
    """Not listed yet, or Graph did not answer."""
    cancelled: frozenset[Key] = frozenset()
    """Of those done: whose call was cancelled."""


class Graph(Protocol):
    """What cancelling needs of Graph; see ``graph.client.GraphClient``."""

    def remove_participant(self, call_id: str, participant_id: str, *, scenario_id: str) -> None:
        """Remove a person, or cancel the call to one who has not answered."""


class Canceller:
    """Tries to cancel calls, and returns what became of it."""

    def __init__(
        self,
        graph: Graph,
        rosters: RosterReader,
        *,
        at_once: int = 8,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._graph = graph
        self._rosters = rosters
        self._at_once = at_once
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
        invitations = record.invitations
        names = [identity_hash(invitations[name].participants[person].id) for name, person in keys]
        results = dict(zip(keys, self._all(turn, names, _listed(roster), call or record.call), strict=True))
        ended = (_Result.DONE, _Result.CANCELLED)
        return Outcome(
            done=frozenset(key for key, result in results.items() if result in ended),
            again=frozenset(key for key, result in results.items() if result is _Result.AGAIN),
            cancelled=frozenset(key for key, result in results.items() if result is _Result.CANCELLED),
        )

    def _all(
        self, turn: Turn, names: list[str], listed: dict[str, tuple[str, ...]], call: Call | None
    ) -> list[_Result]:
        if self._at_once == 1 or len(names) == 1:
            return [self._cancel(turn, name, listed, call) for name in names]
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="cancel") as pool:
            running = [pool.submit(copy_context().run, self._cancel, turn, name, listed, call) for name in names]
            return [one.result() for one in running]

    def _cancel(self, turn: Turn, name: str, listed: dict[str, tuple[str, ...]], call: Call | None) -> _Result:
        presence = Presence.UNKNOWN if call is None else call.presence.get(name, Presence.UNKNOWN)
        if call is None or name not in listed:
            return _Result.AGAIN
        if presence in (Presence.IN_CALL, Presence.IN_LOBBY) or not listed[name]:
            return _Result.DONE
        if turn.seconds_left(self._now()) <= 0:
            return _Result.NOT_BEGUN
        results = {self._remove(call.call_id, participant) for participant in listed[name]}
        return min(results, key=lambda one: one.value)

    def _remove(self, call_id: str, participant_id: str) -> _Result:
        for attempt in (1, 2):
            try:
                self._graph.remove_participant(call_id, participant_id, scenario_id=str(uuid.uuid4()))
            except OutcomeUnknown:
                continue
            except Refused as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    return _Result.CANCELLED if attempt > 1 else _Result.DONE
                cmdlet = _CMDLET if error.status == HTTPStatus.FORBIDDEN else None
                _events.warning("a call was not cancelled", status=error.status, code=error.code, cmdlet=cmdlet)
                return _Result.DONE
            except GraphError as error:
                _events.warning("a call was not cancelled", kind=type(error).__name__)
                return _Result.AGAIN
            else:
                return _Result.CANCELLED
        return _Result.AGAIN


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


def _listed(roster: Roster) -> dict[str, tuple[str, ...]]:
    """Return the participants that ring for each identity; those of one who has answered with another device none."""
    found: dict[str, list[str]] = {}
    answered = set()
    for seen in roster.people:
        if "id" not in seen.identity:
            continue
        name = identity_hash(seen.identity["id"])
        ringing = found.setdefault(name, [])
        if seen.presence is not Presence.UNKNOWN:
            answered.add(name)
        elif seen.id is not None:
            ringing.append(seen.id)
    return {name: () if name in answered else tuple(ringing) for name, ringing in found.items()}
