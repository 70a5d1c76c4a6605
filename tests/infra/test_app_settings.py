"""The settings that a deployment gives, and can give, are those that the app reads, and all that it needs."""

from __future__ import annotations

import ast
import re

import pytest

import settings
from tests.infra.deployments import CLIENT, DEPLOYMENTS, SECRET, TENANT, chosen, of_type, one, settings_of
from tests.infra.reading import text

EACH = pytest.mark.parametrize("name", DEPLOYMENTS)
SITE, STORAGE, VAULT = "Microsoft.Web/sites", "Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"
HOSTS = {
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
    "PYTHON_THREADPOOL_THREAD_COUNT",
}
TELEMETRYS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
    "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
}
CREDENTIALS = {
    "managedIdentity": "GRAPH_MANAGED_IDENTITY_CLIENT_ID",
    "clientSecret": "GRAPH_CLIENT_SECRET",
    "clientCertificate": "GRAPH_CLIENT_CERTIFICATE",
}
IDENTITY = "0f0c1a4e-6d2b-4c7e-9a51-3f1f6b0d9c22"
PEM = "\n".join(f"-----BEGIN {kind}-----\nx\n-----END {kind}-----" for kind in ("CERTIFICATE", "PRIVATE KEY"))
NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
GIVEN = {"GRAPH_TENANT_ID", "GRAPH_CLIENT_ID", "GRAPH_CLOUD", "REQUIRE_SIGN_IN", *CREDENTIALS.values()}
_CONFIGURATION = [f"domain/configuration/{name}.py" for name in ("callers", "credential", "signing")]
# What the app reads and no deployment sets: Azure's own, or for one machine alone.
NOT_DEPLOYED = {
    "CURL_CA_BUNDLE",
    "FLOW_CALLBACK_LOCAL_HOSTS",
    "GRAPH_CLIENT_CERTIFICATE_PASSWORD",  # Key Vault's certificates have none
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "STATE_STORAGE",  # the app's identity has no role on another account
    "WEBSITE_HOSTNAME",
}


def _read_by_the_app() -> set[str]:
    """Name the settings in the code, where they are strings."""
    return {
        name
        for file in ("settings.py", "graph/transport.py", *_CONFIGURATION)
        for node in ast.walk(ast.parse(text(file)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for name in NAME.findall(node.value)
    }


def _offered() -> set[str]:
    """Name the settings that APP_SETTINGS takes."""
    return set(re.findall(r"^  (\w+): string\?$", text("infra/app/types.bicep"), re.MULTILINE))


def test_every_setting_can_be_deployed() -> None:
    """Each setting that the app reads is set, taken by APP_SETTINGS, or of no use in Azure; and none twice."""
    kinds = (GIVEN, _offered(), NOT_DEPLOYED)
    assert _read_by_the_app() == set().union(*kinds)
    assert sum(map(len, kinds)) == len(set().union(*kinds))


def test_every_setting_is_documented() -> None:
    """docs/settings.md explains what can be deployed."""
    assert (GIVEN | _offered() | TELEMETRYS) <= set(NAME.findall(text("docs/settings.md")))


@EACH
def test_settings_are_complete(name: str) -> None:
    """In what a deployment sets nothing is missing and nothing contradictory."""
    expected = {"GRAPH_TENANT_ID", "GRAPH_CLIENT_ID", "GRAPH_CLOUD"}
    credential = chosen(name, "GRAPH_CREDENTIAL", "managedIdentity")
    found = settings_of(name)
    expected |= {"REQUIRE_SIGN_IN"} if name == "sign-in" else set()
    assert found.keys() == HOSTS | TELEMETRYS | expected | {CREDENTIALS[credential]}
    government = name == "us-gov-l4"
    suffix = "core.usgovcloudapi.net" if government else "core.windows.net"
    account = one(name, STORAGE)["name"] if len(of_type(name, STORAGE)) == 1 else of_type(name, STORAGE)[0]["name"]
    environment = {"WEBSITE_HOSTNAME": "func-invites.azurewebsites.net"}
    for setting, value in found.items():
        if service := re.fullmatch(r"AzureWebJobsStorage__(\w+)ServiceUri", setting):
            assert f"'{account}', environment().suffixes.storage)" in value
            environment[setting] = f"https://{account}.{service[1]}.{suffix}"
        elif value.endswith(".clientId"):
            environment[setting] = IDENTITY
        elif "Microsoft.KeyVault" in value:
            environment[setting] = PEM if credential == "clientCertificate" else SECRET
        else:
            environment[setting] = value
    read = settings.load(environment)
    assert read.warnings == ()
    assert (read.tenant_id, read.client_id) == (TENANT, CLIENT)
    assert read.sign_in.is_required is (name == "sign-in")
    assert read.storage == settings.StorageLocation(
        table_endpoint=f"https://{account}.table.{suffix}",
        queue_endpoint=f"https://{account}.queue.{suffix}",
        identity_client_id=IDENTITY,
    )


@EACH
def test_secrets_come_from_the_key_vault(name: str) -> None:
    """A credential is a reference, by its version where a value is given; without one there is no vault."""
    credential = chosen(name, "GRAPH_CREDENTIAL", "managedIdentity")
    if credential == "managedIdentity":
        assert of_type(name, VAULT) == []
        return
    reference = settings_of(name)[CREDENTIALS[credential]]
    assert "@Microsoft.KeyVault(SecretUri={0})" in reference
    assert re.search(r"if\(empty\(parameters\('\w+'\)\), ", reference)
    assert ".secretUriWithVersion" in reference
    assert one(name, SITE)["properties"]["keyVaultReferenceIdentity"].rpartition("/")[2].startswith("id-")
    vault = one(name, VAULT)["properties"]
    assert vault["enableRbacAuthorization"] is True
    assert vault.get("enablePurgeProtection") is (True if name == "secret-kept" else None)
    assert one(name, "Microsoft.Insights/diagnosticSettings")["properties"]["logs"] == [
        {"category": "AuditEvent", "enabled": True}
    ]


@EACH
def test_bodies_are_limited_by_the_host(name: str) -> None:
    """The host refuses a body larger than the app accepts: 4 MiB."""
    assert settings_of(name)["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"] == str(4 * 1024 * 1024)


def test_telemetry_keeps_addresses_to_itself() -> None:
    """The instrumentations that would record URLs are off, as docs/settings.md has them."""
    found = settings_of("default")
    assert f"`{found['OTEL_PYTHON_DISABLED_INSTRUMENTATIONS']}`" in text("docs/settings.md")
    assert "ClientId={0};Authorization=AAD" in found["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
    assert found["PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"] == "true"
