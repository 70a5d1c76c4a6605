"""Storage that can't be used: for each reason its sentence and its command, on real sockets."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import AccountSasPermissions, ResourceTypes, generate_account_sas

from tests.dev.doctor.standins import serving
from tests.graph.servers import closed_port

if TYPE_CHECKING:
    from tests.dev.doctor.conftest import Doctor

STORAGES = ("table-storage", "queue-storage")


def _account(address: str, key: str = "a2V5") -> str:
    parts = [f"{service}Endpoint={address}/a" for service in ("Table", "Queue")]
    return ";".join(["DefaultEndpointsProtocol=http", "AccountName=a", f"AccountKey={key}", *parts])


@pytest.mark.parametrize("storage", STORAGES)
def test_a_storage_where_nobody_listens(doctor: Doctor, storage: str) -> None:
    """An emulator that does not run has advice of its own."""
    said = doctor(only=storage, AzureWebJobsStorage=_account(f"http://127.0.0.1:{closed_port()}"))
    assert said.status == 1
    assert "nothing listens at 127.0.0.1" in said.of(storage)
    assert "Start Azurite" in said.of(storage)


@pytest.mark.parametrize("storage", STORAGES)
def test_an_account_whose_name_does_not_exist(doctor: Doctor, storage: str) -> None:
    """A typing error in the account's name shows as a host that does not exist."""
    said = doctor(only=storage, AzureWebJobsStorage=_account("https://stnowhere.invalid"))
    assert said.status == 1
    assert "there is no host stnowhere.invalid" in said.of(storage)
    assert "az storage account list" in said.of(storage)


@pytest.mark.parametrize("storage", STORAGES)
def test_a_wrong_key(doctor: Doctor, azurite: str, storage: str) -> None:
    """The key is wrong, on a real emulator, and the command that prints the right one is given."""
    wrong = re.sub("AccountKey=[^;]+", f"AccountKey={base64.b64encode(b'k' * 64).decode()}", azurite)
    said = doctor(only=storage, AzureWebJobsStorage=wrong)
    assert said.status == 1
    assert "the key in the connection string is wrong" in said.of(storage)
    assert "az storage account show-connection-string" in said.of(storage)


@pytest.mark.parametrize("name", ["AzureWebJobsStorage", "STATE_STORAGE"])
def test_a_connection_string_that_lacks_something(doctor: Doctor, name: str) -> None:
    """What can't be a connection string is a fault of the setting that holds state, and nothing is asked."""
    changes: dict[str, str | None] = {name: "AccountName=stinvites"}
    said = doctor(only=" ".join(STORAGES), environment=None, **changes)
    assert said.status == 1
    assert f"{name} lacks AccountKey" in said.of("settings")
    assert said.of("table-storage").startswith("not checked")


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize(
    ("status", "code", "sentence", "fix"),
    [
        (403, "AuthorizationPermissionMismatch", "does not reach so far", "show-connection-string"),
        (403, "AuthorizationFailure", "mostly a firewall before the account", "Networking"),
        (403, "AuthenticationFailed", "the key in the connection string is wrong", "show-connection-string"),
        (403, "KeyBasedAuthenticationNotPermitted", "takes no keys", "__accountName"),
        (404, "ResourceNotFound", "there is no such account or service", "az storage account list"),
        (409, "AccountIsDisabled", "refuses (status 409, AccountIsDisabled)", "common-rest-api-error-codes"),
    ],
)
def test_storage_s_own_codes(doctor: Doctor, storage: str, status: int, *, code: str, sentence: str, fix: str) -> None:
    """Azure Storage says why in ``x-ms-error-code``, and each reason has its own advice."""
    answer = (status, {"x-ms-error-code": code, "Content-Type": "application/xml"}, "")
    # Not 127.0.0.1: there an emulator is expected, which has no firewall.
    with serving(lambda *_: answer, host="127.0.0.2") as address:
        said = doctor(only=storage, AzureWebJobsStorage=_account(address), NO_PROXY="127.0.0.2")
    assert said.status == 1
    assert sentence in said.of(storage)
    assert code in said.of(storage)
    assert fix in said.of(storage)


@pytest.mark.parametrize("storage", STORAGES)
def test_a_role_that_is_missing(doctor: Doctor, trusted: str, storage: str) -> None:
    """For an identity without its role, the role and the command that assigns it."""
    service = storage.partition("-")[0]
    answer = (403, {"x-ms-error-code": "AuthorizationPermissionMismatch", "Content-Type": "application/xml"}, "")
    token = {"access_token": "t", "expires_on": "9999999999", "resource": "r", "token_type": "Bearer"}
    with serving(lambda *_: (200, {}, token)) as identity, serving(lambda *_: answer, tls=True) as address:
        said = doctor(
            only=storage,
            environment={"IDENTITY_ENDPOINT": f"{identity}/msi/token", "IDENTITY_HEADER": "header"},
            AzureWebJobsStorage=None,
            AzureWebJobsStorage__tableServiceUri=address,
            AzureWebJobsStorage__queueServiceUri=address,
            AzureWebJobsStorage__blobServiceUri=address,
            REQUESTS_CA_BUNDLE=trusted,
        )
    assert said.status == 1
    assert f"the identity lacks the role Storage {service.capitalize()} Data Contributor" in said.of(storage)
    assert f'az role assignment create --role "Storage {service.capitalize()} Data Contributor"' in said.of(storage)


def _signed(azurite: str, permission: AccountSasPermissions) -> str:
    """A connection string with a shared access signature that allows little."""
    key = re.search("AccountKey=([^;]+)", azurite)
    table = re.search("TableEndpoint=([^;]+)", azurite)
    assert key is not None
    assert table is not None
    until = datetime.now(UTC) + timedelta(hours=1)
    resources = ResourceTypes(service=True, object=True)
    # The library of tables signs for tables alone, that of queues for any letters of services.
    signature = generate_account_sas("devstoreaccount1", key[1], resources, permission, until, services="qt")
    return f"TableEndpoint={table[1]};QueueEndpoint={table[1]};SharedAccessSignature={signature}"


def test_a_table_that_is_missing_and_can_not_be_made(doctor: Doctor, azurite: str, storage_name: str) -> None:
    """A signature that allows rows but no tables, before the first row, on a real emulator."""
    signed = _signed(azurite, AccountSasPermissions(read=True, add=True, delete=True))
    said = doctor(only="table-storage", AzureWebJobsStorage=signed, STATE_TABLE=storage_name)
    assert said.status == 1
    assert f"the table {storage_name} may be missing and can't be made" in said.of("table-storage")
    with TableServiceClient.from_connection_string(azurite) as service:
        assert storage_name not in {one.name for one in service.list_tables()}


@pytest.mark.parametrize("storage", STORAGES)
def test_a_managed_identity_outside_azure(doctor: Doctor, storage: str) -> None:
    """It is not tried, since it can't work; what to do instead is said, and it is no fault of the app."""
    said = doctor(only=storage, AzureWebJobsStorage=None, AzureWebJobsStorage__accountName="stinvites")
    assert said.status == 0
    assert said.of(storage).startswith("not checked")
    assert "gives tokens to the deployed app only" in said.of(storage)
    assert "az storage account show-connection-string -n stinvites" in said.of(storage)
