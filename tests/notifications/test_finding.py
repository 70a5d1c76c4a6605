"""Whose a report is: by Graph's id, by the context, and before anybody can know."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from domain.invitation import Decider, Invitation, Invitee, Operation, Status
from domain.results import OperationState, ResultInfo
from domain.standing import standing
from flows.alarms import Alarms
from flows.progress import Progress
from flows.publish import Publisher
from flows.turn import Turn, utc_now
from graph import wire
from invite.sending import Sender
from invite.service import InvitationService
from tests.fakes import FakeClock, MemoryQueue
from tests.notifications.reports import (
    DECLINED,
    graph_answered,
    kept,
    operation_item,
    statuses_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.notifications.conftest import Door


def test_a_failure_is_kept_with_its_codes(door: Door, call_id: str) -> None:
    """A decline is a failure with Graph's codes, whether they come as numbers or as text."""
    for code, subcode in ((603, 0), ("603", "0")):
        invitation = kept(door, call_id)
        result = {"code": code, "subcode": subcode, "message": "Declined"}
        door.accept(
            [operation_item(call_id, "failed", clientContext=invitation.client_context, id="o", resultInfo=result)]
        )
        (operation,) = door.invitation(invitation).operations
        assert (operation.status, operation.result) == (Status.FAILED, ResultInfo(603, 0, "Declined"))


def test_end_without_a_status(door: Door, call_id: str) -> None:
    """A deleted operation whose status is missing ended as its codes say; with neither, nothing is concluded."""
    results: list[tuple[Any, str]] = [
        ({"code": 200}, "completed"),
        (DECLINED, "failed"),
        (None, "running"),
        ({}, "running"),
    ]
    for result, status in results:
        invitation = kept(door, call_id)
        door.accept([operation_item(call_id, None, clientContext=invitation.client_context, resultInfo=result)])
        assert statuses_of(door.invitation(invitation)) == [status]


def test_a_part_is_found_by_its_own_context(door: Door, call_id: str) -> None:
    """Each request of a split invitation has its own outcome."""
    parts = [Operation(f"split~{number}of3", (number - 1,)) for number in (1, 2, 3)]
    invitation = kept(door, call_id, *parts, client_context="split")
    door.accept([operation_item(call_id, clientContext="split~2of3", id="o-2")])
    assert statuses_of(door.invitation(invitation)) == ["running", "completed", "running"]
    door.accept([operation_item(call_id, "failed", clientContext="split~3of3", id="o-3", resultInfo=DECLINED)])
    door.accept([operation_item(call_id, clientContext="split~1of3", id="o-1")])
    ended = door.invitation(invitation)
    assert statuses_of(ended) == ["completed", "completed", "failed"]
    assert [operation.id for operation in ended.operations] == ["o-1", "o-2", "o-3"]
    assert standing(ended, None, utc_now()).status is Status.PARTIALLY_COMPLETED


@pytest.mark.parametrize(
    ("named", "statuses"),
    [
        (["alice"], ["completed", "running"]),
        (["bob", "CAROL"], ["running", "completed"]),
        (["bob"], ["running", "running"]),
        (["alice", "bob", "carol"], ["completed", "completed"]),
        (["somebody"], ["running", "running"]),
        ([], ["running", "running"]),
    ],
)
def test_unsplit_context(named: list[str], statuses: list[str], door: Door, call_id: str) -> None:
    """A report that does not tell the parts apart ends those whose people it names all, and no other."""
    context = f"split-{uuid.uuid4()}"
    parts = (Operation(f"{context}~1of2", (0,)), Operation(f"{context}~2of2", (1, 2)))
    invitation = kept(door, call_id, *parts, client_context=context, people=3)
    people = [{"identity": {"user": {"id": person}}} for person in named]
    door.accept([operation_item(call_id, clientContext=context, id=None, participants=people)])
    assert statuses_of(door.invitation(invitation)) == statuses


def test_context_of_no_part(door: Door, call_id: str) -> None:
    """A part that there is not ends nothing."""
    invitation = kept(
        door, call_id, Operation("split~1of2", (0,)), Operation("split~2of2", (1,)), client_context="split"
    )
    for context in ("split~3of2", "split~1of3", "split~", "split~1of2~1of2", "SPLIT~1of2"):
        door.accept([operation_item(call_id, clientContext=context, id=None)])
    assert statuses_of(door.invitation(invitation)) == ["running", "running"]


def test_by_id_alone(door: Door, call_id: str) -> None:
    """Without a context, the id that Graph's answer gave leads to the invitation."""
    invitation = kept(door, call_id)
    graph_answered(door, invitation, {"id": "o-1", "status": "Running", "clientContext": invitation.client_context})
    for missing in ({}, {"clientContext": None}, {"clientContext": ""}, {"clientContext": 5}):
        door.accept([operation_item(call_id, id="o-1", **missing)])
        assert statuses_of(door.invitation(invitation)) == ["completed"]


