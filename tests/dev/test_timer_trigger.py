from __future__ import annotations

import queue
import time
from typing import TYPE_CHECKING

import azure.functions as func
import pytest

from dev.host.errors import CannotStart

if TYPE_CHECKING:
    from tests.dev.conftest import Serve

_SECONDS = 20.0
_NIGHTLY = "0 30 2 * * *"


def _app(schedule: str) -> tuple[func.FunctionApp, queue.SimpleQueue[func.TimerRequest]]:
    app = func.FunctionApp()
    seen: queue.SimpleQueue[func.TimerRequest] = queue.SimpleQueue()

    @app.timer_trigger(arg_name="timer", schedule=schedule)
    def tick(timer: func.TimerRequest) -> None:
        seen.put(timer)

    return app, seen


def test_it_runs_when_it_is_due(serve: Serve) -> None:
    """A timer of every second runs about every second."""
    app, seen = _app("* * * * * *")
    serve(app)
    seen.get(timeout=_SECONDS)
    started = time.monotonic()
    timer = seen.get(timeout=_SECONDS)
    assert 0.5 < time.monotonic() - started < 3
    assert timer.past_due is False
    assert seen.empty()


def test_it_can_be_run_at_once(serve: Serve) -> None:
    """`POST /admin/functions/<name>` runs a timer's function now, and only then; a body is not needed."""
    app, seen = _app(_NIGHTLY)
    client = serve(app)
    with pytest.raises(queue.Empty):
        seen.get(timeout=0.5)
    assert client.ask("POST", "/admin/functions/tick").status == 202
    seen.get(timeout=_SECONDS)


def test_a_disabled_timer_does_not_run(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `AzureWebJobs.tick.Disabled` nothing runs on its schedule."""
    monkeypatch.setenv("AzureWebJobs.tick.Disabled", "true")
    app, seen = _app("* * * * * *")
    serve(app)
    with pytest.raises(queue.Empty):
        seen.get(timeout=2)


@pytest.mark.parametrize("schedule", ["", "often", "* * *", "60 * * * * *", "0 0 0 0 * *", "0 0 0 30 2 *"])
def test_bad_schedules_are_named(serve: Serve, schedule: str) -> None:
    """A string that is no schedule, or a time that never comes, stops the start and names the function."""
    app, _ = _app(schedule)
    with pytest.raises(CannotStart, match="tick"):
        serve(app)
