"""What the app returns is what ``docs/openapi.yaml`` and the connector's dynamic content promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
import requests

from connector import openapi, swagger
from connector.schema import REFERENCE
from tests.connector.running import KEY

if TYPE_CHECKING:
    from tests.connector.conftest import Running

ANNA = "11111111-1111-4111-8111-111111111111"
BEN = "22222222-2222-4222-8222-222222222222"
PEOPLE = [
    {
        "identity": {"user": {"id": ANNA, "displayName": "Anna"}},
        "hidden": True,
        "removeFromDefaultAudioRoutingGroup": False,
    },
    {"identity": {"user": {"id": BEN}}, "replacesCallId": "other", "participantId": "p"},
]


@pytest.fixture
def responses(running: Running) -> dict[str, list[Any]]:
    """Real responses by the name of their schema: of a call with two invitations, from its start to its end."""
    call_id = running.new_call()
    found: dict[str, list[Any]] = {"Invitation": [], "Invitations": [], "Call": [], "PeopleInCall": [], "Error": []}

    def ask(name: str, path: str, method: str = "GET", **more: Any) -> Any:
        url = f"{running.app}/api{path}"
        answer = requests.request(method, url, headers={"x-functions-key": KEY}, timeout=30, **more)
        found.setdefault(name, []).append(answer.json())
        return answer.json()

    def read() -> None:
        ask("Call", f"/calls/{call_id}")
        ask("PeopleInCall", f"/calls/{call_id}/participants?includeLeft=true")
        ask("Invitations", f"/calls/{call_id}/invitations")

    running.graph.person(BEN, "declines")
    url = running.callbacks.new_url()
    path = f"/calls/{call_id}/participants/invite"
    body = {"participants": PEOPLE, "callbackUrl": url}
    invitation = ask("Invitation", f"{path}-and-wait", "POST", json=body)
    ask("Invitation", path, "POST", json={"participants": PEOPLE[:1], "clientContext": "a second one"})
    read()
    found["Invitation"].append(running.callbacks.outcome(url, 20))
    running.graph.leave(call_id, ANNA)
    running.graph.end_call(call_id)
    running.graph.wait_idle()
    ask("Invitation", f"/calls/{call_id}/invitations/{invitation['id']}")
    read()
    started = ask("Start", "/calls/start", "POST", json={"participants": [{"identity": {"user": {"id": ANNA}}}]})
    ask("Calls", "/calls")
    running.graph.wait_idle()
    start = ask("Start", f"/starts/{started['id']}")
    another = running.new_call()
    steps = [{"participants": [{"identity": {"user": {"id": one}}}]} for one in (BEN, ANNA)]
    escalation = ask("Escalation", f"/calls/{another}/escalate", "POST", json={"steps": steps})
    running.graph.wait_idle()
    ask("Escalation", f"/calls/{another}/escalations/{escalation['id']}")
    requests.delete(f"{running.app}/api/calls/{start['callId']}", headers={"x-functions-key": KEY}, timeout=30)
    ask("Start", f"/starts/{started['id']}")
    ask("Call", f"/calls/{start['callId']}")
    ask("Timeline", f"/calls/{call_id}/timeline")
    link = ask("PageLink", f"/calls/{another}/page-token", "POST")
    token = {"x-page-token": parse_qs(urlsplit(link["pageUrl"]).fragment)["token"][0]}
    live = requests.get(f"{running.app}/api/calls/{another}/live", headers=token, timeout=30)
    found["Live"] = [live.json()]
    declined = ask("Start", "/calls/start", "POST", json={"participants": [{"identity": {"user": {"id": BEN}}}]})
    running.graph.wait_idle()
    ask("Start", f"/starts/{declined['id']}")
    ask("Error", path, "POST", json={"participants": [], "unknown": 1})
    ask("Error", f"/calls/{call_id}/invitations/{invitation['id']}/result?token=wrong")
    ask("Health", "/health")
    return found


def test_responses(responses: dict[str, list[Any]]) -> None:
    """A response has exactly the described properties, of the described types, in both descriptions.

    The connector promises no property that the app never returns.
    """
    definitions = swagger.definition()["definitions"]
    components = openapi.document()["components"]
    for name, found in responses.items():
        for response in found:
            schema: Any = {"$ref": REFERENCE + name, "components": components}
            jsonschema.Draft202012Validator(schema).validate(response)
            if name in definitions:
                schema = {**_strict(definitions[name]), "definitions": _strict(definitions)}
                jsonschema.Draft4Validator(schema).validate(response)
        if name in definitions and name not in ("Calls", "Escalation", "Timeline"):  # parts of them are never all there
            returned = {path for response in found for path in _paths(response)}
            promised = {path for path in _promised(definitions[name], definitions) if ".identity." not in path}
            assert promised <= returned, name


def _strict(schema: Any) -> Any:
    """Refuse what a schema doesn't name, and allow null where it is marked."""
    if isinstance(schema, list):
        return [_strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(value) for name, value in schema.items()}
    # Of an identity, the connector shows only these two; Graph reports more.
    if "properties" in schema and schema["properties"].keys() != {"id", "displayName"}:
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
