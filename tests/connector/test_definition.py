"""The connector's definition: generated from the app, valid by all offline measures, true of what the app answers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV2SpecValidator

from connector import generate, icon, words
from connector.actions import ACTIONS, FAILURES
from connector.answers import ANSWERS
from connector.bodies import NoWords, body_schema
from connector.lint.package import read_png
from connector.routes import ROOT, routes
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
from invite.request import Identity, IdentitySet, InvitationParticipantInfo, InviteBody
from web import errors

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "connector"
SCHEMAS = ROOT / "tests" / "connector" / "schemas"
_STRING = r'"(?:\\.|[^"\\])*"'
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@cache
def _schema(name: str) -> Any:
    """Read one of Microsoft's schemas, which hold comments and commas before closing brackets."""
    text = (SCHEMAS / name).read_text(encoding="utf-8")
    bare = re.sub(rf"({_STRING})|//[^\n]*|/\*.*?\*/", lambda found: found[1] or "", text, flags=re.DOTALL)
    return json.loads(re.sub(rf"({_STRING})|,(?=\s*[}}\]])", lambda found: found[1] or "", bare))


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_files_are_as_generated() -> None:
    """The committed definitions are those of the app as it is: run ``python -m connector.generate`` after a change."""
    for path, content in generate.files().items():
        assert path.read_text(encoding="utf-8") == content, f"{path.name} is out of date: python -m connector.generate"
    drawn, kept = (read_png(png, icon.BRAND_COLOR) for png in (icon.png(), (FOLDER / "icon.png").read_bytes()))
    assert kept == drawn, "icon.png is out of date: python -m connector.icon"


@pytest.mark.parametrize("folder", [FOLDER, FOLDER / "entra"])
def test_valid_by_specification_and_schemas(folder: Path) -> None:
    """OpenAPI 2.0 and Microsoft's two JSON schemas accept the connector."""
    definition = _read(folder / "apiDefinition.swagger.json")
    assert list(OpenAPIV2SpecValidator(definition).iter_errors()) == []
    swagger = jsonschema.Draft4Validator(_schema("apiDefinition.swagger.schema.json"))
    assert [error.message for error in swagger.iter_errors(definition)] == []
    properties = jsonschema.Draft7Validator(_schema("paconn-apiProperties.schema.json"))
    assert [error.message for error in properties.iter_errors(_read(folder / "apiProperties.json"))] == []


def test_settings_sample_is_valid() -> None:
    """The sample of ``settings.json`` is one that the command line tools take."""
    schema = jsonschema.Draft7Validator(_schema("paconn-settings.schema.json"))
    assert [error.message for error in schema.iter_errors(_read(FOLDER / "settings.sample.json"))] == []


def test_every_route_is_in_the_connector() -> None:
    """Each HTTP function of the app is an operation, or it is said why not."""
    known = routes()
    assert known.keys() == ACTIONS.keys() | (words.LEFT_OUT.keys() & known.keys())
    paths = generate.definition()["paths"]
    for function, action in ACTIONS.items():
        assert paths[known[function].path][known[function].method.lower()]["operationId"] == action.operation_id


def test_a_new_route_needs_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that nobody has words for keeps the connector from being generated."""
    monkeypatch.delitem(ACTIONS, "get_call")
    with pytest.raises(NoWords, match="get_call"):
        generate.definition()


@pytest.mark.parametrize(
    ("table", "member"),
    [(words.MEMBERS, "InvitationParticipantInfo.hidden"), (words.KINDS, "guest"), (words.IDENTITY_MEMBERS, "guest.id")],
)
def test_a_new_member_needs_words(monkeypatch: pytest.MonkeyPatch, table: dict[str, Any], member: str) -> None:
    """The same for a member that the app takes."""
    monkeypatch.delitem(table, member)
    with pytest.raises(NoWords, match=member.rpartition(".")[2]):
        body_schema(InviteBody)


def test_no_words_without_a_member() -> None:
    """There are words only for what the app takes."""
    models = {action.body.__name__: action.body for action in ACTIONS.values() if action.body}
    models[InvitationParticipantInfo.__name__] = InvitationParticipantInfo
    for key in words.MEMBERS:
        model, _, member = key.partition(".")
        assert member in models[model].model_fields, key
    assert words.KINDS.keys() == IdentitySet.model_fields.keys() - {"odata_type"}
    for key in words.IDENTITY_MEMBERS:
        assert key.partition(".")[0] in words.KINDS
        assert key.partition(".")[2] in Identity.model_fields
    shown = {key.partition(".")[2] for key in words.IDENTITY_MEMBERS}
    assert shown == Identity.model_fields.keys() - {"odata_type"}, "each member of an identity is shown for some kind"


def test_every_failure_of_the_app_has_words() -> None:
    """Each status with which the app refuses is in the definition, and the other way round."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ApiError)]
    assert {int(kind.status) for kind in kinds} | {401} == set(FAILURES)


