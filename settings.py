"""The environment, read once into one typed, validated object.

``load`` reports every fault at once, so that a deployer fixes them in one go; messages name settings, never values.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from domain.clouds import CLOUDS, UNSUPPORTED_CLOUDS, Cloud
from domain.configuration import trust
from domain.configuration.callers import PhonePrefixes, SignIn, read_ids, read_phone_prefixes, read_sign_in
from domain.configuration.credential import GraphCredential, read_credential
from domain.configuration.environment import GUID, Environment
from domain.configuration.faults import Fault, Kind
from domain.configuration.signing import read_flow_secrets
from domain.configuration.storage import StorageLocation, connection_name, read_storage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.configuration.credential import OpenCertificate

_TABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}")
_MULTI_TENANT = {"common", "organizations", "consumers"}
_DEFAULT_ISSUERS = "https://api.botframework.com,https://graph.microsoft.com"
# The application id of Microsoft's calling service, which sends Graph's callbacks with tokens of Entra ID.
_DEFAULT_CALLER = "26a18ebc-cdf7-4a6a-91cb-beb352805e81"
_DEFAULT_GATEWAYS = ".azure-apihub.net,.azure-apim.net"
_DEFAULT_FLOW_HOSTS = (
    ".logic.azure.com,.environment.api.powerplatform.com,"
    ".logic.azure.us,.environment.api.gov.powerplatform.microsoft.us,"
    ".environment.api.high.powerplatform.microsoft.us,.environment.api.appsplatform.us"
)
# Graph lets an invitation ring for about 60 seconds; a check before that can't find an outcome.
_RINGING_SECONDS = 60
# Graph ends a call without keep-alive after 45 minutes; ten minutes are left for attempts that fail.
# https://learn.microsoft.com/graph/api/call-keepalive
_MOST_KEEP_ALIVE_SECONDS = 2100
_SHORT_KEEP_ALIVE_SECONDS = 60
_MOST_SECONDS = 100 * 24 * 3600
_MOST_DAYS = 100 * 365


__all__ = ["GraphCredential", "Settings", "SettingsError", "StorageLocation", "load", "storage_connection"]


class SettingsError(Exception):
    """The environment is incomplete or contradictory; ``faults`` holds every fault."""

    def __init__(self, faults: Sequence[Fault], warnings: Sequence[Fault] = ()) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)
        self.warnings = tuple(warnings)


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
    flow_callback_secrets: tuple[str, ...]
    check_after_seconds: float
    give_up_after_seconds: float
    retention_days: float
    keep_alive_seconds: float
    start_give_up_after_seconds: float
    rejects_incoming_calls: bool
    result_token_hours: float
    phone_prefixes: PhonePrefixes
    sign_in: SignIn
    warnings: tuple[Fault, ...]
    faults: tuple[Fault, ...]
    """What keeps the app from sending: invites are refused and due POSTs wait, while callbacks are still recorded."""

    def secrets(self) -> list[str | None]:
        """Return every value that no log may hold, whole and in its parts."""
        connection = self.storage.connection_string
        key = re.search(r"AccountKey=([^;]+)", connection or "", re.IGNORECASE)
        pem = (self.credential.certificate_pem or "").partition("PRIVATE KEY-----")[2].partition("-----END")[0]
        found = [self.credential.client_secret, *self.flow_callback_secrets, connection, key and key[1]]
        return [*found, *pem.split()]


def storage_connection(environment: Mapping[str, str] = os.environ) -> str:
    """Return the name of the connection that holds state: ``STATE_STORAGE`` where set, else the host's own."""
    return connection_name(environment)


