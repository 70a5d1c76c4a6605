"""``python -m connector.solution``: unmanaged Power Platform solutions, and the legacy package of each sample flow.

    solution.xml, customizations.xml, [Content_Types].xml
    Connector/<connector>_openapidefinition.json, _connectionparameters.json, _policytemplateinstances.json, _iconblob.Png
    environmentvariabledefinitions/<variable>/environmentvariabledefinition.xml
    Workflows/<flow>-<GUID>.json

The form is that of exported solutions. A connector has to be registered before a flow can use it, so there is a solution
for each, and one with both. The ids are the same each time, so a later import updates an earlier one.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from connector import package
from connector.routes import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = "1.0.0.0"
CONNECTOR = "callinv_callinvites"
VARIABLE = "callinv_Host"
_PREFIX = "callinv"
_TITLE = "Call Invites for Teams"
_IDS = uuid.UUID("0c8c4f0b-5d1f-4c1c-9a31-3b7f0f6a2d57")
CONNECTOR_ID = str(uuid.uuid5(_IDS, CONNECTOR))
_API = "/providers/Microsoft.PowerApps/apis/"
_FOLDER = ROOT / "connector"
# The name that a flow's file uses for a connection, and the connection reference in the solution.
REFERENCES = {"shared_callinvites": f"{_PREFIX}_callinvites", "shared_teams": f"{_PREFIX}_teams"}
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_ROOT_ATTRIBUTES = f'version="9.2.0.0" SolutionPackageVersion="9.2" languagecode="1033" generatedBy="CrmLive" {_XSI}'
_CONTENT_TYPES = (
    '\ufeff<?xml version="1.0" encoding="utf-8"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    + "".join(f'<Default Extension="{name}" ContentType="application/octet-stream" />' for name in ("xml", "json", "Png"))
    + "</Types>"
)
_FLOW_SETTINGS = {
    "Type": 1,
    "Subprocess": 0,
    "Category": 5,
    "Mode": 0,
    "Scope": 4,
    "OnDemand": 0,
    "TriggerOnCreate": 0,
    "TriggerOnDelete": 0,
    "AsyncAutodelete": 0,
    "SyncWorkflowLogOnFailure": 0,
    "StateCode": 0,
    "StatusCode": 1,
    "RunAs": 1,
    "IsTransacted": 1,
    "IntroducedVersion": VERSION,
    "IsCustomizable": 1,
    "PrimaryEntity": "none",
}


@dataclass(frozen=True, slots=True)
class Flow:
    """A sample flow in a solution."""

    name: str
    content: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Flow:
        """Return the flow of a file of ``flows/``."""
        return cls(package.title(path), json.loads(path.read_text(encoding="utf-8")))

    @property
    def id(self) -> str:
        return str(uuid.uuid5(_IDS, self.name))

    @property
    def file(self) -> str:
        return f"Workflows/{re.sub('[^A-Za-z0-9]', '', self.name)}-{self.id.upper()}.json"

    @property
    def connections(self) -> list[str]:
        return list(self.content.get("connectionReferences", {}))

    def written(self) -> str:
        """Return the file: its connections come from the solution's references, by the connector's own name."""
        definition = json.loads(json.dumps(self.content["definition"]).replace(f"{_API}shared_callinvites", ""))
        references = {key: _flow_reference(key) for key in self.connections}
        properties = {"connectionReferences": references, "definition": definition}
        return json.dumps({"properties": properties, "schemaVersion": "1.0.0.0"}, indent=2)


def _flow_reference(key: str) -> dict[str, Any]:
    is_own = key == "shared_callinvites"
    api = {"name": "shared_callinv-5fcallinvites", "logicalName": CONNECTOR} if is_own else {"name": key}
    return {
        "runtimeSource": "embedded",
        "connection": {"connectionReferenceLogicalName": REFERENCES[key]},
        "api": api,
    }


def solution(name: str, *, connector: bool, flows: Sequence[Flow] = ()) -> bytes:
    """Return a solution as a ZIP file, the same for the same content.

    Args:
        name: the end of its unique name.
        connector: whether the connector and its environment variable are in it.
        flows: what else is in it, with their connection references.
    """
    files: dict[str, bytes | str] = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "solution.xml": _manifest(name, connector=connector, flows=flows),
        "customizations.xml": _customizations(connector=connector, flows=flows),
    }
    if connector:
        files |= _connector_files()
    files |= {flow.file: flow.written() for flow in flows}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()


def _manifest(name: str, *, connector: bool, flows: Sequence[Flow]) -> str:
    roots = [f'<RootComponent type="29" id="{{{flow.id}}}" behavior="0" />' for flow in flows]
    needs = []
    if connector:
        roots.append(f'<RootComponent type="372" id="{{{CONNECTOR_ID}}}" schemaName="{CONNECTOR}" behavior="0" />')
    else:
        reference = REFERENCES["shared_callinvites"]
        logical = f'displayName="{reference}" id.connectionreferencelogicalname="{reference}"'
        needs = [f'<Dependent type="connectionreference" {logical} />']
        own = [flow for flow in flows if "shared_callinvites" in flow.connections]
        needs += [f'<Dependent type="29" displayName={quoteattr(flow.name)} id="{{{flow.id}}}" />' for flow in own]
    required = (
        f'<Required type="372" schemaName="{CONNECTOR}" displayName="{_TITLE}"'
        f' solution="CallInvitesConnector ({VERSION})" id="{{{CONNECTOR_ID}}}" />'
    )
    missing = "".join(f"<MissingDependency>{required}{dependent}</MissingDependency>" for dependent in needs)
    return (
        f"<ImportExportXml {_ROOT_ATTRIBUTES}><SolutionManifest><UniqueName>CallInvites{name}</UniqueName>"
        f"{_names(f'{_TITLE}: {name}')}<Descriptions /><Version>{VERSION}</Version><Managed>0</Managed>"
        f"<Publisher><UniqueName>callinvites</UniqueName>{_names('Call Invites')}<Descriptions />"
        '<EMailAddress xsi:nil="true" /><SupportingWebsiteUrl xsi:nil="true" />'
        f"<CustomizationPrefix>{_PREFIX}</CustomizationPrefix>"
        "<CustomizationOptionValuePrefix>31700</CustomizationOptionValuePrefix><Addresses /></Publisher>"
        f"<RootComponents>{''.join(roots)}</RootComponents>"
        f"<MissingDependencies>{missing}</MissingDependencies></SolutionManifest></ImportExportXml>"
    )


def _names(name: str) -> str:
    return f'<LocalizedNames><LocalizedName description={quoteattr(name)} languagecode="1033" /></LocalizedNames>'


def _customizations(*, connector: bool, flows: Sequence[Flow]) -> str:
    used = list(dict.fromkeys(key for flow in flows for key in flow.connections))
    parts = {
        "Entities": "",
        "Roles": "",
        "Workflows": "".join(map(_workflow, flows)),
        "FieldSecurityProfiles": "",
        "Templates": "",
        "EntityMaps": "",
        "EntityRelationships": "",
        "OrganizationSettings": "",
        "optionsets": "",
        "CustomControls": "",
        "EntityDataProviders": "",
        "Connectors": _connector() if connector else "",
        "connectionreferences": "".join(map(_connection_reference, used)),
    }
    written = "".join(f"<{name}>{inner}</{name}>" if inner else f"<{name} />" for name, inner in parts.items())
    return f"<ImportExportXml {_XSI}>{written}<Languages><Language>1033</Language></Languages></ImportExportXml>"


def _workflow(flow: Flow) -> str:
    settings = "".join(f"<{name}>{value}</{name}>" for name, value in _FLOW_SETTINGS.items())
    names = f'<LocalizedNames><LocalizedName languagecode="1033" description={quoteattr(flow.name)} /></LocalizedNames>'
    head = f'<Workflow WorkflowId="{{{flow.id}}}" Name={quoteattr(flow.name)}>'
    return f"{head}<JsonFileName>/{flow.file}</JsonFileName>{settings}{names}</Workflow>"


def _connection_reference(key: str) -> str:
    is_own = key == "shared_callinvites"
    own = f"<customconnectorid><connectorid>{CONNECTOR_ID}</connectorid></customconnectorid>" if is_own else ""
    api = "shared_callinv-5fcallinvites" if is_own else key
    return (
        f'<connectionreference connectionreferencelogicalname="{REFERENCES[key]}">'
        f"<connectionreferencedisplayname>{_TITLE if is_own else 'Microsoft Teams'}</connectionreferencedisplayname>"
        f"<connectorid>{_API}{api}</connectorid>{own}"
        "<iscustomizable>1</iscustomizable><statecode>0</statecode><statuscode>1</statuscode></connectionreference>"
    )


def _connector() -> str:
    definition = json.loads((_FOLDER / "apiDefinition.swagger.json").read_text(encoding="utf-8"))
    color = json.loads((_FOLDER / "apiProperties.json").read_text(encoding="utf-8"))["properties"]["iconBrandColor"]
    file = f"/Connector/{CONNECTOR}"
    members = {
        "connectorid": CONNECTOR_ID,
        "description": escape(definition["info"]["description"]),
        "displayname": _TITLE,
        "iconbrandcolor": color,
        "name": CONNECTOR,
        "connectortype": "1",
        "openapidefinition": f"{file}_openapidefinition.json",
        "connectionparameters": f"{file}_connectionparameters.json",
        "policytemplateinstances": f"{file}_policytemplateinstances.json",
        "iconblob": f"{file}_iconblob.Png",
    }
    return "<Connector>" + "".join(f"<{name}>{value}</{name}>" for name, value in members.items()) + "</Connector>"


def _connector_files() -> dict[str, bytes | str]:
    """Return the connector's files; its host is the environment variable, so there is neither parameter nor policy."""
    definition = json.loads((_FOLDER / "apiDefinition.swagger.json").read_text(encoding="utf-8"))
    definition["host"] = f'@environmentVariables("{VARIABLE}")'
    properties = json.loads((_FOLDER / "apiProperties.json").read_text(encoding="utf-8"))["properties"]
    key = {"api_key": properties["connectionParameters"]["api_key"]}
    label = "Host name of Call Invites"
    variable = (
        f'<environmentvariabledefinition schemaname="{VARIABLE}"><displayname default="{label}">'
        f'<label description="{label}" languagecode="1033" /></displayname>'
        f"<introducedversion>{VERSION}</introducedversion><iscustomizable>1</iscustomizable><isrequired>0</isrequired>"
        "<secretstore>0</secretstore><type>100000000</type></environmentvariabledefinition>"
    )
    return {
        f"Connector/{CONNECTOR}_openapidefinition.json": json.dumps(definition),
        f"Connector/{CONNECTOR}_connectionparameters.json": json.dumps(key),
        f"Connector/{CONNECTOR}_policytemplateinstances.json": "[]",
        f"Connector/{CONNECTOR}_iconblob.Png": (_FOLDER / "icon.png").read_bytes(),
        f"environmentvariabledefinitions/{VARIABLE}/environmentvariabledefinition.xml": variable,
    }


def solutions() -> dict[str, bytes]:
    """Return the three solutions by file name."""
    paths = sorted((_FOLDER / "flows").glob("*.json"))
    flows = [flow for flow in map(Flow.read, paths) if "shared_callinvites" in flow.connections]
    return {
        "call-invites-connector.zip": solution("Connector", connector=True),
        "call-invites-flows.zip": solution("Flows", connector=False, flows=flows),
        "call-invites-all.zip": solution("All", connector=True, flows=flows),
    }


def main() -> int:
    """Write the solutions, and a legacy package for each flow."""
    parser = argparse.ArgumentParser(prog="python -m connector.solution", description="Package connector and flows.")
    parser.add_argument("--out", type=Path, default=Path(".local/packages"), help="folder (default: .local/packages)")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, content in solutions().items():
        (out / name).write_bytes(content)
        sys.stdout.write(f"{out / name}\n")
    return package.write(sorted((_FOLDER / "flows").glob("*.json")), out)


if __name__ == "__main__":
    sys.exit(main())
