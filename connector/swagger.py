"""``apiDefinition.swagger.json``: the connector's operations as OpenAPI 2.0 with Microsoft's extensions, for makers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from connector.operation import STATUSES, Form, Operation
from connector.operations import OPERATIONS
from connector.routes import Route, prefix, routes
from connector.schema import REFERENCE, NoWords, Schema, described, schemas
from connector.words import DISPLAY_NAMES, KINDS, PARAMETERS, Words
from web.about import version

if TYPE_CHECKING:
    from connector.words import Visibility

KEY: Schema = {"api_key": {"type": "apiKey", "in": "header", "name": "x-functions-key"}}
# Stands for the tenant of the calls, which the importer fills in: "common" would offer sign-ins that the app refuses.
TENANT = "00000000-0000-0000-0000-000000000000"
ENTRA_ID: Schema = {
    "oauth2_auth": {
        "type": "oauth2",
        "flow": "accessCode",
        "authorizationUrl": f"https://login.microsoftonline.com/{TENANT}/oauth2/authorize",
        "tokenUrl": f"https://login.microsoftonline.com/{TENANT}/oauth2/token",
        "scopes": {},
    }
}
_HEADERS: dict[int, Schema] = {
    201: {"Location": {"type": "string", "description": "A DELETE of this URL ends the wait."}},
    202: {
        "Location": {"type": "string", "description": "The URL to poll."},
        "Retry-After": {"type": "integer", "description": "Seconds until the next poll."},
    },
}
_WORDS = ("x-ms-summary", "description", "x-ms-dynamic-values", "x-ms-visibility")
_KEPT = ("type", "format", "enum", "minLength", "maxLength", "minItems", "maxItems", "x-ms-visibility")


def definition(security: Schema = KEY) -> Schema:
    """Return the connector's definition.

    Raises:
        NoWords: a function, or something that it accepts or returns, has no words.
    """
    functions, known = routes(), schemas()
    if unnamed := functions.keys() - OPERATIONS.keys():
        raise NoWords(", ".join(sorted(unnamed)))
    shown = {name: operation for name, operation in OPERATIONS.items() if operation.action}
    answers = {operation.response.__name__ for operation in shown.values() if operation.response}
    paths: dict[str, Schema] = {}
    for name, operation in shown.items():
        function, own_path = operation.routed or (name, functions[name].path)
        route = functions[function]
        path = paths.setdefault(own_path, {})
        if HTTPStatus.CREATED in operation.statuses:
            path["x-ms-notification-content"] = {"description": "The outcome.", "schema": _answer(operation)}
        path[route.method.lower()] = _operation(operation, route, known)
    return {
        "swagger": "2.0",
        "info": {
            "title": "Call Invites for Teams",
            "description": "Invites people and phone numbers to a Microsoft Teams call and reports who joined.",
            "version": version(),
            "contact": {
                "name": "Call Invites",
                "url": "https://example.com/call-invites",
                "email": "call-invites@example.com",
            },
        },
        "host": "your-function-app.azurewebsites.net",
        "basePath": prefix(),
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": paths,
        "definitions": {name: _inline(known[name], known, answers) for name in sorted(answers)},
        "securityDefinitions": security,
        "security": [{name: [] for name in security}],
        "x-ms-connector-metadata": [
            {"propertyName": "Website", "propertyValue": "https://example.com/call-invites"},
            {"propertyName": "Privacy policy", "propertyValue": "https://example.com/call-invites/privacy"},
            {"propertyName": "Categories", "propertyValue": "Communication;Collaboration"},
        ],
    }


def _operation(operation: Operation, route: Route, known: dict[str, Schema]) -> Schema:
    made: Schema = {
        "operationId": operation.action,
        "summary": operation.summary,
        "description": operation.description,
    }
    if operation.visibility:
        made["x-ms-visibility"] = operation.visibility
    made["parameters"] = [
        *(
            _parameter(name, {"in": "path", "required": True, "x-ms-url-encoding": "single"})
            for name in route.parameters
        ),
        *(
            _parameter(name, {"in": "query", "required": operation.visibility == "internal"})
            for name in operation.query
        ),
    ]
    if operation.body is not None:
        schema = _inline(known[operation.body.__name__], known, set(), is_body=True)
        if operation.form is not None:
            schema = _in_form(schema, operation.form)
        body = {"name": "body", "in": "body", "required": True, "schema": schema}
        made["parameters"].append(described(body, Words("Request", "What to do, and with whom.")))
    made["responses"] = _responses(operation)
    return made


def _parameter(name: str, place: Schema) -> Schema:
    words, schema = PARAMETERS[name]
    return described({"name": name, **place, "type": schema["type"]}, words)


def _responses(operation: Operation) -> Schema:
    made: Schema = {}
    if {HTTPStatus.OK, HTTPStatus.ACCEPTED} & set(operation.statuses):  # the platform polls until it gets the 200
        made["200"] = {"description": operation.response.__doc__, "schema": _answer(operation)}
    for status in operation.statuses:
        made.setdefault(str(status), {"description": operation.texts.get(status) or STATUSES.get(status)})
        if status in _HEADERS:
            made[str(status)]["headers"] = _HEADERS[status]
    return {**made, "default": {"description": "Anything else."}}


def _answer(operation: Operation) -> Schema:
    return {"$ref": f"#/definitions/{getattr(operation.response, '__name__', '')}"}


def _inline(schema: Schema, known: dict[str, Schema], apart: set[str], *, is_body: bool = False) -> Schema:
    """Return a schema of OpenAPI 2.0 with what it refers to inside it, except the definitions that stand ``apart``."""
    words: Schema = {key: schema[key] for key in _WORDS if key in schema}
    inner, *null = schema.get("anyOf", [schema])
    nullable: Schema = {} if is_body or not (null or "null" in schema.get("type", "")) else {"x-nullable": True}
    name = inner.get("$ref", "").removeprefix(REFERENCE)
    if name in apart and not nullable:  # nothing may stand next to a reference
        return {"$ref": f"#/definitions/{name}"}
    if name == "IdentitySet":
        made = _identity(known)
    elif name == "AnyIdentity":
        made = _any_identity(words["x-ms-summary"].removesuffix("Identity").rstrip() + " ")
    elif name == "ResultInfo":
        made = _of(words["x-ms-summary"].removesuffix("Result"), _inline(known[name], known, apart))
    elif name:
        made = _inline(known[name], known, apart, is_body=is_body)
    else:
        made = _plain(inner, known, apart, is_body=is_body)
    return {**made, **nullable, **words}


def _plain(schema: Schema, known: dict[str, Schema], apart: set[str], *, is_body: bool) -> Schema:
    made: Schema = {key: schema[key] for key in _KEPT if key in schema}
    if isinstance(made.get("type"), list):
        made["type"] = made["type"][0]
    if made.get("type") == "integer":
        made["format"] = "int32"
    if "enum" in made:
        made["enum"] = [value for value in made["enum"] if value is not None]
        made["x-ms-enum-values"] = [{"value": value, "displayName": _display_name(value)} for value in made["enum"]]
    if "items" in schema:
        made["items"] = _inline(schema["items"], known, apart, is_body=is_body)
    if "properties" in schema:
        made["properties"] = {
            name: _inline(member, known, apart, is_body=is_body)
            for name, member in schema["properties"].items()
            if name != "@odata.type"  # the app adds it for Graph
        }
        required = list(schema.get("required", [])) if is_body else []
        if is_body and "callbackUrl" in made["properties"]:
            made["properties"]["callbackUrl"]["x-ms-notification-url"] = True
        if is_body and "separately" in made["properties"]:
            # Makers don't see it: each person has an outcome of their own. Microsoft wants hidden defaults required.
            made["properties"]["separately"]["default"] = True
            required.append("separately")
        if required:
            made["required"] = required
    return made


def _in_form(schema: Schema, form: Form) -> Schema:
    """Return a body as makers see it in a form."""
    shown = {name: member for name, member in schema["properties"].items() if name in form.members}
    for name, words in form.words.items():
        shown[name] = described(shown[name], words)
    if form.only_users:
        person = shown["participants"]["items"]["properties"]["identity"]
        user = {**person, "properties": {"user": person["properties"]["user"]}}
        one = {"type": "object", "properties": {"identity": user}, "required": ["identity"]}
        shown["participants"] = {**shown["participants"], "minItems": 1, "maxItems": 5, "items": one}
    return {**schema, "properties": shown, "required": [form.required, *schema["required"]]}


def _identity(known: dict[str, Schema]) -> Schema:
    """Return the kinds of identity to fill in; no ID is required, or some designers would ask for all of them."""
    made: Schema = {}
    for name, reference in known["IdentitySet"]["properties"].items():
        own = known[reference["anyOf"][0]["$ref"].removeprefix(REFERENCE)]["properties"]
        words, members = KINDS[name]
        shown = {
            key: described(_inline(own[key], known, set(), is_body=True), member) for key, member in members.items()
        }
        made[name] = described({"type": "object", "properties": shown}, words)
    return {"type": "object", "properties": made}


def _of(prefix: str, schema: Schema) -> Schema:
    """Return an object whose properties name what they belong to: the designer shows them all in one list."""
    shown = {
        name: {**member, "x-ms-summary": prefix + member["x-ms-summary"]}
        for name, member in schema["properties"].items()
    }
    return {**schema, "properties": shown}


def _any_identity(prefix: str) -> Schema:
    """Return the kinds of identity that a response may have, each with its ID and name."""
    made: Schema = {}
    for name, (words, inputs) in KINDS.items():
        visibility: Visibility | None = None if name in ("user", "phone") else "advanced"
        title, ident = prefix + words.summary, inputs["id"].summary
        members = {
            "id": Words(f"{prefix}{ident}", f"Use it as {ident} in other actions.", visibility),
            "displayName": Words(f"{title} Name", "The name, if it is known.", visibility),
        }
        shown = {key: described({"type": "string", "x-nullable": True}, member) for key, member in members.items()}
        kind = Words(title, "Empty for other kinds of people.", visibility)
        made[name] = described({"type": "object", "properties": shown}, kind)
    return {"type": "object", "properties": made}


def _display_name(value: str) -> str:
    if value not in DISPLAY_NAMES:
        raise NoWords(f"display name of {value}")
    return DISPLAY_NAMES[value]
