"""``make sbom``: every deployed package with its hashes and licenses."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import pytest

from dev import sbom
from dev.build import LOCK

if TYPE_CHECKING:
    from pathlib import Path

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_hashes_of_the_lock() -> None:
    """Each package gets the hashes that requirements.txt has for its version."""
    locked = sbom._run("requirements", str(LOCK))["components"]
    names = [(one["name"], one["version"]) for one in locked]
    document = {"components": [{"name": name.upper(), "version": version} for name, version in names]}
    described = sbom.with_hashes(document, locked)["components"]
    assert len(described) > 40
    for component in described:
        hashes = [each for one in component["externalReferences"] for each in one.get("hashes", [])]
        assert {each["alg"] for each in hashes} == {"SHA-256"}, component["name"]
    assert sbom.with_hashes({"components": [{"name": "azure-core", "version": "0"}]}, locked) == {
        "components": [{"name": "azure-core", "version": "0", "externalReferences": []}]
    }


def test_licenses() -> None:
    """A line for each package, as its authors name them."""
    components = [
        {"name": "b", "version": "2", "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "MIT License"}}]},
        {"name": "A", "version": "1", "licenses": [{"expression": "MIT OR Apache-2.0"}]},
        {"name": "c", "version": "3"},
    ]
    found = sbom.licenses({"components": components})
    assert found == "A 1: MIT OR Apache-2.0\nb 2: MIT, MIT License\nc 3: not named\n"


@pytest.mark.prove
def test_whole(tmp_path: Path) -> None:
    """The document has what requirements.txt has for this Python, and a license for each package."""
    assert sbom.main(["--python", THIS, "--to", str(tmp_path / "sbom")]) == 0
    document = json.loads((tmp_path / "sbom" / "call-invites.cdx.json").read_text(encoding="utf-8"))
    assert document["bomFormat"] == "CycloneDX"
    described = {re.sub(r"[-_.]+", "-", one["name"]).lower() for one in document["components"]}
    locked = set(re.findall(r"^([a-z0-9-]+)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    assert described <= locked
    assert {"azure-functions", "pydantic", "cryptography", "cffi"} <= described
    assert "not named" not in (tmp_path / "sbom" / "licenses.txt").read_text(encoding="utf-8")
