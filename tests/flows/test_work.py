"""What arrives on the queue: alarms in time, early, late, young and unnamed, and what only a newer release knows."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from domain.progress import Due
from flows.alarms import Alarms, Message, read_message
from flows.work import Work
from storage.errors import StorageUnavailable
from tests.fakes import FakeClock, MemoryQueue
from tests.states import CALL, NOON, later

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.turn import Turn

THING = "A" * 26


@dataclass
class Thing:
    """A thing with an alarm."""

    alarm_name: str = "alarm"
    is_open: bool = True


@dataclass
class Things:
    """Looks after one thing and keeps what it was asked to do."""

    thing: Thing | None = field(default_factory=Thing)
    advanced: list[Turn] = field(default_factory=list)
    duty: Callable[[], None] | None = None
    is_failing: bool = False

    def find(self, message: Message) -> Thing | None:
        if self.is_failing:
            raise StorageUnavailable
        return self.thing

    def advance(self, turn: Turn, message: Message, thing: Thing) -> None:
        self.advanced.append(turn)
        if self.duty is not None:
            turn.note("duty", self.duty)


class Desk:
    """The queue's work, on a clock and queues of its own."""

    def __init__(self, thing: Thing | None = None) -> None:
        self.clock = FakeClock()
        self.queue, self.poison = MemoryQueue(self.clock), MemoryQueue(self.clock)
        self.things = Things(thing)
        self.alarms = Alarms(self.queue, self.clock.now)
        self.work = Work({"thing": self.things}, self.alarms, self.queue, self.poison, now=self.clock.now)

    def at(self, seconds: float) -> Desk:
        self.clock.moment = later(seconds)
        return self

    def receives(self, message: Message | dict[str, Any]) -> None:
        document = message.document() if isinstance(message, Message) else message
        read = self.work.read(json.dumps(document).encode())
        if read is not None:
            self.work.act(read)

    def sent(self) -> list[tuple[float, dict[str, Any]]]:
        return [((one.due - NOON).total_seconds(), one.message) for one in self.queue.waiting]


def message(time_: float = 0, sent: float = -100, alarm: str = "alarm", kind: str = "thing") -> Message:
    """Return a message; both times are seconds after noon."""
    return Message(kind, CALL, THING, alarm, later(time_), later(sent))


def test_named_message() -> None:
    """The message that the row names acts, under its own name, for a run of its own."""
    desk = Desk(Thing())
    desk.receives(message())
    (turn,) = desk.things.advanced
    assert (turn.is_message, turn.alarm, turn.started) == (True, "alarm", NOON)
    assert desk.queue.waiting == []


def test_duties_are_done() -> None:
    """What follows is done within the run."""
    desk, done = Desk(Thing()), []
    desk.things.duty = lambda: done.append(1)
    desk.receives(message())
    assert done == [1]


@pytest.mark.parametrize("thing", [None, Thing("other"), Thing("other", is_open=False)])
def test_young_and_unnamed_comes_back(thing: Thing | None) -> None:
    """Its row may be about to name it: a new message in five seconds, since a failed one counts towards poison."""
    desk = Desk(thing)
    young = message(sent=-29)
    desk.receives(young)
    assert desk.sent() == [(5.0, young.document())]
    assert desk.things.advanced == []
    desk.queue.waiting.clear()
    desk.at(1).receives(young)
    assert desk.queue.waiting == []


@pytest.mark.parametrize(
    ("thing", "acts"),
    [
        (Thing("other"), True),
        (Thing("other", is_open=False), False),
        (Thing(is_open=False), False),
        (None, False),
    ],
)
def test_old_and_unnamed(thing: Thing | None, *, acts: bool) -> None:
    """Each message does what is due by the row as it then is; for a closed or removed thing there is nothing."""
    desk = Desk(thing)
    desk.receives(message(sent=-30))
    assert bool(desk.things.advanced) is acts
    assert desk.queue.waiting == []


