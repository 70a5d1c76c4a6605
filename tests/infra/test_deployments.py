"""What Azure is asked for: closed where it can be, open where Graph must come in, and nothing that no page promises."""

from __future__ import annotations

import json
import re
import runpy
from typing import Any

import pytest
from azure.functions import AuthLevel

from dev.host import app_model
from domain.clouds import CLOUDS
from tests.infra.deployments import (
    BASE,
    DEPLOYMENTS,
    ODD_NAME,
    SECRET,
    SIGN_IN,
    TENANT,
    chosen,
    of_type,
    one,
    settings_of,
    stored,
)
from tests.infra.reading import MAIN, ROOT, decorator, parameters, text

EACH = pytest.mark.parametrize("name", DEPLOYMENTS)
STORAGE, VAULT = "Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"
SITE, INSIGHTS = "Microsoft.Web/sites", "Microsoft.Insights/components"
# Built-in roles have the same id in every tenant: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLES = {
    "Storage Blob Data Owner": (STORAGE, "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
    "Storage Queue Data Contributor": (STORAGE, "974c5e8b-45b9-4653-ba55-5f855dd0fb88"),
    "Storage Table Data Contributor": (STORAGE, "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"),
    "Monitoring Metrics Publisher": (INSIGHTS, "3913510d-42f4-4e42-8a64-420c390055eb"),
}
READER = (VAULT, "4633458b-17de-408a-b874-0445c86b69e6")  # Key Vault Secrets User
# What a deployment makes, by the words of docs/deploy.md.
KINDS = {
    "Microsoft.BotService/botServices": "Azure Bot",
    "Microsoft.Insights/actionGroups": "action group",
    "Microsoft.Insights/components": "Application Insights",
    "Microsoft.Insights/diagnosticSettings": "audit log",
    "Microsoft.Insights/scheduledQueryRules": "log alerts",
    "Microsoft.Insights/workbooks": "workbook",
    "Microsoft.KeyVault/vaults": "Key Vault",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "managed identity",
    "Microsoft.Network/privateDnsZones": "private DNS zones",
    "Microsoft.Network/privateEndpoints": "private endpoints",
    "Microsoft.Network/virtualNetworks": "virtual network",
    "Microsoft.OperationalInsights/workspaces": "Log Analytics workspace",
    "Microsoft.Resources/resourceGroups": "resource group",
    "Microsoft.Storage/storageAccounts": "storage account",
    "Microsoft.Web/serverfarms": "plan",
    "Microsoft.Web/sites": "function app",
    "Microsoft.Authorization/roleAssignments": "roles",
}
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
NAMES = {
    "Microsoft.BotService/botServices": r"[\w-]{2,64}",
    "Microsoft.Insights/actionGroups": r".{1,260}",
    "Microsoft.Insights/components": r".{1,260}",
    "Microsoft.Insights/scheduledQueryRules": r".{1,260}",
    "Microsoft.KeyVault/vaults": r"[a-z][a-z0-9-]{1,22}[a-z0-9]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.Network/privateEndpoints": r"\w[\w.-]{0,62}\w",
    "Microsoft.Network/virtualNetworks": r"\w[\w.-]{0,62}\w",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Resources/resourceGroups": r"[\w().-]{0,89}[\w()-]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Web/serverfarms": r"[\w-]{1,60}",
    "Microsoft.Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
}


@EACH
def test_expands_without_a_diagnostic(name: str) -> None:
    """Azure's engine has no diagnostic."""
    assert stored(name)["diagnostics"] == []


@EACH
def test_roles(name: str) -> None:
    """The identity has the documented roles, each on its own resource, and no other."""
    given = set()
    for each in of_type(name, "Microsoft.Authorization/roleAssignments"):
        (scope,) = re.findall(r"extensionResourceId\('[^']*/providers/(\w+\.\w+/\w+)/[^']*'", each["id"])
        given.add((scope, each["properties"]["roleDefinitionId"].rpartition("/")[2]))
        assert "userAssignedIdentities" in each["properties"]["principalId"]
    assert given == {*ROLES.values()} | ({READER} if of_type(name, VAULT) else set())


@EACH
def test_no_keys(name: str) -> None:
    """Storage, telemetry and deployments take tokens of Entra ID only; no key and no secret is anywhere."""
    for each in of_type(name, STORAGE):
        assert each["properties"]["allowSharedKeyAccess"] is each["properties"]["allowBlobPublicAccess"] is False
        assert each["properties"]["minimumTlsVersion"] == "TLS1_2"
        assert each["properties"]["supportsHttpsTrafficOnly"] is True
    assert one(name, INSIGHTS)["properties"]["DisableLocalAuth"] is True
    workspace = one(name, "Microsoft.OperationalInsights/workspaces")
    assert workspace["properties"]["features"] == {"disableLocalAuth": True}
    passwords = of_type(name, "Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {each["name"].rpartition("/")[2]: each["properties"]["allow"] for each in passwords} == {
        "ftp": False,
        "scm": False,
    }
    everything = json.dumps(stored(name))
    assert SECRET not in everything
    assert not re.search(r"list(Keys|Secrets|\w*Sas)\(|AccountKey|[pP]rimaryKey|SharedAccessKey", everything)


