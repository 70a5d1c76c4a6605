"""What Azure is asked for: well formed, closed where it can be, open where Graph must come in."""

from __future__ import annotations

import json
import re
import runpy

import pytest

from dev.host import app_model
from tests.infra.reading import (
    FILES,
    INFRA,
    ROOT,
    bicep,
    body,
    decorator,
    modules,
    parameters,
    resources,
    text,
    values,
    variable,
    words,
)

MAIN = "infra/main.bicep"
# The version of its API with which each resource is written; the properties that are used are in its published schema.
APIS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.BotService/botServices": "2022-09-15",
    "Microsoft.BotService/botServices/channels": "2022-09-15",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/workbooks": "2023-06-01",
    "Microsoft.KeyVault/vaults": "2024-11-01",
    "Microsoft.KeyVault/vaults/secrets": "2024-11-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2024-11-30",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "2024-06-01",
    "Microsoft.Network/privateEndpoints": "2024-05-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "2024-05-01",
    "Microsoft.Network/virtualNetworks": "2024-05-01",
    "Microsoft.Network/virtualNetworks/subnets": "2024-05-01",
    "Microsoft.OperationalInsights/workspaces": "2023-09-01",
    "Microsoft.Resources/resourceGroups": "2024-11-01",
    "Microsoft.Storage/storageAccounts": "2024-01-01",
    "Microsoft.Storage/storageAccounts/blobServices": "2024-01-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "2024-01-01",
    "Microsoft.Web/serverfarms": "2024-11-01",
    "Microsoft.Web/sites": "2024-11-01",
    "Microsoft.Web/sites/config": "2024-11-01",
}
# Built-in roles have the same id in every tenant: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLES = {
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}


@pytest.mark.parametrize("file", FILES)
def test_every_file_is_bicep(file: str) -> None:
    """A slip of the pen is found before Azure finds it."""
    assert bicep(file)


@pytest.mark.parametrize("file", FILES)
def test_modules_get_what_they_ask_for(file: str) -> None:
    """Each module is there, is passed every parameter that has no default, and none that it does not know."""
    for name, (target, passed) in modules(file).items():
        assert (ROOT / target).is_file(), name
        asked = parameters(target)
        assert passed.keys() <= asked.keys(), name
        assert {one for one, each in asked.items() if each["default"] is None} <= passed.keys(), name
        for parameter, value in passed.items():
            secure = (
                isinstance(value, str) and value in parameters(file) and decorator(parameters(file)[value], "secure")
            )
            assert not secure or decorator(asked[parameter], "secure"), f"{name} makes {parameter} public"


def test_every_module_is_used() -> None:
    """No file lies about that nothing deploys."""
    reached = {target for file in FILES for target, _ in modules(file).values()}
    assert set(FILES) == {MAIN, *reached}


@pytest.mark.parametrize("file", FILES)
def test_every_parameter_is_described_and_used(file: str) -> None:
    """Whoever deploys reads what each parameter is for, and each does something."""
    used = words(text(file))
    for name, parameter in parameters(file).items():
        assert decorator(parameter, "description"), name
        assert used.count(name) > 1, f"{name} does nothing"


@pytest.mark.parametrize("file", FILES)
def test_every_variable_and_output_is_used(file: str) -> None:
    """What is worked out is needed: a variable in its file, a module's output by whoever deploys it."""
    used = words(text(file))
    for name in bicep(file).get("variables", {}):
        assert used.count(name) > 1, name
    if file == MAIN:
        return
    callers = " ".join(text(each) for each in FILES)
    for name in bicep(file).get("outputs", {}):
        assert re.search(rf"outputs\.{name}\b", callers), name


def test_resources_are_of_known_types_and_versions() -> None:
    """A mistyped resource type or API version fails here, not half way through a deployment."""
    written = {one for file in FILES for one, _ in resources(file)}
    assert written == {f"{name}@{version}" for name, version in APIS.items()}


