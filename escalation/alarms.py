"""The alarms of escalations: a step's time, another try to cancel, a POST, and a report of Graph that did not come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from domain.escalation import is_open
from flows.turn import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.escalation import Escalation
    from domain.invitation import Invitation
    from escalation.progress import EscalationProgress
    from flows.alarms import Message
    from flows.turn import Turn
    from storage.reading import Held


class Watcher(Protocol):
    """Asks Graph about an invitation whose report did not come; see ``watchdog.service.Watchdog``."""

    def look(self, turn: Turn, invitation: Invitation) -> None:
        """Ask Graph, and conclude what can be concluded."""


@dataclass(frozen=True, slots=True)
class OpenEscalation:
    """An escalation as it was read for a message; see ``flows.work.Thing``."""

    held: Held
    escalation: Escalation
    is_open: bool

    @property
    def alarm_name(self) -> str:
        """The name of the message that the row names."""
        return self.escalation.alarm.name


class EscalationAlarms:
    """The alarms of escalations, which serve their steps' invitations too; see ``flows.work.Kind``."""

    def __init__(
        self, progress: EscalationProgress, watcher: Watcher, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._progress = progress
        self._watcher = watcher
        self._now = now

    def find(self, message: Message) -> OpenEscalation | None:
        """Read the escalation of a message; None where there is none."""
        held = self._progress.hold(message.call_id, message.id)
        escalation, call = held.record.escalations.get(message.id), held.record.call
        if escalation is None:
            return None
        # The run that closed it may have been killed before its start had the outcome, or the call was left.
        is_noted = call is not None and (message.id in call.escalations or escalation.start_id in call.starts)
        return OpenEscalation(held, escalation, is_noted or is_open(escalation, held.record))

    def advance(self, turn: Turn, message: Message, thing: OpenEscalation) -> None:
        """Do what is due: the step's end, cancelling, POSTs, and asking Graph where no report came."""
        now = self._now()
        record = thing.held.record
        held: Held | None = thing.held
        for begun in thing.escalation.begun:
            invitation = record.invitations.get(begun.invitation_id or "")
            if invitation is None or all(one.status.is_final for one in invitation.operations):
                continue
            if now >= invitation.watch_at:
                self._watcher.look(turn, invitation)
                held = None
        self._progress.save(turn, message.call_id, message.id, lambda record, _: record, held=held)
