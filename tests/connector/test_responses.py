"""What the app returns is what ``docs/openapi.yaml`` and the connector's dynamic content promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from connector import openapi, swagger
from connector.schema import REFERENCE
from domain.model import (
    CallState,
    Delivery,
    FlowCallback,
    Invitation,
    Invitee,
    KeyKind,
    Operation,
    Presence,
    ResultInfo,
    RosterEntry,
    Status,
)
from flows.views import call_view, invitation_view, roster_view
from web.errors import BadRequest, Fault
from web.health import unconfigured

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ID = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CALLBACK = FlowCallback("https://x", "m", Delivery.WAITING)


def _invitation(callback: FlowCallback | None) -> Invitation:
    people = (
        Invitee("user", {"id": "u", "displayName": "U"}, "c2", "p", hidden=True),
        Invitee("phone", {"id": "+1"}, remove_from_default_audio_routing_group=True),
    )
    parts = (
        Operation("x~1of2", (0,), Status.FAILED, "o1", ResultInfo(603, 0, "Declined")),
        Operation("x~2of2", (1,), Status.COMPLETED, "o2"),
    )
    return Invitation(ID, "c", "x", KeyKind.FRESH, "f", people, parts, NOW, NOW, NOW, "t", "w", NOW, callback)


def _responses() -> dict[str, list[Any]]:
    full = _invitation(replace(CALLBACK, state=Delivery.DUE, attempts=1, last_attempt=NOW, last_status=503))
    running = replace(_invitation(CALLBACK), operations=(Operation("x", (0, 1)),))
    views = [invitation_view(entry, {}) for entry in (full, running, replace(running, callback=None))]
    entry = RosterEntry("k", "user", {"id": "u"}, None, Presence.LEFT, None, NOW, NOW)
    call = CallState("c", NOW, NOW, "terminated", ResultInfo(0, 0, None))
    fault = Fault("Missing", "Add it.", "participants")
    return {
        "Invitation": views,
        "Invitations": [{"value": views}],
        "Call": [call_view(call), call_view(replace(call, result=None))],
        "PeopleInCall": [{"value": roster_view([entry], include_left=True)}],
        "Error": [BadRequest.of([fault, fault]).body()],
        "Health": [unconfigured(["A setting is missing."]).body],
    }


@pytest.mark.parametrize("name", _responses())
def test_openapi(name: str) -> None:
    """OpenAPI 3.1: a response has exactly the described properties, of the described types."""
    schema = {"$ref": REFERENCE + name, "components": openapi.document()["components"]}
    for response in _responses()[name]:
        jsonschema.Draft202012Validator(schema).validate(response)


@pytest.mark.parametrize("name", swagger.definition()["definitions"])
def test_dynamic_content(name: str) -> None:
    """The connector: the same; and no property is promised that the app never returns."""
    definitions = swagger.definition()["definitions"]
    schema = {**_strict(definitions[name]), "definitions": _strict(definitions)}
    for response in _responses()[name]:
        jsonschema.Draft4Validator(schema).validate(response)
    returned = {path for response in _responses()[name] for path in _paths(response)}
    promised = {path for path in _promised(definitions[name], definitions) if ".identity." not in path}
    assert promised <= returned


def _strict(schema: Any) -> Any:
    """Refuse what a schema doesn't name, and allow null where it is marked."""
    if isinstance(schema, list):
        return [_strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(value) for name, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        strict["additionalProperties"] = False
    return {"anyOf": [strict, {"type": "null"}]} if strict.pop("x-nullable", False) else strict


def _paths(value: Any, path: str = "") -> set[str]:
    if isinstance(value, list):
        return {found for entry in value for found in _paths(entry, path)}
    if isinstance(value, dict):
        return {path}.union(*(_paths(entry, f"{path}.{name}") for name, entry in value.items()))
    return {path}


def _promised(schema: Any, definitions: Any, path: str = "") -> set[str]:
    if "$ref" in schema:
        return _promised(definitions[schema["$ref"].rpartition("/")[2]], definitions, path)
    if "items" in schema:
        return _promised(schema["items"], definitions, path)
    inner = schema.get("properties", {}).items()
    return {path}.union(*(_promised(member, definitions, f"{path}.{name}") for name, member in inner))
