from __future__ import annotations

import queue
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import azure.functions as func
import pytest

from dev.host.errors import CannotStart
from dev.host.ncrontab import Schedule

if TYPE_CHECKING:
    from tests.dev.conftest import Serve

_SECONDS = 20.0
_NEVER_HERE = "0 0 0 29 2 *"


def _app(
    schedule: str, *, run_on_startup: bool = False
) -> tuple[func.FunctionApp, queue.SimpleQueue[func.TimerRequest]]:
    app = func.FunctionApp()
    seen: queue.SimpleQueue[func.TimerRequest] = queue.SimpleQueue()

    @app.timer_trigger(arg_name="timer", schedule=schedule, run_on_startup=run_on_startup)
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


def test_run_on_startup(serve: Serve) -> None:
    """With `run_on_startup` it runs once at the start; without, it waits for its time."""
    app, seen = _app(_NEVER_HERE, run_on_startup=True)
    serve(app)
    seen.get(timeout=_SECONDS)
    other, unseen = _app(_NEVER_HERE)
    serve(other)
    with pytest.raises(queue.Empty):
        unseen.get(timeout=0.5)
    assert seen.empty()


def test_it_can_be_run_at_once(serve: Serve) -> None:
    """`POST /admin/functions/<name>` runs a timer's function now; a body is not needed."""
    app, seen = _app(_NEVER_HERE)
    client = serve(app)
    assert client.ask("POST", "/admin/functions/tick").status == 202
    seen.get(timeout=_SECONDS)


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        ("0 */5 * * * *", "2026-03-01T10:02:03", "2026-03-01T10:05:00"),
        ("0 */5 * * * *", "2026-03-01T10:05:00", "2026-03-01T10:10:00"),
        ("30 59 23 31 12 *", "2026-12-31T23:59:30", "2027-12-31T23:59:30"),
        ("0 0 9-17/4 * * MON-FRI", "2026-11-20T17:00:00", "2026-11-23T09:00:00"),
        ("0 0 12 13 * 5", "2026-01-01T00:00:00", "2026-02-13T12:00:00"),
        ("0 0 0 29 FEB *", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 29 2 *", "2096-03-01T00:00:00", "2104-02-29T00:00:00"),
        ("5,10 10/20 8 * * *", "2026-01-01T08:10:05", "2026-01-01T08:10:10"),
        ("*/15 * * * *", "2026-01-01T08:10:05", "2026-01-01T08:15:00"),
        ("00:30:00", "2026-01-01T08:10:05", "2026-01-01T08:40:05"),
        ("1.00:00:00", "2026-01-01T08:10:05", "2026-01-02T08:10:05"),
    ],
)
def test_schedules(schedule: str, after: str, due: str) -> None:
    """Six-field NCRONTAB, five-field cron and time spans give the next time after a given one, in UTC."""
    found = Schedule(schedule).next_after(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "schedule", ["", "often", "* * *", "60 * * * * *", "0 0 0 0 * *", "0 0 0 30 2 *", "0 0 0 * * 7", "00:00:00"]
)
def test_bad_schedules_are_named(serve: Serve, schedule: str) -> None:
    """What is no schedule, or never comes, stops the start and names the function."""
    app, _ = _app(schedule)
    with pytest.raises(CannotStart, match="tick"):
        serve(app)
