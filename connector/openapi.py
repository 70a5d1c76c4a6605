"""``docs/openapi.yaml``: the whole HTTP API as OpenAPI 3.1, for tools."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import yaml

from connector.operation import STATUSES, Operation
from connector.operations import OPERATIONS
from connector.routes import Route, prefix, routes
from connector.schema import REFERENCE, Schema, schemas
from connector.words import PARAMETERS
from web.about import version

_URL = {"required": True, "description": "An absolute URL.", "schema": {"type": "string", "format": "uri"}}
_SECONDS = {"description": "Seconds.", "schema": {"type": "string", "pattern": "^[1-9][0-9]*$"}}
_RETRY_AFTER = {"required": True, **_SECONDS}
_ERROR_CODE = {"required": True, "description": "The same as error.code.", "schema": {"type": "string"}}
_BEARER = {"required": True, "schema": {"const": "Bearer"}}
_DESCRIPTION = (
    "Bodies are JSON with Microsoft Graph's property names. Null or an empty string in an optional property counts as "
    "absent, except in clientContext and replacesCallId. Unknown properties are refused. The call must be the app's "
    "own: created or answered by the same app registration, with https://<app>/api/notifications as its callbackUri."
)
_IDEMPOTENCY = {
    name: {
        "name": name,
        "in": "header",
        "description": "Identifies the invitation if the body has no clientContext. A repeat calls no person again.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
    }
    for name in ("Idempotency-Key", "Repeatability-Request-ID")
}
_WEBHOOK_HEADERS = {
    "webhook-id": "Identifies the outcome; the same in every attempt.",
    "webhook-timestamp": "The time of this attempt, in seconds since 1970.",
    "webhook-signature": "A Standard Webhooks signature, if FLOW_CALLBACK_SECRET is set.",
}


def document() -> Schema:
    """Return the description of the API."""
    paths: dict[str, Schema] = {}
    for name, route in routes().items():
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(name, route, OPERATIONS[name])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Call Invites for Microsoft Teams",
            "version": version(),
            "summary": "Invites people and phone numbers to a Teams call in progress and reports who joined.",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [
            {
                "url": "https://{host}" + prefix(),
                "variables": {"host": {"default": "your-function-app.azurewebsites.net"}},
            }
        ],
        "security": [{"functionKey": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "graphToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
            "parameters": {**{name: _parameter(name) for name in PARAMETERS}, **_IDEMPOTENCY},
            "responses": {
                f"Error{status}": _failure(status) for status in STATUSES if status >= HTTPStatus.BAD_REQUEST
            },
            "schemas": _public(schemas()),
        },
    }


def _operation(name: str, route: Route, operation: Operation) -> Schema:
    made: Schema = {"operationId": name, "summary": operation.summary, "description": operation.description}
    if not route.needs_key:
        made["security"] = [{"graphToken": []}] if name == "receive_notifications" else []
    parameters = [*route.parameters, *operation.query, *operation.headers]
    parameters += _IDEMPOTENCY if operation.body is not None and route.needs_key else []
    if parameters:
        made["parameters"] = [{"$ref": f"#/components/parameters/{parameter}"} for parameter in parameters]
    if operation.body is not None:
        made["requestBody"] = {"required": True, "content": _content(operation.body)}
    made["responses"] = {str(status): _response(status, name, operation) for status in operation.statuses}
    if HTTPStatus.CREATED in operation.statuses:
        made["callbacks"] = {"outcome": {"{$request.body#/callbackUrl}": {"post": _callback(operation)}}}
    return made


def _parameter(name: str) -> Schema:
    words, schema = PARAMETERS[name]
    known = OPERATIONS.values()
    place = "query" if any(name in operation.query for operation in known) else "path"
    place = "header" if any(name in operation.headers for operation in known) else place
    required = not name.startswith("include")
    return {"name": name, "in": place, "required": required, "description": words.description, "schema": schema}


def _response(status: int, name: str, operation: Operation) -> Schema:
    if status >= HTTPStatus.BAD_REQUEST:
        if status not in operation.texts:
            return {"$ref": f"#/components/responses/Error{status}"}
        failure = {**_failure(status), "description": operation.texts[status]}
        if name == "health":
            return {**failure, "content": _content(operation.response)}
        return {**failure, "headers": {"WWW-Authenticate": _BEARER, "x-ms-error-code": _ERROR_CODE}}
    text = operation.texts.get(status) or STATUSES.get(status) or operation.response.__doc__
    if operation.response is None or status == HTTPStatus.NOT_MODIFIED:
        return {"description": text}
    made: Schema = {"description": text, "content": _content(operation.response)}
    if status == HTTPStatus.OK:
        return (
            {**made, "headers": {"Retry-After": _SECONDS}}
            if name in ("get_invitation", "get_start", "get_escalation")
            else made
        )
    headers = {"Location": _URL, "Operation-Location": _URL}
    return {**made, "headers": {**headers, "Retry-After": _RETRY_AFTER} if status == HTTPStatus.ACCEPTED else headers}


def _failure(status: int) -> Schema:
    if status == HTTPStatus.UNAUTHORIZED:  # the Functions host returns it, without a body
        return {"description": STATUSES[status]}
    is_temporary = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
    headers = {"x-ms-error-code": _ERROR_CODE, **({"Retry-After": _RETRY_AFTER} if is_temporary else {})}
    return {"description": STATUSES[status], "headers": headers, "content": _content("Error")}


def _callback(operation: Operation) -> Schema:
    return {
        "summary": "The outcome, repeated with growing delays for a day until the response is 2xx, 404 or 410",
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": name != "webhook-signature",
                "description": text,
                "schema": {"type": "string"},
            }
            for name, text in _WEBHOOK_HEADERS.items()
        ],
        "requestBody": {"content": _content(operation.response)},
        "responses": {"200": {"description": "The flow has received it."}},
    }


def _content(model: Any) -> Schema:
    name = model if isinstance(model, str) else model.__name__
    return {"application/json": {"schema": {"$ref": REFERENCE + name}}}


def _public(value: Any) -> Any:
    """Return schemas without what only the connector needs."""
    if isinstance(value, dict):
        return {key: _public(inner) for key, inner in value.items() if not key.startswith("x-ms-")}
    return [_public(inner) for inner in value] if isinstance(value, list) else value


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the library calls it
        return True


def written() -> str:
    """Return the description as its file holds it."""
    head = "# Generated from the code: python -m connector.generate\n"
    return head + yaml.dump(document(), Dumper=_Dumper, sort_keys=False, width=120, default_flow_style=None)
