"""Schemas of Swagger 2.0 as the flow designer shows them: each member with a name and a sentence for makers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]
Visibility = Literal["important", "advanced", "internal"]


class Words(NamedTuple):
    """What a maker reads at a field, and how prominently it is shown."""

    summary: str
    """Title Case, at most 80 characters."""
    description: str
    """A sentence."""
    visibility: Visibility | None = None


def described(schema: Schema, words: Words) -> Schema:
    """Return a schema with a maker's words on it."""
    shown: Schema = {"x-ms-summary": words.summary, "description": words.description}
    if words.visibility is not None:
        shown["x-ms-visibility"] = words.visibility
    return {**schema, **shown}


def text(words: Words, *, nullable: bool = False, **more: Any) -> Schema:
    """Return the schema of a text."""
    return described(_nullable({"type": "string", **more}, nullable=nullable), words)


def moment(words: Words, *, nullable: bool = False) -> Schema:
    """Return the schema of a time in ISO 8601."""
    return text(words, nullable=nullable, format="date-time")


def whole_number(words: Words, *, nullable: bool = False) -> Schema:
    """Return the schema of a whole number."""
    return described(_nullable({"type": "integer", "format": "int32"}, nullable=nullable), words)


def flag(words: Words, *, nullable: bool = False) -> Schema:
    """Return the schema of yes or no."""
    return described(_nullable({"type": "boolean"}, nullable=nullable), words)


def choice(words: Words, names: Mapping[str, str]) -> Schema:
    """Return the schema of one of a few texts.

    Args:
        words: of the field.
        names: what a maker reads, by the text that is sent.
    """
    values = [{"value": value, "displayName": name} for value, name in names.items()]
    return described({"type": "string", "enum": list(names), "x-ms-enum-values": values}, words)


def structure(properties: Mapping[str, Schema], words: Words | None = None, *, nullable: bool = False) -> Schema:
    """Return the schema of an object."""
    schema = _nullable({"type": "object", "properties": dict(properties)}, nullable=nullable)
    return schema if words is None else described(schema, words)


def listing(items: Schema, words: Words) -> Schema:
    """Return the schema of a list."""
    return described({"type": "array", "items": items}, words)


def _nullable(schema: Schema, *, nullable: bool) -> Schema:
    # Swagger 2.0 has no null; the flow engine does not mind one, and other tools know this extension.
    return {**schema, "x-nullable": True} if nullable else schema