def test_id_before_context(door: Door, call_id: str) -> None:
    """The id is Graph's own; a context can be used twice."""
    meant, other = kept(door, call_id), kept(door, call_id)
    for invitation, operation_id in ((meant, "o-1"), (other, "o-2")):
        graph_answered(door, invitation, {"id": operation_id, "status": "Running"})
    door.accept([operation_item(call_id, id="o-1", clientContext=other.client_context)])
    assert statuses_of(door.invitation(meant)) == ["completed"]
    assert statuses_of(door.invitation(other)) == ["running"]


def test_same_context_in_another_call(door: Door, call_id: str) -> None:
    """Two calls never get each other's outcomes."""
    one = kept(door, call_id, client_context="shared")
    other = kept(door, str(uuid.uuid4()), client_context="shared")
    door.accept([operation_item(call_id, clientContext="shared", id=None)])
    assert statuses_of(door.invitation(one)) == ["completed"]
    assert statuses_of(door.invitation(other)) == ["running"]


@pytest.mark.parametrize("form", [str.upper, str.lower, str.title])
def test_letter_case_of_a_call_id(form: Callable[[str], str], door: Door, call_id: str) -> None:
    """A GUID is the same in any case."""
    invitation = kept(door, call_id)
    door.accept([operation_item(form(call_id), clientContext=invitation.client_context)])
    assert statuses_of(door.invitation(invitation)) == ["completed"]


def test_operations_of_others(door: Door, call_id: str) -> None:
    """Operations of other apps and other kinds leave no trace, and Graph is not asked to send them again."""
    foreign = operation_item(call_id, clientContext="prompt", id="p-1")
    foreign["resourceData"]["@odata.type"] = "#microsoft.graph.playPromptOperation"
    door.accept([foreign, operation_item(call_id, clientContext="unknown", id="u-1")])
    assert door.operation(call_id, "u-1") is None
    assert door.operation(call_id, "p-1") is None
    assert door.stored_call(call_id) is None


class _GraphThatReportsFirst:
    """A Graph whose report is there before its answer to the invite."""

    def __init__(self, door: Door, *reports: dict[str, Any], answers: str = "Running") -> None:
        self._door, self._reports, self._answers = door, reports, answers

    def invite(self, call_id: str, body: Any, *, scenario_id: str, read_seconds: float) -> OperationState:
        for report in self._reports:
            self._door.accept([operation_item(call_id, **report)])
        return wire.operation_state({"id": "o-1", "status": self._answers, "clientContext": body["clientContext"]})


def _invite(door: Door, call_id: str, graph: Any) -> Invitation:
    progress = Progress(door.store, Alarms(MemoryQueue(FakeClock())), Publisher())
    service = InvitationService(door.store, progress, Sender(graph), check_after_seconds=120)
    people = (Invitee("user", {"id": "alice"}),)
    invitation, _ = service.invite(Turn(), call_id, people, f"context-{uuid.uuid4()}", {})
    return invitation


@pytest.mark.parametrize(
    "reports",
    [
        [{"id": "o-1"}],
        [{"id": "o-1"}, {"id": "o-1"}],
        [{"id": "o-1"}, {"id": "o-1", "status": "failed"}],
        [{"id": "o-1", "status": "running"}, {"id": "o-1"}],
        [{"id": "o-1", "status": "Running"}, {"id": "o-1", "status": "running"}, {"id": "o-1"}],
    ],
)
def test_report_before_the_answer(reports: list[dict[str, Any]], door: Door, call_id: str) -> None:
    """It is unknown yet which invitation it is about; with Graph's answer the outcome is there."""
    invitation = _invite(door, call_id, _GraphThatReportsFirst(door, *reports))
    for shown in (invitation, door.invitation(invitation)):
        assert statuses_of(shown) == ["completed"]
        assert shown.operations[0].decided_by is Decider.GRAPH


def test_failure_before_the_answer(door: Door, call_id: str) -> None:
    """The reason is not lost on the way."""
    report = {"id": "o-1", "status": "failed", "resultInfo": DECLINED}
    (operation,) = door.invitation(_invite(door, call_id, _GraphThatReportsFirst(door, report))).operations
    assert (operation.status, operation.result) == (Status.FAILED, ResultInfo(603, 0, str(DECLINED["message"])))


def test_running_before_the_answer(door: Door, call_id: str) -> None:
    """It is no outcome; the one that comes later is taken."""
    invitation = _invite(door, call_id, _GraphThatReportsFirst(door, {"id": "o-1", "status": "running"}))
    assert statuses_of(door.invitation(invitation)) == ["running"]
    door.accept([operation_item(call_id, id="o-1")])
    assert statuses_of(door.invitation(invitation)) == ["completed"]
