from __future__ import annotations

from typing import Any

import pytest

from domain.model import Delivery, FlowCallback, Invitation, Presence, ResultInfo, Status, Verdict
from domain.roster import identity_hash
from flows.links import Addresses
from flows.queries import Reading
from graph.errors import OutcomeUnknown, Refused
from storage import rows
from tests.states import BUSY, CALL, call_state, entry, invitation, later, operation, participant
from tests.watchdog.test_watchdog import FakeGraph, Kennel
from web.answers import Request
from web.errors import ApiError, InvitationFailed, NotFound

TOKEN = "t" * 43


class Desk:
    """Reading, in front of what is kept."""

    def __init__(self, *kept: Invitation, graph: FakeGraph | None = None) -> None:
        self.kennel = Kennel(graph)
        addresses = Addresses("https://app.example", ())
        outcomes = self.kennel.watchdog._outcomes
        self.reading = Reading(self.kennel.table, self.kennel.watchdog, addresses, outcomes, now=self.kennel.clock.now)
        for one in kept:
            self.kennel.table.insert_invitation(one)

    def asks(self, route: str, *, token: str | None = TOKEN, **changes: str) -> Any:
        query = {} if token is None else {"token": token}
        path = {"callId": CALL, "invitationId": invitation().id, **changes}
        return getattr(self.reading, route)(Request(route=path, query=query))


def _failed(desk: Desk) -> InvitationFailed:
    with pytest.raises(InvitationFailed) as caught:
        desk.asks("result")
    return caught.value


@pytest.mark.parametrize("status", [Status.RUNNING, Status.NOT_STARTED])
def test_a_poll_of_an_open_invitation_is_202_with_where_and_when(status: Status) -> None:
    """A flow that polls is told to go on, each time with address and time."""
    answer = Desk(invitation(operation(status=status))).asks("result")
    assert answer.status == 202
    assert answer.headers["Location"].endswith(f"/result?token={TOKEN}")
    assert answer.headers["Retry-After"] == "2"
    assert answer.body["status"] == status.value


def test_a_poll_of_a_completed_invitation_is_200() -> None:
    """Completed is a plain success, and nothing more to be polled."""
    answer = Desk(invitation(operation(status=Status.COMPLETED))).asks("result")
    assert (answer.status, dict(answer.headers), answer.body["status"]) == (200, {}, "completed")


def test_a_partial_completion_is_200_and_says_so() -> None:
    """Where some came and some did not, the flow goes on and can look at each."""
    both = operation(0, status=Status.COMPLETED), operation(1, status=Status.FAILED, result=BUSY)
    answer = Desk(invitation(*both)).asks("result")
    assert (answer.status, answer.body["status"]) == (200, "partiallyCompleted")
    assert [one["status"] for one in answer.body["participants"]] == ["completed", "failed"]


def test_a_poll_of_a_failed_invitation_is_422_with_advice() -> None:
    """A failure is an error that no flow repeats, with the maker's advice and Graph's codes."""
    error = _failed(Desk(invitation(operation(status=Status.FAILED, verdict=Verdict.GRAPH, result=BUSY))))
    assert (error.status, error.code) == (422, "InvitationFailed")
    assert "busy" in error.message
    assert error.inner == {
        "status": "failed",
        "invitationId": invitation().id,
        "code": "486",
        "subcode": "560486",
    }


@pytest.mark.parametrize("verdict", [Verdict.GRAPH, Verdict.WATCHDOG, Verdict.REFUSAL], ids=str)
def test_a_failure_is_422_whoever_found_it(verdict: Verdict) -> None:
    """Never 4xx of another kind and never 5xx, whatever code the failure itself has."""
    for code in (408, 429, 500, 503, 504, None):
        ended = operation(status=Status.FAILED, verdict=verdict, result=ResultInfo(code, None, "x"))
        assert _failed(Desk(invitation(ended))).status == 422


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", TOKEN[:-1]])
@pytest.mark.parametrize("route", ["result", "cancel_wait"])
def test_a_wrong_token_finds_nothing(route: str, token: str | None) -> None:
    """Whoever has not the token learns not even that there is such an invitation."""
    desk = Desk(invitation())
    with pytest.raises(NotFound) as caught:
        desk.asks(route, token=token)
    with pytest.raises(NotFound) as missing:
        desk.asks(route, callId="other")
    assert caught.value.body() == missing.value.body()


@pytest.mark.parametrize("route", ["invitation", "result", "cancel_wait"])
@pytest.mark.parametrize("change", [{"callId": "other"}, {"invitationId": "B" * 26}, {"invitationId": "x"}])
def test_what_is_not_there_is_404(route: str, change: dict[str, str]) -> None:
    """An unknown call, invitation or malformed id is not found."""
    with pytest.raises(NotFound):
        Desk(invitation()).asks(route, **change)


@pytest.mark.parametrize("route", ["invitation", "result", "cancel_wait", "invitations", "call", "participants"])
def test_an_impossible_call_id_is_400(route: str) -> None:
    """What can be no call's id is refused before anything is read."""
    with pytest.raises(ApiError) as caught:
        Desk().asks(route, callId="../x")
    assert (caught.value.status, caught.value.code) == (400, "InvalidCallId")


