"""The hook after provisioning: the registration trusts the app's identity, and what is left to do is printed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.machine import CLIENT, IDENTITY, OTHER_TENANT, OUTPUTS, PERMISSIONS, TENANT, Machine

IDS = {"GRAPH_CLIENT_ID": CLIENT, "GRAPH_TENANT_ID": TENANT}


def _trust(identity: str) -> dict[str, Any]:
    return {"name": f"call-invites-{identity}", "subject": identity}


def test_a_person_who_may_not_change_the_registration(machine: Machine) -> None:
    """The message names who may, and what to add."""
    machine.register(CLIENT)
    machine.fail("az ad app federated-credential create")
    printed = machine.stopped("postprovision", **IDS, **OUTPUTS)
    assert f"An owner of the registration {CLIENT}" in printed
    assert IDENTITY in printed


@pytest.mark.parametrize("cloud", ["global", "us-gov-l4"])
def test_clouds(machine: Machine, cloud: str) -> None:
    """The registration is made, trusts and is consented to with the URLs of its cloud."""
    government = cloud != "global"
    graph, portal = ("graph.microsoft.us", "azure.us") if government else ("graph.microsoft.com", "azure.com")
    authority = "login.microsoftonline.us" if government else "login.microsoftonline.com"
    audience = "api://AzureADTokenExchangeUSGov" if government else "api://AzureADTokenExchange"
    machine.change(cloud="AzureUSGovernment" if government else "AzureCloud", graph=f"https://{graph}")
    machine.done("preprovision", GRAPH_CLOUD=cloud)
    printed = machine.done("postprovision", GRAPH_CLOUD=cloud, **OUTPUTS)
    assert machine.state["registrations"]["client-1"]["trusts"] == [
        {**_trust(IDENTITY), "issuer": f"https://{authority}/{TENANT}/v2.0", "audiences": [audience]}
    ]
    assert ("az ad app permission admin-consent --id client-1" in printed) is not government
    assert f"https://portal.{portal}/#view/Microsoft_AAD_RegisteredApps" in printed
    assert ", ".join(PERMISSIONS) in printed
    assert OUTPUTS["NOTIFICATIONS_URL"] in printed


def test_an_identity_of_another_tenant_is_refused(machine: Machine) -> None:
    """Entra ID would take the credential and refuse every token."""
    outputs = {**OUTPUTS, "AZURE_TENANT_ID": OTHER_TENANT}
    assert "azd env set GRAPH_CREDENTIAL clientSecret" in machine.stopped("postprovision", **IDS, **outputs)


def test_what_a_new_identity_leaves_is_named(machine: Machine) -> None:
    """An earlier identity's trust and the app's own secrets are listed; others' are not, and nothing is removed."""
    machine.register(CLIENT, trusts=[_trust("old"), {"name": "github", "subject": "repo"}], secrets=["key-1"])
    printed = machine.done("postprovision", **IDS, **OUTPUTS)
    assert f"federated-credential delete --id {CLIENT} --federated-credential-id call-invites-old" in printed
    assert f"credential delete --id {CLIENT} --key-id key-1" in printed
    assert "github" not in printed
    assert f"call-invites-{IDENTITY}" not in printed
    assert len(machine.state["registrations"][CLIENT]["trusts"]) == 3


@pytest.mark.parametrize(("credential", "left"), [("clientSecret", ["old"]), ("clientCertificate", ["old", "new"])])
def test_what_a_secret_leaves_is_named(machine: Machine, credential: str, left: list[str]) -> None:
    """The identity is no longer trusted for anything, and older secrets are not used; nothing is changed."""
    machine.register(CLIENT, trusts=[_trust(IDENTITY)], secrets=["old", "new"])
    before = machine.state["registrations"]
    printed = machine.done("postprovision", **IDS, **OUTPUTS, GRAPH_CREDENTIAL=credential)
    assert f"--federated-credential-id call-invites-{IDENTITY}" in printed
    assert [key for key in ("old", "new") if f"--key-id {key}\n" in printed] == left
    assert machine.state["registrations"] == before


def test_nothing_is_named_where_nothing_is_left(machine: Machine) -> None:
    """A first deployment leaves nothing behind."""
    machine.register(CLIENT)
    assert "delete" not in machine.done("postprovision", **IDS, **OUTPUTS)
