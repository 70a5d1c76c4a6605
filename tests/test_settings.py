from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from azure.data.tables import TableClient

import settings
from settings import Settings, SettingsError, StorageLocation, load, storage_connection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"
CONNECTION = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net"
SOUND = {
    "GRAPH_TENANT_ID": TENANT,
    "GRAPH_CLIENT_ID": CLIENT,
    "GRAPH_CLIENT_SECRET": "letmein",
    "AzureWebJobsStorage": CONNECTION,
    "WEBSITE_HOSTNAME": "app.azurewebsites.net",
}
PEM = (
    "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
    "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n"
)


def _loaded(**changes: str | None) -> Settings:
    return load(_environment(changes))


def _environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**SOUND, **changes}.items() if value is not None}


def _faults(**changes: str | None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(_environment(changes))
    return caught.value.faults


def _without_storage(**changes: str) -> dict[str, str]:
    return {**{name: value for name, value in SOUND.items() if name != "AzureWebJobsStorage"}, **changes}


def test_five_settings_are_enough_and_everything_else_has_a_default() -> None:
    """A deployer who names tenant, app, credential, storage and host gets the global cloud and sensible times."""
    got = _loaded()
    assert got.cloud.name == "global"
    assert got.graph_endpoint == "https://graph.microsoft.com"
    assert got.graph_scope == "https://graph.microsoft.com/.default"
    assert got.authority == f"https://login.microsoftonline.com/{TENANT}"
    assert got.authority_is_overridden is False
    assert (got.tenant_id, got.client_id) == (TENANT, CLIENT)
    assert got.credential.client_secret == "letmein"
    assert got.callback_openid_configuration == "https://api.aps.skype.com/v1/.well-known/OpenIdConfiguration"
    assert got.callback_issuers == {"https://api.botframework.com", "https://graph.microsoft.com"}
    assert got.callback_tenant_ids == {TENANT}
    assert got.storage == StorageLocation(connection_string=CONNECTION)
    assert got.state_table == "calls"
    assert got.public_base_url == "https://app.azurewebsites.net"
    assert got.connector_gateway_hosts == (".azure-apihub.net", ".azure-apim.net")
    assert {".logic.azure.com", ".environment.api.powerplatform.com"} <= set(got.flow_callback_hosts)
    assert (got.flow_callback_local_hosts, got.flow_callback_secret) == (frozenset(), None)
    assert (got.check_after_seconds, got.give_up_after_seconds, got.retention_days) == (120, 900, 30)
    assert got.warnings == ()


def test_the_environment_of_the_process_is_read_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Azure nothing has to be passed: the app's own environment counts."""
    for name in os.environ:
        if name.startswith(("GRAPH_", "CALLBACK_", "STATE_", "PUBLIC_", "AzureWebJobs", "INVITATION_")):
            monkeypatch.delenv(name)
    for name, value in SOUND.items():
        monkeypatch.setenv(name, value)
    assert load().client_id == CLIENT


@pytest.mark.parametrize(
    ("cloud", "endpoint", "authority"),
    [
        ("global", "https://graph.microsoft.com", "https://login.microsoftonline.com"),
        ("us-gov-l4", "https://graph.microsoft.us", "https://login.microsoftonline.us"),
        ("us-gov-l5", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
        ("US-Gov-L4", "https://graph.microsoft.us", "https://login.microsoftonline.us"),
    ],
)
def test_a_cloud_brings_its_own_addresses(cloud: str, endpoint: str, authority: str) -> None:
    """Naming a cloud is enough: Graph, Entra ID and the token's scope are that cloud's own."""
    got = _loaded(GRAPH_CLOUD=cloud)
    assert got.graph_endpoint == endpoint
    assert got.graph_scope == f"{endpoint}/.default"
    assert got.authority == f"{authority}/{TENANT}"


@pytest.mark.parametrize("cloud", ["us-gov-l4", "us-gov-l5"])
def test_government_clouds_lack_what_their_schema_lacks(cloud: str) -> None:
    """In US Government, people can't be moved, hidden or taken out of the mixer: the cloud's record says so."""
    got = _loaded(GRAPH_CLOUD=cloud).cloud
    assert got.lacking_members == {"participantId", "hidden", "removeFromDefaultAudioRoutingGroup"}
    assert "communicationsPhoneIdentity" in got.lacking_identity_types


def test_china_is_refused_with_the_reason() -> None:
    """A deployer in China learns at once that there is nothing to be configured."""
    (fault,) = _faults(GRAPH_CLOUD="china")
    assert "21Vianet has no calls" in fault


def test_an_unknown_cloud_is_refused_with_the_known_ones() -> None:
    """A mistyped cloud never silently means the global one."""
    (fault,) = _faults(GRAPH_CLOUD="germany")
    assert "global, us-gov-l4, us-gov-l5" in fault
    assert "germany" not in fault


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "Common"])
def test_a_tenant_for_everybody_is_refused(tenant: str) -> None:
    """Graph refuses tokens of any tenant but the call's own, so the app asks for that one."""
    (fault,) = _faults(GRAPH_TENANT_ID=tenant)
    assert fault.startswith("GRAPH_TENANT_ID")
    assert "call's own tenant" in fault


