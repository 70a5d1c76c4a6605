"""A solution's ``customizations.xml`` and the files that it names: connector, variable, flows, references."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from connector import package
from connector.routes import ROOT
from web.about import version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

VERSION = f"{version()}.0"
CONNECTOR = "callinv_callinvites"
VARIABLE = "callinv_Host"
PREFIX = "callinv"
TITLE = "Call Invites for Teams"
_IDS = uuid.UUID("0c8c4f0b-5d1f-4c1c-9a31-3b7f0f6a2d57")
CONNECTOR_ID = str(uuid.uuid5(_IDS, CONNECTOR))
_API = "/providers/Microsoft.PowerApps/apis/"
FOLDER = ROOT / "connector"
# The name that a flow's file uses for a connection, and the connection reference in the solution.
REFERENCES = {key: key.replace("shared", PREFIX) for key in ("shared_callinvites", *package.STANDARD)}
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
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
        """A GUID, the same each time."""
        return str(uuid.uuid5(_IDS, self.name))

    @property
    def file(self) -> str:
        """The path in the solution."""
        return f"Workflows/{re.sub('[^A-Za-z0-9]', '', self.name)}-{self.id.upper()}.json"

    @property
    def connections(self) -> list[str]:
        """The keys of its connections."""
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


def customizations(*, connector: bool, flows: Sequence[Flow]) -> str:
    """Return ``customizations.xml``, with its elements in the order of an export."""
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
    return f"<ImportExportXml {XSI}>{written}<Languages><Language>1033</Language></Languages></ImportExportXml>"


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
        f"<connectionreferencedisplayname>{package.STANDARD.get(key, TITLE)}</connectionreferencedisplayname>"
        f"<connectorid>{_API}{api}</connectorid>{own}"
        "<iscustomizable>1</iscustomizable><statecode>0</statecode><statuscode>1</statuscode></connectionreference>"
    )


def _connector() -> str:
    definition = json.loads((FOLDER / "apiDefinition.swagger.json").read_text(encoding="utf-8"))
    color = json.loads((FOLDER / "apiProperties.json").read_text(encoding="utf-8"))["properties"]["iconBrandColor"]
    file = f"/Connector/{CONNECTOR}"
    members = {
        "connectorid": CONNECTOR_ID,
        "description": escape(definition["info"]["description"]),
        "displayname": TITLE,
        "iconbrandcolor": color,
        "name": CONNECTOR,
        "connectortype": "1",
        "openapidefinition": f"{file}_openapidefinition.json",
        "connectionparameters": f"{file}_connectionparameters.json",
        "policytemplateinstances": f"{file}_policytemplateinstances.json",
        "iconblob": f"{file}_iconblob.Png",
    }
    return "<Connector>" + "".join(f"<{name}>{value}</{name}>" for name, value in members.items()) + "</Connector>"


def connector_files() -> dict[str, bytes | str]:
    """Return the connector's files; its host is the environment variable, so it needs neither parameter nor policy."""
    definition = json.loads((FOLDER / "apiDefinition.swagger.json").read_text(encoding="utf-8"))
    definition["host"] = f'@environmentVariables("{VARIABLE}")'
    properties = json.loads((FOLDER / "apiProperties.json").read_text(encoding="utf-8"))["properties"]
    key = {"api_key": properties["connectionParameters"]["api_key"]}
    routing = [one for one in properties["policyTemplateInstances"] if one["templateId"] != "dynamichosturl"]
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
        f"Connector/{CONNECTOR}_policytemplateinstances.json": json.dumps(routing),
        f"Connector/{CONNECTOR}_iconblob.Png": (FOLDER / "icon.png").read_bytes(),
        f"environmentvariabledefinitions/{VARIABLE}/environmentvariabledefinition.xml": variable,
    }
