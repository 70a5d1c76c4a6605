"""The storage connection, in the forms that the Functions host takes and in those that it reads differently."""

from __future__ import annotations

import pytest

from domain.configuration.faults import Kind
from settings import StorageLocation, load, storage_connection
from tests.configured import CONNECTION, environment, faults, loaded

HOST = "AzureWebJobsStorage"
IDENTITY = "0f0c1a4e-6d2b-4c7e-9a51-3f1f6b0d9c22"


def _members(name: str = HOST, **members: str) -> dict[str, str | None]:
    """Return changes that put these properties in the place of the connection string."""
    return {HOST: None if name == HOST else CONNECTION, **{f"{name}__{member}": one for member, one in members.items()}}


def _uris(account: str = "stinvites", suffix: str = "core.windows.net", *, without: str = "") -> dict[str, str]:
    services = [service for service in ("blob", "queue", "table") if service != without]
    return {f"{service}ServiceUri": f"https://{account}.{service}.{suffix}" for service in services}


def test_an_account_name() -> None:
    """With a managed identity an account's name is enough."""
    assert loaded(**_members(accountName="stinvites")).storage == StorageLocation(
        None, "https://stinvites.table.core.windows.net", "https://stinvites.queue.core.windows.net"
    )


def test_service_uris() -> None:
    """The services may be named by their own URIs, in any cloud, with an identity of choice."""
    uris = _uris(suffix="core.usgovcloudapi.net")
    members = _members(**uris, clientId=IDENTITY, credential="ManagedIdentity")
    got = loaded(GRAPH_CLOUD="us-gov-l4", **members)
    assert got.storage == StorageLocation(None, uris["tableServiceUri"], uris["queueServiceUri"], IDENTITY)
    assert got.warnings == ()


def test_private_domains() -> None:
    """URIs of a domain of one's own are taken as they are."""
    uris = {f"{service}ServiceUri": f"https://{service}.contoso.com/" for service in ("blob", "queue", "table")}
    assert loaded(**_members(**uris)).storage.table_endpoint == "https://table.contoso.com"


def test_names_in_any_case() -> None:
    """The host ignores upper and lower case in names; so does the app, and they mean the same account."""
    got = load(environment(AzureWebJobsStorage=None, azurewebjobsstorage__ACCOUNTNAME="stinvites"))
    assert got.storage.queue_endpoint == "https://stinvites.queue.core.windows.net"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"STATE_STORAGE": CONNECTION + ";"}, StorageLocation(connection_string=CONNECTION + ";")),
        (
            {"STATE_STORAGE__accountName": "state"},
            StorageLocation(None, "https://state.table.core.windows.net", "https://state.queue.core.windows.net"),
        ),
        (
            {
                "STATE_STORAGE__tableServiceUri": "https://t.example",
                "STATE_STORAGE__queueServiceUri": "https://q.example",
            },
            StorageLocation(None, "https://t.example", "https://q.example"),
        ),
    ],
)
def test_another_account(more: dict[str, str], expected: StorageLocation) -> None:
    """``STATE_STORAGE`` takes the same forms, without blobs, and wins over the host's own storage."""
    assert loaded(**more).storage == expected
    assert storage_connection(environment(**more)) == "STATE_STORAGE"


def test_a_blank_state_storage() -> None:
    """A template that leaves ``STATE_STORAGE`` blank keeps state in the host's own storage."""
    blank = {"STATE_STORAGE": "", "STATE_STORAGE__accountName": " "}
    assert storage_connection(environment(**blank)) == HOST
    assert loaded(**blank).storage == StorageLocation(connection_string=CONNECTION)


@pytest.mark.parametrize(
    "name",
    [
        "STone",
        "ab",
        "a" * 25,
        "st-one",
        "st_one",
        "stone.table.core.windows.net",
        "https://stone",
        "st one",
        "stöne",
        "\uff53tone",
        "stone/",
        "stone,sttwo",
    ],
)
def test_account_names_that_cannot_be(name: str) -> None:
    """An account's name has 3 to 24 lowercase letters and digits."""
    (fault,) = faults(**_members(accountName=name))
    assert (fault.setting, fault.kind) == (f"{HOST}__accountName", Kind.INVALID)
    assert len(name) < 3 or name not in fault.text


