"""Rules about the document as a whole."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from connector.lint.findings import Break, Register, pointer
from connector.lint.walk import members, operations, references, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.lint.findings import Document

DOCUMENT = Register()
_rule = DOCUMENT.rule
_TITLE_WORDS = re.compile(r"\b(api|connector|power ?apps|power ?automate|logic ?apps|power ?platform)\b", re.IGNORECASE)
_DESCRIPTION_WORDS = re.compile(r"\b(power ?apps|power ?automate|logic ?apps)\b", re.IGNORECASE)
_CATEGORIES = {
    "AI", "Business Management", "Business Intelligence", "Collaboration", "Commerce", "Communication",
    "Content and Files", "Finance", "Data", "Human Resources", "Internet of Things", "IT Operations",
    "Lifestyle and Entertainment", "Marketing", "Productivity", "Sales and CRM", "Security", "Social Media", "Website",
}  # fmt: skip
_MEDIA_TYPES = {"application/json", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"}
_REFERENCES = re.compile(r"#/(definitions|parameters|responses)/[^/]+")
_LONGEST_TITLE, _SHORTEST_DESCRIPTION, _LONGEST_DESCRIPTION = 30, 30, 500
_MOST_OPERATIONS, _MOST_SCHEMAS, _MOST_BYTES, _MOST_CATEGORIES = 256, 512, 1024 * 1024, 2


def _info(document: Document) -> Document:
    info = document.get("info")
    return info if isinstance(info, dict) else {}


@_rule("swagger-version", "The 'swagger' property has to be \"2.0\": nothing newer can be imported.")
def _swagger_version(document: Document) -> Iterator[Break]:
    if document.get("swagger") != "2.0":
        yield Break("/swagger")


@_rule("size", f"The file has to be smaller than 1 MB, with at most {_MOST_OPERATIONS} operations.")
def _size(document: Document) -> Iterator[Break]:
    if len(json.dumps(document)) >= _MOST_BYTES:
        yield Break("", "bytes")
    if len(list(operations(document))) > _MOST_OPERATIONS:
        yield Break("/paths", "operations")


@_rule("schema-count", f"A body may have at most {_MOST_SCHEMAS} schemas.")
def _schema_count(document: Document) -> Iterator[Break]:
    counts: dict[str, int] = {}
    for member in members(document):
        root = re.split(r"/(?:properties|items|allOf|additionalProperties)\b", member.place)[0]
        counts[root] = counts.get(root, 0) + 1
    for root, count in counts.items():
        if count > _MOST_SCHEMAS:
            yield Break(root, str(count))


@_rule("title-length", f"The title has to be there and to have at most {_LONGEST_TITLE} characters.")
def _title_length(document: Document) -> Iterator[Break]:
    if not 0 < len(_info(document).get("title", "")) <= _LONGEST_TITLE:
        yield Break("/info/title")


@_rule("title-words", "The title contains a restricted word: 'API', 'connector' or a name of a Power Platform product.")
def _title_words(document: Document) -> Iterator[Break]:
    if found := _TITLE_WORDS.search(_info(document).get("title", "")):
        yield Break("/info/title", found[0])


@_rule("title-ending", "The title has to end with a letter or a digit.")
def _title_ending(document: Document) -> Iterator[Break]:
    title = _info(document).get("title", "")
    if title and not title[-1].isalnum():
        yield Break("/info/title")


@_rule(
    "description-length",
    f"The description has to have {_SHORTEST_DESCRIPTION} to {_LONGEST_DESCRIPTION} characters.",
)
def _description_length(document: Document) -> Iterator[Break]:
    if not _SHORTEST_DESCRIPTION <= len(_info(document).get("description", "")) <= _LONGEST_DESCRIPTION:
        yield Break("/info/description")


@_rule("description-words", "The description contains a name of a Power Platform product.")
def _description_words(document: Document) -> Iterator[Break]:
    if found := _DESCRIPTION_WORDS.search(_info(document).get("description", "")):
        yield Break("/info/description", found[0])


@_rule("contact", "The 'contact' has to have name, url and email.")
def _contact(document: Document) -> Iterator[Break]:
    given = _info(document).get("contact", {})
    for name in ("name", "url", "email"):
        if not given.get(name):
            yield Break("/info/contact", name)


def _entries(document: Document) -> dict[str, Any]:
    entries = document.get("x-ms-connector-metadata", [])
    return {entry.get("propertyName", ""): entry.get("propertyValue") for entry in entries}


@_rule("metadata", "The 'x-ms-connector-metadata' has to have Website, Privacy policy and Categories.")
def _metadata(document: Document) -> Iterator[Break]:
    given = _entries(document)
    for name in ("Website", "Privacy policy", "Categories"):
        if not given.get(name):
            yield Break("/x-ms-connector-metadata", name)


@_rule("categories", "There are at most two categories, of Microsoft's list, with a semicolon between them.")
def _categories(document: Document) -> Iterator[Break]:
    given = [entry for entry in str(_entries(document).get("Categories") or "").split(";") if entry]
    unknown = [entry for entry in given if entry not in _CATEGORIES]
    if unknown or len(given) > _MOST_CATEGORIES:
        yield Break("/x-ms-connector-metadata", ", ".join(unknown or given))


@_rule("host", "The 'host' has to be a bare host name, without scheme, path or braces.")
def _host(document: Document) -> Iterator[Break]:
    if not re.fullmatch(r"[^{}/ :\\]+(:\d+)?", document.get("host", "")):
        yield Break("/host")


@_rule("schemes", "The 'schemes' may hold http and https only.")
def _schemes(document: Document) -> Iterator[Break]:
    if not set(document.get("schemes", [])) <= {"http", "https"}:
        yield Break("/schemes")


@_rule("base-path", "The 'basePath' has to begin with a slash.")
def _base_path(document: Document) -> Iterator[Break]:
    if not document.get("basePath", "/").startswith("/"):
        yield Break("/basePath")


@_rule("media-type", "Only JSON, plain text and forms can be taken and given.")
def _media_type(document: Document) -> Iterator[Break]:
    parts = [("", document), *((operation.place, operation.body) for operation in operations(document))]
    for place, part in parts:
        for name in ("consumes", "produces"):
            for entry in part.get(name, []):
                if entry.partition(";")[0].strip() not in _MEDIA_TYPES:
                    yield Break(place + pointer(name), entry)


@_rule("security", "A 'security' requirement has to name one of the 'securityDefinitions'.")
def _security(document: Document) -> Iterator[Break]:
    known = document.get("securityDefinitions", {})
    for number, requirement in enumerate(document.get("security", [])):
        for name in requirement:
            if name not in known:
                yield Break(pointer("security", number), name)


@_rule("reference-siblings", "Beside a '$ref' there may be nothing else: it would be ignored.")
def _reference_siblings(document: Document) -> Iterator[Break]:
    for holder, place in references(document):
        if len(holder) > 1:
            yield Break(place)


@_rule("reference-form", "A '$ref' has to begin with #/definitions/, #/parameters/ or #/responses/.")
def _reference_form(document: Document) -> Iterator[Break]:
    for holder, place in references(document):
        if not _REFERENCES.fullmatch(holder["$ref"]):
            yield Break(place, holder["$ref"])


@_rule("reference-target", "A '$ref' leads nowhere.")
def _reference_target(document: Document) -> Iterator[Break]:
    for holder, place in references(document):
        if _REFERENCES.fullmatch(holder["$ref"]) and resolve(document, holder) is None:
            yield Break(place, holder["$ref"])


@_rule("english", "Words for makers have to be English, in plain characters.")
def _english(document: Document) -> Iterator[Break]:
    yield from _not_plain(document, "")


def _not_plain(value: Any, place: str) -> Iterator[Break]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("summary", "description", "x-ms-summary", "title", "displayName") and isinstance(inner, str):
                if not inner.isascii():
                    yield Break(place + pointer(name))
            else:
                yield from _not_plain(inner, place + pointer(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _not_plain(inner, place + pointer(number))