@EACH
def test_sign_in(name: str) -> None:
    """Easy Auth is there where callers have to sign in: for one tenant and one audience, and before the app asks."""
    found = [one for one in of_type(name, "Microsoft.Web/sites/config") if one["name"].endswith("/authsettingsV2")]
    if name != "sign-in":
        assert found == []
        return
    authentication = found[0]["properties"]
    assert authentication["platform"] == {"enabled": True}
    assert authentication["login"]["tokenStore"] == {"enabled": False}
    provider = authentication["identityProviders"]["azureActiveDirectory"]
    assert provider["validation"]["allowedAudiences"] == [SIGN_IN, f"api://{SIGN_IN}"]
    assert provider["registration"]["clientId"] == SIGN_IN
    assert provider["registration"]["openIdIssuer"].endswith(f"loginEndpoint, '{TENANT}/v2.0')]")
    assert re.search(r"name: 'appsettings'.*?dependsOn: \[authentication\]", text("infra/app/api.bicep"), re.DOTALL)


def test_sign_in_lets_graph_and_flows_in() -> None:
    """Anonymous requests reach the app; Easy Auth leaves alone only what no key opens."""
    (authentication,) = (
        one for one in of_type("sign-in", "Microsoft.Web/sites/config") if "authsettings" in one["name"]
    )
    rule = authentication["properties"]["globalValidation"]
    assert (rule["requireAuthentication"], rule["unauthenticatedClientAction"]) == (False, "AllowAnonymous")
    app = app_model.read(runpy.run_path(str(ROOT / "function_app.py"))["app"])
    prefix = json.loads(text("host.json"))["extensions"]["http"]["routePrefix"]
    levels = {
        f"/{prefix}/{each.template.text.strip('/').removeprefix(f'{prefix}/')}": each.auth_level for each in app.http
    }
    assert {levels[path] for path in rule["excludedPaths"]} == {AuthLevel.ANONYMOUS}
    keyed = [path for path, level in levels.items() if level is not AuthLevel.ANONYMOUS]
    assert not any(path.startswith(f"{one}/") for path in keyed for one in rule["excludedPaths"])


@EACH
def test_outputs_hold_no_secret(name: str) -> None:
    """Outputs are kept as plain text, by azd too."""
    assert not re.search(r"ConnectionString|InstrumentationKey|vaults|appSettings", json.dumps(stored(name)["outputs"]))


@EACH
def test_what_is_public(name: str) -> None:
    """The app is open, since Graph reports to it; the storage account is closed where there is a network."""
    site = one(name, SITE)["properties"]
    assert (site["publicNetworkAccess"], site["httpsOnly"]) == ("Enabled", True)
    assert site["siteConfig"] == {"ftpsState": "Disabled", "minTlsVersion": "1.2", "scmMinTlsVersion": "1.2"}
    network = chosen(name, "VNET_ENABLED", "false") == "true"
    assert ("/subnets/app" in str(site["virtualNetworkSubnetId"])) is network
    last = of_type(name, STORAGE)[-1]["properties"]
    assert last["publicNetworkAccess"] == ("Disabled" if network else "Enabled")
    assert last["networkAcls"] == {"bypass": "None", "defaultAction": "Deny" if network else "Allow"}
    assert len(of_type(name, "Microsoft.Network/privateEndpoints")) == (3 if network else 0)


def test_the_account_is_closed_last() -> None:
    """A running app keeps its storage until it is in the network; once closed, the account is never opened again."""
    kinds = [each["type"] for each in stored("network")["predictedResources"]]
    before, after = of_type("network", STORAGE)
    assert before["properties"]["publicNetworkAccess"] == "Enabled"
    assert after["properties"].pop("networkAcls") != before["properties"].pop("networkAcls")
    assert {**before["properties"], "publicNetworkAccess": "Disabled"} == after["properties"]
    assert kinds.index(SITE) < len(kinds) - 1 - kinds[::-1].index(STORAGE)
    assert re.search(r"module closed .*?dependsOn: \[api\]", text(MAIN), re.DOTALL)
    assert stored("network")["outputs"]["STORAGE_CLOSED"] == "true"
    assert len(of_type("network-again", STORAGE)) == 1
    assert stored("network-off")["outputs"]["STORAGE_CLOSED"] == "false"


def test_subnets() -> None:
    """Both subnets are in the chosen address space, and are what they always were in the default one."""
    expected = {
        "network": ("10.0.0.0/16", ["10.0.1.0/24", "10.0.2.0/24"]),
        "network-again": ("172.20.0.0/22", ["172.20.1.0/24", "172.20.2.0/24"]),
    }
    for name, (space, subnets) in expected.items():
        network = one(name, "Microsoft.Network/virtualNetworks")["properties"]
        assert network["addressSpace"]["addressPrefixes"] == [space]
        assert [each["properties"]["addressPrefix"] for each in network["subnets"]] == subnets


