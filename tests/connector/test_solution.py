"""The solutions, held by the structure of exported ones: files, order of elements, and what refers to what."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from connector import solution
from connector.customizations import CONNECTOR, CONNECTOR_ID, FOLDER, REFERENCES, VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

FILES = solution.solutions()
CONNECTOR_ZIP, FLOWS_ZIP, ALL_ZIP = "call-invites-connector.zip", "call-invites-flows.zip", "call-invites-all.zip"
SAMPLES = sorted((FOLDER / "flows").glob("*.json"))
# Those with the connector; the others need a key.
OWN = sum("shared_callinvites" in path.read_text(encoding="utf-8") for path in SAMPLES)
MANIFEST = [
    "UniqueName",
    "LocalizedNames",
    "Descriptions",
    "Version",
    "Managed",
    "Publisher",
    "RootComponents",
    "MissingDependencies",
]
CUSTOMIZATIONS = [
    "Entities",
    "Roles",
    "Workflows",
    "FieldSecurityProfiles",
    "Templates",
    "EntityMaps",
    "EntityRelationships",
    "OrganizationSettings",
    "optionsets",
    "CustomControls",
    "EntityDataProviders",
    "Connectors",
    "connectionreferences",
    "Languages",
]
CONNECTOR_ELEMENTS = [
    "connectorid",
    "description",
    "displayname",
    "iconbrandcolor",
    "name",
    "connectortype",
    "openapidefinition",
    "connectionparameters",
    "policytemplateinstances",
    "iconblob",
]


def _read(name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(FILES[name])) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_DEFLATED}
        return {entry: archive.read(entry) for entry in archive.namelist()}


def _xml(files: dict[str, bytes], name: str) -> ET.Element:
    return ET.fromstring(files[name])  # noqa: S314 - our own


def _ids(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"29": [], "372": []}
    for component in _xml(_read(name), "solution.xml").iter("RootComponent"):
        assert component.attrib["behavior"] == "0"
        found[component.attrib["type"]].append(component.attrib["id"].strip("{}"))
    return found


@pytest.mark.parametrize("name", FILES)
def test_files(name: str) -> None:
    """Every extension has a content type, and only that file begins with a byte order mark."""
    files = _read(name)
    assert {"solution.xml", "customizations.xml", "[Content_Types].xml"} < files.keys()
    types = files["[Content_Types].xml"].decode("utf-8-sig")
    assert {path.rpartition(".")[2] for path in files} <= set(re.findall(r'Extension="(\w+)"', types))
    assert [path for path, content in files.items() if content.startswith(b"\xef\xbb\xbf")] == ["[Content_Types].xml"]
    folders = {path.partition("/")[0] for path in files if "/" in path}
    assert folders <= {"Connector", "Workflows", "environmentvariabledefinitions"}


@pytest.mark.parametrize("name", FILES)
def test_manifest(name: str) -> None:
    """The manifest has its elements in the order of an export, and the solution is unmanaged."""
    root = _xml(_read(name), "solution.xml")
    assert (root.tag, root.attrib["SolutionPackageVersion"], root.attrib["generatedBy"]) == (
        "ImportExportXml",
        "9.2",
        "CrmLive",
    )
    (manifest,) = root
    assert [child.tag for child in manifest] == MANIFEST
    assert manifest.findtext("Managed") == "0"
    assert re.fullmatch(r"\d+\.\d+\.\d+\.\d+", manifest.findtext("Version") or "")
    assert re.fullmatch("[a-z][a-z0-9]{1,7}", manifest.findtext("Publisher/CustomizationPrefix") or "")
    assert 10_000 <= int(manifest.findtext("Publisher/CustomizationOptionValuePrefix") or "") <= 99_999


@pytest.mark.parametrize("name", FILES)
def test_customizations(name: str) -> None:
    """The customizations have their elements in order, and describe just the root components."""
    root = _xml(_read(name), "customizations.xml")
    assert [child.tag for child in root] == CUSTOMIZATIONS
    ids = _ids(name)
    assert [flow.attrib["WorkflowId"].strip("{}") for flow in root.iter("Workflow")] == ids["29"]
    connectors = root.findall("Connectors/Connector")
    assert [connector.findtext("connectorid") for connector in connectors] == ids["372"]
    assert all([child.tag for child in connector] == CONNECTOR_ELEMENTS for connector in connectors)


@pytest.mark.parametrize("name", FILES)
def test_named_files(name: str) -> None:
    """Each file that is named is there, and each file is named."""
    files = _read(name)
    root = _xml(files, "customizations.xml")
    named = {(element.text or "").removeprefix("/") for element in root.iter() if (element.text or "").startswith("/")}
    named = {path for path in named if not path.startswith("providers/")}
    assert named == {path for path in files if path.startswith(("Connector/", "Workflows/"))}


def test_connector() -> None:
    """The host is the environment variable, the key is asked for with a connection, and policies route only."""
    files = _read(CONNECTOR_ZIP)
    definition = json.loads(files[f"Connector/{CONNECTOR}_openapidefinition.json"])
    assert (definition["host"], definition["basePath"]) == (f'@environmentVariables("{VARIABLE}")', "/api")
    parameters = json.loads(files[f"Connector/{CONNECTOR}_connectionparameters.json"])
    assert {name: entry["type"] for name, entry in parameters.items()} == {"api_key": "securestring"}
    policies = json.loads(files[f"Connector/{CONNECTOR}_policytemplateinstances.json"])
    assert {policy["templateId"] for policy in policies} == {"routerequesttoendpoint"}
    icon = files[f"Connector/{CONNECTOR}_iconblob.Png"]
    assert struct.unpack(">II", icon[16:24]) == (230, 230)


def test_variable() -> None:
    """The variable has neither default nor value, or the import doesn't ask; its file has no XML declaration."""
    files = _read(CONNECTOR_ZIP)
    path = f"environmentvariabledefinitions/{VARIABLE}/environmentvariabledefinition.xml"
    assert files[path].startswith(b"<environmentvariabledefinition ")
    root = _xml(files, path)
    assert (root.attrib["schemaname"], root.findtext("type")) == (VARIABLE, "100000000")
    assert root.find("defaultvalue") is None
    assert [name for name in files if "environmentvariablevalues" in name] == []


