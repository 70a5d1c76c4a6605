"""The composition root: the app's parts, made once per process from its settings."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from domain.configuration.faults import Fault, Kind
from domain.configuration.packages import package_fault
from domain.configuration.trust import bundle_fault, ca_bundle
from observability.events import Events
from observability.failures import contained
from observability.redaction import install, keep_values, learn_secrets
from settings import Settings, SettingsError, load, storage_connection
from storage.budget import REQUEST_SECONDS, budget
from storage.errors import StorageUnavailable, TooLarge
from storage.names import CHECKS, OUTCOMES, WORK
from web import errors
from web.health import Health
from web.http import HttpEdge

install()
_events = Events("settings")
_broken: Fault | None = None

# Imported at the start, since the first callback can't wait for it. Where a package is missing or built for another
# Python the functions load all the same, and health names it. What needs no package is imported above.
try:
    from calls.assembly import CallTools, assemble
    from escalation.alarms import EscalationAlarms
    from escalation.cancelling import StepCanceller
    from escalation.progress import ESCALATION, EscalationProgress
    from escalation.routes import EscalationRoutes
    from escalation.service import EscalationService
    from flows.alarms import Alarms
    from flows.delivery import Delivery
    from flows.links import Links
    from flows.ping import PING, Ping
    from flows.progress import INVITATION, Progress
    from flows.publish import Publisher
    from flows.queries import Queries
    from flows.webhook import FlowClient
    from flows.work import Work
    from graph.callback_keys import CallbackKeys
    from graph.certificates import open_certificate
    from graph.client import GraphClient
    from graph.credentials import TokenSource
    from graph.transport import new_session
    from invite.cancelling import Canceller
    from invite.probe import phone_faults
    from invite.roster import RosterReader
    from invite.routes import InviteRoutes
    from invite.sending import Sender
    from invite.service import InvitationService
    from notifications.receiving import NotificationReceiver
    from notifications.token import validator_for
    from observability import tracing
    from storage.connections import credential_for, load_identity_library
    from storage.probe import queue_faults, table_faults
    from storage.queue import StorageQueue
    from storage.retention import Retention
    from storage.singles import SingleRows
    from storage.store import TableStore
    from storage.table import StorageTable, table_client
    from watchdog.service import Watchdog

    if any(name.startswith(f"{storage_connection()}__") for name in os.environ):
        load_identity_library()
except (Exception, SystemExit) as error:  # noqa: BLE001 - packages raise more than ImportError
    _broken = package_fault(error)
    _events.exception(f"setting: {_broken}")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calls.hooks import CallHooks
    from calls.page.routes import PageRoutes
    from calls.routes import CallRoutes
    from domain.call import Call
    from domain.invitation import Invitation
    from flows.turn import Turn
    from observability.tracing import Invocation
    from storage.reading import Held
    from storage.table import Table

__all__ = ["CHECKS", "OUTCOMES", "WORK", "App", "build", "current", "edge", "storage_connection", "triggered"]


@dataclass(frozen=True)
class App:
    """Everything that the functions of the app use."""

    settings: Settings
    invite: InviteRoutes
    calls: CallRoutes
    page: PageRoutes
    escalations: EscalationRoutes
    queries: Queries
    notifications: NotificationReceiver
    work: Work
    retention: Retention
    health: Health


@dataclass(frozen=True)
class Followers:
    """What follows from a change; see ``flows.publish.Followers``."""

    delivery: Delivery
    invitations: InvitationService
    calls: CallHooks
    escalations: EscalationService

    def escalate(self, turn: Turn, call_id: str, escalation_id: str) -> None:
        """Take an escalation as far as it can go."""
        self.escalations.advance(turn, call_id, escalation_id)

    def post(self, turn: Turn, held: Held, invitation: Invitation, message_id: str) -> None:
        """Notify a flow."""
        self.delivery.post(turn, held, invitation, message_id)

    def ask(self, turn: Turn, held: Held, invitation: Invitation) -> None:
        """Send what an earlier request had no time for."""
        self.invitations.ask(turn, held, invitation)

    def advance(self, turn: Turn, start_id: str) -> None:
        """Take a start as far as it can go."""
        self.calls.advance(turn, start_id)

    def call_changed(self, turn: Turn, call: Call, *, has_ended: bool) -> None:
        """Bring the index of open calls up to date."""
        self.calls.call_changed(turn, call, has_ended=has_ended)

    def nothing_left(self, turn: Turn, call_id: str) -> None:
        """Leave a call on which nothing is open any more."""
        self.calls.nothing_left(turn, call_id)


def build(settings: Settings, *, table: Table | None = None) -> App:
    """Put the app together; nothing is sent to the network yet.

    Raises:
        SettingsError: the storage's URL can't be used.
    """
    session = new_session((settings.graph_endpoint, settings.authority, settings.callback_openid_configuration))
    graph = GraphClient(settings.graph_endpoint, TokenSource(settings, session), session)
    credential = credential_for(settings)
    try:
        table = table or StorageTable(table_client(settings, credential))
    except ValueError as error:
        text = "the storage connection can't be used: check the connection string, or the service URLs"
        raise SettingsError([Fault(storage_connection(), Kind.INVALID, text)]) from error
    store, rows = TableStore(table), SingleRows(table)
    queue = StorageQueue(settings, WORK, credential)
    alarms = Alarms(queue)
    publisher = Publisher()
    progress = Progress(store, alarms, publisher)
    links = Links(settings.public_base_url, settings.connector_gateway_hosts, token_hours=settings.result_token_hours)
    invitations = InvitationService(store, progress, Sender(graph), check_after_seconds=settings.check_after_seconds)
    flow_client = FlowClient(
        settings.flow_callback_hosts, settings.flow_callback_local_hosts, ca_bundle=ca_bundle(os.environ)
    )
    delivery = Delivery(progress, flow_client, secrets=settings.flow_callback_secrets, is_paused=bool(settings.faults))
    rosters = RosterReader(graph, progress)
    canceller = Canceller(graph, client_id=settings.client_id)
    steps = EscalationProgress(
        store,
        alarms,
        delivery,
        publisher,
        invitations=invitations,
        canceller=StepCanceller(canceller, rosters),
        links=links,
        check_after_seconds=settings.check_after_seconds,
    )
    escalations = EscalationService(steps, rosters)
    tools = CallTools(graph, store, rows, progress, alarms, delivery, invitations, escalations, canceller, links)
    calls = assemble(settings, tools)
    publisher.followers = Followers(delivery, invitations, calls.hooks, escalations)
    watchdog = Watchdog(
        store,
        progress,
        graph,
        check_after_seconds=settings.check_after_seconds,
        give_up_after_seconds=settings.give_up_after_seconds,
    )
    ping = Ping(lambda name: StorageQueue(settings, name, credential))
    return App(
        settings=settings,
        invite=InviteRoutes(invitations, links, settings),
        calls=calls.routes,
        escalations=EscalationRoutes(escalations, steps, links, settings),
        page=calls.page,
        queries=Queries(store, progress, links, client_id=settings.client_id),
        notifications=NotificationReceiver(
            validator_for(settings, lambda url: CallbackKeys(url, session)), progress, calls.hooks
        ),
        work=Work(
            {INVITATION: watchdog, ESCALATION: EscalationAlarms(steps, watchdog), PING: ping, **calls.kinds},
            alarms,
            queue,
            StorageQueue(settings, f"{WORK}-poison", credential),
        ),
        retention=Retention(store, days=settings.retention_days),
        health=Health(
            {
                "tableStorage": partial(table_faults, settings, credential),
                "queueStorage": partial(queue_faults, settings, WORK, credential),
            },
            [str(one) for one in settings.warnings],
            [str(one) for one in settings.faults],
            packages=phone_faults,
        ),
    )


class _Once:
    """Builds the app at its first use, since a fault of the settings must not keep the functions from loading."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._app: App | None = None
        self._faults: tuple[Fault, ...] = () if _broken is None else (_broken,)  # that one is in the log

    def get(self) -> App:
        with self._lock:
            if self._app is None:
                self._app = self._build()
            return self._app

    def _build(self) -> App:
        try:
            app = self._start()
        except SettingsError as error:
            if error.faults != self._faults:
                self._faults = error.faults
                for fault in error.faults:
                    _events.error(f"setting: {fault}")
            raise
        for fault in app.settings.faults:
            _events.error(f"setting: {fault}")
        for warning in app.settings.warnings:
            _events.warning(f"setting: {warning}")
        return app

    @staticmethod
    def _start() -> App:
        if _broken is not None:
            raise SettingsError([_broken])
        if tracing.start(os.environ):
            keep_values()
        settings = load(open_certificate=open_certificate)
        learn_secrets(*settings.secrets())
        try:
            return build(settings)
        except OSError as error:  # OpenSSL's, for a file that isn't there or holds no certificate
            raise SettingsError([bundle_fault(os.environ)]) from error


_once = _Once()


def current() -> App:
    """Return the process's app.

    Raises:
        SettingsError: the settings are incomplete or contradictory; every fault is in the log once.
    """
    return _once.get()


def _storage_unavailable() -> errors.ApiError:
    return errors.Unavailable("StorageUnavailable", "The app's storage can't be reached. Try again in a moment.")


def _too_large() -> errors.ApiError:
    return errors.TooLarge("TooLargeToStore", "This is more than the app's storage holds for one call.")


@contextmanager
def _requested(context: Invocation | None) -> Iterator[None]:
    with tracing.within(context) if context and not _broken else nullcontext(), budget(REQUEST_SECONDS):
        yield


@contextmanager
def triggered(context: Invocation | None) -> Iterator[None]:
    """Run a queue's or the timer's function within the host's trace, so that the host sees no text of its errors."""
    with tracing.within(context) if context and not _broken else nullcontext(), contained(StorageUnavailable):
        yield


ERRORS = {StorageUnavailable: _storage_unavailable, TooLarge: _too_large}
"""The responses for errors of storage."""
edge = HttpEdge(current, ERRORS, sign_in=lambda app: app.settings.sign_in, within=_requested)