def test_every_fault_is_named_at_once() -> None:
    """A deployer mends a bad configuration in one go, not setting by setting."""
    with pytest.raises(SettingsError) as caught:
        load(
            {
                "GRAPH_CLOUD": "mars",
                "GRAPH_AUTHORITY": "ftp://x",
                "GRAPH_ENDPOINT": "graph.microsoft.com",
                "CALLBACK_OPENID_CONFIGURATION": "nowhere",
                "STATE_TABLE": "1",
                "CONNECTOR_GATEWAY_HOSTS": "*",
                "FLOW_CALLBACK_HOSTS": "com",
                "INVITATION_CHECK_AFTER_SECONDS": "soon",
                "INVITATION_GIVE_UP_AFTER_SECONDS": "-1",
                "CALL_RETENTION_DAYS": "for ever",
            }
        )
    text = "\n".join(caught.value.faults)
    for name in (
        "GRAPH_CLOUD",
        "GRAPH_TENANT_ID",
        "GRAPH_CLIENT_ID",
        "no credential",
        "GRAPH_AUTHORITY",
        "GRAPH_ENDPOINT",
        "CALLBACK_OPENID_CONFIGURATION",
        "AzureWebJobsStorage",
        "STATE_TABLE",
        "PUBLIC_BASE_URL",
        "CONNECTOR_GATEWAY_HOSTS",
        "FLOW_CALLBACK_HOSTS",
        "INVITATION_CHECK_AFTER_SECONDS",
        "INVITATION_GIVE_UP_AFTER_SECONDS",
        "CALL_RETENTION_DAYS",
    ):
        assert name in text
    assert len(caught.value.faults) == 15
    assert str(caught.value) == "; ".join(caught.value.faults)


@pytest.mark.parametrize(
    "name",
    [
        "GRAPH_CLOUD",
        "GRAPH_CLIENT_CERTIFICATE",
        "GRAPH_ENDPOINT",
        "GRAPH_AUTHORITY",
        "CALLBACK_OPENID_CONFIGURATION",
        "STATE_TABLE",
        "PUBLIC_BASE_URL",
        "CONNECTOR_GATEWAY_HOSTS",
        "FLOW_CALLBACK_HOSTS",
        "INVITATION_CHECK_AFTER_SECONDS",
        "INVITATION_GIVE_UP_AFTER_SECONDS",
        "CALL_RETENTION_DAYS",
    ],
)
def test_a_fault_never_shows_the_value(name: str) -> None:
    """Anyone may read the faults in the health answer, so a secret pasted into the wrong setting stays unseen."""
    changes: dict[str, str | None] = {name: "top/secret*value"}
    if name == "GRAPH_CLIENT_CERTIFICATE":
        changes["GRAPH_CLIENT_SECRET"] = None
    found = _faults(**changes)
    assert any(name in fault for fault in found)
    assert not any("secret" in fault.replace("GRAPH_CLIENT_SECRET", "") for fault in found)


@pytest.mark.parametrize("name", ["GRAPH_TENANT_ID", "GRAPH_CLIENT_ID", "AzureWebJobsStorage"])
@pytest.mark.parametrize("value", [None, "", "   "])
def test_what_is_required_is_missed_also_when_blank(name: str, value: str | None) -> None:
    """A setting left blank in a template counts as not set, and is named."""
    (fault,) = _faults(**{name: value})
    assert fault.startswith(f"{name} is not set: give")


