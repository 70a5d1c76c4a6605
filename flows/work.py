"""What arrives on the queue ``work``: alarms of every kind, and messages of kinds that only a newer release knows."""

from __future__ import annotations

import asyncio
import json
from contextvars import copy_context
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from domain.progress import YOUNG
from flows.alarms import Message, read_message, read_time
from flows.duties import POOL, run_duties
from flows.turn import Turn, utc_now
from observability.events import Events
from storage.budget import REQUEST_SECONDS, budget
from storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from flows.alarms import Alarms
    from storage.queue import MessageQueue

_events = Events("work")
# A run that is woken early waits for its time; one that is much too early was cut to storage's longest delay.
_LONGEST_WAIT = timedelta(seconds=40)
_COMES_BACK = timedelta(seconds=5)
_AFTER_STORAGE_FAILED = timedelta(seconds=30)
_COMES_BACK_FOR = timedelta(days=1)
_UNKNOWN_SECONDS = 600
_UNKNOWN_FOR = timedelta(days=1)
_LONGEST_KIND = 40


class Thing(Protocol):
    """A thing with an alarm, as the handler of its kind has read it."""

    @property
    def alarm_name(self) -> str:
        """The name of the message that its row names."""

    @property
    def is_open(self) -> bool:
        """Whether anything is still to happen."""


class Kind(Protocol):
    """Looks after the things of one kind."""

    def find(self, message: Message) -> Thing | None:
        """Read the thing; None where there is none."""

    def advance(self, turn: Turn, message: Message, thing: Any) -> None:
        """Do what is due by the row as it is now, and note the duties of the turn."""


class Work:
    """Handles the messages of the queue."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        alarms: Alarms,
        queue: MessageQueue,
        poison: MessageQueue,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._kinds = kinds
        self._alarms = alarms
        self._queue = queue
        self._poison = poison
        self._now = now

    async def handle(self, body: bytes) -> None:
        """Act on a message; one that came early waits for its time without holding a thread.

        Raises:
            StorageUnavailable: what is due stays due, and the host delivers the message again.
        """
        loop = asyncio.get_running_loop()
        # Not by the event loop itself: a message of an unknown kind is sent anew.
        message = await loop.run_in_executor(POOL, copy_context().run, self.read, body)
        if message is None:
            return
        early = message.time - self._now()
        if timedelta(0) < early <= _LONGEST_WAIT:
            await asyncio.sleep(early / timedelta(seconds=1))
        await loop.run_in_executor(POOL, copy_context().run, self.act, message)

    def read(self, body: bytes) -> Message | None:
        """Read a message; None, with a line in the log, for one that can't be acted on."""
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            document = None
        kind = document.get("kind") if isinstance(document, dict) else None
        if isinstance(kind, str) and kind not in self._kinds:
            self._keep_unknown(document, kind)
            return None
        message = read_message(document) if isinstance(document, dict) else None
        if message is None:
            _events.error("a queue message can't be read and is dropped", size=len(body))
        return message

    def act(self, message: Message) -> None:
        """Act on a message whose time has come; where storage fails it comes back.

        Raises:
            StorageUnavailable: the message can't be sent again either, so the host delivers it again.
        """
        try:
            with budget(REQUEST_SECONDS):
                self._act(message)
        except StorageUnavailable:
            if self._now() - max(message.time, message.sent) > _COMES_BACK_FOR:
                raise
            # A new message: one that fails some times in a row goes to the poison queue, and nothing would look after
            # what is open once storage works again.
            _events.warning("storage failed, and a message comes back", message_kind=message.kind)
            self._alarms.send(message, self._now() + _AFTER_STORAGE_FAILED)

    def _act(self, message: Message) -> None:
        now = self._now()
        if message.time - now > _LONGEST_WAIT:
            self._alarms.send(message, message.time)
            return
        kind = self._kinds[message.kind]
        thing = kind.find(message)
        is_named = thing is not None and thing.alarm_name == message.alarm
        if not is_named and now - message.sent < YOUNG:
            # Its row may be about to name it. A new message, since a failed one counts towards the poison queue.
            self._alarms.send(message, now + _COMES_BACK)
            return
        if thing is None or not thing.is_open:
            return
        turn = Turn(now, is_message=True, alarm=message.alarm)
        kind.advance(turn, message, thing)
        run_duties(turn)

    def _keep_unknown(self, document: Mapping[str, Any], kind: str) -> None:
        """Keep a message of a kind that a newer release sent, while that is rolled out or after a roll-back."""
        now = self._now()
        sent = read_time(document.get("sent"))
        is_old = sent is not None and now - sent > _UNKNOWN_FOR
        queue = self._poison if is_old else self._queue
        # Only ``sent`` is read of it: the rest is the newer release's.
        kept = document if sent is not None else {**document, "sent": now.isoformat()}
        queue.send(kept, delay_seconds=0 if is_old else _UNKNOWN_SECONDS)
        name = kind[:_LONGEST_KIND]
        what = "moved to the poison queue" if is_old else "kept for a newer release"
        _events.warning(
            f"a message of an unknown kind is {what}", message_kind=name if name.isidentifier() else "not a name"
        )
