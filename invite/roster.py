"""Reads once who is in a call before people are called: people who were there before may never be reported."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from domain.record import CallRecord, Needs
from graph.errors import GraphError, Refused
from invite.refusals import answer_for_refusals
from invite.sending import Sent
from observability.events import Events

if TYPE_CHECKING:
    from datetime import datetime

    from domain.call import Call
    from domain.sightings import Roster
    from flows.progress import Progress
    from flows.turn import Turn

_events = Events("invite")


class Graph(Protocol):
    """What is read of Graph; see ``graph.client.GraphClient``."""

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        """Read who is in a call."""


class RosterReader:
    """Reads Graph's roster and writes it down; a read that fails changes nothing."""

    def __init__(self, graph: Graph, progress: Progress) -> None:
        self._graph = graph
        self._progress = progress

    def read(self, turn: Turn, call_id: str, *, must_exist: bool = False) -> tuple[Roster, Call | None] | None:
        """Read who is in a call; what the app reads itself settles nothing.

        Returns:
            What Graph listed, and the call with everybody's presence; None where Graph did not answer.

        Raises:
            NotFound: Graph has no such call, and it ``must_exist``.
        """
        try:
            roster = self._graph.roster(call_id, scenario_id=str(uuid.uuid4()))
        except GraphError as error:
            if must_exist and isinstance(error, Refused) and error.status == HTTPStatus.NOT_FOUND:
                raise answer_for_refusals([Sent(0, error=error)]) from None
            _events.info("the people in a call could not be read", kind=type(error).__name__)
            return None

        def apply(current: CallRecord, now: datetime) -> CallRecord:
            return current.with_roster_read(roster, now)

        return roster, self._progress.save(turn, call_id, Needs(call=True, roster=True), apply).after.call