@pytest.mark.parametrize("name", ["GRAPH_TENANT_ID", "GRAPH_CLIENT_ID"])
def test_a_name_where_an_id_belongs_gives_a_warning(name: str) -> None:
    """A domain name works for tokens but no callback ever matches it, so the deployer is warned."""
    (warning,) = _loaded(**{name: "contoso.example"}).warnings
    assert warning.startswith(f"{name} is not a GUID")


def test_no_credential_is_a_fault_that_names_all_three() -> None:
    """Whoever forgot the credential reads which ones there are."""
    (fault,) = _faults(GRAPH_CLIENT_SECRET=None)
    for name in ("GRAPH_CLIENT_SECRET", "GRAPH_CLIENT_CERTIFICATE", "GRAPH_MANAGED_IDENTITY_CLIENT_ID"):
        assert name in fault


@pytest.mark.parametrize(
    "more",
    [
        {"GRAPH_CLIENT_CERTIFICATE": PEM},
        {"GRAPH_MANAGED_IDENTITY_CLIENT_ID": "system"},
        {"GRAPH_CLIENT_CERTIFICATE": PEM, "GRAPH_MANAGED_IDENTITY_CLIENT_ID": "system"},
    ],
)
def test_several_credentials_are_a_fault(more: dict[str, str]) -> None:
    """The app never guesses which of two credentials was meant."""
    (fault,) = _faults(**more)
    assert fault.startswith("several credentials are set")


def test_a_managed_identity_is_a_credential() -> None:
    """Without any secret, a managed identity proves the app."""
    got = _loaded(GRAPH_CLIENT_SECRET=None, GRAPH_MANAGED_IDENTITY_CLIENT_ID="system").credential
    assert (got.client_secret, got.certificate_pem, got.managed_identity_client_id) == (None, None, "system")


@pytest.mark.parametrize("text", [PEM, PEM.replace("\n", "\\n")])
def test_a_certificate_is_given_as_text(text: str) -> None:
    r"""PEM text works as it is and with ``\n`` written out, as settings of one line have it."""
    got = _loaded(GRAPH_CLIENT_SECRET=None, GRAPH_CLIENT_CERTIFICATE=text).credential
    assert got.certificate_pem is not None
    assert got.certificate_pem.strip() == PEM.strip()


def test_a_certificate_is_given_as_a_path(tmp_path: Path) -> None:
    """A path to a PEM file works as well as its text."""
    file = tmp_path / "app.pem"
    file.write_text(PEM, encoding="ascii")
    assert _loaded(GRAPH_CLIENT_SECRET=None, GRAPH_CLIENT_CERTIFICATE=str(file)).credential.certificate_pem == PEM


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("garbage", "neither PEM text nor a file"),
        ("/no/such/file.pem", "neither PEM text nor a file"),
        ("/", "neither PEM text nor a file"),
        ("nul\x00byte", "neither PEM text nor a file"),
        ("x" * 5000, "neither PEM text nor a file"),
        (PEM.partition("-----BEGIN CERT")[0], "both the certificate and its private key"),
        ("-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----", "both the certificate and its private key"),
    ],
)
def test_a_certificate_that_can_not_work_is_named(text: str, words: str) -> None:
    """Garbage, a missing file, or half a certificate is told at start, not at the first invitation."""
    (fault,) = _faults(GRAPH_CLIENT_SECRET=None, GRAPH_CLIENT_CERTIFICATE=text)
    assert fault.startswith("GRAPH_CLIENT_CERTIFICATE")
    assert words in fault


def test_a_certificate_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    """A PKCS#12 file in place of PEM is told as such and does no other harm."""
    file = tmp_path / "app.pfx"
    file.write_bytes(bytes(range(256)))
    (fault,) = _faults(GRAPH_CLIENT_SECRET=None, GRAPH_CLIENT_CERTIFICATE=str(file))
    assert fault.startswith("GRAPH_CLIENT_CERTIFICATE")


