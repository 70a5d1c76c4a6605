"""Notifies a waiting flow of its outcome, and writes down what became of it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from domain.record import CallRecord, Needs
from domain.waiting import PostResult, WaitingFlow, posted
from flows.turn import utc_now
from flows.urls import UrlRefused
from flows.views import invitation_view
from flows.webhook import signed_headers
from observability import tracing
from observability.events import Events

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from domain.invitation import Invitation
    from flows.progress import Progress
    from flows.turn import Turn
    from flows.webhook import PostResponse
    from storage.reading import Held

_events = Events("outcomes")
_PAUSE = timedelta(minutes=1)


class FlowEndpoint(Protocol):
    """How a flow's URL is reached; see ``flows.webhook.FlowClient``."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> PostResponse:
        """POST a body; raise ``UrlRefused`` where it may not be a flow's URL."""


class Delivery:
    """POSTs outcomes that a turn has claimed.

    Args:
        progress: by which their marks are written.
        flows: how a flow's URL is reached.
        secrets: what each POST is signed with.
        is_paused: whether nothing can be signed as it should be, so that due POSTs wait.
        now: the clock.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        progress: Progress,
        flows: FlowEndpoint,
        *,
        secrets: Sequence[str] = (),
        is_paused: bool = False,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._progress = progress
        self._flows = flows
        self._secrets = secrets
        self._is_paused = is_paused
        self._now = now
        self._sleep = sleep

    def post(self, turn: Turn, held: Held, invitation: Invitation, message_id: str) -> None:
        """Notify one flow whose POST this turn has claimed.

        Raises:
            StorageUnavailable: what became of it could not be written; the claim ends, and the alarm repeats the POST.
        """
        flow = next(flow for flow in invitation.flows if flow.message_id == message_id)
        view = replace(invitation, flows=())
        result = self.send(turn, flow, lambda now: invitation_view(view, held.record.call, now))

        def mark(record: CallRecord, now: datetime) -> CallRecord:
            current = record.invitations.get(invitation.id)
            if current is None:
                return record
            flows = tuple(posted(one, turn.me, result, now) if is_same(one, flow) else one for one in current.flows)
            return record.with_invitation(replace(current, flows=flows) if flows != current.flows else current)

        needs = Needs(invitations=frozenset({invitation.id}), call=True)
        updated = self._progress.save(turn, invitation.call_id, needs, mark, held=held)
        after = next((one for one in updated.after.invitations[invitation.id].flows if is_same(one, flow)), flow)
        log_delivery(after, result, invitation=invitation.id)

    def send(self, turn: Turn, flow: WaitingFlow, view: Callable[[datetime], Mapping[str, Any]]) -> PostResult:
        """POST an outcome to a flow within the turn's limits, and return what became of it.

        Args:
            turn: who has claimed the POST.
            flow: as it was claimed.
            view: the body, made at the time of the POST.
        """
        claimed = self._now()
        if flow.not_before is not None and flow.not_before > claimed:
            self._sleep((flow.not_before - claimed) / timedelta(seconds=1))
        now = self._now()
        if self._is_paused:
            return PostResult(flow.message_id, None, claimed, was_begun=False, again_after=_PAUSE)
        run = turn.run(now)
        ends = flow.claim.until if flow.claim is not None else now
        if now >= min(run.post_begins_before, ends):
            return PostResult(flow.message_id, None, claimed, was_begun=False)
        limit = min(run.post_limit, ends)
        body = json.dumps(view(now), ensure_ascii=False).encode("utf-8", "replace")
        headers = signed_headers(flow.message_id, now, body, self._secrets)
        try:
            response = self._flows.post(flow.url, body, headers, seconds=(limit - now) / timedelta(seconds=1))
        except UrlRefused as error:
            _events.warning("a flow's URL is refused", message_id=flow.message_id, reason=error)
            return PostResult(flow.message_id, None, claimed, is_refused=True)
        return PostResult(flow.message_id, response.status, claimed, was_cut=response.was_cut)


def is_same(one: WaitingFlow, other: WaitingFlow) -> bool:
    """Return whether two states are of the same flow's wait: a flow that subscribes again keeps its claim."""
    # Flows of several runs are claimed by one write, and then have equal claims.
    is_claimed_alike = one.claim is not None and (one.claim, one.run_id) == (other.claim, other.run_id)
    return one.message_id == other.message_id or is_claimed_alike


def log_delivery(after: WaitingFlow, result: PostResult, **thing: str) -> None:
    """Log and count what became of a POST."""
    delivery = after.state.value if not after.is_waiting else "retried" if result.was_begun else "postponed"
    _events.info("outcome", **thing, attempt=after.attempts, status=result.status, delivery=delivery)
    tracing.count("deliveries", delivery=delivery)
