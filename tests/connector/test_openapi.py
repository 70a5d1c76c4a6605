"""``docs/openapi.yaml`` keeps step with the app: routes, methods, keys, bodies, answers and statuses."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from connector.actions import ACTIONS
from connector.routes import ROOT, prefix, routes
from domain.model import Delivery, Presence, Status
from invite import request as models
from tests.connector.test_definition import _answers
from web import errors
from web.health import unconfigured

# The statuses that each kind of function can end with, besides its success.
INVITES = {400, 401, 404, 409, 413, 422, 429, 503}
STATUSES: dict[str, set[int]] = {
    "invite_participants": {202} | INVITES,
    "invite_phone": {202} | INVITES,
    "move_person": {202} | INVITES,
    "invite_participants_and_wait": {201} | INVITES,
    "get_invitation": {200, 400, 401, 404, 503},
    "list_invitations": {200, 400, 401, 503},
    "list_participants": {200, 400, 401, 503},
    "get_call": {200, 400, 401, 404, 503},
    "await_invitation": {200, 202, 400, 404, 422, 503},
    "cancel_wait": {204, 400, 404, 503},
    "receive_notifications": {202, 400, 401, 413, 503},
    "health": {200, 503},
}
BODIES = (models.InviteBody, models.InviteAndWaitBody, models.InvitePhoneBody, models.MovePersonBody)
NESTED = (models.InvitationParticipantInfo, models.Identity, models.EntraIdentity, models.PhoneIdentity)


@cache
def description() -> dict[str, Any]:
    """The description of the HTTP API."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
    return found


def _schema(name: str) -> Any:
    return description()["components"]["schemas"][name]


def _operations() -> dict[str, tuple[str, str, Any]]:
    return {
        operation["operationId"]: (path, method.upper(), operation)
        for path, item in description()["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def test_it_is_valid() -> None:
    """OpenAPI 3.1 accepts it."""
    assert [error.message for error in OpenAPIV31SpecValidator(description()).iter_errors()] == []


def test_routes_methods_and_keys() -> None:
    """Every HTTP function is described, at its route, with its method and who may call it; and nothing else is."""
    described = {
        name: (method, path, operation.get("security") is None)
        for name, (path, method, operation) in _operations().items()
    }
    assert described == {name: (route.method, route.path, route.needs_key) for name, route in routes().items()}
    assert description()["servers"][0]["url"].endswith(prefix())


def test_path_parameters() -> None:
    """The parameters in a path are those that are described for it."""
    for path, item in description()["paths"].items():
        names = {entry["$ref"].rpartition("/")[2] for entry in item.get("parameters", [])} - {"token"}
        assert names == set(re.findall(r"\{(\w+)\}", path)), path


def test_statuses() -> None:
    """Each function is described with the statuses that it can end with, and every error of the app has one."""
    for name, (_, _, operation) in _operations().items():
        assert {int(status) for status in operation["responses"]} == STATUSES[name], name
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ApiError)]
    assert {int(kind.status) for kind in kinds} <= set.union(*STATUSES.values())


@pytest.mark.parametrize("name", ACTIONS)
def test_the_connector_promises_no_other_statuses(name: str) -> None:
    """What the connector says of a function's failures, the description says too."""
    assert set(ACTIONS[name].failures) - {404} <= STATUSES[name]


@pytest.mark.parametrize("model", [*BODIES, *NESTED], ids=lambda model: model.__name__)
def test_bodies(model: Any) -> None:
    """A body has the members that the app's model has, of the same types, with the same ones required and limits."""
    schema, own = _schema(model.__name__), model.model_json_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(own["properties"])
    assert set(schema.get("required", [])) == set(own.get("required", []))
    for name, member in own["properties"].items():
        described = _followed(schema["properties"][name])
        options = {option["type"]: option for option in member.get("anyOf", [member]) if "type" in option}
        for limit in ("maxLength", "minLength", "minItems", "maxItems", "pattern"):
            for option in options.values():
                if limit in option:
                    assert described[limit] == option[limit], f"{name}.{limit}"
        assert "null" not in options or _takes(described, None), name


def _followed(schema: Any) -> Any:
    return _schema(schema["$ref"].rpartition("/")[2]) if "$ref" in schema else schema


def _takes(schema: Any, value: Any) -> bool:
    return bool(jsonschema.Draft202012Validator({**schema, "components": description()["components"]}).is_valid(value))


def test_identity_kinds() -> None:
    """The kinds of identity are the app's, each with the form that the app gives it."""
    described = {name: entry["$ref"].rpartition("/")[2] for name, entry in _schema("IdentitySet")["properties"].items()}
    own = models.IdentitySet.model_json_schema()["properties"]
    del own["@odata.type"]
    assert described == {name: entry["anyOf"][0]["$ref"].rpartition("/")[2] for name, entry in own.items()}


def test_enumerations() -> None:
    """Statuses and presences are the app's own words."""
    assert _schema("Status")["enum"] == list(Status)
    assert _schema("PartStatus")["enum"] == [status for status in Status if status is not Status.PARTIALLY_COMPLETED]
    assert set(_schema("Presence")["enum"]) == set(Presence)
    assert _schema("Callback")["properties"]["status"]["enum"] == list(Delivery)


@pytest.mark.parametrize("name", ["Invitation", "Invitations", "Call", "PeopleInCall"])
def test_answers(name: str) -> None:
    """What the app answers is as described, with nothing besides."""
    validator = jsonschema.Draft202012Validator({**_schema(name), "components": description()["components"]})
    for answer in _answers()[name]:
        _set_id(answer)
        assert [error.message for error in validator.iter_errors(answer)] == []


def _set_id(answer: Any) -> None:
    for entry in answer.get("value", [answer]):
        if entry["id"] == "i":
            entry["id"] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_errors_and_health() -> None:
    """Errors and the answer of an app that is not configured are as described."""
    fault = errors.Fault("Missing", "Add it.", "participants")
    body = errors.BadRequest.of([fault, fault]).body()
    components = {"components": description()["components"]}
    jsonschema.Draft202012Validator({**_schema("Error"), **components}).validate(body)
    jsonschema.Draft202012Validator({**_schema("Health"), **components}).validate(unconfigured(["x"]).body)
