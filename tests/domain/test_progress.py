"""What is due by an invitation's row, and when its alarm has to come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.call import Presence
from domain.invitation import Alarm, Asked, Ended, Invitation, Late, Refused
from domain.progress import Due, Run, alarm_needed, asking_places, decide, earliest, is_open
from domain.standing import SETTLE, settle
from domain.waiting import Claim, Delivery, claimed
from tests.states import BUSY, call_with, completed, failed, flow, invitation, later, operation

ME = "me"
DONE = operation(state=completed())
SEVERAL = operation(0, 1, state=completed(at=later(10)))
ASKED = invitation(asked_by="")


def request(seconds: float = 0) -> Run:
    """A request that came after ``seconds``."""
    return Run(ME, later(seconds + 2), later(seconds + 2.5))


def message(seconds: float = 0, alarm: str = "watch") -> Run:
    """The run of a message that began after ``seconds``."""
    return Run(ME, later(seconds + 120), later(seconds + 25), is_message=True, alarm=alarm)


def waits(*flows_of: object, state: Ended | None = None) -> Invitation:
    """An invitation whose outcome is known, with flows."""
    return invitation(operation(state=state or completed()), flows=tuple(flows_of))


@pytest.mark.parametrize("run", [request(), message()])
def test_due_flows_are_claimed_together(run: Run) -> None:
    """Every flow whose outcome is known and unclaimed is claimed by the run that finds it, with its own limit."""
    delivered = flow(message_id="msg_2", state=Delivery.DELIVERED)
    other = claimed(flow(message_id="msg_3"), "other", later(9))
    after = decide(waits(flow(), delivered, other, flow(message_id="msg_4")), None, run, later(1))
    mine = Claim(ME, run.post_limit + (later(5) - later(0)))
    assert [one.claim for one in after.flows] == [mine, None, other.claim, mine]


def test_nothing_to_claim_is_the_same_object() -> None:
    """What is decided already costs no write."""
    for made in (ASKED, invitation(flows=(flow(),)), waits(flow(state=Delivery.DELIVERED))):
        assert decide(made, None, request(), later(1)) is made


@pytest.mark.parametrize(
    ("not_before", "now", "claims"),
    [(None, 1.9, True), (None, 2, False), (1.5, 0.2, True), (2, 0.2, False), (1.9, 1.8, True), (2.1, 1.8, False)],
)
def test_request_claims_only_what_it_can_begin(not_before: float | None, now: float, *, claims: bool) -> None:
    """Two seconds after a request came it begins no POST; it waits for a flow that listens before that."""
    one = flow(not_before=None if not_before is None else later(not_before))
    after = decide(waits(one), None, request(), later(now))
    assert (after.flows[0].claim is not None) is claims


@pytest.mark.parametrize(("not_before", "claims"), [(101.9, True), (102, False)])
def test_message_waits_two_seconds_for_a_flow(not_before: float, *, claims: bool) -> None:
    """What can begin within two seconds is waited for, the rest is the next alarm's."""
    after = decide(waits(flow(not_before=later(not_before))), None, message(100), later(100))
    assert (after.flows[0].claim is not None) is claims


def test_ended_claim_is_taken_over() -> None:
    """The run that claimed a POST was killed; the next one claims it."""
    one = claimed(flow(), "killed", later(2.5))
    assert decide(waits(one), None, request(7), later(7)).flows == (one,)
    assert decide(waits(one), None, request(8), later(8)).flows[0].claim == Claim(ME, later(8 + 2.5 + 5))


def test_settling_comes_before_claiming() -> None:
    """An operation that its time has settled is written down with what was seen; then its flow is due."""
    made = invitation(SEVERAL, flows=(flow(),))
    of = call_with(later(5), alice=Presence.IN_CALL)
    early = decide(made, of, request(10), later(11))
    assert early is made
    at = later(10) + SETTLE
    after = decide(made, of, request(15), at)
    assert after.operations[0].state == completed(at=later(10), seen=(0,))
    assert after.flows[0].claim is not None


def test_only_a_message_takes_over_late_requests() -> None:
    """What there was no time for in a request is sent by the queue's run, which names itself."""
    late = invitation(operation(state=Late()), DONE, asked_by="gone")
    assert decide(late, None, request(), later(1)) is late
    taken = decide(late, None, message(), later(1))
    assert (taken.asked_by, taken.operations[0].state) == (ME, Asked(answered=False))
    assert asking_places(taken, ME) == [0]
    assert asking_places(taken, "other") == []
    assert asking_places(invitation(operation(), operation(state=Refused(BUSY, final=True)), asked_by=ME), ME) == []


