"""Faults that are played on demand: which requests they meet, how often, and what then happens."""

from __future__ import annotations

import math
import random
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Literal

from dev.simulator.errors import GraphRefusal
from dev.simulator.options import OptionError, ReportingOptions, read, split_reporting

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dev.simulator.web import Response

Route = Literal[
    "invite",
    "call",
    "participants",
    "participant",
    "operation",
    "discovery",
    "token",
    "configuration",
    "keys",
]
_FIRST_SERVER_ERROR = 500
# What Graph's answers of these statuses are commonly headed with.
_CODES = {
    429: ("TooManyRequests", "Too many requests."),
    500: ("InternalServerError", "An internal server error occurred."),
    502: ("BadGateway", "The upstream server gave no valid answer."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
    504: ("GatewayTimeout", "The upstream server did not answer in time."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong, and for which requests."""

    route: Route = "invite"
    call_id: str | None = None
    """Only requests about this call."""
    person: str | None = None
    """Only invites of this identity id."""
    nth: int | None = None
    """Only the nth request that fits, from 1."""
    times: int | None = None
    """How often it is played: by default once, or without end where ``rate`` is given; 0: without end."""
    rate: float | None = None
    """The share of fitting requests that meet it, 0 to 1."""

    status: int | None = None
    """Answer this status instead of the right answer."""
    code: str | None = None
    message: str | None = None
    taken: bool = False
    """The request is acted on all the same: people are rung, then ``status`` is answered."""
    cut: Literal["before", "after"] | None = None
    """Cut the connection: before the request is taken, or after."""
    retry_after: float | None = None
    """Seconds in ``Retry-After``; like all seconds, scaled."""
    retry_after_format: Literal["seconds", "date"] = "seconds"
    """A number with up to three decimals, or an HTTP-date, rounded up to the whole second."""
    delay_before: float = 0
    """Seconds before the request is taken."""
    delay_after: float = 0
    """Seconds between taking and answering."""
    reporting: dict[str, object] = field(default_factory=dict)
    """How an invite that is taken is reported: members of Reporting."""

    @property
    def limit(self) -> float:
        """How often it may be played."""
        if self.times is None:
            return math.inf if self.rate is not None else 1
        return self.times or math.inf

    def response(self, client_request_id: str | None, time_scale: float) -> Response:
        """Return the answer with ``status``."""
        status = self.status or 500
        code, message = _CODES.get(
            status, ("BadRequest" if status < _FIRST_SERVER_ERROR else "UnknownError", "A simulated fault.")
        )
        refusal = GraphRefusal(status, self.code or code, self.message or message)
        response = refusal.response(client_request_id)
        if self.retry_after is not None:
            seconds = self.retry_after * time_scale
            response.headers["Retry-After"] = (
                f"{round(seconds, 3):g}"
                if self.retry_after_format == "seconds"
                else formatdate(math.ceil(time.time() + seconds), usegmt=True)
            )
        return response


class FaultOptions(ReportingOptions, total=False):
    """The members of :class:`Fault` and of Reporting, as keywords."""

    route: Route
    call_id: str | None
    person: str | None
    nth: int | None
    times: int | None
    rate: float | None
    status: int | None
    code: str | None
    message: str | None
    taken: bool
    cut: Literal["before", "after"] | None
    retry_after: float | None
    retry_after_format: Literal["seconds", "date"]
    delay_before: float
    delay_after: float


def new_fault(members: Mapping[str, object]) -> Fault:
    """Make a fault of snake_case ``members``, those of Reporting among them; raises OptionError."""
    reporting, own = split_reporting(members)
    fault = read(Fault, {**own, "reporting": reporting})
    faults = []
    if fault.status is not None and not 400 <= fault.status <= 599:  # noqa: PLR2004 - the error statuses
        faults.append("status: must be from 400 to 599")
    if fault.rate is not None and not 0 <= fault.rate <= 1:
        faults.append("rate: must be from 0 to 1")
    if fault.nth is not None and fault.nth < 1:
        faults.append("nth: counts from 1")
    if fault.taken and fault.status is None:
        faults.append("taken: needs a status to be answered")
    if fault.cut and fault.status is not None:
        faults.append("cut: a connection that is cut has no status")
    if not (fault.status or fault.cut or fault.delay_before or fault.delay_after or fault.reporting):
        faults.append("a fault needs a status, a cut, a delay or a way of reporting")
    if faults:
        raise OptionError(faults)
    return fault


@dataclass(slots=True)
class _Asked:
    number: int
    fault: Fault
    chance: random.Random
    met: int = 0
    played: int = 0


class Faults:
    """The faults asked for, oldest first; of several that a request meets, the first is played."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._asked: list[_Asked] = []
        self._number = 0

    def add(self, fault: Fault) -> int:
        """Ask for ``fault`` and return its number, which the log shows where it was played."""
        with self._lock:
            self._number += 1
            # Each fault has its own dice, so that adding one does not change when another is played.
            chance = random.Random(f"{self._seed}/{self._number}")  # noqa: S311 - repeatable on purpose
            self._asked.append(_Asked(self._number, fault, chance))
            return self._number

    def remove(self, number: int | None = None) -> None:
        """Ask no more for one fault, or for any."""
        with self._lock:
            self._asked = [asked for asked in self._asked if number not in {None, asked.number}]

    def all(self) -> list[tuple[int, Fault, int]]:
        """Return every fault with its number and how often it was played."""
        with self._lock:
            return [(asked.number, asked.fault, asked.played) for asked in self._asked]

    def meet(self, route: str, call_id: str | None, people: Collection[str]) -> tuple[int, Fault] | None:
        """Say which fault this request is to meet, if any."""
        with self._lock:
            chosen = None
            for asked in self._asked:
                fault = asked.fault
                if (
                    fault.route != route
                    or (fault.call_id is not None and fault.call_id != call_id)
                    or (fault.person is not None and fault.person.casefold() not in people)
                ):
                    continue
                asked.met += 1
                if chosen or asked.played >= fault.limit or fault.nth not in {None, asked.met}:
                    continue
                if fault.rate is not None and asked.chance.random() >= fault.rate:
                    continue
                asked.played += 1
                chosen = (asked.number, fault)
            return chosen
