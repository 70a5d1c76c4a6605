"""Puts the room's parts together, for the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calls.advancing import Advancer
from calls.asking import CallReader
from calls.creating import Creator
from calls.ending import Endings
from calls.following import Follower, needs_of
from calls.hooks import CallHooks, StartAlarms
from calls.legs import CALL, Legs
from calls.listing import LISTED, CallList, SilentCalls
from calls.page.routes import PageRoutes
from calls.progress import START, StartProgress
from calls.routes import CallRoutes
from calls.service import StartService
from calls.settling import Settler
from calls.sharing import SharedCalls
from calls.views import start_view
from calls.watching import CallKeeper
from flows.turn import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from domain.start import Start
    from escalation.service import EscalationService
    from flows.alarms import Alarms
    from flows.delivery import Delivery
    from flows.links import Links
    from flows.progress import Progress
    from flows.work import Kind
    from invite.cancelling import Canceller
    from invite.service import InvitationService
    from settings import Settings
    from storage.singles import SingleRows
    from storage.store import TableStore


@dataclass(frozen=True)
class CallTools:
    """What calls are built on."""

    graph: Any
    """``graph.client.GraphClient``."""
    store: TableStore
    rows: SingleRows
    progress: Progress
    alarms: Alarms
    delivery: Delivery
    invitations: InvitationService
    escalations: EscalationService
    canceller: Canceller
    links: Links
    now: Callable[[], datetime] = utc_now


@dataclass(frozen=True)
class CallParts:
    """What the rest of the app uses of this room."""

    routes: CallRoutes
    page: PageRoutes
    hooks: CallHooks
    kinds: Mapping[str, Kind]
    """The handlers of its alarms."""


def assemble(settings: Settings, tools: CallTools) -> CallParts:
    """Put the parts together."""
    store, progress, graph = tools.store, tools.progress, tools.graph
    now = tools.now
    tenant_id, base, client_id = settings.tenant_id, settings.public_base_url, settings.client_id
    give_up_seconds = settings.start_give_up_after_seconds
    starts = StartProgress(tools.rows, tools.alarms, tools.delivery, _view(store, tools.links), now=now)
    legs = Legs(
        tools.rows,
        store,
        progress,
        tools.alarms,
        tenant_id=tenant_id,
        keep_alive_seconds=settings.keep_alive_seconds,
        now=now,
    )
    shared = SharedCalls(store, starts, legs)
    creator = Creator(
        graph,
        starts,
        legs,
        shared,
        public_base_url=base,
        tenant_id=tenant_id,
        client_id=client_id,
        give_up_seconds=give_up_seconds,
        now=now,
    )
    reader = CallReader(graph, progress)
    endings = Endings(
        store,
        progress,
        starts,
        legs,
        graph=graph,
        canceller=tools.canceller,
        escalations=tools.escalations,
        now=now,
    )
    settler = Settler(starts, creator, legs, endings)
    follower = Follower(starts, tools.invitations, tools.escalations, reader, settler, now=now)
    advancer = Advancer(
        store,
        starts,
        creator,
        legs,
        shared,
        follower=follower,
        settler=settler,
        endings=endings,
        reader=reader,
        now=now,
    )
    creator.advance, creator.leave, endings.free = advancer.advance, endings.leave_strays, creator.free
    creator.leave_if_done = endings.leave_if_done
    keeper = CallKeeper(store, progress, legs, graph, reader, endings=endings, public_base_url=base)
    service = StartService(
        store, starts, creator, advancer, tenant_id=tenant_id, give_up_seconds=give_up_seconds, now=now
    )
    listing = CallList(tools.rows, tools.alarms, now=now)
    return CallParts(
        routes=CallRoutes(service, starts, endings, listing, links=tools.links, settings=settings, now=now),
        page=PageRoutes(store, tools.links, client_id=client_id, now=now),
        hooks=CallHooks(
            store,
            creator,
            advancer,
            legs,
            shared,
            endings=endings,
            keeper=keeper,
            rejects_incoming=settings.rejects_incoming_calls,
        ),
        kinds={
            START: StartAlarms(starts, advancer),
            CALL: keeper,
            LISTED: SilentCalls(tools.rows, store, reader, now=now),
        },
    )


def _view(store: TableStore, links: Links) -> Callable[[Start, datetime], Mapping[str, Any]]:
    """Return how a start is shown to the flows that wait for it."""

    def view(start: Start, now: datetime) -> Mapping[str, Any]:
        if start.call_id is None:
            return start_view(start, None, now, page_url=links.page)
        return start_view(start, store.read(start.call_id, needs_of(start)).record, now, page_url=links.page)

    return view
