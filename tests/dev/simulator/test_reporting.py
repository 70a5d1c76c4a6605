from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from dev.simulator import Delivery, OptionError, Simulator
from tests.dev.simulator.caller import ALICE, BOB, Caller

if TYPE_CHECKING:
    from tests.dev.simulator.inbox import Inbox

Options = dict[str, Any]


def _reported(
    graph: Simulator, inbox: Inbox, caller: Caller, people: tuple[str, ...] = (ALICE,), **options: Any
) -> str:
    """Invite into a new call with these options, wait for all reports, and return the call's id."""
    call_id = graph.create_call(inbox.url, announce=False, **options)
    caller.invite(call_id, *people)
    assert graph.wait_idle()
    return call_id


def _kinds(inbox: Inbox) -> list[str]:
    kinds: list[str] = []
    for received in inbox.received:
        data = received.items[0]["resourceData"]
        kinds.append("roster" if isinstance(data, list) else str(data.get("status", "call")))
    return kinds


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({}, ["completed", "roster"]),
        ({"lost": "operation"}, ["roster"]),
        ({"lost": "roster"}, ["completed"]),
        ({"lost": "all"}, []),
        ({"copies": 2}, ["completed", "completed", "roster", "roster"]),
        ({"roster_first": True}, ["roster", "completed"]),
        ({"running": "first"}, ["running", "completed", "roster"]),
        ({"running": "late"}, ["completed", "roster", "running"]),
    ],
    ids=str,
)
def test_reports_come_in_the_chosen_order_and_number(
    graph: Simulator, inbox: Inbox, caller: Caller, options: Options, kinds: list[str]
) -> None:
    """Lost, doubled, reordered, with and without a running notification."""
    _reported(graph, inbox, caller, **options)
    assert _kinds(inbox) == kinds


