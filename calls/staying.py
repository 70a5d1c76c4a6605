"""Whether anything is still open on a leg, so that the app stays in its call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.contexts import invitation_id
from domain.record import Needs

if TYPE_CHECKING:
    from calls.progress import StartProgress
    from domain.call import Call
    from domain.invitation import Invitation
    from domain.record import CallRecord
    from domain.start import Start
    from storage.store import Store


class LegUse:
    """Finds what is open on a leg."""

    def __init__(self, store: Store, starts: StartProgress) -> None:
        self._store = store
        self._starts = starts

    def is_used(self, record: CallRecord, call: Call, *, besides: Start | None = None) -> bool:
        """Return whether an open invitation, escalation or start is on a leg.

        Args:
            record: the call with its open invitations.
            call: the call.
            besides: a start that leaves the call; what it and other stopped starts began does not count.
        """
        if any(besides is None or self._is_wanted(one, besides) for one in record.invitations.values()):
            return True
        steps = None if besides is None else besides.escalation_id
        if escalations := frozenset(call.escalations) - {steps}:
            found = self._store.read(call.call_id, Needs(call=True, escalations=escalations)).record.escalations
            if not all(one.is_final for one in found.values()):
                return True
        others = (self._starts.read(one) for one in call.starts if besides is None or one != besides.id)
        return any(start is not None and not start.is_final for start in others)

    def _is_wanted(self, invitation: Invitation, besides: Start) -> bool:
        """Return whether an open invitation keeps the app in a call that a start leaves."""
        if invitation.id == invitation_id(besides.invitation_context):
            return False
        if invitation.escalation_id is not None:
            return invitation.escalation_id != besides.escalation_id
        start = None if invitation.start_id is None else self._starts.read(invitation.start_id)
        return start is None or not start.is_stopped
