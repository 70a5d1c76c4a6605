"""How steps are won, lost and over, and who is cancelled: the contract's sentences, one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flows.turn import Turn
from notifications.payload import reports_of
from tests.escalation.world import CALL, EscalationWorld, person
from tests.never_twice.world import call_item

if TYPE_CHECKING:
    from web.answers import Answer


def view(world: EscalationWorld) -> dict[str, Any]:
    """The escalation as a flow reads it."""
    body = world.get().body
    assert body is not None
    return dict(body)


def standing(world: EscalationWorld) -> tuple[str, list[str]]:
    """The escalation's status, and its steps'."""
    body = view(world)
    return body["status"], [step["status"] for step in body["steps"]]


def joined(world: EscalationWorld) -> list[tuple[str, int, int]]:
    """Who has joined, with round and step."""
    return [(one["identity"]["user"]["id"], one["round"], one["step"]) for one in view(world)["joined"]]


def body_of(answer: Answer | None) -> dict[str, Any]:
    """The body of an answer."""
    assert answer is not None
    assert answer.body is not None
    return dict(answer.body)


def test_the_first_step_is_won(world: EscalationWorld) -> None:
    """No other person is called, and the other steps are skipped."""
    world.escalate([1, 2], [3])
    assert standing(world) == ("running", ["running", "notStarted"])
    world.answers(2)
    assert standing(world) == ("completed", ["completed", "skipped"])
    assert joined(world) == [(person(2), 1, 1)]
    assert world.graph.calls[person(3)] == 0
    assert world.graph.removed == [person(1)]


def test_a_lost_step_leads_to_the_next_at_once(world: EscalationWorld) -> None:
    """The report of the last person who declines begins it, without the queue."""
    world.escalate([1, 2], [3])
    world.declines(1)
    assert standing(world) == ("running", ["running", "notStarted"])
    world.declines(2)
    assert standing(world) == ("running", ["failed", "running"])
    assert world.graph.calls == {person(one): 1 for one in (1, 2, 3)}


def test_a_step_is_over_by_its_time(world: EscalationWorld) -> None:
    """Who still rings is cancelled, with a reason, and the next step begins."""
    world.escalate([1], [2], seconds=10)
    world.pass_time(9)
    assert standing(world) == ("running", ["running", "notStarted"])
    world.pass_time(2)
    assert standing(world) == ("running", ["failed", "running"])
    assert world.graph.removed == [person(1)]
    (first,) = view(world)["steps"][0]["participants"]
    assert (first["status"], first["reason"]) == ("failed", "The call to this person was cancelled.")
    assert first["resultInfo"]["code"] == 487


def test_who_is_not_listed_is_tried_once_more(world: EscalationWorld) -> None:
    """By the alarm, 5 seconds later, and not a third time."""
    world.graph.lists_ringing = False
    world.escalate([1], [2], seconds=20)
    world.pass_time(20)
    reads = world.graph.reads
    world.pass_time(4)
    assert world.graph.reads == reads
    world.pass_time(2)
    assert world.graph.reads == reads + 1
    world.pass_time(10)
    assert world.graph.reads == reads + 1
    assert not world.graph.removed


def test_who_is_listed_later_is_cancelled_then(world: EscalationWorld) -> None:
    """The second try finds them."""
    world.graph.lists_ringing = False
    world.escalate([1], [2], seconds=20)
    world.pass_time(20)
    world.graph.lists_ringing = True
    world.pass_time(6)
    assert world.graph.removed == [person(1)]


@pytest.mark.parametrize("where", ["call", "lobby"])
def test_who_has_answered_is_never_removed(world: EscalationWorld, where: str) -> None:
    """Whatever was reported: they joined, or wait in the lobby."""
    world.escalate([1], [2], seconds=10)
    world.graph.stops_ringing(person(1))
    (world.graph.present if where == "call" else world.graph.lobby).add(person(1))
    world.pass_time(12)
    assert not world.graph.removed_after_answer
    (first,) = view(world)["steps"][0]["participants"]
    if where == "call":
        assert standing(world)[0] == "completed"
        assert joined(world) == [(person(1), 1, 1)]
        assert first["presence"] == "inCall"
        assert world.graph.removed == [person(2)]
    else:
        assert standing(world) == ("running", ["failed", "running"])
        assert first["presence"] == "inLobby"


def test_a_second_device_is_not_a_ringing_person(world: EscalationWorld) -> None:
    """Who answers with one device is not removed because another still rings."""
    world.escalate([1], [2], seconds=10)
    world.graph.present.add(person(1))
    world.pass_time(12)
    assert person(1) not in world.graph.removed


def test_graph_does_not_let_the_app_cancel(world: EscalationWorld, caplog: pytest.LogCaptureFixture) -> None:
    """The next step begins anyway, the log names the cmdlet, and a late answer wins."""
    world.graph.removal_status = 403
    world.escalate([1], [2], seconds=10)
    world.pass_time(12)
    assert standing(world) == ("running", ["failed", "running"])
    assert "Set-CsApplicationMeetingConfiguration" in caplog.text
    world.answers(1)
    assert standing(world) == ("completed", ["failed", "completed"])
    assert joined(world) == [(person(1), 1, 1)]


def test_a_late_answer_wins(world: EscalationWorld) -> None:
    """The running step ends, and its people are cancelled."""
    world.graph.lists_ringing = False
    world.escalate([1], [2], [3], seconds=10)
    world.pass_time(12)
    world.graph.lists_ringing = True
    world.answers(1)
    assert standing(world) == ("completed", ["failed", "completed", "skipped"])
    assert joined(world) == [(person(1), 1, 1)]
    assert world.graph.removed == [person(2)]


def test_the_whole_step_has_to_join(world: EscalationWorld) -> None:
    """One is not enough; both are."""
    world.escalate([1, 2], [3], stopWhen="wholeStepJoins")
    world.answers(1)
    assert standing(world) == ("running", ["running", "notStarted"])
    world.answers(2)
    assert standing(world) == ("completed", ["completed", "skipped"])


def test_the_whole_step_can_no_longer_join(world: EscalationWorld) -> None:
    """One declines: the step is lost at once, and the other is cancelled if their device rings."""
    world.escalate([1, 2], [3], stopWhen="wholeStepJoins")
    world.declines(1)
    assert standing(world) == ("running", ["failed", "running"])
    assert world.graph.removed == [person(2)]


def test_an_earlier_step_joins_late_as_a_whole(world: EscalationWorld) -> None:
    """With wholeStepJoins a part of an earlier step wins nothing, all of it does."""
    world.graph.lists_ringing = False
    world.escalate([1, 2], [3, 4], seconds=10, stopWhen="wholeStepJoins")
    world.answers(1)
    world.pass_time(12)
    assert standing(world) == ("running", ["failed", "running"])
    world.answers(3)
    assert standing(world)[0] == "running"
    world.answers(2)
    assert standing(world)[0] == "completed"
    assert joined(world) == [(person(1), 1, 1), (person(3), 1, 2), (person(2), 1, 1)]


def test_who_declined_and_came_by_themselves_has_not_failed(world: EscalationWorld) -> None:
    """With wholeStepJoins a step isn't lost by a person who is in the call."""
    world.escalate([1, 2], stopWhen="wholeStepJoins")
    world.graph.present.add(person(1))
    world.report(world.roster())
    world.declines(1)
    assert standing(world)[0] == "running"
    world.answers(2)
    assert standing(world)[0] == "completed"


