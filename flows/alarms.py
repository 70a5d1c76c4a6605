"""The alarm: one queue, one form of message, for all that only time brings.

A message names the thing, and the alarm that its row should name. An alarm that somebody waits for is visible early
and its run waits; it has a second message, since a killed run hides the first for ten minutes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.invitation import Alarm
from domain.progress import EARLY, LATE_NAMING, SECOND
from flows.turn import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.progress import Due
    from storage.queue import MessageQueue

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Message:
    """A message about one thing."""

    kind: str
    call_id: str
    id: str
    alarm: str
    time: datetime
    """What it is for; a run that is woken earlier waits."""
    sent: datetime

    def document(self) -> dict[str, Any]:
        """Return the message's JSON object."""
        return {
            "v": 1,
            "kind": self.kind,
            "callId": self.call_id,
            "id": self.id,
            "alarm": self.alarm,
            "time": self.time.isoformat(),
            "sent": self.sent.isoformat(),
        }


def read_message(body: Mapping[str, Any]) -> Message | None:
    """Read a message, also in the forms of the previous release's queues; None where it names nothing."""
    call_id, thing = body.get("callId"), body.get("id") or body.get("invitationId")
    kind = body.get("kind", "invitation")
    if not (isinstance(call_id, str) and isinstance(thing, str) and isinstance(kind, str)):
        return None
    alarm = body.get("alarm") or body.get("watch") or ""
    time, sent = read_time(body.get("time")), read_time(body.get("sent"))
    return Message(kind, call_id, thing, str(alarm), time or _LONG_AGO, sent or _LONG_AGO)


def read_time(value: object) -> datetime | None:
    """Read a time; None where there is none."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time if time is None or time.tzinfo else time.replace(tzinfo=UTC)


class Alarms:
    """Sends alarms."""

    def __init__(self, queue: MessageQueue, now: Callable[[], datetime] = utc_now) -> None:
        self._queue = queue
        self._now = now

    def set(self, kind: str, call_id: str, thing: str, due: Due) -> tuple[Alarm, Message]:
        """Send a new alarm, for the row to name.

        Raises:
            StorageUnavailable: it may not have been sent.
        """
        now = self._now()
        message = Message(kind, call_id, thing, secrets.token_hex(8), due.time, now)
        if due.is_waited_for:
            self.send(message, due.time - EARLY)
            self.send(message, due.time + SECOND)
        else:
            self.send(message, due.time)
        return Alarm(message.alarm, due.time), message

    def named(self, message: Message) -> None:
        """Send a message again if its row named it so late that the first may have been dropped before."""
        if self._now() > message.sent + LATE_NAMING:
            self.send(message, message.time)

    def send(self, message: Message, visible: datetime) -> None:
        """Send a message that becomes visible at a time.

        Raises:
            StorageUnavailable: it may not have been sent.
        """
        delay = max((visible - self._now()) / timedelta(seconds=1), 0.0)
        self._queue.send(message.document(), delay_seconds=delay)
