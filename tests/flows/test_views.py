from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from domain.model import (
    Delivery,
    FlowCallback,
    Invitee,
    Operation,
    Presence,
    ResultInfo,
    Status,
    Verdict,
)
from domain.roster import identity_hash
from flows.views import call_view, failure_message, invitation_view, moment, roster_view
from tests.states import BUSY, CALL, FINE, NOON, call_state, entry, invitation, later, operation
from watchdog.service import NEVER_CONFIRMED

PERSONAL = ResultInfo(486, 560486, "addParticipants failed for participant 4:+12345678901: busy")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (NOON, "2026-01-31T12:00:00.000Z"),
        (NOON + timedelta(microseconds=123_999), "2026-01-31T12:00:00.123Z"),
        (datetime(2026, 1, 31, 14, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T12:00:00.000Z"),
    ],
)
def test_times_are_utc_to_the_millisecond(value: datetime, text: str) -> None:
    """Every time in an answer has the same form, which flows can read."""
    assert moment(value) == text


def test_an_invitation_is_shown_with_everything_a_flow_needs() -> None:
    """Who was invited, what became of each, who is in the call, and when it changed."""
    moved = Invitee("user", {"id": "alice", "displayName": "A"}, "call2", "p2", hidden=True)
    made = invitation(
        operation(0, client_context="context~1of2", status=Status.COMPLETED, id="op", result=FINE),
        operation(1, client_context="context~2of2"),
        participants=(moved, Invitee("phone", {"id": "+12345678901"}, remove_from_default_audio_routing_group=False)),
        updated=later(5),
    )
    assert invitation_view(made, {identity_hash("alice"): Presence.IN_LOBBY}) == {
        "id": made.id,
        "callId": CALL,
        "clientContext": "context",
        "status": "running",
        "resultInfo": {"code": 200, "subcode": None, "message": None},
        "participants": [
            {
                "identity": {"user": {"id": "alice", "displayName": "A"}},
                "replacesCallId": "call2",
                "participantId": "p2",
                "hidden": True,
                "operationId": "op",
                "status": "completed",
                "resultInfo": {"code": 200, "subcode": None, "message": None},
                "presence": "inLobby",
            },
            {
                "identity": {"phone": {"id": "+12345678901"}},
                "removeFromDefaultAudioRoutingGroup": False,
                "operationId": None,
                "status": "running",
                "resultInfo": None,
                "presence": "unknown",
            },
        ],
        "operations": [
            {
                "id": "op",
                "clientContext": "context~1of2",
                "status": "completed",
                "resultInfo": {"code": 200, "subcode": None, "message": None},
            },
            {"id": None, "clientContext": "context~2of2", "status": "running", "resultInfo": None},
        ],
        "createdDateTime": "2026-01-31T12:00:00.000Z",
        "lastUpdatedDateTime": "2026-01-31T12:00:05.000Z",
    }


@pytest.mark.parametrize("presence", list(Presence))
def test_completed_and_in_the_call_are_two_things(presence: Presence) -> None:
    """An invitation that Graph finished still says where the person is."""
    done = invitation(operation(status=Status.COMPLETED))
    (shown,) = invitation_view(done, {identity_hash("ALICE"): presence})["participants"]
    assert (shown["status"], shown["presence"]) == ("completed", presence.value)


def test_nobody_is_named_by_a_result() -> None:
    """Graph's own text is shown without numbers and ids, for the whole, each person and each part."""
    shown = invitation_view(invitation(operation(status=Status.FAILED, result=PERSONAL)), {})
    assert "12345678901" not in json.dumps(shown)
    for result in (shown["resultInfo"], shown["participants"][0]["resultInfo"], shown["operations"][0]["resultInfo"]):
        assert result["code"] == 486
        assert "[participant]" in result["message"]
    assert "12345678901" not in json.dumps(call_view(call_state(result=PERSONAL)))


def test_the_secrets_of_an_invitation_are_not_shown() -> None:
    """Neither token nor fingerprint, and of a flow's address only how far telling it has come."""
    callback = FlowCallback("https://flow.example/?sig=s3cr3t", "message", Delivery.DUE, 2, later(9), 503)
    shown = invitation_view(invitation(callback=callback, token="t0k3n", fingerprint="f1ng3r", watch="w4tch"), {})
    assert shown["callback"] == {
        "status": "due",
        "attempts": 2,
        "lastAttemptDateTime": "2026-01-31T12:00:09.000Z",
        "lastStatusCode": 503,
    }
    for secret in ("s3cr3t", "t0k3n", "f1ng3r", "w4tch", "flow.example"):
        assert secret not in json.dumps(shown)


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        (operation(status=Status.FAILED, verdict=Verdict.GRAPH, result=BUSY), "The line was busy."),
        (operation(status=Status.FAILED, verdict=Verdict.GRAPH, result=None), "no reason that is known"),
        (operation(status=Status.FAILED, verdict=Verdict.WATCHDOG, result=NEVER_CONFIRMED), "never confirmed"),
        (
            operation(status=Status.FAILED, verdict=Verdict.REFUSAL, result=ResultInfo(403, 7504, "Grant consent.")),
            "Grant consent.",
        ),
        (
            operation(status=Status.FAILED, verdict=Verdict.GRAPH, result=ResultInfo(999, 9, PERSONAL.message)),
            "[participant]: busy",
        ),
    ],
)
def test_a_failure_is_told_in_words_for_the_maker(failed: Operation, words: str) -> None:
    """What the app itself said is told as it is, what Graph said is explained, and nobody is named."""
    text = failure_message(invitation(failed))
    assert words in text
    assert "12345678901" not in text


def test_a_call_is_shown_as_graph_last_reported_it() -> None:
    """State, end and times; a call of which only the roster is known has an unknown state."""
    assert call_view(call_state(state="terminated", result=FINE, updated=later(9))) == {
        "id": CALL,
        "state": "terminated",
        "resultInfo": {"code": 200, "subcode": None, "message": None},
        "createdDateTime": "2026-01-31T12:00:00.000Z",
        "lastUpdatedDateTime": "2026-01-31T12:00:09.000Z",
    }
    assert call_view(call_state())["state"] == "unknown"


def test_a_roster_is_shown_in_order_of_joining() -> None:
    """Who came first comes first; who left is shown on request, at the end."""
    roster = [
        entry("carol", joined=later(3)),
        entry("alice", Presence.LEFT, joined=later(1), left=later(9)),
        entry("bob", Presence.IN_LOBBY, joined=later(2), is_muted=True),
    ]
    shown = roster_view(roster, include_left=True)
    assert [one["id"] for one in shown] == ["bob", "carol", "alice"]
    assert roster_view(roster, include_left=False) == shown[:2]
    assert shown[0] == {
        "id": "bob",
        "identity": {"user": {"id": "bob"}},
        "presence": "inLobby",
        "isInLobby": True,
        "isMuted": True,
        "joinedDateTime": "2026-01-31T12:00:02.000Z",
        "leftDateTime": None,
    }
    assert shown[2]["leftDateTime"] == "2026-01-31T12:00:09.000Z"
