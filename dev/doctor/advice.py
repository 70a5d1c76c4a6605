"""What helps with each fault of the settings: a command, or where the value is to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.configuration.faults import Kind

if TYPE_CHECKING:
    from domain.configuration.faults import Fault

NO_FILE = "make run makes local.settings.json for this machine; --settings FILE names another; docs/doctor.md"
SIGN_IN = (
    "REQUIRE_SIGN_IN accepts X-MS-CLIENT-PRINCIPAL-ID as it comes: App Service authentication (Easy Auth) must be on",
    "az webapp auth show -n <app> -g <group>, or Function App > Authentication",
)
_SET = "az functionapp config appsettings set -n <app> -g <group> --settings"
_DELETE = "az functionapp config appsettings delete -n <app> -g <group> --setting-names"
_SOURCES = {
    "GRAPH_TENANT_ID": "az account show --query tenantId -o tsv, after a login to the calls' own tenant",
    "GRAPH_CLIENT_ID": 'az ad app list --display-name "Call Invites" --query "[].appId" -o tsv',
    "PUBLIC_BASE_URL": "https:// and az functionapp show -n <app> -g <group> "
    '--query "properties.defaultHostName || defaultHostName" -o tsv',
}
_CREDENTIAL = {
    Kind.MISSING: f'docs/settings.md#credential; {_SET} GRAPH_CLIENT_SECRET="<value>"',
    Kind.CONTRADICTORY: f"{_DELETE} <the others>",
}


def fix(fault: Fault) -> str:
    """Return what helps with a fault of the settings."""
    if fault.setting == "GRAPH_CLIENT_SECRET" and fault.kind in _CREDENTIAL:
        return _CREDENTIAL[fault.kind]
    if fault.setting in _SOURCES:
        return _SOURCES[fault.setting]
    if fault.kind in (Kind.CONTRADICTORY, Kind.UNSAFE):
        return f"{_DELETE} {fault.setting}, or change it; docs/settings.md"
    return f"{_SET} {fault.setting}=<value>, or under Values in local.settings.json; docs/settings.md"


def reference(name: str) -> tuple[str, str]:
    """Return what a reference means outside the deployed app, and what to do for one run."""
    text = f"{name} is a Key Vault reference, which Azure resolves for the deployed app only"
    value = f'{name}="$(az keyvault secret show --id <SecretUri> --query value -o tsv)"'
    return text, f"Give its value for this run: {value} before the command"
