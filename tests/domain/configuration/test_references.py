"""Key Vault references that Azure did not resolve, in any setting."""

from __future__ import annotations

import pytest

from domain.configuration.faults import Kind
from settings import SettingsError, load
from tests.configured import environment, faults, loaded

REFERENCE = "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/graph/)"


@pytest.mark.parametrize(
    "value",
    [
        REFERENCE,
        "@Microsoft.KeyVault(VaultName=kv;SecretName=graph;SecretVersion=1)",
        "@microsoft.keyvault(secreturi=https://kv.vault.azure.net/secrets/graph)",
        f"  {REFERENCE}\n",
        f'"{REFERENCE}"',
        "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/graph",
        "@Microsoft.KeyVault SecretUri=https://kv.vault.azure.net/secrets/graph",
        "@Microsoft.AppConfiguration(Endpoint=https://c.azconfig.io; Key=graph)",
        "@Microsoft.KeyVault (SecretUri=https://kv.vault.azure.net/secrets/graph)",
        "@ Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/graph)",
        "Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/graph)",
        f"[{REFERENCE}]",
        f"\u200b{REFERENCE}",
    ],
)
def test_every_way_to_write_one(value: str) -> None:
    """Whatever its form, the text of a reference is no secret."""
    (fault,) = faults(GRAPH_CLIENT_SECRET=value)
    assert (fault.setting, fault.kind) == ("GRAPH_CLIENT_SECRET", Kind.UNRESOLVED)
    assert "Key Vault Secrets User" in fault.text
    assert "kv." not in fault.text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("${GRAPH_CLIENT_SECRET}", "placeholder"),
        ("${{ secrets.GRAPH_CLIENT_SECRET }}", "placeholder"),
        ("$(graphSecret)", "placeholder"),
        ("%GRAPH_CLIENT_SECRET%", "placeholder"),
        ("#{graphSecret}#", "placeholder"),
        ("{{ graph_secret }}", "placeholder"),
        ("<the client secret>", "placeholder"),
        ("__GRAPH_SECRET__", "placeholder"),
        ("https://kv.vault.azure.net/secrets/graph/0123456789abcdef", "URL of a Key Vault object"),
        ("https://kv.vault.usgovcloudapi.net/certificates/graph", "URL of a Key Vault object"),
        (f"AccountName=stone;AccountKey={REFERENCE}", "inside its value"),
    ],
)
def test_what_stands_for_a_value(value: str, words: str) -> None:
    """A pipeline or a person left it as it was; seen from outside it is as wrong."""
    (fault,) = faults(GRAPH_CLIENT_SECRET=value)
    assert (fault.setting, fault.kind) == ("GRAPH_CLIENT_SECRET", Kind.UNRESOLVED)
    assert words in fault.text
    with pytest.raises(SettingsError):
        load(environment(GRAPH_CLIENT_SECRET=value), references_are_faults=False)


@pytest.mark.parametrize("value", ["a~b.c-d_e", "50%", "<", "$1", "{}", "a<b>c", "__", "p%q%r"])
def test_what_only_looks_like_it(value: str) -> None:
    """A value may hold such characters."""
    assert loaded(GRAPH_CLIENT_SECRET=value).credential.client_secret == value


@pytest.mark.parametrize(
    "name",
    [
        "GRAPH_TENANT_ID",
        "GRAPH_CLIENT_ID",
        "GRAPH_CLOUD",
        "GRAPH_ENDPOINT",
        "AzureWebJobsStorage",
        "STATE_STORAGE",
        "STATE_TABLE",
        "PUBLIC_BASE_URL",
        "FLOW_CALLBACK_HOSTS",
        "CALL_RETENTION_DAYS",
    ],
)
def test_in_any_setting(name: str) -> None:
    """There is one fault for the setting, and none about the form of a string that was never meant as its value."""
    (fault,) = faults(**{name: REFERENCE})
    assert (fault.setting, fault.kind) == (name, Kind.UNRESOLVED)


def test_in_a_certificate() -> None:
    """Neither the certificate nor its password is tried."""
    found = faults(
        GRAPH_CLIENT_SECRET=None, GRAPH_CLIENT_CERTIFICATE=REFERENCE, GRAPH_CLIENT_CERTIFICATE_PASSWORD=REFERENCE
    )
    assert {fault.kind for fault in found} == {Kind.UNRESOLVED}


def test_in_storage_of_an_identity() -> None:
    """Properties of the storage connection are settings like all others."""
    (fault,) = faults(AzureWebJobsStorage=None, AzureWebJobsStorage__accountName=REFERENCE)
    assert fault.setting == "AzureWebJobsStorage__accountName"


def test_in_a_setting_of_the_host() -> None:
    """What this app does not read is a warning."""
    (warning,) = loaded(APPLICATIONINSIGHTS_CONNECTION_STRING=REFERENCE).warnings
    assert (warning.setting, warning.kind) == ("APPLICATIONINSIGHTS_CONNECTION_STRING", Kind.UNRESOLVED)


def test_all_at_once() -> None:
    """Several references, and a fault of another kind with them."""
    found = faults(GRAPH_CLIENT_SECRET=REFERENCE, FLOW_CALLBACK_SECRET=REFERENCE, GRAPH_CLOUD="mars")
    assert {fault.setting for fault in found} == {"GRAPH_CLIENT_SECRET", "FLOW_CALLBACK_SECRET", "GRAPH_CLOUD"}


def test_seen_from_outside() -> None:
    """Listed settings hold references as they were written: only a warning, and other faults stay."""
    values = environment(GRAPH_CLIENT_SECRET=REFERENCE, AzureWebJobsStorage=REFERENCE)
    warnings = load(values, references_are_faults=False).warnings
    assert {warning.setting for warning in warnings} == {"GRAPH_CLIENT_SECRET", "AzureWebJobsStorage"}
    with pytest.raises(SettingsError) as caught:
        load({**values, "GRAPH_CLOUD": "mars"}, references_are_faults=False)
    assert len(caught.value.faults) == 1
    assert len(caught.value.warnings) == 2


def test_a_value_that_only_mentions_one() -> None:
    """A secret may hold any text."""
    assert loaded(GRAPH_CLIENT_SECRET="x@Microsoft.KeyVault(1)").warnings == ()