def test_who_is_in_the_call_counts_and_is_not_called(world: EscalationWorld) -> None:
    """The step is won as it begins: no person is called."""
    world.graph.present.add(person(2))
    answer = world.escalate([1, 2], [3])
    assert answer is not None
    assert body_of(answer)["status"] == "completed"
    assert not world.graph.taken
    first, second = view(world)["steps"][0]["participants"]
    assert (first["status"], second["status"]) == ("notStarted", "completed")
    assert second["operationId"] is None
    assert "in the call already" in second["reason"]
    assert joined(world) == [(person(2), 1, 1)]


def test_a_whole_step_that_is_partly_there(world: EscalationWorld) -> None:
    """Only the others are called."""
    world.graph.present.add(person(1))
    world.escalate([1, 2, 3], stopWhen="wholeStepJoins")
    assert world.graph.calls == {person(2): 1, person(3): 1}
    world.answers(2)
    world.answers(3)
    assert standing(world)[0] == "completed"
    statuses = [one["status"] for one in view(world)["steps"][0]["participants"]]
    assert statuses == ["completed"] * 3


def test_a_later_step_that_is_there_wins(world: EscalationWorld) -> None:
    """Who came by themselves before their step begins counts when it begins."""
    world.escalate([1], [2])
    world.graph.present.add(person(2))
    world.report(world.roster())
    assert standing(world)[0] == "running"
    world.declines(1)
    assert standing(world) == ("completed", ["failed", "completed"])
    assert world.graph.calls[person(2)] == 0


