"""What is read of Graph for a start: who is in the meeting before people are called, and whether its call is there."""

from __future__ import annotations

import uuid
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from domain.call import CallState, call_state
from domain.ending import apply_call_state
from domain.record import CallRecord, Needs
from graph.calls import CallRead
from graph.errors import GraphError, Refused

if TYPE_CHECKING:
    from datetime import datetime

    from domain.sightings import Roster
    from flows.progress import Progress
    from flows.turn import Turn


class Graph(Protocol):
    """What is read of Graph for a start; see ``graph.client.GraphClient``."""

    def call(self, call_id: str, *, scenario_id: str) -> CallRead:
        """Read a call."""

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        """Read who is in a call."""


class CallReader:
    """Reads Graph, and writes down what it read; a read that fails changes nothing."""

    def __init__(self, graph: Graph, progress: Progress) -> None:
        self._graph = graph
        self._progress = progress

    def read_roster(self, turn: Turn, record: CallRecord) -> CallRecord:
        """Read once who is in a meeting: people who were there before the app may never be reported."""
        try:
            roster = self._graph.roster(record.call_id, scenario_id=str(uuid.uuid4()))
        except GraphError:
            return record

        def apply(current: CallRecord, now: datetime) -> CallRecord:
            return current.with_roster_read(roster, now)

        held = turn.in_hand(record.call_id)
        held = held if held is not None and held.has_roster else None
        return self._progress.save(turn, record.call_id, Needs(call=True, roster=True), apply, held=held).after

    def look(self, call_id: str) -> CallRead | None:
        """Return a call as Graph shows it, as terminated where it is gone; None where it can't be read."""
        try:
            return self._graph.call(call_id, scenario_id=str(uuid.uuid4()))
        except Refused as error:
            return CallRead(CallState.TERMINATED, None) if error.status == HTTPStatus.NOT_FOUND else None
        except GraphError:
            return None

    def read_call(self, turn: Turn, call_id: str, needs: Needs) -> CallRecord | None:
        """Read the state of a call and write it down; None where it can't be read."""
        read = self.look(call_id)
        if read is None:
            return None

        def apply(record: CallRecord, now: datetime) -> CallRecord:
            if record.call is None:
                return record
            return apply_call_state(record, call_state(read.state), read.result, now)

        needs = replace(needs, call=True, roster=True, open_invitations=True)
        return self._progress.save(turn, call_id, needs, apply).after
