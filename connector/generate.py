"""``python -m connector.generate``: the connector's definitions from the app's routes, models and makers' words."""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector import words
from connector.actions import ACTIONS, FAILURES, Action
from connector.answers import ANSWERS
from connector.bodies import NoWords, body_schema
from connector.routes import prefix, routes
from connector.schema import described

if TYPE_CHECKING:
    from connector.routes import Route
    from connector.schema import Schema

HERE = Path(__file__).parent
ENTRA = HERE / "entra"
FILE_NAME = "apiDefinition.swagger.json"
_KEY: Schema = {
    "securityDefinitions": {"api_key": {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
    "security": [{"api_key": []}],
}
_ENTRA_ID: Schema = {
    "securityDefinitions": {
        "oauth2_auth": {
            "type": "oauth2",
            "flow": "accessCode",
            "authorizationUrl": "https://login.microsoftonline.com/common/oauth2/authorize",
            "tokenUrl": "https://login.microsoftonline.com/common/oauth2/token",
            "scopes": {},
        }
    },
    "security": [{"oauth2_auth": []}],
}
_POLLED_HEADERS: Schema = {
    "Location": {"type": "string", "description": "The address to ask next."},
    "Retry-After": {"type": "integer", "description": "Seconds until then."},
}
_OUTCOMES = {
    HTTPStatus.OK: "The outcome.",
    HTTPStatus.CREATED: "The people are being rung; the outcome is sent to the flow.",
    HTTPStatus.ACCEPTED: "The people are being rung; ask again at the address in Location.",
    HTTPStatus.NO_CONTENT: "The flow no longer waits.",
}


def definition(security: Schema = _KEY) -> Schema:
    """Return the connector's definition, OpenAPI 2.0.

    Raises:
        NoWords: the app has a route or a member that makers' words are missing for.
    """
    return {
        "swagger": "2.0",
        "info": {
            "title": "Call Invites for Teams",
            "description": (
                "Brings people and telephones into a Microsoft Teams call that is going on, "
                "and tells the flow who answered."
            ),
            "version": "1.0",
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
        "paths": _paths(),
        "definitions": ANSWERS,
        **security,
        "x-ms-connector-metadata": [
            {"propertyName": "Website", "propertyValue": "https://example.com/call-invites"},
            {"propertyName": "Privacy policy", "propertyValue": "https://example.com/call-invites/privacy"},
            {"propertyName": "Categories", "propertyValue": "Communication;Collaboration"},
        ],
    }


def _paths() -> Schema:
    known = routes()
    unnamed = known.keys() - ACTIONS.keys() - words.LEFT_OUT.keys()
    if unnamed:
        raise NoWords(", ".join(sorted(unnamed)))
    paths: Schema = {}
    for function, action in ACTIONS.items():
        route = known[function]
        path = paths.setdefault(route.path, {})
        if action.subscribes:
            path["x-ms-notification-content"] = {
                "description": "The outcome of the invitation.",
                "schema": {"$ref": f"#/definitions/{action.answer}"},
            }
        path[route.method.lower()] = _operation(action, route)
    return paths


def _operation(action: Action, route: Route) -> Schema:
    operation: Schema = {
        "operationId": action.operation_id,
        "summary": action.summary,
        "description": action.description,
    }
    if action.internal or action.important:
        operation["x-ms-visibility"] = "internal" if action.internal else "important"
    operation["parameters"] = _parameters(action, route)
    operation["responses"] = _responses(action)
    return operation


def _parameters(action: Action, route: Route) -> list[Schema]:
    parameters = [
        described(
            {"name": name, "in": "path", "required": True, "type": "string", "x-ms-url-encoding": "single"},
            words.PARAMETERS[name],
        )
        for name in route.parameters
    ]
    for name, kind in action.query.items():
        parameters.append(
            described({"name": name, "in": "query", "required": action.internal, "type": kind}, words.PARAMETERS[name])
        )
    if action.body is not None:
        parameters.append(
            {
                "name": "body",
                "in": "body",
                "required": True,
                "x-ms-summary": "Invitation",
                "description": action.body_description,
                "schema": body_schema(action.body),
            }
        )
    return parameters


def _responses(action: Action) -> Schema:
    responses: Schema = {}
    if action.subscribes:
        location = {"type": "string", "description": "The address whose DELETE ends the waiting."}
        responses["201"] = {"description": _OUTCOMES[HTTPStatus.CREATED], "headers": {"Location": location}}
    elif action.answer is None:
        responses["204"] = {"description": _OUTCOMES[HTTPStatus.NO_CONTENT]}
    else:
        schema = {"$ref": f"#/definitions/{action.answer}"}
        responses["200"] = {"description": _OUTCOMES[HTTPStatus.OK], "schema": schema}
    if action.polls:
        responses["202"] = {"description": _OUTCOMES[HTTPStatus.ACCEPTED], "headers": _POLLED_HEADERS}
    responses |= {str(status): {"description": FAILURES[status]} for status in action.failures}
    responses["default"] = {"description": "Anything else."}
    return responses


def written(document: Any) -> str:
    """Return a definition as its file holds it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def files() -> dict[Path, str]:
    """Return every generated file and what it has to hold."""
    return {HERE / FILE_NAME: written(definition()), ENTRA / FILE_NAME: written(definition(_ENTRA_ID))}


def main() -> int:
    """Write the generated files."""
    for path, content in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{path.relative_to(HERE.parent)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
