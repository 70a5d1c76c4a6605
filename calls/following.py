"""Begins what follows ``established``: calls the people of a start who are not in the call already."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from calls.outcomes import escalation_of, invitation_of, is_in_call, was_too_busy
from calls.results import STILL_THROTTLED
from domain.contexts import invitation_id
from domain.invitation import Refused
from domain.record import CallRecord, Needs
from domain.start import RETRY, THROTTLED, InCall, StartStatus, ended
from escalation.service import EscalationRequest
from flows.turn import utc_now
from web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from calls.asking import CallReader
    from calls.progress import StartProgress
    from calls.settling import Settler
    from domain.invitation import Invitation, Invitee
    from domain.start import Start
    from escalation.service import EscalationService
    from flows.turn import Turn
    from invite.service import InvitationService


class Follower:
    """Begins what follows, once, whatever is repeated."""

    def __init__(
        self,
        starts: StartProgress,
        invitations: InvitationService,
        escalations: EscalationService,
        reader: CallReader,
        settler: Settler,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._starts = starts
        self._invitations = invitations
        self._escalations = escalations
        self._reader = reader
        self._settler = settler
        self._now = now

    def follow(self, turn: Turn, start: Start, record: CallRecord) -> bool:
        """Call the people of a start whose call is established; return whether that was begun, for its row to say so.

        Raises:
            StorageUnavailable: what is due stays due.
        """
        if start.participants and not start.calls_targets:
            if turn.seconds_left(self._now()) <= 0:
                self._settler.look_again(turn, start.id, timedelta(0))
                return False
            if invitation_of(start, record) is None and escalation_of(start, record) is None:
                record = self._reader.read_roster(turn, record)
            people = [one for one in start.participants if not is_in_call(record.call, one.id)]
            if start.steps:
                self._escalate(turn, start, record)
            elif (people or invitation_of(start, record) is not None) and not self._invite(turn, start, record, people):
                return False
        return True

    def _escalate(self, turn: Turn, start: Start, record: CallRecord) -> None:
        """Call people step by step, once."""
        if escalation_of(start, record) is None:
            request = EscalationRequest(start.steps, start.stop_when, start.repeat)
            context = start.invitation_context
            self._escalations.begin(turn, record.call_id, context, request, start_id=start.id)

    def _invite(self, turn: Turn, start: Start, record: CallRecord, people: list[Invitee]) -> bool:
        """Call people into the call; return whether it was begun, or has failed for good."""
        known = invitation_of(start, record)
        try:
            if known is not None:
                invitation = self._invitations.resume(turn, known)
            else:
                invitation = self._invitations.ensure(
                    turn,
                    record.call_id,
                    people,
                    start.invitation_context,
                    start_id=start.id,
                    separately=start.separately,
                )
        except ApiError as error:
            if error.retry_after is None:
                return True  # refused for good: the invitation's row says why
            if self._has_waited(start, record):
                self._starts.save(
                    turn,
                    start.id,
                    lambda one, now: None if one is None else ended(one, StartStatus.FAILED, STILL_THROTTLED, now),
                )
            else:
                self._settler.look_again(turn, start.id, RETRY)
            return False
        if _is_throttled(invitation) and not self._has_waited(start, record):
            self._settler.look_again(turn, start.id, RETRY)
            return False
        return True

    def _has_waited(self, start: Start, record: CallRecord) -> bool:
        """Return whether Graph has throttled for as long as it is tried again."""
        established = record.call.established_at if record.call is not None else None
        since = start.stage.since if isinstance(start.stage, InCall) else start.created
        return self._now() - max(since, established or since) > THROTTLED


def needs_of(start: Start) -> Needs:
    """Return what is read of a start's call: the call, and the invitation or the escalation that followed."""
    if start.escalation_id is not None:
        return Needs(call=True, escalations=frozenset({start.escalation_id}))
    return Needs(invitations=frozenset({invitation_id(start.invitation_context)}), call=True)


def _is_throttled(invitation: Invitation) -> bool:
    """Return whether Graph took a part of an invitation and was too busy for another."""
    return any(isinstance(one.state, Refused) and was_too_busy(one) for one in invitation.operations)
