"""The Bicep of infra/, parsed, and what tests ask of it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pycep import BicepParser

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
FILES = sorted(path.relative_to(ROOT).as_posix() for path in INFRA.rglob("*.bicep"))


def text(file: str) -> str:
    """Return a file of the project."""
    return (ROOT / file).read_text(encoding="utf-8")


@cache
def bicep(file: str) -> Any:
    """Parse a file of infra/; raises what the parser finds wrong."""
    return BicepParser().parse(text=text(file))


def parameters(file: str) -> dict[str, Any]:
    """Return a file's parameters by name."""
    return dict(bicep(file).get("parameters", {}))


def decorator(declaration: Any, kind: str) -> Any:
    """Return what ``@kind(...)`` of a declaration holds, True for one without argument, None where there is none."""
    return next((each.get("argument", True) for each in declaration["decorators"] if each["type"] == kind), None)


def body(declaration: Any) -> Any:
    """Return what a resource or module holds, without its condition and loop."""
    config = declaration["config"]
    while "config" in config:
        config = config["config"]
    return config


def modules(file: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return a file's modules: the file of each, and what is passed to it."""
    folder = (ROOT / file).parent
    return {
        name: (
            (folder / module["detail"]["path"]).resolve().relative_to(ROOT).as_posix(),
            body(module).get("params", {}),
        )
        for name, module in bicep(file).get("modules", {}).items()
    }


def resources(file: str) -> Iterator[tuple[str, Any]]:
    """Give every resource of a file with its type and API version."""
    for resource in bicep(file).get("resources", {}).values():
        yield f"{resource['type']}@{resource['api_version']}", resource


def values(node: Any, name: str) -> list[Any]:
    """Find every value that has this name, however deep."""
    found = []
    if isinstance(node, dict):
        found += [value for key, value in node.items() if key == name]
        found += [hit for value in node.values() for hit in values(value, name)]
    elif isinstance(node, list):
        found += [hit for value in node for hit in values(value, name)]
    return found


def variable(file: str, name: str) -> Any:
    """Return a file's variable."""
    return bicep(file)["variables"][name]["value"]


def words(content: str) -> list[str]:
    """Split a file into its words, without comments and descriptions."""
    plain = re.sub(r"@description\((?:'''.*?'''|'(?:\\.|[^'])*')\)|(?<!:)//[^\n]*", "", content, flags=re.DOTALL)
    return re.findall(r"\w+", plain)
