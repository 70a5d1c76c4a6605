"""Writing: the alarm before the row names it, one for each open thing, and each outcome published once."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from domain.call import CallState, Presence
from domain.inference import NEVER_CONFIRMED
from domain.invitation import Asked, Decider, Invitation, Late, Refused
from domain.record import CallRecord, Needs
from domain.waiting import claimed
from flows.alarms import Alarms
from flows.duties import run_duties
from flows.progress import Progress
from flows.publish import Publisher
from flows.turn import Turn
from storage.errors import StorageUnavailable
from storage.reading import Held
from storage.store import TableStore, Updated
from storage.table import Conflict
from tests.fakes import FakeClock, MemoryQueue, MemoryTable
from tests.states import BUSY, CALL, call, completed, failed, flow, invitation, later, operation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from domain.call import Call
    from storage.rows import Row

ID = invitation().id
NEEDS = Needs(invitations=frozenset({ID}), call=True)


class SlowTable(MemoryTable):
    """A table where other writers are faster, a number of times."""

    def __init__(self) -> None:
        super().__init__()
        self.conflicts = 0
        self.before_write: Callable[[], None] = lambda: None

    def write(self, group: Sequence[Row]) -> list[str]:
        self.before_write()
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict
        return super().write(group)


class Desk:
    """Progress on a table and a queue of its own."""

    def __init__(self, *stored: Invitation) -> None:
        self.clock = FakeClock()
        self.table = SlowTable()
        self.store = TableStore(self.table)
        self.queue = MemoryQueue(self.clock)
        self.published: list[Updated] = []
        alarms = Alarms(self.queue, self.clock.now)
        self.progress = Progress(self.store, alarms, self.publish, now=self.clock.now)
        if stored:
            self.saves(*stored, is_raw=True)

    def publish(self, turn: Turn, updated: Updated, decided_by: str) -> None:
        self.published.append(updated)

    def saves(self, *changed: Invitation, turn: Turn | None = None, is_raw: bool = False) -> None:
        def change(record: CallRecord, *_: Any) -> CallRecord:
            for one in changed:
                record = record.with_invitation(one)
            return record

        needs = Needs(invitations=frozenset(one.id for one in changed), call=True)
        if is_raw:
            self.store.update(CALL, needs, change)
        else:
            self.progress.save(turn or Turn(self.clock.now()), CALL, needs, change)

    def stored(self) -> list[Invitation]:
        return list(self.store.all_invitations(CALL).invitations.values())


def test_alarm_of_something_new() -> None:
    """It is on the queue when the row is written, and the row names it."""
    desk = Desk()
    seen: list[int] = []
    desk.table.before_write = lambda: seen.append(len(desk.queue.waiting))
    desk.saves(invitation())
    (waiting,) = desk.queue.waiting
    (made,) = desk.stored()
    assert seen == [1]
    assert (made.alarm.name, made.alarm.time) == (waiting.message["alarm"], waiting.due)


@pytest.mark.parametrize("conflicts", [1, 5, 19])
def test_conflicts_send_no_further_alarm(conflicts: int) -> None:
    """However often others are faster, there is one message, and the row names it."""
    desk = Desk()
    desk.table.conflicts = conflicts
    desk.saves(invitation())
    (waiting,) = desk.queue.waiting
    assert desk.stored()[0].alarm.name == waiting.message["alarm"]


def test_without_a_queue_nothing_is_written() -> None:
    """An alarm that may not have been sent is no alarm."""
    desk = Desk()

    def fails(message: Any, *, delay_seconds: float) -> None:
        raise StorageUnavailable

    desk.queue.send = fails  # type: ignore[method-assign]
    with pytest.raises(StorageUnavailable):
        desk.saves(invitation())
    assert (desk.stored(), desk.published) == ([], [])


def test_each_thing_has_its_own_alarm() -> None:
    """Two invitations in one write have two messages."""
    desk = Desk()
    desk.saves(invitation(), replace(invitation(), id="B" * 26))
    assert {waiting.message["id"] for waiting in desk.queue.waiting} == {ID, "B" * 26}
    assert len({one.alarm.name for one in desk.stored()}) == 2


def test_nothing_changed() -> None:
    """No write and no message."""
    desk = Desk(invitation())
    before = dict(desk.table.rows)
    desk.saves(invitation())
    assert (desk.table.rows, desk.queue.waiting) == (before, [])
    assert len(desk.published) == 1


def test_late_naming() -> None:
    """A write that took longer than the message's youth sends it again, under the same name."""
    desk = Desk()

    def slow() -> None:
        desk.clock.moment += timedelta(seconds=21)

    desk.table.before_write = slow
    desk.saves(invitation())
    first, again = desk.queue.waiting
    assert first.message == again.message


