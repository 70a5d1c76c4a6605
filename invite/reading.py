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
from invite.rules import faults_across_members
from web.errors import BadRequest, Fault, TooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

    from domain.clouds import Cloud
    from web.answers import Request

LARGEST_BODY = 1024 * 1024
_MOST_FAULTS = 100
_NAME = re.compile(r"[A-Za-z_@][A-Za-z0-9_@.-]{0,63}")
Body = TypeVar("Body", bound=BaseModel)


def read_body(request: Request, model: type[Body], cloud: Cloud) -> Body:
    """Return the validated body of an invite.

    Raises:
        BadRequest: with all that is wrong.
        TooLarge: it has more than 1 MiB.
    """
    if len(request.body) > LARGEST_BODY:
        message = "The body is larger than 1 MiB. Invite at most 50 people in one request."
        raise TooLarge("BodyTooLarge", message)
    body = without_blanks(_json_object(request), model)
    across = list(faults_across_members(body, IDENTITY_KINDS, cloud))
    try:
        validated = model.model_validate(body)
    except ValidationError as error:
        single = [_fault(entry, model) for entry in error.errors(include_url=False, include_input=False)]
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
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().casefold()
    if content_type != "application/json" and not content_type.endswith("+json"):
        message = "Send the body as JSON, with the header Content-Type: application/json."
        raise BadRequest("WrongContentType", message, target="Content-Type")
    if not request.body.strip():
        message = 'The body is empty. Send JSON such as {"participants": [...]}, with a Content-Length.'
        raise BadRequest("EmptyBody", message)
    try:
        body = json.loads(request.body.decode("utf-8-sig"), object_pairs_hook=_object)
    except _GivenTwice as error:
        message = "A member is given twice in one object. Keep one of the two."
        raise BadRequest("MemberGivenTwice", message, target=error.name) from None
    except (ValueError, RecursionError):
        message = "The body is not JSON. Check quotes, commas and brackets, and that it is UTF-8."
        raise BadRequest("NotJson", message) from None
    if not isinstance(body, dict):
        message = 'The body is not a JSON object. Send {"participants": [...]}.'
        raise BadRequest("NotAnObject", message)
    return body


class _GivenTwice(Exception):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _GivenTwice(twice if twice.isidentifier() and len(twice) <= 64 else "")  # noqa: PLR2004
    return members


_PLAIN_FAULTS = {
    "missing": ("Missing", "It is missing. Add it."),
    "string_type": ("WrongType", "It has to be a text in quotes."),
    "string_too_short": ("Empty", "It is empty. Fill it in."),
    "string_too_long": ("TooLong", "It is too long. Shorten it."),
    "string_pattern_mismatch": ("InvalidCharacters", "It holds control characters. Remove them."),
    "string_unicode": ("InvalidCharacters", "It holds characters that are not valid Unicode. Remove them."),
    "bool_type": ("WrongType", "It has to be true or false, without quotes."),
    "list_type": ("WrongType", "It has to be a list in square brackets."),
    "model_type": ("WrongType", "It has to be an object in curly brackets."),
    "model_attributes_type": ("WrongType", "It has to be an object in curly brackets."),
    "dict_type": ("WrongType", "It has to be an object in curly brackets."),
    "too_short": ("Empty", "It is empty. Name at least one participant."),
    "too_long": ("TooMany", "There are too many. Invite at most 50 people in one request."),
    "literal_error": ("WrongType", "Leave it out, or write #microsoft.graph.invitationParticipantInfo."),
}


def _fault(entry: ErrorDetails, model: type[BaseModel]) -> Fault:
    kind, target = entry["type"], _path(entry["loc"])
    if kind == "extra_forbidden":
        known = ", ".join(known_members(_model_at(entry["loc"], model)))
        return Fault("UnknownMember", f"There is no such member. Known here: {known}.", target)
    code, message = _PLAIN_FAULTS.get(kind, (kind, entry["msg"]))
    return Fault(code, message, target)


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            # A member's name comes from the caller too: it is shown only where it could be a name that was mistyped.
            name = step if _NAME.fullmatch(step) else "?"
            path += f".{name}" if path else name
    return path


def _model_at(location: tuple[int | str, ...], model: type[BaseModel]) -> type[BaseModel]:
    """Return the form of the object in which an unknown property stands."""
    for step in location[:-1]:
        if isinstance(step, str):
            model = inner_model(model, step) or model
    return model
