"""Thirteen deployments, each as an azd environment, and what Azure's own engine makes of them.

``python -m tests.infra.deployments`` expands them again with the Bicep compiler and stores what it finds. What other
tests hold, the queries and words of alerts and the workbook, is left out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.infra.reading import INFRA, text

FOLDER = Path(__file__).with_name("deployments")
SUBSCRIPTION = "0b1f6471-1bf0-4dda-aec3-cb9272f09590"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT = "1b7fbd6c-3d3f-4f6a-9c4e-5a7c3a6f2d10"
SIGN_IN = "6a0c1f52-8d3b-4e57-a1c9-3b2d4e5f6071"
SECRET = "simulated~secret"
# The longest name that azd takes, with every character that it takes.
ODD_NAME = "Ab_9.-(" + "x" * 56 + ")"

BASE = {
    "AZURE_ENV_NAME": "dev",
    "AZURE_LOCATION": "westeurope",
    "GRAPH_CLIENT_ID": CLIENT,
    "GRAPH_TENANT_ID": TENANT,
}
DEPLOYMENTS: dict[str, dict[str, str]] = {
    "default": {},
    "network": {"VNET_ENABLED": "true"},
    "network-again": {"VNET_ENABLED": "true", "STORAGE_CLOSED": "true", "VNET_ADDRESS_SPACE": "172.20.0.0/22"},
    "network-off": {"VNET_ENABLED": "false", "STORAGE_CLOSED": "true"},
    "secret": {"GRAPH_CREDENTIAL": "clientSecret", "GRAPH_CREDENTIAL_VALUE": SECRET},
    "secret-kept": {"GRAPH_CREDENTIAL": "clientSecret", "VAULT_PURGE_PROTECTION": "true"},
    "certificate": {"GRAPH_CREDENTIAL": "clientCertificate", "GRAPH_CREDENTIAL_VALUE": SECRET},
    "no-bot": {"CREATE_BOT": "false"},
    "us-gov-l4": {"GRAPH_CLOUD": "us-gov-l4", "AZURE_LOCATION": "usgovvirginia"},
    "alerts-by-mail": {"ALERT_EMAIL": "operators@contoso.com", "TEAMS_DEPLOYMENT": "GCCModerateDeployment"},
    "sign-in": {
        "SIGN_IN_CLIENT_ID": SIGN_IN,
        "APP_SETTINGS": '{"ALLOWED_PRINCIPALS": "278405a3-f568-4b3e-b684-009193463064"}',
    },
    "nothing-ready": {"ALWAYS_READY_INSTANCES": "0", "APP_PYTHON_VERSION": "3.13"},
    "odd-names": {
        "AZURE_ENV_NAME": ODD_NAME,
        "VNET_ENABLED": "true",
        "GRAPH_CREDENTIAL": "clientSecret",
        "GRAPH_CREDENTIAL_VALUE": SECRET,
        "ALERT_EMAIL": "operators@contoso.com",
        "ALWAYS_READY_INSTANCES": "2",
        "ALWAYS_READY_WORK_INSTANCES": "1",
        "HTTP_CONCURRENCY": "32",
        "MAXIMUM_INSTANCES": "1000",
        "APP_SETTINGS": '{"CALL_RETENTION_DAYS": "14", "FLOW_CALLBACK_SECRET": "simulated~secret"}',
    },
}


def compiler() -> str | None:
    """Return the Bicep compiler: what ``BICEP`` names, else the one on the PATH."""
    return os.environ.get("BICEP") or shutil.which("bicep")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the compiler."""
    return subprocess.run(
        [str(compiler()), *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )


def given(environment: dict[str, str]) -> dict[str, Any]:
    """Return the parameters that azd passes, each of its declared type; an unset one without default is left out."""
    passed = json.loads(text("infra/main.parameters.json"))["parameters"]
    found = {}
    for name, each in passed.items():
        variable, _, default = each["value"].removeprefix("${").removesuffix("}").partition("=")
        value = environment.get(variable, default)
        kind = re.findall(rf"^param {name} (\w+)", text("infra/main.bicep"), re.MULTILINE)[0]
        if value:
            found[name] = value if kind == "string" else json.loads(value)
    return found


def expand(parameters: dict[str, Any]) -> dict[str, Any]:
    """Expand a deployment as Azure does; raises what the compiler finds wrong."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(INFRA, Path(folder) / "infra")
        lines = [f"param {name} = {_literal(value)}\n" for name, value in parameters.items()]
        asked = Path(folder) / "asked.bicepparam"
        asked.write_text("using 'infra/main.bicep'\n" + "".join(lines), encoding="utf-8")
        place = ["--subscription-id", SUBSCRIPTION, "--tenant-id", TENANT, "--location", "westeurope"]
        done = run("snapshot", asked, "--mode", "Overwrite", "--deployment-name", "dev", *place)
        if done.returncode:
            raise ValueError(done.stderr)
        return _plain(json.loads(asked.with_name("asked.snapshot.json").read_text(encoding="utf-8")))


@cache
def stored(name: str) -> dict[str, Any]:
    """Return what is stored of a deployment."""
    return dict(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def of_type(name: str, kind: str) -> list[dict[str, Any]]:
    """Return a deployment's resources of a type."""
    return [one for one in stored(name)["predictedResources"] if one["type"] == kind]


def one(name: str, kind: str) -> dict[str, Any]:
    """Return a deployment's only resource of a type."""
    (found,) = of_type(name, kind)
    return found


def chosen(name: str, variable: str, default: str) -> str:
    """Return what a deployment's environment has, else azd's default."""
    return DEPLOYMENTS[name].get(variable, default)


def settings_of(name: str) -> dict[str, str]:
    """Return an app's settings, each as its value or as the expression that Azure works out."""
    (settings,) = (
        each for each in of_type(name, "Microsoft.Web/sites/config") if each["name"].endswith("/appsettings")
    )
    expression = settings["properties"]
    assert expression.startswith("[union(parameters('appSettings'), createObject(")
    found = re.findall(r"'(\w+)', ('[^']*'|\w+\(.*?(?=, '[A-Z]\w+_\w+', |\), createObject\(|\)\)\]))", expression)
    return {setting: value.strip("'") for setting, value in found if "_" in setting}


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{\n" + "".join(f"  {name}: {_literal(each)}\n" for name, each in value.items()) + "}"
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


def _plain(snapshot: dict[str, Any]) -> dict[str, Any]:
    for resource in snapshot["predictedResources"]:
        properties = resource.get("properties")
        if isinstance(properties, dict):
            for name in ("criteria", "description", "serializedData"):
                properties.pop(name, None)
    return snapshot


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for title, environment in DEPLOYMENTS.items():
        content = json.dumps(expand(given({**BASE, **environment})), indent=1, sort_keys=True)
        (FOLDER / f"{title}.json").write_text(f"{content}\n", encoding="utf-8")