def test_what_was_not_begun() -> None:
    """It goes on the queue with Graph's answers, visible at once."""
    desk = Desk(invitation())
    desk.saves(invitation(operation(state=Late()), operation(1)))
    (waiting,) = desk.queue.waiting
    assert waiting.due == desk.clock.now()


def test_claimed_in_the_same_write() -> None:
    """The write that makes an outcome known claims its POST."""
    desk = Desk(invitation(flows=(flow(),)))
    turn = Turn(desk.clock.now())
    desk.saves(invitation(operation(state=completed()), flows=(flow(),)), turn=turn)
    (waiting,) = desk.stored()[0].flows
    assert waiting.claim is not None
    assert waiting.claim.owner == turn.me
    assert desk.queue.waiting == []


class Followers:
    """Keeps what was to follow."""

    def __init__(self) -> None:
        self.posts: list[str] = []
        self.asks = 0
        self.others: list[str] = []

    def post(self, turn: Turn, held: Any, invitation: Invitation, message_id: str) -> None:
        self.posts.append(message_id)

    def ask(self, turn: Turn, held: Any, invitation: Invitation) -> None:
        self.asks += 1

    def advance(self, turn: Turn, start_id: str) -> None:
        self.others.append(start_id)

    def escalate(self, turn: Turn, call_id: str, escalation_id: str) -> None:
        self.others.append(escalation_id)

    def call_changed(self, turn: Turn, call: Call, *, has_ended: bool) -> None:
        self.others.append(f"{call.state}{' at last' * has_ended}")

    def nothing_left(self, turn: Turn, call_id: str) -> None:
        self.others.append("left")


def _published(
    before: Invitation | None, after: Invitation, turn: Turn | None = None, decided_by: str = "graph"
) -> Followers:
    earlier, later_one = (CallRecord(CALL, invitations={} if one is None else {one.id: one}) for one in (before, after))
    return _followed(earlier, later_one, turn, decided_by)


def _followed(before: CallRecord, after: CallRecord, turn: Turn | None = None, decided_by: str = "graph") -> Followers:
    publisher, followers = Publisher(), Followers()
    publisher.followers = followers
    held = Held(after)
    turn = turn or Turn()
    publisher(turn, Updated(before, after, held), decided_by)
    publisher(turn, Updated(after, after, held), decided_by)  # a further write of the same turn
    run_duties(turn)
    return followers


DONE = invitation(operation(state=completed()), updated=later(30))
GUESSED = invitation(operation(state=failed(NEVER_CONFIRMED, by=Decider.WATCHDOG)), updated=later(900))