def test_the_lobby_is_not_the_call(world: EscalationWorld) -> None:
    """A person who waits there has not joined, also if their operation has completed; admitted they have."""
    world.escalate([1], [2], seconds=10)
    world.graph.stops_ringing(person(1))
    world.graph.lobby.add(person(1))
    world.report(world.roster(), world.operation(1, "completed"))
    assert standing(world) == ("running", ["running", "notStarted"])
    world.pass_time(11)
    assert standing(world) == ("running", ["failed", "running"])
    world.graph.lobby.clear()
    world.graph.present.add(person(1))
    world.report(world.roster())
    assert standing(world)[0] == "completed"


@pytest.mark.parametrize("goes", ["gives up", "call ends"])
def test_who_only_waited_in_the_lobby(world: EscalationWorld, goes: str) -> None:
    """They haven't joined when they give up, or the call ends, though Graph has called their operation completed."""
    world.escalate([1], [2], seconds=10)
    world.graph.stops_ringing(person(1))
    world.graph.lobby.add(person(1))
    world.report(world.roster(), world.operation(1, "completed"))
    world.pass_time(12)
    world.graph.lobby.clear()
    if goes == "gives up":
        world.report(world.roster())
        assert standing(world) == ("running", ["failed", "running"])
        assert person(2) in world.graph.ringing.values()
    else:
        world.ends()
        assert standing(world) == ("failed", ["failed", "failed"])
    assert joined(world) == []


def test_a_step_of_refused_people_is_lost_at_once(world: EscalationWorld) -> None:
    """The request that learns it goes on to the next step."""
    world.graph.next_answers = ["refused", "refused"]
    answer = world.escalate([1, 2], [3])
    assert body_of(answer)["currentStep"] == 2
    assert standing(world) == ("running", ["failed", "running"])
    assert world.graph.calls == {person(3): 1}
    assert all(one["reason"] for one in view(world)["steps"][0]["participants"])


def test_all_refused(world: EscalationWorld) -> None:
    """The escalation has failed when it is answered."""
    world.graph.next_answers = ["refused", "refused"]
    assert body_of(world.escalate([1], [2]))["status"] == "failed"


def test_a_throttled_person_is_tried_again_within_the_step(world: EscalationWorld) -> None:
    """Also where others of the step were called; the refused one is not."""
    world.graph.next_answers = ["running", "throttled", "refused"]
    world.escalate([1, 2, 3], [4], seconds=45)
    assert [one["status"] for one in view(world)["steps"][0]["participants"]] == ["running", "notStarted", "failed"]
    world.pass_time(7)
    assert world.graph.calls == {person(1): 1, person(2): 1}
    assert [one["status"] for one in view(world)["steps"][0]["participants"]] == ["running", "running", "failed"]


@pytest.mark.usefixtures("in_order")
@pytest.mark.parametrize("ends", ["won", "stopped"])
def test_the_step_ends_while_a_throttled_person_waits(ends: str) -> None:
    """A run that waits as long as Graph asks looks again before it calls: no person is called after the end."""

    def throttled() -> EscalationWorld:
        world = EscalationWorld()
        world.report(call_item("established"))
        world.graph.next_answers = ["running", "throttled", "throttled"]
        world.escalate([1, 2], seconds=120)
        world.clock.moment += timedelta(seconds=6)
        return world

    counted: list[str] = []
    twin, world = throttled(), throttled()
    _count_steps(twin, counted)
    twin.work_queue()
    assert twin.graph.calls[person(2)] == 1
    world.plan.kind = "meanwhile"
    world.plan.meanwhile = world.stop if ends == "stopped" else lambda: world.answers(1)
    # Graph's second refusal is there, and the run waits for 30 seconds.
    world.plan.countdown = counted.index("invite") + 2
    world.work_queue()
    world.pass_time(60)
    assert world.escalation().is_final
    assert world.graph.calls[person(2)] == 0
    assert "not called" in view(world)["steps"][0]["participants"][1]["reason"]


def test_throttled_until_the_end_of_the_step(world: EscalationWorld) -> None:
    """They were not called, with a reason; the next step begins."""
    world.graph.next_answers = ["throttled"] * 40
    world.escalate([1], [2], seconds=20)
    world.pass_time(19)
    world.graph.next_answers = []
    world.pass_time(3)
    (first,) = view(world)["steps"][0]["participants"]
    assert (first["status"], world.graph.calls[person(1)]) == ("failed", 0)
    assert "not called" in first["reason"]
    assert world.graph.calls[person(2)] == 1


