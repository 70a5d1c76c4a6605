"""The flow that mails the timeline once a call is over."""

from __future__ import annotations

import base64
import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from tests.connector.conftest import Engine
from tests.connector.instant import Instant
from tests.connector.interpreter import SUCCEEDED, printed
from tests.connector.office import Office

if TYPE_CHECKING:
    from tests.connector.conftest import Running

NAME = "timeline-by-mail"
BODY = {"callId": "c", "to": "ops@contoso.com"}
ANNA = "11111111-1111-4111-8111-111111111111"
EVENTS: list[dict[str, Any]] = [
    {"event": "callStarting", "text": "The app is starting the call."},
    {"event": "answered", "text": "Anna <b> answered after 12 seconds."},
    {"event": "notReached", "text": "Ben was not reached. The person declined the call."},
]


def _run(bench: Instant) -> dict[str, Any]:
    bench.run(NAME, BODY)
    (mail,) = bench.office.mails
    return mail


def test_timeline_by_mail(running: Running) -> None:
    """With the app and the simulated Graph: the CSV is attached, with its rows and seconds."""
    link, name = running.graph.meeting().join_web_url, "=cmd"
    person = {"identity": {"user": {"id": ANNA, "displayName": name}}}
    started = running.act(
        "JoinMeetingAndWait", body__meeting__joinWebUrl=link, body__participants=[person], body__separately=True
    )
    call_id = started.outputs("Act")["body"]["callId"]
    assert running.graph.wait_idle(10)
    running.graph.end_call(call_id)
    assert running.graph.wait_idle(10)
    office = Office()
    run = running.run_with(NAME, BODY | {"callId": call_id}, Engine(office=office))
    (mail,) = office.mails
    assert mail["To"] == "ops@contoso.com", printed(run)
    (attached,) = mail["Attachments"]
    assert attached["Name"] == "timeline.csv"
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(attached["ContentBytes"]).decode("utf-8-sig"))))
    (answered,) = (row for row in rows if row["event"] == "answered")
    assert (answered["participants"], answered["secondsToAnswer"].isdigit()) == (f"'{name}", True)
    (joined,) = (row for row in rows if row["event"] == "joined" and row["participants"] == f"'{name}")
    assert joined["secondsToJoin"].isdigit()
    assert rows[-1]["event"] == "callEnded"


def test_waits_for_the_end() -> None:
    """The flow looks every five minutes whether the call is over."""
    bench = Instant()
    bench.app.states = ["established", "established", "terminated"]
    bench.app.timeline = {"value": EVENTS, "csv": {"name": "timeline.csv", "contentBytes": "YQ=="}}
    run = bench.run(NAME, BODY)
    assert run.waited == [300, 300]
    (mail,) = bench.office.mails
    assert mail["Attachments"] == [{"Name": "timeline.csv", "ContentBytes": "YQ=="}]
    assert mail["Body"] == (
        "<p>3 events are in the attached file. </p><ul><li>Anna  b> answered after 12 seconds.</li>"
        "<li>Ben was not reached. The person declined the call.</li></ul><p></p>"
    )


def test_no_one_was_called() -> None:
    """A call into which no one was called has a timeline, too."""
    bench = Instant()
    bench.app.states = ["terminated"]
    bench.app.timeline = {"value": EVENTS[:1], "csv": {"name": "timeline.csv", "contentBytes": "YQ=="}}
    assert _run(bench)["Body"] == "<p>1 events are in the attached file. No one was called.</p>"


def test_unknown_call() -> None:
    """A call that the app doesn't know is a sentence, without a file."""
    bench = Instant()
    bench.app.states = ["unknown call"]
    mail = _run(bench)
    assert "The app knows nothing about this call." in mail["Body"]
    assert "Attachments" not in mail


@pytest.mark.parametrize("status", [401, 503])
def test_app_is_down(status: int) -> None:
    """If the app doesn't answer, the flow gives up after its limit, and the mail says why."""
    bench = Instant()
    bench.app.refuses = (status, "Try later.")
    run = bench.run(NAME, BODY)
    assert run.status("Send_that_there_is_none") == SUCCEEDED
    assert bench.office.mails[0]["Body"] == "<p>Try later.</p>"
    assert len(run.waited) == 200