def test_what_is_lost_on_purpose_is_in_the_log(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """The log distinguishes a callback that was never sent from one that was not accepted."""
    _reported(graph, inbox, caller, lost="operation")
    assert [(entry.about, entry.lost, entry.status) for entry in graph.log.callbacks] == [
        ("operation", True, None),
        ("roster", False, 202),
    ]


def test_a_running_notification_is_an_update(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """It has changeType updated and the operation's own path."""
    call_id = _reported(graph, inbox, caller, running="first")
    (item,) = inbox.received[0].items
    assert item["changeType"] == "updated"
    assert item["resourceUrl"] == f"/communications/calls/{call_id}/operations/{item['resourceData']['id']}"


def test_reports_can_come_late(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """The outcome is reported long after it happened, with the state of then."""
    began = time.monotonic()
    _reported(graph, inbox, caller, late=30)
    assert time.monotonic() - began >= 0.33
    (ring,) = graph.log.rings
    assert ring.ended_at is not None
    assert graph.log.callbacks[0].at - ring.ended_at >= 0.29


def test_the_report_can_come_before_the_answer(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """The invite is answered only after its operation's end was delivered."""
    call_id = graph.create_call(inbox.url, announce=False, before_response=True)
    answer = caller.invite(call_id, ALICE)
    assert inbox.about("operation")[0].data["id"] == answer.json()["id"]
    assert answer.json()["status"] == "Running"


def test_one_post_can_hold_everything(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Operation and roster come as items of one notification, among others that don't concern an invitation."""
    _reported(graph, inbox, caller, together=True, foreign_items=True)
    (received,) = inbox.received
    kinds = [
        "roster" if isinstance(i["resourceData"], list) else i["resourceData"]["@odata.type"] for i in received.items
    ]
    assert kinds == [
        "#microsoft.graph.call",
        "#microsoft.graph.inviteParticipantsOperation",
        "roster",
        "#microsoft.graph.somethingNew",
    ]
    assert [entry.about for entry in graph.log.callbacks] == ["operation+roster"]


@pytest.mark.parametrize(
    ("status", "kinds", "rings"),
    [
        (None, ["completed", "roster"], 1),
        ("notStarted", ["completed", "roster"], 1),
        ("completed", ["roster"], 1),
        ("failed", [], 0),
    ],
)
def test_the_answer_can_have_any_status(
    graph: Simulator, inbox: Inbox, caller: Caller, *, status: str | None, kinds: list[str], rings: int
) -> None:
    """A final status in the answer means that no report of the operation follows; null means that one does."""
    call_id = graph.create_call(inbox.url, announce=False, response_status=status)
    assert caller.invite(call_id, ALICE).json()["status"] == status
    assert graph.wait_idle()
    assert _kinds(inbox) == kinds
    assert len(graph.log.rings) == rings


def test_the_answer_can_be_empty(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """An accepted invite may have a response without an operation; its report comes all the same."""
    call_id = graph.create_call(inbox.url, announce=False, response_empty=True)
    answer = caller.invite(call_id, ALICE)
    assert (answer.status_code, answer.content) == (200, b"")
    assert graph.wait_idle()
    assert inbox.about("operation")[0].data["clientContext"] == "context"


@pytest.mark.parametrize(
    ("casing", "words"),
    [
        ("lower", ("running", "deleted", "completed")),
        ("upper", ("RUNNING", "DELETED", "COMPLETED")),
        ("title", ("Running", "Deleted", "Completed")),
    ],
)
def test_enumerations_come_in_any_letter_case(
    graph: Simulator, inbox: Inbox, caller: Caller, casing: Any, words: tuple[str, ...]
) -> None:
    """Status and changeType are in the chosen letter case, in responses and in notifications."""
    call_id = graph.create_call(inbox.url, announce=False, casing=casing)
    answered = caller.invite(call_id, ALICE).json()["status"]
    assert graph.wait_idle()
    (item,) = inbox.about("operation")[0].items
    assert (answered, item["changeType"], item["resourceData"]["status"]) == words


def test_resource_can_be_missing(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Only resourceUrl is a declared member, so resource may be left out."""
    _reported(graph, inbox, caller, operation_resource="none", roster_resource="none")
    assert all("resource" not in received.items[0] for received in inbox.received)
    assert all("resourceUrl" in received.items[0] for received in inbox.received)


def test_client_context_can_be_missing(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A report may have nothing but the operation's id."""
    _reported(graph, inbox, caller, without_client_context=True)
    assert "clientContext" not in inbox.about("operation")[0].data


def test_the_operation_can_lose_its_id(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Then its id is null, its path ends in participants, and only the context identifies it."""
    call_id = _reported(graph, inbox, caller, operation_id_null=True)
    (item,) = inbox.about("operation")[0].items
    assert item["resourceData"]["id"] is None
    assert item["resourceUrl"] == f"/communications/calls/{call_id}/operations/participants"


@pytest.mark.parametrize(("choice", "texts"), [(False, (603, 0)), (True, ("603", "0"))])
def test_codes_can_be_strings(
    graph: Simulator, inbox: Inbox, caller: Caller, *, choice: bool, texts: tuple[object, object]
) -> None:
    """A resultInfo's code and subcode are numbers or strings."""
    graph.person(ALICE, "declines", after=1)
    _reported(graph, inbox, caller, string_codes=choice)
    info = inbox.about("operation")[0].data["resultInfo"]
    assert (info["code"], info["subcode"]) == texts


def test_result_info_can_be_missing_or_everywhere(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A failure may come without a reason, a completion with one."""
    graph.person(BOB, "declines", after=1)
    _reported(graph, inbox, caller, (BOB,), result_info="never")
    _reported(graph, inbox, caller, (ALICE,), result_info="always")
    failed, completed = (received.data for received in inbox.about("operation"))
    assert failed["status"] == "failed"
    assert "resultInfo" not in failed
    assert completed["resultInfo"]["code"] == 200


def test_rosters_can_be_deltas(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A call with delta rosters reports only what changed, numbered; who left has a removedState."""
    call_id = _reported(graph, inbox, caller, participants=[BOB], delta_roster=True)
    graph.leave(call_id, ALICE)
    assert graph.wait_idle()
    joined, left = (received.data[0] for received in inbox.about("roster"))
    assert joined["@odata.type"] == "#microsoft.graph.deltaParticipants"
    assert [someone["info"]["identity"]["user"]["id"] for someone in joined["participants"]] == [ALICE]
    assert left["participants"][0]["removedState"]["reason"] == "Removed"
    assert joined["sequenceNumber"] < left["sequenceNumber"]


def test_who_left_can_stay_on_the_roster_as_removed(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """A full roster may keep them with a removedState."""
    call_id = _reported(graph, inbox, caller, removed_state=True)
    graph.leave(call_id, ALICE)
    assert graph.wait_idle()
    assert ["removedState" in someone for someone in inbox.about("roster")[-1].data] == [False, True]


def test_a_persons_options_go_before_the_calls(graph: Simulator, inbox: Inbox, caller: Caller) -> None:
    """Reporting is chosen for the simulator, a call, a person, a fault: the narrower one counts."""
    graph.person(ALICE, operation_id_null=False)
    _reported(graph, inbox, caller, operation_id_null=True)
    assert inbox.about("operation")[0].data["id"] is not None
    with Simulator(lost="all") as losing:
        assert losing.create_call(inbox.url)
        assert losing.wait_idle()
        assert [entry.lost for entry in losing.log.callbacks] == [True]


def test_what_is_not_accepted_is_sent_again(graph: Simulator, inbox: Inbox, caller: Caller, call_id: str) -> None:
    """A callback that is not answered 2xx comes again, with growing distance, until it is."""
    inbox.statuses = [500, 503]
    caller.invite(call_id, ALICE)
    assert graph.wait_idle()
    tries = [(entry.attempt, entry.status, entry.at) for entry in graph.log.callbacks if entry.about == "operation"]
    assert [(attempt, status) for attempt, status, _ in tries] == [(1, 500), (2, 202)]
    assert tries[1][2] - tries[0][2] >= 0.05
    # The roster met the second failure in between.
    assert [entry.status for entry in graph.log.callbacks if entry.about == "roster"] == [503, 202]


def test_a_callback_is_given_up_or_never_repeated(inbox: Inbox) -> None:
    """How often is a choice: four repeats by default, none on request."""
    for retries, attempts in ((0, 1), (2, 3)):
        with Simulator(time_scale=0.001, delivery=Delivery(retries=retries)) as graph:
            inbox.statuses = [500] * 10
            graph.create_call(inbox.url)
            assert graph.wait_idle()
            assert [entry.status for entry in graph.log.callbacks] == [500] * attempts


def test_an_unreachable_app_is_noted(graph: Simulator) -> None:
    """A callback that could not be delivered has its cause."""
    graph.create_call("http://127.0.0.1:9/api/notifications")
    assert graph.wait_idle()
    assert {(entry.status, entry.error) for entry in graph.log.callbacks} == {(None, "ConnectionError")}


@pytest.mark.parametrize(
    "options",
    [{"lost": "some"}, {"copies": "two"}, {"late": -1}, {"surprise": True}, {"callback_uri": "ftp://x"}],
    ids=str,
)
def test_invalid_options_are_refused(graph: Simulator, options: Options) -> None:
    """A mistyped option is an error that names it, not a test that proves nothing."""
    address = options.pop("callback_uri", "https://app.example/api/notifications")
    with pytest.raises(OptionError, match=next(iter(options), "callbackUri")):
        graph.create_call(address, **options)


def test_callbacks_go_over_http_only_on_this_machine(graph: Simulator) -> None:
    """Graph demands https; plain http is accepted for localhost alone."""
    with pytest.raises(OptionError, match="https"):
        graph.create_call("http://app.example/api/notifications")
