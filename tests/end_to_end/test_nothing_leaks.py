"""No secret, token, number, id or name of a person is in any log line or error, whatever the traffic."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.end_to_end.conftest import KEY, leaks, run_host

if TYPE_CHECKING:
    from pathlib import Path

    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host

NUMBER = "+4915112345678"
NAME = "Maximiliane Mustermann"
THREAD, PASSCODE = "19:meeting_TWF4aW1pbGlhbmVNdXN0ZXJtYW5u@thread.v2", "pXq93LkWvB"
SIGNATURE = "c2lnbmF0dXJlLW9mLWEtZmxvdw"
PEOPLE = {behaviour: str(uuid.uuid4()) for behaviour in ("answers", "declines", "fails", "busy")}


def user(person: str, **more: Any) -> dict[str, Any]:
    """Somebody with a name."""
    return {"identity": {"user": {"id": person, "displayName": NAME}}, **more}


def traffic(host: Host, graph: Simulator) -> list[str]:
    """Good and bad requests of every kind, and what was answered to the bad ones."""
    errors: list[str] = []
    call_id = graph.create_call(host.callback_uri)
    for behaviour, person in PEOPLE.items():
        graph.person(person, behaviour)  # type: ignore[arg-type]
        accepted = host.invite(call_id, {"participants": [user(person)]})
        errors.append(host.outcome(accepted).text if behaviour != "answers" else "")
    graph.person(NUMBER, "fails", code=412, subcode=9999, reason=f"no content for {NUMBER}")
    phone = {"participants": [{"identity": {"phone": {"id": NUMBER, "displayName": NAME}}}]}
    errors.append(host.outcome(host.invite(call_id, phone)).text)
    bad: list[Any] = [
        {"participants": [{"identity": {"phone": {"id": NUMBER + "x"}}}]},
        {"participants": [{"identity": {"user": {"id": NAME}, "phone": {"id": NUMBER}}}]},
        {"participants": [user(PEOPLE["answers"]), user(PEOPLE["answers"])], NAME: NAME},
    ]
    errors += [host.invite(call_id, body).text for body in bad]
    flow = f"https://prod-01.westeurope.logic.azure.com/run?sig={SIGNATURE}"
    waiting = {"participants": [user(PEOPLE["answers"])]}
    path = f"/calls/{call_id}/participants/invite-and-wait"
    assert host.request("POST", path, json={**waiting, "callbackUrl": flow}).status_code == 201
    errors.append(host.request("POST", path, json={**waiting, "callbackUrl": flow.replace("https", "ftp")}).text)
    graph.fault(call_id=call_id, status=403, code="7504", message=f"addParticipants failed for 4:{NUMBER}")
    errors.append(host.invite(call_id, {"participants": [user(str(uuid.uuid4()))]}).text)
    errors += starts(host, graph)
    for token in (graph.token(aud=NAME), graph.token(unknown_key=True), "x.y.z", NUMBER):
        assert graph.post_notification(call_id, [{"resourceData": {"displayName": NAME}}], token=token) == 401
    assert graph.post_notification(call_id, f"not json {NUMBER}".encode()) == 400
    assert graph.wait_idle()
    return errors


def starts(host: Host, graph: Simulator) -> list[str]:
    """Meetings joined by link and by passcode, an escalation, wrong ones of each, and what was answered to those."""
    meeting = graph.meeting(thread_id=THREAD, passcode=PASSCODE)
    by_id = {"joinMeetingId": meeting.join_meeting_id, "passcode": PASSCODE}
    steps = [{"participants": [user(PEOPLE["declines"])]}]
    link, answers = {"joinWebUrl": meeting.join_web_url}, []
    for body in (
        {"meeting": {**by_id, "passcode": PASSCODE + "x"}, "participants": [user(PEOPLE["answers"])]},
        {"meeting": link, "steps": steps},
        {"meeting": by_id, "participants": [user(PEOPLE["declines"])]},
        {"meeting": {"joinWebUrl": meeting.join_web_url.replace("teams.microsoft", f"{PASSCODE}.example")}},
        {"meeting": {**link, **by_id}, "steps": steps},
    ):
        started = host.request("POST", "/calls/start", json=body)
        answers.append((host.outcome(started) if started.status_code == 202 else started).text)
    for call in host.get("/calls")["value"]:
        host.request("DELETE", f"/calls/{quote(call['id'], safe='')}")
    return answers


@pytest.fixture
def watched(settings: dict[str, str], tmp_path: Path, graph: Simulator) -> tuple[list[str], list[str], list[str]]:
    """The log lines and the errors of a run, and every secret that was used in it."""
    with run_host(settings, tmp_path) as host:
        errors = traffic(host, graph)
        tokens = [entry["token"] for entry in re.finditer(r"token=(?P<token>[\w-]{20,})", "".join(errors))]
    secrets = [THREAD, THREAD[3:-10], PASSCODE, NUMBER, NUMBER[1:], NAME, SIGNATURE, KEY, *PEOPLE.values(), *tokens]
    secrets += [settings["GRAPH_CLIENT_SECRET"], "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"]
    return host.lines, errors, secrets


def test_logs_and_errors(
    watched: tuple[list[str], list[str], list[str]],
) -> None:
    """Everything that was sent is searched for in every line that was written and every error that was answered."""
    lines, errors, secrets = watched
    assert len(lines) > 40
    for secret in secrets:
        assert not [line for line in lines if secret in line], "a log line holds what it must not"
        assert not [error for error in errors if secret in error], "an error holds what it must not"
    assert not [line for line in lines if re.search(r"eyJ[\w-]{10,}\.", line)]
    assert not [line for line in lines if "Traceback" in line], "".join(lines)


@pytest.mark.parametrize(
    "line",
    [
        f"x {NUMBER}",
        "user 278405a3-f568-4b3e-b684-009193463064",
        "GET /result?token=abcdefgh",
        "Bearer eyJhbGciOiJSUzI1NiJ9.x",
        f"key {KEY}",
    ],
)
def test_search(line: str) -> None:
    """The lines of every host that a test runs are searched, and each kind of what may not be there is found."""
    assert leaks([line], {}) == [line]
    assert leaks([f"graph invite status=200 request-id={uuid.uuid4()} call=0123456789ab"], {}) == []
