from __future__ import annotations

import os

import pytest

import settings
from domain.configuration.faults import Kind
from settings import SettingsError, StorageLocation, load
from tests.configured import CLIENT, CONNECTION, SOUND, TENANT, faults, loaded


def test_five_settings_are_enough_and_everything_else_has_a_default() -> None:
    """A deployer who names tenant, app, credential, storage and host gets the global cloud and sensible times."""
    got = loaded()
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
    assert (got.flow_callback_local_hosts, got.flow_callback_secrets) == (frozenset(), ())
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
    got = loaded(GRAPH_CLOUD=cloud)
    assert got.graph_endpoint == endpoint
    assert got.graph_scope == f"{endpoint}/.default"
    assert got.authority == f"{authority}/{TENANT}"


@pytest.mark.parametrize("cloud", ["us-gov-l4", "us-gov-l5"])
def test_government_clouds_lack_what_their_schema_lacks(cloud: str) -> None:
    """In US Government, people can't be moved, hidden or taken out of the mixer: the cloud's record says so."""
    got = loaded(GRAPH_CLOUD=cloud).cloud
    assert got.lacking_members == {"participantId", "hidden", "removeFromDefaultAudioRoutingGroup"}
    assert "communicationsPhoneIdentity" in got.lacking_identity_types


def test_china_is_refused_with_the_reason() -> None:
    """A deployer in China learns at once that there is nothing to be configured."""
    (fault,) = faults(GRAPH_CLOUD="china")
    assert "21Vianet has no calls" in str(fault)


def test_an_unknown_cloud_is_refused_with_the_known_ones() -> None:
    """A mistyped cloud never silently means the global one."""
    (fault,) = faults(GRAPH_CLOUD="germany")
    assert "global, us-gov-l4, us-gov-l5" in str(fault)
    assert "germany" not in str(fault)


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "Common"])
def test_a_tenant_for_everybody_is_refused(tenant: str) -> None:
    """Graph refuses tokens of any tenant but the call's own, so the app asks for that one."""
    (fault,) = faults(GRAPH_TENANT_ID=tenant)
    assert str(fault).startswith("GRAPH_TENANT_ID")
    assert "call's own tenant" in str(fault)


def test_every_fault_is_named_at_once() -> None:
    """A deployer fixes a bad configuration in one go, not setting by setting."""
    with pytest.raises(SettingsError) as caught:
        load(
            {
                "GRAPH_CLOUD": "mars",
                "GRAPH_AUTHORITY": "ftp://x",
                "GRAPH_ENDPOINT": "graph.microsoft.com",
                "CALLBACK_OPENID_CONFIGURATION": "unknown",
                "STATE_TABLE": "1",
                "CONNECTOR_GATEWAY_HOSTS": "*",
                "FLOW_CALLBACK_HOSTS": "com",
                "INVITATION_CHECK_AFTER_SECONDS": "soon",
                "INVITATION_GIVE_UP_AFTER_SECONDS": "-1",
                "CALL_RETENTION_DAYS": "long",
            }
        )
    text = "\n".join(map(str, caught.value.faults))
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
    assert str(caught.value) == "; ".join(map(str, caught.value.faults))


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
    found = faults(**changes)
    assert any(name in str(fault) for fault in found)
    assert not any("secret" in str(fault).replace("GRAPH_CLIENT_SECRET", "") for fault in found)


@pytest.mark.parametrize("name", ["GRAPH_TENANT_ID", "GRAPH_CLIENT_ID", "AzureWebJobsStorage"])
@pytest.mark.parametrize("value", [None, "", "   "])
def test_what_is_required_is_missed_also_when_blank(name: str, value: str | None) -> None:
    """A setting left blank in a template counts as not set, and is named."""
    (fault,) = faults(**{name: value})
    assert str(fault).startswith(f"{name} is not set: give")


@pytest.mark.parametrize("name", ["GRAPH_TENANT_ID", "GRAPH_CLIENT_ID"])
def test_a_name_where_an_id_belongs_gives_a_warning(name: str) -> None:
    """A domain name works for tokens but no callback ever matches it, so the deployer is warned."""
    (warning,) = loaded(**{name: "contoso.example"}).warnings
    assert str(warning).startswith(f"{name} is not a GUID")


def test_no_credential_is_a_fault_that_names_all_three() -> None:
    """A deployer who forgot the credential reads which ones there are."""
    (fault,) = faults(GRAPH_CLIENT_SECRET=None)
    for name in ("GRAPH_CLIENT_SECRET", "GRAPH_CLIENT_CERTIFICATE", "GRAPH_MANAGED_IDENTITY_CLIENT_ID"):
        assert name in str(fault)


@pytest.mark.parametrize(
    "more",
    [
        {"GRAPH_CLIENT_CERTIFICATE": "a.pem"},
        {"GRAPH_MANAGED_IDENTITY_CLIENT_ID": "system"},
        {"GRAPH_CLIENT_CERTIFICATE": "a.pem", "GRAPH_MANAGED_IDENTITY_CLIENT_ID": "system"},
    ],
)
def test_several_credentials_are_a_fault(more: dict[str, str]) -> None:
    """The app never guesses between two credentials."""
    fault = next(one for one in faults(**more) if one.kind is Kind.CONTRADICTORY)
    assert str(fault).startswith("several credentials are set")


