"""Invitations, calls and rosters as this app's JSON."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from domain.call import CallState, Presence
from domain.invitation import Alarm, Invitee
from domain.results import ResultInfo
from domain.waiting import Delivery, WaitingFlow
from flows.advice import advice_for_call_end
from flows.views import call_view, invitation_view, iso_time, roster_view
from tests.states import (
    CALL,
    FINE,
    FLOW,
    NOON,
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

PERSONAL = ResultInfo(486, 560486, "addParticipants failed for participant 4:+12345678901: busy")
GOOD = {"code": 200, "subcode": None, "message": None}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (NOON, "2026-01-31T12:00:00.000Z"),
        (NOON + timedelta(microseconds=123_999), "2026-01-31T12:00:00.123Z"),
        (datetime(2026, 1, 31, 14, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T12:00:00.000Z"),
    ],
)
def test_times(value: datetime, text: str) -> None:
    """Every time in an answer has the same form, which flows can read."""
    assert iso_time(value) == text


def test_invitation() -> None:
    """Who was invited, what became of each and why, who is in the call, and when it changed."""
    moved = Invitee("user", {"id": "alice", "displayName": "A"}, "call2", "p2", hidden=True)
    made = invitation(
        operation(0, client_context="context~1of2", state=completed(), id="op"),
        operation(1, client_context="context~2of2", state=failed()),
        participants=(moved, Invitee("phone", {"id": "+12345678901"}, remove_from_default_audio_routing_group=False)),
        updated=later(5),
    )
    shown = invitation_view(made, call_with(alice=Presence.IN_CALL), later(5))
    busy = {"code": 486, "subcode": 560486, "message": "busy"}
    reason = shown["participants"][1]["reason"]
    assert "busy" in reason
    assert shown == {
        "id": made.id,
        "callId": CALL,
        "clientContext": "context",
        "status": "partiallyCompleted",
        "reason": shown["reason"],
        "resultInfo": busy,
        "participants": [
            {
                "identity": {"user": {"id": "alice", "displayName": "A"}},
                "replacesCallId": "call2",
                "participantId": "p2",
                "hidden": True,
                "operationId": "op",
                "status": "completed",
                "reason": None,
                "resultInfo": GOOD,
                "presence": "inCall",
            },
            {
                "identity": {"phone": {"id": "+12345678901"}},
                "removeFromDefaultAudioRoutingGroup": False,
                "operationId": None,
                "status": "failed",
                "reason": reason,
                "resultInfo": busy,
                "presence": "unknown",
            },
        ],
        "operations": [
            {"id": "op", "clientContext": "context~1of2", "status": "completed", "resultInfo": GOOD},
            {"id": None, "clientContext": "context~2of2", "status": "failed", "resultInfo": busy},
        ],
        "joinedCount": 1,
        "createdDateTime": "2026-01-31T12:00:00.000Z",
        "lastUpdatedDateTime": "2026-01-31T12:00:05.000Z",
    }


@pytest.mark.parametrize("presence", list(Presence))
def test_status_and_presence(presence: Presence) -> None:
    """An invitation that Graph completed still shows where the person is."""
    shown = invitation_view(invitation(operation(state=completed())), call_with(alice=presence), NOON)
    (person,) = shown["participants"]
    assert (person["status"], person["presence"]) == ("completed", presence.value)
    assert shown["joinedCount"] == (presence in (Presence.IN_CALL, Presence.LEFT))


def test_several_people_over_time() -> None:
    """The same stored row: running until it settles, then a status for each; the operation's status is Graph's."""
    made = invitation(operation(0, 1, state=completed(at=later(10))))
    of = call_with(later(5), alice=Presence.IN_LOBBY)
    for seconds, whole, people in (
        (14.9, "running", ["running", "running"]),
        (15, "partiallyCompleted", ["completed", "unconfirmed"]),
    ):
        shown = invitation_view(made, of, later(seconds))
        assert (shown["status"], [one["status"] for one in shown["participants"]]) == (whole, people)
        assert [one["status"] for one in shown["operations"]] == ["completed"]
        assert shown["joinedCount"] == 0
        assert (shown["reason"] is None) == (whole == "running")


def test_results_are_redacted() -> None:
    """Graph's own text is shown without numbers and ids, for the whole, each person and each operation."""
    shown = invitation_view(invitation(operation(state=failed(PERSONAL))), None, NOON)
    assert "12345678901" not in json.dumps(shown)
    for result in (shown["resultInfo"], shown["participants"][0]["resultInfo"], shown["operations"][0]["resultInfo"]):
        assert result["code"] == 486
        assert "[participant]" in result["message"]
    assert "12345678901" not in json.dumps(call_view(call(result=PERSONAL)))


