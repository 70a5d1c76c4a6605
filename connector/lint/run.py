"""Running the rules over files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from connector.lint.fields import FIELDS
from connector.lint.findings import Document, Finding
from connector.lint.info import DOCUMENT
from connector.lint.package import ICON, PROPERTIES, TEXT, Image, read_png
from connector.lint.paths import OPERATIONS
from connector.lint.webhooks import WEBHOOKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from connector.lint.findings import Rule

_DEFINITION = [*DOCUMENT.rules, *OPERATIONS.rules, *FIELDS.rules, *WEBHOOKS.rules]
RULES: list[Rule] = [*_DEFINITION, *PROPERTIES.rules, *ICON.rules, *TEXT.rules]
"""All rules of all kinds of files."""


def lint_definition(document: Document) -> list[Finding]:
    """Return what is wrong with a definition."""
    return _found(_DEFINITION, document)


def lint_properties(document: Document) -> list[Finding]:
    """Return what is wrong with an ``apiProperties.json``."""
    return _found(PROPERTIES.rules, document)


def lint_text(text: str) -> list[Finding]:
    """Return what is wrong with how a file is written."""
    return _found(TEXT.rules, text)


def lint_icon(image: Image) -> list[Finding]:
    """Return what is wrong with an icon."""
    return _found(ICON.rules, image)


def _found(rules: Iterable[Rule], subject: Any) -> list[Finding]:
    return [finding for rule in rules for finding in rule.findings(subject)]


def lint_files(paths: Iterable[Path]) -> Iterator[Finding]:
    """Return what is wrong with files; each place begins with the file's name.

    An icon is compared with the ``apiProperties.json`` beside it; of other JSON files only the text is looked at.

    Raises:
        OSError, ValueError: a file can't be read.
    """
    for path in paths:
        for finding in _lint_file(path):
            yield Finding(finding.rule, finding.message, f"{path}#{finding.place}")


def _lint_file(path: Path) -> list[Finding]:
    if path.suffix == ".png":
        properties = json.loads((path.parent / "apiProperties.json").read_text(encoding="utf-8"))
        return lint_icon(read_png(path.read_bytes(), properties["properties"]["iconBrandColor"]))
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    findings = lint_text(text)
    if path.name.endswith(".swagger.json") or "paths" in document:
        findings += lint_definition(document)
    elif "properties" in document:
        findings += lint_properties(document)
    return findings
