"""Looks after invitations that stay open: Graph rings for a minute, and a report can be lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.progress import is_open
from domain.record import CallRecord, Needs
from domain.standing import standing
from flows.turn import utc_now
from observability import tracing
from observability.events import Events
from watchdog.evidence import Evidence, conclude, gather

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.invitation import Invitation
    from flows.alarms import Message
    from flows.progress import Progress
    from flows.turn import Turn
    from storage.reading import Held
    from storage.store import Store
    from watchdog.evidence import Graph

_events = Events("watchdog")
_LEAST_DELAY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation as it was read for a message; see ``flows.work.Thing``."""

    held: Held
    invitation: Invitation
    is_open: bool

    @property
    def alarm_name(self) -> str:
        """The name of the message that the row names."""
        return self.invitation.alarm.name


class Watchdog:
    """Acts on the alarms of invitations; see ``flows.work.Kind``."""

    def __init__(
        self,
        store: Store,
        progress: Progress,
        graph: Graph,
        *,
        check_after_seconds: float,
        give_up_after_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._progress = progress
        self._graph = graph
        self._check_after = timedelta(seconds=check_after_seconds)
        self._give_up_after = timedelta(seconds=give_up_after_seconds)
        self._now = now

    def find(self, message: Message) -> OpenInvitation | None:
        """Read the invitation of a message; None where there is none."""
        held = self._store.read(message.call_id, _needs(message.id))
        invitation = held.record.invitations.get(message.id)
        if invitation is None:
            return None
        # Also where it is closed: the note of its first callback may have been lost.
        self._store.keep(message.call_id, self._now())
        return OpenInvitation(held, invitation, is_open(invitation, self._now()))

    def advance(self, turn: Turn, message: Message, thing: OpenInvitation) -> None:
        """Ask Graph where its time has come, conclude what can be concluded, and do what is due.

        Raises:
            StorageUnavailable: what is due stays due.
        """
        now = self._now()
        invitation = thing.invitation
        is_running = not all(operation.status.is_final for operation in invitation.operations)
        if not is_running or now < invitation.watch_at:
            self._progress.save(turn, message.call_id, _needs(message.id), _nothing, held=thing.held)
            return
        self.look(turn, invitation)

    def look(self, turn: Turn, invitation: Invitation) -> None:
        """Ask Graph about an open invitation, and conclude what can be concluded.

        Raises:
            StorageUnavailable: what is due stays due.
        """
        held = self._store.read(invitation.call_id, replace(_needs(invitation.id), roster=True))
        current = held.record.invitations.get(invitation.id)
        if current is None:
            return
        evidence = gather(self._graph, current, held.record.roster.values())
        held = self._save(turn, current, held, evidence)
        after = held.record.invitations.get(invitation.id)
        if after is None:
            return
        status = standing(after, held.record.call, self._now()).status
        seconds = round((self._now() - after.asked).total_seconds())
        _events.info("watchdog", invitation=after.id, seconds=seconds, status=status.value)
        if status.is_final:
            tracing.count("watchdog_conclusions", status=status.value)

    def _save(self, turn: Turn, watched: Invitation, held: Held, evidence: Evidence) -> Held:
        def look(record: CallRecord, now: datetime) -> CallRecord:
            invitation = record.invitations.get(watched.id)
            if invitation is None:
                return record
            if evidence.roster is not None:
                record = record.with_roster_read(evidence.roster, now)
            age = now - invitation.asked
            after = conclude(invitation, evidence, now, given_up=age >= self._give_up_after)
            # Next time at twice the age, and at the latest when it is given up.
            delay = max(min(max(age, self._check_after), self._give_up_after - age), _LEAST_DELAY)
            return record.with_invitation(replace(after, watch_at=now + delay))

        needs = replace(_needs(watched.id), roster=evidence.roster is not None)
        return self._progress.save(turn, watched.call_id, needs, look, decided_by="watchdog", held=held).held


def _needs(invitation_id: str) -> Needs:
    return Needs(invitations=frozenset({invitation_id}), call=True)


def _nothing(record: CallRecord, _: datetime) -> CallRecord:
    return record
