"""The bodies that the app takes, from its own pydantic models, as a flow designer's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector import words
from connector.schema import Schema, described, structure
from invite.request import IDENTITY_KINDS, IdentitySet, InvitationParticipantInfo

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

_LIMITS = {"maxLength": "maxLength", "minLength": "minLength", "minItems": "minItems", "maxItems": "maxItems"}


class NoWords(LookupError):
    """The app takes a member that the connector has no words for; add them, or say in LEFT_OUT why not."""


def body_schema(model: type[BaseModel]) -> Schema:
    """Return the form of a body.

    Raises:
        NoWords: the app has a member that ``connector.words`` does not know.
    """
    return _structure(model)


def _structure(model: type[BaseModel]) -> Schema:
    properties: dict[str, Schema] = {}
    for field_name, member in model.model_fields.items():
        name = member.alias or field_name
        if name in words.LEFT_OUT:
            continue
        key = f"{_owner(model, field_name)}.{name}"
        if key not in words.MEMBERS:
            raise NoWords(key)
        properties[name] = described(_member(model, name), words.MEMBERS[key])
        if name == "callbackUrl":
            properties[name]["x-ms-notification-url"] = True
    return _with_required(structure(properties), model.model_fields)


def _owner(model: type[BaseModel], field_name: str) -> str:
    """Return the name by which a member's words are found: the model's own, or that of a model it is derived from."""
    name = model.__name__
    if f"{name}.{field_name}" in words.MEMBERS:
        return name
    bases = (base for base in model.__mro__ if f"{base.__name__}.{field_name}" in words.MEMBERS)
    return next(bases, model).__name__


def _member(model: type[BaseModel], name: str) -> Schema:
    if name == "identity":
        return _identity_set()
    own = _own_schema(model, name)
    if name == "participants":
        limits = {ours: own[theirs] for theirs, ours in _LIMITS.items() if theirs in own}
        return {"type": "array", "items": _structure(InvitationParticipantInfo), **limits}
    return own


def _identity_set() -> Schema:
    kinds: dict[str, Schema] = {}
    for kind in IDENTITY_KINDS:
        if kind not in words.KINDS:
            raise NoWords(f"IdentitySet.{kind}")
        model = _model_of(IdentitySet.model_fields[kind])
        shown: dict[str, Schema] = {}
        for field_name, member in model.model_fields.items():
            name = member.alias or field_name
            key = f"{kind}.{name}"
            if key in words.IDENTITY_MEMBERS:
                shown[name] = described(_own_schema(model, name), words.IDENTITY_MEMBERS[key])
            elif name not in words.LEFT_OUT and name not in words.ONLY_SOME_KINDS:
                raise NoWords(key)
        # Its id is not marked as required: some designers would then ask for the ids of all kinds at once.
        kinds[kind] = described(structure(shown), words.KINDS[kind])
    return structure(kinds)


def _model_of(member: FieldInfo) -> type[BaseModel]:
    (model,) = (part for part in member.annotation.__args__ if part is not type(None))  # type: ignore[union-attr]
    found: type[BaseModel] = model
    return found


def _own_schema(model: type[BaseModel], name: str) -> Schema:
    """Return type and limits of a member, without the null that pydantic allows for absent ones."""
    schema: dict[str, Any] = model.model_json_schema()["properties"][name]
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    own = options[0]
    return {"type": own["type"], **{ours: own[theirs] for theirs, ours in _LIMITS.items() if theirs in own}}


def _with_required(schema: Schema, fields: dict[str, FieldInfo]) -> Schema:
    required = [member.alias or name for name, member in fields.items() if member.is_required()]
    return {**schema, "required": required} if required else schema