@pytest.mark.parametrize(
    ("before", "after", "decided_by", "line"),
    [
        (invitation(), DONE, "graph", "concluded status=completed decided-by=graph seconds=30.0"),
        (invitation(), GUESSED, "watchdog", "concluded status=failed decided-by=watchdog seconds=900.0"),
        (GUESSED, DONE, "graph", "corrected status=completed decided-by=graph"),
        (
            invitation(),
            invitation(operation(state=Refused(BUSY, final=True)), updated=later(1)),
            "graph",
            "concluded status=failed decided-by=refusal",
        ),
        (None, invitation(), "graph", ""),
        (DONE, replace(DONE, flows=(flow(),)), "graph", ""),
        (invitation(), invitation(operation(0, 1, state=completed())), "graph", ""),
        (
            invitation(operation(0, 1, state=completed())),
            invitation(operation(0, 1, state=completed(seen=(0,))), updated=later(5)),
            "graph",
            "concluded status=partiallyCompleted decided-by=graph",
        ),
    ],
)
def test_outcome_is_logged_once(
    before: Invitation | None, after: Invitation, decided_by: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    """When all of it is known: who concluded it, and after how long; a later report of Graph corrects it."""
    with caplog.at_level(logging.INFO):
        _published(before, after, decided_by=decided_by)
    lines = [one for one in caplog.messages if one.startswith(("concluded", "corrected"))]
    assert len(lines) == bool(line)
    assert all(word in lines[0] for word in line.split())


def test_only_own_claims_are_duties() -> None:
    """A run POSTs what it has claimed itself."""
    turn = Turn()
    mine, other = flow(), flow(message_id="msg_2")
    limit = later(9)
    after = replace(DONE, flows=(claimed(mine, turn.me, limit), claimed(other, "other", limit)))
    assert _published(DONE, after, turn).posts == ["msg_1"]


@pytest.mark.parametrize("is_message", [False, True])
def test_only_a_message_asks_graph(*, is_message: bool) -> None:
    """What a message's run has taken over is sent by it, once."""
    turn = Turn(is_message=is_message)
    after = invitation(operation(state=Asked(answered=False)), asked_by=turn.me)
    assert _published(invitation(operation(state=Late())), after, turn).asks == int(is_message)
    assert _published(invitation(), after, turn).asks == 0


ESTABLISHED = call(state=CallState.ESTABLISHED)
ENDED = call(state=CallState.TERMINATED)


@pytest.mark.parametrize(
    ("before", "after", "follows"),
    [
        (None, ESTABLISHED, ["established"]),
        (ESTABLISHED, ESTABLISHED, []),
        (ESTABLISHED, replace(ESTABLISHED, subject="Incident"), ["established"]),
        (ESTABLISHED, ENDED, ["terminated at last"]),
        (ENDED, ENDED, ["terminated"]),  # its end may not have reached the index
        (ESTABLISHED, replace(ESTABLISHED, starts=("one", "two")), ["one", "two"]),
        (ESTABLISHED, replace(ESTABLISHED, escalations=("one",)), ["one"]),
    ],
)
def test_what_a_call_makes_follow(before: Call | None, after: Call, follows: list[str]) -> None:
    """The index follows state, title and end; every open start and escalation goes on."""
    followers = _followed(CallRecord(CALL, call=before), CallRecord(CALL, call=after))
    assert sorted(followers.others) == follows


SEEN = {"presence": {"anna": Presence.IN_CALL}, "shown": {"anna": later(1)}}
RINGS = {"presence": {"anna": Presence.UNKNOWN}, "shown": {"anna": later(1)}}


@pytest.mark.parametrize(
    ("change", "after", "follows"),
    [
        ({}, None, ["one", "two"]),
        ({"established_at": later(1)}, None, ["one", "two"]),
        (SEEN, None, ["one", "two"]),
        ({"roster_at": later(1)}, None, ["one", "two"]),
        (RINGS, None, []),
        ({"page_token": "x"}, None, []),
        ({"starts": ("two",)}, None, []),
        ({}, replace(DONE, start_id="one"), ["one"]),
        ({}, replace(DONE, escalation_id="three"), []),
        ({}, DONE, []),
    ],
)
def test_whose_turn_it_is(change: dict[str, Any], after: Invitation | None, follows: list[str]) -> None:
    """A start goes on by its call, the people in it and its own invitation, and where an update wrote nothing."""
    publisher, followers, turn = Publisher(), Followers(), Turn()
    publisher.followers = followers
    before = CallRecord(CALL, call=replace(ESTABLISHED, starts=("one", "two")), invitations={ID: invitation()})
    assert before.call is not None
    written = replace(before, call=replace(before.call, **change), invitations={ID: after or invitation()})
    publisher(turn, Updated(before, written, Held(written)), "graph")
    run_duties(turn)
    assert sorted(followers.others) == follows


def test_what_a_turn_knows() -> None:
    """What was read without its call is joined with the call; a message's run may have waited, and reads again."""
    made = CallRecord(CALL, call=ESTABLISHED, invitations={ID: invitation()})
    for turn in (Turn(), Turn(is_message=True)):
        turn.learnt(Held(made, {"call": "1"}, has_roster=True))
        turn.learnt(Held(CallRecord(CALL, invitations={ID: DONE}), {"invitation": "2"}))
        joined = Held(replace(made, invitations={ID: DONE}), {"call": "1", "invitation": "2"}, has_roster=True)
        assert turn.in_hand(CALL) == (None if turn.is_message else joined)
        turn.learnt(Held(CallRecord(CALL, call=ENDED)))
        assert turn.known[CALL] == Held(CallRecord(CALL, call=ENDED))


@pytest.mark.parametrize(
    ("made", "one", "leaves"),
    [
        (ESTABLISHED, DONE, False),
        (replace(ESTABLISHED, leave_afterwards=True), DONE, True),
        (replace(ESTABLISHED, leave_afterwards=True), invitation(), False),
        (replace(ENDED, leave_afterwards=True), DONE, False),
    ],
)
def test_nothing_is_left_on_a_call(made: Call, one: Invitation, *, leaves: bool) -> None:
    """The app leaves when the last invitation is known, where the latest start asked for that."""
    record = CallRecord(CALL, call=made, invitations={one.id: one})
    others = _followed(record, record).others
    assert [one for one in others if one == "left"] == ["left"] * leaves