def test_addresses_can_be_overridden_for_other_clouds_and_the_simulator() -> None:
    """Graph and Entra ID may be elsewhere; then the scope follows Graph, and MSAL discovers nothing."""
    got = _loaded(
        GRAPH_ENDPOINT="https://localhost:8443/v1.0/",
        GRAPH_AUTHORITY="https://localhost:8443/contoso/",
        CALLBACK_OPENID_CONFIGURATION="https://localhost:8443/keys",
    )
    assert got.graph_endpoint == "https://localhost:8443"
    assert got.graph_scope == "https://localhost:8443/.default"
    assert got.authority == "https://localhost:8443/contoso"
    assert got.authority_is_overridden is True
    assert got.callback_openid_configuration == "https://localhost:8443/keys"


@pytest.mark.parametrize("name", ["GRAPH_ENDPOINT", "CALLBACK_OPENID_CONFIGURATION", "PUBLIC_BASE_URL"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_plain_http_is_taken_on_this_machine_only(name: str, host: str) -> None:
    """Trials on one machine may go without certificates; no other host may."""
    _loaded(**{name: f"http://{host}:8080"})
    (fault,) = _faults(**{name: f"http://{host.strip('[]')}.example.org:8080"})
    assert fault.startswith(name)


@pytest.mark.parametrize("name", ["GRAPH_ENDPOINT", "GRAPH_AUTHORITY", "CALLBACK_OPENID_CONFIGURATION"])
@pytest.mark.parametrize(
    "value",
    [
        "https://",
        "https:///path",
        "//graph.microsoft.com",
        "graph",
        "https://h:notaport",
        "https://h:99999",
        "https://[::1",
        "https://h?x=1",
        "https://h#x",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_is_none_is_named(name: str, value: str) -> None:
    """Whatever is typed where an address belongs, the app says which setting it is and never breaks."""
    (fault,) = _faults(**{name: value})
    assert fault.startswith(f"{name} is not an https address")


def test_the_authority_is_https_also_on_this_machine() -> None:
    """MSAL takes https only, so plain http is named here and not found out at the first token."""
    (fault,) = _faults(GRAPH_AUTHORITY="http://localhost:8443/x")
    assert fault.startswith("GRAPH_AUTHORITY")


def test_issuers_are_compared_without_a_trailing_slash() -> None:
    """Whether an issuer is written with a slash at its end makes no difference."""
    got = _loaded(CALLBACK_ISSUERS=" https://a.example/ ,https://b.example,, ")
    assert got.callback_issuers == {"https://a.example", "https://b.example"}


def test_callbacks_may_come_from_several_tenants() -> None:
    """Tenants of callbacks are a list of their own, compared without letter case."""
    assert _loaded(CALLBACK_TENANT_IDS="A1, b2").callback_tenant_ids == {"a1", "b2"}
    assert _loaded(GRAPH_TENANT_ID=TENANT.upper()).callback_tenant_ids == {TENANT}


def test_storage_is_a_connection_string() -> None:
    """The host's own connection string is enough."""
    assert _loaded().storage == StorageLocation(connection_string=CONNECTION)


@pytest.mark.parametrize("short", ["UseDevelopmentStorage=true", "usedevelopmentstorage=TRUE;"])
def test_the_emulators_short_form_is_written_out(short: str) -> None:
    """``UseDevelopmentStorage=true`` works, though the table library does not know it."""
    text = _loaded(AzureWebJobsStorage=short).storage.connection_string
    assert text is not None
    assert "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1" in text
    with TableClient.from_connection_string(text, "calls") as client:
        assert client.url == "http://127.0.0.1:10002/devstoreaccount1"


@pytest.mark.parametrize(("cloud", "suffix"), [("global", "core.windows.net"), ("us-gov-l4", "core.usgovcloudapi.net")])
def test_storage_is_an_account_name(cloud: str, suffix: str) -> None:
    """With a managed identity an account's name is enough; its domain is the cloud's."""
    got = load(_without_storage(AzureWebJobsStorage__accountName="acct", GRAPH_CLOUD=cloud)).storage
    assert got.connection_string is None
    assert got.table_endpoint == f"https://acct.table.{suffix}"
    assert got.queue_endpoint == f"https://acct.queue.{suffix}"
    assert got.identity_client_id is None


def test_storage_is_two_service_addresses() -> None:
    """Table and queue may be named by their own addresses, with an identity of choice."""
    got = load(
        _without_storage(
            AzureWebJobsStorage__tableServiceUri="https://t.example",
            AzureWebJobsStorage__queueServiceUri="https://q.example",
            AzureWebJobsStorage__clientId="identity",
        )
    ).storage
    assert got == StorageLocation(None, "https://t.example", "https://q.example", "identity")


@pytest.mark.parametrize("only", ["tableServiceUri", "queueServiceUri"])
def test_one_service_address_is_not_enough(only: str) -> None:
    """A missing half of the storage is told, with all ways to give it."""
    with pytest.raises(SettingsError) as caught:
        load(_without_storage(**{f"AzureWebJobsStorage__{only}": "https://x.example"}))
    (fault,) = caught.value.faults
    assert "AzureWebJobsStorage__accountName" in fault
    assert "AzureWebJobsStorage__tableServiceUri with AzureWebJobsStorage__queueServiceUri" in fault


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"STATE_STORAGE": "UseOther=1"}, StorageLocation(connection_string="UseOther=1")),
        (
            {"STATE_STORAGE__accountName": "state"},
            StorageLocation(None, "https://state.table.core.windows.net", "https://state.queue.core.windows.net"),
        ),
        (
            {"STATE_STORAGE__tableServiceUri": "https://t", "STATE_STORAGE__queueServiceUri": "https://q"},
            StorageLocation(None, "https://t", "https://q"),
        ),
    ],
)
def test_state_may_live_in_another_account(more: dict[str, str], expected: StorageLocation) -> None:
    """``STATE_STORAGE`` takes the same forms and wins over the host's own storage, for tables and for queues."""
    got = {**SOUND, **more}
    assert load(got).storage == expected
    assert storage_connection(got) == "STATE_STORAGE"


