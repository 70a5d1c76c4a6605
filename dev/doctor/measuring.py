"""``--latency``: measures a deployed app with its key, and prints a table and what to set."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from dev.doctor.deployed import Deployed, NotMeasured
from dev.doctor.latency import WARM_REQUESTS, Latency, Plan, table

if TYPE_CHECKING:
    import requests

    from settings import Settings

KEY = "FUNCTION_KEY"
"""The variable with one of the app's function keys."""


def measure(known: Settings, key: str | None, session: requests.Session, plan: Plan, *, as_json: bool = False) -> int:
    """Measure and print, progress on standard error; return the command's exit status.

    Args:
        known: the app's settings, whose PUBLIC_BASE_URL and storage are used.
        key: a function key.
        session: for HTTP.
        plan: what is measured.
        as_json: print one JSON object instead of the table.
    """
    if not key:
        return _failed(f"{KEY} is not set: put one of the app's keys there; docs/doctor.md#latency")
    _say(f"{WARM_REQUESTS + 1} requests, then {plan.samples} rounds: at least {plan.seconds / 60:.0f} minutes")
    try:
        with Deployed(known, key, session) as app:
            latency = Latency(app, plan, _say, time.sleep)
            latency.run()
    except NotMeasured as error:
        return _failed(str(error))
    if as_json:
        rows = [
            {"name": row.name, "seconds": row.seconds, "lost": row.lost, "median": row.median} for row in latency.rows
        ]
        print(json.dumps({"latency": rows, "advice": latency.advice()}, indent=2))
    else:
        print(*table(latency.rows), "", f"What to set: {latency.advice()}", sep="\n")
    return int(any(row.lost for row in latency.rows))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _failed(text: str) -> int:
    _say(f"not measured: {text}")
    return 1
