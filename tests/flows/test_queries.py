"""What a flow can read, and how it ends its waiting: from the store alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from domain.call import Presence
from domain.invitation import Alarm, Decider, Invitation, Late, Refused
from domain.record import CallRecord, Needs
from domain.results import ResultInfo
from domain.waiting import Delivery
from flows.alarms import Alarms
from flows.links import Links
from flows.progress import INVITATION, Progress
from flows.queries import Queries
from storage.errors import StorageUnavailable
from storage.store import TableStore
from tests.fakes import FakeClock, MemoryQueue, MemoryTable
from tests.states import (
    BUSY,
    CALL,
    State,
    call,
    call_with,
    completed,
    entry,
    failed,
    flow,
    invitation,
    later,
    operation,
)
from web.answers import Request
from web.errors import ApiError, InvitationFailed, NotFound

if TYPE_CHECKING:
    from domain.call import Call
    from domain.roster import RosterEntry
    from flows.turn import Turn
    from storage.store import Updated

TOKEN = "t" * 43
OWN = "f" * 43


class Desk:
    """Queries on what is stored; there is no Graph that they could ask."""

    def __init__(self, *stored: Invitation, of: Call | None = None, roster: tuple[RosterEntry, ...] = ()) -> None:
        self.clock = FakeClock()
        self.table = MemoryTable()
        self.store = TableStore(self.table)
        self.queue: Any = MemoryQueue(self.clock)
        self.duties: list[str] = []
        self.progress = Progress(self.store, Alarms(self.queue, self.clock.now), self.publish, now=self.clock.now)
        self.queries = Queries(self.store, self.progress, Links("https://app.example", ()), now=self.clock.now)

        def insert(record: CallRecord) -> CallRecord:
            for one in stored:
                record = record.with_invitation(one)
            if of is not None or roster:
                record = record.with_call(of or call())
            return record.with_roster({one.key: one for one in roster})

        self.store.update(CALL, Needs(), insert, held=self.store.nothing_yet(CALL))

    def publish(self, turn: Turn, updated: Updated, decided_by: str) -> None:
        for one in updated.after.invitations.values():
            for waiting in one.flows:
                if waiting.claim is not None and waiting.claim.owner == turn.me:
                    turn.note(waiting.message_id, lambda name=waiting.message_id: self.duties.append(name))  # type: ignore[misc]

    def asks(self, route: str, *, token: str | None = TOKEN, **changes: str) -> Any:
        query = {} if token is None else {"token": token}
        path = {"callId": CALL, "invitationId": invitation().id, **changes}
        request = Request(route=path, query=query, arrived=self.clock.now())
        return getattr(self.queries, route)(request)

    def stored(self) -> Invitation:
        (only,) = self.store.all_invitations(CALL).invitations.values()
        return only


def _failed(desk: Desk) -> InvitationFailed:
    with pytest.raises(InvitationFailed) as caught:
        desk.asks("result")
    return caught.value


@pytest.mark.parametrize(
    ("state", "status"), [(None, "running"), (Late(), "notStarted"), (Refused(BUSY, final=False), "notStarted")]
)
def test_poll_of_an_open_invitation(state: State | None, status: str) -> None:
    """202 with where and when to go on."""
    answer = Desk(invitation(operation(state=state))).asks("result")
    assert answer.status == 202
    assert answer.headers["Location"].endswith(f"/result?token={TOKEN}")
    assert answer.headers["Retry-After"] == "2"
    assert answer.body["status"] == status


def test_poll_of_a_completed_invitation() -> None:
    """200, and nothing more to be polled."""
    answer = Desk(invitation(operation(state=completed()))).asks("result")
    assert (answer.status, dict(answer.headers), answer.body["status"]) == (200, {}, "completed")


def test_poll_of_a_partial_completion() -> None:
    """200 with the status of each, so that the flow goes on and can look."""
    both = operation(0, state=completed()), operation(1, state=failed())
    answer = Desk(invitation(*both)).asks("result")
    assert (answer.status, answer.body["status"]) == (200, "partiallyCompleted")
    assert [one["status"] for one in answer.body["participants"]] == ["completed", "failed"]


def test_poll_while_it_settles() -> None:
    """Several people: 202 until five seconds after the end, then the outcome, though nothing was written."""
    desk = Desk(invitation(operation(0, 1, state=completed())), of=call_with(alice=Presence.IN_CALL))
    desk.clock.moment = later(4.9)
    assert desk.asks("result").status == 202
    desk.clock.moment = later(5)
    answer = desk.asks("result")
    assert [one["status"] for one in answer.body["participants"]] == ["completed", "unconfirmed"]


def test_poll_of_a_failed_invitation() -> None:
    """422 that no flow repeats, with the sentence for the maker and Graph's codes."""
    error = _failed(Desk(invitation(operation(state=failed()))))
    assert (error.status, error.code) == (422, "InvitationFailed")
    assert "busy" in error.message
    assert error.inner == {"status": "failed", "invitationId": invitation().id, "code": "486", "subcode": "560486"}


