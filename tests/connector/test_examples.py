"""The examples, run as they are against the app and a simulated Graph."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from connector.routes import ROOT
from tests.connector.engine_http import Wire
from tests.connector.interpreter import FAILED, SKIPPED, SUCCEEDED, Run, TriggerRefused, printed
from tests.connector.running import KEY
from tests.infra.deployments import compiler, run

if TYPE_CHECKING:
    from tests.connector.conftest import Running

FOLDER = ROOT / "examples"
ANNA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"
PHONE = "+12065550100"


def _python(running: Running, person: str, *, key: str = KEY) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CALL_INVITES_URL": running.app, "CALL_INVITES_KEY": key, "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, str(FOLDER / "call_into_meeting.py"), running.graph.meeting().join_web_url, person]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_python_reaches_a_phone(running: Running) -> None:
    """Someone who accepts was called once, and the program ends well."""
    done = _python(running, PHONE)
    assert (done.returncode, done.stderr) == (0, "")
    assert [ring.person for ring in running.graph.log.rings] == [PHONE]


def test_python_reports_a_decline(running: Running) -> None:
    """A person who declines, and a wrong key, are a reason and another status."""
    running.graph.person(ANNA, "declines")
    done = _python(running, ANNA)
    assert (done.returncode, done.stderr.strip()) == (1, "422: The person declined the call. Try someone else.")
    assert _python(running, BEN, key="wrong").stderr.strip() == "401: no message"


def test_python_is_short() -> None:
    """It reads at a glance: 30 lines, without the blank ones."""
    lines = (FOLDER / "call_into_meeting.py").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line]) <= 30


def _logic_app(running: Running, key: str = KEY, **trigger: Any) -> Run:
    """Run the Logic App with its parameters as a deployment fills them in."""
    text = (FOLDER / "logic-app" / "workflow.json").read_text(encoding="utf-8")
    for name, value in (("app", running.app), ("key", key)):
        assert f"parameters('{name}')" in text
        text = text.replace(f"@{{parameters('{name}')}}", value).replace(f"@parameters('{name}')", value)
    wire = Wire(0.02)
    no_connector: Any = None
    run = Run({"definition": json.loads(text)}, trigger, wire, no_connector, running.callbacks)
    run.start()
    return run


def test_logic_app_waits_for_people(running: Running) -> None:
    """The run continues with who joined; one who declines doesn't stop it."""
    running.graph.person(BEN, "declines")
    link = running.graph.meeting(roster_first=True).join_web_url
    done = _logic_app(running, meetingLink=link, userIds=[ANNA, BEN])
    assert done.status("Who_joined") == SUCCEEDED, printed(done)
    assert (done.outputs("Who_joined")["status"], done.outputs("Who_joined")["joinedCount"]) == (
        "partiallyCompleted",
        1,
    )
    assert sorted(ring.person for ring in running.graph.log.rings) == [ANNA, BEN]
    polls = [sent for sent in done.wire.log if sent.method == "GET"]
    assert polls
    assert not any("x-functions-key" in sent.headers for sent in polls)


def test_logic_app_that_reaches_no_one(running: Running) -> None:
    """The run reads why: no one accepted, the link isn't one, the key is wrong."""
    running.graph.everyone("declines")
    done = _logic_app(running, meetingLink=running.graph.meeting().join_web_url, userIds=[ANNA])
    assert done.status("Join_and_invite") == FAILED, printed(done)
    assert done.outputs("Why_not") == "The person declined the call. Try someone else."
    assert done.status("Who_joined") == SKIPPED
    done = _logic_app(running, meetingLink="https://example.com", userIds=[ANNA])
    assert "meeting" in done.outputs("Why_not")
    done = _logic_app(running, key="wrong", meetingLink="x", userIds=[ANNA])
    assert done.outputs("Why_not") == "The app did not respond."
    with pytest.raises(TriggerRefused):
        _logic_app(running, meetingLink="x", userIds=[])


def test_logic_app_hides_the_key() -> None:
    """The key is a secure parameter, and the run history doesn't show the action's inputs."""
    workflow = json.loads((FOLDER / "logic-app" / "workflow.json").read_text(encoding="utf-8"))
    assert workflow["parameters"]["key"] == {"type": "SecureString"}
    (action,) = (one for one in workflow["actions"].values() if "parameters('key')" in json.dumps(one))
    assert action["runtimeConfiguration"]["secureData"]["properties"] == ["inputs"]


@pytest.mark.skipif(compiler() is None, reason="no bicep on the PATH or in BICEP")
def test_logic_app_compiles() -> None:
    """The compiler finds nothing; the resource has the workflow as it is, and its parameters."""
    file = FOLDER / "logic-app" / "main.bicep"
    built = run("build", file, "--stdout")
    assert built.stderr == ""
    template = json.loads(built.stdout)
    (resource,) = template["resources"]
    workflow = json.loads((FOLDER / "logic-app" / "workflow.json").read_text(encoding="utf-8"))
    (variable,) = template["variables"].values()
    assert variable == workflow
    assert resource["properties"]["parameters"].keys() == workflow["parameters"].keys()
    assert template["parameters"]["functionKey"]["type"] == "securestring"
