"""Cancels the calls to people whose devices ring; who has answered is never removed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from domain.call import Presence
from domain.roster import identity_hash
from domain.standing import presence_of
from graph.errors import GraphError, OutcomeUnknown, Refused
from invite.refusals import answer_for_refusals
from invite.sending import Sent
from web.errors import ApiError, GraphRefused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.call import Call
    from domain.invitation import Invitation
    from domain.sightings import Roster, Sighting

_NOT_ALLOWED = (
    "Microsoft Teams does not let this app remove people from calls. Ask the administrator to run "
    'Set-CsApplicationMeetingConfiguration -AllowRemoveParticipantAppIds @{{Add="{client_id}"}} in Teams PowerShell.'
)


class Graph(Protocol):
    """What cancelling needs of Graph; see ``graph.client.GraphClient``."""

    def remove_participant(self, call_id: str, participant_id: str, *, scenario_id: str) -> None:
        """Remove a person, or cancel the call to one who has not answered."""

    def roster(self, call_id: str, *, scenario_id: str) -> Roster:
        """Read who is in a call."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of cancelling the calls to people of one invitation, each by their index in it."""

    cancelled: tuple[int, ...] = ()
    answered: tuple[int, ...] = ()
    roster: Roster | None = None
    """Who is in the call, where Graph listed it."""
    error: ApiError | None = None
    """Why Graph was not asked for all of them, or refused one."""


class Canceller:
    """Removes people from calls, and cancels the calls to those who have not answered."""

    def __init__(self, graph: Graph, *, client_id: str) -> None:
        self._graph = graph
        self._client_id = client_id

    def cancel(self, call_id: str, call: Call | None, invitation: Invitation, people: Sequence[int]) -> Tried:
        """Cancel the calls to those people whose devices ring, and report what became of it."""
        try:
            roster = self._read(call_id)
        except ApiError as unreadable:
            return Tried(error=unreadable)
        listed: dict[str, list[Sighting]] = {}
        for seen in roster.people if roster is not None else ():
            if "id" in seen.identity:
                listed.setdefault(identity_hash(seen.identity["id"]), []).append(seen)
        cancelled, answered = [], []
        error: ApiError | None = None
        for person in people:
            identity_id = invitation.participants[person].id
            entries = listed.get(identity_hash(identity_id), [])
            # A person in the call who is listed without media has answered all the same.
            known = presence_of(call, identity_id) in (Presence.IN_CALL, Presence.IN_LOBBY)
            if known or any(seen.presence is not Presence.UNKNOWN for seen in entries):
                answered.append(person)
                continue
            try:
                if [seen for seen in entries if seen.id is not None and self.remove(call_id, seen.id)]:
                    cancelled.append(person)
            except ApiError as caught:
                error = error or caught
        return Tried(tuple(cancelled), tuple(answered), roster, error)

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
                raise answer_for_refusals([Sent(0, error=error)]) from None
            except GraphError as error:
                raise answer_for_refusals([Sent(0, error=error)]) from None
            else:
                return True
        raise unanswered()

    def _read(self, call_id: str) -> Roster | None:
        """Read who is in a call, twice where the first response is lost; None for a call without a roster."""
        for _ in (1, 2):
            try:
                return self._graph.roster(call_id, scenario_id=str(uuid.uuid4()))
            except OutcomeUnknown:
                continue
            except Refused as error:
                if error.status == HTTPStatus.FORBIDDEN:
                    raise answer_for_refusals([Sent(0, error=error)]) from None
                return None
            except GraphError as error:
                raise answer_for_refusals([Sent(0, error=error)]) from None
        raise unanswered()


def unanswered() -> Unavailable:
    """Return the error for a request to Graph that was repeated once without a response."""
    message = "Microsoft Graph did not answer, so it is not known whether it was done. Try again in a moment."
    return Unavailable("GraphUnavailable", message, retry_after=10)