@pytest.mark.parametrize(
    ("waiting", "is_known", "status"),
    [
        (flow(), False, "waiting"),
        (flow(), True, "due"),
        (flow(state=Delivery.DELIVERED), True, "delivered"),
        (flow(state=Delivery.CANCELLED), True, "cancelled"),
        (flow(state=Delivery.UNDELIVERABLE), True, "undeliverable"),
    ],
)
def test_secrets_are_not_shown(waiting: WaitingFlow, status: str, *, is_known: bool) -> None:
    """Neither tokens nor names nor the fingerprint, and of a flow only how far notifying it has come."""
    tried = WaitingFlow(FLOW, "m3ss4g3", waiting.state, "fl0w", "r7n", NOON, 2, later(9), 503)
    made = invitation(
        operation(state=completed() if is_known else None),
        flows=(tried,),
        token="t0k3n",
        fingerprint="f1ng3r",
        alarm=Alarm("w4tch", NOON),
        asked_by="4sk3d",
    )
    shown = invitation_view(made, None, NOON)
    assert shown["callback"] == {
        "status": status,
        "attempts": 2,
        "lastAttemptDateTime": "2026-01-31T12:00:09.000Z",
        "lastStatusCode": 503,
    }
    for secret in ("s3cr3t", "m3ss4g3", "fl0w", "r7n", "t0k3n", "f1ng3r", "w4tch", "4sk3d", "logic.azure"):
        assert secret not in json.dumps(shown)


def test_whose_notification_is_shown() -> None:
    """The caller's own flow where it is known, else the first."""
    first, second = flow(attempts=1), flow(message_id="msg_2", attempts=2)
    made = invitation(flows=(first, second))
    assert invitation_view(made, None, NOON)["callback"]["attempts"] == 1
    assert invitation_view(made, None, NOON, flow=second)["callback"]["attempts"] == 2
    assert "callback" not in invitation_view(invitation(), None, NOON)


def test_call() -> None:
    """State, end and times, and what a person picks it by."""
    ended = call(state=CallState.TERMINATED, result=FINE, updated=later(9), ended_at=later(9), direction="outgoing")
    assert call_view(ended) == {
        "id": CALL,
        "title": "Call, 2026-01-31 12:00 UTC",
        "state": "terminated",
        "direction": "outgoing",
        "subject": None,
        "createdDateTime": "2026-01-31T12:00:00.000Z",
        "lastUpdatedDateTime": "2026-01-31T12:00:09.000Z",
        "endedDateTime": "2026-01-31T12:00:09.000Z",
        "resultInfo": {"code": 200, "subcode": None, "message": None},
        "reason": advice_for_call_end(FINE),
    }


def test_call_of_a_start() -> None:
    """Its subject is its title, and it names the start; while it goes on nothing is to be explained."""
    view = call_view(call(state=CallState.ESTABLISHED, result=FINE, subject="Incident 7", start_id="S"))
    assert (view["title"], view["subject"], view["startId"]) == ("Incident 7", "Incident 7", "S")
    assert view["reason"] is None
    assert "endedDateTime" not in view


def test_call_before_any_report() -> None:
    """A call of which only the roster is known has an unknown state."""
    assert call_view(call())["state"] == "unknown"


def test_roster() -> None:
    """In the order of joining; who left is shown on request, at the end."""
    roster = [
        entry("carol", joined=later(3)),
        entry("alice", Presence.LEFT, joined=later(1), left=later(9)),
        entry("bob", Presence.IN_LOBBY, joined=later(2), is_muted=True),
        entry("dave", Presence.UNKNOWN, joined=later(4), left=later(8)),  # only rang
    ]
    shown = roster_view(roster, lambda _: False, include_left=True)
    assert [one["id"] for one in shown] == ["bob", "carol", "alice"]
    assert roster_view(roster, lambda _: False, include_left=False) == shown[:2]
    assert shown[0] == {
        "id": "bob",
        "identity": {"user": {"id": "bob"}},
        "presence": "inLobby",
        "isInLobby": True,
        "isSelf": False,
        "isMuted": True,
        "joinedDateTime": "2026-01-31T12:00:02.000Z",
        "leftDateTime": None,
    }
    assert shown[2]["leftDateTime"] == "2026-01-31T12:00:09.000Z"
