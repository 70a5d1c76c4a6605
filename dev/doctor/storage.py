"""A round trip through each storage service, and the reason where it fails.

The row and the queue can't be mistaken for the app's: no call's partition begins with ``~doctor|`` (see
``storage.rows``), and the queue has a random name. Both are removed again. The state table itself is made where
it is missing, as the app does with its first row, and stays.
"""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError

from dev.doctor import connection, identity
from dev.doctor.findings import Finding, fault, not_checked, ok, warning
from storage.budget import budget
from storage.connections import credential_for
from storage.errors import StorageUnavailable
from storage.names import WORK
from storage.outcomes import error_code
from storage.queue import queue_client
from storage.table import table_client

if TYPE_CHECKING:
    from azure.data.tables import TableClient
    from azure.storage.queue import QueueClient

    from settings import Settings

PARTITION = "~doctor|"
QUEUE = "doctor-"
# For each request: retries would only make a fault slower to see.
_SECONDS = 2.0

_ROLES = {"table": "Storage Table Data Contributor", "queue": "Storage Queue Data Contributor"}
_CONNECTION = (
    "az storage account show-connection-string -n <account> --query connectionString -o tsv prints a good one; for "
    "Azurite it is UseDevelopmentStorage=true; docs/settings.md#storage"
)
_OUTSIDE = "storage is reached with a managed identity, which gives tokens to the deployed app only"
_INSTEAD = (
    "<PUBLIC_BASE_URL>/api/health says whether the app reaches it. To try it from here, where the account allows keys "
    'and this network, let a connection string stand in for one run: {setting}="$(az storage account '
    'show-connection-string -n {account} --query connectionString -o tsv)" before the command'
)
_EMULATOR = (
    "Start Azurite there. make run has an Azurite of its own, on ports of its choice, which /api/health looks at: with "
    "it leave this out, --skip table-storage --skip queue-storage"
)
_NAME = (
    'az storage account list --query "[].name" -o tsv must list {account}; for US Government GRAPH_CLOUD says the '
    "domain; docs/settings.md#storage"
)

# https://learn.microsoft.com/rest/api/storageservices/sas-error-codes and the page common-rest-api-error-codes.
_NOT_AUTHENTICATED = ("AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation")
_NOT_PERMITTED = (
    "AuthorizationPermissionMismatch",
    "AuthorizationResourceTypeMismatch",
    "AuthorizationServiceMismatch",
    "InsufficientAccountPermissions",
)
_NOT_FROM_HERE = ("AuthorizationFailure", "AuthorizationSourceIPMismatch")


def check_table(settings: Settings, setting: str) -> list[Finding]:
    """Write, read and remove a row of the state table.

    Args:
        settings: where it is.
        setting: which setting says so, ``AzureWebJobsStorage`` or ``STATE_STORAGE``.
    """
    client = table_client(settings, credential_for(settings))
    place = _Place("table", setting, client.url, settings)
    if place.is_out_of_reach:
        return [place.out_of_reach()]
    row, more = {"PartitionKey": PARTITION + uuid.uuid4().hex, "RowKey": "trip"}, ""
    with client, budget(_SECONDS):
        try:
            code = _code_of_reading(client, row)
            more = "; rows can be read but not written, "
            more += f"or the table {settings.state_table} may be missing and can't be made"
            if code == "TableNotFound":
                client.create_table()
            client.create_entity(row)
            more = f"; the row that was written is still there, in the partition {row['PartitionKey']}, unread"
            came_back = _code_of_reading(client, row) is None
            client.delete_entity(row["PartitionKey"], row["RowKey"])
        except Exception as error:  # noqa: BLE001 - the library raises more than its own errors
            return [place.explained(error, more)]
    if not came_back:
        return [warning(f"a row was written to {place.host} and not found again", "Run this again")]
    return [ok(f"a row was written, read and removed: table {settings.state_table} at {place.host}")]


def _code_of_reading(client: TableClient, row: dict[str, str]) -> str | None:
    """Read a row; return storage's code where there is no such row or table."""
    try:
        client.get_entity(row["PartitionKey"], row["RowKey"])
    except ResourceNotFoundError as error:
        code = error_code(error)
        if code not in ("TableNotFound", "ResourceNotFound"):
            raise
        return code
    return None


def check_queues(settings: Settings, setting: str) -> list[Finding]:
    """Send a message through a queue of the doctor's own, and look whether the app's queue is there.

    Args:
        settings: where they are.
        setting: which setting says so.
    """
    credential, name = credential_for(settings), QUEUE + uuid.uuid4().hex
    client = queue_client(settings, name, credential)
    place = _Place("queue", setting, client.url, settings)
    if place.is_out_of_reach:
        return [place.out_of_reach()]
    try:
        with client, budget(_SECONDS):
            came_back = _round_trip(client)
        with queue_client(settings, WORK, credential) as looked_at, budget(_SECONDS):
            is_there = _is_there(looked_at)
    except Exception as error:  # noqa: BLE001 - as above
        return [place.explained(error)]
    if not came_back:
        return [warning(f"a message was sent to {place.host} and not found again", "Run this again")]
    own = f"the app's queue {WORK} is there" if is_there else f"the app's queue {WORK} can be made when first needed"
    return [ok(f"a queue was made, used and removed at {place.host}; {own}")]


