"""Puts the room's parts together, for the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calls.advancing import Advancer
from calls.asking import CallReader
from calls.creating import Creator
from calls.ending import Endings
from calls.hooks import CallHooks, StartAlarms
from calls.legs import CALL, Legs
from calls.page.routes import PageRoutes
from calls.progress import START, StartProgress
from calls.routes import CallRoutes
from calls.service import StartService
from calls.views import start_view
from calls.watching import CallKeeper
from domain.contexts import invitation_id
from domain.record import Needs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from domain.start import Start
    from flows.alarms import Alarms
    from flows.delivery import Delivery
    from flows.links import Links
    from flows.progress import Progress
    from flows.work import Kind
    from graph.client import GraphClient
    from invite.service import InvitationService
    from settings import Settings
    from storage.singles import SingleRows
    from storage.store import TableStore


@dataclass(frozen=True)
class CallTools:
    """What calls are built on."""

    graph: GraphClient
    store: TableStore
    rows: SingleRows
    progress: Progress
    alarms: Alarms
    delivery: Delivery
    invitations: InvitationService
    links: Links


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
    tenant_id, base = settings.tenant_id, settings.public_base_url
    starts = StartProgress(tools.rows, tools.alarms, tools.delivery, _view(store, tools.links))
    legs = Legs(
        tools.rows,
        store,
        progress,
        tools.alarms,
        tenant_id=tenant_id,
        keep_alive_seconds=settings.keep_alive_seconds,
    )
    creator = Creator(graph, starts, legs, public_base_url=base, tenant_id=tenant_id, client_id=settings.client_id)
    reader = CallReader(graph, progress)
    advancer = Advancer(store, starts, creator, legs, invitations=tools.invitations, reader=reader)
    endings = Endings(store, progress, starts, legs, graph, client_id=settings.client_id)
    advancer.leaver = endings
    keeper = CallKeeper(store, progress, legs, tools.alarms, graph, public_base_url=base)
    service = StartService(
        store,
        starts,
        creator,
        legs,
        advancer,
        tenant_id=tenant_id,
        give_up_seconds=settings.start_give_up_after_seconds,
    )
    return CallParts(
        routes=CallRoutes(service, starts, endings, tools.rows, links=tools.links, settings=settings),
        page=PageRoutes(store, tools.links),
        hooks=CallHooks(creator, advancer, legs, endings, keeper, rejects_incoming=settings.rejects_incoming_calls),
        kinds={START: StartAlarms(starts, advancer), CALL: keeper},
    )


def _view(store: TableStore, links: Links) -> Callable[[Start, datetime], Mapping[str, Any]]:
    """Return how a start is shown to the flows that wait for it."""

    def view(start: Start, now: datetime) -> Mapping[str, Any]:
        if start.call_id is None:
            return start_view(start, None, now, page_url=links.page)
        needs = Needs(invitations=frozenset({invitation_id(start.invitation_context)}), call=True)
        return start_view(start, store.read(start.call_id, needs).record, now, page_url=links.page)

    return view