def test_a_blank_state_storage_counts_as_not_set() -> None:
    """A template that leaves ``STATE_STORAGE`` blank keeps state in the host's own storage."""
    got = {**SOUND, "STATE_STORAGE": "", "STATE_STORAGE__accountName": " "}
    assert storage_connection(got) == "AzureWebJobsStorage"
    assert load(got).storage == StorageLocation(connection_string=CONNECTION)


def test_the_public_address_is_the_hosts_unless_named() -> None:
    """Addresses in answers are built from a setting, else from the name that Azure gives the app."""
    assert _loaded(PUBLIC_BASE_URL="https://invites.example/").public_base_url == "https://invites.example"
    assert _loaded(PUBLIC_BASE_URL="https://x.example", WEBSITE_HOSTNAME=None).public_base_url == "https://x.example"
    (fault,) = _faults(WEBSITE_HOSTNAME=None)
    assert fault.startswith("PUBLIC_BASE_URL is not set")


@pytest.mark.parametrize("name", ["CONNECTOR_GATEWAY_HOSTS", "FLOW_CALLBACK_HOSTS"])
def test_host_suffixes_are_whole_domains(name: str) -> None:
    """A suffix always matches at a dot, in small letters, however it was written."""
    got = _loaded(**{name: "Example.com, .b.example.org ,,"})
    hosts = got.connector_gateway_hosts if name == "CONNECTOR_GATEWAY_HOSTS" else got.flow_callback_hosts
    assert hosts == (".example.com", ".b.example.org")


@pytest.mark.parametrize("name", ["CONNECTOR_GATEWAY_HOSTS", "FLOW_CALLBACK_HOSTS"])
@pytest.mark.parametrize("value", ["*", "*.example.com", "com", ".com", ".", "https://x.example", "a.example/b"])
def test_a_suffix_that_would_open_too_much_is_refused(name: str, value: str) -> None:
    """Nobody opens the door to a whole top-level domain by mistake."""
    (fault,) = _faults(**{name: f".good.example,{value}"})
    assert fault.startswith(name)


def test_local_hosts_of_flows_are_for_trials_and_say_so() -> None:
    """Private addresses are opened only on purpose, and with a warning."""
    got = _loaded(FLOW_CALLBACK_LOCAL_HOSTS="LocalHost, 127.0.0.1")
    assert got.flow_callback_local_hosts == {"localhost", "127.0.0.1"}
    assert any("FLOW_CALLBACK_LOCAL_HOSTS" in warning for warning in got.warnings)


def test_a_flow_callback_secret_is_kept_as_it_is() -> None:
    """The secret that signs outcomes is optional."""
    assert _loaded(FLOW_CALLBACK_SECRET="s3cret").flow_callback_secret == "s3cret"