def test_comes_back_until_it_is_old() -> None:
    """A message whose row never comes is gone after half a minute."""
    desk = Desk(None)
    first = message(sent=0)
    desk.receives(first)
    times = []
    while desk.queue.waiting:
        (waiting,) = desk.queue.waiting
        desk.queue.remove(waiting)
        desk.clock.moment = waiting.due
        times.append((waiting.due - NOON).total_seconds())
        desk.receives(waiting.message)
    assert times == [5, 10, 15, 20, 25, 30]


def test_much_too_early() -> None:
    """A message whose delay storage had to cut is hidden again until its time."""
    desk = Desk(Thing())
    early = message(41)
    desk.receives(early)
    assert desk.sent() == [(41.0, early.document())]
    assert desk.things.advanced == []
    desk.at(1).receives(early)
    assert len(desk.things.advanced) == 1


def test_waits_for_its_time_without_a_thread() -> None:
    """A hundred runs that came early wait together, and each acts in its time."""
    desk = Desk(Thing())
    at = datetime.now(UTC) + timedelta(seconds=0.5)
    work = Work({"thing": desk.things}, desk.alarms, desk.queue, desk.poison)
    body = json.dumps(Message("thing", CALL, THING, "alarm", at, NOON).document()).encode()

    async def run() -> float:
        started = time.monotonic()
        await asyncio.gather(*(work.handle(body) for _ in range(100)))
        return time.monotonic() - started

    assert 0.4 < asyncio.run(run()) < 5
    assert len(desk.things.advanced) == 100
    assert min(turn.started for turn in desk.things.advanced) >= at


UNKNOWN = {"v": 2, "kind": "escalation", "escalationId": "x", "nested": {"a": [1]}, "sent": NOON.isoformat()}


