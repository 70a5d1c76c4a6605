"""The environment, read once into one typed, validated object.

``load`` reports every fault at once, so that a deployer mends them in one go; messages name settings, never values.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from domain.clouds import CLOUDS, UNSUPPORTED_CLOUDS, Cloud

if TYPE_CHECKING:
    from collections.abc import Mapping

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}")
_MULTI_TENANT = {"common", "organizations", "consumers"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_DEFAULT_ISSUERS = "https://api.botframework.com,https://graph.microsoft.com"
# Microsoft's calling service ("Skype Teams Calling API Service"), to which Entra ID issues the tokens of callbacks.
_CALLING_SERVICE = "26a18ebc-cdf7-4a6a-91cb-beb352805e81"
_DEFAULT_GATEWAYS = ".azure-apihub.net,.azure-apim.net"
_DEFAULT_FLOW_HOSTS = (
    ".logic.azure.com,.environment.api.powerplatform.com,"
    ".logic.azure.us,.environment.api.gov.powerplatform.microsoft.us,"
    ".environment.api.high.powerplatform.microsoft.us,.environment.api.appsplatform.us"
)
# Graph lets an invitation ring for about 60 seconds; a check before that can only learn nothing.
_RINGING_SECONDS = 60
_MOST_SECONDS = 100 * 24 * 3600
_MOST_DAYS = 100 * 365


class SettingsError(Exception):
    """The environment is incomplete or contradictory; ``faults`` has one sentence for each fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class GraphCredential:
    """How the app proves itself to Entra ID: exactly one member is set."""

    client_secret: str | None = None
    certificate_pem: str | None = None
    managed_identity_client_id: str | None = None
    """A client id, or ``system`` for the system-assigned identity."""