def test_details_of_a_failure() -> None:
    """Every invited person is listed, with their status and their sentence."""
    refusal = Refused(ResultInfo(403, 7504, "Grant consent."), final=True)
    error = _failed(Desk(invitation(operation(0, state=failed()), operation(1, 2, state=refusal))))
    assert [(one.code, one.target) for one in error.details] == [
        ("failed", "participants[0]"),
        ("failed", "participants[1]"),
        ("failed", "participants[2]"),
    ]
    assert "busy" in error.details[0].message
    assert error.details[1].message == error.details[2].message == "Grant consent."


@pytest.mark.parametrize("code", [408, 429, 500, 503, 504, None])
def test_failure_is_422(code: int | None) -> None:
    """Never a 4xx of another kind nor a 5xx, whatever concluded it and whatever code the failure has."""
    result = ResultInfo(code, None, "x")
    for state in (failed(result), failed(result, by=Decider.WATCHDOG, seen=()), Refused(result, final=True)):
        assert _failed(Desk(invitation(operation(state=state)))).status == 422


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", TOKEN[:-1], "\ud800"])
@pytest.mark.parametrize("route", ["result", "cancel_wait"])
def test_wrong_token(route: str, token: str | None) -> None:
    """The same 404 as for an invitation that does not exist."""
    desk = Desk(invitation(flows=(flow(),)))
    with pytest.raises(NotFound) as caught:
        desk.asks(route, token=token)
    with pytest.raises(NotFound) as missing:
        desk.asks(route, callId="other")
    assert caught.value.body() == missing.value.body()


