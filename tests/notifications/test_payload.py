"""What Graph's callbacks say, in every documented form and in every odd one that was seen."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from domain.call import CallState, Presence
from domain.results import OperationState, ResultInfo
from domain.roster import identity_hash
from notifications.payload import CallReport, IncomingCall, OperationReport, Report, RosterReport, reports_of
from tests.notifications.reports import payload

CALL = "ab6233a5-20b7-4c5e-bea2-ce56c9776429"
GROUP_CALL = "7531d31f-d10d-44de-802f-c569dbca451c"
REPLACED_CALL = "a7ebfb2d-871e-419c-87af-27290b22e8db"
CONTEXT = "f2fa86af-3c51-4bc2-8fc0-475452d9764f"
ALICE, BOB = "7e1b4346-85a6-4bdd-abe3-d11c5d420efe", "1e126418-44a0-4a94-a6f8-0efe1ad71acb"


def _reports(body: Any) -> list[Report]:
    return [report for item in body["value"] for report in reports_of(item)]


def _one(item: Any) -> Report:
    (report,) = reports_of(item)
    return report


def _item(data: Any, path: str = "operations/o-1", change: Any = "updated", **members: Any) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.commsNotification",
        "changeType": change,
        "resource": f"/app/calls/{CALL}/{path}".rstrip("/"),
        "resourceUrl": f"/communications/calls/{CALL}/{path}".rstrip("/"),
        "resourceData": data,
        **members,
    }


def _operation(**members: Any) -> dict[str, Any]:
    documented: dict[str, Any] = copy.deepcopy(payload("1-completed")["value"][0]["resourceData"])
    return {**documented, **members}


# The documented bodies


@pytest.mark.parametrize(
    ("example", "call_id", "operation_id", "people"),
    [
        (1, CALL, "eec3812a-fdc3-4fb4-825c-a06c9f35414e", ["278405a3-f568-4b3e-b684-009193463064"]),
        (2, GROUP_CALL, None, [ALICE, BOB]),
        (3, CALL, "278405a3-f568-4b3e-b684-009193463064", [ALICE]),
        (4, CALL, "eec3812a-fdc3-4fb4-825c-a06c9f35414e", ["+12345678901"]),
        (5, CALL, "278405a3-f568-4b3e-b684-009193463064", ["682b6c37-0729-4fab-ace6-d730d5d9137e"]),
    ],
)
def test_documented_ends(example: int, call_id: str, operation_id: str | None, people: list[str]) -> None:
    """Also the second, whose id is null and whose path ends in a word where the id would be."""
    (report,) = _reports(payload(f"{example}-completed"))
    assert report == OperationReport(
        call_id,
        OperationState(operation_id, CONTEXT, "completed", None),
        frozenset(map(identity_hash, people)),
        ended=True,
    )


@pytest.mark.parametrize(
    ("example", "call_id", "people"),
    [
        (1, CALL, {"278405a3-f568-4b3e-b684-009193463064": "application"}),
        (2, GROUP_CALL, {ALICE: "application", BOB: "user"}),
        (3, REPLACED_CALL, {ALICE: "user"}),
        (4, CALL, {"+12345678901": "phone"}),
        (5, CALL, {"682b6c37-0729-4fab-ace6-d730d5d9137e": "user"}),
    ],
)
def test_documented_rosters(example: int, call_id: str, people: dict[str, str]) -> None:
    """Also the second, under an operation's path, and the third, of another call than the invitation's."""
    (report,) = _reports(payload(f"{example}-roster"))
    assert isinstance(report, RosterReport)
    assert report.call_id == call_id
    assert {entry.identity["id"]: entry.kind for entry in report.roster.people} == people
    assert {entry.presence for entry in report.roster.people} == {Presence.IN_CALL}


@pytest.mark.parametrize("name", [f"{example}-{kind}" for example in range(1, 6) for kind in ("request", "response")])
def test_what_is_no_callback_says_nothing(name: str) -> None:
    """The other ten documented bodies are no items of a callback, and are left alone if they come as one."""
    assert list(reports_of(payload(name))) == []


# Letter case, nulls, text, what is missing


@pytest.mark.parametrize("change", ["deleted", "Deleted", "DELETED"])
@pytest.mark.parametrize("status", ["completed", "Completed", "COMPLETED"])
def test_enumerations_are_read_without_case(change: str, status: str) -> None:
    """As documented, as logged, or as shouted."""
    report = _one(_item(_operation(status=status), change=change))
    assert isinstance(report, OperationReport)
    assert (report.state.status, report.ended) == ("completed", True)


@pytest.mark.parametrize("change", [None, 5, "", "unknownFutureValue", "created", []])
def test_an_unknown_change_is_not_an_end(change: object) -> None:
    """Only ``deleted`` says that an operation is over; the status says the rest."""
    report = _one(_item(_operation(status="failed"), change=change))
    assert isinstance(report, OperationReport)
    assert (report.state.status, report.ended) == ("failed", False)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, None),
        ({"code": 603, "subcode": 0, "message": "Declined"}, ResultInfo(603, 0, "Declined")),
        ({"code": "408", "subcode": "10057"}, ResultInfo(408, 10057)),
        ({"@odata.type": "#microsoft.graph.resultInfo"}, ResultInfo()),
        ("failed", None),
    ],
)
def test_a_result_may_have_any_form(result: object, expected: ResultInfo | None) -> None:
    """Absent, null, or with its codes as text."""
    report = _one(_item(_operation(status="failed", resultInfo=result), change="deleted"))
    assert isinstance(report, OperationReport)
    assert report.state.result == expected


@pytest.mark.parametrize("path", ["operations/participants", "operations/null", "participants", "operations", ""])
def test_no_id(path: str) -> None:
    """A word in an id's place leads to no operation."""
    report = _one(_item(_operation(id=None), path=path))
    assert isinstance(report, OperationReport)
    assert (report.state.id, report.state.client_context) == (None, CONTEXT)