def _invitation() -> Invitation:
    people = (
        Invitee("user", {"id": "u", "displayName": "U"}, "c2", "p", hidden=True),
        Invitee("phone", {"id": "+1"}, remove_from_default_audio_routing_group=True),
    )
    parts = (
        Operation("x~1of2", (0,), Status.FAILED, "o1", ResultInfo(603, 0, "Declined")),
        Operation("x~2of2", (1,), Status.COMPLETED, "o2"),
    )
    callback = FlowCallback("https://x", "msg", Delivery.DUE, 1, NOW, 503)
    return Invitation(
        "i", "c", "x", KeyKind.FRESH, "f", people, parts, NOW, NOW, NOW, "t", "w", NOW, callback
    )  # fmt: skip


def _answers() -> dict[str, list[Any]]:
    invitation = _invitation()
    running = replace(
        invitation, operations=(Operation("x", (0, 1)),), callback=FlowCallback("https://x", "m", Delivery.WAITING)
    )
    entry = RosterEntry("k", "user", {"id": "u"}, None, Presence.LEFT, None, NOW, NOW)
    view, bare = invitation_view(invitation, {}), invitation_view(replace(running, callback=None), {})
    call = CallState("c", NOW, NOW, "terminated", ResultInfo(0, 0, None))
    return {
        "Invitation": [view, bare, invitation_view(running, {})],
        "Invitations": [{"value": [view, bare]}],
        "Call": [call_view(call), call_view(replace(call, result=None))],
        "PeopleInCall": [{"value": roster_view([entry], include_left=True)}],
    }


def _strict(schema: Any) -> Any:
    """Turn a schema of the definition into one that refuses what it does not name; null is allowed where marked."""
    if isinstance(schema, list):
        return [_strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(value) for name, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        strict["additionalProperties"] = False
    if strict.pop("x-nullable", False):
        return {"anyOf": [strict, {"type": "null"}]}
    return strict


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_as_defined(name: str) -> None:
    """What the app answers has the members that the dynamic content promises, of the promised types."""
    schema = {**_strict(ANSWERS[name]), "definitions": _strict(ANSWERS)}
    for answer in _answers()[name]:
        jsonschema.Draft4Validator(schema).validate(answer)


def test_every_member_of_answers_is_promised_truly() -> None:
    """No dynamic content is promised that the app never gives; a kind of identity is there for one person only."""
    for name, schema in ANSWERS.items():
        given = {path for answer in _answers()[name] for path in _given(answer)}
        promised = {path for path in _promised(schema) if ".identity." not in path}
        assert promised <= given, name


def _given(value: Any, path: str = "") -> set[str]:
    if isinstance(value, list):
        return {found for entry in value for found in _given(entry, path)}
    if isinstance(value, dict):
        return {
            found for name, entry in value.items() for found in {f"{path}.{name}"} | _given(entry, f"{path}.{name}")
        }
    return set()


def _promised(schema: Any, path: str = "") -> set[str]:
    if "$ref" in schema:
        return _promised(ANSWERS[schema["$ref"].rpartition("/")[2]], path)
    if "items" in schema:
        return _promised(schema["items"], path)
    return {
        found
        for name, inner in schema.get("properties", {}).items()
        for found in {f"{path}.{name}"} | _promised(inner, f"{path}.{name}")
    }