@dataclass(frozen=True, slots=True)
class StorageLocation:
    """Where state lives: a connection string, or endpoints reached with a managed identity."""

    connection_string: str | None = None
    table_endpoint: str | None = None
    queue_endpoint: str | None = None
    identity_client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the app reads from its environment; see docs/settings.md for each setting."""

    cloud: Cloud
    graph_endpoint: str
    graph_scope: str
    authority: str
    authority_is_overridden: bool
    tenant_id: str
    client_id: str
    credential: GraphCredential
    callback_openid_configuration: str
    callback_issuers: frozenset[str]
    callback_tenant_ids: frozenset[str]
    callback_caller_ids: frozenset[str]
    storage: StorageLocation
    state_table: str
    public_base_url: str
    connector_gateway_hosts: tuple[str, ...]
    flow_callback_hosts: tuple[str, ...]
    flow_callback_local_hosts: frozenset[str]
    flow_callback_secret: str | None
    check_after_seconds: float
    give_up_after_seconds: float
    retention_days: float
    warnings: tuple[str, ...]


def storage_connection(environment: Mapping[str, str] = os.environ) -> str:
    """Return the name of the connection that holds state: ``STATE_STORAGE`` where set, else the host's own."""
    given = (name for name, value in environment.items() if value.strip())
    own = any(name.partition("__")[0] == "STATE_STORAGE" for name in given)
    return "STATE_STORAGE" if own else "AzureWebJobsStorage"


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read and validate the environment.

    Raises:
        SettingsError: with every fault that was found.
    """
    return _Reader(environment).read()


class _Reader:
    """Reads one environment and collects what is wrong with it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._faults: list[str] = []
        self._warnings: list[str] = []

    def read(self) -> Settings:
        cloud = self._cloud()
        tenant_id = self._tenant()
        client_id = self._required_id("GRAPH_CLIENT_ID", "the application (client) id of the app registration")
        credential = self._credential()
        authority = self._url("GRAPH_AUTHORITY", f"{cloud.authority_host}/{tenant_id}", https_only=True)
        check_after = self._number("INVITATION_CHECK_AFTER_SECONDS", 120, most=_MOST_SECONDS)
        give_up_after = self._number("INVITATION_GIVE_UP_AFTER_SECONDS", 900, most=_MOST_SECONDS)
        if give_up_after < check_after:
            self._faults.append(
                "INVITATION_GIVE_UP_AFTER_SECONDS is smaller than INVITATION_CHECK_AFTER_SECONDS: make it larger"
            )
        if check_after <= _RINGING_SECONDS:
            self._warnings.append(
                "INVITATION_CHECK_AFTER_SECONDS is within the 60 seconds for which Graph rings: for trials only"
            )
        endpoint = self._url("GRAPH_ENDPOINT", cloud.endpoint).removesuffix("/v1.0")
        settings = Settings(
            cloud=cloud,
            graph_endpoint=endpoint,
            graph_scope=cloud.scope if endpoint == cloud.endpoint else f"{endpoint}/.default",
            authority=authority,
            authority_is_overridden=bool(self._get("GRAPH_AUTHORITY")),
            tenant_id=tenant_id,
            client_id=client_id,
            credential=credential,
            callback_openid_configuration=self._url("CALLBACK_OPENID_CONFIGURATION", cloud.openid_configuration),
            callback_issuers=frozenset(
                issuer.rstrip("/") for issuer in self._list("CALLBACK_ISSUERS", _DEFAULT_ISSUERS)
            ),
            callback_tenant_ids=frozenset(map(str.casefold, self._list("CALLBACK_TENANT_IDS", tenant_id))),
            callback_caller_ids=frozenset(
                map(str.casefold, self._list("CALLBACK_CALLER_IDS", _CALLING_SERVICE)),
            ),
            storage=self._storage(cloud),
            state_table=self._table_name(),
            public_base_url=self._public_base_url(),
            connector_gateway_hosts=self._suffixes("CONNECTOR_GATEWAY_HOSTS", _DEFAULT_GATEWAYS),
            flow_callback_hosts=self._suffixes("FLOW_CALLBACK_HOSTS", _DEFAULT_FLOW_HOSTS),
            flow_callback_local_hosts=self._local_hosts(),
            flow_callback_secret=self._get("FLOW_CALLBACK_SECRET"),
            check_after_seconds=check_after,
            give_up_after_seconds=give_up_after,
            retention_days=self._number("CALL_RETENTION_DAYS", 30, most=_MOST_DAYS),
            warnings=tuple(self._warnings),
        )
        if self._faults:
            raise SettingsError(self._faults)
        return settings

    def _get(self, name: str) -> str | None:
        return self._environment.get(name, "").strip() or None

    def _required_id(self, name: str, meaning: str) -> str:
        value = self._get(name) or ""
        if not value:
            self._faults.append(f"{name} is not set: give {meaning}")
        elif not _GUID.fullmatch(value):
            self._warnings.append(f"{name} is not a GUID: Graph's callback tokens carry ids, so names never match")
        return value

    def _cloud(self) -> Cloud:
        name = (self._get("GRAPH_CLOUD") or "global").casefold()
        if name in UNSUPPORTED_CLOUDS:
            self._faults.append(f"GRAPH_CLOUD is {name}: {UNSUPPORTED_CLOUDS[name]}")
        elif name not in CLOUDS:
            self._faults.append(f"GRAPH_CLOUD is not known: use one of {', '.join(CLOUDS)}")
        return CLOUDS.get(name, CLOUDS["global"])

    def _tenant(self) -> str:
        tenant = self._required_id("GRAPH_TENANT_ID", "the directory (tenant) id in which the calls take place")
        if tenant.casefold() in _MULTI_TENANT:
            self._faults.append(
                f"GRAPH_TENANT_ID is {tenant}: name the call's own tenant, since Graph refuses tokens of any other"
            )
        return tenant

    def _credential(self) -> GraphCredential:
        secret = self._get("GRAPH_CLIENT_SECRET")
        certificate = self._get("GRAPH_CLIENT_CERTIFICATE")
        identity = self._get("GRAPH_MANAGED_IDENTITY_CLIENT_ID")
        names = "GRAPH_CLIENT_SECRET, GRAPH_CLIENT_CERTIFICATE, GRAPH_MANAGED_IDENTITY_CLIENT_ID"
        given = sum(value is not None for value in (secret, certificate, identity))
        if given == 0:
            self._faults.append(f"no credential is set: give one of {names}")
        elif given > 1:
            self._faults.append(f"several credentials are set: give only one of {names}")
        if certificate is not None:
            certificate = self._certificate(certificate)
        return GraphCredential(secret, certificate, identity)

    def _certificate(self, value: str) -> str | None:
        pem = value
        if "-----BEGIN" not in value:
            try:
                pem = Path(value).read_text(encoding="ascii")
            except (OSError, ValueError):
                self._faults.append("GRAPH_CLIENT_CERTIFICATE is neither PEM text nor a file that can be read")
                return None
        pem = pem.replace("\\n", "\n")
        if "PRIVATE KEY-----" not in pem or "-----BEGIN CERTIFICATE-----" not in pem:
            self._faults.append("GRAPH_CLIENT_CERTIFICATE needs both the certificate and its private key, as PEM")
        return pem

    def _url(self, name: str, default: str, *, https_only: bool = False) -> str:
        value = self._get(name)
        if value is None:
            return default
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname, parts.port
        except ValueError:
            parts, host = urlsplit(""), None
        plain_allowed = not https_only and parts.scheme == "http" and host in _LOOPBACK
        if not host or not (parts.scheme == "https" or plain_allowed) or parts.query or parts.fragment:
            self._faults.append(f"{name} is not an https address: write it as https://host/path")
        return value.rstrip("/")

    def _list(self, name: str, default: str) -> list[str]:
        return [entry for entry in map(str.strip, (self._get(name) or default).split(",")) if entry]

    def _suffixes(self, name: str, default: str) -> tuple[str, ...]:
        suffixes = self._list(name, default)
        if any("*" in suffix or "/" in suffix or "." not in suffix.strip(".") for suffix in suffixes):
            self._faults.append(f"{name} holds something that is not a host suffix: write .example.com,.example.org")
        return tuple("." + suffix.lstrip(".").casefold() for suffix in suffixes)

    def _local_hosts(self) -> frozenset[str]:
        hosts = frozenset(host.casefold() for host in self._list("FLOW_CALLBACK_LOCAL_HOSTS", ""))
        if hosts:
            self._warnings.append("FLOW_CALLBACK_LOCAL_HOSTS opens private addresses to callers: for one machine only")
        return hosts

    def _number(self, name: str, default: float, *, most: float) -> float:
        value = self._get(name)
        try:
            number = float(value) if value is not None else default
        except ValueError:
            number = -1
        if not 0 < number <= most:  # also refuses NaN and infinity
            self._faults.append(f"{name} is not a positive number")
            return default
        return number

    def _table_name(self) -> str:
        name = self._get("STATE_TABLE") or "calls"
        if not _TABLE_NAME.fullmatch(name):
            self._faults.append("STATE_TABLE is not a table name: 3 to 63 letters and digits, a letter first")
        return name

    def _public_base_url(self) -> str:
        host = self._get("WEBSITE_HOSTNAME")
        if self._get("PUBLIC_BASE_URL") is None and host is None:
            self._faults.append("PUBLIC_BASE_URL is not set: give the app's outside address, https://host")
        return self._url("PUBLIC_BASE_URL", f"https://{host}")

    def _storage(self, cloud: Cloud) -> StorageLocation:
        name = storage_connection(self._environment)
        text = self._get(name)
        account = self._get(f"{name}__accountName")
        table = self._get(f"{name}__tableServiceUri")
        queue = self._get(f"{name}__queueServiceUri")
        if text is not None:
            return StorageLocation(connection_string=_expand_development_storage(text))
        if account is not None:
            table = table or f"https://{account}.table.{cloud.storage_suffix}"
            queue = queue or f"https://{account}.queue.{cloud.storage_suffix}"
        if table is None or queue is None:
            self._faults.append(
                f"{name} is not set: give a connection string, or {name}__accountName, "
                f"or {name}__tableServiceUri with {name}__queueServiceUri"
            )
        return StorageLocation(
            table_endpoint=table, queue_endpoint=queue, identity_client_id=self._get(f"{name}__clientId")
        )


def _expand_development_storage(connection_string: str) -> str:
    """Write out the emulator's short form, which the storage libraries do not all understand."""
    if connection_string.rstrip(";").casefold() != "usedevelopmentstorage=true":
        return connection_string
    # The emulator's account and key are the same for everybody and documented by Microsoft.
    account = "devstoreaccount1"
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    ports = {"Blob": 10000, "Queue": 10001, "Table": 10002}
    endpoints = ";".join(f"{name}Endpoint=http://127.0.0.1:{port}/{account}" for name, port in ports.items())
    return f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};{endpoints};"
