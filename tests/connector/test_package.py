"""Import packages of the sample flows: in the form of exported packages, without a dangling reference."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from connector.package import STANDARD, package
from connector.routes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FLOWS = sorted((ROOT / "connector" / "flows").glob("*.json"))


def _files(packed: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_flow(file: Path) -> None:
    """A package holds the flow unchanged, under the id in its manifests."""
    flow = json.loads(file.read_text(encoding="utf-8"))
    files = _files(package("A flow", flow))
    (flow_id,) = files["Microsoft.Flow/flows/manifest.json"]["flowAssets"]["assetPaths"]
    resources = files["manifest.json"]["resources"]
    assert resources[flow_id]["type"] == "Microsoft.Flow/flows"
    folder = f"Microsoft.Flow/flows/{flow_id}"
    assert files[f"{folder}/definition.json"]["name"] == flow_id
    assert files[f"{folder}/definition.json"]["properties"]["definition"] == flow["definition"]
    assert files[f"{folder}/definition.json"]["properties"]["flowFailureAlertSubscribed"] is False
    used = set(files[f"{folder}/definition.json"]["properties"]["connectionReferences"])
    for map_name in ("apisMap", "connectionsMap"):
        entries = files[f"{folder}/{map_name}.json"]
        assert set(entries) == used
        assert set(entries.values()) <= resources.keys()
    assert all(set(resource["dependsOn"]) <= resources.keys() for resource in resources.values())


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_connectors(file: Path) -> None:
    """Connector and connection have no id or name of an environment; the maker picks existing ones.

    Microsoft's own connectors are found by their names.
    """
    resources = _files(package("A flow", json.loads(file.read_text(encoding="utf-8"))))["manifest.json"]["resources"]
    for resource in resources.values():
        if resource.get("name") in STANDARD:
            assert resource["id"].endswith(f"/apis/{resource['name']}")
            assert resource["configurableBy"] == "System"
            assert "creationType" not in resource
        elif resource["type"] != "Microsoft.Flow/flows":
            assert not {"id", "name"} & resource.keys()
            assert (resource["creationType"], resource["configurableBy"]) == ("Existing", "User")


def test_same_bytes() -> None:
    """The same flow results in the same bytes."""
    flow = json.loads(FLOWS[0].read_text(encoding="utf-8"))
    assert package("A flow", flow) == package("A flow", flow)
