"""The settings that a deployment gives the app are those that it reads, and all that it needs."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

import settings
from domain.clouds import CLOUDS
from tests.infra.reading import ROOT, decorator, parameters, text, variable

API = "infra/app/api.bicep"
HOSTS = {
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
}
TELEMETRYS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
    "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
}
# What settings.py reads and no deployment sets: Azure's own, or for one machine alone.
NOT_DEPLOYED = {
    "CONTAINER_NAME",
    "CURL_CA_BUNDLE",
    "FLOW_CALLBACK_LOCAL_HOSTS",
    "GRAPH_CLIENT_CERTIFICATE_PASSWORD",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "WEBSITE_HOSTNAME",
    "WEBSITE_INSTANCE_ID",
    "WEBSITE_POD_NAME",
    "WEBSITE_SKU",
}
GUIDS = {
    "graphTenantId": "72f988bf-86f1-41af-91ab-2d7cd011db47",
    "graphClientId": "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10",
    "identityClientId": "0f0c1a4e-6d2b-4c7e-9a51-3f1f6b0d9c22",
}
PEM = "\n".join(f"-----BEGIN {kind}-----\nx\n-----END {kind}-----" for kind in ("CERTIFICATE", "PRIVATE KEY"))


def _read_by_the_app() -> set[str]:
    """Name the settings in the code, which stand there as strings."""
    found: set[str] = set()
    parts = (str(path.relative_to(ROOT)) for path in (ROOT / "domain" / "configuration").glob("*.py"))
    for file in ("settings.py", "graph/transport.py", *parts):
        for node in ast.walk(ast.parse(text(file))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(re.findall(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", node.value))
    return found


def _set() -> dict[str, Any]:
    return dict(variable(API, "settings"))


def _credentials() -> dict[str, dict[str, str]]:
    return dict(variable(API, "credentials"))


def _named() -> set[str]:
    """Name the settings that the description of appSettings offers."""
    description = decorator(parameters("infra/main.bicep")["appSettings"], "description")
    return set(re.findall(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", description.partition(":")[2]))


def test_every_setting_can_be_deployed() -> None:
    """Each setting that the app reads is set, or named as one that appSettings takes, or has no use in Azure."""
    given = {*_set(), *(name for each in _credentials().values() for name in each)}
    for one, other in ((given, _named()), (given, NOT_DEPLOYED), (_named(), NOT_DEPLOYED)):
        assert not one & other
    assert _read_by_the_app() <= given | _named() | NOT_DEPLOYED


def test_nothing_is_deployed_that_nobody_reads() -> None:
    """Each setting of a deployment is one that the app, the Functions host or the telemetry knows."""
    given = {*_set(), *(name for each in _credentials().values() for name in each)}
    assert given - _read_by_the_app() == HOSTS | TELEMETRYS
    assert _named() <= _read_by_the_app()
    assert _read_by_the_app() >= NOT_DEPLOYED
    # docs/settings.md explains what it takes; appSettings names it.
    explained = set(re.findall(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", text("docs/settings.md")))
    assert _named() | TELEMETRYS <= explained


@pytest.mark.parametrize("suffix", ["core.windows.net", "core.usgovcloudapi.net"])
@pytest.mark.parametrize("credential", ["managedIdentity", "clientSecret", "clientCertificate"])
def test_a_deployed_app_has_all_it_needs(credential: str, suffix: str) -> None:
    """In what a deployment sets nothing is missing and nothing contradictory, whatever the credential."""
    known = {**GUIDS, "graphCloud": "global", "storageName": "stinvites", "storageSuffix": suffix}
    known["graphCredentialReference"] = PEM if credential == "clientCertificate" else "simulated~secret"
    environment = {"WEBSITE_HOSTNAME": "func-invites.azurewebsites.net"}
    for name, value in {**_set(), **_credentials()[credential]}.items():
        if isinstance(value, str):
            environment[name] = known.get(value) or re.sub(r"\$\{(\w+)\}", lambda found: known[found[1]], value)
    read = settings.load(environment)
    assert read.warnings == ()
    assert read.tenant_id == GUIDS["graphTenantId"]
    assert read.client_id == GUIDS["graphClientId"]
    assert read.storage == settings.StorageLocation(
        table_endpoint=f"https://stinvites.table.{suffix}",
        queue_endpoint=f"https://stinvites.queue.{suffix}",
        identity_client_id=GUIDS["identityClientId"],
    )


def test_secrets_reach_the_app_through_the_key_vault() -> None:
    """No credential stands in a setting: it is a reference, which the app's identity resolves."""
    assert variable(API, "graphCredentialReference") == "@Microsoft.KeyVault(SecretUri=${graphCredentialUri})"
    for kind, given in _credentials().items():
        expected = "identityClientId" if kind == "managedIdentity" else "graphCredentialReference"
        assert list(given.values()) == [expected]
    assert set(_credentials()) == set(decorator(parameters("infra/main.bicep")["graphCredential"], "allowed"))
    assert "keyVaultReferenceIdentity: identityId" in text(API)
    assert decorator(parameters("infra/main.bicep")["graphCredentialValue"], "secure")


def test_telemetry_keeps_addresses_to_itself() -> None:
    """The instrumentations that would record addresses are off, as docs/settings.md has them."""
    off = _set()["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"]
    assert f"`{off}`" in text("docs/settings.md")
    assert _set()["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] == "ClientId=${identityClientId};Authorization=AAD"
    assert _set()["PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"] == "true"


def test_the_clouds_are_those_of_the_app() -> None:
    """Every cloud that settings.py takes can be chosen, and no other."""
    assert decorator(parameters("infra/main.bicep")["graphCloud"], "allowed") == list(CLOUDS)