@pytest.mark.parametrize("name", ["calls", "Abc", "a23", "x" * 63])
def test_a_table_name_is_what_storage_takes(name: str) -> None:
    """Every name that Table Storage takes can be used."""
    assert _loaded(STATE_TABLE=name).state_table == name


@pytest.mark.parametrize("name", ["ab", "1abc", "a-b", "a_b", "x" * 64, "täble", "a b", "calls\n!"])
def test_a_table_name_that_storage_refuses_is_named(name: str) -> None:
    """A name that Table Storage would refuse is told at start."""
    (fault,) = _faults(STATE_TABLE=name)
    assert fault.startswith("STATE_TABLE")


@pytest.mark.parametrize(("text", "seconds"), [("1", 1.0), ("0.25", 0.25), (" 60 ", 60.0), ("9e2", 900.0)])
def test_times_may_be_short_for_trials_with_a_warning(text: str, seconds: float) -> None:
    """A check within the time that Graph rings is allowed, and warned about."""
    got = _loaded(INVITATION_CHECK_AFTER_SECONDS=text)
    assert got.check_after_seconds == seconds
    assert any("INVITATION_CHECK_AFTER_SECONDS" in warning for warning in got.warnings) == (seconds <= 60)


@pytest.mark.parametrize(
    "name", ["INVITATION_CHECK_AFTER_SECONDS", "INVITATION_GIVE_UP_AFTER_SECONDS", "CALL_RETENTION_DAYS"]
)
@pytest.mark.parametrize("value", ["0", "-1", "x", "nan", "inf", "-inf", "1e300", "10000000", "1,5", "1 2"])
def test_a_number_that_is_none_or_makes_no_sense_is_named(name: str, value: str) -> None:
    """Numbers are positive and within reason; anything else is told once, by the setting's name."""
    (fault,) = _faults(**{name: value})
    assert fault.startswith(name)


def test_a_retention_of_any_accepted_length_can_be_reckoned_with() -> None:
    """Whatever number of days is accepted, the nightly run can count them back from today."""
    (fault,) = _faults(CALL_RETENTION_DAYS="1000000")
    assert fault.startswith("CALL_RETENTION_DAYS")
    assert _loaded(CALL_RETENTION_DAYS="36500").retention_days == 36500


def test_giving_up_before_the_first_check_is_a_contradiction() -> None:
    """Two settings that contradict each other are told together."""
    (fault,) = _faults(INVITATION_CHECK_AFTER_SECONDS="120", INVITATION_GIVE_UP_AFTER_SECONDS="119")
    assert "INVITATION_GIVE_UP_AFTER_SECONDS" in fault
    assert "INVITATION_CHECK_AFTER_SECONDS" in fault
    assert _loaded(INVITATION_CHECK_AFTER_SECONDS="120", INVITATION_GIVE_UP_AFTER_SECONDS="120").warnings == ()


def test_blank_optional_settings_count_as_not_set() -> None:
    """A template full of blank optional settings gives the same app as one without them."""
    optional = (
        "GRAPH_CLOUD",
        "GRAPH_CLIENT_CERTIFICATE",
        "GRAPH_MANAGED_IDENTITY_CLIENT_ID",
        "GRAPH_ENDPOINT",
        "GRAPH_AUTHORITY",
        "CALLBACK_OPENID_CONFIGURATION",
        "CALLBACK_ISSUERS",
        "CALLBACK_TENANT_IDS",
        "STATE_STORAGE",
        "STATE_TABLE",
        "PUBLIC_BASE_URL",
        "CONNECTOR_GATEWAY_HOSTS",
        "FLOW_CALLBACK_HOSTS",
        "FLOW_CALLBACK_LOCAL_HOSTS",
        "FLOW_CALLBACK_SECRET",
        "INVITATION_CHECK_AFTER_SECONDS",
        "INVITATION_GIVE_UP_AFTER_SECONDS",
        "CALL_RETENTION_DAYS",
    )
    assert _loaded(**dict.fromkeys(optional, "  ")) == _loaded()


def test_the_module_keeps_no_state_between_readings() -> None:
    """Reading a bad environment first does not spoil a good one."""
    _faults(GRAPH_CLOUD="mars")
    assert settings.load(SOUND) == _loaded()