@pytest.mark.parametrize("name", [FLOWS_ZIP, ALL_ZIP])
def test_flows(name: str) -> None:
    """Each action uses a connection of its flow, each connection a reference, and ours is tied to the connector."""
    files = _read(name)
    root = _xml(files, "customizations.xml")
    references = {
        entry.attrib["connectionreferencelogicalname"]: entry.findtext("customconnectorid/connectorid")
        for entry in root.iter("connectionreference")
    }
    assert references == {
        reference: CONNECTOR_ID if key == "shared_callinvites" else None for key, reference in REFERENCES.items()
    }
    flows = {path: json.loads(content) for path, content in files.items() if path.startswith("Workflows/")}
    assert len(flows) == len(_ids(name)["29"]) == OWN
    for path, flow in flows.items():
        identifier = r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}"
        assert re.fullmatch(rf"Workflows/[A-Za-z0-9]+-{identifier}\.json", path)
        assert flow["schemaVersion"] == "1.0.0.0"
        connections = flow["properties"]["connectionReferences"]
        assert {entry["connection"]["connectionReferenceLogicalName"] for entry in connections.values()} <= set(
            references
        )
        assert connections["shared_callinvites"]["api"]["logicalName"] == CONNECTOR
        text = json.dumps(flow["properties"]["definition"])
        assert set(re.findall(r'"connectionName": "(\w+)"', text)) == connections.keys()
        assert "apis/shared_callinvites" not in text


def test_dependencies() -> None:
    """The flows need the connector, once for the reference and once for each flow; the others need nothing."""
    found = _xml(_read(FLOWS_ZIP), "solution.xml").findall(".//MissingDependency")
    assert {entry.find("Required").attrib["id"].strip("{}") for entry in found} == {CONNECTOR_ID}  # type: ignore[union-attr]
    assert [entry.find("Dependent").attrib["type"] for entry in found] == ["connectionreference", *["29"] * OWN]  # type: ignore[union-attr]
    for name in (CONNECTOR_ZIP, ALL_ZIP):
        assert _xml(_read(name), "solution.xml").findall(".//MissingDependency") == []


def test_same_ids() -> None:
    """The solutions share their ids, and the same sources give the same bytes."""
    assert _ids(ALL_ZIP) == {"29": _ids(FLOWS_ZIP)["29"], "372": _ids(CONNECTOR_ZIP)["372"]}
    assert solution.solutions() == FILES


def test_nothing_secret() -> None:
    """No sign-in setting, connection or key is in a solution."""
    for name in FILES:
        text = b"".join(content for path, content in _read(name).items() if not path.endswith(".Png"))
        assert b"oauth" not in text.lower()
        assert b"@connectionParameters" not in text


def test_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``make package`` writes three solutions and a package for each flow."""
    monkeypatch.setattr("sys.argv", ["solution", "--out", str(tmp_path)])
    assert solution.main() == 0
    assert {path.name for path in tmp_path.iterdir()} > FILES.keys()
    assert len(list(tmp_path.iterdir())) == len(FILES) + len(SAMPLES)
