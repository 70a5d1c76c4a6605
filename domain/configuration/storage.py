"""The storage connection that holds state, read by the rules of the Functions host, whose triggers use it too.

A message of an app that reads the connection differently would go where no trigger looks. The host's rules are public:
Azure/azure-sdk-for-net has in ``sdk/extensions/Microsoft.Azure.WebJobs.Extensions.Clients/src/Shared``
``WebJobsConfigurationExtensions.cs`` (the setting's name) and ``StorageClientProvider.cs`` (an account name goes before
service URIs and always means ``core.windows.net``), and ``Microsoft.Extensions.Azure/src/Internal/ClientFactory.cs``
(identities); Azure/azure-functions-host has ``src/WebJobs.Script/StorageProvider/StorageServiceUriOptions.cs`` (blobs).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.configuration.connection_string import ACCOUNT_NAME, SERVICE_HOST, read_connection_string, service_problem
from domain.configuration.environment import GUID, LOOPBACK, split_url
from domain.configuration.faults import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.clouds import Cloud
    from domain.configuration.environment import Environment

OWN = "STATE_STORAGE"
HOSTS = "AzureWebJobsStorage"
# Whatever the cloud: StorageClientProvider.DefaultStorageEndpointSuffix.
_SUFFIX = "core.windows.net"
_SERVICES = ("blob", "queue", "table")
_READ = ("accountName", "blobServiceUri", "clientId", "credential", "queueServiceUri", "tableServiceUri")
# The host takes its identity from these too; the app doesn't, and would use another.
_NOT_READ = (
    "clientCertificate",
    "clientSecret",
    "managedIdentityClientId",
    "managedIdentityObjectId",
    "managedIdentityResourceId",
    "serviceUri",
    "tenantId",
)
_CONNECTION_STRINGS = ("connectionstrings__", "customconnstr_", "mysqlconnstr_", "sqlazureconnstr_", "sqlconnstr_")


@dataclass(frozen=True, slots=True)
class StorageLocation:
    """Where state lives: a connection string, or endpoints reached with a managed identity."""

    connection_string: str | None = None
    table_endpoint: str | None = None
    queue_endpoint: str | None = None
    identity_client_id: str | None = None


def connection_name(values: Mapping[str, str]) -> str:
    """Return the name of the connection that holds state: ``STATE_STORAGE`` where set, else the host's own."""
    given = {name.partition("__")[0].casefold() for name, value in values.items() if value.strip()}
    return OWN if OWN.casefold() in given else HOSTS


def read_storage(environment: Environment, cloud: Cloud) -> StorageLocation:
    """Read the connection that holds state."""
    name = connection_name(environment.values)
    _check_precedence(environment, name)
    # The host ignores upper and lower case in names, so the app must too.
    names = {given.casefold(): given for given in environment.values}
    members = {
        member: value
        for member in (*_READ, *_NOT_READ)
        if (value := environment.get(names.get(f"{name}__{member}".casefold(), f"{name}__{member}"))) is not None
    }
    own_name = names.get(name.casefold(), name)
    text = environment.get(own_name)
    if text is not None:
        for member in members:
            unused = f"{name}__{member} has no effect, since {name} is a connection string: remove one of the two"
            environment.warn(f"{name}__{member}", Kind.CONTRADICTORY, unused)
        return StorageLocation(connection_string=read_connection_string(environment, name, text))
    if members and own_name in environment.values:
        # IsConnectionStringPresent of the host is true for an empty text.
        problem = f"{name} is empty, and the Functions host takes that for a connection string: remove the setting"
        environment.fault(name, Kind.CONTRADICTORY, problem)
    return _Identity(environment, name, members).location(cloud)


def _check_precedence(environment: Environment, name: str) -> None:
    """Find settings that the host would use in place of this connection (``GetWebJobsConnectionStringSection``)."""
    connection = name.casefold()
    for given in sorted(environment.values):
        key = given.casefold()
        is_prefixed = key.partition("__")[0] == f"azurewebjobs{connection}"
        prefix = next((one for one in _CONNECTION_STRINGS if key.startswith(one)), None)
        rest = key.removeprefix(prefix or "").partition("__")[0]
        if is_prefixed or (prefix and rest in (connection, f"azurewebjobs{connection}")):
            text = f"{given} goes before {name} for the Functions host, and this app does not read it: remove it"
            environment.fault(given, Kind.CONTRADICTORY, text)


