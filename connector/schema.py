"""JSON schemas of every body and response, from the pydantic models, with a maker's words on each property."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from connector import responses, watching
from connector.operations import OPERATIONS
from connector.words import KINDS, MEMBERS, Words

if TYPE_CHECKING:
    from pydantic_core import core_schema

Schema = dict[str, Any]
REFERENCE = "#/components/schemas/"
_GUID = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
# The action that fills a pick list of calls.
_OPEN_CALLS: Schema = {
    "operationId": OPERATIONS["list_calls"].action,
    "value-collection": "value",
    "value-path": "id",
    "value-title": "title",
    "parameters": {},
}
# What the validators of ``invite.request`` accept, by their names.
_FORMS: dict[str, Schema] = {
    "_guid": {"pattern": f"^{_GUID}$"},
    "_e164": {"minLength": 4, "maxLength": 250, "pattern": "\\+"},
    "_call_reference": {"minLength": 1, "maxLength": 256, "pattern": "^[0-9A-Za-z_:.@=+-]*[0-9A-Za-z_-]$"},
    "_client_context": {"maxLength": 256, "pattern": "^[ -~]*[!-~][ -~]*$"},
}


class NoWords(LookupError):
    """The app accepts something that the connector has no words for: add them to ``words`` or ``operations``."""


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the library calls it
        return False

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> Schema:
        name = getattr(schema["function"]["function"], "__name__", "")
        if name not in _FORMS:
            raise NoWords(f"validator {name}")
        return {**super().function_after_schema(schema), **_FORMS[name]}


def schemas() -> dict[str, Schema]:
    """Return every schema by name; a maker's words are in ``x-ms-summary`` and ``description``.

    Raises:
        NoWords: a property of a body has no words.
    """
    bodies = {operation.body for operation in OPERATIONS.values() if operation.body is not None}
    answers = {operation.response for operation in OPERATIONS.values() if operation.response is not None}
    models = sorted(bodies | answers | {responses.Error}, key=lambda model: model.__name__)
    _, made = models_json_schema(
        [(model, "validation") for model in models], schema_generator=_Generator, ref_template=REFERENCE + "{model}"
    )
    return {name: _tidy(name, schema) for name, schema in sorted(made["$defs"].items())}


def described(schema: Schema, words: Words) -> Schema:
    """Return a schema with a maker's words."""
    shown: Schema = {"x-ms-summary": words.summary, "description": words.description}
    if words.is_call:
        shown["x-ms-dynamic-values"] = _OPEN_CALLS
    return {**schema, **shown, **({"x-ms-visibility": words.visibility} if words.visibility else {})}


def _tidy(name: str, schema: Schema) -> Schema:
    kept = {key: value for key, value in schema.items() if key not in ("title", "description")}
    if "properties" not in schema:
        return kept
    properties = {member: _member(name, member, inner) for member, inner in schema["properties"].items()}
    if name == "IdentitySet":
        del properties["@odata.type"]
        kept |= {"minProperties": 1, "maxProperties": 1}
    return {**kept, "properties": properties}


def _member(model: str, name: str, schema: Schema) -> Schema:
    kept = _nullable({key: value for key, value in schema.items() if key != "default"})
    # Responses have their words in the model; those of an identity's properties differ from kind to kind.
    if hasattr(responses, model) or hasattr(watching, model) or model.endswith("Identity") or name == "@odata.type":
        return kept
    if name not in (KINDS if model == "IdentitySet" else MEMBERS):
        raise NoWords(f"{model}.{name}")
    return described(
        kept, KINDS[name].words if model == "IdentitySet" else MEMBERS.get(f"{model}.{name}", MEMBERS[name])
    )


def _nullable(schema: Schema) -> Schema:
    """Write ``anyOf: [one type, null]`` as a list of types."""
    inner, *others = schema.get("anyOf", [schema])
    if others != [{"type": "null"}] or "type" not in inner:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    made = {**inner, "type": [inner["type"], "null"], **rest}
    return {**made, "enum": [*made["enum"], None]} if "enum" in made else made