def test_id_in_the_path() -> None:
    """With ``id`` null or missing, the path says which operation ended."""
    for entity in (_operation(id=None), {name: value for name, value in _operation().items() if name != "id"}):
        report = _one(_item(entity, path="operations/o-1"))
        assert isinstance(report, OperationReport)
        assert report.state.id == "o-1"


@pytest.mark.parametrize("missing", ["@odata.type", "changeType", "resource"])
def test_missing_properties_of_an_item(missing: str) -> None:
    """Items have been seen without each of these."""
    item = _item(_operation(), change="deleted")
    del item[missing]
    assert isinstance(_one(item), OperationReport)


def test_resource_without_a_url() -> None:
    """``resourceUrl`` counts, and where it is missing or none, ``resource``."""
    for url in (None, "", "no-path", 5, "/communications/calls/", "/communications/calls/a%2Fb/participants"):
        assert _one(_item(_operation(), resourceUrl=url)).call_id == CALL
    other = _item(_operation(), resource="/app/calls/another-call/operations/o-1")
    assert _one(other).call_id == CALL


@pytest.mark.parametrize(
    ("url", "call_id"),
    [
        (f"/communications/calls/{CALL}", CALL),
        (f"/Communications/Calls/{CALL}/operations/o", CALL),
        (f"https://graph.microsoft.com/v1.0/communications/calls/{CALL}/operations/o", CALL),
        (f"https://graph.microsoft.com/beta/app/calls/{CALL}?x=1", CALL),
        ("/communications/calls/19%3Ameeting%40thread.v2/participants", "19:meeting@thread.v2"),
    ],
)
def test_forms_of_a_url(url: str, call_id: str) -> None:
    """Relative or absolute, in any case, with escapes."""
    assert _one(_item(_operation(), resourceUrl=url, resource=None)).call_id == call_id


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "/",
        "/communications/calls",
        "/communications/calls/",
        "/communications/calls//operations/o",
        "/communications/calls/../participants",
        "/communications/calls/%2e%2e/participants",
        "/communications/calls/a%00b",
        "/communications/calls/a%2Fb",
        "/communications/onlineMeetings/m",
        "/users/u/communications/calls/c",
        "/communications/calls/" + "x" * 300,
        5,
        [],
        {},
    ],
)
def test_an_item_about_no_call_says_nothing(url: object) -> None:
    """Without a call there is nothing to apply it to."""
    assert list(reports_of(_item(_operation(), resourceUrl=url, resource=url))) == []


# Entities of all kinds


