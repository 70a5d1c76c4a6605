"""``python -m connector.package FLOW...``: packages of sample flows for *Import Package (Legacy)*.

    manifest.json
    Microsoft.Flow/flows/manifest.json
    Microsoft.Flow/flows/<flow>/definition.json, apisMap.json, connectionsMap.json

The form is that of exported packages with a custom connector: the maker picks connector and connection at the import.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import uuid
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_IDS = uuid.UUID("6d3a2f0e-6f0f-4f3c-9d53-0f2f1b7f8a11")
_CREATED = "2026-01-01T00:00:00.0000000Z"
_TITLE = "Call Invites for Teams"
# Microsoft's own connectors, by the key of their connection in a flow.
STANDARD = {
    "shared_teams": "Microsoft Teams",
    "shared_office365": "Office 365 Outlook",
    "shared_office365groups": "Office 365 Groups",
    "shared_office365users": "Office 365 Users",
    "shared_shifts": "Shifts for Microsoft Teams",
}


def package(name: str, flow: dict[str, Any]) -> bytes:
    """Return a package as a ZIP file, the same for the same flow.

    Args:
        name: the flow's name for makers.
        flow: the content of a file of ``flows/``.
    """
    flow_id = _id(name)
    references = flow.get("connectionReferences", {})
    apis = {key: _id(f"{name}/{key}/api") for key in references}
    connections = {key: _id(f"{name}/{key}/connection") for key in references}
    resources = {
        flow_id: {
            "type": "Microsoft.Flow/flows",
            "suggestedCreationType": "New",
            "creationType": "Existing, New, Update",
            "details": {"displayName": name},
            "configurableBy": "User",
            "hierarchy": "Root",
            "dependsOn": [*apis.values(), *connections.values()],
        }
    }
    for key in references:
        resources[apis[key]] = _api(key)
        resources[connections[key]] = _existing("Microsoft.PowerApps/apis/connections", key, [apis[key]])
    folder = f"Microsoft.Flow/flows/{flow_id}"
    details = {
        "displayName": name,
        "description": "",
        "createdTime": _CREATED,
        "packageTelemetryId": _id(f"{name}/package"),
        "creator": "N/A",
        "sourceEnvironment": "",
    }
    definition = {
        "name": flow_id,
        "id": f"/providers/Microsoft.Flow/flows/{flow_id}",
        "type": "Microsoft.Flow/flows",
        "properties": {
            "apiId": "/providers/Microsoft.PowerApps/apis/shared_logicflows",
            "displayName": name,
            "definition": flow["definition"],
            "connectionReferences": references,
            "flowFailureAlertSubscribed": False,
        },
    }
    return _zip(
        {
            "manifest.json": {"schema": "1.0", "details": details, "resources": resources},
            "Microsoft.Flow/flows/manifest.json": {
                "packageSchemaVersion": "1.0",
                "flowAssets": {"assetPaths": [flow_id]},
            },
            f"{folder}/definition.json": definition,
            f"{folder}/apisMap.json": apis,
            f"{folder}/connectionsMap.json": connections,
        }
    )


def _id(name: str) -> str:
    return str(uuid.uuid5(_IDS, name))


def _api(key: str) -> dict[str, Any]:
    """Return a connector: Microsoft's by its name, the custom one without, since that differs between environments."""
    made = _existing("Microsoft.PowerApps/apis", key, [])
    if key not in STANDARD:
        return made
    del made["creationType"]
    return {"id": f"/providers/Microsoft.PowerApps/apis/{key}", "name": key, **made, "configurableBy": "System"}


def _existing(kind: str, key: str, needs: list[str]) -> dict[str, Any]:
    return {
        "type": kind,
        "suggestedCreationType": "Existing",
        "creationType": "Existing",
        "details": {"displayName": STANDARD.get(key, _TITLE)},
        "configurableBy": "User",
        "hierarchy": "Child",
        "dependsOn": needs,
    }


def _zip(files: dict[str, Any]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, json.dumps(content, indent=2))
    return packed.getvalue()


def title(path: Path) -> str:
    """Return the name of a sample flow for makers."""
    return path.stem.replace("-", " ").capitalize()


def write(paths: Iterable[Path], folder: Path) -> None:
    """Write the package of each flow into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        made = folder / f"{path.stem}.zip"
        made.write_bytes(package(title(path), json.loads(path.read_text(encoding="utf-8"))))
        sys.stdout.write(f"{made}\n")


def main() -> int:
    """Write a package for each flow."""
    parser = argparse.ArgumentParser(prog="python -m connector.package", description="Package sample flows.")
    parser.add_argument("flows", nargs="+", type=Path, metavar="FLOW", help="such as connector/flows/p1-alert.json")
    parser.add_argument("--out", type=Path, default=Path(".local"), help="their folder (default: .local)")
    options = parser.parse_args()
    try:
        write(options.flows, options.out)
    except OSError as error:
        parser.exit(1, f"{error.filename} can't be read or written ({error.strerror}).\n")
    except ValueError:
        parser.exit(1, "Not every file is a flow as JSON.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
