"""What the app trusts: trial settings can't weaken an app in Azure, and each trust root of one's own is reported."""

from __future__ import annotations

import pytest

from domain.configuration.faults import Kind
from domain.configuration.trust import is_shared
from tests.configured import TENANT, faults, loaded

AZURE = {"WEBSITE_INSTANCE_ID": "0123"}
SUFFIXES = ("CONNECTOR_GATEWAY_HOSTS", "FLOW_CALLBACK_HOSTS")


@pytest.mark.parametrize(
    "here",
    [
        AZURE,
        {"CONTAINER_NAME": "c"},
        {"WEBSITE_POD_NAME": "p"},
        {"WEBSITE_SKU": "FlexConsumption"},
        {"WEBSITE_SKU": "flexconsumption"},
    ],
)
def test_where_azure_is(here: dict[str, str]) -> None:
    """Each sign of Azure counts by itself."""
    (fault,) = faults(FLOW_CALLBACK_LOCAL_HOSTS="localhost:8080", **here)
    assert (fault.setting, fault.kind) == ("FLOW_CALLBACK_LOCAL_HOSTS", Kind.UNSAFE)


@pytest.mark.parametrize("here", [{}, {"WEBSITE_SKU": "Dynamic"}, {"CONTAINER_NAME": " "}])
def test_where_it_is_not(here: dict[str, str]) -> None:
    """Elsewhere what is for trials is a warning."""
    (warning,) = loaded(FLOW_CALLBACK_LOCAL_HOSTS="LocalHost, 127.0.0.1", **here).warnings
    assert (warning.setting, warning.kind) == ("FLOW_CALLBACK_LOCAL_HOSTS", Kind.UNSAFE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRAPH_ENDPOINT", "https://localhost:8443"),
        ("GRAPH_ENDPOINT", "https://graph.microsoft.us"),
        ("GRAPH_ENDPOINT", "https://graph.microsoft.com.example.org"),
        ("GRAPH_AUTHORITY", f"https://localhost:8443/{TENANT}"),
        ("GRAPH_AUTHORITY", f"https://login.microsoftonline.us/{TENANT}"),
        ("GRAPH_AUTHORITY", f"https://login.contoso.com/{TENANT}"),
        ("CALLBACK_OPENID_CONFIGURATION", "https://localhost:8443/v1/.well-known/OpenIdConfiguration"),
        ("CALLBACK_OPENID_CONFIGURATION", "https://contoso.azurewebsites.net/keys"),
        ("CALLBACK_OPENID_CONFIGURATION", "https://notskype.com/keys"),
        ("CALLBACK_OPENID_CONFIGURATION", "https://api.aps.skype.com.example.org/keys"),
    ],
)
def test_hosts_of_others_in_azure(name: str, value: str) -> None:
    """Tokens and keys come from the cloud's own hosts; elsewhere it is allowed and reported."""
    (fault,) = faults(**{name: value}, **AZURE)
    assert (fault.setting, fault.kind) == (name, Kind.UNSAFE)
    expected = [] if (name, value) == ("GRAPH_ENDPOINT", "https://localhost:8443") else [name]
    assert [warning.setting for warning in loaded(**{name: value}).warnings] == expected


@pytest.mark.parametrize("name", ["GRAPH_ENDPOINT", "CALLBACK_OPENID_CONFIGURATION", "PUBLIC_BASE_URL"])
def test_plain_http_in_azure(name: str) -> None:
    """Not even to the same machine."""
    loaded(**{name: "http://localhost:8443"})
    assert name in {fault.setting for fault in faults(**{name: "http://localhost:8443"}, **AZURE)}


