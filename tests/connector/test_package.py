"""Import packages of the sample flows: laid out as Power Automate exports one, every reference leading somewhere."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from connector.package import package
from connector.routes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FLOWS = sorted((ROOT / "connector" / "flows").glob("*.json"))


def _files(packed: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_package_holds_the_flow(file: Path) -> None:
    """A package holds the flow as its file has it, under the id that its manifests name."""
    flow = json.loads(file.read_text(encoding="utf-8"))
    files = _files(package("A flow", flow))
    (flow_id,) = files["Microsoft.Flow/flows/manifest.json"]["flowAssets"]["assetPaths"]
    resources = files["manifest.json"]["resources"]
    assert resources[flow_id]["type"] == "Microsoft.Flow/flows"
    folder = f"Microsoft.Flow/flows/{flow_id}"
    assert files[f"{folder}/definition.json"]["name"] == flow_id
    assert files[f"{folder}/definition.json"]["properties"]["definition"] == flow["definition"]
    used = set(files[f"{folder}/definition.json"]["properties"]["connectionReferences"])
    for map_name in ("apisMap", "connectionsMap"):
        entries = files[f"{folder}/{map_name}.json"]
        assert set(entries) == used
        assert set(entries.values()) <= resources.keys()
    assert all(set(resource["dependsOn"]) <= resources.keys() for resource in resources.values())


def test_package_names_the_environments_connector() -> None:
    """With the connector's id in an environment, everything in the package names that one."""
    flow = json.loads((ROOT / "connector" / "flows" / "ring-on-call.json").read_text(encoding="utf-8"))
    text = json.dumps(_files(package("A flow", flow, connector="shared_call-invites-5f00")))
    assert "apis/shared_callinvites" not in text
    assert text.count("apis/shared_call-invites-5f00") == 4


def test_package_is_the_same_each_time() -> None:
    """The same flow gives the same bytes."""
    flow = json.loads(FLOWS[0].read_text(encoding="utf-8"))
    assert package("A flow", flow) == package("A flow", flow)
