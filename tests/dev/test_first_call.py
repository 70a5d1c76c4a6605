"""``make first-call`` against the app on this machine and the simulated Graph."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dev.first_call import FirstCall, Wanted, main, wanted_of
from tests.end_to_end.conftest import KEY, graph, host, settings, storage

if TYPE_CHECKING:
    from dev.simulator import Simulator
    from tests.end_to_end.conftest import Host

__all__ = ["graph", "host", "settings", "storage"]


@pytest.fixture
def wanted(host: Host, graph: Simulator) -> Wanted:
    """A meeting, and a person who joins."""
    return Wanted(host.api.removesuffix("/api"), KEY, graph.meeting().join_web_url, str(uuid.uuid4()))


def made(wanted: Wanted) -> tuple[bool, str]:
    """Make the first call; return whether the person joined, and what was printed."""
    lines: list[str] = []
    has_joined = FirstCall(wanted, lines.append).make()
    text = "\n".join(lines)
    assert wanted.key not in text
    assert wanted.meeting not in text
    assert wanted.person not in text
    return has_joined, text


def test_joins(wanted: Wanted, graph: Simulator) -> None:
    """Each step, and the app leaves the meeting at the end."""
    has_joined, text = made(wanted)
    assert has_joined, text
    steps = [line.removeprefix("==> ") for line in text.splitlines()]
    assert steps[0] == "The app responds: 200"
    assert steps[1] == "Microsoft Graph has taken the request to join"
    assert "The app is in the meeting" in steps
    assert steps[-2:] == ["The person joined. The first call works.", "The app has left the meeting"]
    assert graph.wait_idle(10)


def test_declines(wanted: Wanted, graph: Simulator) -> None:
    """The reason in words, and what to check."""
    graph.person(wanted.person, "declines")
    has_joined, text = made(wanted)
    assert not has_joined
    assert "The person did not join. " in text
    assert "declined" in text
    assert "signed in to Teams" in text


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [(403, "7503", "Azure Bot"), (403, "7504", "make doctor"), (429, None, "Wait a minute")],
)
def test_graph_refuses(wanted: Wanted, graph: Simulator, status: int, code: str | None, expected: str) -> None:
    """Graph's code, the app's advice, and what to check."""
    graph.fault(route="create", status=status, code=code)
    has_joined, text = made(wanted)
    assert not has_joined
    assert expected in text
    assert code is None or f"Graph's code {code}" in text


def test_wrong_key(wanted: Wanted) -> None:
    """Where to find the key."""
    has_joined, text = made(replace(wanted, key="not the key"))
    assert (has_joined, "az functionapp keys list" in text) == (False, True)


def test_bad_input(wanted: Wanted) -> None:
    """A link that can't be joined, and a person who is none, with their paths."""
    has_joined, text = made(replace(wanted, meeting="https://example.com/no-meeting", person="Any Name"))
    assert not has_joined
    assert "meeting.joinWebUrl" in text
    assert "participants[0].identity.user.id" in text


def test_unreachable(wanted: Wanted) -> None:
    """There is no app at the URL."""
    has_joined, text = made(replace(wanted, url="http://127.0.0.1:9"))
    assert (has_joined, "can't be reached" in text) == (False, True)


def test_asks_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not given is asked for; the key never is an option."""
    monkeypatch.delenv("CALL_INVITES_KEY", raising=False)
    answers = iter(["app.example/api/", "a link"])
    wanted = wanted_of(["--person", "+12065550100"], lambda _: next(answers), lambda _: "secret")
    assert wanted == Wanted("https://app.example", "secret", "a link", "+12065550100")
    assert wanted.body()["participants"] == [{"identity": {"phone": {"id": "+12065550100"}}}]


def test_nothing_given(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without answers nothing is done."""
    monkeypatch.setattr("dev.first_call.input", lambda _: "", raising=False)
    monkeypatch.setenv("CALL_INVITES_KEY", "key")
    assert main([]) == 2
    assert "are needed" in capsys.readouterr().err