@pytest.mark.parametrize(
    "url", ["https://localhost", "https://10.0.0.4", "https://[fd00::4]", "https://invites", "https://169.254.1.1:8443"]
)
def test_private_address_in_azure(url: str) -> None:
    """Graph's callbacks can't reach it."""
    (fault,) = faults(PUBLIC_BASE_URL=url, **AZURE)
    assert (fault.setting, fault.kind) == ("PUBLIC_BASE_URL", Kind.INVALID)
    loaded(PUBLIC_BASE_URL=url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRAPH_ENDPOINT", "https://graph.microsoft.com/v1.0/"),
        ("GRAPH_AUTHORITY", f"https://login.microsoftonline.com/{TENANT}/"),
        ("CALLBACK_OPENID_CONFIGURATION", "https://api.aps.skype.com/v1/.well-known/OpenIdConfiguration"),
        ("CALLBACK_ISSUERS", "https://api.botframework.com/"),
        ("CALLBACK_TENANT_IDS", TENANT.upper()),
        ("CALLBACK_CALLER_IDS", "26A18EBC-CDF7-4A6A-91CB-BEB352805E81"),
        ("FLOW_CALLBACK_HOSTS", ".logic.azure.com"),
        ("CONNECTOR_GATEWAY_HOSTS", ".azure-apim.net"),
    ],
)
def test_the_defaults_said_again(name: str, value: str) -> None:
    """Neither a default nor a part of it is worth a warning."""
    assert loaded(**{name: value}, **AZURE).warnings == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRAPH_AUTHORITY", f"https://login.windows.net/{TENANT}"),
        ("CALLBACK_OPENID_CONFIGURATION", "https://login.botframework.azure.us/v1/.well-known/openidconfiguration"),
        ("CALLBACK_ISSUERS", "https://api.botframework.us"),
        ("CALLBACK_TENANT_IDS", f"{TENANT},{TENANT[::-1]}"),
        ("CALLBACK_CALLER_IDS", TENANT),
        ("FLOW_CALLBACK_HOSTS", ".flows.contoso.com"),
        ("CONNECTOR_GATEWAY_HOSTS", "gateway.contoso.com"),
        ("REQUESTS_CA_BUNDLE", "/etc/contoso.pem"),
        ("SSL_CERT_FILE", "/etc/contoso.pem"),
    ],
)
def test_trust_roots_of_ones_own(name: str, value: str) -> None:
    """Each is a warning, in Azure too."""
    (warning,) = loaded(**{name: value}, **AZURE).warnings
    assert (warning.setting, warning.kind) == (name, Kind.UNSAFE)


def test_a_trial_on_one_machine() -> None:
    """Where app and Graph are on this machine, what is for trials is no news; a URL of the outside changes that."""
    trial = {
        "PUBLIC_BASE_URL": "http://localhost:7071",
        "GRAPH_ENDPOINT": "https://localhost:8443",
        "REQUESTS_CA_BUNDLE": ".local/simulator/ca.pem",
        "FLOW_CALLBACK_LOCAL_HOSTS": "localhost:8080",
    }
    assert loaded(**trial).warnings == ()
    (warning,) = loaded(**{**trial, "PUBLIC_BASE_URL": "https://invites.example"}).warnings
    assert warning.setting == "FLOW_CALLBACK_LOCAL_HOSTS"


@pytest.mark.parametrize("name", SUFFIXES)
def test_host_suffixes_are_whole_domains(name: str) -> None:
    """A suffix always matches at a dot, in lowercase, however it was written."""
    got = loaded(**{name: "Example.com, .b.example.org ,,"})
    hosts = got.connector_gateway_hosts if name == "CONNECTOR_GATEWAY_HOSTS" else got.flow_callback_hosts
    assert hosts == (".example.com", ".b.example.org")


@pytest.mark.parametrize("name", SUFFIXES)
@pytest.mark.parametrize(
    "value",
    [
        *("*", "*.example.com", "com", ".com", ".", "https://x.example", "a.example/b"),
        *("10.0.0.1", "a.example:8443", "me@a.example", "a.example?b", "a..example", "a b.example"),
    ],
)
def test_what_is_no_suffix(name: str, value: str) -> None:
    """A wildcard, a whole top-level domain, a URL."""
    (fault,) = faults(**{name: f".good.example,{value}"})
    assert (fault.setting, fault.kind) == (name, Kind.INVALID)


SHARED = [
    "co.uk",
    ".com.au",
    "azurewebsites.net",
    ".AzureWebSites.net",
    "westeurope-01.azurewebsites.net",
    "cloudapp.azure.com",
    "westeurope.cloudapp.azure.com",
    "azure.com",
    "windows.net",
    "blob.core.windows.net",
    "azure-api.net",
    "trafficmanager.net",
    "westus2.azurecontainerapps.io",
    "github.io",
    "ngrok.io",
    "workers.dev",
    "powerplatform.com",
    "scm.azurewebsites.net",
    "azurewebsites.net.",
    "blogspot.com",
    "webhook.site",
    "gov.uk",
    "ca.us",
    "k12.ca.us",
]


@pytest.mark.parametrize("name", SUFFIXES)
@pytest.mark.parametrize("value", SHARED)
def test_shared_domains(name: str, value: str) -> None:
    """A suffix that strangers have hosts in is a fault in Azure."""
    (fault,) = faults(**{name: f".contoso.com,{value}"}, **AZURE)
    assert (fault.setting, fault.kind) == (name, Kind.UNSAFE)


@pytest.mark.parametrize(
    "value",
    [
        "contoso.com",
        "contoso.co.uk",
        "contoso.de",
        "contoso.us",
        "hooks.contoso.us",
        "invites.azurewebsites.net",
        "invites-a1b2.westeurope-01.azurewebsites.net",
        "invites.westeurope.cloudapp.azure.com",
        "flows.contoso.azure-api.net",
        "prod-01.westeurope.logic.azure.com",
    ],
)
def test_domains_of_ones_own(value: str) -> None:
    """A host or a domain of one customer is not shared."""
    assert not is_shared(value)
