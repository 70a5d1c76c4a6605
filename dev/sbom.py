"""Writes what the deployed package is made of: a CycloneDX document (https://cyclonedx.org), and a list of licenses.

    python -m dev.sbom --to .local/sbom

The packages of requirements.txt are installed into an environment of their own, their hashes checked, and described
from there: that is where their licenses are. The hashes come from requirements.txt.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv import find_uv_bin

from dev.build import _DEFAULT, _VERSIONS, LOCK, CannotBuild, interpreter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).parents[1]
_CYCLONEDX = (sys.executable, "-m", "cyclonedx_py")
# The same packages give the same document: no serial number, no time.
_FORM = ("--output-reproducible", "--output-format", "JSON", "--spec-version", "1.6")


def describe(version: str) -> dict[str, Any]:
    """Return the CycloneDX document of the packages that a Python version gets.

    Raises:
        CannotBuild: a package can't be installed, or its hash is another.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        uv = find_uv_bin()
        steps = (
            [uv, "venv", "--quiet", "--python", interpreter(version), str(environment)],
            [uv, "pip", "install", "--quiet", "--python", str(environment), "--require-hashes", "-r", str(LOCK)],
        )
        if any(subprocess.run(step, check=False).returncode for step in steps):
            raise CannotBuild("the packages could not be installed: see above; make lock renews requirements.txt")
        document = _run("environment", str(environment))
    return with_hashes(document, _run("requirements", str(LOCK))["components"])


def with_hashes(document: dict[str, Any], locked: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the document with what requirements.txt says of each package: where it comes from, and its hashes."""
    known = {(one["name"].lower(), one.get("version")): one.get("externalReferences", []) for one in locked}
    for component in document["components"]:
        found = known.get((component["name"].lower(), component["version"]), [])
        component["externalReferences"] = [*component.get("externalReferences", []), *found]
    return document


def licenses(document: Mapping[str, Any]) -> str:
    """Return a line for each package with its version and licenses, as its authors name them."""
    lines = []
    for component in document["components"]:
        names = dict.fromkeys(
            one.get("expression") or one["license"].get("id") or one["license"]["name"]
            for one in component.get("licenses", [])
        )
        lines.append(f"{component['name']} {component['version']}: {', '.join(names) or 'not named'}")
    return "\n".join(sorted(lines, key=str.lower)) + "\n"


def _run(*arguments: str) -> dict[str, Any]:
    done = subprocess.run([*_CYCLONEDX, *arguments, *_FORM], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuild(done.stderr.strip())
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m dev.sbom", description="Writes what the package is made of.")
    parser.add_argument("--python", choices=_VERSIONS, default=_DEFAULT, help="of the function app")
    parser.add_argument("--to", type=Path, default=ROOT / ".local" / "sbom", help="a folder, which is replaced")
    options = parser.parse_args(arguments)
    try:
        document = describe(options.python)
    except CannotBuild as error:
        print(f"make sbom: {error}", file=sys.stderr)
        return 1
    folder: Path = options.to
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (folder / "call-invites.cdx.json").write_text(text, encoding="utf-8")
    (folder / "licenses.txt").write_text(licenses(document), encoding="utf-8")
    print(f"{folder}: {len(document['components'])} packages for Python {options.python}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