def load(
    values: Mapping[str, str] = os.environ,
    *,
    open_certificate: OpenCertificate | None = None,
    references_are_faults: bool = True,
) -> Settings:
    """Read and validate the environment.

    Args:
        values: the environment.
        open_certificate: opens a client certificate; without it the setting's value is kept as it was given.
        references_are_faults: whether a Key Vault reference that was not resolved is a fault, or only a warning for
            who looks at a deployed app's settings from outside.

    Raises:
        SettingsError: with every fault that was found.
    """
    environment = Environment(values, references_are_faults=references_are_faults)
    cloud = _cloud(environment)
    tenant_id = _tenant(environment)
    client_id = _required_id(environment, "GRAPH_CLIENT_ID", "the application (client) id of the app registration")
    check_after, give_up_after = _watchdog(environment)
    endpoint = environment.url("GRAPH_ENDPOINT", cloud.endpoint).removesuffix("/v1.0")
    authority = environment.url("GRAPH_AUTHORITY", f"{cloud.authority_host}/{tenant_id}", https_only=True)
    flow_secrets, sending_faults = read_flow_secrets(environment)
    public_base_url = _public_base_url(environment)
    is_local = trust.is_this_machine(public_base_url)
    trust.check_public_url(environment, public_base_url)
    _check_ids(environment, tenant_id, client_id, authority)
    _check_trust(environment, cloud, tenant_id, is_trial=is_local or trust.is_this_machine(endpoint))
    settings = Settings(
        cloud=cloud,
        graph_endpoint=endpoint,
        graph_scope=cloud.scope if endpoint == cloud.endpoint else f"{endpoint}/.default",
        authority=authority,
        authority_is_overridden=environment.get("GRAPH_AUTHORITY") is not None,
        tenant_id=tenant_id,
        client_id=client_id,
        credential=read_credential(environment, open_certificate),
        callback_openid_configuration=environment.url("CALLBACK_OPENID_CONFIGURATION", cloud.openid_configuration),
        callback_issuers=frozenset(
            issuer.rstrip("/") for issuer in environment.list("CALLBACK_ISSUERS", _DEFAULT_ISSUERS)
        ),
        callback_tenant_ids=frozenset(map(str.casefold, environment.list("CALLBACK_TENANT_IDS", tenant_id))),
        callback_caller_ids=read_ids(environment, "CALLBACK_CALLER_IDS", _DEFAULT_CALLER),
        storage=read_storage(environment, cloud),
        state_table=_table_name(environment),
        public_base_url=public_base_url,
        connector_gateway_hosts=trust.suffixes(environment, "CONNECTOR_GATEWAY_HOSTS", _DEFAULT_GATEWAYS),
        flow_callback_hosts=trust.suffixes(environment, "FLOW_CALLBACK_HOSTS", _DEFAULT_FLOW_HOSTS),
        flow_callback_local_hosts=_local_hosts(environment, is_local=is_local),
        flow_callback_secrets=flow_secrets,
        check_after_seconds=check_after,
        give_up_after_seconds=give_up_after,
        retention_days=environment.number("CALL_RETENTION_DAYS", 30, most=_MOST_DAYS),
        keep_alive_seconds=_keep_alive(environment),
        start_give_up_after_seconds=_start_give_up(environment),
        rejects_incoming_calls=environment.choice("INCOMING_CALLS", "ignore", "reject") == "reject",
        result_token_hours=environment.number("RESULT_TOKEN_HOURS", 24, least=1, most=720),
        phone_prefixes=read_phone_prefixes(environment),
        sign_in=read_sign_in(environment),
        warnings=(),
        faults=sending_faults,
    )
    environment.check_references()
    if environment.faults:
        raise SettingsError((*environment.faults, *sending_faults), environment.warnings)
    return replace(settings, warnings=tuple(environment.warnings))


def _required_id(environment: Environment, name: str, meaning: str) -> str:
    value = environment.get(name) or ""
    if not value:
        environment.fault(name, Kind.MISSING, f"{name} is not set: give {meaning}")
    elif not GUID.fullmatch(value):
        text = f"{name} is not a GUID: Graph's callback tokens carry ids, so names never match"
        environment.warn(name, Kind.INVALID, text)
    return value


def _cloud(environment: Environment) -> Cloud:
    name = (environment.get("GRAPH_CLOUD") or "global").casefold()
    if name in UNSUPPORTED_CLOUDS:
        environment.fault("GRAPH_CLOUD", Kind.INVALID, f"GRAPH_CLOUD is {name}: {UNSUPPORTED_CLOUDS[name]}")
    elif name not in CLOUDS:
        environment.fault("GRAPH_CLOUD", Kind.INVALID, f"GRAPH_CLOUD is not known: use one of {', '.join(CLOUDS)}")
    return CLOUDS.get(name, CLOUDS["global"])


def _tenant(environment: Environment) -> str:
    name = "GRAPH_TENANT_ID"
    tenant = _required_id(environment, name, "the directory (tenant) id in which the calls take place")
    if tenant.casefold() in _MULTI_TENANT:
        text = f"{name} is {tenant}: name the call's own tenant, since Graph refuses tokens of any other"
        environment.fault(name, Kind.INVALID, text)
    return tenant