def test_what_there_was_no_time_for_is_begun_by_the_queue(world: EscalationWorld) -> None:
    """A callback that came two seconds ago begins no request; the queue does."""
    world.escalate([1], [2])
    world.graph.stops_ringing(person(1))
    world.report(world.operation(1, "failed"), late_seconds=3)
    assert standing(world) == ("running", ["failed", "running"])
    assert world.graph.calls[person(2)] == 0
    assert view(world)["steps"][1]["participants"][0]["status"] == "notStarted"
    world.pass_time(1)
    assert world.graph.calls[person(2)] == 1


def test_nobody_is_begun_after_the_end_of_the_step(world: EscalationWorld) -> None:
    """What waited on the queue for too long is not begun any more."""
    world.escalate([1], [2], seconds=5)
    world.graph.stops_ringing(person(1))
    world.report(world.operation(1, "failed"), late_seconds=3)
    world.clock.moment += timedelta(seconds=6)
    world.pass_time(1)
    assert world.graph.calls[person(2)] == 0
    assert standing(world) == ("failed", ["failed", "failed"])


def test_rounds(world: EscalationWorld) -> None:
    """Everybody is called once in each round, and the steps are shown as they stand in it."""
    world.escalate([1], [2], repeat=1)
    world.declines(1)
    world.declines(2)
    body = view(world)
    assert (body["round"], body["currentStep"]) == (2, 1)
    assert [step["status"] for step in body["steps"]] == ["running", "notStarted"]
    world.answers(1)
    assert joined(world) == [(person(1), 2, 1)]
    assert world.graph.calls == {person(1): 2, person(2): 1}
    assert len({one["clientContext"] for one in world.graph.taken}) == 3


def test_the_last_round_is_lost(world: EscalationWorld) -> None:
    """The escalation has failed, with a reason."""
    world.escalate([1], repeat=1)
    world.declines(1)
    world.declines(1)
    body = view(world)
    assert (body["status"], body["round"]) == ("failed", 2)
    assert "No one joined" in body["reason"]


def test_the_same_person_in_two_steps(world: EscalationWorld) -> None:
    """They are listed once, in the step that reached them."""
    world.escalate([1], [2], [1])
    world.declines(1)
    world.declines(2)
    world.answers(1)
    assert joined(world) == [(person(1), 1, 3)]


def test_joined_grows_after_the_end(world: EscalationWorld) -> None:
    """By a late answer, and by a roster; nothing else changes."""
    world.graph.lists_ringing = False
    world.escalate([1, 2, 3, 4])
    world.answers(1)
    before = view(world)
    world.answers(2)
    world.declines(3)
    world.graph.present.add(person(4))
    world.report(world.roster())
    after = view(world)
    assert [one[0] for one in joined(world)] == [person(1), person(2), person(4)]
    kept = ("status", "reason", "round", "currentStep")
    assert [before[name] for name in kept] == [after[name] for name in kept]
    assert before["steps"][0]["endedDateTime"] == after["steps"][0]["endedDateTime"]


def test_joined_grows_long_after_the_end_and_never_shrinks(world: EscalationWorld) -> None:
    """Who failed, comes by themselves and leaves again stays listed."""
    world.escalate([1], [2])
    world.declines(1)
    world.answers(2)
    world.pass_time(60)
    assert world.record().call.escalations == ()  # type: ignore[union-attr]
    world.graph.present.add(person(1))
    world.report(world.roster())
    world.graph.present.clear()
    world.report(world.roster())
    assert {one[0] for one in joined(world)} == {person(1), person(2)}


@pytest.mark.parametrize("goes", ["leaves", "call ends"])
def test_who_joined_and_is_gone_before_anything_looks(world: EscalationWorld, goes: str) -> None:
    """The run that wrote down that they came was killed: the next one finds the step won all the same."""
    world.escalate([1], [2])
    world.pass_time(1)
    world.graph.stops_ringing(person(1))
    world.graph.present.add(person(1))
    world.report_is_only_written(world.roster())
    world.pass_time(1)
    if goes == "leaves":
        world.graph.present.clear()
        world.report(world.roster())
    else:
        world.ends()
    assert standing(world) == ("completed", ["completed", "skipped"])
    assert joined(world) == [(person(1), 1, 1)]
    assert world.graph.calls[person(2)] == 0


def test_who_left_before_their_step_began(world: EscalationWorld) -> None:
    """They are called, and haven't joined while only their device rings."""
    world.graph.present.add(person(2))
    world.report(world.roster())
    world.escalate([1], [2])
    world.pass_time(1)
    world.graph.present.clear()
    world.report(world.roster())
    world.pass_time(1)
    world.declines(1)
    world.report(world.roster())
    assert standing(world) == ("running", ["failed", "running"])
    world.declines(2)
    world.report(world.roster())
    assert standing(world) == ("failed", ["failed", "failed"])
    assert joined(world) == []


