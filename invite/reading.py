"""From the bytes of a request to a validated invite, or to every fault of it at once."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from domain.invitation import Invitee
from invite.request import (
    IDENTITY_KINDS,
    InvitationParticipantInfo,
    inner_model,
    known_members,
    without_blanks,
)
from invite.rules import ID_NAMES, faults_across_members
from web.bodies import content_of
from web.errors import BadRequest, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

    from domain.clouds import Cloud
    from domain.configuration.callers import PhonePrefixes
    from web.answers import Request

LARGEST_BODY = 1024 * 1024
# Fifty people with ten faults each.
_MOST_FAULTS = 500
# No object has half as many; each further one would be a fault of its own.
_MOST_PROPERTIES = 50
_NAME = re.compile(r"[A-Za-z_@][A-Za-z0-9_@.-]{0,63}")
Body = TypeVar("Body", bound=BaseModel)


def read_body(request: Request, model: type[Body], cloud: Cloud, prefixes: PhonePrefixes) -> Body:
    """Return the validated body of an invite.

    Args:
        request: with the body.
        model: the body's form.
        cloud: whose schema counts.
        prefixes: which phone numbers may be called.

    Raises:
        BadRequest: with all that is wrong.
        TooLarge: it has more than 1 MiB.
    """
    body = without_blanks(_json_object(request), model)
    across = list(faults_across_members(body, IDENTITY_KINDS, cloud))
    try:
        validated = model.model_validate(body, context=prefixes)
    except ValidationError as error:
        single = [_fault(entry, model) for entry in error.errors(include_url=False)[:_MOST_FAULTS]]
        raise BadRequest.of((single + across)[:_MOST_FAULTS]) from None
    if across:
        raise BadRequest.of(across[:_MOST_FAULTS])
    return validated


def invitees(participants: Sequence[InvitationParticipantInfo]) -> tuple[Invitee, ...]:
    """Return the people of a validated body."""
    return tuple(_invitee(entry) for entry in participants)


def _invitee(entry: InvitationParticipantInfo) -> Invitee:
    kind = next(kind for kind in IDENTITY_KINDS if getattr(entry.identity, kind) is not None)
    identity = getattr(entry.identity, kind)
    members = identity.model_dump(exclude_none=True)
    if identity.odata_type is not None:
        members["@odata.type"] = "#" + identity.odata_type.removeprefix("#")
    set_type = entry.identity.odata_type
    return Invitee(
        kind=kind,
        identity=members,
        replaces_call_id=entry.replacesCallId,
        participant_id=entry.participantId,
        hidden=entry.hidden,
        remove_from_default_audio_routing_group=entry.removeFromDefaultAudioRoutingGroup,
        identity_set_type=None if set_type is None else "#" + set_type.removeprefix("#"),
    )


def _json_object(request: Request) -> dict[str, Any]:
    content = content_of(request, LARGEST_BODY)
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().casefold()
    if content_type != "application/json" and not content_type.endswith("+json"):
        message = "The request isn't JSON. Set the header Content-Type: application/json."
        raise BadRequest("WrongContentType", message, target="Content-Type")
    if not content.strip():
        message = 'The request has no body. Send JSON such as {"participants": [...]}, with a Content-Length.'
        raise BadRequest("EmptyBody", message)
    try:
        body = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_object)
    except _TooManyProperties:
        message = f"An object has more than {_MOST_PROPERTIES} properties. Remove what doesn't belong there."
        raise BadRequest("TooManyProperties", message) from None
    except _GivenTwice as error:
        message = "A property appears twice in one object. Remove one of them."
        raise BadRequest("MemberGivenTwice", message, target=error.name) from None
    except (ValueError, RecursionError):
        message = "The body isn't valid JSON. Check quotes, commas and brackets, and use UTF-8."
        raise BadRequest("NotJson", message) from None
    if not isinstance(body, dict):
        message = 'The body isn\'t a JSON object. Send {"participants": [...]}.'
        raise BadRequest("NotAnObject", message)
    return body


class _GivenTwice(Exception):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class _TooManyProperties(Exception):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, value in pairs:
        if name in properties:
            raise _GivenTwice(name if _NAME.fullmatch(name) else "")
        properties[name] = value
    if len(properties) > _MOST_PROPERTIES:
        raise _TooManyProperties
    return properties


# By pydantic's kind: the code, and a sentence in which {0} is the property, and the other names are pydantic's.
_PLAIN_FAULTS = {
    "missing": ("Missing", "{0} is missing. Fill it in."),
    "string_type": ("WrongType", "{0} must be a string. Put it in quotes."),
    "string_too_short": ("Empty", "{0} is empty. Fill it in."),
    "string_too_long": ("TooLong", "{0} is too long. Use up to {max_length} characters."),
    "string_pattern_mismatch": (
        "InvalidCharacters",
        "{0} has characters that can't be used. Remove line breaks, tabs and other control characters.",
    ),
    "string_unicode": ("InvalidCharacters", "{0} has characters that aren't valid Unicode. Remove them."),
    "bool_type": ("WrongType", "{0} must be true or false. Remove the quotes."),
    "list_type": ("WrongType", "{0} must be an array. Put it in square brackets."),
    "model_type": ("WrongType", "{0} must be an object. Put it in curly brackets."),
    "model_attributes_type": ("WrongType", "{0} must be an object. Put it in curly brackets."),
    "dict_type": ("WrongType", "{0} must be an object. Put it in curly brackets."),
    "too_short": ("Empty", "{0} is empty. Add at least one entry."),
    "too_long": ("TooMany", "{0} has too many entries. Use up to {max_length}."),
    "literal_error": ("UnknownValue", "{0} has a wrong value. Remove it, or use {expected}."),
    "int_type": ("WrongType", "{0} must be a whole number. Remove quotes and decimals."),
    "greater_than_equal": ("OutOfRange", "{0} is too small. Use {ge} or more."),
    "less_than_equal": ("OutOfRange", "{0} is too large. Use {le} or less."),
}
_TYPE_NAME = "@odata.type"
_GUID_FAULTS = {
    "User ID": "This isn't a User ID. Use Id from the action Get user profile (V2).",
    "": "This isn't an object ID. Use one from Microsoft Entra ID, such as 12345678-90ab-cdef-1234-567890abcdef.",
}
_EMAIL = "This is an email address, not a User ID. Use Id from the action Get user profile (V2)."


def _fault(entry: ErrorDetails, model: type[BaseModel]) -> Fault:
    kind, target, value = entry["type"], _path(entry["loc"]), entry["input"]
    if kind == "extra_forbidden":
        known = ", ".join(known_members(_model_at(entry["loc"], model)))
        return Fault("UnknownMember", f"There is no such property. Known here: {known}.", target)
    name = _id_name(entry["loc"])
    if name and kind != "missing" and (value is None or (isinstance(value, str) and not value.strip())):
        return Fault(
            "Empty", f"{name} is empty: the step before returned nothing. Check the outputs of that step.", target
        )
    if kind == "NotAGuid":
        is_email = name == "User ID" and "@" in str(value)
        return Fault(kind, _EMAIL if is_email else _GUID_FAULTS.get(name, _GUID_FAULTS[""]), target)
    if kind == "literal_error" and entry["loc"][-1] == _TYPE_NAME:
        return Fault("WrongType", "Leave it out, or write #microsoft.graph.invitationParticipantInfo.", target)
    if kind not in _PLAIN_FAULTS:
        return Fault(kind, entry["msg"], target)
    code, message = _PLAIN_FAULTS[kind]
    return Fault(code, message.format(name or target.rpartition(".")[2], **entry.get("ctx", {})), target)


def _id_name(location: tuple[int | str, ...]) -> str:
    """Return what the designer calls an id, or an empty string for another property."""
    *_, kind, last = ("", "", *location)
    return ID_NAMES.get(str(kind if last == "id" else last), "")


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            # The name can be the caller's: it is shown only where it may be a misspelled one.
            name = step if _NAME.fullmatch(step) else "?"
            path += f".{name}" if path else name
    return path


def _model_at(location: tuple[int | str, ...], model: type[BaseModel]) -> type[BaseModel]:
    """Return the form of the object in which an unknown property stands."""
    for step in location[:-1]:
        if isinstance(step, str):
            model = inner_model(model, step) or model
    return model
