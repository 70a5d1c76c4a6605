"""The files of infra/: their text, and for some what pycep parses out of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pycep import BicepParser

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
FILES = sorted(path.relative_to(ROOT).as_posix() for path in INFRA.rglob("*.bicep"))
MAIN = "infra/main.bicep"


def text(file: str) -> str:
    """Return a file of the project."""
    return (ROOT / file).read_text(encoding="utf-8")


@cache
def bicep(file: str) -> Any:
    """Parse main.bicep or alerts.bicep; pycep can't read all that the compiler can."""
    return BicepParser().parse(text=text(file))


def parameters() -> dict[str, Any]:
    """Return the parameters of a deployment by name."""
    return dict(bicep(MAIN)["parameters"])


def decorator(declaration: Any, kind: str) -> Any:
    """Return what ``@kind(...)`` of a declaration holds, None without it."""
    return next((each.get("argument", True) for each in declaration["decorators"] if each["type"] == kind), None)


def body(declaration: Any) -> Any:
    """Return what a resource holds, without its condition and loop."""
    config = declaration["config"]
    while "config" in config:
        config = config["config"]
    return config


def resources(file: str) -> Iterator[tuple[str, Any]]:
    """Give every resource of a file with its type and API version."""
    for resource in bicep(file).get("resources", {}).values():
        yield f"{resource['type']}@{resource['api_version']}", resource