@pytest.mark.parametrize(
    "uri",
    [
        "stone.queue.core.windows.net",
        "http://stone.queue.core.windows.net",
        "https://stone.queue.core.windows.net/work",
        "https://stone.queue.core.windows.net?sv=2024&sig=secret",
        "https://stone.queue.core.windows.net#x",
        "https://user:secret@stone.queue.core.windows.net",
        "https://",
        "https://stone.queue.core.windows.net:port",
        "https:stone.queue.core.windows.net",
        "'https://stone.queue.core.windows.net'",
        "https://stone.table.core.windows.net",
        "https://stone.blob.core.windows.net/",
        "https://stone.z01.table.storage.azure.net",
        "https://stone.privatelink.queue.core.windows.net",
        "https://stone-secondary.queue.core.windows.net",
        "queueEndpoint=https://stone.queue.core.windows.net",
        "<the queue service's URI>",
    ],
)
def test_service_uris_that_cannot_be(uri: str) -> None:
    """A service URI is https, a host of that service and nothing else; the value is not shown."""
    (fault,) = faults(**_members(**{**_uris("stone"), "queueServiceUri": uri}))
    assert fault.setting == f"{HOST}__queueServiceUri"
    assert fault.kind is (Kind.UNRESOLVED if uri.startswith("<") else Kind.INVALID)
    assert "secret" not in fault.text


@pytest.mark.parametrize("service", ["blob", "queue", "table"])
@pytest.mark.parametrize(
    "host",
    [
        "sttwo.{}.core.windows.net",
        "stone.{}.core.usgovcloudapi.net",
        "stone.z01.{}.storage.azure.net",
        "{}.contoso.com",
    ],
)
def test_an_account_name_beside_other_uris(service: str, host: str) -> None:
    """The host goes by the account's name, so a URI that means something else is a contradiction."""
    (fault,) = faults(**_members(accountName="stone", **{f"{service}ServiceUri": f"https://{host.format(service)}"}))
    assert (fault.setting, fault.kind) == (f"{HOST}__{service}ServiceUri", Kind.CONTRADICTORY)
    assert f"{HOST}__accountName" in fault.text


def test_an_account_name_beside_its_own_uris() -> None:
    """Said twice, and the same: no contradiction."""
    assert loaded(**_members(accountName="stone", **_uris("stone"))).warnings == ()
    uri = "HTTPS://stone.queue.core.windows.net:443/"
    assert loaded(**_members(accountName="stone", queueServiceUri=uri)).warnings == ()


@pytest.mark.parametrize("cloud", ["us-gov-l4", "us-gov-l5"])
def test_an_account_name_in_another_cloud(cloud: str) -> None:
    """The host always looks for the name in the global cloud."""
    (fault,) = faults(GRAPH_CLOUD=cloud, **_members(accountName="stone"))
    assert (fault.setting, fault.kind) == (f"{HOST}__accountName", Kind.CONTRADICTORY)
    assert f"{HOST}__queueServiceUri" in fault.text


@pytest.mark.parametrize("missing", ["blob", "queue", "table"])
def test_partial_sets(missing: str) -> None:
    """Two of the three URIs of the host's own storage: the third is named."""
    (fault,) = faults(**_members(**_uris(without=missing)))
    assert (fault.setting, fault.kind) == (f"{HOST}__{missing}ServiceUri", Kind.MISSING)


@pytest.mark.parametrize("missing", ["queue", "table"])
def test_partial_sets_of_state(missing: str) -> None:
    """The same for an account of the app's own, which needs no blobs."""
    uris = {name: uri for name, uri in _uris(without=missing).items() if not name.startswith("blob")}
    (fault,) = faults(**_members("STATE_STORAGE", **uris))
    assert (fault.setting, fault.kind) == (f"STATE_STORAGE__{missing}ServiceUri", Kind.MISSING)


