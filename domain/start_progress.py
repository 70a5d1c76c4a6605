"""What an open start waits for, and what is due by its row; the same rules as ``domain.progress``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from domain.start import RESPONSE_WITHIN, RETRY, InCall
from domain.waiting import claimed

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from domain.progress import Run
    from domain.start import Start


def decide(start: Start, run: Run, now: datetime, waited_for: timedelta) -> Start:
    """Return the start with the POSTs claimed that are due, once it is final."""
    if not start.is_final:
        return start
    until = min(run.post_begins_before, now + waited_for)
    flows = tuple(
        claimed(flow, run.me, run.post_limit) if now < until and flow.may_be_claimed(now, until=until) else flow
        for flow in start.flows
    )
    return start if flows == start.flows else replace(start, flows=flows)


def is_open(start: Start) -> bool:
    """Return whether anything is still to happen."""
    return (
        not start.is_final
        or bool(start.to_leave)
        or start.cancel_at is not None
        or any(flow.is_waiting for flow in start.flows)
    )


def earliest(start: Start, now: datetime, *, is_message: bool) -> datetime | None:
    """Return what an open start waits for next; None where it is not open."""
    times = []
    if isinstance(start.stage, InCall) and not start.stage.is_sole:
        reads_at = start.stage.since + RESPONSE_WITHIN
        times.append(reads_at if reads_at > now else now + RETRY)
    elif not start.is_final:
        times.append(max(now, start.look_at))
    if start.to_leave:
        times.append(max(now, start.leave_at or now))
    if start.cancel_at is not None:
        times.append(max(now, start.cancel_at))
    if start.is_final:
        waiting = [flow for flow in start.flows if flow.is_waiting]
        times += [flow.due(now) for flow in waiting if is_message or flow.claim is None]
    return min(times, default=None)
