"""The flow that calls attendees into a meeting that has begun without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.connector.conftest import Engine
from tests.connector.instant import Instant
from tests.connector.interpreter import SUCCEEDED, printed
from tests.connector.office import Office
from tests.connector.rota import ANNA, BEN, CLEO, USERS, at, office
from tests.connector.teams import Teams

if TYPE_CHECKING:
    from tests.connector.conftest import Running

NAME = "call-into-my-meeting"
BEN_PHONE = USERS[BEN]["mobilePhone"]
THREE = "anna@contoso.com;ben@contoso.com;cleo@contoso.com;"


def _event(link: str, attendees: str | None = THREE, start: float = -0.1) -> dict[str, Any]:
    return {
        "id": "AAMk1",
        "iCalUId": f"040000008200E00074C5B7101A82E008{link[-12:-2]}",
        "subject": "Planning",
        "start": at(start),
        "organizer": "olga@contoso.com",
        "requiredAttendees": attendees,
        "body": f'<html><body><p>Agenda</p><a href="{link}">Join the meeting now</a></body></html>',
    }


def _run(bench: Instant, event: dict[str, Any] | None = None) -> str:
    bench.run(NAME, _event(bench.app.meeting().join_web_url) if event is None else event)
    ((to, text),) = bench.teams.chats[-1:]
    assert to == "olga@contoso.com"
    return text


def test_call_into_my_meeting(running: Running) -> None:
    """With the app and the simulated Graph: who isn't there is called in Teams, then on the phone."""
    meeting = running.graph.meeting(participants=[CLEO])
    running.graph.person(BEN, "ringsOut")
    teams = Teams(running.graph)
    run = running.run_with(NAME, _event(meeting.join_web_url), Engine(teams=teams, office=office()))
    ((to, text),) = teams.chats
    assert to == "olga@contoso.com"
    assert text == "Planning. In the meeting: Anna, Cleo. On the phone: Ben. ", printed(run)
    assert sorted(entry.person for entry in running.graph.log.rings) == [BEN_PHONE, ANNA, BEN]


def test_waits() -> None:
    """The flow waits until three minutes after the start."""
    bench = Instant(office())
    run = bench.run(NAME, _event(bench.app.meeting().join_web_url, start=0.1))
    ((seconds),) = run.waited
    assert 520 < seconds < 560


def test_phones() -> None:
    """Only those who don't come are called on the phone; one without a phone is named."""
    bench = Instant(office({CLEO: {"mobilePhone": None}}), {BEN: "No.", CLEO: "No.", BEN_PHONE: "Voice mail."})
    text = _run(bench)
    assert text == (
        "Planning. In the meeting: Anna. Not in the meeting, and without a mobile phone with + and country code: Cleo. "
        "Not in the meeting: Ben: Voice mail. "
    )
    assert bench.app.calls == [[ANNA, BEN, CLEO], [BEN_PHONE]]


def test_twice() -> None:
    """The same occurrence again calls no one."""
    bench = Instant(office(), {BEN: "No."})
    event = _event(bench.app.meeting().join_web_url)
    assert _run(bench, event) == _run(bench, event)
    assert bench.app.calls == [[ANNA, BEN, CLEO], [BEN_PHONE]]
    assert _run(bench, event | {"requiredAttendees": "anna@contoso.com"}).endswith("no one is called again. ")


def test_no_attendees() -> None:
    """An event without attendees is a sentence."""
    bench = Instant(office())
    assert _run(bench, _event("x", None)) == "Planning. The event has no required attendees. "
    assert bench.called == []


def test_unknown_attendee() -> None:
    """An address that is no user's is a sentence; the others are called."""
    bench = Instant(office())
    text = _run(bench, _event(bench.app.meeting().join_web_url, "room@contoso.com;anna@contoso.com"))
    assert text == "Planning. room@contoso.com is not in the directory and is not called. In the meeting: Anna. "


def test_no_meeting() -> None:
    """An event that is no Teams meeting is a sentence."""
    bench = Instant(office())
    text = _run(bench, _event("https://example.com/agenda"))
    assert text.startswith("Planning. The calls failed. ")
    assert "meeting" in text
    assert bench.called == []


def test_wrong_phone() -> None:
    """A number that is refused loses the phones only."""
    bench = Instant(office({BEN: {"mobilePhone": "+1 555 ext. 5"}}), {BEN: "No."})
    text = _run(bench)
    assert text.startswith("Planning. In the meeting: Anna, Cleo. The phones were not called. ")


def test_many_attendees() -> None:
    """Of more than 50 attendees the first 50 are called."""
    users: dict[str, Any] = {
        f"33333333-3333-4333-8333-{number:012}": {"displayName": f"P{number}", "mail": f"p{number}@contoso.com"}
        for number in range(60)
    }
    bench = Instant(Office(users=users))
    attendees = ";".join(user["mail"] for user in users.values())
    text = _run(bench, _event(bench.app.meeting().join_web_url, attendees))
    assert text.startswith("Planning. It has 60 required attendees: only the first 50 are called. In the meeting: P0, ")
    assert len(bench.called) == 50


def test_report() -> None:
    """The outcome goes to the address in Settings, if there is one."""
    bench = Instant(office())
    run = bench.run(NAME, _event(bench.app.meeting().join_web_url), {"report": "ops@contoso.com"})
    assert run.status("Write_who_came") == SUCCEEDED
    assert bench.teams.chats[0][0] == "ops@contoso.com"
