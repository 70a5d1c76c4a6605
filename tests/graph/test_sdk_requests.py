"""Every request to Graph, compared with the one that Microsoft's own SDK sends for the same purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from domain.invitation import Invitee
from graph.calls import MeetingCoordinates, MeetingId, Targets, create_body, reject_body
from graph.client import GraphClient
from graph.participants import invite_body
from tests.graph.servers import Recorder, listening, tls
from tests.graph.tokens import SCENARIO, FixedToken

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

SDK: dict[str, Any] = json.loads((Path(__file__).parent / "sdk_requests.json").read_text(encoding="utf-8"))
_CALL = "57dab8b1-894c-409a-b240-bd8beae78896"
_TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
_APP = "11111111-1111-1111-1111-111111111111"
_CALLBACK = "https://bot.example.com/api/notifications"
_ALICE = Invitee("user", {"id": "278405a3-f568-4b3e-b684-009193463064", "tenantId": _TENANT})
_BOB = Invitee("user", {"id": "550fae72-d251-43ec-868c-373732c2704f", "tenantId": _TENANT})
_REPLACING = Invitee(_ALICE.kind, _ALICE.identity, replaces_call_id="a7ebfb2d-871e-419c-87af-27290b22e8db")
_PHONE = Invitee("phone", {"id": "+12065550100"})
_THREAD = "19:meeting_MTZhNTg0ZDktZDBmNy00ZDVjLWE4ZTAtYzI1MTQ0OTZjZjMy@thread.v2"
_ORGANIZER = "5810cede-f3cc-42eb-b2c1-e9bd5d53ec96"


def _create(to: Targets | MeetingCoordinates | MeetingId) -> Callable[[GraphClient], object]:
    body = create_body(to, callback_uri=_CALLBACK, tenant_id=_TENANT, client_id=_APP)
    return lambda client: client.create(body, scenario_id=SCENARIO, read_seconds=5)


def _invite(*people: Invitee) -> Callable[[GraphClient], object]:
    return lambda client: client.invite(_CALL, invite_body(people, "<GUID>"), scenario_id=SCENARIO, read_seconds=5)


OURS: dict[str, Callable[[GraphClient], object]] = {
    "call-one-user": _create(Targets((_ALICE,))),
    "call-group": _create(Targets((_ALICE, _BOB))),
    "join-by-coordinates": _create(MeetingCoordinates(_THREAD, _ORGANIZER)),
    "join-by-id-and-passcode": _create(MeetingId("1234567", "psw123")),
    "invite-one": _invite(_ALICE),
    "invite-several": _invite(_ALICE, _BOB),
    "invite-phone": _invite(_PHONE),
    "invite-one-replacing-a-call": _invite(_REPLACING),
    "keep-alive": lambda client: client.keep_alive(_CALL, scenario_id=SCENARIO),
    "hang-up": lambda client: client.hang_up(_CALL, scenario_id=SCENARIO),
    "remove-participant": lambda client: client.remove_participant(
        _CALL, "550fae72-d251-43ec-868c-373732c2704e", scenario_id=SCENARIO
    ),
    "incoming-reject": lambda client: client.reject(_CALL, reject_body(_CALLBACK), scenario_id=SCENARIO),
}

# What only the SDK sends (-), or only this app (+), and why.
_NO_SOURCE = "the token names the app; Graph's page sends the source only for a new group call"
_NO_NAME = "Teams shows the name of the bot's registration"
_OUTGOING = "what an app creates is outgoing; Graph's page sends it only for a new group call"
_NO_OPTIONS = "its only value is the default"
_STAYS = "people who join after the app would be removed when it leaves"
DIFFERENCES: dict[str, dict[str, str]] = {
    "call-one-user": {"-source": _NO_SOURCE, "-direction": _OUTGOING},
    "call-group": {"-source.identity.application.displayName": _NO_NAME},
    "join-by-coordinates": {
        "-source": _NO_SOURCE,
        "-direction": _OUTGOING,
        "-callOptions": _NO_OPTIONS,
        "+meetingInfo.allowConversationWithoutHost": _STAYS,
    },
    "join-by-id-and-passcode": {
        "-source": _NO_SOURCE,
        "-direction": _OUTGOING,
        "-callOptions": _NO_OPTIONS,
        "-chatInfo": "it is empty, and Graph's page sends none",
        "+meetingInfo.allowConversationWithoutHost": _STAYS,
    },
}
_ENUMERATIONS = {"direction", "requestedModalities", "reason"}


def _differences(ours: Any, theirs: Any, path: str = "") -> set[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = {f"+{path}{name}" for name in ours.keys() - theirs.keys()}
        found |= {f"-{path}{name}" for name in theirs.keys() - ours.keys()}
        for name in ours.keys() & theirs.keys():
            found |= _differences(_plain(name, ours[name]), _plain(name, theirs[name]), f"{path}{name}.")
        return found
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return {
            one for index in range(len(ours)) for one in _differences(ours[index], theirs[index], f"{path}{index}.")
        }
    return set() if ours == theirs else {f"~{path.removesuffix('.')}"}


def _plain(name: str, value: Any) -> Any:
    return json.loads(json.dumps(value).lower()) if name in _ENUMERATIONS else value


@pytest.mark.parametrize("name", OURS)
def test_a_request_is_the_sdks(name: str, trusting: requests.Session) -> None:
    """Method, path, headers and body are equal, except for what stands above with its reason."""
    recorder = Recorder()
    with listening(tls(recorder)) as port:
        OURS[name](GraphClient(f"https://localhost:{port}", FixedToken(), trusting))
    (ours,) = recorder.requests
    sdk = SDK[name]
    assert (ours.method, ours.path) == (sdk["method"], sdk["path"])
    assert _differences(ours.body, sdk["body"]) == set(DIFFERENCES.get(name, {}))
    # Charset: JSON is UTF-8 by its own standard. Authorization: the SDK's was left out of the recording.
    names = {header.lower() for header in sdk["headers"]}
    common = {"host", "accept", "accept-encoding", "connection", "content-length"}
    assert ours.headers.keys() - common == names | {"authorization"}
    assert ours.headers["scenario-id"] == SCENARIO
    assert ours.headers.get("content-type") == ("application/json" if ours.body else None)


def test_a_difference_is_found() -> None:
    """The comparison can fail."""
    ours, theirs = {"a": {"b": 1}, "c": [1], "e": 0}, {"a": {"b": 2}, "c": [1, 2], "d": 0}
    assert _differences(ours, theirs) == {"~a.b", "~c", "+e", "-d"}
    assert _differences({"direction": "outgoing"}, {"direction": "Outgoing"}) == set()


def test_nothing_of_the_sdks_is_left_out() -> None:
    """Each recorded request has one of ours."""
    assert SDK.keys() - {"about"} == OURS.keys()
