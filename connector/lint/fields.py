"""Rules about parameters and schemas: what a maker fills in and gets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connector.lint.findings import Break, Register, pointer
from connector.lint.walk import members, operations, parameters, references, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.lint.findings import Document
    from connector.lint.walk import Member

FIELDS = Register()
_rule = FIELDS.rule
_LONGEST_SUMMARY = 80
_VISIBILITIES = {"important", "advanced", "internal"}
_ENCODINGS = {"single", "double"}
_DYNAMIC = ("x-ms-dynamic-values", "x-ms-dynamic-list", "x-ms-dynamic-schema", "x-ms-dynamic-properties")


def _all_parameters(document: Document) -> Iterator[tuple[Document, str]]:
    for operation in operations(document):
        yield from parameters(document, operation)


def _shown_properties(document: Document) -> Iterator[Member]:
    for member in members(document):
        is_internal = member.schema.get("x-ms-visibility") == "internal"
        if member.name is not None and member.shown and not is_internal and "$ref" not in member.schema:
            yield member


@_rule("parameter-summary", "The 'x-ms-summary' property is required.")
def _parameter_summary(document: Document) -> Iterator[Break]:
    for parameter, place in _all_parameters(document):
        if parameter.get("x-ms-visibility") != "internal" and not parameter.get("x-ms-summary"):
            yield Break(place)


@_rule("parameter-description", "The 'description' property is required on parameters.")
def _parameter_description(document: Document) -> Iterator[Break]:
    for parameter, place in _all_parameters(document):
        if parameter.get("x-ms-visibility") != "internal" and not parameter.get("description"):
            yield Break(place)


@_rule("property-summary", "The 'x-ms-summary' property is required on properties.")
def _property_summary(document: Document) -> Iterator[Break]:
    for member in _shown_properties(document):
        if not (member.schema.get("x-ms-summary") or member.schema.get("title")):
            yield Break(member.place)


@_rule("property-description", "The 'description' property is required on properties.")
def _property_description(document: Document) -> Iterator[Break]:
    for member in _shown_properties(document):
        if not member.schema.get("description"):
            yield Break(member.place)


@_rule("summary-too-long", f"The 'x-ms-summary' may have at most {_LONGEST_SUMMARY} characters.")
def _summary_too_long(document: Document) -> Iterator[Break]:
    named = [*_all_parameters(document), *((member.schema, member.place) for member in members(document))]
    for entry, place in named:
        if len(entry.get("x-ms-summary", "")) > _LONGEST_SUMMARY:
            yield Break(f"{place}/x-ms-summary")


@_rule("property-visibility", "The 'x-ms-visibility' of a property has to be important, advanced or internal.")
def _property_visibility(document: Document) -> Iterator[Break]:
    for member in members(document):
        if member.schema.get("x-ms-visibility", "advanced") not in _VISIBILITIES:
            yield Break(f"{member.place}/x-ms-visibility")


@_rule("path-parameter-required", "A parameter in the path has to be required.")
def _path_parameter_required(document: Document) -> Iterator[Break]:
    for parameter, place in _all_parameters(document):
        if parameter.get("in") == "path" and parameter.get("required") is not True:
            yield Break(place)


@_rule("path-parameter-declared", "The parameters in the path's braces and those declared have to be the same.")
def _path_parameter_declared(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        in_path = set(re.findall(r"\{([^}]*)\}", operation.path))
        declared = {
            parameter.get("name") for parameter, _ in parameters(document, operation) if parameter.get("in") == "path"
        }
        if in_path != declared:
            yield Break(operation.place, ", ".join(sorted(map(str, in_path ^ declared))))


@_rule("url-encoding-missing", "A parameter in the path needs 'x-ms-url-encoding': single or double.")
def _url_encoding_missing(document: Document) -> Iterator[Break]:
    for parameter, place in _all_parameters(document):
        if parameter.get("in") == "path" and parameter.get("x-ms-url-encoding") not in _ENCODINGS:
            yield Break(place)


@_rule("url-encoding-elsewhere", "Only a parameter in the path may have 'x-ms-url-encoding'.")
def _url_encoding_elsewhere(document: Document) -> Iterator[Break]:
    for parameter, place in _all_parameters(document):
        if parameter.get("in") != "path" and "x-ms-url-encoding" in parameter:
            yield Break(place)


@_rule("connection-id", "No parameter may be called connectionId: the platform uses that name.")
def _connection_id(document: Document) -> Iterator[Break]:
    for parameter, place in _all_parameters(document):
        if parameter.get("name", "").casefold() == "connectionid":
            yield Break(place)


def _inputs(document: Document) -> Iterator[tuple[Document, str, bool]]:
    """Go through parameters and properties of bodies, with whether each is required."""
    for parameter, place in _all_parameters(document):
        if "schema" not in parameter:
            yield parameter, place, bool(parameter.get("required"))
    for holder in members(document):
        required = holder.schema.get("required")
        names = required if isinstance(required, list) else []
        for name, inner in holder.schema.get("properties", {}).items():
            yield inner, holder.place + pointer("properties", name), name in names


@_rule("internal-required", "What is internal and required needs a default: a maker can't fill it in.")
def _internal_required(document: Document) -> Iterator[Break]:
    for entry, place, required in _inputs(document):
        is_internal = entry.get("x-ms-visibility") == "internal"
        if is_internal and required and "default" not in entry and not entry.get("x-ms-notification-url"):
            yield Break(place)


@_rule("internal-default", "What is internal and has a default has to be required, or the default is never sent.")
def _internal_default(document: Document) -> Iterator[Break]:
    for entry, place, required in _inputs(document):
        if entry.get("x-ms-visibility") == "internal" and "default" in entry and not required:
            yield Break(place)


@_rule("required-form", "The 'required' of a schema is a list that is not empty, on an object.")
def _required_form(document: Document) -> Iterator[Break]:
    for member in members(document):
        if "required" in member.schema:
            required = member.schema["required"]
            if not isinstance(required, list) or not required or member.schema.get("type") != "object":
                yield Break(f"{member.place}/required")


@_rule("required-unknown", "A member that is required is not defined.")
def _required_unknown(document: Document) -> Iterator[Break]:
    for member in members(document):
        required = member.schema.get("required")
        known = member.schema.get("properties", {})
        for name in required if isinstance(required, list) else []:
            if name not in known:
                yield Break(f"{member.place}/required", str(name))


@_rule("array-items", "An array needs 'items'.")
def _array_items(document: Document) -> Iterator[Break]:
    entries = [*_all_parameters(document), *((member.schema, member.place) for member in members(document))]
    for entry, place in entries:
        if entry.get("type") == "array" and not entry.get("items"):
            yield Break(place)


@_rule("enum-duplicate", "An enumeration has the same value twice.")
def _enum_duplicate(document: Document) -> Iterator[Break]:
    entries = [*_all_parameters(document), *((member.schema, member.place) for member in members(document))]
    for entry, place in entries:
        values = [repr(value) for value in entry.get("enum", [])]
        if len(values) != len(set(values)):
            yield Break(f"{place}/enum")


@_rule("enum-names", "The names of an enumeration have to name its values, each once.")
def _enum_names(document: Document) -> Iterator[Break]:
    for member in members(document):
        if "x-ms-enum-values" in member.schema:
            named = [entry.get("value") for entry in member.schema["x-ms-enum-values"]]
            if sorted(map(repr, named)) != sorted({repr(value) for value in member.schema.get("enum", [])}):
                yield Break(f"{member.place}/x-ms-enum-values")


@_rule("unique-items", "The keyword 'uniqueItems' is not supported.")
def _unique_items(document: Document) -> Iterator[Break]:
    entries = [*_all_parameters(document), *((member.schema, member.place) for member in members(document))]
    for entry, place in entries:
        if "uniqueItems" in entry:
            yield Break(f"{place}/uniqueItems")


@_rule("schema-empty", "A schema may not be empty.")
def _schema_empty(document: Document) -> Iterator[Break]:
    for member in members(document):
        schema = member.schema
        is_bare_object = schema.get("type") == "object" and not any(
            schema.get(part) for part in ("properties", "additionalProperties", "allOf", *_DYNAMIC)
        )
        if not schema or is_bare_object:
            yield Break(member.place)


@_rule("dynamic-target", "A dynamic field names an operation, or a parameter of it, that is not there.")
def _dynamic_target(document: Document) -> Iterator[Break]:
    known = {operation.body.get("operationId"): operation for operation in operations(document)}
    entries = [*_all_parameters(document), *((member.schema, member.place) for member in members(document))]
    for entry, place in entries:
        for extension in _DYNAMIC:
            if extension not in entry:
                continue
            operation = known.get(entry[extension].get("operationId"))
            if operation is None:
                yield Break(place + pointer(extension), "operation")
                continue
            names = {str(parameter.get("name")) for parameter, _ in parameters(document, operation)}
            for name in entry[extension].get("parameters", {}):
                if name not in names:
                    yield Break(place + pointer(extension), name)


@_rule("definition-unused", "A definition is not used.")
def _definition_unused(document: Document) -> Iterator[Break]:
    used = {id(resolve(document, holder)) for holder, _ in references(document)}
    for name, schema in document.get("definitions", {}).items():
        if id(schema) not in used:
            yield Break(pointer("definitions", name))