def test_the_call_ends(world: EscalationWorld) -> None:
    """The escalation and its step have failed, with a reason; no person is called or cancelled any more."""
    world.escalate([1], [2])
    world.ends()
    body = view(world)
    assert standing(world) == ("failed", ["failed", "skipped"])
    assert "call ended" in body["reason"]
    world.pass_time(120)
    assert world.graph.calls == {person(1): 1}
    assert not world.queue.waiting


def test_stopped(world: EscalationWorld) -> None:
    """No further person is called, who rings is cancelled, and stopping again changes nothing."""
    world.escalate([1], [2])
    body = body_of(world.stop())
    assert (body["status"], [step["status"] for step in body["steps"]]) == ("stopped", ["failed", "skipped"])
    assert body["reason"]
    assert world.graph.removed == [person(1)]
    world.pass_time(60)
    assert body_of(world.stop())["lastUpdatedDateTime"] == body["lastUpdatedDateTime"]
    assert world.graph.calls == {person(1): 1}


def test_stopped_after_the_call_has_ended(world: EscalationWorld) -> None:
    """The run that wrote down the end was killed: it has failed, with the reason that the flow can act on."""
    world.escalate([1], [2])
    world.report_is_only_written(call_item("terminated"))
    body = body_of(world.stop())
    assert body["status"] == "failed"
    assert "call ended" in body["reason"]


def test_stopped_before_a_person_is_listed(world: EscalationWorld) -> None:
    """An escalation that is over stays open until everybody to be cancelled was tried again."""
    world.graph.lists_ringing = False
    world.escalate([1], [2])
    assert body_of(world.stop())["status"] == "stopped"
    world.graph.lists_ringing = True
    world.pass_time(50)
    assert world.graph.removed == [person(1)]


def test_stopped_while_a_person_is_being_called(world: EscalationWorld) -> None:
    """Who writes down Graph's answer looks again, and cancels."""
    world.escalate([1], [2])
    world.plan.kind, world.plan.meanwhile = "meanwhile", world.stop
    world.graph.stops_ringing(person(1))
    # Just before the second person's request reaches Graph.
    world.plan.countdown = 1 + _steps_until_invite(world)
    world.report(world.operation(1, "failed"))
    assert standing(world)[0] == "stopped"
    assert world.graph.calls[person(2)] == 1
    assert world.graph.removed == [person(2)]


def _steps_until_invite(world: EscalationWorld) -> int:
    """How many requests a callback makes before it asks Graph, counted in a world that goes the same way."""
    twin = EscalationWorld()
    twin.report(call_item("established"))
    twin.escalate([1], [2])
    counted: list[str] = []
    _count_steps(twin, counted)
    twin.declines(1)
    assert world.graph.calls == {person(1): 1}
    return counted.index("invite")


def _count_steps(world: EscalationWorld, counted: list[str]) -> None:
    wrap = world.plan.wrap

    def counting(step: Any, *arguments: Any, **named: Any) -> Any:
        counted.append(step.__name__)
        return wrap(step, *arguments, **named)

    world.plan.wrap = counting  # type: ignore[method-assign]


@pytest.mark.parametrize("learnt_by", ["operation", "roster"])
@pytest.mark.parametrize("step", range(1, 9))
def test_won_while_the_step_ends(world: EscalationWorld, learnt_by: str, step: int) -> None:
    """What is written down between the reading and the writing of a step's end counts: no further step is begun."""
    world.graph.lists_ringing = False
    world.escalate([1], [2], [3], seconds=10)
    world.pass_time(12)
    begun = []

    def report_is_written_and_the_process_exits() -> None:
        begun.append(len(world.escalation().begun))
        world.graph.present.add(person(1))
        item = world.operation(1, "completed") if learnt_by == "operation" else world.roster()
        world.receiver.record(Turn(world.clock.now()), CALL, list(reports_of(item)))

    world.plan.kind, world.plan.meanwhile = "meanwhile", report_is_written_and_the_process_exits
    world.plan.countdown = step
    world.graph.stops_ringing(person(2))
    world.report(world.operation(2, "failed"))
    if begun == [2]:
        assert world.graph.calls[person(3)] == 0
        assert standing(world)[0] == "completed"
    world.pass_time(10)
    assert not begun or standing(world)[0] == "completed"
