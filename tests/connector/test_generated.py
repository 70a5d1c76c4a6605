"""The generated files: as the code is now, and valid by their specifications and Microsoft's schemas."""

from __future__ import annotations

import json
import re
import struct
from collections import Counter
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV31SpecValidator

from connector import generate, schema, swagger
from connector.operation import STATUSES
from connector.operations import OPERATIONS
from connector.routes import ROOT, routes
from connector.words import DISPLAY_NAMES, KINDS, MEMBERS
from invite.rules import ID_NAMES
from web import errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = ROOT / "connector"
GENERATED = generate.files()
_STRING = r'"(?:\\.|[^"\\])*"'


def _microsofts(name: str) -> Any:
    """Read one of Microsoft's schemas, which have comments and trailing commas."""
    text = (ROOT / "tests" / "connector" / "schemas" / name).read_text(encoding="utf-8")
    bare = re.sub(rf"({_STRING})|//[^\n]*|/\*.*?\*/", lambda found: found[1] or "", text, flags=re.DOTALL)
    return json.loads(re.sub(rf"({_STRING})|,(?=\s*[}}\]])", lambda found: found[1] or "", bare))


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_current(path: Path) -> None:
    """A committed file is what the code generates: run ``python -m connector.generate`` after a change."""
    assert path.read_text(encoding="utf-8") == GENERATED[path]


@pytest.mark.parametrize("folder", [FOLDER, FOLDER / "entra"], ids=lambda folder: folder.name)
def test_connector_is_valid(folder: Path) -> None:
    """OpenAPI 2.0 and Microsoft's JSON schemas accept the connector."""
    definition = _read(folder / "apiDefinition.swagger.json")
    assert list(OpenAPIV2SpecValidator(definition).iter_errors()) == []
    jsonschema.Draft4Validator(_microsofts("apiDefinition.swagger.schema.json")).validate(definition)
    properties = _read(folder / "apiProperties.json")
    jsonschema.Draft7Validator(_microsofts("paconn-apiProperties.schema.json")).validate(properties)


def test_settings_sample_is_valid() -> None:
    """Microsoft's schema accepts the sample of ``settings.json``."""
    schema = jsonschema.Draft7Validator(_microsofts("paconn-settings.schema.json"))
    schema.validate(_read(FOLDER / "settings.sample.json"))


def test_description_is_valid() -> None:
    """OpenAPI 3.1 accepts the description of the API, which has every HTTP function and who may call it."""
    description = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
    assert list(OpenAPIV31SpecValidator(description).iter_errors()) == []
    found = {
        operation["operationId"]: (method.upper(), path, "security" not in operation)
        for path, item in description["paths"].items()
        for method, operation in item.items()
    }
    assert found == {name: (route.method, route.path, route.needs_key) for name, route in routes().items()}


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (OPERATIONS, "get_call"),
        (MEMBERS, "hidden"),
        (KINDS, "phone"),
        (DISPLAY_NAMES, "inLobby"),
        (schema._FORMS, "_guid"),
    ],
)
def test_new_things_need_words(monkeypatch: pytest.MonkeyPatch, table: dict[str, Any], name: str) -> None:
    """A function, property, kind of identity, value or validator without words stops the generation."""
    monkeypatch.delitem(table, name)
    with pytest.raises(LookupError, match=name):
        swagger.definition()


def test_no_unused_words() -> None:
    """All words belong to something that the app accepts, and each property of an identity is shown for some kind."""
    known = schema.schemas()
    bodies = [known[operation.body.__name__] for operation in OPERATIONS.values() if operation.body]
    members = {
        name
        for body in [*bodies, known["InvitationParticipantInfo"], known["MeetingBody"], known["StepBody"]]
        for name in body["properties"]
    }
    assert {name.rpartition(".")[2] for name in MEMBERS} <= members
    assert {name.partition(".")[0] for name in MEMBERS if "." in name} <= known.keys()
    assert KINDS.keys() == known["IdentitySet"]["properties"].keys()
    shown = {name for kind in KINDS.values() for name in kind.members}
    assert shown == known["Identity"]["properties"].keys() - {"@odata.type"}


def test_refusals_name_ids_as_shown() -> None:
    """A message about an ID names it as the designer does."""
    shown = {name: kind.members["id"].summary for name, kind in KINDS.items()}
    assert shown | {name: MEMBERS[name].summary for name in ("userId", "phoneNumber", "fromCallId")} == ID_NAMES


def test_people_are_called_separately() -> None:
    """The actions that invite several people send ``separately`` by a default that the designer hides."""
    found = 0
    for item in swagger.definition()["paths"].values():
        for parameter in item.get("post", {}).get("parameters", []):
            schema = parameter.get("schema", {})
            if "participants" in schema.get("properties", {}):
                found += 1
                hidden = schema["properties"]["separately"]
                assert (hidden["type"], hidden["default"], hidden["x-ms-visibility"]) == ("boolean", True, "internal")
                assert "separately" in schema["required"]
    assert found == 6


