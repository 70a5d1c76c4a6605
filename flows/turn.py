"""One request, or one run of a queue message: who acts, how long it may act, and what is left to do at its end.

A request that has just arrived begins no POST and no further Graph request after two seconds, and cuts every POST 2.5
seconds after it came, so that flows that hang never hold a callback of Graph's. A message's run has 120 seconds, and
25 for each POST.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from domain.progress import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.reading import Held

BEGINS_WITHIN = timedelta(seconds=2)
REQUEST_POST_LIMIT = timedelta(seconds=2.5)
MESSAGE_LIMIT = timedelta(seconds=120)
MESSAGE_POST_LIMIT = timedelta(seconds=25)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@dataclass
class Turn:
    """Who acts now; not shared between threads while something is added to it."""

    started: datetime = field(default_factory=utc_now)
    is_message: bool = False
    alarm: str | None = None
    """The name of the message that is handled."""
    me: str = field(default_factory=lambda: secrets.token_hex(8))
    flow_run_id: str | None = None
    """The flow's run that sent the request, where it names one, for the log."""
    may_post: bool = True
    """Whether flows may be notified in this turn; not by a request whose own flow listens after its response."""
    duties: list[Callable[[], None]] = field(default_factory=list)
    """What follows from what was written, done once everything is written."""
    taken: set[str] = field(default_factory=set)
    """The duties that this turn has, so that none is noted twice."""
    sent: dict[tuple[object, ...], object] = field(default_factory=dict)
    """The requests to Graph that this turn has begun, so that none is sent twice; see ``begins``."""
    known: dict[str, Held] = field(default_factory=dict)
    """What this turn last read or wrote of each call, so that what follows in a request need not read it again."""

    def run(self, now: datetime) -> Run:
        """Return who acts, and until when, for the domain's decisions."""
        if self.is_message:
            return Run(
                self.me, self.started + MESSAGE_LIMIT, now + MESSAGE_POST_LIMIT, is_message=True, alarm=self.alarm
            )
        if not self.may_post:
            return Run(self.me, self.started, self.started)
        return Run(self.me, self.started + BEGINS_WITHIN, self.started + REQUEST_POST_LIMIT)

    def seconds_left(self, now: datetime) -> float:
        """Return for how long a POST or a Graph request may still be begun."""
        end = self.started + (MESSAGE_LIMIT if self.is_message else BEGINS_WITHIN)
        return max((end - now) / timedelta(seconds=1), 0.0)

    def learnt(self, held: Held) -> None:
        """Keep what was read or written of a call."""
        call_id = held.record.call_id
        self.known[call_id] = held.after(self.known.get(call_id))

    def in_hand(self, call_id: str) -> Held | None:
        """Return what this turn last read or wrote of a call; None in a message's run, which may have waited since."""
        return None if self.is_message else self.known.get(call_id)

    def note(self, name: str, duty: Callable[[], None]) -> None:
        """Note what is to be done at the end of the turn, once for each name."""
        if name not in self.taken:
            self.taken.add(name)
            self.duties.append(duty)

    def begins(self, *request: object) -> bool:
        """Return whether a request to Graph is to be begun: not if the same turn has, by a duty or on its way."""
        mine = object()
        return self.sent.setdefault(request, mine) is mine