@EACH
def test_scaling(name: str) -> None:
    """What is always ready, how many requests an instance takes, and as many threads."""
    scale = one(name, SITE)["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    ready = {
        "http": int(chosen(name, "ALWAYS_READY_INSTANCES", "1")),
        "function:work": int(chosen(name, "ALWAYS_READY_WORK_INSTANCES", "0")),
    }
    concurrency = int(chosen(name, "HTTP_CONCURRENCY", "16"))
    assert scale == {
        "instanceMemoryMB": 2048,
        "maximumInstanceCount": int(chosen(name, "MAXIMUM_INSTANCES", "40")),
        "alwaysReady": [{"name": group, "instanceCount": count} for group, count in ready.items() if count],
        "triggers": {"http": {"perInstanceConcurrency": concurrency}},
    }
    assert settings_of(name)["PYTHON_THREADPOOL_THREAD_COUNT"] == str(concurrency)


@EACH
def test_python(name: str) -> None:
    """The plan is Flex Consumption, and its Python one that is tested."""
    assert one(name, "Microsoft.Web/serverfarms")["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    runtime = one(name, SITE)["properties"]["functionAppConfig"]["runtime"]
    assert runtime == {"name": "python", "version": chosen(name, "APP_PYTHON_VERSION", "3.12")}
    offered = decorator(parameters()["pythonVersion"], "allowed")
    assert offered == ["3.12", "3.13"]
    assert set(offered) <= set(re.findall(r"python(3\.\d+)", text("dev/python_environment.sh")))


@EACH
def test_names(name: str) -> None:
    """Each name is one that Azure takes, however long or odd the environment's is."""
    for kind, pattern in NAMES.items():
        for each in of_type(name, kind):
            assert re.fullmatch(pattern, each["name"]), each["name"]
            assert each["tags"]["azd-env-name"] == chosen(name, "AZURE_ENV_NAME", "dev")


def test_names_of_two_environments_differ() -> None:
    """Two environments share no name, and neither do two regions."""
    sites = {one(name, SITE)["name"] for name in ("default", "odd-names", "us-gov-l4")}
    assert len(sites) == 3
    assert len(ODD_NAME) == 64


def test_every_kind_of_resource_is_documented() -> None:
    """docs/deploy.md names what a deployment makes."""
    made = {each["type"] for name in DEPLOYMENTS for each in stored(name)["predictedResources"]}
    assert {"/".join(kind.split("/")[:2]) for kind in made} == set(KINDS)
    page = text("docs/deploy.md")
    assert [words for words in KINDS.values() if words not in page] == []


@EACH
def test_bot(name: str) -> None:
    """The bot's calling webhook is the route of receive_notifications, in Graph's own format."""
    if name == "no-bot":
        assert of_type(name, "Microsoft.BotService/botServices") == []
        return
    app = app_model.read(runpy.run_path(str(ROOT / "function_app.py"))["app"])
    route = next(each.template.text for each in app.http if each.name == "receive_notifications").removeprefix("/")
    prefix = json.loads(text("host.json"))["extensions"]["http"]["routePrefix"]
    path = route if route.startswith(f"{prefix}/") else f"{prefix}/{route}"
    channel: dict[str, Any] = one(name, "Microsoft.BotService/botServices/channels")["properties"]["properties"]
    webhook = channel.pop("callingWebhook")
    assert f"format('https://{{0}}/{path}', " in webhook
    assert stored(name)["outputs"]["NOTIFICATIONS_URL"] == webhook
    assert channel == {
        "isEnabled": True,
        "acceptedTerms": True,
        "deploymentEnvironment": chosen(name, "TEAMS_DEPLOYMENT", "CommercialDeployment"),
        "enableCalling": True,
        "incomingCallRoute": "graphPma",
    }
    bot = one(name, "Microsoft.BotService/botServices")["properties"]
    assert (bot["msaAppId"], bot["msaAppTenantId"]) == (BASE["GRAPH_CLIENT_ID"], BASE["GRAPH_TENANT_ID"])


@EACH
def test_alerts(name: str) -> None:
    """A component that is seconds old has no tables: the queries are not validated. Mail goes where it is asked for."""
    rules = [each["properties"] for each in of_type(name, "Microsoft.Insights/scheduledQueryRules")]
    assert {rule["skipQueryValidation"] for rule in rules} == {True}
    mail = DEPLOYMENTS[name].get("ALERT_EMAIL")
    groups = of_type(name, "Microsoft.Insights/actionGroups")
    assert [each["properties"]["emailReceivers"][0]["emailAddress"] for each in groups] == ([mail] if mail else [])
    assert {len(rule["actions"]["actionGroups"]) for rule in rules} == {len(groups)}


def test_the_clouds_are_those_of_the_app() -> None:
    """Every cloud that the app takes can be chosen, and no other."""
    assert decorator(parameters()["graphCloud"], "allowed") == list(CLOUDS)
