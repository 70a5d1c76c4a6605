"""Rules about operations whose outcome comes to the flow's own address later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.lint.findings import Break, Register, pointer
from connector.lint.walk import Member, Operation, members, operations, parameters, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.lint.findings import Document

WEBHOOKS = Register()
_rule = WEBHOOKS.rule
_URL = "x-ms-notification-url"
_CONTENT = "x-ms-notification-content"


def _addresses(document: Document) -> Iterator[Member]:
    for member in members(document):
        if _URL in member.schema:
            yield member


def _asks_for_address(document: Document, operation: Operation) -> bool:
    schemas = [parameter.get("schema", {}) for parameter, _ in parameters(document, operation)]
    found = [resolve(document, schema) or {} if "$ref" in schema else schema for schema in schemas]
    inner = {"paths": {}, "definitions": {str(number): schema for number, schema in enumerate(found)}}
    return any(member.schema.get(_URL) for member in members(inner))


@_rule("notification-url-place", "The 'x-ms-notification-url' belongs on a property of a body.")
def _notification_url_place(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        for parameter, place in parameters(document, operation):
            if _URL in parameter:
                yield Break(place)


@_rule("notification-url-type", "The address of the flow has to be a string.")
def _notification_url_type(document: Document) -> Iterator[Break]:
    for member in _addresses(document):
        if member.schema.get("type") != "string":
            yield Break(member.place)


@_rule("notification-url-required", "The address of the flow, and all that it is in, has to be required.")
def _notification_url_required(document: Document) -> Iterator[Break]:
    for member in _addresses(document):
        if not member.required and "/parameters/" in member.place:
            yield Break(member.place)


@_rule("notification-url-internal", "The address of the flow has to be internal: the flow fills it in.")
def _notification_url_internal(document: Document) -> Iterator[Break]:
    for member in _addresses(document):
        if member.schema.get("x-ms-visibility") != "internal":
            yield Break(member.place)


@_rule("notification-content-place", "The 'x-ms-notification-content' belongs beside the operation, not into it.")
def _notification_content_place(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if _CONTENT in operation.body:
            yield Break(operation.place)


@_rule("notification-content-missing", "An operation that asks for the flow's address needs notification content.")
def _notification_content_missing(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if _asks_for_address(document, operation) and "schema" not in operation.item.get(_CONTENT, {}):
            yield Break(operation.place)


@_rule("notification-url-missing", "Where there is notification content, an operation has to ask for the address.")
def _notification_url_missing(document: Document) -> Iterator[Break]:
    for path, item in document.get("paths", {}).items():
        asked = any(
            _asks_for_address(document, operation) for operation in operations(document) if operation.path == path
        )
        if _CONTENT in item and not asked:
            yield Break(pointer("paths", path))


@_rule("notification-elsewhere", "The 'x-ms-notification' belongs to triggers only.")
def _notification_elsewhere(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if "x-ms-notification" in operation.body and not operation.is_trigger:
            yield Break(operation.place)


@_rule("webhook-created", "A webhook operation has to answer 201, with a Location that ends the waiting.")
def _webhook_created(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        headers = operation.body.get("responses", {}).get("201", {}).get("headers", {})
        if _asks_for_address(document, operation) and "location" not in {name.casefold() for name in headers}:
            yield Break(operation.place)


@_rule("webhook-delete", "A definition with a webhook needs an internal DELETE that ends the waiting.")
def _webhook_delete(document: Document) -> Iterator[Break]:
    found = list(operations(document))
    deletes = [operation for operation in found if operation.method == "delete" and operation.is_internal]
    for operation in found:
        if not deletes and _asks_for_address(document, operation):
            yield Break(operation.place)