class _Identity:
    """A connection without a connection string: an account or its services, reached with a managed identity."""

    def __init__(self, environment: Environment, name: str, members: Mapping[str, str]) -> None:
        self._environment = environment
        self._name = name
        self._members = members

    def location(self, cloud: Cloud) -> StorageLocation:
        uris = {service: self._service_uri(service) for service in _SERVICES}
        account = self._members.get("accountName")
        if account is not None:
            uris = self._of_account(account, uris, cloud)
        else:
            self._check_complete(uris)
        self._check_identity()
        return StorageLocation(
            table_endpoint=uris["table"],
            queue_endpoint=uris["queue"],
            identity_client_id=self._members.get("clientId"),
        )

    def _fault(self, member: str, kind: Kind, text: str) -> None:
        self._environment.fault(f"{self._name}__{member}", kind, f"{self._name}__{member} {text}")

    def _service_uri(self, service: str) -> str | None:
        """Return a service's URI without a slash at its end; one that neither app nor host can use is a fault."""
        member = f"{service}ServiceUri"
        value = self._members.get(member)
        if value is None:
            return None
        parts = split_url(value)
        is_bare = parts is not None and not (parts.query or parts.fragment or parts.path.strip("/"))
        # The emulator's URLs have the account as their path.
        if parts is None or parts.scheme != "https" or not (is_bare or parts.hostname in LOOPBACK):
            example = f"https://<account>.{service}.{_SUFFIX}"
            self._fault(member, Kind.INVALID, f"is not the https URL of a service: write it as {example}")
            return value
        problem = service_problem(parts.hostname or "", service)
        if problem is not None:
            self._fault(member, Kind.INVALID, problem)
        return value.rstrip("/").removesuffix(":443")

    def _of_account(self, account: str, uris: Mapping[str, str | None], cloud: Cloud) -> dict[str, str | None]:
        if not ACCOUNT_NAME.fullmatch(account):
            text = "is not the name of a storage account: 3 to 24 lowercase letters and digits, without a domain"
            self._fault("accountName", Kind.INVALID, text)
        elif cloud.name != "global":
            text = (
                f"means {_SUFFIX} for the Functions host, but GRAPH_CLOUD is {cloud.name}: give "
                f"{', '.join(f'{self._name}__{service}ServiceUri' for service in _SERVICES)} instead"
            )
            self._fault("accountName", Kind.CONTRADICTORY, text)
        meant: dict[str, str | None] = {
            service: f"https://{account.casefold()}.{service}.{_SUFFIX}" for service in _SERVICES
        }
        for service, uri in uris.items():
            member = f"{service}ServiceUri"
            if uri is not None and uri.casefold() != meant[service]:
                text = (
                    f"is of another account than {self._name}__accountName, which the Functions host uses: remove one"
                )
                self._fault(member, Kind.CONTRADICTORY, text)
        return meant

    def _check_complete(self, uris: Mapping[str, str | None]) -> None:
        # The host keeps its keys and locks in blobs of AzureWebJobsStorage.
        needed = ("table", "queue", "blob") if self._name == HOSTS else ("table", "queue")
        missing = [service for service in needed if uris[service] is None]
        if len(missing) == len(needed):
            text = (
                f"{self._name} is not set: give a connection string, or {self._name}__accountName, "
                f"or {_joined(f'{self._name}__{service}ServiceUri' for service in needed)}"
            )
            self._environment.fault(self._name, Kind.MISSING, text)
            return
        for service in missing:
            text = f"is not set: give it too, or {self._name}__accountName alone"
            self._fault(f"{service}ServiceUri", Kind.MISSING, text)
        hosts = [SERVICE_HOST.match((uri or "").removeprefix("https://")) for uri in uris.values()]
        if len({host[1] for host in hosts if host is not None}) > 1:
            text = f"the service URIs of {self._name} are of different storage accounts"
            self._environment.warn(self._name, Kind.CONTRADICTORY, text)

    def _check_identity(self) -> None:
        credential, client_id = self._members.get("credential"), self._members.get("clientId")
        if credential is not None and credential.casefold() != "managedidentity":
            self._fault("credential", Kind.INVALID, "is not managedidentity: this app uses a managed identity only")
        if client_id is not None and not GUID.fullmatch(client_id):
            self._fault("clientId", Kind.INVALID, "is not a GUID: give the identity's client id")
        if client_id is not None and credential is None:
            # Without it, older hosts ignore the client id.
            text = f"is set without {self._name}__credential=managedidentity: add that"
            self._fault("clientId", Kind.CONTRADICTORY, text)
        for member in _NOT_READ:
            if member in self._members:
                text = f"is read by the Functions host and not by this app: use {self._name}__clientId for an identity"
                self._fault(member, Kind.CONTRADICTORY, text)


def _joined(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} with {last}"