def test_two_tokens() -> None:
    """The token to poll does not end a waiting, where a flow waits or not; a flow's own token does not poll."""
    with pytest.raises(NotFound):
        Desk(invitation()).asks("cancel_wait", token=TOKEN)
    desk = Desk(invitation(flows=(flow(),)))
    for route, token in (("result", OWN), ("cancel_wait", TOKEN)):
        with pytest.raises(NotFound):
            desk.asks(route, token=token)
    assert desk.asks("cancel_wait", token=OWN).status == 204


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "ü" * 43, "t" * 42 + "%"])
@pytest.mark.parametrize("route", ["result", "cancel_wait"])
def test_impossible_token(route: str, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be a token costs storage nothing."""
    desk = Desk(invitation(flows=(flow(),)))
    monkeypatch.setattr(desk.store, "read", None)
    with pytest.raises(NotFound) as caught:
        desk.asks(route, token=token)
    assert caught.value.code == "InvitationNotFound"


@pytest.mark.parametrize(("route", "token"), [("result", TOKEN), ("cancel_wait", OWN)])
def test_tokens_end(route: str, token: str) -> None:
    """A day after the last outcome both tokens end, and the response says where to look instead."""
    operations = operation(0, state=completed()), operation(1, state=replace(completed(), at=later(60)))
    desk = Desk(invitation(*operations, flows=(flow(),)))
    desk.clock.moment = later(60 + 24 * 3600 - 1)
    assert desk.asks(route, token=token).status in (200, 204)
    desk.clock.moment = later(60 + 24 * 3600)
    with pytest.raises(NotFound) as caught:
        desk.asks(route, token=token)
    assert caught.value.code == "TokenEnded"
    assert "with the app's key instead" in caught.value.message
    with pytest.raises(NotFound) as wrong:
        desk.asks(route, token="w" * 43)
    assert wrong.value.code == "InvitationNotFound"
    assert desk.asks("invitation", token=None).status == 200


@pytest.mark.parametrize(("route", "token"), [("result", TOKEN), ("cancel_wait", OWN)])
def test_tokens_of_an_open_invitation(route: str, token: str) -> None:
    """While the outcome is not known, they work however long that takes."""
    desk = Desk(invitation(operation(0, state=completed()), operation(1), flows=(flow(),)))
    desk.clock.moment = later(30 * 24 * 3600)
    assert desk.asks(route, token=token).status in (202, 204)


@pytest.mark.parametrize("route", ["invitation", "result", "cancel_wait"])
@pytest.mark.parametrize("change", [{"callId": "other"}, {"invitationId": "B" * 26}, {"invitationId": "x"}])
def test_not_found(route: str, change: dict[str, str]) -> None:
    """An unknown call, invitation or malformed id."""
    with pytest.raises(NotFound):
        Desk(invitation()).asks(route, **change)


@pytest.mark.parametrize("route", ["invitation", "result", "cancel_wait", "invitations", "participants"])
def test_impossible_call_id(route: str) -> None:
    """400 before anything is read."""
    with pytest.raises(ApiError) as caught:
        Desk().asks(route, callId="../x")
    assert (caught.value.status, caught.value.code) == (400, "InvalidCallId")


@pytest.mark.parametrize(("state", "polls"), [(None, True), (failed(), False)])
def test_invitation(state: State | None, *, polls: bool) -> None:
    """Reading by key is 200 whatever the status; while it is open it says when to look again."""
    answer = Desk(invitation(operation(state=state))).asks("invitation", token=None)
    assert answer.status == 200
    assert ("Retry-After" in answer.headers) == polls


OVERDUE = [
    (invitation(), 180, True),
    (invitation(), 179.9, False),
    (invitation(alarm=Alarm("watch", later(300))), 200, False),
    (invitation(operation(state=Refused(BUSY, final=False))), 180, True),
    (invitation(operation(state=completed()), flows=(flow(),)), 180, True),
    (invitation(operation(state=completed()), flows=(flow(state=Delivery.DELIVERED),)), 10_000, False),
    (invitation(operation(state=failed())), 10_000, False),
]


@pytest.mark.parametrize(("made", "seconds", "sends"), OVERDUE)
@pytest.mark.parametrize("route", ["invitation", "result"])
def test_overdue_alarm(route: str, made: Invitation, seconds: float, *, sends: bool) -> None:
    """A poll that finds an alarm a minute overdue sends it again, under its name; it asks and writes nothing."""
    desk = Desk(made)
    desk.clock.moment = later(seconds)
    before = dict(desk.table.rows)
    for _ in range(2):
        try:
            desk.asks(route)
        except InvitationFailed:
            assert not sends
    assert desk.table.rows == before
    messages = [waiting.message for waiting in desk.queue.waiting]
    assert [(one["kind"], one["id"], one["alarm"]) for one in messages] == [(INVITATION, made.id, "watch")] * 2 * sends
    assert all(waiting.due == later(seconds) for waiting in desk.queue.waiting)


def test_overdue_alarm_without_a_queue() -> None:
    """A queue that fails does not keep the poll from its response."""

    class Broken:
        def send(self, message: Any, *, delay_seconds: float) -> None:
            raise StorageUnavailable

    desk = Desk(invitation())
    desk.progress._alarms._queue = Broken()
    desk.clock.moment = later(500)
    assert desk.asks("result").status == 202


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (Delivery.WAITING, Delivery.CANCELLED),
        (Delivery.DELIVERED, Delivery.DELIVERED),
        (Delivery.UNDELIVERABLE, Delivery.UNDELIVERABLE),
        (Delivery.CANCELLED, Delivery.CANCELLED),
    ],
)
@pytest.mark.parametrize("is_known", [False, True])
def test_cancelling_the_wait(state: Delivery, after: Delivery, *, is_known: bool) -> None:
    """204 each time; what was delivered stays delivered."""
    made = invitation(operation(state=completed() if is_known else None), flows=(flow(state=state),))
    desk = Desk(made)
    for _ in range(3):
        answer = desk.asks("cancel_wait", token=OWN)
        assert (answer.status, answer.body) == (204, None)
    assert desk.stored().flows[0].state is after
    assert desk.duties == []


def test_cancelling_one_of_several_waits() -> None:
    """Only the flow of the token stops waiting; another that is due is notified."""
    other = flow(message_id="msg_2", token="o" * 43)
    desk = Desk(invitation(flows=(flow(), other)))
    desk.asks("cancel_wait", token=OWN)
    assert [one.state for one in desk.stored().flows] == [Delivery.CANCELLED, Delivery.WAITING]
    desk = Desk(invitation(operation(state=completed()), flows=(flow(), other)))
    desk.asks("cancel_wait", token=OWN)
    assert desk.duties == ["msg_2"]


def test_cancelling_keeps_who_came() -> None:
    """Where the outcome's time to settle is over, it is written with what the roster showed."""
    made = invitation(operation(0, 1, state=completed()), flows=(flow(),))
    desk = Desk(made, of=call_with(alice=Presence.IN_CALL))
    desk.clock.moment = later(6)
    desk.asks("cancel_wait", token=OWN)
    assert desk.stored().operations[0].state == completed(seen=(0,))


def test_cancelling_with_the_token_of_an_older_row() -> None:
    """In a row of the previous release one token opens both."""
    desk = Desk(invitation(flows=(flow(token=None),)))
    assert desk.asks("cancel_wait").status == 204
    assert desk.stored().flows[0].state is Delivery.CANCELLED


def test_invitations_of_a_call() -> None:
    """Newest first, with presence; an unknown call has none."""
    several = (
        replace(invitation(), id=letter * 26, created=later(age)) for letter, age in (("A", 1), ("B", 3), ("C", 2))
    )
    desk = Desk(*several, of=call_with(alice=Presence.IN_CALL))
    shown = desk.asks("invitations").body["value"]
    assert [one["id"][0] for one in shown] == ["B", "C", "A"]
    assert {one["participants"][0]["presence"] for one in shown} == {"inCall"}
    assert desk.asks("invitations", callId="other").body == {"value": []}


def test_roster() -> None:
    """As last reported; those who left on request."""
    people = (entry("alice"), entry("bob", Presence.LEFT, left=later(5)))
    desk = Desk(of=call(), roster=people)
    assert [one["id"] for one in desk.asks("participants").body["value"]] == ["alice"]
    request = Request(route={"callId": CALL}, query={"includeLeft": "True"})
    shown = desk.queries.participants(request).body
    assert shown is not None
    assert [one["id"] for one in shown["value"]] == ["alice", "bob"]
    assert desk.asks("participants", callId="other").body == {"value": []}