@pytest.mark.parametrize(
    "kind", ["#microsoft.graph.inviteParticipantsOperation", "microsoft.graph.commsOperation", "", None]
)
def test_operation_by_type_or_shape(kind: object) -> None:
    """Some messages leave the type out."""
    assert isinstance(_one(_item(_operation(**{"@odata.type": kind}))), OperationReport)


@pytest.mark.parametrize(
    "kind",
    [
        "playPromptOperation",
        "recordOperation",
        "muteParticipantOperation",
        "unmuteParticipantOperation",
        "muteParticipantsOperation",
        "subscribeToToneOperation",
        "cancelMediaProcessingOperation",
        "stopHoldMusicOperation",
        "startHoldMusicOperation",
        "updateRecordingStatusOperation",
        "sendDtmfTonesOperation",
        "addLargeGalleryViewOperation",
        "participantJoiningNotification",
        "participantLeftNotification",
        "audioRoutingGroup",
        "contentSharingSession",
        "presence",
        "somethingNew",
    ],
)
def test_other_types(kind: str) -> None:
    """Even with an invitation's own context in it: another kind of operation ends no invitation."""
    entity = _operation(
        **{"@odata.type": f"#microsoft.graph.{kind}", "call": {"@odata.id": CALL}, "participantId": "p"}
    )
    assert list(reports_of(_item(entity, change="deleted"))) == []


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Incoming", CallState.ESTABLISHING),
        ("ESTABLISHED", CallState.ESTABLISHED),
        ("dreaming", CallState.ESTABLISHED),
        ("terminated", CallState.TERMINATED),
    ],
)
def test_state_of_a_call(state: str, expected: CallState, *, typed: bool) -> None:
    """In any letter case; a state that Graph adds tomorrow ends nothing."""
    entity = {"@odata.type": "#microsoft.graph.call", "state": state} if typed else {"state": state}
    assert _one(_item(entity, path="")) == CallReport(CALL, expected, None)


def test_documented_end_of_a_call() -> None:
    """It has no ``resource``, and its codes are text."""
    item = {
        "@odata.type": "#microsoft.graph.commsNotification",
        "changeType": "deleted",
        "resourceUrl": f"/communications/calls/{CALL}",
        "resourceData": {
            "@odata.type": "#microsoft.graph.call",
            "state": "terminated",
            "resultInfo": {"message": "Call terminated successfully.", "code": "200", "subcode": "5001"},
        },
    }
    assert _one(item) == CallReport(CALL, CallState.TERMINATED, ResultInfo(200, 5001, "Call terminated successfully."))


@pytest.mark.parametrize("state", [None, "established", "unknownFutureValue"])
def test_a_deleted_call_has_ended(state: str | None) -> None:
    """The call object is gone, whatever state it still shows."""
    report = _one(_item({"@odata.type": "#microsoft.graph.call", "state": state}, path="", change="Deleted"))
    assert isinstance(report, CallReport)
    assert report.state is CallState.TERMINATED


@pytest.mark.parametrize("state", [None, 5, "", []])
def test_a_tone_changes_no_state(state: object) -> None:
    """Keys pressed come as a call without a state."""
    entity = {"@odata.type": "#microsoft.graph.call", "state": state, "toneInfo": {"sequenceId": 1, "tone": "tone5"}}
    assert _one(_item(entity, path="")) == CallReport(CALL, CallState.UNKNOWN, None)


def test_incoming_call() -> None:
    """The whole entity as a bot that is called receives it; such a call is not this app's."""
    entity = {
        "@odata.type": "#microsoft.graph.call",
        "state": "incoming",
        "direction": "incoming",
        "source": {"identity": {"user": {"id": ALICE}}},
        "targets": [{"identity": {"application": {"id": BOB}}}],
        "meetingInfo": None,
        "tenantId": "t",
        "myParticipantId": "m",
    }
    assert _one(_item(entity, path="", change="created")) == IncomingCall(CALL)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "Conversation", "links": {"call": "https://api.flightproxy.skype.com/call"}},
        {"conversationInvitation": {"from": {"id": "8:orgid:x"}}},
        {"callNotification": {"to": {"id": "28:x"}}},
    ],
)
def test_legacy_form_of_a_call(body: dict[str, Any]) -> None:
    """The old Skype format has neither items nor calls of Graph."""
    assert list(reports_of(body)) == []
    assert list(reports_of(_item(body))) == []