def test_a_managed_identity_is_a_credential() -> None:
    """Without any secret, a managed identity proves the app."""
    got = loaded(GRAPH_CLIENT_SECRET=None, GRAPH_MANAGED_IDENTITY_CLIENT_ID="system").credential
    assert (got.client_secret, got.certificate_pem, got.managed_identity_client_id) == (None, None, "system")


def test_addresses_can_be_overridden_for_other_clouds_and_the_simulator() -> None:
    """Graph and Entra ID may be elsewhere; then the scope follows Graph, and MSAL discovers nothing."""
    got = loaded(
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
    loaded(**{name: f"http://{host}:8080"})
    (fault,) = faults(**{name: f"http://{host.strip('[]')}.example.org:8080"})
    assert fault.setting == name


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
    (fault,) = faults(**{name: value})
    assert str(fault).startswith(f"{name} is not an https address")


def test_the_authority_is_https_also_on_this_machine() -> None:
    """MSAL takes https only, so plain http is named here and not found out at the first token."""
    (fault,) = faults(GRAPH_AUTHORITY="http://localhost:8443/x")
    assert str(fault).startswith("GRAPH_AUTHORITY")


def test_issuers_are_compared_without_a_trailing_slash() -> None:
    """Whether an issuer is written with a slash at its end makes no difference."""
    got = loaded(CALLBACK_ISSUERS=" https://a.example/ ,https://b.example,, ")
    assert got.callback_issuers == {"https://a.example", "https://b.example"}


def test_callbacks_may_come_from_several_tenants() -> None:
    """Tenants of callbacks are a list of their own, compared without letter case."""
    assert loaded(CALLBACK_TENANT_IDS="A1, b2").callback_tenant_ids == {"a1", "b2"}
    assert loaded(GRAPH_TENANT_ID=TENANT.upper()).callback_tenant_ids == {TENANT}


def test_the_public_address_is_the_hosts_unless_named() -> None:
    """Addresses in answers are built from a setting, else from the name that Azure gives the app."""
    assert loaded(PUBLIC_BASE_URL="https://invites.example/").public_base_url == "https://invites.example"
    assert loaded(PUBLIC_BASE_URL="https://x.example", WEBSITE_HOSTNAME=None).public_base_url == "https://x.example"
    (fault,) = faults(WEBSITE_HOSTNAME=None)
    assert str(fault).startswith("PUBLIC_BASE_URL is not set")


def test_one_id_twice() -> None:
    """An application's id is no tenant's."""
    (fault,) = faults(GRAPH_CLIENT_ID=TENANT.upper())
    assert (fault.setting, fault.kind) == ("GRAPH_CLIENT_ID", Kind.CONTRADICTORY)


@pytest.mark.parametrize("tenant", ["common", "Organizations", "consumers"])
def test_an_authority_of_no_tenant(tenant: str) -> None:
    """Entra ID gives an app a token in a tenant only."""
    (fault,) = faults(GRAPH_AUTHORITY=f"https://login.microsoftonline.com/{tenant}")
    assert (fault.setting, fault.kind) == ("GRAPH_AUTHORITY", Kind.CONTRADICTORY)


def test_tenants_that_differ() -> None:
    """An authority's, and those whose callbacks are accepted: a warning, since a tenant has several names."""
    authority = f"https://login.microsoftonline.com/{CLIENT}"
    found = loaded(GRAPH_AUTHORITY=authority, CALLBACK_TENANT_IDS="*").warnings
    contradictory = [warning.setting for warning in found if warning.kind is Kind.CONTRADICTORY]
    assert contradictory == ["GRAPH_AUTHORITY", "CALLBACK_TENANT_IDS"]


@pytest.mark.parametrize("secret", ["'a~secret'", '"a~secret"'])
def test_a_secret_in_quotation_marks(secret: str) -> None:
    """They are taken for a part of it."""
    (warning,) = loaded(GRAPH_CLIENT_SECRET=secret).warnings
    assert "quotation marks" in str(warning)


@pytest.mark.parametrize("name", ["calls", "Abc", "a23", "x" * 63])
def test_a_table_name_is_what_storage_takes(name: str) -> None:
    """Every name that Table Storage takes can be used."""
    assert loaded(STATE_TABLE=name).state_table == name


@pytest.mark.parametrize("name", ["ab", "1abc", "a-b", "a_b", "x" * 64, "täble", "a b", "calls\n!", "tables", "Tables"])
def test_a_table_name_that_storage_refuses_is_named(name: str) -> None:
    """A name that Table Storage would refuse is reported at the start."""
    (fault,) = faults(STATE_TABLE=name)
    assert str(fault).startswith("STATE_TABLE")


@pytest.mark.parametrize(("text", "seconds"), [("1", 1.0), ("0.25", 0.25), (" 60 ", 60.0), ("9e2", 900.0)])
def test_times_may_be_short_for_trials_with_a_warning(text: str, seconds: float) -> None:
    """A check within the time that Graph rings is allowed, and warned about."""
    got = loaded(INVITATION_CHECK_AFTER_SECONDS=text)
    assert got.check_after_seconds == seconds
    assert any(warning.setting == "INVITATION_CHECK_AFTER_SECONDS" for warning in got.warnings) == (seconds <= 60)


@pytest.mark.parametrize(
    "name", ["INVITATION_CHECK_AFTER_SECONDS", "INVITATION_GIVE_UP_AFTER_SECONDS", "CALL_RETENTION_DAYS"]
)
@pytest.mark.parametrize("value", ["0", "-1", "x", "nan", "inf", "-inf", "1e300", "10000000", "1,5", "1 2"])
def test_a_number_that_is_none_or_makes_no_sense_is_named(name: str, value: str) -> None:
    """Numbers are positive and within reason; anything else is reported once, by the setting's name."""
    (fault,) = faults(**{name: value})
    assert fault.setting == name


def test_a_retention_of_any_accepted_length_can_be_reckoned_with() -> None:
    """Whatever number of days is accepted, the nightly run can count them back from today."""
    (fault,) = faults(CALL_RETENTION_DAYS="1000000")
    assert str(fault).startswith("CALL_RETENTION_DAYS")
    assert loaded(CALL_RETENTION_DAYS="36500").retention_days == 36500


def test_giving_up_before_the_first_check_is_a_contradiction() -> None:
    """Two settings that contradict each other are reported together."""
    (fault,) = faults(INVITATION_CHECK_AFTER_SECONDS="120", INVITATION_GIVE_UP_AFTER_SECONDS="119")
    assert "INVITATION_GIVE_UP_AFTER_SECONDS" in str(fault)
    assert "INVITATION_CHECK_AFTER_SECONDS" in str(fault)
    assert loaded(INVITATION_CHECK_AFTER_SECONDS="120", INVITATION_GIVE_UP_AFTER_SECONDS="120").warnings == ()


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("KEEP_ALIVE_SECONDS", ("2", "600", "2100"), ("0", "1.9", "2101", "-5", "x", "nan", "inf", "1e9")),
        ("START_GIVE_UP_AFTER_SECONDS", ("5", "120", "600"), ("4.9", "601", "0", "-1", "soon", "nan", "inf")),
        ("RESULT_TOKEN_HOURS", ("1", "24", "720"), ("0.9", "721", "0", "-1", "a day", "nan", "inf")),
    ],
)
def test_times_have_limits(name: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    """From their least to their most, and a fault outside; short ones are for trials."""
    for value in good:
        got = loaded(**{name: value})
        assert float(value) in (got.keep_alive_seconds, got.start_give_up_after_seconds, got.result_token_hours)
        is_short = name.endswith("SECONDS") and float(value) <= 5
        assert [warning.setting for warning in got.warnings] == ([name] if is_short else [])
    for value in bad:
        (fault,) = faults(**{name: value})
        assert (fault.setting, fault.kind) == (name, Kind.INVALID)


@pytest.mark.parametrize(("value", "rejects"), [(None, False), ("ignore", False), ("Reject", True), (" reject ", True)])
def test_incoming_calls_are_ignored_or_rejected(value: str | None, *, rejects: bool) -> None:
    """Left alone unless the setting says otherwise."""
    assert loaded(INCOMING_CALLS=value).rejects_incoming_calls is rejects


@pytest.mark.parametrize("value", ["accept", "true", "1", "ignore,reject"])
def test_incoming_calls_know_two_words(value: str) -> None:
    """Any other word is a fault that lists both."""
    (fault,) = faults(INCOMING_CALLS=value)
    assert "use ignore or reject" in str(fault)


def test_blank_optional_settings_count_as_not_set() -> None:
    """A template full of blank optional settings gives the same app as one without them."""
    optional = (
        "ALLOWED_PRINCIPALS",
        "REQUIRE_SIGN_IN",
        "GRAPH_CLOUD",
        "GRAPH_CLIENT_CERTIFICATE",
        "GRAPH_MANAGED_IDENTITY_CLIENT_ID",
        "GRAPH_ENDPOINT",
        "GRAPH_AUTHORITY",
        "CALLBACK_OPENID_CONFIGURATION",
        "CALLBACK_ISSUERS",
        "CALLBACK_CALLER_IDS",
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
        "INCOMING_CALLS",
        "PHONE_PREFIXES",
        "RESULT_TOKEN_HOURS",
        "KEEP_ALIVE_SECONDS",
        "START_GIVE_UP_AFTER_SECONDS",
    )
    assert loaded(**dict.fromkeys(optional, "  ")) == loaded()


def test_the_module_keeps_no_state_between_readings() -> None:
    """Reading a bad environment first does not spoil a good one."""
    faults(GRAPH_CLOUD="mars")
    assert settings.load(SOUND) == loaded()
