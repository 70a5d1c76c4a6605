"""A message that measures is responded to on the sender's own queue, and changes nothing."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from flows.alarms import Alarms, Message
from flows.ping import PING, Ping
from flows.work import Work
from tests.fakes import FakeClock, MemoryQueue

SENDER = "0123456789abcdef" * 2


def _respond(sender: str) -> tuple[dict[str, MemoryQueue], MemoryQueue]:
    clock = FakeClock()
    made: dict[str, MemoryQueue] = {}
    own = MemoryQueue(clock)
    ping = Ping(lambda name: made.setdefault(name, MemoryQueue(clock)))
    work = Work({PING: ping}, Alarms(own, clock.now), own, own, now=clock.now)
    message = Message(PING, "~doctor", sender, "a1", clock.now(), clock.now() - timedelta(seconds=1))
    asyncio.run(work.handle(json.dumps(message.document()).encode()))
    return made, own


def test_response() -> None:
    """It names the message, and nothing else is sent."""
    queues, own = _respond(SENDER)
    ((name, queue),) = queues.items()
    assert name == f"doctor-{SENDER}"
    assert [one.message for one in queue.waiting] == [{"alarm": "a1"}]
    assert own.waiting == []


@pytest.mark.parametrize("sender", ["x", "work", SENDER[:-1], SENDER.upper(), f"{SENDER}\n", "../" + SENDER])
def test_other_queues(sender: str) -> None:
    """A message can't choose another queue's name."""
    assert _respond(sender)[0] == {}
