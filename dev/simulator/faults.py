"""Faults on demand: which requests they are applied to, how often, and what then happens."""

from __future__ import annotations

import math
import random
import threading
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from dev.simulator.errors import GraphRefusal
from dev.simulator.options import Count, Reporting, Seconds

if TYPE_CHECKING:
    from collections.abc import Collection

    from dev.simulator.web import Response

Route = Literal[
    "invite",
    "create",
    "keepAlive",
    "hangUp",
    "answer",
    "reject",
    "removeParticipant",
    "call",
    "participants",
    "participant",
    "operation",
    "discovery",
    "signingKeys",
    "token",
    "configuration",
    "keys",
]
_FIRST_SERVER_ERROR = 500
# The codes that Graph commonly returns with these statuses.
_CODES = {
    429: ("TooManyRequests", "Too many requests."),
    500: ("InternalServerError", "An internal server error occurred."),
    502: ("BadGateway", "The upstream server returned no valid response."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
    504: ("GatewayTimeout", "The upstream server did not respond in time."),
}


class Fault(Reporting):
    """What goes wrong and for which requests, and how Graph reports an invite that is accepted all the same."""

    route: Route = "invite"
    """The kind of request."""
    call_id: str | None = None
    """Only requests about this call."""
    person: str | None = None
    """Only invites of this identity id, and creates with it as a target."""
    nth: Annotated[int, Field(ge=1)] | None = None
    """Only the nth matching request, from 1."""
    times: Count | None = None
    """How often it is applied: by default once, or without limit where ``rate`` is given; 0: without limit."""
    rate: Annotated[float, Field(ge=0, le=1)] | None = None
    """The share of matching requests that it is applied to, 0 to 1."""

    status: Annotated[int, Field(ge=400, le=599)] | None = None
    """Return this status instead of the right response."""
    code: str | None = None
    """Graph's error code with ``status``."""
    message: str | None = None
    """Graph's error message with ``status``."""
    taken: bool = False
    """The request is processed all the same: people are called, then ``status`` is returned."""
    cut: Literal["before", "after"] | None = None
    """Cut the connection: before the request is processed, or after."""
    retry_after: Seconds | None = None
    """Seconds in ``Retry-After``; like all seconds, scaled."""
    retry_after_format: Literal["seconds", "date"] = "seconds"
    """A number with up to three decimals, or an HTTP-date, rounded up to the whole second."""
    delay_before: Seconds = 0
    """Seconds before the request is processed."""
    delay_after: Seconds = 0
    """Seconds between processing and response."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.taken and self.status is None:
            raise ValueError("taken: needs a status to return")
        if self.cut and self.status is not None:
            raise ValueError("cut: a connection that is cut has no status")
        reported = self.model_fields_set & Reporting.model_fields.keys()
        if not (self.status or self.cut or self.delay_before or self.delay_after or reported):
            raise ValueError("a fault needs a status, a cut, a delay or a way of reporting")
        return self

    @property
    def limit(self) -> float:
        """How often it may be applied."""
        if self.times is None:
            return math.inf if self.rate is not None else 1
        return self.times or math.inf

    def response(self, client_request_id: str | None, time_scale: float) -> Response:
        """Return the response with ``status``."""
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


@dataclass(slots=True)
class _Requested:
    number: int
    fault: Fault
    chance: random.Random
    matched: int = 0
    applied: int = 0


class Faults:
    """The requested faults, oldest first; of several that match a request, the first is applied."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._requested: list[_Requested] = []
        self._number = 0

    def add(self, fault: Fault) -> int:
        """Add ``fault`` and return its number, which the log shows where it was applied."""
        with self._lock:
            self._number += 1
            # Each fault has random numbers of its own, so that adding one does not change when another is applied.
            chance = random.Random(f"{self._seed}/{self._number}")  # noqa: S311 - repeatable on purpose
            self._requested.append(_Requested(self._number, fault, chance))
            return self._number

    def remove(self, number: int | None = None) -> None:
        """Remove one fault, or all."""
        with self._lock:
            self._requested = [requested for requested in self._requested if number not in {None, requested.number}]

    def all(self) -> list[tuple[int, Fault, int]]:
        """Return every fault with its number and how often it was applied."""
        with self._lock:
            return [(requested.number, requested.fault, requested.applied) for requested in self._requested]

    def find(self, route: str, call_id: str | None, people: Collection[str]) -> tuple[int, Fault] | None:
        """Return the fault to apply to this request, if any."""
        with self._lock:
            chosen = None
            for requested in self._requested:
                fault = requested.fault
                if (
                    fault.route != route
                    or (fault.call_id is not None and fault.call_id != call_id)
                    or (fault.person is not None and fault.person.casefold() not in people)
                ):
                    continue
                requested.matched += 1
                if chosen or requested.applied >= fault.limit or fault.nth not in {None, requested.matched}:
                    continue
                if fault.rate is not None and requested.chance.random() >= fault.rate:
                    continue
                requested.applied += 1
                chosen = (requested.number, fault)
            return chosen