def test_every_status_is_described() -> None:
    """Each status of the app's errors has a description, and some function is described with it."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ApiError)]
    described = {status for operation in OPERATIONS.values() for status in operation.statuses}
    assert {int(kind.status) for kind in kinds} <= described & STATUSES.keys()


@pytest.mark.parametrize("folder", [".", "entra"])
def test_properties(folder: str) -> None:
    """The colour is our own, policies use known connection parameters, keys are secure, and makers may update it."""
    text = (FOLDER / folder / "apiProperties.json").read_text(encoding="utf-8")
    properties = json.loads(text)["properties"]
    assert properties["iconBrandColor"].casefold() not in ("#007ee5", "#ffffff")
    assert set(re.findall(r"@connectionParameters\('(\w+)'\)", text)) <= properties["connectionParameters"].keys()
    assert properties["connectionParameters"]["api_key"]["type"] == "securestring"
    assert "stackOwner" not in properties
    used = {entry["templateId"] for entry in properties["policyTemplateInstances"]}
    assert used <= {"dynamichosturl", "routerequesttoendpoint", "setheader"}


def test_routed_operations() -> None:
    """An operation with a path of its own is routed to the app's, by a path without parameters as policies have it."""
    properties = _read(FOLDER / "apiProperties.json")["properties"]
    routed = {
        name: policy["parameters"]["x-ms-apimTemplateParameter.newPath"]
        for policy in properties["policyTemplateInstances"]
        for name in policy["parameters"].get("x-ms-apimTemplate-operationName", [])
    }
    known = routes()
    expected = {entry.action: known[entry.routed[0]].path for entry in OPERATIONS.values() if entry.routed}
    assert routed == expected
    assert len(routed) == 2


def test_forms() -> None:
    """Joining needs a meeting and offers steps; a new call needs users, and has neither."""
    found = {
        entry["operationId"]: entry["parameters"][0]["schema"]
        for item in swagger.definition()["paths"].values()
        for entry in item.values()
        if "operationId" in entry and entry["operationId"].startswith(("Join", "Start"))
    }
    for action in ("JoinMeeting", "JoinMeetingAndWait"):
        assert {"meeting", "participants", "steps", "stopWhen", "repeat"} <= found[action]["properties"].keys()
        assert found[action]["required"][0] == "meeting"
    for action in ("StartCall", "StartCallAndWait"):
        assert not {"meeting", "steps", "leaveAfterwards"} & found[action]["properties"].keys()
        people = found[action]["properties"]["participants"]
        assert (found[action]["required"][0], people["minItems"], people["maxItems"]) == ("participants", 1, 5)
        assert people["items"]["properties"]["identity"]["properties"].keys() == {"user"}


def test_files_have_no_escapes() -> None:
    r"""No file has a Unicode escape such as ``\u00e9``, which Microsoft's import refuses."""
    assert [path.name for path in FOLDER.rglob("api*.json") if r"\u" in path.read_text(encoding="utf-8")] == []


def test_icon() -> None:
    """The icon is a PNG of 230 by 230 pixels without transparency."""
    head = (FOLDER / "icon.png").read_bytes()[:26]
    width, height, _, color = struct.unpack(">IIBB", head[16:])
    assert (head[:8], width, height, color) == (b"\x89PNG\r\n\x1a\n", 230, 230, 2)


def _inputs(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _inputs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _inputs(inner)


def test_calls_are_picked() -> None:
    """Each input that is a call's ID offers the open calls by title, from an action without parameters."""
    definition = swagger.definition()
    operations = {
        operation["operationId"]: operation
        for item in definition["paths"].values()
        for operation in item.values()
        if "operationId" in operation
    }
    parameters = [entry for operation in operations.values() for entry in _inputs(operation["parameters"])]
    calls = [entry for entry in parameters if str(entry.get("x-ms-summary")).endswith("Call ID")]
    assert {entry["x-ms-summary"] for entry in calls} == {"Call ID", "From Call ID", "Move From Call ID"}
    for entry in calls:
        source = entry["x-ms-dynamic-values"]
        assert operations[source["operationId"]]["parameters"] == []
        (listed,) = definition["definitions"]["Calls"]["properties"]
        assert (listed, source["value-path"], source["value-title"]) == (source["value-collection"], "id", "title")
    assert {"id", "title"} <= definition["definitions"]["Call"]["properties"].keys()


def _outputs(value: dict[str, Any]) -> Iterator[str]:
    for inner in value.get("properties", {}).values():
        yield from _outputs(inner) if "properties" in inner else [inner["x-ms-summary"]]
        yield from _outputs(inner.get("items", {}))


def test_outputs_have_names_of_their_own() -> None:
    """The designer lists an action's outputs by name alone, so none occurs twice; but a call has one ID."""
    twice = {
        (name, shown)
        for name, answer in swagger.definition()["definitions"].items()
        for shown, count in Counter(_outputs(answer)).items()
        if count > 1
    }
    assert twice == {("Start", "Call ID")}


def test_steps_are_built_in_the_designer() -> None:
    """A step is an item with people and a time, described in place: the designer has no row for a reference."""
    joins = ("/calls/start", "/calls/start-and-wait")
    for path in ("/calls/{callId}/escalate", "/calls/{callId}/escalate-and-wait", *joins):
        (body,) = (
            entry for entry in swagger.definition()["paths"][path]["post"]["parameters"] if entry["in"] == "body"
        )
        assert not any("$ref" in entry for entry in _inputs(body))
        steps = body["schema"]["properties"]["steps"]
        step = steps["items"]["properties"]
        assert (steps["type"], step["participants"]["type"], step["waitSeconds"]["type"]) == (
            "array",
            "array",
            "integer",
        )
        assert step["participants"]["items"]["properties"]["identity"]["properties"].keys() == KINDS.keys()


def test_signs_in_to_one_tenant() -> None:
    """The connector for Entra ID names no tenant that anyone has an account in."""
    for name in ("apiProperties.json", "apiDefinition.swagger.json"):
        found = re.findall(
            r"login\.microsoftonline\.com/([^/\"]+)|\"tenantId\": \{\s*\"value\": \"([^\"]+)",
            (ROOT / "connector" / "entra" / name).read_text(encoding="utf-8"),
        )
        assert {tenant for pair in found for tenant in pair if tenant} == {swagger.TENANT}