@pytest.mark.parametrize("members", [{"credential": "managedidentity"}, {"acountName": "stone"}, {}])
def test_nothing_that_names_an_account(members: dict[str, str]) -> None:
    """An identity or a misspelt property alone: all ways to name an account are listed."""
    (fault,) = faults(**_members(**members))
    assert (fault.setting, fault.kind) == (HOST, Kind.MISSING)
    assert f"{HOST}__tableServiceUri, {HOST}__queueServiceUri with {HOST}__blobServiceUri" in fault.text


def test_uris_of_two_accounts() -> None:
    """Host and app read them alike, but it is hardly meant."""
    uris = {**_uris("stone"), "tableServiceUri": "https://sttwo.table.core.windows.net"}
    (warning,) = loaded(**_members(**uris)).warnings
    assert "different storage accounts" in str(warning)


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"credential": "clientsecret"}, "credential"),
        ({"credential": "workloadidentity", "clientId": IDENTITY}, "credential"),
        ({"credential": "managedidentity", "clientId": "id-of-the-app"}, "clientId"),
        ({"credential": "managedidentity", "clientId": f"/subscriptions/{IDENTITY}/id"}, "clientId"),
        ({"clientId": IDENTITY}, "clientId"),
        ({"managedIdentityResourceId": "/subscriptions/x"}, "managedIdentityResourceId"),
        ({"credential": "managedidentity", "managedIdentityObjectId": IDENTITY}, "managedIdentityObjectId"),
        ({"credential": "managedidentity", "managedIdentityClientId": IDENTITY}, "managedIdentityClientId"),
        ({"tenantId": IDENTITY}, "tenantId"),
        ({"clientSecret": "s3cret"}, "clientSecret"),
    ],
)
def test_identities_that_host_and_app_read_differently(members: dict[str, str], named: str) -> None:
    """``__credential`` and ``__clientId`` fit each other, and nothing else chooses an identity."""
    (fault,) = faults(**_members(accountName="stone", **members))
    assert fault.setting == f"{HOST}__{named}"
    assert "s3cret" not in fault.text


@pytest.mark.parametrize(
    ("name", "connection"),
    [
        ("AzureWebJobsSTATE_STORAGE", "STATE_STORAGE"),
        ("AzureWebJobsSTATE_STORAGE__accountName", "STATE_STORAGE"),
        ("ConnectionStrings__STATE_STORAGE", "STATE_STORAGE"),
        ("CUSTOMCONNSTR_STATE_STORAGE", "STATE_STORAGE"),
        ("CUSTOMCONNSTR_AzureWebJobsStorage", HOST),
        ("AzureWebJobsAzureWebJobsStorage", HOST),
        ("ConnectionStrings__AzureWebJobsAzureWebJobsStorage__accountName", HOST),
    ],
)
def test_settings_that_the_host_prefers(name: str, connection: str) -> None:
    """The host tries a prefixed name and connection strings first, which the app does not read."""
    (fault,) = faults(**{connection: CONNECTION, name: "x"})
    assert (fault.setting, fault.kind) == (name, Kind.CONTRADICTORY)


def test_a_connection_string_beside_an_account_name() -> None:
    """Host and app take the connection string; what has no effect is named."""
    got = loaded(AzureWebJobsStorage__accountName="stone")
    assert got.storage == StorageLocation(connection_string=CONNECTION)
    assert [warning.setting for warning in got.warnings] == [f"{HOST}__accountName"]


@pytest.mark.parametrize("blank", ["", "  "])
def test_an_empty_connection_string_beside_an_account_name(blank: str) -> None:
    """The host takes an empty text for a connection string and starts no trigger."""
    (fault,) = faults(**{HOST: blank, f"{HOST}__accountName": "stone"})
    assert (fault.setting, fault.kind) == (HOST, Kind.CONTRADICTORY)
