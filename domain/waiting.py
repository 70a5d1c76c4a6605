"""A flow that waits for an outcome at its own URL: when it is notified, by whom, and what its responses mean.

waiting ──▶ claimed by one run ──▶ delivered       a 2xx
              │                └─▶ undeliverable   a second 404 or 410, or a day of failures
              └──────────────────▶ waiting         anything else: repeated after a delay
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

RETRY_SECONDS = (5, 15, 45, 120, 300, 900, 1800, 3600, 7200, 7200, 14400, 14400, 21600, 28800)
"""Seconds before each further POST: a minute in all at first, then more than a day."""
LISTENS_AFTER = timedelta(seconds=1)
"""No flow is POSTed sooner after the write that its 201 follows: its action does not wait yet."""
CLAIM_MARGIN = timedelta(seconds=5)
"""A claim outlasts the POST's own time limit by this, so that no POST runs under a claim that has ended."""
_SUCCESS = range(200, 300)
_CLIENT_ERRORS = range(400, 500)
_GONE = (404, 410)


class Delivery(StrEnum):
    """How far notifying a flow has come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    """The flow no longer waits."""
    UNDELIVERABLE = "undeliverable"
    """The flow's URL is gone, or did not accept the outcome for a whole day."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Which run POSTs an outcome now, and until when no other run does."""

    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class PostResult:
    """What became of one POST."""

    message_id: str
    """The ``webhook-id`` that was sent."""
    status: int | None
    """The HTTP status; None where there was no response."""
    claimed: datetime
    """When the POST was claimed."""
    was_cut: bool = False
    """Whether our own time limit ended it, so that the flow may have taken it."""
    is_refused: bool = False
    """Whether the URL may not be a flow's; nothing was sent."""
    was_begun: bool = True
    """Whether it was begun."""
    again_after: timedelta | None = None
    """When to try again, where it could not be begun for another reason than time."""


@dataclass(frozen=True, slots=True)
class WaitingFlow:
    """Where a flow waits for the outcome, and how far notifying it has come."""

    url: str
    """Opens the flow: a secret."""
    message_id: str
    """The ``webhook-id``: the same over all tries."""
    state: Delivery = Delivery.WAITING
    token: str | None = None
    """Random part of the URL that ends the waiting; None in rows of the previous release."""
    run_id: str | None = None
    """The flow's run (``x-ms-workflow-run-id``), where the request named one."""
    subscribed: datetime | None = None
    """When the flow subscribed last."""
    attempts: int = 0
    last_attempt: datetime | None = None
    last_status: int | None = None
    not_before: datetime | None = None
    """No POST begins before this: the flow does not listen yet, or a retry's delay is not over."""
    claim: Claim | None = None
    doubted: bool = False
    """A first 404 or 410 came: it is repeated once, since the flow's 201 may be on its way."""
    was_cut: bool = False
    """An earlier POST was cut by our time limit: a 4xx from now on means that the flow had taken it."""

    @property
    def is_waiting(self) -> bool:
        """Whether the flow is still to be notified."""
        return self.state is Delivery.WAITING

    def may_be_claimed(self, now: datetime, *, until: datetime) -> bool:
        """Whether a run may claim the POST now; one that becomes possible before ``until`` is waited for."""
        is_free = self.claim is None or self.claim.until <= now
        return self.is_waiting and is_free and (self.not_before is None or self.not_before < until)

    def due(self, now: datetime) -> datetime:
        """Return when the POST can be claimed next."""
        times = [now, *([self.not_before] if self.not_before else []), *([self.claim.until] if self.claim else [])]
        return max(times)


def claimed(flow: WaitingFlow, owner: str, limit: datetime) -> WaitingFlow:
    """Return the flow with its POST claimed by a run whose POST ends at ``limit``."""
    return replace(flow, claim=Claim(owner, limit + CLAIM_MARGIN))


def posted(flow: WaitingFlow, owner: str, result: PostResult, now: datetime) -> WaitingFlow:
    """Return the flow after its POST; unchanged where another run has taken it over or it no longer waits."""
    if not flow.is_waiting or flow.claim is None or flow.claim.owner != owner:
        return flow
    flow = replace(flow, claim=None)
    if result.message_id != flow.message_id:
        return flow
    if not result.was_begun:
        return flow if result.again_after is None else replace(flow, not_before=now + result.again_after)
    subscribed_since = flow.subscribed is not None and flow.subscribed > result.claimed
    flow = replace(flow, attempts=flow.attempts + 1, last_attempt=now, last_status=result.status)
    status = result.status
    if status in _SUCCESS or (flow.was_cut and status in _CLIENT_ERRORS):
        return replace(flow, state=Delivery.DELIVERED)
    if status in _GONE and subscribed_since:
        return flow  # subscribed again since: the 404 is about the time before
    if result.is_refused or (flow.doubted and status in _GONE) or flow.attempts > len(RETRY_SECONDS):
        return replace(flow, state=Delivery.UNDELIVERABLE)
    delay = timedelta(seconds=RETRY_SECONDS[flow.attempts - 1])
    return replace(
        flow,
        not_before=now + delay,
        doubted=flow.doubted or status in _GONE,
        was_cut=flow.was_cut or result.was_cut,
    )


def cancelled(flow: WaitingFlow) -> WaitingFlow:
    """Return the flow after it said that it no longer waits; what was delivered stays delivered."""
    return replace(flow, state=Delivery.CANCELLED, claim=None) if flow.is_waiting else flow