@pytest.mark.parametrize(("status", "polls"), [(Status.RUNNING, True), (Status.FAILED, False)])
def test_an_invitation_is_shown_as_it_stands(status: Status, *, polls: bool) -> None:
    """Reading by key is 200 whatever the status; while it is open it says when to look again."""
    answer = Desk(invitation(operation(status=status))).asks("invitation", token=None)
    assert (answer.status, answer.body["status"]) == (200, status.value)
    assert ("Retry-After" in answer.headers) == polls


def test_a_poll_makes_up_for_a_lost_message() -> None:
    """An invitation whose look is overdue is looked after by the poll itself, which tells the outcome at once."""
    desk = Desk(invitation(), graph=FakeGraph(people=[participant("alice")]))
    desk.kennel.at(181)
    answer = desk.asks("result")
    assert (answer.status, answer.body["status"]) == (200, "completed")
    assert desk.kennel.kept().operations[0].status is Status.COMPLETED


def test_a_poll_that_learns_nothing_sets_a_new_look() -> None:
    """After an overdue poll a message is on its way again, so that polls don't ask Graph each time."""
    desk = Desk(invitation(), graph=FakeGraph(the_call=OutcomeUnknown("x")))
    desk.kennel.at(181)
    assert desk.asks("result").status == 202
    assert desk.asks("result").status == 202
    assert desk.kennel.graph.asked == ["call"]
    assert len(desk.kennel.queue.waiting) == 1


def test_a_poll_in_time_asks_nothing_of_graph() -> None:
    """An ordinary poll costs one read of the table and nothing else."""
    desk = Desk(invitation(), graph=FakeGraph(the_call=Refused(404)))
    desk.kennel.at(170)
    assert desk.asks("result").status == 202
    assert desk.kennel.graph.asked == []


def test_a_poll_makes_up_for_a_lost_outcome() -> None:
    """A flow that was due to be told and was not is told after a poll."""
    owed = FlowCallback("https://flow.example", "m", Delivery.DUE)
    desk = Desk(invitation(operation(status=Status.COMPLETED), callback=owed))
    desk.kennel.at(30).clock.now()
    desk.asks("result")
    assert desk.kennel.outcomes_queue.waiting == []
    desk.kennel.at(61)
    desk.asks("result")
    assert len(desk.kennel.outcomes_queue.waiting) == 1


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (Delivery.WAITING, Delivery.CANCELLED),
        (Delivery.DUE, Delivery.CANCELLED),
        (Delivery.DELIVERED, Delivery.DELIVERED),
        (Delivery.UNDELIVERABLE, Delivery.UNDELIVERABLE),
        (Delivery.CANCELLED, Delivery.CANCELLED),
    ],
)
def test_a_flow_may_stop_waiting_any_number_of_times(state: Delivery, after: Delivery) -> None:
    """Ending the waiting is 204 each time; what was told stays told."""
    desk = Desk(invitation(callback=FlowCallback("https://flow.example", "m", state)))
    for _ in range(3):
        answer = desk.asks("cancel_wait")
        assert (answer.status, answer.body) == (204, None)
    callback = desk.kennel.kept().callback
    assert callback is not None
    assert callback.state is after


def test_stopping_to_wait_where_nobody_waits_is_fine() -> None:
    """An invitation that is polled has no waiting to end, and no fault."""
    assert Desk(invitation()).asks("cancel_wait").status == 204


def test_all_invitations_of_a_call_are_listed_newest_first() -> None:
    """A call's invitations come with presence, the newest on top; an unknown call has none."""
    desk = Desk(*(invitation(id=letter * 26, created=later(age)) for letter, age in (("A", 1), ("B", 3), ("C", 2))))
    people = {identity_hash("alice"): Presence.IN_CALL}
    desk.kennel.table.write([rows.Row(rows.call_entity(call_state(presence=people)))])
    shown = desk.asks("invitations").body["value"]
    assert [one["id"][0] for one in shown] == ["B", "C", "A"]
    assert {one["participants"][0]["presence"] for one in shown} == {"inCall"}
    assert desk.asks("invitations", callId="other").body == {"value": []}


def test_a_call_that_graph_never_reported_is_404_with_advice() -> None:
    """A call without reports mostly has another callback address: the error says so."""
    with pytest.raises(NotFound) as caught:
        Desk().asks("call")
    assert caught.value.code == "CallNotFound"
    assert "callbackUri" in caught.value.message


def test_a_call_and_its_people_are_shown() -> None:
    """Call and roster are read as last reported, those who left on request."""
    desk = Desk()
    people = [entry("alice"), entry("bob", Presence.LEFT, left=later(5))]
    desk.kennel.table.write(
        [
            rows.Row(rows.call_entity(call_state(state="established"))),
            *(rows.Row(rows.roster_entity(CALL, one)) for one in people),
        ]
    )
    assert desk.asks("call").body["state"] == "established"
    assert [one["id"] for one in desk.asks("participants").body["value"]] == ["alice"]
    request = Request(route={"callId": CALL}, query={"includeLeft": "True"})
    shown = desk.reading.participants(request).body
    assert shown is not None
    assert [one["id"] for one in shown["value"]] == ["alice", "bob"]
    assert desk.asks("participants", callId="other").body == {"value": []}
