"""Rules about paths, operations and their answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connector.lint.findings import Break, Register, pointer
from connector.lint.walk import operations, parameters, responses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.lint.findings import Document

OPERATIONS = Register()
_rule = OPERATIONS.rule
_RESTRICTED = re.compile(r"[/\\<>*%&?]")
_LONGEST_SUMMARY = 80
_SUCCESS = re.compile(r"2\d\d")
_FAILURE = re.compile(r"[45]\d\d")
_VISIBILITIES = {"important", "advanced", "internal"}


@_rule("operation-id", "The 'operationId' has to be there, in PascalCase of letters and digits only.")
def _operation_id(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", operation.body.get("operationId", "")):
            yield Break(f"{operation.place}/operationId", operation.body.get("operationId", ""))


@_rule("operation-id-unique", "Every 'operationId' has to be unique, whatever the letter case.")
def _operation_id_unique(document: Document) -> Iterator[Break]:
    seen: set[str] = set()
    for operation in operations(document):
        name = operation.body.get("operationId", "").casefold()
        if name in seen:
            yield Break(f"{operation.place}/operationId", operation.body["operationId"])
        seen.add(name)


@_rule("summary-missing", "The 'summary' property is required.")
def _summary_missing(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if not operation.body.get("summary"):
            yield Break(operation.place)


@_rule("summary-characters", r"Summary string contains any of the restricted characters [/\<>*%&?].")
def _summary_characters(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if _RESTRICTED.search(operation.body.get("summary", "")):
            yield Break(f"{operation.place}/summary")


@_rule("summary-ending", "The summary has to end with a letter, a digit or a closing parenthesis.")
def _summary_ending(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        summary = operation.body.get("summary", "")
        if summary and not (summary[-1].isalnum() or summary[-1] == ")"):
            yield Break(f"{operation.place}/summary")


@_rule("summary-length", f"The summary may have at most {_LONGEST_SUMMARY} characters.")
def _summary_length(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if len(operation.body.get("summary", "")) > _LONGEST_SUMMARY:
            yield Break(f"{operation.place}/summary")


@_rule("summary-case", "The summary is a phrase in sentence case: one capital at its beginning.")
def _summary_case(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        words = operation.body.get("summary", "").split()
        capital = [word for word in words[1:] if word[0].isupper() and word[1:].islower()]
        if words and (words[0][0].islower() or (len(words) > 1 and len(capital) == len(words) - 1)):
            yield Break(f"{operation.place}/summary")


@_rule("operation-description", "An operation needs a description: a full sentence that ends with a period.")
def _operation_description(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if not operation.body.get("description", "").endswith("."):
            yield Break(f"{operation.place}/description")


@_rule("description-repeats", "The description has to say something else than the summary.")
def _description_repeats(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        summary, description = operation.body.get("summary", ""), operation.body.get("description", "")
        if summary and summary.casefold() == description.rstrip(".").casefold():
            yield Break(f"{operation.place}/description")


@_rule("trigger-summary", "The summary of a trigger begins with 'When a' or 'When an'.")
def _trigger_summary(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if operation.is_trigger and not re.match(r"When an? ", operation.body.get("summary", "")):
            yield Break(f"{operation.place}/summary")


@_rule("trigger-kind", "The 'x-ms-trigger' has to be single or batch.")
def _trigger_kind(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if operation.is_trigger and operation.body["x-ms-trigger"] not in ("single", "batch"):
            yield Break(f"{operation.place}/x-ms-trigger")


@_rule("visibility", "The 'x-ms-visibility' has to be important, advanced or internal.")
def _visibility(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if operation.body.get("x-ms-visibility", "advanced") not in _VISIBILITIES:
            yield Break(f"{operation.place}/x-ms-visibility")
        for parameter, place in parameters(document, operation):
            if parameter.get("x-ms-visibility", "advanced") not in _VISIBILITIES:
                yield Break(f"{place}/x-ms-visibility")


@_rule("get-body", "A GET has no body.")
def _get_body(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if operation.method == "get":
            for parameter, place in parameters(document, operation):
                if parameter.get("in") in ("body", "formData"):
                    yield Break(place)


@_rule("path-unique", "Two paths differ in letter case only, or not at all.")
def _path_unique(document: Document) -> Iterator[Break]:
    seen: set[str] = set()
    for path in document.get("paths", {}):
        if path.rstrip("/").casefold() in seen:
            yield Break(pointer("paths", path))
        seen.add(path.rstrip("/").casefold())


@_rule("path-ambiguous", "Two paths could be meant by one address: a parameter of one stands where the other is fixed.")
def _path_ambiguous(document: Document) -> Iterator[Break]:
    paths = list(document.get("paths", {}))
    for number, path in enumerate(paths):
        for other in paths[:number]:
            if path.rstrip("/").casefold() != other.rstrip("/").casefold() and _overlap(path, other):
                yield Break(pointer("paths", path), other)


def _overlap(path: str, other: str) -> bool:
    ours, theirs = path.strip("/").split("/"), other.strip("/").split("/")
    return len(ours) == len(theirs) and all(
        "{" in mine or "{" in yours or mine.casefold() == yours.casefold()
        for mine, yours in zip(ours, theirs, strict=True)
    )


@_rule("success-missing", "An operation needs at least one successful response.")
def _success_missing(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        if not any(_SUCCESS.fullmatch(status) for status, _, _ in responses(operation)):
            yield Break(f"{operation.place}/responses")


@_rule("success-schemas", "At most one response may have a schema, that of 200 or of 201.")
def _success_schemas(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        with_schema = [
            status
            for status, response, _ in responses(operation)
            if "schema" in response and _SUCCESS.fullmatch(status)
        ]
        if len(with_schema) > 1 or not set(with_schema) <= {"200", "201"}:
            yield Break(f"{operation.place}/responses", ", ".join(with_schema))


@_rule("default-schema", "The 'default' response should not have schema definition.")
def _default_schema(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        for status, response, place in responses(operation):
            if status == "default" and "schema" in response:
                yield Break(place)


@_rule("failure-schema", "A response of a failure has a description only.")
def _failure_schema(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        for status, response, place in responses(operation):
            if _FAILURE.fullmatch(status) and "schema" in response:
                yield Break(place)


@_rule("response-description", "A response needs a description.")
def _response_description(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        for _, response, place in responses(operation):
            if "$ref" not in response and not response.get("description"):
                yield Break(place)


@_rule("polling-headers", "A response 202 needs the headers Location and Retry-After: without them no flow can wait.")
def _polling_headers(document: Document) -> Iterator[Break]:
    for operation in operations(document):
        for status, response, place in responses(operation):
            if status == "202" and not {"location", "retry-after"} <= {
                name.casefold() for name in response.get("headers", {})
            }:
                yield Break(place)