@pytest.mark.parametrize(
    ("made", "now", "due"),
    [
        # Running: the watchdog looks at its time, or at once where that is over.
        (invitation(), 5, Due(later(120))),
        (invitation(), 130, Due(later(130))),
        (invitation(flows=(flow(),)), 5, Due(later(120))),
        (invitation(operation(state=Refused(BUSY, final=False))), 5, Due(later(120))),
        # Not sent yet: at once.
        (invitation(operation(state=Late()), DONE), 5, Due(later(5))),
        # Ended, several people: the settling, where a flow waits for it.
        (invitation(SEVERAL, flows=(flow(),)), 11, Due(later(15), is_waited_for=True)),
        (invitation(SEVERAL, flows=(flow(state=Delivery.DELIVERED),)), 11, Due(later(120))),
        (invitation(SEVERAL), 11, Due(later(120))),
        (invitation(SEVERAL, operation(2)), 11, Due(later(120))),
        # Known: the earliest of its flows.
        (waits(flow(not_before=later(9))), 5, Due(later(9))),
        (waits(flow(not_before=later(9)), flow(not_before=later(7))), 5, Due(later(7))),
        (waits(flow(not_before=later(9)), flow()), 5, Due(later(5))),
        # Nothing more to happen.
        (waits(), 5, None),
        (waits(flow(state=Delivery.DELIVERED), flow(state=Delivery.UNDELIVERABLE)), 5, None),
        (invitation(operation(state=failed())), 5, None),
    ],
)
@pytest.mark.parametrize("is_message", [False, True])
def test_earliest(made: Invitation, now: float, due: Due | None, *, is_message: bool) -> None:
    """The earliest time that anything in an open invitation waits for; none where it is closed."""
    assert earliest(made, later(now), is_message=is_message) == due
    assert is_open(made, later(now)) is (due is not None)


def test_open_until_it_is_written_who_came() -> None:
    """Time alone settles what is shown, and the message whose time that is still has to write it."""
    made = invitation(SEVERAL)
    assert is_open(made, later(15))
    assert not is_open(settle(made, None, later(15)), later(15))


def test_own_claim_adds_no_message() -> None:
    """A request's claim is left to the pending alarm; a message, which may be the last, has to send a successor."""
    made = waits(claimed(flow(), ME, later(2.5)))
    assert earliest(made, later(1), is_message=False) is None
    assert earliest(made, later(1), is_message=True) == Due(later(7.5))
    assert is_open(made, later(1))


OPEN, CLOSED = invitation(), waits()
SOONER = replace(OPEN, watch_at=later(60))
PENDING = Alarm("watch", later(120))


@pytest.mark.parametrize(
    ("before", "after", "run", "now", "sends"),
    [
        # Inserted, with nothing pending yet.
        (None, OPEN, request(), 0, 120),
        (None, CLOSED, request(), 0, None),
        # An own alarm is pending, and early enough.
        (OPEN, OPEN, request(), 10, None),
        (OPEN, CLOSED, request(), 10, None),
        # Something waits for an earlier time.
        (OPEN, SOONER, request(), 10, 60),
        (OPEN, SOONER, message(alarm="other"), 10, 60),
        # Opened again: its alarm may have found it closed.
        (CLOSED, OPEN, request(), 10, 120),
        # The message that the row names sends a successor; another does not, unless the named one seems lost.
        (OPEN, replace(OPEN, watch_at=later(240)), message(120), 120, 240),
        (OPEN, replace(OPEN, watch_at=later(240)), message(120, "other"), 120, None),
        (OPEN, replace(OPEN, watch_at=later(240)), message(180, "other"), 179, None),
        (OPEN, replace(OPEN, watch_at=later(240)), message(180, "other"), 180, 240),
        (OPEN, replace(OPEN, watch_at=later(240)), request(180), 180, None),
        (OPEN, CLOSED, message(120), 120, None),
    ],
)
def test_alarm_needed(before: Invitation | None, after: Invitation, run: Run, now: float, sends: float | None) -> None:
    """An alarm is sent with what opens a thing, for an earlier time, and by the message that the row names."""
    moment = later(now)
    was_open = None if before is None else is_open(before, moment)
    due = earliest(after, moment, is_message=run.is_message)
    due = alarm_needed(due, run, moment, PENDING, was_open=was_open)
    assert due == (None if sends is None else Due(later(sends)))
