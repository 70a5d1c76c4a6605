"""Cancels the calls to people whose devices ring; a person who has answered is never removed."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from domain.call import Presence
from domain.roster import identity_hash
from domain.standing import presence_of
from graph.errors import GraphError, OutcomeUnknown, Refused
from invite.refusals import answer_for_refusals, unanswered
from invite.sending import Sent
from web.errors import ApiError, GraphRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from domain.call import Call
    from domain.sightings import Roster, Sighting

CMDLET = "Set-CsApplicationMeetingConfiguration -AllowRemoveParticipantAppIds"
"""What an administrator runs where Graph does not let the app remove people."""
_NOT_ALLOWED = (
    "Microsoft Teams does not let this app remove people from calls. Ask the administrator to run "
    f'{CMDLET} @{{{{Add="{{client_id}}"}}}} in Teams PowerShell.'
)


class Graph(Protocol):
    """What cancelling needs of Graph; see ``graph.client.GraphClient``."""

    def remove_participant(self, call_id: str, participant_id: str, *, scenario_id: str) -> None:
        """Remove a person, or cancel the call to one who has not answered."""

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        """Read who is in a call."""


class Result(Enum):
    """What became of cancelling the call to one person."""

    CANCELLED = auto()
    ANSWERED = auto()
    """They are in the call or its lobby, or were reported there, so they were not removed."""
    NOT_LISTED = auto()
    """Graph does not list them yet."""
    GONE = auto()
    """Graph listed them and has no such participant any more."""
    FAILED = auto()
    """Graph refused it, or did not answer."""
    NOT_BEGUN = auto()
    """There was no time to begin."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A try to cancel the call to one person."""

    result: Result
    error: ApiError | None = None
    """Why it failed."""


class Canceller:
    """Removes people from calls, and cancels the calls to those who have not answered.

    Args:
        graph: where calls are.
        client_id: the app's, for the administrator's command.
        at_once: how many people are removed side by side.
    """

    def __init__(self, graph: Graph, *, client_id: str, at_once: int = 8) -> None:
        self._graph = graph
        self._client_id = client_id
        self._at_once = at_once

    def cancel(
        self,
        call_id: str,
        roster: Roster | None,
        call: Call | None,
        people: Sequence[str],
        *,
        may_begin: Callable[[], bool] = lambda: True,
    ) -> list[Tried]:
        """Cancel the calls to those people whose devices ring.

        Args:
            call_id: the call.
            roster: who is in it, as just read; None where Graph has no roster of it.
            call: what was reported of it.
            people: the ids of their identities.
            may_begin: whether there is time for one more request to Graph.

        Returns:
            What became of it, for each of the people.
        """
        listed: dict[str, list[Sighting]] = {}
        for seen in roster.people if roster is not None else ():
            if "id" in seen.identity:
                listed.setdefault(identity_hash(seen.identity["id"]), []).append(seen)

        def one(person: str) -> Tried:
            entries = listed.get(identity_hash(person), [])
            # A person in the call who is listed without media has answered all the same.
            known = presence_of(call, person) in (Presence.IN_CALL, Presence.IN_LOBBY)
            if known or any(seen.presence is not Presence.UNKNOWN for seen in entries):
                return Tried(Result.ANSWERED)
            if not entries:
                return Tried(Result.NOT_LISTED)
            return self._remove_all(call_id, entries) if may_begin() else Tried(Result.NOT_BEGUN)

        if self._at_once == 1 or len(people) < 2:  # noqa: PLR2004 - one alone needs no threads
            return [one(person) for person in people]
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="cancel") as pool:
            running = [pool.submit(copy_context().run, partial(one, person)) for person in people]
            return [each.result() for each in running]

    def remove(self, call_id: str, participant_id: str) -> bool:
        """Remove a participant, twice where the first response is lost; return False where Graph has none.

        Raises:
            ApiError: Graph refuses it, or can't be reached.
        """
        for attempt in (1, 2):
            try:
                self._graph.remove_participant(call_id, participant_id, scenario_id=str(uuid.uuid4()))
            except OutcomeUnknown:
                continue
            except Refused as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    return attempt > 1
                if error.status == HTTPStatus.FORBIDDEN:
                    inner = {"code": error.code} if error.code else None
                    message = _NOT_ALLOWED.format(client_id=self._client_id)
                    raise GraphRefused("RemoveNotAllowed", message, inner=inner) from None
                raise answer_for_refusals([Sent(0, error=error)], undone="nothing was changed") from None
            except GraphError as error:
                raise answer_for_refusals([Sent(0, error=error)], undone="nothing was changed") from None
            else:
                return True
        raise unanswered()

    def read(self, call_id: str) -> Roster | None:
        """Read who is in a call, twice where the first response is lost; None for a call without a roster.

        Raises:
            ApiError: Graph refuses it, or can't be reached.
        """
        for _ in (1, 2):
            try:
                return self._graph.roster(call_id, scenario_id=str(uuid.uuid4()))
            except OutcomeUnknown:
                continue
            except Refused as error:
                if error.status == HTTPStatus.FORBIDDEN:
                    raise answer_for_refusals([Sent(0, error=error)], undone="nothing was changed") from None
                return None
            except GraphError as error:
                raise answer_for_refusals([Sent(0, error=error)], undone="nothing was changed") from None
        raise unanswered()

    def _remove_all(self, call_id: str, entries: Sequence[Sighting]) -> Tried:
        """Remove each device of a person that rings."""
        try:
            removed = [self.remove(call_id, seen.id) for seen in entries if seen.id is not None]
        except ApiError as error:
            return Tried(Result.FAILED, error)
        return Tried(Result.CANCELLED if any(removed) else Result.GONE)