@pytest.mark.parametrize("document", [UNKNOWN, {**UNKNOWN, "callId": CALL, "id": THING, "alarm": "a"}])
def test_unknown_kind(document: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """A newer release's message is sent anew each ten minutes for a day, as it was, then lies in the poison queue."""
    desk = Desk()
    with caplog.at_level(logging.WARNING):
        desk.receives(document)
    assert desk.sent() == [(600.0, document)]
    assert "escalation" in caplog.text
    for _ in range(143):
        (waiting,) = desk.queue.waiting
        desk.queue.remove(waiting)
        desk.clock.moment = waiting.due
        desk.receives(waiting.message)
    assert desk.poison.waiting == []
    (waiting,) = desk.queue.waiting
    desk.queue.remove(waiting)
    desk.clock.moment = waiting.due + timedelta(seconds=1)
    desk.receives(waiting.message)
    assert [one.message for one in desk.poison.waiting] == [document]
    assert desk.queue.waiting == []


def test_unknown_kind_without_a_time() -> None:
    """Its day begins when it is first seen."""
    desk = Desk()
    desk.receives({"kind": "later"})
    assert desk.sent() == [(600.0, {"kind": "later", "sent": NOON.isoformat()})]


def test_slow_storage_does_not_hold_the_event_loop() -> None:
    """Twenty messages of an unknown kind are sent anew side by side, and the others' time goes on."""
    desk = Desk()

    class SlowQueue(MemoryQueue):
        def send(self, message: Any, *, delay_seconds: float) -> None:
            time.sleep(0.2)
            super().send(message, delay_seconds=delay_seconds)

    work = Work({}, desk.alarms, SlowQueue(desk.clock), desk.poison, now=desk.clock.now)

    async def run() -> float:
        started = time.monotonic()
        await asyncio.gather(*(work.handle(json.dumps(UNKNOWN).encode()) for _ in range(20)))
        return time.monotonic() - started

    assert asyncio.run(run()) < 2


@pytest.mark.parametrize("kind", ["x\ny=1", "+12345678901", "a" * 5000, "\ud800"])
def test_name_of_a_kind_in_the_log(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Only what can be a name is logged, and not all of it where it is long."""
    desk = Desk()
    desk.receives({**UNKNOWN, "kind": kind})
    assert len(desk.queue.waiting) == 1
    assert "12345678901" not in caplog.text
    assert "a" * 50 not in caplog.text
    assert all("\n" not in line for line in caplog.messages)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff", b"null", b"[]", b"5", b'"x"', b"{}", b'{"kind": 5}', b'{"kind": "thing"}',
        b'{"kind": "thing", "callId": 1, "id": 2}', b'{"kind": "thing", "callId": "c", "id": null}',
        b'{"kind": null, "callId": "c", "id": "i"}', b"[" * 50_000,
    ],
)  # fmt: skip
def test_unreadable(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A message that names nothing is dropped with a line in the log; nothing on the queue goes around forever."""
    desk = Desk()
    asyncio.run(desk.work.handle(body))
    assert (desk.queue.waiting, desk.poison.waiting, desk.things.advanced) == ([], [], [])
    assert "can't be read" in caplog.text


@pytest.mark.parametrize("value", [None, 5, "", "x", "2026-13-45", []])
def test_odd_times(value: object) -> None:
    """A time that can't be read is long ago: the message acts at once, and nothing waits for it."""
    desk = Desk(Thing())
    desk.receives({**message().document(), "time": value, "sent": value})
    assert len(desk.things.advanced) == 1


@pytest.mark.parametrize(
    ("document", "alarm"),
    [
        ({"callId": CALL, "invitationId": THING, "watch": "w", "looks": 1}, "w"),
        ({"callId": CALL, "invitationId": THING, "messageId": "m", "attempt": 3}, ""),
    ],
)
def test_messages_of_the_older_queues(document: dict[str, Any], alarm: str) -> None:
    """Both forms of the previous release are read as alarms of an invitation, old enough to act at once."""
    read = read_message(document)
    assert read is not None
    assert (read.kind, read.call_id, read.id, read.alarm) == ("invitation", CALL, THING, alarm)
    assert read.sent < NOON - timedelta(days=1)
    assert read.time < NOON


def test_alarm() -> None:
    """An ordinary alarm is one message, visible at its time."""
    desk = Desk()
    alarm, sent = desk.alarms.set("thing", CALL, THING, Due(later(120)))
    assert (alarm.name, alarm.time) == (sent.alarm, later(120))
    assert desk.sent() == [(120.0, sent.document())]
    assert read_message(sent.document()) == sent


@pytest.mark.parametrize(("time_", "visible"), [(100, 70), (31, 1), (20, 0), (0, 0), (-5, 0)])
def test_alarm_that_is_waited_for(time_: float, visible: float) -> None:
    """It is visible thirty seconds early, or at once, and has a second message of its name after its time."""
    desk = Desk()
    _, sent = desk.alarms.set("thing", CALL, THING, Due(later(time_), is_waited_for=True))
    assert desk.sent() == [(visible, sent.document()), (time_ + 20.0, sent.document())]


@pytest.mark.parametrize(("seconds", "again"), [(20, 0), (20.1, 1)])
def test_late_naming(seconds: float, again: int) -> None:
    """The row named a message so late that it may have been dropped: it is sent again under its name."""
    desk = Desk()
    _, sent = desk.alarms.set("thing", CALL, THING, Due(later(120)))
    desk.queue.waiting.clear()
    desk.at(seconds).alarms.named(sent)
    assert [document for _, document in desk.sent()] == [sent.document()] * again


def test_storage_that_fails() -> None:
    """The message comes back as a new one, since one that fails eight times goes to the poison queue."""
    desk = Desk(Thing())
    desk.things.is_failing = True
    asyncio.run(desk.work.handle(json.dumps(message().document()).encode()))
    assert desk.sent() == [(30.0, message().document())]


@pytest.mark.parametrize("queue_works", [True, False])
def test_storage_that_keeps_failing(*, queue_works: bool) -> None:
    """Where the message can't be sent again either, or has come back for a day, the run fails."""
    desk = Desk(Thing())
    desk.things.is_failing = True
    if queue_works:
        desk.at(86_401)
    else:
        desk.queue.is_failing = True
    with pytest.raises(StorageUnavailable):
        desk.work.act(message())