def _round_trip(client: QueueClient) -> bool:
    """Make a queue, send a message through it and remove it; return whether the message came back."""
    client.create_queue()
    try:
        client.send_message("doctor")
        return client.receive_message() is not None
    finally:
        client.delete_queue()


def _is_there(client: QueueClient) -> bool:
    try:
        client.get_queue_properties()
    except ResourceNotFoundError:
        return False
    return True


class _Place:
    """One service of a storage account, and what can be said of it when it does not do what it should."""

    def __init__(self, service: str, setting: str, url: str, settings: Settings) -> None:
        self.host = connection.host_of(url)
        self._service = service
        self._setting = setting
        self._url = url
        self._has_key = settings.storage.connection_string is not None
        self._is_emulator = urlsplit(url).hostname in ("127.0.0.1", "localhost")
        self._account = "<account>" if self._is_emulator else self.host.partition(".")[0]

    @property
    def is_out_of_reach(self) -> bool:
        """Whether only the deployed app can open it."""
        return not self._has_key and not identity.is_within_reach()

    def out_of_reach(self) -> Finding:
        """Say that it can't be looked at from here, and what can."""
        fix = _INSTEAD.format(setting=self._setting, account=self._account)
        return not_checked(f"{self.host}: {_OUTSIDE}", fix)

    def explained(self, error: Exception, more: str = "") -> Finding:
        """Say why a request failed.

        Args:
            error: what the library raised, or the app's own credential with that as its cause.
            more: what else is to be said.
        """
        cause = error.__cause__ or error if isinstance(error, StorageUnavailable) else error
        status = getattr(cause, "status_code", None)
        if status is None:
            return self._unanswered(cause)
        code = error_code(cause)
        quoted = f"(status {status}, {code})" if code else f"(status {status})"
        # Azurite has no firewall: it answers a wrong key with the code that Azure has for networks.
        if code in _NOT_AUTHENTICATED or (self._is_emulator and code in _NOT_FROM_HERE):
            return fault(f"{self.host} refuses the credential {quoted}: {self._credential()}", self._new_credential())
        if code in _NOT_PERMITTED:
            return fault(f"{self.host} does not allow this {quoted}: {self._permission()}{more}", self._role())
        if code in _NOT_FROM_HERE:
            fix = (
                f"Storage account {self._account} > Networking, or az storage account show -n {self._account} --query "
                "networkRuleSet: let this network in, or look from within: docs/deploy.md#a-virtual-network"
            )
            return fault(f"{self.host} refuses this network {quoted}: mostly a firewall before the account", fix)
        if code == "KeyBasedAuthenticationNotPermitted":
            fix = f"Use an identity: {self._setting}__accountName={self._account}; docs/deploy.md#6-settings"
            return fault(f"{self.host} takes no keys {quoted}", fix)
        if status == HTTPStatus.NOT_FOUND:
            return fault(f"there is no such account or service at {self.host} {quoted}", self._named())
        fix = "https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes explains the code"
        return fault(f"{self.host} refuses {quoted}{more}", fix)

    def _unanswered(self, cause: BaseException) -> Finding:
        if isinstance(cause, ClientAuthenticationError):
            fix = "az functionapp identity assign -n <app> -g <group> --identities <the identity's resource id>"
            return fault(f"{self.host}: the managed identity gives no token for storage", fix)
        return connection.explained(cause, self._url, fix_name=self._named())

    def _named(self) -> str:
        return _EMULATOR if self._is_emulator else _NAME.format(account=self._account)

    def _credential(self) -> str:
        return "the key in the connection string is wrong" if self._has_key else "the identity's token is not taken"

    def _new_credential(self) -> str:
        if self._has_key:
            return (
                f"az storage account show-connection-string -n {self._account} --query connectionString -o tsv, then "
                f'az functionapp config appsettings set -n <app> -g <group> --settings {self._setting}="<it>"'
            )
        return "The account must be in the identity's own tenant: az storage account show -n " + self._account

    def _permission(self) -> str:
        if self._has_key:
            return "the shared access signature in the connection string does not reach so far"
        return f"the identity lacks the role {_ROLES[self._service]}"

    def _role(self) -> str:
        if self._has_key:
            return f"Give a connection string with the account's key. {_CONNECTION.replace('<account>', self._account)}"
        return (
            f'az role assignment create --role "{_ROLES[self._service]}" --scope "$(az storage account show -n '
            f"{self._account} --query id -o tsv)\" --assignee-object-id <the identity's principal id> "
            "--assignee-principal-type ServicePrincipal; it takes some minutes; docs/deploy.md#5-roles-of-the-identity"
        )
