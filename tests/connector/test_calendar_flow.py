"""The flow that calls who is on call by an Outlook calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.connector.conftest import Engine
from tests.connector.instant import Instant
from tests.connector.interpreter import printed
from tests.connector.rota import ANNA, BEN, CLEO, PHONE, SETTINGS, TITLE, event, office, run
from tests.connector.teams import Teams

if TYPE_CHECKING:
    from tests.connector.conftest import Running

NAME = "on-call-from-calendar"
EVENTS = [event("Anna@contoso.com;", -3, 5), event("ben@contoso.com;", 5, 9), event("cleo@contoso.com", -1, 5, "Lunch")]
NO_ONE = {ANNA: "No.", PHONE: "No.", BEN: "No.", "+12065550101": "No.", CLEO: "No.", "+12065550102": "No."}


def _bench(events: Any = None, changes: Any = None, **more: Any) -> Instant:
    return Instant(office(changes, events=EVENTS if events is None else events, **more), dict(NO_ONE))


def _called(bench: Instant) -> list[str]:
    return [together[0] for together in bench.app.calls]


def test_on_call_from_calendar(running: Running) -> None:
    """With the app and the simulated Graph: the attendee of the event that runs is called."""
    teams = Teams(running.graph)
    done = running.run_with(NAME, TITLE, Engine(teams=teams, office=office(events=EVENTS), settings=SETTINGS))
    assert teams.messages[-1].startswith("P1. In the meeting: Anna"), printed(done)
    assert {entry.person for entry in running.graph.log.rings} <= {ANNA, PHONE}


def test_steps() -> None:
    """The attendee of the event that runs now, that of the next, then the manager; other events don't count."""
    bench = _bench()
    assert run(NAME, bench)[0].startswith("P1. Join: ")
    assert bench.app.calls == [[ANNA, PHONE], [BEN, "+12065550101"], [CLEO, "+12065550102"]]


def test_gap() -> None:
    """In a gap the next event's attendee comes first, and the channel reads that."""
    bench = _bench([event("ben@contoso.com", 2, 5), event("anna@contoso.com", 5, 9), event("anna@contoso.com", -5, -2)])
    assert run(NAME, bench)[0].startswith("P1. No event On call runs now. Join: ")
    assert _called(bench) == [BEN, CLEO]


def test_overlap() -> None:
    """Attendees of events that overlap are called one after the other, in the order in which the events began."""
    bench = _bench([event("ben@contoso.com", -1, 5), event("anna@contoso.com; ben@contoso.com", -3, 5)])
    assert "Several events run now: their attendees are called one after the other." in run(NAME, bench)[0]
    assert _called(bench) == [ANNA, BEN, CLEO]


def test_no_attendees() -> None:
    """An event without attendees is a sentence; the next event's are called."""
    bench = _bench([event(None, -1, 5), event("", 3, 4), event("ben@contoso.com", 5, 9)])
    assert run(NAME, bench)[0].startswith("P1. The event that runs now has no attendees. Join: ")
    assert _called(bench) == [BEN, CLEO]


def test_unknown_attendee() -> None:
    """An address that is no user's is a sentence."""
    bench = _bench([event("guest@fabrikam.com;anna@contoso.com", -1, 5)])
    assert run(NAME, bench)[0].startswith("P1. No manager was found. guest@fabrikam.com (on call) is not in the direct")
    assert _called(bench) == [ANNA]


def test_empty_calendar() -> None:
    """Without an event no meeting is created."""
    bench = _bench([])
    assert run(NAME, bench) == ["P1. No event On call runs now. There is no one to call."]
    assert bench.teams.meetings == 0


def test_calendar_that_cannot_be_read() -> None:
    """If Outlook refuses, the channel reads that."""
    (message,) = run(NAME, _bench(refuses=frozenset({"GetEventsCalendarViewV3"})))
    assert message.startswith("P1. The calendar could not be read. ")


def test_manager_is_on_call() -> None:
    """A manager who is on call is called once."""
    bench = _bench([event("anna@contoso.com;cleo@contoso.com", -1, 5)])
    run(NAME, bench)
    assert _called(bench) == [ANNA, CLEO]


def test_without_a_phone() -> None:
    """Somebody without a phone is a sentence, and is called in Teams."""
    bench = _bench(changes={ANNA: {"mobilePhone": None}})
    assert "Anna (on call) has no mobile phone with + and country code in the directory." in run(NAME, bench)[0]
    assert bench.app.calls[0] == [ANNA]
