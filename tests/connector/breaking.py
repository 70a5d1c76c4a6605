"""For each rule of the linter, one change to our own definition that breaks this rule and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Document = dict[str, Any]
CALL, INVITE = "/calls/{callId}", "/calls/{callId}/participants/invite"
WAIT, CALLBACK = f"{INVITE}-and-wait", "/calls/{callId}/invitations/{invitationId}/callback"
LIST, RESULT = "/calls/{callId}/participants", "/calls/{callId}/invitations/{invitationId}/result"
_FIELD = {"x-ms-summary": "Text", "description": "A text."}


def _info(**members: Any) -> Callable[[Document], None]:
    return lambda d: d["info"].update(members)


def _top(**members: Any) -> Callable[[Document], None]:
    return lambda d: d.update(members)


def _get_call(**members: Any) -> Callable[[Document], None]:
    return lambda d: d["paths"][CALL]["get"].update(members)


def _parameter(d: Document, path: str = LIST, method: str = "get", place: int = 0) -> Document:
    found: Document = d["paths"][path][method]["parameters"][place]
    return found


def _body(d: Document, path: str = INVITE) -> Document:
    found: Document = _parameter(d, path, "post", 1)["schema"]
    return found


def _address(d: Document) -> Document:
    found: Document = _body(d, WAIT)["properties"]["callbackUrl"]
    return found


def _add_parameter(**members: Any) -> Callable[[Document], None]:
    def change(d: Document) -> None:
        d["paths"][CALL]["get"]["parameters"].append({"name": "x", "in": "query", "type": "string"} | _FIELD | members)

    return change


def _on_parameter(**members: Any) -> Callable[[Document], None]:
    return lambda d: _parameter(d, place=1).update(members)


def _call_member(**members: Any) -> Callable[[Document], None]:
    return lambda d: d["definitions"]["Call"]["properties"].update(extra={"type": "string"} | _FIELD | members)


def _without(*steps: Any) -> Callable[[Document], None]:
    def change(d: Document) -> None:
        found: Any = d
        for step in steps[:-1]:
            found = found[step]
        del found[steps[-1]]

    return change


def _many_operations(d: Document) -> None:
    for number in range(260):
        operation = {**d["paths"][CALL]["get"], "operationId": f"GetCall{number}"}
        d["paths"][f"/calls/{{callId}}/n{number}"] = {"get": operation}


def _many_schemas(d: Document) -> None:
    more = {f"p{number}": {"type": "string"} | _FIELD for number in range(600)}
    d["definitions"]["Call"]["properties"].update(more)


def _other_path(path: str) -> Callable[[Document], None]:
    def change(d: Document) -> None:
        item = {"get": {**d["paths"][CALL]["get"], "operationId": "GetOther"}}
        if "{callId}" not in path:
            item["get"]["parameters"] = []
        d["paths"][path] = item

    return change


def _plain_reference(**beside: Any) -> Callable[[Document], None]:
    return lambda d: d["definitions"]["Call"]["properties"].update(extra={"$ref": "#/definitions/Invitation", **beside})


def _answer(status: str, answer: Document) -> Callable[[Document], None]:
    return lambda d: d["paths"][CALL]["get"]["responses"].update({status: answer})


def _unshown(**members: Any) -> Callable[[Document], None]:
    return _call_member(**{"x-ms-visibility": "internal"}, **members)


def _unshown_and_required(d: Document) -> None:
    _unshown()(d)
    d["definitions"]["Call"]["required"] = ["extra"]


def _address_as_parameter(d: Document) -> None:
    _add_parameter(**{"x-ms-notification-url": True})(d)


def _not_required(d: Document) -> None:
    _body(d, WAIT)["required"].remove("callbackUrl")


def _content_inside(d: Document) -> None:
    d["paths"][CALL]["get"]["x-ms-notification-content"] = {"schema": {"$ref": "#/definitions/Call"}}


def _no_delete(d: Document) -> None:
    del d["paths"][CALLBACK]


def _trigger(d: Document) -> None:
    d["paths"][CALL]["get"].update({"x-ms-trigger": "often", "summary": "When a call changes"})


_SCHEMA = {"type": "object", "properties": {"code": {"type": "string"} | _FIELD}}
DEFINITION: dict[str, Callable[[Document], None]] = {
    "swagger-version": _top(swagger="3.0"),
    "size": _many_operations,
    "schema-count": _many_schemas,
    "title-length": _info(title="Call Invites for Microsoft Teams"),
    "title-words": _info(title="Call Invites Connector"),
    "title-ending": _info(title="Call Invites!"),
    "description-length": _info(description="Too short."),
    "description-words": _info(description="Brings people into a call from Power Automate flows."),
    "contact": _without("info", "contact", "email"),
    "metadata": lambda d: d["x-ms-connector-metadata"].pop(0),
    "categories": lambda d: d["x-ms-connector-metadata"][2].update(propertyValue="Telephones"),
    "host": _top(host="https://example.com/"),
    "schemes": _top(schemes=["wss"]),
    "base-path": _top(basePath="api"),
    "media-type": _top(produces=["application/xml"]),
    "security": _top(security=[{"other": []}]),
    "reference-siblings": _plain_reference(description="The invitation."),
    "reference-form": lambda d: d["definitions"]["Call"]["properties"].update(
        extra={"$ref": "#/paths/~1calls~1{callId}"}
    ),
    "reference-target": lambda d: d["definitions"]["Call"]["properties"].update(
        extra={"$ref": "#/definitions/Nothing"}
    ),
    "english": _get_call(summary="Get call de l\u2019\u00e9t\u00e9"),
    "operation-id": _get_call(operationId="get-call"),
    "operation-id-unique": _get_call(operationId="Listinvitations"),
    "summary-missing": _without("paths", CALL, "get", "summary"),
    "summary-characters": _get_call(summary="Get call/state"),
    "summary-ending": _get_call(summary="Get call:"),
    "summary-length": _get_call(summary="Get " + "the state of a call " * 5 + "now"),
    "summary-case": _get_call(summary="Get Call State"),
    "operation-description": _get_call(description="Tells the state of a call"),
    "description-repeats": _get_call(description="Get call."),
    "trigger-summary": _get_call(**{"x-ms-trigger": "single"}),
    "trigger-kind": _trigger,
    "visibility": _get_call(**{"x-ms-visibility": "hidden"}),
    "get-body": lambda d: d["paths"][CALL]["get"]["parameters"].append(
        {"name": "body", "in": "body", "schema": {"type": "string"}} | _FIELD
    ),
    "path-unique": _other_path("/Calls/{callId}"),
    "path-ambiguous": _other_path("/calls/current"),
    "success-missing": _without("paths", CALLBACK, "delete", "responses", "204"),
    "success-schemas": _answer("201", {"description": "Made.", "schema": _SCHEMA}),
    "default-schema": _answer("default", {"description": "Else.", "schema": _SCHEMA}),
    "failure-schema": _answer("404", {"description": "None.", "schema": _SCHEMA}),
    "response-description": _answer("404", {}),
    "polling-headers": _without("paths", RESULT, "get", "responses", "202", "headers", "Retry-After"),
    "parameter-summary": lambda d: _parameter(d).pop("x-ms-summary"),
    "parameter-description": lambda d: _parameter(d).pop("description"),
    "property-summary": _without("definitions", "Call", "properties", "state", "x-ms-summary"),
    "property-description": _without("definitions", "Call", "properties", "state", "description"),
    "summary-too-long": _on_parameter(**{"x-ms-summary": "A" * 81}),
    "property-visibility": _call_member(**{"x-ms-visibility": "hidden"}),
    "path-parameter-required": lambda d: _parameter(d).update(required=False),
    "path-parameter-declared": lambda d: _parameter(d).update(name="call"),
    "url-encoding-missing": lambda d: _parameter(d).pop("x-ms-url-encoding"),
    "url-encoding-elsewhere": _on_parameter(**{"x-ms-url-encoding": "single"}),
    "connection-id": _on_parameter(name="connectionId"),
    "internal-required": _unshown_and_required,
    "internal-default": _unshown(default="x"),
    "required-form": lambda d: d["definitions"]["Call"].update(required=[]),
    "required-unknown": lambda d: d["definitions"]["Call"].update(required=["nothing"]),
    "array-items": _call_member(type="array"),
    "enum-duplicate": _call_member(enum=["a", "a"]),
    "enum-names": _call_member(**{"enum": ["a"], "x-ms-enum-values": [{"value": "b", "displayName": "B"}]}),
    "unique-items": _call_member(type="array", items={"type": "string"}, uniqueItems=True),
    "schema-empty": _call_member(type="object"),
    "dynamic-target": _on_parameter(**{"x-ms-dynamic-values": {"operationId": "Nothing", "value-path": "id"}}),
    "definition-unused": lambda d: d["definitions"].update(Unused={"type": "string"}),
    "notification-url-place": _address_as_parameter,
    "notification-url-type": lambda d: _address(d).update(type="integer"),
    "notification-url-required": _not_required,
    "notification-url-internal": lambda d: _address(d).update({"x-ms-visibility": "advanced"}),
    "notification-content-place": _content_inside,
    "notification-content-missing": _without("paths", WAIT, "x-ms-notification-content"),
    "notification-url-missing": lambda d: d["paths"][CALL].update(
        {"x-ms-notification-content": {"schema": {"$ref": "#/definitions/Call"}}}
    ),
    "notification-elsewhere": _get_call(**{"x-ms-notification": {}}),
    "webhook-created": _without("paths", WAIT, "post", "responses", "201", "headers"),
    "webhook-delete": _no_delete,
}


def _properties(**members: Any) -> Callable[[Document], None]:
    return lambda d: d["properties"].update(members)


PROPERTIES: dict[str, Callable[[Document], None]] = {
    "brand-color": _properties(iconBrandColor="#007ee5"),
    "policy-template": lambda d: d["properties"]["policyTemplateInstances"][0].update(templateId="sethost"),
    "connection-parameter-used": _without("properties", "connectionParameters", "host"),
    "secret-type": lambda d: d["properties"]["connectionParameters"]["api_key"].update(type="string"),
    "stack-owner": _properties(stackOwner="somebody"),
}