def _check_ids(environment: Environment, tenant_id: str, client_id: str, authority: str) -> None:
    if tenant_id and tenant_id.casefold() == client_id.casefold():
        text = "GRAPH_CLIENT_ID is the same id as GRAPH_TENANT_ID: the registration's page shows both"
        environment.fault("GRAPH_CLIENT_ID", Kind.CONTRADICTORY, text)
    name, of_authority = "GRAPH_AUTHORITY", authority.rpartition("/")[2].casefold()
    if of_authority != tenant_id.casefold() and environment.get(name) is not None:
        text = f"{name} ends in another tenant than GRAPH_TENANT_ID: remove it, or let it end in that"
        note = environment.fault if of_authority in _MULTI_TENANT else environment.warn
        note(name, Kind.CONTRADICTORY, text)
    name, tenants = "CALLBACK_TENANT_IDS", [one.casefold() for one in environment.list("CALLBACK_TENANT_IDS")]
    if tenants and tenant_id.casefold() not in tenants:
        text = f"{name} lacks GRAPH_TENANT_ID: Graph's reports of that tenant's calls are refused: add it"
        environment.warn(name, Kind.CONTRADICTORY, text)


def _local_hosts(environment: Environment, *, is_local: bool) -> frozenset[str]:
    hosts = frozenset(host.casefold() for host in environment.list("FLOW_CALLBACK_LOCAL_HOSTS"))
    trust.check_local_hosts(environment, hosts, is_local=is_local)
    return hosts


def _check_trust(environment: Environment, cloud: Cloud, tenant_id: str, *, is_trial: bool) -> None:
    trust.check_hosts(environment, cloud)
    if environment.in_azure or not is_trial:
        defaults = {
            "GRAPH_ENDPOINT": f"{cloud.endpoint},{cloud.endpoint}/v1.0",
            "GRAPH_AUTHORITY": f"{cloud.authority_host}/{tenant_id}",
            "CALLBACK_OPENID_CONFIGURATION": cloud.openid_configuration,
            "CALLBACK_ISSUERS": _DEFAULT_ISSUERS,
            "CALLBACK_TENANT_IDS": tenant_id,
            "CALLBACK_CALLER_IDS": _DEFAULT_CALLER,
            "CONNECTOR_GATEWAY_HOSTS": _DEFAULT_GATEWAYS,
            "FLOW_CALLBACK_HOSTS": _DEFAULT_FLOW_HOSTS,
        }
        trust.warn_of_trust_roots(environment, defaults)


def _watchdog(environment: Environment) -> tuple[float, float]:
    names = ("INVITATION_CHECK_AFTER_SECONDS", "INVITATION_GIVE_UP_AFTER_SECONDS")
    check_after = environment.number(names[0], 120, most=_MOST_SECONDS)
    give_up_after = environment.number(names[1], 900, most=_MOST_SECONDS)
    if give_up_after < check_after:
        environment.fault(names[1], Kind.CONTRADICTORY, f"{names[1]} is smaller than {names[0]}: make it larger")
    if check_after <= _RINGING_SECONDS:
        text = f"{names[0]} is within the 60 seconds for which Graph rings: for trials only"
        environment.warn(names[0], Kind.UNSAFE, text)
    return check_after, give_up_after


def _keep_alive(environment: Environment) -> float:
    name = "KEEP_ALIVE_SECONDS"
    seconds = environment.number(name, 600, least=2, most=_MOST_KEEP_ALIVE_SECONDS)
    if seconds < _SHORT_KEEP_ALIVE_SECONDS:
        environment.warn(name, Kind.UNSAFE, f"{name} is less than a minute: for trials only")
    return seconds


def _start_give_up(environment: Environment) -> float:
    name = "START_GIVE_UP_AFTER_SECONDS"
    seconds = environment.number(name, 120, least=5, most=600)
    if seconds <= _RINGING_SECONDS:
        text = f"{name} is within the 60 seconds for which Graph rings: for trials only"
        environment.warn(name, Kind.UNSAFE, text)
    return seconds


def _table_name(environment: Environment) -> str:
    name = environment.get("STATE_TABLE") or "calls"
    if not _TABLE_NAME.fullmatch(name) or name.casefold() == "tables":  # that one is Azure's own
        text = "STATE_TABLE is not a table name: 3 to 63 letters and digits, a letter first, and not tables"
        environment.fault("STATE_TABLE", Kind.INVALID, text)
    return name


def _public_base_url(environment: Environment) -> str:
    name, host = "PUBLIC_BASE_URL", environment.get("WEBSITE_HOSTNAME")
    if environment.get(name) is None and host is None:
        environment.fault(name, Kind.MISSING, f"{name} is not set: give the app's outside address, https://host")
    return environment.url(name, f"https://{host}")
