"""Microsoft's validator of connectors runs online only; these are its rules that no JSON schema holds.

Source: *Fix Swagger Validator errors*, *Connector string guidance* and the certification checklist, on Microsoft Learn.
Each rule returns the places that break it; each is tried on our files and on a change that breaks it.
"""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from connector.routes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Document = dict[str, Any]
FOLDER = ROOT / "connector"
INVITE, WAIT = "/calls/{callId}/participants/invite", "/calls/{callId}/participants/invite-and-wait"
CALL, RESULT = "/calls/{callId}", "/calls/{callId}/invitations/{invitationId}/result"
CALLBACK = "/calls/{callId}/invitations/{invitationId}/callback"


def _operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, item in document["paths"].items():
        for method in item.keys() - {"x-ms-notification-content"}:
            yield path, method, item[method]


def _schemas(value: Any, place: str = "") -> Iterator[tuple[str, Document]]:
    """Go through every object of the document."""
    if isinstance(value, dict):
        yield place, value
        for name, inner in value.items():
            yield from _schemas(inner, f"{place}/{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _schemas(inner, f"{place}/{number}")


def title_and_description(document: Document) -> Iterator[str]:
    """Lengths, endings, reserved words, contact and metadata."""
    info, products = document["info"], r"\b(power ?apps|power ?automate|logic ?apps|power ?platform)\b"
    title, description = info["title"], info["description"]
    if (
        len(title) > 30
        or not title[-1].isalnum()
        or re.search(rf"\b(api|connector)\b|{products}", title, re.IGNORECASE)
    ):
        yield "title"
    if not 30 <= len(description) <= 500 or re.search(products, description, re.IGNORECASE):
        yield "description"
    yield from {"name", "url", "email"} - info["contact"].keys()
    metadata = {entry["propertyName"]: entry["propertyValue"] for entry in document["x-ms-connector-metadata"]}
    yield from {"Website", "Privacy policy", "Categories"} - metadata.keys()


def operation_texts(document: Document) -> Iterator[str]:
    """IDs are unique and in PascalCase; summaries are short and plain; descriptions are sentences."""
    ids = [operation["operationId"].casefold() for _, _, operation in _operations(document)]
    for path, _, operation in _operations(document):
        summary, description = operation["summary"], operation["description"]
        if ids.count(operation["operationId"].casefold()) > 1 or not re.fullmatch(
            "[A-Z][A-Za-z0-9]*", operation["operationId"]
        ):
            yield f"{path} operationId"
        if not re.fullmatch(r"[A-Z][A-Za-z0-9() ]{0,78}[A-Za-z0-9)]", summary) or summary[1:] != summary[1:].lower():
            yield f"{path} summary"
        if not description.endswith(".") or description.rstrip(".") == summary:
            yield f"{path} description"


def field_texts(document: Document) -> Iterator[str]:
    """Every parameter and property that a maker sees has a short name and a sentence; all text is ASCII."""
    for place, schema in _schemas(document):
        is_parameter = schema.get("in") in ("path", "query", "body")
        is_property = place.rpartition("/")[0].endswith("/properties") and "$ref" not in schema
        is_shown = (is_parameter or is_property) and schema.get("x-ms-visibility") != "internal"
        is_named = 0 < len(schema.get("x-ms-summary", "")) <= 80 and schema.get("description", "").endswith(".")
        if is_shown and not is_named:
            yield place
        if not all(value.isascii() for value in schema.values() if isinstance(value, str)):
            yield place


def path_parameters(document: Document) -> Iterator[str]:
    """Parameters in a path are declared, required and encoded; no other is encoded, none is called connectionId."""
    for path, _, operation in _operations(document):
        given = {entry["name"]: entry for entry in operation["parameters"] if entry["in"] == "path"}
        if given.keys() != set(re.findall(r"\{(\w+)\}", path)):
            yield path
        for entry in operation["parameters"]:
            encoding = entry.get("x-ms-url-encoding")
            if entry["name"] == "connectionId" or (entry["in"] == "path") != (encoding in ("single", "double")):
                yield f"{path} {entry['name']}"


def distinct_paths(document: Document) -> Iterator[str]:
    """No request matches two operations, whatever the case of its path's letters.

    Microsoft's validator looks at paths alone, and warns of ``/calls/start`` beside ``/calls/{callId}``.
    """
    for one, item in document["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(one))
        for other in document["paths"].keys() - {one}:
            if re.fullmatch(pattern, other, re.IGNORECASE) and item.keys() & document["paths"][other].keys():
                yield f"{one} {other}"


def responses(document: Document) -> Iterator[str]:
    """One schema at most, with 200 or 201; every status has a description; 202 has what polling needs."""
    for path, _, operation in _operations(document):
        found = operation["responses"]
        if {status for status, response in found.items() if "schema" in response} - {"200"}:
            yield f"{path} schema"
        if not any(status.startswith("2") for status in found) or not all(
            entry["description"] for entry in found.values()
        ):
            yield f"{path} description"
        if "202" in found and found["202"].get("headers", {}).keys() != {"Location", "Retry-After"}:
            yield f"{path} 202"


def visibility(document: Document) -> Iterator[str]:
    """What is internal and required has a default, or the platform fills it in."""
    for place, schema in _schemas(document):
        for name in schema["required"] if isinstance(schema.get("required"), list) else []:
            entry = schema["properties"].get(name)
            if entry is None:
                yield f"{place} {name} is not defined"
            elif entry.get("x-ms-visibility") == "internal" and not {"default", "x-ms-notification-url"} & entry.keys():
                yield f"{place} {name}"


def schema_forms(document: Document) -> Iterator[str]:
    """Arrays have items, objects have properties, lists of values have names; nothing stands next to a reference."""
    for place, schema in _schemas(document):
        kind = schema.get("type")
        if (kind == "array" and not schema.get("items")) or (kind == "object" and not schema.get("properties")):
            yield place
        if isinstance(schema.get("required"), list) and (not schema["required"] or kind != "object"):
            yield f"{place} required"
        if "enum" in schema and [entry["value"] for entry in schema["x-ms-enum-values"]] != list(
            dict.fromkeys(schema["enum"])
        ):
            yield f"{place} enum"
        if "$ref" in schema and (
            len(schema) > 1 or schema["$ref"].removeprefix("#/definitions/") not in document["definitions"]
        ):
            yield f"{place} $ref"
        if "uniqueItems" in schema:
            yield f"{place} uniqueItems"


def webhooks(document: Document) -> Iterator[str]:
    """A webhook action asks for the flow's URL, describes the outcome, and has a URL by which it is cancelled."""
    contents = [item.get("x-ms-notification-content") for item in document["paths"].values()]
    outcomes = {json.dumps(content) for content in contents if content is not None}
    deletes = [path for path, method, _ in _operations(document) if method == "delete" and path.endswith("/callback")]
    if len(deletes) < len(outcomes):  # one for each kind of outcome
        yield "DELETE"
    for path, item in document["paths"].items():
        bodies = [entry["schema"] for entry in item.get("post", {}).get("parameters", []) if entry["in"] == "body"]
        urls = [
            (name, member, body)
            for body in bodies
            for name, member in body["properties"].items()
            if "x-ms-notification-url" in member
        ]
        if bool(urls) != ("schema" in item.get("x-ms-notification-content", {})):
            yield path
        for name, member, body in urls:
            if member["type"] != "string" or member["x-ms-visibility"] != "internal" or name not in body["required"]:
                yield f"{path} {name}"
            if "Location" not in item["post"]["responses"]["201"].get("headers", {}):
                yield f"{path} Location"


def size(document: Document) -> Iterator[str]:
    """Less than 1 MB, 256 operations and 512 schemas in a body."""
    if len(json.dumps(document)) >= 1024 * 1024 or len(list(_operations(document))) > 256:
        yield "document"
    yield from (path for path, _, operation in _operations(document) if len(list(_schemas(operation))) > 512)


def _set(*steps: Any) -> Callable[[Document], None]:
    """Change the value at a path; the last step is the new value, or None to remove it."""

    def change(document: Document) -> None:
        *path, name, value = steps
        found: Any = document
        for step in path:
            found = found[step]
        if value is None:
            del found[name]
        else:
            found[name] = value

    return change


CALL_ID = ("paths", CALL, "get", "parameters", 0)
URL = ("paths", WAIT, "post", "parameters", 1, "schema", "properties", "callbackUrl")
STATE = ("definitions", "Call", "properties", "state")
RULES: list[tuple[Callable[[Document], Iterator[str]], list[Callable[[Document], None]]]] = [
    (
        title_and_description,
        [
            _set("info", "title", "Call Invites Connector"),
            _set("info", "description", "Too short."),
            _set("info", "contact", "email", None),
            _set("x-ms-connector-metadata", 0, None),
        ],
    ),
    (
        operation_texts,
        [
            _set("paths", CALL, "get", "operationId", "listinvitations"),
            _set("paths", CALL, "get", "operationId", "get-call"),
            _set("paths", CALL, "get", "summary", "Get call/state"),
            _set("paths", CALL, "get", "summary", "Get Call"),
            _set("paths", CALL, "get", "description", "Get call."),
        ],
    ),
    (
        field_texts,
        [
            _set(*CALL_ID, "x-ms-summary", None),
            _set(*STATE, "description", "No sentence"),
            _set(*STATE, "x-ms-summary", "\u00c9tat"),
        ],
    ),
    (
        path_parameters,
        [
            _set(*CALL_ID, "x-ms-url-encoding", None),
            _set(*CALL_ID, "name", "call"),
            _set("paths", RESULT, "get", "parameters", 2, "name", "connectionId"),
        ],
    ),
    (distinct_paths, [_set("paths", "/calls/current", {"get": {}}), _set("paths", "/Calls/{id}", {"get": {}})]),
    (
        responses,
        [
            _set("paths", CALL, "get", "responses", "default", "schema", {}),
            _set("paths", CALLBACK, "delete", "responses", "204", None),
            _set("paths", RESULT, "get", "responses", "202", "headers", "Retry-After", None),
        ],
    ),
    (visibility, [_set(*URL, "x-ms-notification-url", None), _set(*URL[:-1], "callbackUrl", None)]),
    (
        schema_forms,
        [
            _set("definitions", "Invitations", "properties", "value", "items", None),
            _set("definitions", "Call", "required", []),
            _set("definitions", "Invitation", "properties", "status", "enum", ["a", "a"]),
            _set("definitions", "Invitations", "properties", "value", "items", "description", "Text."),
            _set(*STATE, "uniqueItems", True),
        ],
    ),
    (
        webhooks,
        [
            _set("paths", WAIT, "x-ms-notification-content", None),
            _set(*URL, "x-ms-visibility", "advanced"),
            _set("paths", WAIT, "post", "responses", "201", "headers", None),
            _set("paths", CALLBACK, None),
        ],
    ),
    (size, [_set("info", "description", "A" * 1024 * 1024)]),
]


def _definition(folder: str = ".") -> Document:
    found: Document = json.loads((FOLDER / folder / "apiDefinition.swagger.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(("rule", "breaking"), RULES, ids=lambda entry: getattr(entry, "__name__", ""))
def test_rules(rule: Callable[[Document], Iterator[str]], breaking: list[Callable[[Document], None]]) -> None:
    """Nothing in our definitions breaks the rule, and the rule finds what does."""
    assert [*rule(_definition()), *rule(_definition("entra"))] == []
    for change in breaking:
        broken = copy.deepcopy(_definition())
        change(broken)
        assert list(rule(broken))
