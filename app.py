"""The composition root: the app's parts, made once per process from its settings."""

from __future__ import annotations

import logging
import os
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.configuration.faults import Fault, Kind
from flows.delivery import Outcomes
from flows.links import Addresses
from flows.messages import MessageEdge
from flows.queries import Reading
from flows.webhooks import FlowClient
from graph.callback_keys import CallbackKeys
from graph.certificates import open_certificate
from graph.client import GraphClient
from graph.credentials import TokenSource
from graph.transport import new_session
from invite.inviting import Inviting
from invite.routes import InviteRoutes
from invite.sending import Sender
from notifications.applying import Applying
from notifications.receiving import Receiving
from notifications.token import TokenValidator
from observability import telemetry
from observability.redaction import install, keep_values, learn_secrets
from settings import Settings, SettingsError, load, storage_connection
from storage.calls import CallTable
from storage.queues import CHECKS, OUTCOMES, StorageQueue
from storage.retention import Retention
from storage.table import StorageTable, table_client
from watchdog.service import Watchdog
from web.health import Health
from web.http import HttpEdge

if TYPE_CHECKING:
    from azure.data.tables import TableClient

install()
# Each request to storage would be told at length, headers and all.
logging.getLogger("azure").setLevel(logging.WARNING)
_events = telemetry.Events("settings")


@dataclass(frozen=True)
class App:
    """Everything that the functions of the app use."""

    settings: Settings
    invite: InviteRoutes
    queries: Reading
    notifications: Receiving
    watchdog: Watchdog
    outcomes: Outcomes
    retention: Retention
    health: Health


def build(settings: Settings, *, client: TableClient | None = None) -> App:
    """Put the app together; nothing is asked of the network yet.

    Raises:
        SettingsError: the storage's address can't be used, or nothing could be sent to flows.
    """
    if settings.faults:
        raise SettingsError(settings.faults, settings.warnings)
    session = new_session((settings.graph_endpoint, settings.authority, settings.callback_openid_configuration))
    graph = GraphClient(settings.graph_endpoint, TokenSource(settings, session), session)
    try:
        table = CallTable(StorageTable(client or table_client(settings)))
    except ValueError as error:
        text = "the storage connection can't be used: check the connection string, or the service URLs"
        raise SettingsError([Fault(storage_connection(), Kind.INVALID, text)]) from error
    queue = StorageQueue(settings, CHECKS)
    addresses = Addresses(settings.public_base_url, settings.connector_gateway_hosts)
    outcomes = Outcomes(
        table,
        StorageQueue(settings, OUTCOMES),
        StorageQueue(settings, f"{OUTCOMES}-poison"),
        FlowClient(settings.flow_callback_hosts, settings.flow_callback_local_hosts),
        secret=next(iter(settings.flow_callback_secrets), None),
    )
    watchdog = Watchdog(
        table,
        queue,
        graph,
        outcomes,
        check_after_seconds=settings.check_after_seconds,
        give_up_after_seconds=settings.give_up_after_seconds,
    )
    keys = CallbackKeys(settings.callback_openid_configuration, session)
    validator = TokenValidator(
        keys,
        audience=settings.client_id,
        issuers=settings.callback_issuers,
        tenant_ids=settings.callback_tenant_ids,
    )
    return App(
        settings=settings,
        invite=InviteRoutes(
            Inviting(table, watchdog, Sender(graph), outcomes, check_after_seconds=settings.check_after_seconds),
            addresses,
            settings,
        ),
        queries=Reading(table, watchdog, addresses, outcomes),
        notifications=Receiving(validator, Applying(table, outcomes)),
        watchdog=watchdog,
        outcomes=outcomes,
        retention=Retention(table, days=settings.retention_days),
        health=Health(table, queue, [str(warning) for warning in settings.warnings]),
    )


def _learn_secrets(settings: Settings) -> None:
    credential, storage = settings.credential, settings.storage
    key = re.search(r"AccountKey=([^;]+)", storage.connection_string or "", re.IGNORECASE)
    pem = (credential.certificate_pem or "").partition("PRIVATE KEY-----")[2].partition("-----END")[0]
    learn_secrets(
        credential.client_secret,
        *settings.flow_callback_secrets,
        storage.connection_string,
        key[1] if key else None,
        *pem.split(),
    )


class _Once:
    """Builds the app at its first use, since a fault of the settings must not keep the functions from loading."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._app: App | None = None
        self._faults: tuple[Fault, ...] | None = None

    def get(self) -> App:
        if self._app is not None:
            return self._app
        with self._lock:
            if self._app is None:
                self._app = self._build()
            return self._app

    def _build(self) -> App:
        if telemetry.start(os.environ):
            keep_values()
        try:
            settings = load(open_certificate=open_certificate)
            _learn_secrets(settings)
            app = build(settings)
        except SettingsError as error:
            if error.faults != self._faults:
                self._faults = error.faults
                for fault in error.faults:
                    _events.error(f"setting: {fault}")
            raise
        for warning in app.settings.warnings:
            _events.warning(f"setting: {warning}")
        return app


_once = _Once()


def current() -> App:
    """Return the process's app.

    Raises:
        SettingsError: the settings are incomplete or contradictory; every fault is in the log once.
    """
    return _once.get()


edge = HttpEdge(current)
messages = MessageEdge(current)
