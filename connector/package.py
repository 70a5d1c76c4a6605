"""``python -m connector.package FLOW...``: makes of sample flows the packages that *Import Package (Legacy)* takes.

A package holds the flow, and names the connector with a connection that the maker picks while importing:

    manifest.json
    Microsoft.Flow/flows/manifest.json
    Microsoft.Flow/flows/<flow>/definition.json, apisMap.json, connectionsMap.json
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import uuid
import zipfile
from pathlib import Path
from typing import Any

_IDS = uuid.UUID("6d3a2f0e-6f0f-4f3c-9d53-0f2f1b7f8a11")
_CREATED = "2026-01-01T00:00:00.0000000Z"
_PROVIDER = "/providers/Microsoft.PowerApps/apis/"
_TITLE = "Call Invites for Teams"


def package(name: str, flow: dict[str, Any], *, connector: str | None = None) -> bytes:
    """Return a package as a ZIP file, the same for the same flow.

    Args:
        name: the flow's, as a maker sees it.
        flow: the content of a file of ``flows/``.
        connector: the connector's own id in the environment, such as ``shared_call-invites-...``; without it the
            placeholder of the flow stays.
    """
    flow_id = str(uuid.uuid5(_IDS, name))
    references: dict[str, Any] = flow.get("connectionReferences", {})
    apis = {key: str(uuid.uuid5(_IDS, f"{name}/{key}/api")) for key in references}
    connections = {key: str(uuid.uuid5(_IDS, f"{name}/{key}/connection")) for key in references}
    resources = {flow_id: _flow_resource(name, [*apis.values(), *connections.values()])}
    for key in references:
        resources[apis[key]] = _api_resource(connector or key)
        resources[connections[key]] = _connection_resource(apis[key])
    folder = f"Microsoft.Flow/flows/{flow_id}"
    files = {
        "manifest.json": {
            "schema": "1.0",
            "details": {
                "displayName": name,
                "description": "",
                "createdTime": _CREATED,
                "packageTelemetryId": str(uuid.uuid5(_IDS, f"{name}/package")),
                "creator": "N/A",
                "sourceEnvironment": "",
            },
            "resources": resources,
        },
        "Microsoft.Flow/flows/manifest.json": {
            "packageSchemaVersion": "1.0",
            "flowAssets": {"assetPaths": [flow_id]},
        },
        f"{folder}/definition.json": _definition(name, flow_id, flow, connector),
        f"{folder}/apisMap.json": apis,
        f"{folder}/connectionsMap.json": connections,
    }
    return _zip(files)


def _flow_resource(name: str, needs: list[str]) -> dict[str, Any]:
    return {
        "type": "Microsoft.Flow/flows",
        "suggestedCreationType": "New",
        "creationType": "Existing, New, Update",
        "details": {"displayName": name},
        "configurableBy": "User",
        "hierarchy": "Root",
        "dependsOn": needs,
    }


def _api_resource(connector: str) -> dict[str, Any]:
    return {
        "id": _PROVIDER + connector,
        "name": connector,
        "type": "Microsoft.PowerApps/apis",
        "suggestedCreationType": "Existing",
        "details": {"displayName": _TITLE},
        "configurableBy": "System",
        "hierarchy": "Child",
        "dependsOn": [],
    }


def _connection_resource(api: str) -> dict[str, Any]:
    return {
        "type": "Microsoft.PowerApps/apis/connections",
        "suggestedCreationType": "Existing",
        "creationType": "Existing",
        "details": {"displayName": _TITLE},
        "configurableBy": "User",
        "hierarchy": "Child",
        "dependsOn": [api],
    }


def _definition(name: str, flow_id: str, flow: dict[str, Any], connector: str | None) -> dict[str, Any]:
    properties = {
        "apiId": _PROVIDER + "shared_logicflows",
        "displayName": name,
        "definition": flow["definition"],
        "connectionReferences": flow.get("connectionReferences", {}),
    }
    text = json.dumps(properties)
    for key in flow.get("connectionReferences", {}) if connector else ():
        text = text.replace(f'"{_PROVIDER}{key}"', f'"{_PROVIDER}{connector}"')
    return {
        "name": flow_id,
        "id": f"/providers/Microsoft.Flow/flows/{flow_id}",
        "type": "Microsoft.Flow/flows",
        "properties": json.loads(text),
    }


def _zip(files: dict[str, Any]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, json.dumps(content, indent=2))
    return packed.getvalue()


def main() -> int:
    """Write a package for each flow."""
    parser = argparse.ArgumentParser(prog="python -m connector.package", description="Package sample flows.")
    parser.add_argument("flows", nargs="+", type=Path, metavar="FLOW", help="such as connector/flows/ring-on-call.json")
    parser.add_argument("--connector", help="the connector's id in the environment, such as shared_call-invites-5f...")
    parser.add_argument("--out", type=Path, default=Path(".local"), help="their folder (default: .local)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for path in options.flows:
        flow = json.loads(path.read_text(encoding="utf-8"))
        made = options.out / f"{path.stem}.zip"
        made.write_bytes(package(path.stem.replace("-", " ").capitalize(), flow, connector=options.connector))
        sys.stdout.write(f"{made}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