def test_the_identity_may_do_what_it_needs_and_nothing_else() -> None:
    """The roles are the documented ones, each on its own resource; the one on secrets only where there is a vault."""
    storage, insights = (variable("infra/app/roles.bicep", name) for name in ("storageRoles", "insightsRoles"))
    vault = variable("infra/app/vault.bicep", "roles")
    given = {name.strip("'"): role for each in (storage, insights, vault) for name, role in each.items()}
    assert given == ROLES
    assert {name.strip("'").partition(" ")[0] for name in storage} == {"Storage"}
    assigned = [
        (file, body(resource)["scope"])
        for file in FILES
        for kind, resource in resources(file)
        if kind.startswith("Microsoft.Authorization/")
    ]
    assert sorted(assigned) == [
        ("infra/app/roles.bicep", "insights"),
        ("infra/app/roles.bicep", "storage"),
        ("infra/app/vault.bicep", "vault"),
    ]
    for file in FILES:
        for identifier in re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text(file)):
            assert identifier in ROLES.values(), file


def test_there_are_no_keys() -> None:
    """Storage and telemetry take tokens of Entra ID only, blobs are never public, and TLS is 1.2 or newer."""
    for name, value in {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
    }.items():
        assert values(bicep("infra/app/storage.bicep"), name) == [value], name
    assert values(bicep("infra/app/monitoring.bicep"), "DisableLocalAuth") == [True]
    assert values(bicep("infra/app/vault.bicep"), "enableRbacAuthorization") == [True]
    for file in FILES:
        assert not re.search(r"\blist(?:Keys|AccountSas|ServiceSas|Secrets)?\(|AccountKey|primaryKey", text(file)), file


def test_no_secret_leaves_a_deployment() -> None:
    """Outputs are shown and kept in plain text: none holds a secret, nor the address of telemetry with its key."""
    for file in FILES:
        secret = {name for name, parameter in parameters(file).items() if decorator(parameter, "secure")}
        for name, output in bicep(file).get("outputs", {}).items():
            said = set(words(json.dumps(output["value"])))
            assert not said & (secret | {"ConnectionString", "InstrumentationKey"}), f"{file}: {name}"


def test_teams_calls_where_the_app_listens() -> None:
    """The bot's calling webhook and callbackUri are the route of receive_notifications, over https."""
    app = app_model.read(runpy.run_path(str(ROOT / "function_app.py"))["app"])
    route = next(each.template.text for each in app.http if each.name == "receive_notifications")
    prefix = json.loads(text("host.json"))["extensions"]["http"]["routePrefix"]
    path = route if route.startswith(f"{prefix}/") else f"{prefix}/{route}"
    address = f"https://${{app.properties.defaultHostName}}/{path}"
    assert bicep("infra/app/api.bicep")["outputs"]["notificationsUrl"]["value"] == address
    assert "notificationsUrl: api.outputs.notificationsUrl" in text(MAIN)
    (channel,) = values(bicep("infra/app/bot.bicep"), "incomingCallRoute")
    assert channel == "graphPma"
    assert values(bicep("infra/app/bot.bicep"), "callingWebhook") == ["notificationsUrl"]
    assert values(bicep("infra/app/bot.bicep"), "enableCalling") == [True]
    assert values(bicep("infra/app/bot.bicep"), "isEnabled") == [True]


def test_the_app_stays_open_to_graph_behind_a_virtual_network() -> None:
    """With vnetEnabled the storage account is closed to the internet, and the app, to which Graph reports, is not."""
    (site,) = (body(each) for kind, each in resources("infra/app/api.bicep") if kind.startswith("Microsoft.Web/sites@"))
    assert site["properties"]["publicNetworkAccess"] == "Enabled"
    assert site["properties"]["httpsOnly"] is True
    assert "publicAccess: !vnetEnabled" in text(MAIN)
    assert variable("infra/app/network.bicep", "services") == ["blob", "queue", "table"]


def test_azure_runs_a_python_that_is_tested() -> None:
    """The versions to choose from are tested ones that Flex Consumption has, and FC1 is the plan."""
    offered = decorator(parameters(MAIN)["pythonVersion"], "allowed")
    assert offered == ["3.12", "3.13"]
    assert parameters(MAIN)["pythonVersion"]["default"] in offered
    assert set(offered) <= set(re.findall(r"python(3\.\d+)", text("dev/python_environment.sh")))
    assert values(bicep("infra/app/api.bicep"), "tier") == ["FlexConsumption"]
    runtimes = values(bicep("infra/app/api.bicep"), "runtime")
    assert runtimes == [{"name": "python", "version": "pythonVersion"}]


def test_nothing_is_fetched_from_a_registry() -> None:
    """A deployment needs this folder and Azure, and is the same tomorrow."""
    assert not list(INFRA.rglob("bicepconfig.json"))
    assert not any("'br" in text(file) or "'ts:" in text(file) for file in FILES)
