"""A message that only measures how long messages take: ``dev.doctor --latency`` sends it and waits for the response."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.alarms import Message
    from flows.turn import Turn
    from storage.queue import MessageQueue

PING = "ping"
ANSWERS = "doctor-"
"""What the name of the queue of responses begins with; the sender's 32 hexadecimal digits follow."""
_SENDER = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class _Ping:
    alarm_name: str
    is_open: bool = True


class Ping:
    """Responds on the queue of who sent the message; see ``flows.work.Kind``.

    Args:
        queue: returns a queue by its name.
    """

    def __init__(self, queue: Callable[[str], MessageQueue]) -> None:
        self._queue = queue

    def find(self, message: Message) -> _Ping | None:
        """Return something open, or None where the sender's name can't be one."""
        return _Ping(message.alarm) if _SENDER.fullmatch(message.id) else None

    def advance(self, turn: Turn, message: Message, thing: Any) -> None:  # noqa: ARG002 - a kind's signature
        """Respond."""
        self._queue(ANSWERS + message.id).send({"alarm": message.alarm}, delay_seconds=0)
