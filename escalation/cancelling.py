"""Cancels the calls to people whose devices ring; who has answered is never removed."""

from __future__ import annotations

import uuid
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from domain.call import Presence
from domain.escalation import was_cancelled
from domain.roster import identity_hash
from domain.transitions import cancelled, with_operations
from graph.errors import GraphError, OutcomeUnknown, Refused
from observability.events import Events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.escalation import Cancelling
    from domain.record import CallRecord
    from domain.sightings import Roster

    Key = tuple[str, int]
    Outcome = tuple[frozenset[Key], frozenset[Key], frozenset[Key]]

_events = Events("escalation")


class Graph(Protocol):
    """What cancelling needs of Graph; see ``graph.client.GraphClient``."""

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        """Read who is in a call."""

    def remove_participant(self, call_id: str, participant_id: str, *, scenario_id: str) -> None:
        """Remove a person, or cancel the call to one who has not answered."""


class Canceller:
    """Tries to cancel, and says what became of it."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def cancel(self, record: CallRecord, call_id: str, wanted: Sequence[Cancelling]) -> Outcome:
        """Cancel the calls to people.

        Returns:
            Who needs no further try, who is to be tried again, and whose call was cancelled; each by the invitation's
            id and their index in it.
        """
        keys = frozenset((one.invitation_id, one.person) for one in wanted)
        try:
            roster = self._graph.roster(call_id, scenario_id=str(uuid.uuid4()))
        except GraphError as error:
            _events.info("nobody could be cancelled", kind=type(error).__name__)
            return frozenset(), keys, frozenset()
        listed = {identity_hash(seen.identity["id"]): seen for seen in roster.people if "id" in seen.identity}
        again, gone = set(), set()
        for name, person in keys:
            invitation = record.invitations.get(name)
            seen = None if invitation is None else listed.get(identity_hash(invitation.participants[person].id))
            if seen is None:
                again.add((name, person))
            elif seen.presence is Presence.UNKNOWN and seen.id is not None and self._remove(call_id, seen.id):
                gone.add((name, person))
        return keys - again, frozenset(again), frozenset(gone)

    @staticmethod
    def marked(record: CallRecord, name: str, me: str, outcome: Outcome, now: datetime) -> CallRecord:
        """Return the record after a try to cancel."""
        done, again, gone = outcome
        escalation = record.escalations.get(name)
        if escalation is None:
            return record
        record = record.with_escalation(was_cancelled(escalation, me, done, again, now))
        for key in {name for name, _ in gone}:
            invitation = record.invitations.get(key)
            if invitation is None:
                continue
            people = [person for one, person in gone if one == key]
            operations = (cancelled(operation, people, now) for operation in invitation.operations)
            record = record.with_invitation(with_operations(invitation, operations, now))
        return replace(record)

    def _remove(self, call_id: str, participant_id: str) -> bool:
        for attempt in (1, 2):
            try:
                self._graph.remove_participant(call_id, participant_id, scenario_id=str(uuid.uuid4()))
            except OutcomeUnknown:
                continue
            except Refused as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    _events.warning("a person could not be cancelled", status=error.status, code=error.code)
                return error.status == HTTPStatus.NOT_FOUND and attempt > 1
            except GraphError as error:
                _events.warning("a person could not be cancelled", kind=type(error).__name__)
                return False
            else:
                return True
        return False
