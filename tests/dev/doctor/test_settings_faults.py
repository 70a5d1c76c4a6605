"""What is wrong with the settings is said at once, by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dev.doctor.conftest import Doctor

ID = "0f0c1a4e-6d2b-4c7e-9a51-3f1f6b0d9c22"


@pytest.mark.parametrize(
    ("missing", "command"),
    [
        ("GRAPH_TENANT_ID", "az account show --query tenantId"),
        ("GRAPH_CLIENT_ID", "az ad app list"),
        ("PUBLIC_BASE_URL", '--query "properties.defaultHostName || defaultHostName"'),
        ("AzureWebJobsStorage", "--settings AzureWebJobsStorage=<value>"),
    ],
)
def test_a_setting_that_is_missing_is_named(doctor: Doctor, missing: str, command: str) -> None:
    """So is where its value is to be found; nothing else is looked at."""
    said = doctor(**{missing: None})
    assert said.status == 1
    assert f"{missing} is not set" in said.of("settings")
    assert command in said.of("settings")
    assert said.text.count("not checked ") >= 7


def test_all_faults_come_at_once(doctor: Doctor) -> None:
    """A deployer fixs them in one go."""
    said = doctor(GRAPH_TENANT_ID=None, GRAPH_CLOUD="mars", GRAPH_CLIENT_SECRET=None, CALL_RETENTION_DAYS="soon")
    found = said.of("settings")
    assert found.count("\nfault") + found.startswith("fault") == 4
    for name in ("GRAPH_TENANT_ID", "GRAPH_CLOUD", "no credential", "CALL_RETENTION_DAYS"):
        assert name in found


@pytest.mark.parametrize(("cloud", "word"), [("mars", "use one of global"), ("china", "has no calls")])
def test_a_cloud_that_is_unknown_or_without_calls_is_a_fault(doctor: Doctor, cloud: str, word: str) -> None:
    """The known ones are named."""
    said = doctor(GRAPH_CLOUD=cloud)
    assert said.status == 1
    assert word in said.of("settings")


@pytest.mark.parametrize("content", [None, "not a certificate"], ids=["missing", "something else"])
def test_authorities_that_can_not_be_read(doctor: Doctor, tmp_path: Path, content: str | None) -> None:
    """The sample settings name the simulator's file, which is not there before the simulator first ran."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    said = doctor(REQUESTS_CA_BUNDLE=str(file))
    assert said.status == 1
    assert "REQUESTS_CA_BUNDLE names a CA bundle that can't be read" in said.of("settings")
    assert "make simulator" in said.of("settings")
    assert said.of("callback-keys").startswith("not checked")


def test_two_credentials_are_one_too_many(doctor: Doctor) -> None:
    """The app could not tell which is meant; the command takes the others away."""
    said = doctor(GRAPH_MANAGED_IDENTITY_CLIENT_ID="system")
    assert said.status == 1
    assert "several credentials are set" in said.of("settings")
    assert "appsettings delete" in said.of("settings")


def test_a_warning_of_the_settings_is_no_fault(doctor: Doctor) -> None:
    """What is for trials only is said, and the exit status stays good."""
    said = doctor(only="none", INVITATION_CHECK_AFTER_SECONDS="5", GRAPH_CLIENT_SECRET=ID)
    assert said.status == 0
    assert said.of("settings").count("warning") == 2
    assert "1 warning" in said.text


def test_a_secret_that_signs_nothing(doctor: Doctor) -> None:
    """What keeps the app only from sending is a fault too."""
    said = doctor(only="none", FLOW_CALLBACK_SECRET="s3cret~of~flows")
    assert said.status == 1
    assert "FLOW_CALLBACK_SECRET is not whsec_ and Base64" in said.of("settings")


def test_signing_in_needs_easy_auth(doctor: Doctor) -> None:
    """The doctor can't see it from the settings, so it says what must be on."""
    said = doctor(only="none", REQUIRE_SIGN_IN="true", ALLOWED_PRINCIPALS=ID)
    assert said.status == 0
    assert "Easy Auth) must be on" in said.of("settings")


def test_a_key_vault_reference_is_not_taken_for_the_secret(doctor: Doctor) -> None:
    """The settings of a deployed app hold references that only Azure resolves; what to do for one run is said."""
    reference = "@Microsoft.KeyVault(SecretUri=https://vault.vault.azure.net/secrets/graph)"
    said = doctor(only="token graph", GRAPH_CLIENT_SECRET=reference)
    assert said.status == 0
    assert said.of("settings").startswith("warning")
    assert 'GRAPH_CLIENT_SECRET="$(az keyvault secret show' in said.of("settings")
    assert said.of("token").startswith("not checked")
    assert said.of("graph").startswith("not checked")


def test_a_reference_beside_a_fault(doctor: Doctor) -> None:
    """Both are reported, the reference as a warning."""
    reference = "@Microsoft.KeyVault(SecretUri=https://vault.vault.azure.net/secrets/graph)"
    said = doctor(GRAPH_CLIENT_SECRET=reference, GRAPH_CLOUD="mars")
    assert said.status == 1
    assert "GRAPH_CLIENT_SECRET is a Key Vault reference" in said.of("settings")
    assert "GRAPH_CLOUD is not known" in said.of("settings")


def test_a_storage_that_is_a_key_vault_reference_is_not_tried(doctor: Doctor) -> None:
    """The same for a connection string."""
    reference = "@Microsoft.KeyVault(VaultName=vault;SecretName=storage)"
    said = doctor(only="table-storage queue-storage", AzureWebJobsStorage=reference)
    assert said.status == 0
    assert said.of("table-storage").startswith("not checked")
    assert said.of("queue-storage").startswith("not checked")


def test_the_cloud_and_what_leads_elsewhere_are_said(doctor: Doctor) -> None:
    """Addresses that were set for a trial and forgotten are seen before anything is asked of them."""
    own = doctor(only="none", GRAPH_ENDPOINT=None, GRAPH_AUTHORITY=None)
    assert own.of("cloud") == (
        "ok           cloud           global: Graph at graph.microsoft.com, Entra ID at login.microsoftonline.com"
    )
    other = doctor(only="none", GRAPH_ENDPOINT="https://graph.example.org", GRAPH_AUTHORITY=None)
    assert other.of("cloud").startswith("warning")
    assert "--setting-names GRAPH_ENDPOINT" in other.of("cloud")
    assert "GRAPH_AUTHORITY" not in other.of("cloud")


def test_ids_that_can_not_be_right_are_said(doctor: Doctor) -> None:
    """One id twice, another tenant in the authority, and callbacks of the own tenant that would be refused."""
    one = "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10"
    said = doctor(only="none", GRAPH_TENANT_ID=one, CALLBACK_TENANT_IDS="another")
    assert said.status == 1
    assert "is the same id" in said.of("settings")
    assert "GRAPH_AUTHORITY ends in another tenant" in said.of("settings")
    assert "CALLBACK_TENANT_IDS lacks GRAPH_TENANT_ID" in said.of("settings")
