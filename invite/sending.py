"""Asking Graph, each request of an invitation on its own, and never twice once it may have been taken."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from graph.errors import CredentialRefused, GraphError, NothingSent, OutcomeUnknown, Throttled
from graph.participants import invite_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from domain.invitation import Invitation
    from domain.results import OperationState

BUDGET_SECONDS = 20.0
"""How long one invite may take with all its waiting; a flow hangs up after 120 seconds."""
_READ_SECONDS = 15.0
# A request that is cut short by the budget has an unknown outcome, which is worse than a refusal.
_LEAST_SECONDS = 5.0
_FIRST_BACKOFF = 0.5


class Graph(Protocol):
    """What sending needs of Graph."""

    def invite(self, call_id: str, body: Mapping[str, Any], *, scenario_id: str, read_seconds: float) -> OperationState:
        """Ask Graph once; see ``graph.client.GraphClient.invite``."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one Graph request: Graph's answer, or why there is none."""

    place: int
    """Index of the invitation's operation."""
    answer: OperationState | None = None
    error: GraphError | None = None
    was_begun: bool = True
    """Whether there was time to send it."""

    @property
    def was_refused(self) -> bool:
        """Whether Graph has not taken it, for certain."""
        return self.error is not None and not isinstance(self.error, OutcomeUnknown)

    @property
    def may_be_repeated_soon(self) -> bool:
        """Whether the same request may succeed in a while without anybody's doing."""
        return isinstance(self.error, (Throttled, NothingSent))


@dataclass(frozen=True, slots=True)
class StepTime:
    """Until when the people of a step may be called."""

    ends: datetime
    is_running: Callable[[], bool]
    """Whether the step still runs; another run may have ended it meanwhile."""


class Sender:
    """Sends the Graph requests of an invitation, a few at a time."""

    def __init__(
        self,
        graph: Graph,
        *,
        at_once: int = 4,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._graph = graph
        self._at_once = at_once
        self._clock = clock
        self._sleep = sleep

    def send(
        self,
        invitation: Invitation,
        places: Sequence[int],
        scenario_id: str,
        seconds: float | None = None,
        step: StepTime | None = None,
    ) -> list[Sent]:
        """Send requests and return what became of each, in that order.

        Args:
            invitation: whose requests they are.
            places: the indexes of its operations.
            scenario_id: GUID that Microsoft's support can follow over several requests.
            seconds: within which a request has to be begun.
            step: after which none is begun.
        """
        deadline = self._clock() + (BUDGET_SECONDS if seconds is None else seconds)
        if len(places) == 1 or self._at_once == 1:
            return [self._send_one(invitation, place, scenario_id, deadline, step) for place in places]
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="invite") as pool:
            # Each on its thread goes on in the context of this one, so that its spans belong to the same request.
            sent = [
                pool.submit(copy_context().run, self._send_one, invitation, place, scenario_id, deadline, step)
                for place in places
            ]
            return [one.result() for one in sent]

    def _send_one(
        self, invitation: Invitation, place: int, scenario_id: str, deadline: float, step: StepTime | None
    ) -> Sent:
        operation = invitation.operations[place]
        body = invite_body((invitation.participants[person] for person in operation.people), operation.client_context)
        backoff = _FIRST_BACKOFF
        if self._clock() >= deadline or (step is not None and not step.is_running()):
            return Sent(place, was_begun=False)
        while True:
            seconds = min(max(deadline - self._clock(), _LEAST_SECONDS), _READ_SECONDS)
            try:
                answer = self._graph.invite(invitation.call_id, body, scenario_id=scenario_id, read_seconds=seconds)
            except GraphError as error:
                wait = _wait_before_repeating(error, backoff)
                if wait is None or wait + _LEAST_SECONDS > deadline - self._clock():
                    return Sent(place, error=error)
                self._sleep(wait)
                if step is not None and not step.is_running():
                    return Sent(place, error=error)
                backoff *= 2
            else:
                return Sent(place, answer=answer)


def _wait_before_repeating(error: GraphError, backoff: float) -> float | None:
    """Return the seconds after which to repeat a request that Graph surely did not take, or None."""
    if isinstance(error, Throttled):
        return backoff if error.retry_after is None else error.retry_after
    if isinstance(error, NothingSent) and not isinstance(error, CredentialRefused):
        return backoff
    return None
