"""A flow that waits for an invitation at its own URL: the same run replaces its URL, another run is added."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from domain.waiting import Delivery, WaitingFlow
from flows.links import new_token
from web.errors import TooManyFlows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domain.invitation import Invitation

_MOST_FLOWS = 5
_LONGEST_RUN_ID = 256


@dataclass(frozen=True, slots=True)
class FlowRequest:
    """Where a request wants its outcome, and which run of a flow it is."""

    url: str
    run_id: str | None


def run_id_in(headers: Mapping[str, str]) -> str | None:
    """Return the flow's run that a request names, in whatever form; never for a log."""
    return headers.get("x-ms-workflow-run-id", "").strip()[:_LONGEST_RUN_ID] or None


def subscribe(invitation: Invitation, request: FlowRequest, now: datetime, listens: datetime) -> Invitation:
    """Return the invitation with a flow that waits for its outcome.

    Args:
        invitation: as it stands.
        request: the flow's.
        now: the time of the subscription.
        listens: when the flow is expected to listen; no POST begins before.

    Raises:
        TooManyFlows: five flows wait already.
    """
    return replace(invitation, flows=subscribed(invitation.flows, request, now, listens))


def subscribed(
    flows: tuple[WaitingFlow, ...], request: FlowRequest, now: datetime, listens: datetime
) -> tuple[WaitingFlow, ...]:
    """Return the waiting flows with one that subscribes; see ``subscribe``."""
    place = next((place for place, flow in enumerate(flows) if flow.run_id == request.run_id), None)
    if place is None and len(flows) < _MOST_FLOWS:
        return (*flows, _new(request, now, listens))
    if place is None:
        place = next((place for place, flow in enumerate(flows) if not flow.is_waiting), None)
        if place is None:
            message = "Five flows wait for this outcome already. Read its status, or poll it, instead of waiting."
            raise TooManyFlows("TooManyFlows", message)
        return (*flows[:place], _new(request, now, listens), *flows[place + 1 :])
    flow = flows[place]
    if flow.url == request.url and flow.state is not Delivery.CANCELLED:
        again = replace(flow, subscribed=now, not_before=listens) if flow.is_waiting else flow
    else:
        again = replace(_new(request, now, listens), claim=flow.claim)  # a POST in progress keeps its claim
    return (*flows[:place], again, *flows[place + 1 :])


def flow_of(invitation: Invitation, headers: Mapping[str, str]) -> WaitingFlow | None:
    """Return the flow of the run that sent a request; None where Graph refused all of it, so that nothing waits."""
    return flow_in(invitation.flows, headers)


def flow_in(flows: tuple[WaitingFlow, ...], headers: Mapping[str, str]) -> WaitingFlow | None:
    """Return the flow of the run that sent a request."""
    run_id = run_id_in(headers)
    return next((flow for flow in flows if flow.run_id == run_id), None)


def _new(request: FlowRequest, now: datetime, listens: datetime) -> WaitingFlow:
    return WaitingFlow(
        url=request.url,
        message_id=f"msg_{secrets.token_hex(16)}",
        token=new_token(),
        run_id=request.run_id,
        subscribed=now,
        not_before=listens,
    )
