"""The parts of a definition that rules look at, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connector.lint.findings import Document, pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


class Operation(NamedTuple):
    """An operation and where it is."""

    path: str
    method: str
    body: Document
    place: str
    item: Document
    """The path's whole entry."""

    @property
    def is_internal(self) -> bool:
        """Whether makers never see it."""
        return self.body.get("x-ms-visibility") == "internal"

    @property
    def is_trigger(self) -> bool:
        """Whether it starts flows."""
        return "x-ms-trigger" in self.body


class Member(NamedTuple):
    """A schema and where it is; ``name`` is a property's name, or none."""

    schema: Document
    place: str
    name: str | None
    required: bool
    """Whether it and all that it is in are required."""
    shown: bool
    """Whether it and all that it is in may be seen by a maker."""


def operations(document: Document) -> Iterator[Operation]:
    """Go through all operations."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield Operation(path, method, item[method], pointer("paths", path, method), item)


def parameters(document: Document, operation: Operation) -> Iterator[tuple[Document, str]]:
    """Go through an operation's parameters, those of its path included; references are followed."""
    shared = pointer("paths", operation.path)
    for place, entries in (
        (shared, operation.item.get("parameters", [])),
        (operation.place, operation.body.get("parameters", [])),
    ):
        for number, entry in enumerate(entries):
            found = resolve(document, entry) if "$ref" in entry else entry
            yield found or {}, place + pointer("parameters", number)


def responses(operation: Operation) -> Iterator[tuple[str, Document, str]]:
    """Go through an operation's responses, by status."""
    for status, response in operation.body.get("responses", {}).items():
        yield str(status), response, operation.place + pointer("responses", status)


def roots(document: Document) -> Iterator[tuple[Document, str, bool]]:
    """Go through the outermost schemas: of bodies, answers, outcomes and definitions; the last says: required."""
    for path, item in document.get("paths", {}).items():
        content = item.get("x-ms-notification-content", {})
        if "schema" in content:
            yield content["schema"], pointer("paths", path, "x-ms-notification-content", "schema"), False
    for operation in operations(document):
        for parameter, place in parameters(document, operation):
            if "schema" in parameter:
                yield parameter["schema"], f"{place}/schema", bool(parameter.get("required"))
        for _, response, place in responses(operation):
            if "schema" in response:
                yield response["schema"], f"{place}/schema", False
    for name, schema in document.get("definitions", {}).items():
        yield schema, pointer("definitions", name), False


def members(document: Document) -> Iterator[Member]:
    """Go through all schemas, outermost ones first; references are not followed."""
    for schema, place, required in roots(document):
        yield from _inside(Member(schema, place, None, required, shown=True))


def _inside(member: Member) -> Iterator[Member]:
    yield member
    schema, place = member.schema, member.place
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    shown = member.shown and schema.get("x-ms-visibility") != "internal"
    for name, inner in schema.get("properties", {}).items():
        yield from _inside(
            Member(inner, place + pointer("properties", name), name, member.required and name in names, shown)
        )
    if isinstance(schema.get("items"), dict):
        yield from _inside(Member(schema["items"], f"{place}/items", None, member.required, shown))
    for number, part in enumerate(schema.get("allOf", [])):
        yield from _inside(Member(part, place + pointer("allOf", number), None, member.required, shown))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _inside(
            Member(schema["additionalProperties"], f"{place}/additionalProperties", None, required=False, shown=shown)
        )


def references(value: Any, place: str = "") -> Iterator[tuple[Document, str]]:
    """Go through all objects that have a ``$ref``."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value, place
        for name, inner in value.items():
            yield from references(inner, place + pointer(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from references(inner, place + pointer(number))


def resolve(document: Document, schema: Document) -> Document | None:
    """Follow a reference; None where it leads nowhere."""
    found: Any = document
    for step in str(schema["$ref"]).removeprefix("#/").split("/"):
        if not isinstance(found, dict) or step not in found:
            return None
        found = found[step]
    return found if isinstance(found, dict) else None
