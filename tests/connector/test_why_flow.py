"""The flow that writes to people why they are about to be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.connector.conftest import Engine
from tests.connector.instant import PAGE, Instant
from tests.connector.interpreter import printed
from tests.connector.rota import ANNA, BEN, SETTINGS, office
from tests.connector.teams import Teams

if TYPE_CHECKING:
    from tests.connector.conftest import Running

NAME = "say-why-first"
BODY: dict[str, Any] = {"title": "P1", "reason": "Checkout is down.", "people": [ANNA, "ben@contoso.com"]}


def _run(bench: Instant, **changes: Any) -> str:
    bench.run(NAME, BODY | changes, SETTINGS)
    return bench.teams.messages[-1]


def test_say_why_first(running: Running) -> None:
    """With the app and the simulated Graph: each person reads why, with the live page, before the phone rings."""
    running.graph.person(BEN, "declines")
    teams = Teams(running.graph)
    run = running.run_with(NAME, BODY, Engine(teams=teams, office=office(), settings=SETTINGS))
    assert [to for to, _ in teams.chats] == ["anna@contoso.com", "ben@contoso.com"], printed(run)
    text = teams.chats[0][1]
    assert text.startswith(
        "You will be called in a moment: P1. Checkout is down. Teams shows Call Invites as the caller."
    )
    assert "/api/page#call=" in text
    assert teams.messages == [
        "P1. In the meeting: Anna. Ben: The person declined the call. Try someone else. ",
    ]
    names = [step.name for step in run.steps]
    assert max(place for place, name in enumerate(names) if name == "Write_why") < names.index("Call_everybody")


def test_message_that_cannot_be_sent() -> None:
    """Somebody who can't be written to is called all the same, and named."""
    bench = Instant(office())
    bench.teams.unreachable = frozenset({"anna@contoso.com"})
    assert _run(bench) == "P1. Anna could not be written to. In the meeting: Anna, Ben. "
    assert bench.teams.chats[0][1].endswith(f"Watch: {PAGE}")


def test_unknown_person() -> None:
    """Somebody who isn't in the directory is a sentence; the others are called."""
    bench = Instant(office({ANNA: None}))
    assert _run(bench) == f"P1. {ANNA} is not in the directory and is not called. In the meeting: Ben. "


def test_no_people() -> None:
    """An empty list is a sentence."""
    for body in ({"title": "P1"}, {"title": "P1", "people": []}):
        bench = Instant(office())
        bench.run(NAME, body, SETTINGS)
        assert bench.teams.messages == ["P1. No people were given. There is no one to call."]


def test_many_people() -> None:
    """Of more than 50 people the first 50 are called."""
    bench = Instant(office())
    assert _run(bench, people=[ANNA] + ["x"] * 59).startswith("P1. x is not in the directory and is not called. ")
    assert "60 people were given: only the first 50 are called. " in bench.teams.messages[-1]


def test_without_a_reason() -> None:
    """Without a reason the message says that."""
    bench = Instant(office())
    bench.run(NAME, {"title": "P1 <b>", "people": [ANNA]}, SETTINGS)
    assert bench.teams.chats[0][1].startswith("You will be called in a moment: P1  b>. No reason was given. Teams ")


def test_no_one_comes() -> None:
    """If no one comes, the channel reads why."""
    bench = Instant(office(), {ANNA: "No.", BEN: "No."})
    assert _run(bench) == "P1. In the meeting: no one. Anna: No. Ben: No. "


def test_calls_fail() -> None:
    """If the app can't join, no one is written to."""
    bench = Instant(office())
    bench.app.refuses = (422, "The app may not join this meeting.")
    assert _run(bench).endswith(
        "The app is not in the meeting, so no one was called. The app may not join this meeting."
    )
    assert bench.teams.chats == []
